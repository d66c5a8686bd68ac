/** Answers without the secrets that a provider repeats in them. */
import { GatewayError } from "../../wires/errors.ts";
import type { ByteMask, Mask, Masks } from "../access/secrets.ts";
import type { Exchange } from "../exchange.ts";
import { stopwatch } from "../policies/timers.ts";

/** A shorter answer is read in one go: for those a stream of our own costs more. */
const READ_BYTES = 64 * 1024;

/** What a text of any kind is labelled as, but a stream of events. */
const TEXT = /^(?:text\/(?!event-stream)|[^;]*(?:json|xml|x-www-form-urlencoded))/i;

/**
 * A failed answer without secrets, in the headers and in the body. An answer that has succeeded is given back as it is, but
 * for pages and plain text, which errors of ours may quote.
 */
export function maskFailure(response: Response, { error: mask }: Masks): Response {
  if (!mask) return response;
  const { status, statusText, headers } = response;
  const isFine = status >= 200 && status < 300 &&
    !/^text\/(?:html|plain)/i.test(headers.get("content-type") ?? "");
  if (isFine) return response;
  // Read here and no earlier: `body` makes a stream, which Deno then reads in JavaScript (some 8 µs a call).
  const { body } = response;
  const masked = new Response(body && maskedBody(body, mask.bytes()), {
    status,
    statusText: mask.text(statusText),
  });
  headers.forEach((value, name) => {
    if (name !== "content-length") masked.headers.append(name, mask.text(value));
  });
  return masked;
}

/**
 * An answer that has succeeded and is handed through, with a body without secrets: some call an error a success.
 *
 * A stream of events, and what is not a text, is given back as it is: to take each of its chunks through a stream of our
 * own would cost every stream.
 *
 * @param headers The provider's. Default: those of the answer.
 * @throws GatewayError `bad_upstream_answer` for a short one that breaks off.
 */
export function maskSuccess(
  response: Response,
  mask: Mask | undefined,
  provider: string,
  exchange: Exchange,
  headers: Headers = response.headers,
): Promise<Response> | Response {
  if (!mask || !TEXT.test(headers.get("content-type") ?? "text/plain") || !response.body) return response;
  const announced = headers.has("content-encoding") ? NaN : Number(headers.get("content-length") ?? NaN);
  return announced <= READ_BYTES ? maskWhole(response, mask, provider, exchange) : maskAll(response, mask);
}

/** A text, or an object, without secrets. */
export const maskText = (mask: Mask | undefined, text: string): string => mask ? mask.text(text) : text;
export const maskObject = <T>(mask: Mask | undefined, object: T): T => mask ? mask.object(object) : object;

/** The same answer with a body without secrets. */
export const maskAll = (response: Response, mask: Mask | undefined): Response =>
  mask && response.body ? withBody(response, maskedBody(response.body, mask.bytes())) : response;

/** Whether an answer is labelled as a stream of events. */
export const isEventStream = ({ headers }: Response): boolean =>
  /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");

async function maskWhole(
  response: Response,
  mask: Mask,
  provider: string,
  exchange: Exchange,
): Promise<Response> {
  const stop = stopwatch(exchange);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    if (exchange.signal.aborted || cause instanceof GatewayError) throw cause;
    throw new GatewayError("bad_upstream_answer", `The answer of ${provider} broke off`, {
      metadata: { provider },
      cause,
    });
  } finally {
    stop();
  }
  return withBody(response, mask.whole(bytes));
}

/** What a body is whose length may have changed. */
function withBody({ status, statusText, headers }: Response, body: BodyInit): Response {
  const response = new Response(body, { status, statusText, headers });
  response.headers.delete("content-length");
  return response;
}

/** A body without secrets, wherever it is cut. Nothing is read before it is asked for. */
function maskedBody(
  body: ReadableStream<Uint8Array>,
  mask: ByteMask,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = body.getReader();
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await source.read();
        const bytes = done ? mask.end() : mask.push(value);
        if (bytes.length > 0) controller.enqueue(bytes);
        if (done) controller.close();
        if (done || bytes.length > 0) return;
      }
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}
