/** What the writers of an answer need from the request, beside its neutral call. */
import type { Call, JsonObject } from "../types.ts";

/** How the client offered a tool. A call of it comes back in the same kind and under the same name. */
export interface Offer {
  kind: "function" | "custom" | "tool_search" | "local_shell" | "shell" | "apply_patch";
  /** The client's name of the tool. */
  name: string;
  namespace?: string;
}

/** The client's wishes that change the form of the answer. */
export interface Form {
  /** Members of the request that every response repeats, unchanged. */
  echo: JsonObject;
  /** The offers, by the name under which the model knows the tool. */
  offers: ReadonlyMap<string, Offer>;
  /** The answer is a summary that replaces the conversation. */
  compacts: boolean;
}

const NONE: Form = { echo: {}, offers: new Map(), compacts: false };

export const formOf = (call: Call): Form => call.form as Form | undefined ?? NONE;
