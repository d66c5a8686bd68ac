/** Ids of tool calls as Anthropic takes them, whatever their maker wrote. */
import { base64url, fromBase64url } from "../shared/base64.ts";

/** Stands before an id that is written in other characters than its own. */
const PACKED = "toolu_slc_";

/**
 * An id of letters, digits, `_` and `-`: Anthropic refuses any other (`functions.read:0`, as Kimi writes them), and a
 * conversation may go on there at any turn. `ownId` gives it back.
 */
export const packedId = (id: string): string =>
  /^[\w-]+$/.test(id) && !id.startsWith(PACKED) ? id : PACKED + base64url(id);

/** The id that its maker wrote. */
export function ownId(id: string): string {
  return id.startsWith(PACKED) ? fromBase64url(id.slice(PACKED.length)) ?? id : id;
}
