/** Reads the gateway tokens, and checks the tokens that open the gateway's own paths. */
import type { Provider } from "../../providers/types.ts";
import type { GatewayAllowance } from "../access/gateway_allowance.ts";
import type { GatewayToken } from "../access/gateway_token.ts";
import type { Allowance, Teams } from "../access/metered.ts";
import { isList } from "../policies/limit_rules.ts";
import type { TokenBudget } from "../policies/token_limits.ts";
import { readModelPatterns } from "../targets/model_patterns.ts";
import type { checkOptions, Options } from "./options.ts";

/**
 * Checks that these tokens are apart from the gateway tokens. They are looked for inside of credentials: a gateway token that holds
 * one would open nothing.
 *
 * @throws TypeError
 */
export function checkOwnTokens(
  { adminToken, metrics }: ReturnType<typeof checkOptions>,
  tokens: readonly GatewayToken[],
): void {
  for (const [option, own] of [["adminToken", adminToken], ["metrics.token", metrics?.token]] as const) {
    if (own === undefined || !tokens.some(({ token }) => token.includes(own))) continue;
    throw new TypeError(
      `Cannot use option ${option}: it is one of the tokens, or a part of one; choose another text`,
    );
  }
  if (adminToken === undefined || adminToken !== metrics?.token) return;
  throw new TypeError(
    "Cannot use option metrics.token: it is the operator's token, which opens /metrics too; choose another text",
  );
}

/** Reads the tokens. @throws TypeError that names the faulty option. */
export function readTokens(
  tokens: Options["tokens"] = [],
  known: Known,
): GatewayToken[] {
  const texts = tokens.map((token) => typeof token === "string" ? token : token.token);
  const placeOf = firstPlaces(texts);
  const namedAt = firstPlaces(tokens.map((token) => typeof token === "string" ? undefined : token.name));
  const holdsToken = finder(texts);
  return tokens.map((token, at) => {
    const first = placeOf.get(texts[at])!;
    // The two may have different limits, and it would not be clear which limits hold.
    if (first < at) throw new TypeError(`Cannot use option tokens.${at}: it is the same as tokens.${first}`);
    if (typeof token === "string") return { token };
    if (token.name !== undefined) checkTokenName(token.name, at, namedAt.get(token.name)!, holdsToken);
    return { ...token, ...readOpening(token, known, `tokens.${at}.`) };
  });
}

/** What a token opens and may spend, as it is written. */
type Opening = Pick<GatewayToken, "providers" | "models" | "limits" | "budgets" | "team" | "each">;

/**
 * Reads the names of providers, models and the team.
 *
 * @param place The beginning of the paths in errors.
 * @throws TypeError for a provider that is not known.
 */
export function readOpening(
  { providers: names, models: patterns, team, each, ...metering }: Opening,
  { providers, teams }: Known,
  place: string,
): Opening {
  if (team !== undefined && teams.size > 0 && !teams.has(team)) {
    throw new TypeError(`Cannot use option ${place}team: the option teams has no ${JSON.stringify(team)}`);
  }
  const models = patterns && readModelPatterns(patterns, providers, `${place}models`);
  const ofEach = each && { ...each, ...readMetering(each, providers, `${place}each.`) };
  return {
    providers: providerNames(names, providers, place),
    models,
    team,
    each: ofEach,
    ...readMetering(metering, providers, place),
  };
}

/** The names that the facts of a token may use. */
export interface Known {
  providers: ReadonlyMap<string, Provider>;
  teams: Teams;
}

/** Reads the option `teams`. @throws TypeError for a provider that is not known. */
export const readTeams = (teams: Options["teams"] = {}, providers: Known["providers"]): Teams =>
  new Map(
    Object.entries(teams).map(([name, team]) => [name, readMetering(team, providers, `teams.${name}.`)]),
  );

/** Reads the option `gateways`. @throws TypeError for a provider that is not known. */
export const readGateways = (
  gateways: Options["gateways"] = {},
  providers: Known["providers"],
): ReadonlyMap<string, GatewayAllowance> =>
  new Map(
    Object.entries(gateways).map(([id, allowance]) => [
      id,
      { ...allowance, ...readMetering(allowance, providers, `gateways.${id}.`) },
    ]),
  );

/** Reads the names of models and providers in limits and budgets. @throws TypeError for a provider that is not known. */
function readMetering(
  { limits, budgets }: Allowance,
  providers: Known["providers"],
  place: string,
): Allowance {
  const scoped = <T extends Pick<TokenBudget, "models" | "providers">>(one: T, within: string): T => ({
    ...one,
    models: one.models && readModelPatterns(one.models, providers, `${within}.models`).sort(),
    providers: providerNames(one.providers, providers, `${within}.`)?.sort(),
  });
  return {
    limits: limits && isList(limits)
      ? limits.map((rule, of) => scoped(rule, `${place}limits.${of}`))
      : limits,
    budgets: budgets?.map((budget, of) => scoped(budget, `${place}budgets.${of}`)),
  };
}

/** The names of providers' rows. @throws TypeError for a provider that is not known. */
function providerNames(
  names: readonly string[] | undefined,
  providers: ReadonlyMap<string, Provider>,
  place: string,
): string[] | undefined {
  return names?.map((name) => {
    const provider = providers.get(name);
    if (provider) return provider.name;
    throw new TypeError(
      `Cannot use option ${place}providers: there is no provider ${JSON.stringify(name)}`,
    );
  });
}

/** Checks the name of a token. Names are written into rows of requests, which must not hold a token. */
function checkTokenName(
  name: string,
  at: number,
  first: number,
  holdsToken: (text: string) => boolean,
): void {
  if (first < at) {
    throw new TypeError(`Cannot use option tokens.${at}.name: tokens.${first} has the same name`);
  }
  if (holdsToken(name)) throw new TypeError(`Cannot use option tokens.${at}.name: it holds a token`);
}

/** Where each value stands first. */
function firstPlaces<T>(values: readonly T[]): Map<T, number> {
  const places = new Map<T, number>();
  for (const [at, value] of values.entries()) if (!places.has(value)) places.set(value, at);
  return places;
}

/** Makes a function that tells whether a text holds one of these. It looks once for each length, not for each of them. */
function finder(texts: readonly string[]): (text: string) => boolean {
  const known = new Set(texts), lengths = [...new Set(texts.map(({ length }) => length))];
  return (text) =>
    lengths.some((length) => {
      for (let at = 0; at + length <= text.length; at++) {
        if (known.has(text.slice(at, at + length))) return true;
      }
      return false;
    });
}
