/** Whether an answer has begun, by its format. */
import type { KeptBytes } from "./chunks.ts";
import { list, object, parse } from "../shared/json.ts";
import { sseReader } from "./sse.ts";
import type { AnswerFormat, Delta, Emit, JsonObject, StreamReader, WireError } from "../types.ts";

/** An answer failed before anything else. */
export class EarlyError extends Error {
  constructor(readonly error: WireError) {
    super(error.message);
    this.name = "EarlyError";
  }
}

/**
 * Tells after each chunk, and after the end (no chunk), whether the content has begun. `held` are all chunks so far.
 *
 * @throws EarlyError
 */
export type Watch = (chunk: Uint8Array | undefined, held: KeptBytes) => boolean;

/**
 * Watches a body for its content.
 *
 * @param type Its content type. Only asked of an answer whose format is not known: where it is, the first byte says more.
 * @param format Of a generated answer, or `undefined` for any other body: a stream of events has then begun with its first
 * event, and nothing else is judged. An object that was made before may well hold an `error` of its own.
 */
export function contentWatch(type: string, format: AnswerFormat | undefined): Watch {
  if (format) return answerWatch(format);
  if (/^text\/event-stream\b/i.test(type)) return eventsWatch(anyEvents);
  // Held until it is whole, for its reader can do nothing before.
  return /^[^;]*\bjson\b/i.test(type) ? wholeWatch() : () => true;
}

/** Whether a body that goes on and on may be an answer: JSON may be that long, a stream says something before. */
export function isJson(held: KeptBytes): boolean {
  const kind = kindOf(held.view());
  return kind === "object" || kind === "list";
}

/**
 * What bytes begin with, told by the first that is no blank: `events` is text that may be a stream of them. `undefined` when
 * there are blanks only.
 */
export function kindOf(bytes: Uint8Array): "object" | "list" | "page" | "events" | undefined {
  const first = bytes.find((byte) => !BLANK.has(byte));
  return first === undefined ? undefined : KINDS.get(first) ?? "events";
}

const OPEN_OBJECT = 123, OPEN_LIST = 91, LESS_THAN = 60;
const KINDS: ReadonlyMap<number, "object" | "list" | "page"> = new Map(
  [[OPEN_OBJECT, "object"], [OPEN_LIST, "list"], [LESS_THAN, "page"]] as const,
);
/** Before the first character of a text: blanks, and the bytes of a byte order mark. */
const BLANK: ReadonlySet<number> = new Set([9, 10, 13, 32, 0xef, 0xbb, 0xbf]);

function answerWatch(format: AnswerFormat): Watch {
  let watch: Watch | undefined;
  return (chunk, held) => {
    if (watch) return watch(chunk, held);
    if (!chunk) throw new EarlyError({ message: "The answer is empty" });
    const first = chunk.find((byte) => !BLANK.has(byte));
    if (first === undefined) return false;
    if (first === LESS_THAN) throw new EarlyError({ message: "The answer is a page" });
    watch = first === OPEN_OBJECT
      ? objectWatch(format)
      : first === OPEN_LIST
      ? listWatch()
      : eventsWatch((emit) => format.readStream(emit));
    return watch(chunk, held);
  };
}

/** One that is cut off, or an error that calls itself a success, is a failure. */
function objectWatch(format: AnswerFormat): Watch {
  return (chunk, held) => {
    const error = chunk ? undefined : wholeError(textOf(held), format);
    if (error) throw new EarlyError(error);
    return false;
  };
}

/**
 * What is wrong with a whole answer, if anything is: it is no object, an empty one, or an error. An object of another
 * shape than its path promises is not judged here: to take it for a failure would pay for it twice.
 */
export function wholeError(text: string, format: AnswerFormat): WireError | undefined {
  const body = object(parse(text));
  if (!body) return { message: "The answer is cut off, or is not a JSON object" };
  if (Object.keys(body).length === 0) return { message: "The answer is an empty object" };
  // Some say what went wrong beside an answer.
  if (list(body.choices).length > 0) return undefined;
  if (saysError(body) || Object.keys(body).every((key) => ABOUT_FAILURE.has(key))) {
    return format.readError(200, body);
  }
  return body.choices === null ? { message: "The answer has no choices" } : undefined;
}

/** Whether an object says that something went wrong, be it in Cloudflare's words: `{success: false, errors}`. */
export const saysError = ({ error, errors, type, success }: JsonObject): boolean =>
  Boolean(error) || list(errors).length > 0 || success === false || isErrorName(type);

/** `error`, Mistral's `conversation.response.error` */
const isErrorName = (name: unknown) => typeof name === "string" && /(?:^|[._-])error$/.test(name);

/** An object with no other members is a message about a failure: `{"detail": "Not Found"}`. */
const ABOUT_FAILURE: ReadonlySet<string> = new Set([
  ...[
    "code",
    "detail",
    "details",
    "documentation_url",
    "errors",
    "fault",
    "instance",
    "message",
    "msg",
    "param",
  ],
  ...["path", "reason", "requestId", "request_id", "status", "statusCode", "status_code", "success"],
  ...["timestamp", "title", "traceId", "trace_id", "type"],
]);

const textOf = (held: KeptBytes) => new TextDecoder().decode(held.view());

/** A list is a stream too: Gemini's without `alt=sse`. It has begun with its first object, unless that is an error. */
function listWatch(): Watch {
  const decoder = new TextDecoder();
  /** The beginning, without blanks around its brackets, which may be many. */
  let head = "";
  let isError = false;
  return (chunk, held) => {
    if (!isError) {
      head = (head + decoder.decode(chunk, { stream: chunk !== undefined }))
        .replace(/^\s*\[\s*/, "[").replace(/^\[\{\s+/, "[{");
      if (head.length > 1 && head[1] !== "{") {
        throw new EarlyError({ message: "The answer is an empty list" });
      }
      isError = head.startsWith('[{"error"');
    }
    if (isError && !chunk) {
      throw new EarlyError(errorIn(list(parse(textOf(held)))[0]) ?? { message: "The answer is an error" });
    }
    const begun = !isError && (head[2] === "}" || head.length >= '[{"error"'.length);
    if (!chunk && !begun) throw new EarlyError({ message: "The answer is cut off" });
    return begun;
  };
}

const wholeWatch = (): Watch => {
  let isList: boolean | undefined;
  return (chunk) => {
    const first = chunk?.find((byte) => !BLANK.has(byte));
    if (first !== undefined) isList ??= first === OPEN_LIST;
    return isList ?? false;
  };
};

function eventsWatch(read: (emit: Emit) => StreamReader): Watch {
  const told = toldBegun();
  const events = read(told.delta);
  const parser = sseReader((data, event) => events.frame(data, event));
  return (chunk) => {
    if (chunk) parser.push(chunk);
    else {
      parser.end();
      events.end();
    }
    return told.hasBegun() ?? false;
  };
}

/** What is told of an answer by whoever reads it anyway: its bytes need not be read again. */
export interface Begun {
  delta(delta: Delta): void;
  /**
   * Whether content has come; `undefined` as long as nothing was told.
   *
   * @throws EarlyError for an error before content.
   */
  hasBegun(): boolean | undefined;
}

/** Finds the beginning of an answer among its deltas. */
export function toldBegun(): Begun {
  let begun: boolean | undefined;
  let error: WireError | undefined;
  return {
    delta(delta) {
      if (begun || error) return;
      if (delta.type === "error") error = delta.error;
      else begun = isContent(delta);
    },
    hasBegun() {
      if (error) throw new EarlyError(error);
      return begun;
    },
  };
}

/** Whether a delta is of the content: a role or a count of tokens is not. */
export function isContent(delta: Delta): boolean {
  switch (delta.type) {
    case "start":
    case "usage":
      return false;
    case "text":
    case "refusal":
    case "args":
      return delta.text !== "";
    default:
      return true;
  }
}

/** A reader for events of no known format: any is content but an error. */
export function anyEvents(emit: Emit): StreamReader {
  let seen = false;
  return {
    frame(data, event) {
      if (seen) return;
      seen = true;
      const error = isErrorName(event) ? { message: data } : errorIn(parse(data));
      emit(error ? { type: "error", error } : { type: "text", choice: 0, text: "…" });
    },
    end() {
      if (!seen) emit({ type: "error", error: { message: "The stream ended before its first event" } });
    },
  };
}

/** The error that an object is; an object with an `id` of its own has one, and is not one. */
function errorIn(body: unknown): WireError | undefined {
  const said = object(body);
  if (!said || said.id !== undefined || !saysError(said)) return undefined;
  const message = (object(said.error) ?? object(list(said.errors)[0]) ?? said).message;
  return { message: typeof message === "string" ? message : "The stream failed" };
}
