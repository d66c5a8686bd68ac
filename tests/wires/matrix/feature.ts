/** One thing that clients can say in each format, and the parts that several of these have. */
import type { WireName } from "../../../wires/types.ts";
import type { Json } from "../../acceptance/lab.ts";

/**
 * Places in a provider's body: members joined by dots, `*` for each entry of a list, `[name=value]` for entries with that member,
 * `|` between alternatives. Where none is named the format has no place of its own.
 */
export type Places = Partial<Record<WireName, string>>;

/** One thing that clients say. */
export interface Feature {
  name: string;
  /** What it adds to a request of each client's format; a client without it cannot say so. */
  says: Partial<Record<WireName, Json>>;
  places: Places;
  /** A text of it that must reach the provider, if anything of it does. */
  mark?: string;
  /** It means nothing to other providers, and is left out without a word. */
  silent?: true;
  /** What the request has without it. Default: nothing. */
  base?: Feature["says"];
}

export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const asked = { role: "user", content: "Hi" };

export const chatTools = (...names: string[]) =>
  names.map((name) => ({ type: "function", function: { name, parameters: SCHEMA } }));
export const messagesTools = (...names: string[]) => names.map((name) => ({ name, input_schema: SCHEMA }));
export const responsesTools = (...names: string[]) =>
  names.map((name) => ({ type: "function", name, parameters: SCHEMA }));

/** Two functions. */
export const PLAIN: Feature["says"] = {
  openai: { tools: chatTools("f", "g") },
  anthropic: { tools: messagesTools("f", "g") },
  responses: { tools: responsesTools("f", "g") },
};

export const parts = (chat?: Json, messages?: Json, responses?: Json): Feature["says"] => ({
  ...(chat && { openai: { messages: [{ role: "user", content: [{ type: "text", text: "Hi" }, chat] }] } }),
  ...(messages &&
    { anthropic: { messages: [{ role: "user", content: [{ type: "text", text: "Hi" }, messages] }] } }),
  ...(responses &&
    { responses: { input: [{ role: "user", content: [{ type: "input_text", text: "Hi" }, responses] }] } }),
});

/** An earlier answer, with a thought. */
export const history = (chat?: Json[], messages?: Json, responses?: Json): Feature["says"] => ({
  openai: {
    messages: [asked, { role: "assistant", content: "Yes", ...(chat && { reasoning_details: chat }) }, asked],
  },
  anthropic: {
    messages: [
      asked,
      { role: "assistant", content: [...(messages ? [messages] : []), { type: "text", text: "Yes" }] },
      asked,
    ],
  },
  responses: {
    input: [asked, ...(responses ? [responses] : []), { role: "assistant", content: "Yes" }, asked],
  },
});
