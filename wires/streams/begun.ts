/** Decides whether the content of an answer has begun, by the answer's format. */
import type { KeptBytes } from "./chunks.ts";
import { list, object, parse } from "../shared/json.ts";
import { sseReader } from "./sse.ts";
import type { AnswerFormat, Delta, Emit, JsonObject, StreamReader, WireError } from "../types.ts";

/** Thrown when an answer fails before its content has begun. */
export class EarlyError extends Error {
  constructor(readonly error: WireError) {
    super(error.message);
    this.name = "EarlyError";
  }
}

/**
 * Decides after each chunk, and at the end (`chunk` is undefined), whether the content has begun.
 *
 * @param held All chunks so far.
 * @throws EarlyError if the answer failed before its content.
 */
export type Watch = (chunk: Uint8Array | undefined, held: KeptBytes) => boolean;

/**
 * Makes the watch of one body.
 *
 * @param type The body's content type. It is only used if the format is unknown: otherwise the first byte says more.
 * @param format The format of a generated answer; `undefined` for any other body. An event stream of unknown format has
 * begun with its first event. No other body of unknown format is judged: a stored object may well have a member
 * `error`.
 */
export function contentWatch(type: string, format: AnswerFormat | undefined): Watch {
  if (format) return answerWatch(format);
  if (/^text\/event-stream\b/i.test(type)) return eventsWatch(anyEvents);
  // JSON is held until it is complete: its reader can do nothing with a part of it.
  return /^[^;]*\bjson\b/i.test(type) ? wholeWatch() : () => true;
}

/** Whether a long body may still be an answer: JSON may be that long, but a stream has said something before. */
export function isJson(held: KeptBytes): boolean {
  const kind = kindOf(held.view());
  return kind === "object" || kind === "list";
}

/**
 * The kind of a body, by its first byte that is not a blank: `events` is text that may be an event stream. `undefined`
 * if there are only blanks.
 */
export function kindOf(bytes: Uint8Array): "object" | "list" | "page" | "events" | undefined {
  const first = bytes.find((byte) => !BLANK.has(byte));
  return first === undefined ? undefined : KINDS.get(first) ?? "events";
}

const OPEN_OBJECT = 123, OPEN_LIST = 91, LESS_THAN = 60;
const KINDS: ReadonlyMap<number, "object" | "list" | "page"> = new Map(
  [[OPEN_OBJECT, "object"], [OPEN_LIST, "list"], [LESS_THAN, "page"]] as const,
);
/** The bytes that may stand before the first character: blanks, and the bytes of a byte order mark. */
const BLANK: ReadonlySet<number> = new Set([9, 10, 13, 32, 0xef, 0xbb, 0xbf]);

function answerWatch(format: AnswerFormat): Watch {
  let watch: Watch | undefined;
  return (chunk, held) => {
    if (watch) return watch(chunk, held);
    if (!chunk) throw new EarlyError({ message: "The answer is empty" });
    const first = chunk.find((byte) => !BLANK.has(byte));
    if (first === undefined) return false;
    if (first === LESS_THAN) throw new EarlyError({ message: "The answer is an HTML page" });
    watch = first === OPEN_OBJECT
      ? objectWatch(format)
      : first === OPEN_LIST
      ? listWatch()
      : eventsWatch((emit) => format.readStream(emit));
    return watch(chunk, held);
  };
}

/** A JSON object fails if it is cut off, or if it is an error in spite of its success status. */
function objectWatch(format: AnswerFormat): Watch {
  return (chunk, held) => {
    const error = chunk ? undefined : wholeError(textOf(held), format);
    if (error) throw new EarlyError(error);
    return false;
  };
}

/**
 * The error of a complete answer: it is not an object, it is empty, or it is an error. `undefined` for any other
 * object. An object with an unexpected shape is not an error here: taking it for one would repeat and pay for the
 * request.
 */
export function wholeError(text: string, format: AnswerFormat): WireError | undefined {
  const body = object(parse(text));
  if (!body) return { message: "The answer is cut off, or is not a JSON object" };
  if (Object.keys(body).length === 0) return { message: "The answer is an empty object" };
  // Some providers report a problem beside a good answer.
  if (list(body.choices).length > 0) return undefined;
  if (saysError(body) || Object.keys(body).every((key) => ABOUT_FAILURE.has(key))) {
    return format.readError(200, body);
  }
  return body.choices === null ? { message: "The answer has no choices" } : undefined;
}

/** Whether an object reports an error, also in Cloudflare's form: `{success: false, errors}`. */
export const saysError = ({ error, errors, type, success }: JsonObject): boolean =>
  Boolean(error) || list(errors).length > 0 || success === false || isErrorName(type);

/** Matches `error` and Mistral's `conversation.response.error`. */
const isErrorName = (name: unknown) => typeof name === "string" && /(?:^|[._-])error$/.test(name);

/** An object that has only such members reports a failure: `{"detail": "Not Found"}`. */
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

/**
 * Watches a list. Gemini streams one without `alt=sse`. It has begun with its first object, unless that is an error.
 */
function listWatch(): Watch {
  const decoder = new TextDecoder();
  /** The start of the body without the blanks around its brackets, which may be many. */
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

/** What a reader of an answer has found anyway, so that the bytes need not be read again. */
export interface Begun {
  delta(delta: Delta): void;
  /**
   * Whether content has come; `undefined` until the first delta.
   *
   * @throws EarlyError for an error before content.
   */
  hasBegun(): boolean | undefined;
}

/** Finds the start of the content among an answer's deltas. */
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

/** Whether a delta is content. A role or a usage is not. */
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

/** A reader for event streams of unknown format: each event counts as content, unless it is an error. */
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

/** The error that an object reports. An object with an `id` is not an error itself, even if it has a member `error`. */
function errorIn(body: unknown): WireError | undefined {
  const said = object(body);
  if (!said || said.id !== undefined || !saysError(said)) return undefined;
  const message = (object(said.error) ?? object(list(said.errors)[0]) ?? said).message;
  return { message: typeof message === "string" ? message : "The stream failed" };
}
