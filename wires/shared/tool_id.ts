/**
 * Ids of tool calls: how they carry a signature, and how they are made to fit each provider.
 *
 * Gemini signs its tool calls and refuses a second turn without the signatures. Some clients keep `extra_content` and
 * return the signature there. Most drop every field that they do not know, but all keep ids. So the id carries the
 * signature as well.
 */

/** Separates the id from the signature. Every provider accepts these characters in an id. */
const MARK = "__sig_";

/** Matches base64 that can be restored from base64url, e.g. `aGk=`. */
const BASE64 = /^[A-Za-z0-9+/]+=*$/;

/**
 * Appends a base64 signature to an id: `call_1` becomes `call_1__sig_…`, which has only letters, digits, `-` and `_`.
 */
export function packToolId(id: string, signature: string | undefined): string {
  // A signature of another form travels in `extra_content` only.
  if (!signature || !BASE64.test(signature) || id.includes(MARK)) return id;
  const safe = signature.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return unpackSignature(safe) === signature ? `${id}${MARK}${safe}` : id;
}

/** Splits a packed id into the provider's own id and the signature, if there is one. */
export function unpackToolId(packed: string): { id: string; signature?: string } {
  const at = packed.indexOf(MARK);
  if (at < 0) return { id: packed };
  return { id: packed.slice(0, at), signature: unpackSignature(packed.slice(at + MARK.length)) };
}

function unpackSignature(safe: string): string {
  const text = safe.replaceAll("-", "+").replaceAll("_", "/");
  return text + "=".repeat((4 - text.length % 4) % 4);
}

/** The id if it has at most `most` characters; else a shorter id, always the same for the same id. */
export function shortId(id: string, most: number): string {
  if (id.length <= most) return id;
  // An id is mostly too long because it carries a signature.
  const bare = unpackToolId(id).id;
  return bare.length <= most ? bare : `call_${digest(bare)}`;
}

/**
 * A text's 64-bit FNV-1a hash as thirteen lower-case letters and digits.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9923
 */
export function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(36).padStart(13, "0");
}

/**
 * Gives each tool call of a conversation a unique id, and tells which tool call a result answers.
 *
 * Some models restart the ids in each turn (`call_0`), and some give no ids. Once such a conversation moves to another
 * provider, that provider refuses repeated ids (Anthropic) or takes them for one tool call.
 */
export function callIds() {
  const used = new Set<string>();
  /**
   * By the client's id: the number for its next repetition, the unique ids given out, and how many of those have
   * results.
   */
  const calls = new Map<string, { next: number; ids: string[]; answered: number }>();
  return {
    /** The unique id for a tool call with the client's `id`: the same id, unless it was used before or is empty. */
    call(id: string): string {
      const base = id || "call";
      const same = calls.get(id) ?? { next: 2, ids: [], answered: 0 };
      let own = base;
      while (used.has(own)) own = `${base}_${same.next++}`;
      used.add(own);
      same.ids.push(own);
      calls.set(id, same);
      return own;
    },
    /**
     * The unique id that a result with the client's `id` answers: of the first tool call with that id that has no
     * result yet, else of the last one.
     */
    result(id: string): string {
      const same = calls.get(id);
      if (!same) return id;
      const { ids } = same;
      return same.answered < ids.length ? ids[same.answered++] : ids[ids.length - 1];
    },
  };
}
