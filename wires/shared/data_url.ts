/** Media as OpenAI's clients write them: a URL, or bytes in a `data:` URL. */
import { base64 } from "./base64.ts";
import { fault } from "./faults.ts";
import type { Media } from "../types.ts";

/** The start of a `data:` URL or of a web address. Clients write files and sound as one of these or as bare base64. */
export const ADDRESS = /^\s*(data:|https?:)/i;

/** The most characters before the comma of a `data:` URL, where its type and parameters stand. */
const MOST_DATA_HEAD = 1000;

/**
 * Reads a URL: a `data:` URL becomes bytes by value (base64 without white space), any other address stays a URL.
 *
 * @throws GatewayError `invalid_request` for a malformed `data:` URL.
 */
export function readUrl(url: string, path: string): Media {
  if (!/^\s*data:/i.test(url)) return { url };
  const comma = url.indexOf(",");
  if (comma < 0 || comma > MOST_DATA_HEAD) throw fault(path, "a data URL with a comma before its data", url);
  const [mime, ...parameters] = url.slice(url.indexOf(":") + 1, comma).split(";").map((text) => text.trim());
  const rest = url.slice(comma + 1);
  // The registered name is `image/jpeg`. Many clients write `image/jpg` or `image/pjpeg`, which providers refuse.
  const type = mime.toLowerCase().replace(/^image\/p?jpg$/, "image/jpeg") || "text/plain";
  if (parameters.some((text) => text.toLowerCase() === "base64")) {
    // Data with line breaks, or with `+` and `=` percent-encoded, is common. Most data has neither, so look first.
    const data = rest.includes("%") ? decode(rest, path) : rest;
    return { mime: type, data: /\s/.test(data) ? data.replace(/\s+/g, "") : data };
  }
  return { mime: type, data: base64(new TextEncoder().encode(decode(rest, path))) };
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault(path, "a well-formed data URL", text);
  }
}
