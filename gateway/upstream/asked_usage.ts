/**
 * Asks a provider for the usage of a stream whose client did not ask for it. Without it the tokens of an answer, and what a gateway
 * token has used or spent with them, or a route has, would be an estimate.
 */
import { isChatPath } from "../../providers/formats.ts";
import type { Provider, Spoken } from "../../providers/types.ts";
import { isObject, parse } from "../../wires/shared/json.ts";
import { editMembers, findMembers } from "../../wires/shared/json_text.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { countsTokens } from "../policies/limit_rules.ts";
import type { Target } from "../targets/find_target.ts";
import { isPriced } from "../targets/routes/legs.ts";
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
  { leg }: Pick<Target, "leg">,
  { caller: { metered } }: Exchange,
): JsonObject | undefined {
  const isCounted = metered !== undefined && countsTokens(metered) || leg !== undefined && isPriced(leg);
  if (!isCounted || !spoken || !isRuled(spoken)) return undefined;
  if (spoken.drop?.includes("stream_options") || get("stream") !== true) return undefined;
  const options = get("stream_options") ?? {};
  // The provider tells the client what is wrong with another value.
  if (!isObject(options) || (options.include_usage ?? false) !== false) return undefined;
  return { ...options, include_usage: true };
}

/** A body with this value of `stream_options`. The rest stays byte for byte. */
export function withUsageAsked(body: BodyInit, stream_options: JsonObject): BodyInit {
  const bytes = bytesOf(body)!.slice();
  const members = findMembers(bytes);
  // A member is written twice or with escapes.
  if (!members) return JSON.stringify({ ...JSON.parse(new TextDecoder().decode(bytes)), stream_options });
  if (!members.has("stream_options")) return withMembers(body, { stream_options });
  const value = JSON.stringify(stream_options);
  return editMembers(bytes, members, new Map([["stream_options", { value }]]));
}

const bytesOf = (body: BodyInit | null): Uint8Array<ArrayBuffer> | undefined =>
  typeof body === "string"
    ? new TextEncoder().encode(body)
    : body instanceof Uint8Array
    ? body as Uint8Array<ArrayBuffer>
    : undefined;

/** Whether a request to a provider's own path may have to be asked for its usage, so that its body must be read. */
export const isAskedForUsage = (method: string, url: string, { metered }: Exchange["caller"]): boolean =>
  metered !== undefined && countsTokens(metered) && method === "POST" && isChatPath(url);

/** The body of a native request for chat completions that asks for its usage; `undefined` to send the client's. */
export function askNativeUsage(
  body: BodyInit | null,
  { wires, chat }: Provider,
  exchange: Exchange,
): BodyInit | undefined {
  const bytes = bytesOf(body);
  // A client's own signature may cover the body.
  const isSigned = exchange.headers.get("authorization")?.startsWith("AWS4-") === true;
  if (!bytes || chat === false || isSigned) return undefined;
  const members = membersOf(bytes);
  const get = (field: string) => {
    const member = members?.get(field);
    return member && parse(new TextDecoder().decode(bytes.subarray(member.valueStart, member.valueEnd)));
  };
  const usage = usageToAsk(get, wires.find(isRuled), {}, exchange);
  return usage && withUsageAsked(bytes, usage);
}

/** The members of a body; `undefined` for one that only its provider can judge. */
function membersOf(bytes: Uint8Array): ReturnType<typeof findMembers> {
  try {
    return findMembers(bytes);
  } catch {
    return undefined; // It has too many levels or members.
  }
}
