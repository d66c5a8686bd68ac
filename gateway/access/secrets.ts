/** Finding secrets in texts: gateway tokens on their way to a provider, stored keys on their way to a client. */

// ---------------------------------------------------------------- tokens

/** A token shorter than this counts only where it stands as a word of its own. */
const WORD_LENGTH = 8;

/**
 * Makes a function that tells whether a text holds one of the tokens: anywhere, also percent-encoded, in base64 or in a
 * `Basic` credential. A text without one costs about 200 ns for each token, and 200 ns.
 *
 * Who is let in is decided by hashes, in constant time; here texts are searched as they are.
 */
export function tokenFinder(tokens: readonly string[]): (text: string) => boolean {
  const packed = tokens.filter(({ length }) => length >= WORD_LENGTH).flatMap(inBase64);
  const holds = (text: string) =>
    tokens.some((token) => hasToken(text, token)) || packed.some((form) => text.includes(form));
  return (text) => {
    if (holds(text)) return true;
    let plain = text;
    for (let round = 0; round < 3 && plain.includes("%"); round++) {
      plain = decoded(plain);
      if (holds(plain)) return true;
    }
    if (!/basic/i.test(plain)) return false;
    for (const [, pair] of plain.matchAll(/basic[\s+]+([\w+/-]+)/gi)) {
      if (holds(fromBase64(pair))) return true;
    }
    return false;
  };
}

/**
 * What base64 makes of a text wherever it stands in a longer one, in the characters of base64 and in those for URLs: the
 * claims of a token (JWT) or a whole header may be packed so.
 */
function inBase64(text: string): string[] {
  const forms = [0, 1, 2].map((before) => {
    const all = btoa("\0".repeat(before) + text);
    // What shares a character with the bytes before or after is left out.
    return all.slice(Math.ceil(before * 4 / 3), Math.floor((before + text.length) * 4 / 3));
  });
  return [...new Set([...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))])];
}

/** As `decodeURIComponent`, but for what it takes no part of: that is decoded byte by byte. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  }
}

function hasToken(text: string, token: string): boolean {
  for (let at = text.indexOf(token); at >= 0; at = text.indexOf(token, at + 1)) {
    if (token.length >= WORD_LENGTH || isWord(text, at - 1, at + token.length)) return true;
  }
  return false;
}

/** Whether no letter or digit stands at either of two places of a text. */
const isWord = (text: string, before: number, after: number) =>
  !/[a-z\d]/i.test(text.charAt(before) + text.charAt(after));

/** As `atob`, for the characters of base64 and of its form for URLs, in any number. */
function fromBase64(text: string): string {
  const whole = text.length % 4 === 1 ? text.slice(0, -1) : text;
  return atob(whole.replaceAll("-", "+").replaceAll("_", "/"));
}

// ---------------------------------------------------------------- stored keys

/** A shorter key is a word such as `ollama`, for servers that look at none. */
const SHORTEST_KEY = 8;

const MASK = "***";

/** The most characters that one of a key takes where it is escaped: `\\\\u002d`. */
const WIDEST = 10;

/**
 * Makes a function that replaces a stored key in a text by `***`: plain, escaped as in JSON (also in JSON within JSON), or
 * percent-encoded.
 */
export function keyMask(key: string): (text: string) => string {
  if (key.length < SHORTEST_KEY) return (text) => text;
  const forms = Array.from(key, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(2, "0");
    const hex = code.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
    const plain = /\w/.test(char) ? char : `\\\\{0,4}\\x${code}`;
    return `(?:${plain}|\\\\{1,4}u00${hex}|%(?:25){0,3}${hex})`;
  });
  const pattern = new RegExp(forms.join(""), "g");
  return (text) => text.replaceAll(pattern, MASK);
}

/**
 * A failed answer without the stored key that it was asked with: providers repeat it in what they say, in a header or in the
 * body. An answer that has succeeded is given back as it is, but for pages and plain text, which errors of ours may quote.
 */
export function maskFailure(response: Response, key: string): Response {
  const { status, statusText, headers, body } = response;
  const isFine = status >= 200 && status < 300 &&
    !/^text\/(?:html|plain)/i.test(headers.get("content-type") ?? "");
  if (isFine || key.length < SHORTEST_KEY) return response;
  const mask = keyMask(key);
  const masked = new Response(body && maskBody(body, mask, key.length * WIDEST), {
    status,
    statusText: mask(statusText),
  });
  headers.forEach((value, name) => {
    if (name !== "content-length") masked.headers.append(name, mask(value));
  });
  return masked;
}

/**
 * Masks a key in bytes, wherever they are cut.
 *
 * @param widest The most bytes that the key takes.
 */
function maskBody(
  body: ReadableStream<Uint8Array>,
  mask: (text: string) => string,
  widest: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let held = "";
  const give = (controller: TransformStreamDefaultController, length: number) => {
    controller.enqueue(toBytes(held.slice(0, length)));
    held = held.slice(length);
  };
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        held += toText(chunk);
        // Not for each small chunk: all that is held is looked at again.
        if (held.length < 2 * widest) return;
        held = mask(held);
        // What is left may be the beginning of a key.
        give(controller, Math.max(0, held.length - widest));
      },
      flush(controller) {
        held = mask(held);
        if (held !== "") give(controller, held.length);
      },
    }),
  );
}

/** What an object says without a stored key that it may repeat. */
export function maskObject<T>(object: T, key: string | undefined): T {
  if (key === undefined) return object;
  const text = JSON.stringify(object);
  const masked = keyMask(key)(text);
  return masked === text ? object : JSON.parse(masked);
}

/** Bytes without a stored key that they may repeat whole. */
export const maskBytes = (bytes: Uint8Array, key: string): Uint8Array<ArrayBuffer> =>
  toBytes(keyMask(key)(toText(bytes)));

/** One character for each byte, whatever they mean. */
function toText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

const toBytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
