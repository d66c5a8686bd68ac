/** What the writers of an answer must know of the request beside its neutral call. */
import type { Call, JsonObject } from "../types.ts";

/** What a tool was offered as: a call of it comes back in the same kind, under the same name. */
export interface Offer {
  kind: "function" | "custom" | "tool_search" | "local_shell" | "shell" | "apply_patch";
  /** The client's name of it. */
  name: string;
  namespace?: string;
}

/** The form of an answer. */
export interface Form {
  /** Members of the request that every response repeats, in the client's words. */
  echo: JsonObject;
  /** By the name under which the model knows a tool. */
  offers: ReadonlyMap<string, Offer>;
  /** The answer is a summary that takes the place of the conversation. */
  compacts: boolean;
}

const NONE: Form = { echo: {}, offers: new Map(), compacts: false };

/** The form of the answer to a call. */
export const formOf = (call: Call): Form => call.form as Form | undefined ?? NONE;
