/** A chat client's conversation with a strict provider of Responses, without a gateway between. */
import { assertEquals } from "@std/assert";
import { sseReader } from "../../../wires/streams/sse.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import { openaiResponses } from "../../../wires/openai_responses/mod.ts";
import type { Delta, JsonObject } from "../../../wires/types.ts";
import type { Json } from "../../acceptance/lab.ts";
import { collector, type GatheredAnswer } from "../gathered.ts";

export const USER = { role: "user", content: "Hello" };

/** What is sent for a chat request, and what is left out. */
export function write(
  model: string,
  more: JsonObject = {},
  wire = openaiResponses,
): { path: string; body: Json; dropped: string[] } {
  const call = readCall({ messages: [USER], ...more }, model);
  const { path, body, dropped } = wire.writeCall(call);
  return { path, body: JSON.parse(JSON.stringify(body)), dropped: [...call.dropped, ...dropped] };
}

/** The deltas of a whole answer. */
export function readWhole(body: JsonObject, wire = openaiResponses): Delta[] {
  const deltas: Delta[] = [];
  wire.readAnswer(body, (delta) => deltas.push(delta));
  return deltas;
}

/** The deltas of a stream, cut into pieces of so many bytes. */
export function readEvents(text: string, size = text.length, wire = openaiResponses): Delta[] {
  const deltas: Delta[] = [];
  const reader = wire.readStream((delta) => deltas.push(delta));
  const parser = sseReader((data, event) => reader.frame(data, event));
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) parser.push(bytes.slice(at, at + size));
  parser.end();
  reader.end();
  return deltas;
}

export function collect(deltas: Delta[]): GatheredAnswer {
  const { emit, answer } = collector();
  deltas.forEach(emit);
  return answer;
}

/** The entries of one type in a list. */
export function only<T>(list: T[]): T {
  assertEquals(list.length, 1);
  return list[0];
}
