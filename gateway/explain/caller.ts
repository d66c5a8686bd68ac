/** Tells what a request's token opens, and the policies that the request asks for. */
import type { Exchange } from "../exchange.ts";
import { isOff } from "../log/entry.ts";
import { readMetadata } from "../log/metadata.ts";
import { patience } from "../policies/attempt.ts";
import { readSwitch } from "../upstream/headers.ts";

/** What the caller's token opens. `null` in a list's place means all. */
export function callerOf({ caller, account, gateway }: Exchange): object {
  const { token = null, trusted, gateways = null, providers = null, models = null, metered } = caller;
  return {
    token,
    account: account ?? null,
    gateway: gateway ?? null,
    storedKeys: trusted,
    gateways,
    providers,
    models,
    limits: metered?.limits ?? null,
    budgets: metered?.budgets ?? null,
  };
}

/** Hints for a cache. The gateway has none yet. */
const CACHE_HINTS = [
  "cf-aig-cache-key",
  "cf-aig-cache-ttl",
  "cf-aig-skip-cache",
  "cf-cache-ttl",
  "cf-skip-cache",
];

/** The policies that hold for the whole request. Those of one target are told with it. */
export function policiesOf({ headers, config }: Exchange): object {
  const hints = CACHE_HINTS.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const left: string[] = [];
  const written = headers.get("cf-aig-metadata");
  const metadata = written === null ? undefined : readMetadata(written, left);
  const leaves = patience(headers);
  return {
    strict: readSwitch(headers, "sluice-strict") || config.strict,
    fallback: headers.get("sluice-fallback"),
    streamIdleTimeoutMs: config.streamIdleTimeoutMs,
    clientTimeoutMs: Number.isFinite(leaves) ? leaves : null,
    cache: { hints: Object.fromEntries(hints), note: "The gateway has no cache: hints have no effect." },
    metadata: { kept: metadata ?? {}, dropped: left },
    row: config.journal?.logs !== undefined && !isOff(headers, "cf-aig-collect-log"),
  };
}
