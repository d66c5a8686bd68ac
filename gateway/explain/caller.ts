/** Tells what a request's token opens, and the policies that the request asks for. */
import type { Exchange } from "../exchange.ts";
import { isOff } from "../log/entry.ts";
import { readMetadata } from "../log/metadata.ts";
import { patience } from "../policies/attempt.ts";
import { readCaching } from "../policies/cache_settings.ts";
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
    ...(metered?.also && {
      also: metered.also.map(({ whose, limits = null, budgets = null }) => ({ of: whose, limits, budgets })),
    }),
  };
}

/** The policies that hold for the whole request. Those of one target are told with it. */
export function policiesOf({ headers, config }: Exchange): object {
  const left: string[] = [];
  const written = headers.get("cf-aig-metadata");
  const metadata = written === null ? undefined : readMetadata(written, left);
  const leaves = patience(headers);
  return {
    strict: readSwitch(headers, "sluice-strict") || config.strict,
    fallback: headers.get("sluice-fallback"),
    streamIdleTimeoutMs: config.streamIdleTimeoutMs,
    clientTimeoutMs: Number.isFinite(leaves) ? leaves : null,
    cache: cachingOf(headers, config.cache?.ttl),
    metadata: { kept: metadata ?? {}, dropped: left },
    row: config.journal?.logs !== undefined && !isOff(headers, "cf-aig-collect-log"),
  };
}

/** How the request would take part in caching, whether an answer is kept or not; `null` if it would not. */
function cachingOf(headers: Headers, ttl: number | undefined): object | null {
  const settings = ttl === undefined ? undefined : readCaching(headers, ttl, readSwitch);
  return settings ? { ttlSeconds: settings.ttlMs / 1000, key: settings.key ?? null } : null;
}
