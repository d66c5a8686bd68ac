/**
 * Tool-call ids that carry a signature.
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
