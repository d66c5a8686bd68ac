/** Reads what a short-lived credential tells of itself, so that one of no use is refused here and nothing is sent. */
import { GatewayError } from "../../wires/errors.ts";
import { fromBase64url } from "../../wires/shared/base64.ts";
import { parseObject } from "../../wires/shared/json.ts";

/** Milliseconds by which a clock may be wrong: the clouds allow as much. */
const SKEW_MS = 300_000;

/** Matches a JWT, and takes its claims. */
const JWT = /^eyJ[\w-]+\.([\w-]+)\.[\w-]*$/;

/** When a token that is a JWT ends, in milliseconds since 1970; `undefined` if it does not tell. */
export function jwtEnd(token: string): number | undefined {
  const claims = JWT.exec(token)?.[1];
  const exp = claims === undefined ? undefined : parseObject(fromBase64url(claims) ?? "")?.exp;
  return typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 : undefined;
}

/**
 * @param endsAt In milliseconds since 1970; `undefined` if it is not known.
 * @param cure Where a new one comes from.
 * @throws GatewayError `unauthorized` for a credential that has ended.
 */
export function refuseEnded(
  endsAt: number | undefined,
  now: number,
  provider: string,
  cure: string,
): void {
  if (endsAt === undefined || now < endsAt + SKEW_MS) return;
  throw new GatewayError(
    "unauthorized",
    `Cannot sign in to ${provider}: the token expired at ${isoTime(endsAt)}; ${cure}`,
    { metadata: { provider } },
  );
}

/** A time as text. A token may name one that no date has. */
const isoTime = (ms: number) => new Date(Math.max(0, Math.min(ms, 8e15))).toISOString();

/** What a short-lived key of Bedrock tells: the region in which alone it works, and when it ends. */
export interface BedrockKey {
  region?: string;
  endsAt?: number;
}

/** Matches a short-lived key: the signed request that made it, in base64. */
const SHORT_KEY = /^bedrock-api-key-([\w+/-]+={0,2})$/;

/**
 * Reads a key of Bedrock that lasts for some hours; `undefined` for any other key.
 *
 * Read in `@aws/bedrock-token-generator` 1.1.0 (2026-11).
 */
export function readBedrockKey(key: string): BedrockKey | undefined {
  const packed = SHORT_KEY.exec(key)?.[1];
  const text = packed === undefined ? undefined : fromBase64url(packed);
  if (text === undefined) return undefined;
  const query = new URLSearchParams(text.slice(text.indexOf("?") + 1));
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get("X-Amz-Date") ?? "");
  const seconds = Number(query.get("X-Amz-Expires") ?? NaN);
  const [, year, month, day, hour, minute, second] = (date ?? []).map(Number);
  const endsAt = Date.UTC(year, month - 1, day, hour, minute, second) + seconds * 1000;
  return {
    region: query.get("X-Amz-Credential")?.split("/")[2],
    endsAt: Number.isNaN(endsAt) ? undefined : endsAt,
  };
}
