/** What `writeCall()` makes of chat messages, and what tests say in them. */
import { writeCall } from "../../../wires/anthropic_messages/write_call.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { JsonObject } from "../../../wires/types.ts";

export const USER = { role: "user", content: "Hi" };

/** A model that accepts most settings: budgets, sampling, forced tools. */
export const OLDER = "claude-sonnet-4-5";

export const NEWEST = "claude-opus-5-5";

/** How a picture begins. */
export const PNG = "iVBORw0KGgo=";

export function write(fields: JsonObject, model = OLDER) {
  const { body, dropped } = writeCall(readCall({ messages: [USER], ...fields }, model));
  return { body: JSON.parse(JSON.stringify(body)), dropped };
}

export const messages = (list: unknown[], model?: string) => write({ messages: list }, model).body.messages;

export const text = (value: string, more: JsonObject = {}) => ({ type: "text", text: value, ...more });

export const turn = (role: string, ...content: unknown[]) => ({ role, content });

export const call = (id: string, args = "{}", name = "look") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
