/** The loads that several micro-benches share: events as frames and as bytes, and functions that read answers. */
import { collector } from "../wires/streams/collect.ts";
import { openaiChat } from "../wires/openai_chat/mod.ts";
import { sseReader } from "../wires/streams/sse.ts";
import type { Call, Delta, Emit, StreamReader } from "../wires/types.ts";

/** One event of a stream, without its framing. */
export interface Frame {
  data: string;
  event: string;
}

/** The envelope's defaults and the client's call, as the gateway gives them to the writers. */
export const DEFAULTS = { id: "chatcmpl-bench", created: 1790000000, model: "bench-model" };
export const CALL: Call = {
  wire: "openai",
  model: "m",
  stream: true,
  includeUsage: true,
  messages: [],
  settings: {},
  sent: new Map(),
  dropped: [],
  extra: {},
};

const encoder = new TextEncoder();

/** The bytes of framed events, with a number of events in each chunk. */
export function chunksOf(events: readonly string[], perChunk: number): Uint8Array<ArrayBuffer>[] {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < events.length; at += perChunk) {
    chunks.push(encoder.encode(events.slice(at, at + perChunk).join("")));
  }
  return chunks;
}

/** A text's bytes in chunks of a given length. */
export function cut(text: string, bytes: number): Uint8Array<ArrayBuffer>[] {
  const whole = encoder.encode(text);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < whole.length; at += bytes) chunks.push(whole.slice(at, at + bytes));
  return chunks;
}

/** The events in chunks of bytes. */
export function framesOf(chunks: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = [];
  const reader = sseReader((data, event) => frames.push({ data, event }));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return frames;
}

/** Reads frames and returns the deltas. */
export function read(readStream: (emit: Emit) => StreamReader, frames: readonly Frame[]): Delta[] {
  const deltas: Delta[] = [];
  const reader = readStream((delta) => void deltas.push(delta));
  for (const { data, event } of frames) reader.frame(data, event);
  reader.end();
  return deltas;
}

/** Reads frames and writes the client's chunks as bytes: a joined text costs nothing until it is read. */
export function rewrite(readStream: (emit: Emit) => StreamReader, frames: readonly Frame[]): Uint8Array {
  const writer = openaiChat.writer(CALL, DEFAULTS);
  let out = "";
  const reader = readStream((delta) => void (out += writer.delta(delta)));
  for (const { data, event } of frames) reader.frame(data, event);
  reader.end();
  return encoder.encode(out + writer.end());
}

/** The text of an answer. */
export function textOf(deltas: readonly Delta[]): string {
  const { emit, answer } = collector();
  for (const delta of deltas) emit(delta);
  return answer.error
    ? `error: ${answer.error.message}`
    : answer.choices[0].items.map((item) => item.type === "text" ? item.text : "").join("");
}

/** The text of the client's chunks. */
export function textOfChunks(written: Uint8Array): string {
  const chunks = framesOf([written]).map(({ data }) => data).filter((data) => data !== "[DONE]");
  return chunks.map((chunk) => JSON.parse(chunk).choices[0]?.delta.content ?? "").join("");
}

/** A number of bytes for a name: `12 kB`. */
export function size(bytes: number): string {
  return bytes < 1e3
    ? `${bytes} B`
    : bytes < 1e6
    ? `${(bytes / 1e3).toFixed(0)} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The number of bytes in all chunks. */
export const length = (chunks: readonly Uint8Array[]) => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
