/** Ids of tool calls that Anthropic accepts, whatever characters the maker's ids have. */
import { base64url, fromBase64url } from "../shared/base64.ts";

/** Marks an id that is written in other characters than the original one. */
const PACKED = "toolu_slc_";

/**
 * Writes an id with only letters, digits, `_` and `-`. Anthropic refuses any other id (Kimi writes `functions.read:0`),
 * and a conversation may move to Anthropic at any turn. `ownId` restores the original id.
 */
export const packedId = (id: string): string =>
  /^[\w-]+$/.test(id) && !id.startsWith(PACKED) ? id : PACKED + base64url(id);

/** The id that the maker of the tool call wrote. */
export function ownId(id: string): string {
  return id.startsWith(PACKED) ? fromBase64url(id.slice(PACKED.length)) ?? id : id;
}
