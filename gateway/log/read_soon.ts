/** Waits for the whole of a short answer before its headers are sent. */
import { keptBytes } from "../../wires/streams/chunks.ts";
import { joined, withBody } from "../policies/held.ts";

type Read = ReadableStreamReadResult<Uint8Array>;

/** The most bytes of such an answer. */
const MOST_BYTES = 2 ** 20;

/** Milliseconds to wait. The wait is short because Deno does not tell that the client has left until something is sent. */
const MOST_MS = 10_000;

/** Milliseconds before a failure is passed on: Bun sends nothing of an answer that breaks before its first bytes are sent. */
const BREAK_AFTER_MS = 20;

/** Only blank bytes: some providers send them to keep the connection alive while a model thinks. */
const isBlank = (bytes: Uint8Array) => bytes.every((byte) => byte <= 0x20);

/**
 * Waits for an answer's body, so that its headers can hold facts about it.
 *
 * @returns The same answer with its complete body: in one piece, or as a stream if the body is long, slow or broken, or begins
 * with blanks.
 */
export async function readSoon(response: Response): Promise<Response> {
  const { body, headers } = response;
  if (!body || Number(headers.get("content-length")) > MOST_BYTES) return response;
  const source = body.getReader();
  const held = keptBytes();
  let next: Promise<Read> = source.read();
  let timer: number | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), MOST_MS) as unknown as number;
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
    // The next reader gets the failure again.
  } finally {
    clearTimeout(timer);
  }
  // The next reader gets this failure, if there is one.
  next.catch(() => {});
  return withBody(response, joined(held, resumed(next, source)));
}

/** A source whose next read is already running, and that waits before it passes a failure on. */
function resumed(
  begun: Promise<Read>,
  source: ReadableStreamDefaultReader<Uint8Array>,
): Parameters<typeof joined>[1] {
  let next: Promise<Read> | undefined = begun;
  return {
    read() {
      const read = next ?? source.read();
      next = undefined;
      return read.catch(async (cause) => {
        await new Promise((resolve) => setTimeout(resolve, BREAK_AFTER_MS));
        throw cause;
      });
    },
    cancel: (reason) => source.cancel(reason),
  };
}
