/**
 * Tool-call ids: carrying a signature, and as each provider takes them.
 *
 * Gemini signs its calls and refuses a second turn without the signatures. Clients that keep `extra_content` hand them
 * back; most drop every field they do not know, but all of them keep ids. So the signature rides in the id as well.
 */

/** Stands between the id and the signature; only characters that every provider takes in an id. */
const MARK = "__sig_";

/** What base64url gives back unchanged. */
const BASE64 = /^[A-Za-z0-9+/]+=*$/;

/** `call_1` with a signature (base64) becomes `call_1__sig_…`, of letters, digits, `-` and `_` alone. */
export function packToolId(id: string, signature: string | undefined): string {
  // Any other signature rides in `extra_content` alone.
  if (!signature || !BASE64.test(signature) || id.includes(MARK)) return id;
  const safe = signature.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return unpackSignature(safe) === signature ? `${id}${MARK}${safe}` : id;
}

/** The provider's own id, and the signature if there is one. */
export function unpackToolId(packed: string): { id: string; signature?: string } {
  const at = packed.indexOf(MARK);
  if (at < 0) return { id: packed };
  return { id: packed.slice(0, at), signature: unpackSignature(packed.slice(at + MARK.length)) };
}

function unpackSignature(safe: string): string {
  const text = safe.replaceAll("-", "+").replaceAll("_", "/");
  return text + "=".repeat((4 - text.length % 4) % 4);
}

/** The id, or one of at most so many characters that stands for it. */
export function shortId(id: string, most: number): string {
  if (id.length <= most) return id;
  // What is too long is mostly a signature that rides along.
  const bare = unpackToolId(id).id;
  return bare.length <= most ? bare : `call_${digest(bare)}`;
}

/**
 * Thirteen letters and digits that stand for a text: its FNV-1a hash of 64 bits.
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
 * Gives each call of a conversation an id of its own, and tells a result which call it answers.
 *
 * Some models count their calls anew in each turn (`call_0`), and some give no ids at all; once such a conversation moves
 * to another provider, ids that come twice are refused (Anthropic) or taken for one call.
 */
export function callIds() {
  const used = new Set<string>();
  /** By the client's id: the number that its next repeat gets, its calls' own ids, and how many of them have results. */
  const calls = new Map<string, { next: number; ids: string[]; answered: number }>();
  return {
    /** The id for a call to which the client gave `id`: the same, unless it came before or is empty. */
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
    /** The id of the first call so named that has no result yet, else of the last. */
    result(id: string): string {
      const same = calls.get(id);
      if (!same) return id;
      const { ids } = same;
      return same.answered < ids.length ? ids[same.answered++] : ids[ids.length - 1];
    },
  };
}
