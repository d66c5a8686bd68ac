/** What `writeCall()` makes of chat messages. */
import { gemini } from "../../../wires/gemini/mod.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { JsonObject, WireRequest } from "../../../wires/types.ts";

export const NEW = "gemini-3.8-flash";

export const OLD = "gemini-2.5-flash";

export function write(body: JsonObject, model = NEW): WireRequest {
  return gemini.writeCall(readCall({ messages: [{ role: "user", content: "Hi" }], ...body }, model));
}

export function contents(messages: JsonObject[], model = NEW): { contents: unknown; dropped: string[] } {
  const { body, dropped } = write({ messages }, model);
  return { contents: body.contents, dropped };
}

export const user = (...parts: JsonObject[]) => ({ role: "user", parts });

export const model = (...parts: JsonObject[]) => ({ role: "model", parts });

export const PIXEL = "iVBORw0KGgo=";

export const GO = { role: "user", content: "Go" };

export const call = (id: string, name: string, args = "{}") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
