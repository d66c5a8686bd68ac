/** Reading the beginning of a body before it is passed on. */
import { openaiChat } from "../../wires/openai_chat.ts";
import { GatewayError } from "../../wires/errors.ts";
import { list, object, parse } from "../../wires/json.ts";
import { sseReader } from "../../wires/sse.ts";
import type { Delta, Emit, StreamReader, WireError } from "../../wires/types.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/** The most that is held back of an answer, in bytes: one that is longer has begun. */
const HELD_BYTES = 8 * 2 ** 20;

/** How long an answer is held. */
export interface Hold {
  /** Until its first real content, so that another target may still answer in its place; else until its first byte. */
  hold: boolean;
  /** Reads its events. Default: OpenAI chat completions. */
  read?: (emit: Emit) => StreamReader;
  /** The first byte, or the end, has come. */
  onFirst: () => void;
}

/**
 * Waits for the beginning of an answer.
 *
 * With `hold` an event stream has begun with its first content: frames that only name a role are none; text, reasoning, a
 * tool's name or a finished answer are. A JSON answer has begun when it is whole, for its reader can do nothing before.
 *
 * @param signal Ends the wait; not every body listens to the signal that its request was sent with.
 * @returns The same response, its body whole.
 * @throws GatewayError `bad_upstream_answer` for a body that breaks, or a stream that says an error or ends, before; the
 * signal's reason.
 */
export async function begin(
  response: Response,
  provider: string,
  signal: AbortSignal,
  { hold, read, onFirst }: Hold,
): Promise<Response> {
  if (!response.body) return response;
  const begun: Watch = hold ? contentWatch(response.headers.get("content-type") ?? "", read) : () => true;
  const source = response.body.getReader();
  const leave = () => void source.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", leave, { once: true });
  try {
    signal.throwIfAborted();
    const held: Chunk[] = [];
    let size = 0;
    for (;;) {
      const { done, value } = await source.read();
      signal.throwIfAborted();
      onFirst();
      if (value) held.push(value as Chunk);
      size += value?.length ?? 0;
      if (begun(value) || done || size > HELD_BYTES) break;
    }
    return withBody(response, joined(held, source));
  } catch (cause) {
    source.cancel(cause).catch(() => {});
    if (signal.aborted || cause instanceof GatewayError) throw cause;
    throw new GatewayError("bad_upstream_answer", `The answer of ${provider} failed before it began`, {
      metadata: cause instanceof EarlyError ? { provider, error: cause.error } : { provider },
      cause,
    });
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** A stream said an error before anything else. */
class EarlyError extends Error {
  constructor(readonly error: WireError) {
    super(error.message);
    this.name = "EarlyError";
  }
}

/**
 * Tells after each chunk, and after the end (no chunk), whether the content has begun.
 *
 * @throws EarlyError
 */
type Watch = (chunk: Uint8Array | undefined) => boolean;

function contentWatch(type: string, read?: (emit: Emit) => StreamReader): Watch {
  if (/^text\/event-stream\b/i.test(type)) return eventsWatch(read);
  return /^[^;]*\bjson\b/i.test(type) ? jsonWatch() : () => true;
}

/**
 * A list may be a stream, as Gemini's without `alt=sse`; anything else is one whole. One that is cut off, or an error
 * that calls itself a success, is a failure; one that is empty may be all that was asked for.
 */
function jsonWatch(): Watch {
  const decoder = new TextDecoder();
  let isList: boolean | undefined;
  let text = "";
  return (chunk) => {
    const first = chunk?.find((byte) => byte > 32);
    if (first !== undefined) isList ??= first === 91;
    if (isList) return true;
    text += decoder.decode(chunk, { stream: chunk !== undefined });
    const error = chunk || isList === undefined ? undefined : wholeError(text);
    if (error) throw new EarlyError(error);
    return false;
  };
}

function wholeError(text: string): WireError | undefined {
  const body = parse(text);
  if (body === undefined) return { message: "The answer is cut off" };
  // Some say what went wrong beside an answer.
  return list(object(body)?.choices).length > 0 ? undefined : errorIn(body, "");
}

function eventsWatch(read: (emit: Emit) => StreamReader = openaiChat.readStream): Watch {
  let begun = false;
  let error: WireError | undefined;
  const events = read((delta) => {
    if (begun || error) return;
    if (delta.type === "error") error = delta.error;
    else begun = isContent(delta);
  });
  const parser = sseReader((data, event) => events.frame(data, event));
  return (chunk) => {
    if (chunk) parser.push(chunk);
    else {
      parser.end();
      events.end();
    }
    if (error) throw new EarlyError(error);
    return begun;
  };
}

function isContent(delta: Delta): boolean {
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

/**
 * A reader for streams whose format is not known: an error event, or a first event that is an error object, is a failure;
 * any other event is content.
 */
export function anyEvents(emit: Emit): StreamReader {
  let seen = false;
  return {
    frame(data, event) {
      if (seen) return;
      seen = true;
      const error = errorOf(data, event);
      emit(error ? { type: "error", error } : { type: "text", choice: 0, text: "…" });
    },
    end() {
      if (!seen) emit({ type: "error", error: { message: "The stream ended before its first event" } });
    },
  };
}

function errorOf(data: string, event: string): WireError | undefined {
  const body = parse(data);
  if (body !== undefined) return errorIn(body, event);
  return event === "error" ? { message: data } : undefined;
}

function errorIn(body: unknown, event: string): WireError | undefined {
  const { type, error } = (body ?? {}) as { type?: unknown; error?: unknown };
  if (!error && event !== "error" && type !== "error") return undefined;
  const { message } = (error || body || {}) as { message?: unknown };
  return { message: typeof message === "string" ? message : "The stream failed" };
}

/** How an event stream begins. */
export const EVENTS = /^\s*(?::|(?:data|event|id|retry):)/;

/**
 * Looks at the beginning of a body that no content type vouches for.
 *
 * @returns Whether it is an event stream, and the same response, its body whole.
 */
export async function peekEvents(response: Response): Promise<{ events: boolean; response: Response }> {
  if (!response.body) return { events: false, response };
  const source = response.body.getReader();
  const decoder = new TextDecoder();
  const held: Chunk[] = [];
  let text = "";
  while (text.length < "retry:".length) {
    // A body that breaks here breaks again for whoever reads on.
    const value = await source.read().then(({ value }) => value, () => undefined);
    if (!value) break;
    held.push(value as Chunk);
    text = (text + decoder.decode(value, { stream: true })).trimStart();
  }
  return { events: EVENTS.test(text), response: withBody(response, joined(held, source)) };
}

/**
 * A body that fails when nothing comes for a time.
 *
 * @param onIdle Makes the error.
 */
export function withIdleLimit(response: Response, ms: number, onIdle: () => Error): Response {
  if (!response.body) return response;
  const source = response.body.getReader();
  return withBody(
    response,
    new ReadableStream<Chunk>({
      async pull(controller) {
        let timer: number | undefined;
        const idle = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(onIdle()), ms) as unknown as number;
        });
        try {
          const { done, value } = await Promise.race([source.read(), idle]);
          if (done) controller.close();
          else controller.enqueue(value as Chunk);
        } catch (error) {
          source.cancel(error).catch(() => {});
          throw error;
        } finally {
          clearTimeout(timer);
        }
      },
      cancel: (reason) => source.cancel(reason),
    }, { highWaterMark: 0 }),
  );
}

function withBody({ status, statusText, headers }: Response, body: ReadableStream<Chunk>): Response {
  return new Response(body, { status, statusText, headers });
}

/** The chunks already read, then the rest as it comes. */
function joined(chunks: Chunk[], source: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Chunk> {
  return new ReadableStream({
    async pull(controller) {
      const held = chunks.shift();
      if (held) return controller.enqueue(held);
      const { done, value } = await source.read();
      if (done) controller.close();
      else controller.enqueue(value as Chunk);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}
