/** Reading the beginning of a body before it is passed on, and bounding its silence. */
import { type KeptBytes, keptBytes } from "../../wires/streams/chunks.ts";
import { stackless } from "../../wires/errors.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/** Bytes of a body that may be blank before it begins. */
const MOST_BLANKS = 64 * 1024;

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
  const held = keptBytes();
  let text = "";
  while (text.length < "retry:".length && held.length <= MOST_BLANKS) {
    // A body that breaks here breaks again for whoever reads on.
    const value = await source.read().then(({ value }) => value, () => undefined);
    if (!value) break;
    held.add(value);
    text = (text + decoder.decode(value, { stream: true })).trimStart();
  }
  return { events: EVENTS.test(text), response: withBody(response, joined(held, source)) };
}

/**
 * Looks at the beginning of a body: all of it, if it is short.
 *
 * @param most Bytes to look at.
 * @returns What was read, whether that is the whole body, why it broke if it did, and the same response, its body whole: one
 * that breaks breaks again for whoever reads on.
 */
export async function peekText(
  response: Response,
  most: number,
): Promise<{ text: string; whole: boolean; broken?: unknown; response: Response }> {
  if (!response.body) return { text: "", whole: true, response };
  const source = response.body.getReader();
  const held = keptBytes();
  let whole = false;
  let broken: unknown;
  try {
    while (held.length <= most && !whole) {
      const { done, value } = await source.read();
      if (value) held.add(value);
      whole = done;
    }
  } catch (cause) {
    broken = cause ?? new Error("no reason");
  }
  const text = new TextDecoder().decode(held.view());
  // In one piece: a runtime sends that by itself.
  return {
    text,
    whole,
    broken,
    response: withBody(response, whole ? held.join() : joined(held, source)),
  };
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

/** The same answer with another body. */
export function withBody(
  { status, statusText, headers }: Response,
  body: ReadableStream<Chunk> | Chunk,
): Response {
  return new Response(body, { status, statusText, headers });
}

/** What was read already, then the rest as it comes. */
export function joined(
  held: KeptBytes,
  source: ReadableStreamDefaultReader<Uint8Array>,
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
