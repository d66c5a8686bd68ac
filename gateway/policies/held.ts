/** Reads the beginning of a body before it is passed on, and limits how long a body may be silent. */
import { type KeptBytes, keptBytes } from "../../wires/streams/chunks.ts";
import { stackless } from "../../wires/errors.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/** The most blank bytes at the beginning of a body that are read to look for events. */
const MOST_BLANKS = 64 * 1024;

/** The beginning of an event stream, e.g. `data:` or a comment `: ping`. */
export const EVENTS = /^\s*(?::|(?:data|event|id|retry):)/;

/** Tells whether a body has been looked at for long enough. It is asked after each piece. */
export type Patience = (isBlank: boolean) => boolean;

/**
 * Makes a patience that is over with the first piece later than `ms` milliseconds: after the beginning, while all that came
 * is blank, or after the first content. A silent body has nothing to pass on, so no timer is set for it.
 */
export function patience(ms: number, timer: () => number): Patience {
  let since = timer();
  let wasBlank = true;
  return (isBlank) => {
    const now = timer();
    if (wasBlank && !isBlank) since = now;
    wasBlank = isBlank;
    return now - since > ms;
  };
}

const ENDLESS: Patience = () => false;

/** Whether bytes are nothing but blanks and ends of lines. */
const blank = (bytes: Uint8Array) => bytes.every((byte) => byte === 32 || byte >= 9 && byte <= 13);

/**
 * Reads the beginning of a body whose content type does not tell whether it is an event stream.
 *
 * @param isOver Ends the reading of blanks.
 * @returns Whether it is one, and the same response with its complete body.
 */
export async function peekEvents(
  response: Response,
  isOver: Patience = ENDLESS,
): Promise<{ events: boolean; response: Response }> {
  if (!response.body) return { events: false, response };
  const source = response.body.getReader();
  const decoder = new TextDecoder();
  const held = keptBytes();
  let text = "";
  while (text.length < "retry:".length && held.length <= MOST_BLANKS) {
    // If the body breaks here, it breaks again for the next reader.
    const value = await source.read().then(({ value }) => value, () => undefined);
    if (!value) break;
    held.add(value);
    text = (text + decoder.decode(value, { stream: true })).trimStart();
    if (isOver(text === "")) break;
  }
  return { events: EVENTS.test(text), response: withBody(response, joined(held, source)) };
}

/**
 * Reads the beginning of a body, or all of it if it is short.
 *
 * @param most Bytes to read.
 * @param isOver Ends the reading earlier.
 * @returns `text`: the text that was read. `whole`: whether it is the whole body. `broken`: the error of a body that broke.
 * `response`: the same response with its complete body; a broken body breaks again for its next reader.
 */
export async function peekText(
  response: Response,
  most: number,
  isOver: Patience = ENDLESS,
): Promise<{ text: string; whole: boolean; broken?: unknown; response: Response }> {
  if (!response.body) return { text: "", whole: true, response };
  const source = response.body.getReader();
  const held = keptBytes();
  let whole = false;
  let isBlank = true;
  let broken: unknown;
  try {
    while (held.length <= most && !whole) {
      const { done, value } = await source.read();
      if (value) held.add(value);
      whole = done;
      isBlank &&= !value || blank(value);
      if (isOver(isBlank)) break;
    }
  } catch (cause) {
    broken = cause ?? new Error("no reason");
  }
  const text = new TextDecoder().decode(held.view());
  // A whole body is passed on as one piece, so that the runtime sends it without pulling a stream.
  return {
    text,
    whole,
    broken,
    response: withBody(response, whole ? held.join() : joined(held, source)),
  };
}

/**
 * The same response with a body that fails after `ms` milliseconds without a byte.
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
          timer = setTimeout(() => reject(stackless(onIdle())), ms) as unknown as number;
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

/**
 * The same response with a body that fails if it ends without content.
 *
 * @param onNothing Makes the error.
 */
export function withContent(response: Response, onNothing: () => Error): Response {
  if (!response.body) return response;
  let isBlank = true;
  const checked = new TransformStream<Chunk, Chunk>({
    transform(piece, controller) {
      isBlank &&= blank(piece);
      controller.enqueue(piece);
    },
    flush() {
      if (isBlank) throw stackless(onNothing());
    },
  });
  return withBody(response, response.body.pipeThrough(checked));
}

/** The same response with another body. */
export function withBody(
  { status, statusText, headers }: Response,
  body: ReadableStream<Chunk> | Chunk,
): Response {
  return new Response(body, { status, statusText, headers });
}

/** A body of the bytes that were already read, followed by the rest of the source. */
export function joined(
  held: KeptBytes,
  source: Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">,
): ReadableStream<Chunk> {
  let first = held.length > 0 ? held.join() : undefined;
  return new ReadableStream({
    async pull(controller) {
      if (first) {
        controller.enqueue(first);
        first = undefined;
        return;
      }
      const { done, value } = await source.read();
      if (done) controller.close();
      else controller.enqueue(value as Chunk);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}
