/** Media as OpenAI's clients write them: an address, or bytes in a `data:` URL. */
import { base64 } from "./base64.ts";
import { fault } from "./faults.ts";
import type { Media } from "../types.ts";

/** Clients write files and sound as a `data:` URL, as an address or as bare base64. */
export const ADDRESS = /^\s*(data:|https?:)/i;

/** Characters before the comma of a `data:` URL: a type and its parameters. */
const MOST_DATA_HEAD = 1000;

/** A `data:` URL by value, base64 without white space; any other address as it is. */
export function readUrl(url: string, path: string): Media {
  if (!/^\s*data:/i.test(url)) return { url };
  const comma = url.indexOf(",");
  if (comma < 0 || comma > MOST_DATA_HEAD) throw fault(path, "a data URL with a comma before its data", url);
  const [mime, ...parameters] = url.slice(url.indexOf(":") + 1, comma).split(";").map((text) => text.trim());
  const rest = url.slice(comma + 1);
  // JPEG has one name, but many write another, which providers refuse.
  const type = mime.toLowerCase().replace(/^image\/p?jpg$/, "image/jpeg") || "text/plain";
  if (parameters.some((text) => text.toLowerCase() === "base64")) {
    // Line breaks inside, and percent signs for `+` and `=`, are common in the wild; most data has neither.
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
