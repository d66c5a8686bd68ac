/** Reads the gateway tokens, and checks the tokens that open the gateway's own paths. */
import type { Provider } from "../../providers/types.ts";
import type { GatewayToken } from "../access/credentials.ts";
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
  providers: ReadonlyMap<string, Provider>,
): GatewayToken[] {
  const texts = tokens.map((token) => typeof token === "string" ? token : token.token);
  return tokens.map((token, at) => {
    const first = texts.indexOf(texts[at]);
    // The two may have different limits, and it would not be clear which limits hold.
    if (first < at) throw new TypeError(`Cannot use option tokens.${at}: it is the same as tokens.${first}`);
    if (typeof token === "string") return { token };
    if (token.name !== undefined) checkTokenName(token.name, at, texts, tokens);
    const option = `tokens.${at}`;
    const models = token.models && readModelPatterns(token.models, providers, `${option}.models`);
    const budgets = token.budgets?.map((budget, of) => {
      const within = `${option}.budgets.${of}`;
      const models = budget.models && readModelPatterns(budget.models, providers, `${within}.models`).sort();
      return { ...budget, models, providers: providerNames(budget.providers, providers, within)?.sort() };
    });
    return { ...token, providers: providerNames(token.providers, providers, option), models, budgets };
  });
}

/** The names of providers' rows. @throws TypeError for a provider that is not known. */
function providerNames(
  names: readonly string[] | undefined,
  providers: ReadonlyMap<string, Provider>,
  option: string,
): string[] | undefined {
  return names?.map((name) => {
    const provider = providers.get(name);
    if (provider) return provider.name;
    throw new TypeError(
      `Cannot use option ${option}.providers: there is no provider ${JSON.stringify(name)}`,
    );
  });
}

/** Checks the name of a token. Names are written into rows of requests, which must not hold a token. */
function checkTokenName(
  name: string,
  at: number,
  texts: string[],
  tokens: NonNullable<Options["tokens"]>,
): void {
  const first = tokens.findIndex((token) => typeof token !== "string" && token.name === name);
  if (first < at) {
    throw new TypeError(`Cannot use option tokens.${at}.name: tokens.${first} has the same name`);
  }
  if (texts.some((text) => name.includes(text))) {
    throw new TypeError(`Cannot use option tokens.${at}.name: it holds a token`);
  }
}
