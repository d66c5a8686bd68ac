/**
 * Marks in a prompt up to which it is worth keeping: Anthropic's `cache_control` and OpenAI's `prompt_cache_breakpoint`.
 *
 * Anthropic keeps for five minutes or an hour, OpenAI for half an hour at least. A mark without a lifetime asks for the
 * shorter one on both sides.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 * @see https://developers.openai.com/api/docs/guides/prompt-caching (`openai` 7.59)
 */
import { isObject } from "./json.ts";
import type { JsonObject } from "../types.ts";

/** A mark in Anthropic's form, and its path in the client's body if that is not `cache_control`. */
export interface Mark {
  cache?: unknown;
  cachePath?: string;
}

/**
 * The mark of a part, a message or a tool.
 *
 * @param path Of what is marked.
 */
export function readMark(
  { cache_control: own, prompt_cache_breakpoint: breakpoint }: JsonObject,
  path: string,
): Mark {
  if (own != null) return { cache: own };
  if (!isObject(breakpoint)) return {};
  const cache = breakpoint.ttl === "12h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" };
  return { cache, cachePath: `${path}.prompt_cache_breakpoint` };
}

/** The client's path of a mark, to name it where it is dropped. */
export const markPath = ({ path, cachePath }: { path: string; cachePath?: string }): string =>
  cachePath ?? `${path}.cache_control`;

/**
 * Writes a mark in OpenAI's form, without a lifetime: the longer one is only in OpenAI's types, and no model is known
 * to accept it.
 *
 * @param marked The object with the mark.
 * @param dropped Takes the client's path of a lifetime that OpenAI does not promise.
 */
export function writeBreakpoint(
  marked: { cache?: unknown; path: string; cachePath?: string },
  dropped: string[],
): JsonObject {
  if (isObject(marked.cache) && marked.cache.ttl === "1h") dropped.push(`${markPath(marked)}.ttl`);
  return { mode: "explicit" };
}
