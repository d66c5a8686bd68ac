/** Waiting for the whole of a short answer before its headers are sent. */
import { type KeptBytes, keptBytes } from "../../wires/streams/chunks.ts";
import { withBody } from "../policies/held.ts";

type Chunk = Uint8Array<ArrayBuffer>;
type Read = ReadableStreamReadResult<Uint8Array>;

/** Bytes of an answer that are waited for. */
const MOST_BYTES = 2 ** 20;

/** Milliseconds that they are waited for: as long as nothing is sent, Deno does not tell that the client has left. */
const MOST_MS = 10_000;

/** Bun sends nothing of an answer that breaks before its first bytes have left. */
const BREAK_AFTER_MS = 20;

/** Blank bytes alone: some providers send them to keep the connection alive while a model thinks. */
const isBlank = (bytes: Uint8Array) => bytes.every((byte) => byte <= 0x20);

/**
 * Waits for an answer's body, so that what is in it can be told in its headers.
 *
 * @returns The same answer, its body whole: in one piece, or one that goes on to come where it is long, slow, broken, or
 * begins with blanks.
 */
export async function readSoon(response: Response): Promise<Response> {
  const { body, headers } = response;
  if (!body || Number(headers.get("content-length")) > MOST_BYTES) return response;
  const source = body.getReader();
  const held = keptBytes();
  let next: Promise<Read> = source.read();
  let timer: number | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, MOST_MS) as unknown as number;
  });
  try {
    while (held.length <= MOST_BYTES) {
      const read = await Promise.race([next, late]);
      if (!read) break;
      if (read.done) return withBody(response, held.join());
      held.add(read.value);
      next = source.read();
      if (isBlank(held.view())) break;
    }
  } catch {
    // Whoever reads on gets the failure again.
  } finally {
    clearTimeout(timer);
  }
  // Told to whoever reads on, if anybody does.
  next.catch(() => {});
  return withBody(response, restOf(held, next, source));
}

/** What was read already, then what is on its way, then the rest. */
function restOf(
  held: KeptBytes,
  begun: Promise<Read>,
  source: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Chunk> {
  let first = held.length > 0 ? held.join() : undefined;
  let next: Promise<Read> | undefined = begun;
  return new ReadableStream<Chunk>({
    async pull(controller) {
      if (first) {
        controller.enqueue(first);
        first = undefined;
        return;
      }
      const { done, value } = await (next ?? source.read()).catch(async (cause) => {
        await new Promise((resolve) => setTimeout(resolve, BREAK_AFTER_MS));
        throw cause;
      });
      next = undefined;
      if (done) controller.close();
      else controller.enqueue(value as Chunk);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}
