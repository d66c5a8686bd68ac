/** Tool-call ids for providers that refuse those of others, as when a conversation moves from one to the next. */
import { unpackToolId } from "../wires/shared/tool_id.ts";

/** Writes any id as one that a provider takes: the same for the same, and one that it takes as it is. */
export type ToolId = (id: string) => string;

/**
 * Ids of a length: OpenAI refuses any of more than 40 characters.
 *
 * @see https://github.com/Portkey-AI/gateway/issues/1062
 */
export function shortToolId(most: number): ToolId {
  return (id) => {
    if (id.length <= most) return id;
    // What is too long is mostly a signature that rides along.
    const bare = unpackToolId(id).id;
    return bare.length <= most ? bare : `call_${digest(bare)}`;
  };
}

/**
 * Mistral's: nine letters and digits, and nothing else.
 *
 * @see https://github.com/mistralai/mistral-vibe/issues/1075
 */
export const mistralToolId: ToolId = (id) =>
  /^[a-zA-Z0-9]{9}$/.test(id) ? id : digest(unpackToolId(id).id).slice(-9);

/**
 * Thirteen letters and digits that stand for a text: its FNV-1a hash of 64 bits.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9923
 */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(36).padStart(13, "0");
}
