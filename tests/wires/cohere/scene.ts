/** What Cohere is sent, and what is read of its answers. */
import { assertEquals } from "@std/assert";
import { cohere } from "../../../wires/cohere/mod.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { JsonObject } from "../../../wires/types.ts";

export const FIXTURES = new URL("../../fixtures/cohere/", import.meta.url);

export const THINKING_MODEL = "command-a-plus-05-2026";

export const PLAIN_MODEL = "command-a-03-2025";

export const USER = { role: "user", content: "Hello" };

export const fixture = (name: string) => Deno.readTextFile(new URL(name, FIXTURES));

export type Sent = JsonObject & { messages: JsonObject[]; dropped: string[] };

/** What the wire sends for a client's body, and what it drops. */
export function write(body: JsonObject, model = THINKING_MODEL): Sent {
  const { path, body: sent, dropped } = cohere.writeCall(readCall({ messages: [USER], ...body }, model));
  assertEquals(path, "/v2/chat");
  return { ...sent, dropped } as Sent;
}

/** What the wire sends beside the model and a plain conversation. */
export function settings(body: JsonObject, model?: string): JsonObject {
  const { model: _, messages: __, ...rest } = write(body, model);
  return rest;
}
