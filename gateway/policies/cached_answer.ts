/** The answer that a cache keeps, as one piece of bytes. */
import { object, parse } from "../../wires/shared/json.ts";
import type { StopReason, Usage } from "../../wires/types.ts";

/** The facts about an answer that its row shows. */
export interface Facts {
  model?: string;
  usage?: Usage;
  /** The service tier that answered. */
  tier?: string;
  stop?: StopReason;
}

/** An answer without its body. */
export interface AnswerHead {
  /** When it was kept, in milliseconds since 1970. */
  at: number;
  /** The headers that are sent again. */
  headers: [name: string, value: string][];
  /** Index of the step that answered, with its provider and model. */
  step: number;
  provider?: string;
  model?: string;
  facts: Facts;
}

/** An answer with a body: as the client got it, byte for byte. */
export interface CachedAnswer extends AnswerHead {
  body: Uint8Array<ArrayBuffer>;
}

/** The bytes before the head: its length, and that of the body. */
const PREFIX = 8;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** Writes an answer as bytes: the two lengths, the head as JSON, the body. */
export function packAnswer({ body, ...head }: CachedAnswer): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(JSON.stringify(head));
  const packed = new Uint8Array(PREFIX + text.length + body.length);
  const lengths = new DataView(packed.buffer);
  lengths.setUint32(0, text.length);
  lengths.setUint32(4, body.length);
  packed.set(text, PREFIX);
  packed.set(body, PREFIX + text.length);
  return packed;
}

/** Reads such bytes; `undefined` for bytes that `packAnswer` has not written. */
export function unpackAnswer(packed: Uint8Array<ArrayBuffer>): CachedAnswer | undefined {
  if (packed.length < PREFIX) return undefined;
  const lengths = new DataView(packed.buffer, packed.byteOffset);
  const from = PREFIX + lengths.getUint32(0);
  if (packed.length !== from + lengths.getUint32(4)) return undefined;
  const head = object(parse(decoder.decode(packed.subarray(PREFIX, from)))) as
    | Partial<AnswerHead>
    | undefined;
  const { at, headers, step, facts } = head ?? {};
  const isHead = typeof at === "number" && Number.isInteger(step) && object(facts) && Array.isArray(headers);
  return isHead ? { ...head as AnswerHead, body: packed.subarray(from) } : undefined;
}
