/** Tells whose limits and budgets hold for the requests of a token. */
import { GatewayError } from "../../wires/errors.ts";
import type { Metered, RateLimits, TokenBudget } from "../policies/token_limits.ts";
import type { Metadata } from "../stores/log_row.ts";
import type { Holder } from "./find_token.ts";

/** What a team, or each value of an entry of metadata, may ask for and spend. */
export interface Allowance {
  limits?: RateLimits;
  budgets?: readonly TokenBudget[];
}

/** Allowances by the names of teams. */
export type Teams = ReadonlyMap<string, Allowance>;

/** The most values for which a token may be used in a day: each has counters of its own. */
const MOST_VALUES = 10_000;

const DAY_MS = 86_400_000;

/** The name of a token's counters. That of a key stays when the key gets another name. */
export const counterName = ({ id, name }: { id?: string; name: string }): string => id ? `key/${id}` : name;

/** The facts of a token that are read here. */
type Metering = Omit<Holder, "tenant">;

/** Finds whose limits hold. */
export type Meter = (holder: Metering, headers?: Headers) => Metered | undefined;

/**
 * Makes the function.
 *
 * @param read Reads the header `cf-aig-metadata`.
 * @returns A function of the token and of the headers of its request. Without headers no value of metadata is known, and none
 * is missed.
 */
export function meter(
  teams: Teams,
  now: () => number,
  read: (written: string, left: string[]) => Metadata | undefined,
): Meter {
  const values = new Map<string, Set<string>>();
  let day = 0;

  /** Whether a token may be used for a value. */
  function hasRoom(token: string, value: string): boolean {
    const today = Math.floor(now() / DAY_MS);
    if (today !== day) values.clear();
    day = today;
    let known = values.get(token);
    if (!known) values.set(token, known = new Set());
    if (known.size < MOST_VALUES) known.add(value);
    return known.has(value);
  }

  /** Those of the value that a request names, or the reason why it is refused. */
  function ofValue(holder: Metering, name: string, headers: Headers): Metered | GatewayError {
    const { metadata: entry, ...allowance } = holder.each!;
    const written = headers.get("cf-aig-metadata");
    const told = { ...written === null ? {} : read(written, []), ...holder.metadata };
    if (!Object.hasOwn(told, entry)) return noValue(entry);
    const value = JSON.stringify(told[entry]);
    if (!hasRoom(name, value)) return tooMany(entry);
    return { name: `each/${name}/${entry}/${value}`, whose: `each ${entry}`, prefix: "each-", ...allowance };
  }

  return (holder, headers) => {
    const { limits, budgets, unknownPrice, team, each } = holder;
    const allowance = team === undefined ? undefined : teams.get(team);
    // The common token.
    if (!limits && !budgets && !allowance && !each) return undefined;
    const name = counterName(holder);
    const also: Metered[] = [];
    if (allowance) {
      also.push({ name: `team/${team}`, whose: `its team ${team}`, prefix: "team-", ...allowance });
    }
    const value = each && headers && ofValue(holder, name, headers);
    const fault = value instanceof GatewayError ? value : undefined;
    if (value && !(value instanceof GatewayError)) also.push(value);
    return { name, limits, budgets, unknownPrice, fault, also: also.length > 0 ? also : undefined };
  };
}

const noValue = (entry: string) =>
  new GatewayError(
    "invalid_request",
    `Cannot serve the request: its gateway token has limits for each ${entry}; name it in the header cf-aig-metadata, ` +
      `as {"${entry}": "…"}`,
    { param: "cf-aig-metadata" },
  );

const tooMany = (entry: string) =>
  new GatewayError(
    "rate_limited",
    `Cannot serve the request: its gateway token was used for ${MOST_VALUES} values of ${entry} today`,
    { headers: { "x-should-retry": "false" } },
  );
