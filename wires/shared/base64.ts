/**
 * Bytes that are encoded at a time: a string that grows letter by letter takes thirty times its memory. The size is a
 * multiple of three, so that only the last piece is padded.
 */
const PIECE = 8190;

export function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE))));
  }
  return pieces.join("");
}

/** Bytes, or a text's bytes in UTF-8, as base64 in the URL alphabet and without padding. */
export function base64url(value: string | Uint8Array): string {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Decodes what `base64url` wrote; `undefined` if the text is not such base64 or not UTF-8. */
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
