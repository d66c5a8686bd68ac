/** Tells whether an answer is whole and good, so that it may be sent again later. */
import { EVENTS } from "./held.ts";
import { list, object, parse } from "../../wires/shared/json.ts";
import { saysError, wholeError } from "../../wires/streams/begun.ts";
import type { AnswerFormat, StopReason } from "../../wires/types.ts";

/** What an observer has seen of an answer. */
interface SeenEnd {
  end?: string;
  error?: unknown;
  stop?: StopReason;
}

/** A longer JSON answer is not parsed: it would hold up other requests. */
const PARSED_BYTES = 2 ** 20;

/** How many bytes of a stream's end are searched for the last event, if the format has one of a fixed text. */
const TAIL_BYTES = 512;

/** The last event of OpenAI's streams, which others have taken over. */
const DONE = /(?:^|\n)data: ?\[DONE\]\s*$/;

/** States of answers that are not finished, or have failed, in the words of providers that answer before they have the result. */
const UNFINISHED = /^(?:cancell?ed|failed|in_progress|in_queue|pending|processing|queued|running|starting)$/i;

/**
 * Whether an answer of status 200 is finished and is not an error.
 *
 * A stream must have the end of its own format: a connection that closes early looks like an end too. Streams of an unknown
 * format have no end that can be told, except for the one of OpenAI's streams.
 *
 * @param bytes The whole body.
 * @param type Its content type.
 * @param format The format of a generated answer; `undefined` for any other.
 * @param seen Absent if the answer was not observed.
 */
export function isFinished(
  bytes: Uint8Array,
  type: string,
  format: AnswerFormat | undefined,
  seen: SeenEnd | undefined,
): boolean {
  if (bytes.length === 0 || seen && (seen.end !== "whole" || seen.error !== undefined)) return false;
  const isStream = /^text\/event-stream\b/i.test(type) ||
    format !== undefined && EVENTS.test(textOf(bytes, 64));
  if (isStream) return isFinishedStream(bytes, format, seen);
  // A stream in a framing of its own, e.g. AWS's.
  if (/^[^;]*\bevent-?stream\b/i.test(type)) return false;
  if (!format && !/^[^;]*\bjson\b/i.test(type)) return true;
  if (bytes.length > PARSED_BYTES) return /[}\]]\s*$/.test(textOf(bytes, -TAIL_BYTES));
  return isFinishedJson(new TextDecoder().decode(bytes), format);
}

function isFinishedStream(
  bytes: Uint8Array,
  format: AnswerFormat | undefined,
  seen: SeenEnd | undefined,
): boolean {
  if (format && seen?.stop === undefined) return false;
  const last = format ? format.lastEvent : DONE;
  return last === undefined || last.test(textOf(bytes, -TAIL_BYTES));
}

function isFinishedJson(text: string, format: AnswerFormat | undefined): boolean {
  const body = parse(text);
  if (body === undefined) return false;
  const said = object(body);
  if (!said) return list(body).length > 0;
  const isWaiting = typeof said.status === "string" && UNFINISHED.test(said.status);
  return !isWaiting && !saysError(said) && (!format || wholeError(text, format) === undefined);
}

/** The beginning of a body as text, or its end if `most` is negative. */
const textOf = (bytes: Uint8Array, most: number): string =>
  new TextDecoder().decode(most < 0 ? bytes.subarray(most) : bytes.subarray(0, most));
