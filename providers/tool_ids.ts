/** Tool-call ids for providers that refuse those of others, as when a conversation moves from one to the next. */
import { digest, shortId, unpackToolId } from "../wires/shared/tool_id.ts";

/** Writes any id as one that a provider takes: the same for the same, and one that it takes as it is. */
export type ToolId = (id: string) => string;

/**
 * Ids of a length: OpenAI refuses any of more than 40 characters.
 *
 * @see https://github.com/Portkey-AI/gateway/issues/1062
 */
export const shortToolId = (most: number): ToolId => (id) => shortId(id, most);

/**
 * Mistral's: nine letters and digits, and nothing else.
 *
 * @see https://github.com/mistralai/mistral-vibe/issues/1075
 */
export const mistralToolId: ToolId = (id) =>
  /^[a-zA-Z0-9]{9}$/.test(id) ? id : digest(unpackToolId(id).id).slice(-9);
