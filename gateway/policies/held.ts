/** Reading the beginning of a body before it is passed on. */
import { sseReader } from "../../wires/sse.ts";
import { openaiChat } from "../../wires/openai_chat.ts";
import type { Delta, Emit, StreamReader, WireError } from "../../wires/types.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/** A stream that failed before it said anything. */
export class EarlyFailure extends Error {
  constructor(readonly error: WireError) {
    super(error.message);
    this.name = "EarlyFailure";
  }
}

/**
 * Waits for the first bytes of a body.
 *
 * @param signal Ends the wait; not every body listens to the signal that its request was sent with.
 * @returns The same response, its body whole; rejects when the body fails before, or with the signal's reason.
 */
export async function firstBytes(response: Response, signal: AbortSignal): Promise<Response> {
  if (!response.body) return response;
  const source = response.body.getReader();
  const leave = () => void source.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", leave, { once: true });
  try {
    const { done, value } = await source.read();
    signal.throwIfAborted();
    return withBody(response, joined(done ? [] : [value as Chunk], source));
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/**
 * Holds an event stream until its first real content, so that another target may still answer in its place: frames that
 * only name a role are not content; text, reasoning, a tool's name or a finished answer are.
 *
 * @param read Reads the stream's format; by default OpenAI chat completions.
 * @returns The same response, its body whole. Throws `EarlyFailure` for an error event or an end before any content,
 * and whatever a dying connection throws.
 */
export async function firstContent(
  response: Response,
  read: (emit: Emit) => StreamReader = openaiChat.readStream,
): Promise<Response> {
  if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
    return response;
  }
  const source = response.body.getReader();
  const held: Chunk[] = [];
  let begun = false;
  let error: WireError | undefined;
  const events = read((delta) => {
    if (delta.type === "error" && !begun) error ??= delta.error;
    else begun ||= isContent(delta);
  });
  const parser = sseReader((data, event) => events.frame(data, event));
  while (!begun && !error) {
    const { done, value } = await source.read();
    if (done) {
      parser.end();
      events.end();
      break;
    }
    held.push(value as Chunk);
    parser.push(value);
  }
  if (error && !begun) {
    source.cancel().catch(() => {});
    throw new EarlyFailure(error);
  }
  return withBody(response, joined(held, source));
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
      let error: unknown;
      try {
        const parsed = JSON.parse(data);
        error = event === "error" || parsed?.type === "error" ? parsed?.error ?? parsed : parsed?.error;
      } catch {
        error = event === "error" ? { message: data } : undefined;
      }
      if (!error) return emit({ type: "text", choice: 0, text: "…" });
      const { message } = error as { message?: unknown };
      emit({
        type: "error",
        error: { message: typeof message === "string" ? message : "The stream failed" },
      });
    },
    end() {
      if (!seen) emit({ type: "error", error: { message: "The stream ended before its first event" } });
    },
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
      return delta.type !== "error";
  }
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
