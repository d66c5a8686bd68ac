/** Base64 of bytes and of texts. */

/** Bytes that are written at once: a text that grows by single letters takes thirty times its memory. */
const PIECE = 8190;

/** Bytes as base64. */
export function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE))));
  }
  return pieces.join("");
}

/** A text as base64 of its UTF-8, in the alphabet of URLs and without padding. */
export function base64url(text: string): string {
  return base64(new TextEncoder().encode(text)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The text that `base64url` has written; `undefined` for any other. */
export function fromBase64url(encoded: string): string | undefined {
  try {
    const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.from(binary, (char) => char.charCodeAt(0)),
    );
  } catch {
    return undefined;
  }
}
