/** Removes secrets from answers in which a provider repeats them. */
import { GatewayError } from "../../wires/errors.ts";
import type { ByteMask, Mask, Masks } from "../access/secrets.ts";
import type { Exchange } from "../exchange.ts";
import { stopwatch } from "../policies/timers.ts";

/** An answer announced with at most this many bytes is read at once, which costs less than a stream of our own. */
const READ_BYTES = 64 * 1024;

/** Content types of texts, e.g. `text/plain` or `application/problem+json`, but not of a stream of events. */
const TEXT = /^(?:text\/(?!event-stream)|[^;]*(?:json|xml|x-www-form-urlencoded))/i;

/**
 * A failed answer with masked headers and a masked body. A successful answer is returned unchanged, unless it is a page or
 * plain text, which an error of the gateway may quote.
 */
export function maskFailure(response: Response, { error: mask }: Masks): Response {
  if (!mask) return response;
  const { status, statusText, headers } = response;
  const isFine = status >= 200 && status < 300 &&
    !/^text\/(?:html|plain)/i.test(headers.get("content-type") ?? "");
  if (isFine) return response;
  // Read only now: reading `body` makes a stream, which Deno then reads in JavaScript (some 8 µs for each call).
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
 * A successful answer that is handed through, with a masked body: some providers send errors with a status of success.
 *
 * A stream of events, and a body that is not a text, are returned unchanged: masking each chunk would slow down every stream.
 *
 * @param headers The provider's headers. Default: those of the answer.
 * @throws GatewayError `bad_upstream_answer` if a short answer breaks off.
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

/** Masks a text, or an object, if there is a mask. */
export const maskText = (mask: Mask | undefined, text: string): string => mask ? mask.text(text) : text;
export const maskObject = <T>(mask: Mask | undefined, object: T): T => mask ? mask.object(object) : object;

/** The same answer with a masked body. */
export const maskAll = (response: Response, mask: Mask | undefined): Response =>
  mask && response.body ? withBody(response, maskedBody(response.body, mask.bytes())) : response;

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

/** The same response with another body, whose length may differ. */
function withBody({ status, statusText, headers }: Response, body: BodyInit): Response {
  const response = new Response(body, { status, statusText, headers });
  response.headers.delete("content-length");
  return response;
}

/** A body that is masked while it is read, wherever its chunks are cut. Nothing is read ahead. */
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
