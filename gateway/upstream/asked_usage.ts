/**
 * Asks a provider for the usage of a stream whose client did not ask for it. Without it the tokens of an answer, and what a gateway
 * token has used or spent with them, would be an estimate.
 */
import type { Spoken } from "../../providers/types.ts";
import { isObject } from "../../wires/shared/json.ts";
import { editMembers, findMembers } from "../../wires/shared/json_text.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { countsTokens } from "../policies/token_limits.ts";
import { withMembers } from "./body_form.ts";
import { isRuled } from "./spoken.ts";

/**
 * The value of `stream_options` to send in place of the client's; `undefined` to send the client's.
 *
 * @param get Reads a member of the client's body, which is handed through.
 * @param spoken The wire of the request. A row that drops `stream_options` is not asked.
 */
export function usageToAsk(
  get: (field: string) => unknown,
  spoken: Spoken | undefined,
  { caller: { metered } }: Exchange,
): JsonObject | undefined {
  if (!metered || !countsTokens(metered) || !spoken || !isRuled(spoken)) return undefined;
  if (spoken.drop?.includes("stream_options") || get("stream") !== true) return undefined;
  const options = get("stream_options") ?? {};
  // The provider tells the client what is wrong with another value.
  if (!isObject(options) || (options.include_usage ?? false) !== false) return undefined;
  return { ...options, include_usage: true };
}

/** A body with this value of `stream_options`. The rest stays byte for byte. */
export function withUsageAsked(body: BodyInit, stream_options: JsonObject): BodyInit {
  const bytes = typeof body === "string"
    ? new TextEncoder().encode(body)
    : (body as Uint8Array<ArrayBuffer>).slice();
  const members = findMembers(bytes);
  // A member is written twice or with escapes.
  if (!members) return JSON.stringify({ ...JSON.parse(new TextDecoder().decode(bytes)), stream_options });
  if (!members.has("stream_options")) return withMembers(body, { stream_options });
  const value = JSON.stringify(stream_options);
  return editMembers(bytes, members, new Map([["stream_options", { value }]]));
}
