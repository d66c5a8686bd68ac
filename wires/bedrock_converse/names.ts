/** Names that Converse restricts: those of tools, of their calls, and of documents. */
import { digest } from "../shared/tool_id.ts";

/** Matches the names and ids that Converse accepts: `get_weather`, `tooluse_Ze-bg_l9`. */
const TAKEN = /^[\w-]{1,64}$/;

/**
 * Writes a name of a tool. The same name gives the same result in each request, so that a tool and its earlier calls
 * keep one name. A changed name ends with a hash, so that no two become one.
 */
export function writeName(name: string): string {
  return TAKEN.test(name) ? name : `${name.replace(/[^\w-]/g, "_").slice(0, 50)}_${digest(name)}`;
}

/** Writes the id of a tool call. Mistral's models accept nine letters and digits. */
export function writeId(id: string, isShort: boolean | undefined): string {
  if (isShort) return /^[a-zA-Z0-9]{9}$/.test(id) ? id : digest(id).slice(-9);
  return TAKEN.test(id) ? id : `call_${digest(id)}`;
}

/**
 * Makes the writer of one request's document names. Converse accepts letters, digits, single blanks, `-`, `()` and
 * `[]`, up to 200 characters, and each name once.
 */
export function documentNames(): (name: string | undefined) => string {
  const used = new Set<string>();
  return (name = "") => {
    const bare = name.replace(/\.[a-z\d]{1,5}$/i, "").replace(/[^a-zA-Z0-9()[\]-]+/g, " ");
    const clean = bare.slice(0, 190).trim() || "document";
    let own = clean;
    for (let at = 2; used.has(own); at++) own = `${clean} ${at}`;
    used.add(own);
    return own;
  };
}
