/** Reads whether a request takes part in caching, from its headers and the gateway's options. */
import { GatewayError } from "../../wires/errors.ts";

/** The bounds of the time for which an answer is kept, in seconds, as at Cloudflare: a minute, and a month (here of 31 days). */
export const TTL = { least: 60, most: 2_678_400 };

/** The time for which the answer to a request with a key of its own is kept, if nobody sets a time: five minutes. */
const KEY_SECONDS = 300;

/** Whether some seconds are a time for which an answer may be kept. */
export const isTtl = (seconds: number): boolean =>
  Number.isInteger(seconds) && seconds >= TTL.least && seconds <= TTL.most;

/** Cloudflare's headers, each with its older name. The newer name wins. */
const HEADERS = {
  ttl: ["cf-aig-cache-ttl", "cf-cache-ttl"],
  skip: ["cf-aig-skip-cache", "cf-skip-cache"],
} as const;

/** How a request takes part in caching. */
export interface CacheSettings {
  ttlMs: number;
  /** The client's own key, in place of the body. */
  key?: string;
}

/**
 * The settings of a request; `undefined` if it takes no part in caching. It takes part if the gateway has a time, or if the
 * request has a key. The header of the time alone does not suffice.
 *
 * @param seconds The time of the option `cache.ttl`; 0 for none.
 * @param readSwitch Reads a header that is `true` or `false`.
 * @throws GatewayError `invalid_request` for a value that means nothing. The headers of a request that takes no part are not
 * read.
 */
export function readCaching(
  headers: Headers,
  seconds: number,
  readSwitch: (headers: Headers, name: string) => boolean,
): CacheSettings | undefined {
  const key = headers.get("cf-aig-cache-key") || undefined;
  if (seconds === 0 && key === undefined) return undefined;
  const skip = HEADERS.skip.find((name) => headers.get(name));
  if (skip !== undefined && readSwitch(headers, skip)) return undefined;
  const name = HEADERS.ttl.find((name) => headers.get(name));
  const ttl = name === undefined ? seconds || KEY_SECONDS : readTtl(headers.get(name)!, name);
  return ttl === 0 ? undefined : { ttlMs: 1000 * ttl, key };
}

function readTtl(text: string, param: string): number {
  const seconds = /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : NaN;
  if (seconds === 0 || isTtl(seconds)) return seconds;
  const due = `0, or a whole number of seconds from ${TTL.least} to ${TTL.most}`;
  throw new GatewayError("invalid_request", `Cannot read the request: ${param} must be ${due}`, { param });
}
