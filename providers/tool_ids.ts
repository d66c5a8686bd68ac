/** Rewrites ids of tool calls for providers that refuse other providers' ids, when a conversation moves between providers. */
import { digest, shortId, unpackToolId } from "../wires/shared/tool_id.ts";

/** Writes an id in a form that a provider takes. The same id always gives the same result; an accepted id stays unchanged. */
export type ToolId = (id: string) => string;

/**
 * Ids of at most `most` characters. OpenAI refuses ids of more than 40.
 *
 * @see https://github.com/Portkey-AI/gateway/issues/1062
 */
export const shortToolId = (most: number): ToolId => (id) => shortId(id, most);

/**
 * Mistral's ids: exactly nine letters and digits.
 *
 * @see https://github.com/mistralai/mistral-vibe/issues/1075
 */
export const mistralToolId: ToolId = (id) =>
  /^[a-zA-Z0-9]{9}$/.test(id) ? id : digest(unpackToolId(id).id).slice(-9);
