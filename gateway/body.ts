/** Taking in a request body. */
import { GatewayError } from "../wires/errors.ts";

/**
 * Reads a JSON request's body.
 *
 * @throws GatewayError `unsupported_media_type`, or `body_too_large` before more than `maxBytes` are held.
 */
export async function takeBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const type = request.headers.get("content-type");
  if (type && !/^application\/([\w.+-]+\+)?json\b/i.test(type)) {
    throw new GatewayError(
      "unsupported_media_type",
      `Cannot read the request: its content-type is ${
        JSON.stringify(type.slice(0, 100))
      } and must be application/json`,
    );
  }
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  if (!request.body) return new Uint8Array();
  // A length that was announced is kept to by the runtime's HTTP parser, and one native read is the cheapest.
  if (announced >= 0) return new Uint8Array(await request.arrayBuffer());
  return await readBounded(request.body, maxBytes);
}

async function readBounded(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(
    "body_too_large",
    `Cannot read the request: its body is longer than ${maxBytes} bytes`,
  );
}
