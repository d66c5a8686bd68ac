/** Stands in for `@std/streams` where JSR cannot be reached: same names and behaviour for what our tests use. */

/** All bytes of a stream. */
export function toArrayBuffer(stream: ReadableStream<Uint8Array>): Promise<ArrayBuffer> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer();
}

/** A stream of JSON text, parsed. */
export async function toJson(stream: ReadableStream): Promise<unknown> {
  return JSON.parse(await toText(stream));
}

/** A stream of text or of UTF-8 bytes, joined. */
export async function toText(stream: ReadableStream): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
