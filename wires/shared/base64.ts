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

/** A run of so many characters of base64 is a medium: a picture, sound or a file. */
const LONG_RUN = 1024;

/** The rest of a run. One pattern for all of it would overflow V8's stack at some megabytes. */
const REST = /[A-Za-z0-9+/_=-]*/y;

/** A long run of base64 in a text. */
interface Run {
  start: number;
  end: number;
}

/**
 * Finds the long runs of base64 in a text.
 *
 * @param beginning Matches the characters with which a run begins; with the flag `g`.
 */
export function* longRuns(text: string, beginning: RegExp): Generator<Run> {
  beginning.lastIndex = 0;
  for (let match = beginning.exec(text); match; match = beginning.exec(text)) {
    const start = match.index, end = endOfRun(text, beginning.lastIndex);
    if (end - start >= LONG_RUN) yield { start, end };
    // A pattern may have been used for another text since.
    beginning.lastIndex = end;
  }
}

/** The end of a run whose slashes may be escaped, as in JSON that PHP has written. */
function endOfRun(text: string, from: number): number {
  for (let end = from;; end += 2) {
    REST.lastIndex = end;
    REST.exec(text);
    end = REST.lastIndex;
    if (!text.startsWith("\\/", end)) return end;
  }
}
