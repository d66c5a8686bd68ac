/** What can be set by the environment of the served form. */
import * as v from "npm:valibot@1.5.0";
import { nearestNames } from "../providers/nearest_names.ts";
import { findProvider, indexProviders, PROVIDERS } from "../providers/table.ts";
import { isObject } from "../wires/json.ts";
import { readOptions } from "./config.ts";
import type { StoredKeys } from "./credentials.ts";
import { baseUrl, type Options, type ProviderOptions } from "./options.ts";
import { readJsonText, readListText, readSwitchText } from "./texts.ts";

/** Reads environment variables by name. */
export type Env = (name: string) => string | undefined;

/** Where the served form listens, and the options that its environment sets. */
export interface Served {
  port: number;
  hostname: string;
  options: Options;
  /** What looks like a mistake and is none for sure, a sentence each. */
  warnings: string[];
}

/** The variables that are not a row's. */
const VARIABLES = ["SLUICE_ALLOW_HTTP", "SLUICE_KEYS", "SLUICE_PROVIDERS", "SLUICE_TOKENS", "SLUICE_URL"];

/**
 * Reads the environment of the served form:
 *
 * - `PORT` (0 to 65535, default 8787) and `HOST` (default 127.0.0.1);
 * - `SLUICE_<ROW>_BASE_URL`, e.g. `SLUICE_GOOGLE_AI_STUDIO_BASE_URL`; a row's alias works too;
 * - `SLUICE_PROVIDERS`: rows of one's own as JSON, `{"mycorp": {"baseUrl": "https://…", "wire": "anthropic"}}`;
 *   `SLUICE_ALLOW_HTTP=true` lets them be plain http;
 * - `SLUICE_TOKENS`: gateway tokens, parted by commas, or JSON as in the option `tokens`;
 * - `CLOUDFLARE_ACCOUNT_ID`: the account for Workers AI when a request's path names none; `SLUICE_URL`: where clients find the
 *   gateway, for the `getUrl()` of a Worker's binding;
 * - stored keys: each row's own variables (`OPENAI_API_KEY`, …; several keys parted by commas), and `SLUICE_KEYS`, JSON
 *   as in the option `keys`.
 *
 * @param names Of all variables that there are, as far as they are known: those of `SLUICE_` that nobody reads are warned of.
 * @throws TypeError that names the variable at fault.
 */
export function readEnv(env: Env, names: Iterable<string> = []): Served {
  const port = env("PORT") || "8787";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    throw new TypeError(`Cannot use PORT: ${JSON.stringify(port)} is no port number from 0 to 65535`);
  }
  const providers: Record<string, ProviderOptions> = readJson(env, "SLUICE_PROVIDERS") ?? {};
  const options: Options = { providers, allowHttp: readSwitch(env, "SLUICE_ALLOW_HTTP") };
  check("SLUICE_PROVIDERS", options);
  for (const [variable, row] of baseUrls()) {
    const value = env(variable);
    if (value) providers[row] = { ...providers[row], baseUrl: readUrl(variable, value) };
  }
  const account = env("CLOUDFLARE_ACCOUNT_ID");
  if (account) {
    options.account = account;
    check("CLOUDFLARE_ACCOUNT_ID", options);
  }
  const url = env("SLUICE_URL");
  if (url) options.url = readUrl("SLUICE_URL", url);
  const tokens = env("SLUICE_TOKENS");
  if (tokens) {
    options.tokens = readList("SLUICE_TOKENS", tokens) as Options["tokens"];
    // None at all would leave open what was meant to be shut.
    if (options.tokens?.length === 0) throw new TypeError("Cannot use SLUICE_TOKENS: it holds no token");
    check("SLUICE_TOKENS", options);
  }
  options.keys = envKeys(env);
  const more = readJson<Record<string, StoredKeys>>(env, "SLUICE_KEYS");
  if (more) {
    // First by itself, for two names of one provider would be merged below.
    check("SLUICE_KEYS", { ...options, keys: more });
    for (const [name, stored] of Object.entries(more)) {
      const row = findProvider(name)?.name ?? name;
      const own = options.keys[row];
      // Keys by alias are beside the one of the provider's own variable, unless they replace it.
      const beside = Array.isArray(own) && isObject(stored);
      options.keys[row] = beside ? { default: own as string[], ...stored } : stored;
    }
  }
  return { port: Number(port), hostname: env("HOST") || "127.0.0.1", options, warnings: strangers(names) };
}

/** The variable of each row's base URL, and of each alias's, with the row's name. */
function baseUrls(): Map<string, string> {
  const index = indexProviders(PROVIDERS.values());
  return new Map([...index].map(([name, { name: row }]) => [variableOf(name), row]));
}

const variableOf = (name: string) => `SLUICE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}_BASE_URL`;

/** Warns of each variable that is not read: a misspelt `SLUICE_TOKENS` leaves a gateway open. */
function strangers(names: Iterable<string>): string[] {
  const known = [...VARIABLES, ...baseUrls().keys()];
  return [...names].filter((name) => name.startsWith("SLUICE_") && !known.includes(name)).sort().map(
    (name) => {
      const row = /^SLUICE_(.+)_BASE_URL$/.exec(name)?.[1].toLowerCase().replaceAll("_", "-");
      const near = row === undefined
        ? nearestNames(name.slice(7), VARIABLES.map((one) => one.slice(7).toLowerCase()), 1).map((one) =>
          `SLUICE_${one.toUpperCase()}`
        )
        : nearestNames(row, indexProviders(PROVIDERS.values()).keys(), 1).map(variableOf);
      return `${name} is not read` + (near.length > 0 ? `; did you mean ${near[0]}?` : "");
    },
  );
}

function readSwitch(env: Env, variable: string): boolean {
  const value = readSwitchText(env(variable) || "false");
  if (value === undefined) throw new TypeError(`Cannot use ${variable}: it must be "true" or "false"`);
  return value;
}

function readUrl(variable: string, value: string): string {
  const url = v.safeParse(baseUrl, value);
  if (!url.success) throw new TypeError(`Cannot use ${variable}: it ${url.issues[0].message}`);
  return url.output;
}

/** @throws TypeError that names the variable which the options are from. */
function check(variable: string, options: Options): void {
  try {
    readOptions(options);
  } catch (error) {
    throw new TypeError(
      `Cannot use ${variable}: ${(error as Error).message.replace(/^Cannot use option /, "")}`,
    );
  }
}

function envKeys(env: Env): Record<string, StoredKeys> {
  const keys: Record<string, StoredKeys> = {};
  for (const { name, keyEnv = [] } of PROVIDERS.values()) {
    const variable = keyEnv.find((name) => env(name));
    if (variable === undefined) continue;
    const read = readList(variable, env(variable)!);
    if (!read.every((key) => typeof key === "string" && !/["{}[\]]/.test(key))) {
      throw new TypeError(
        `Cannot use ${variable}: it must be a key, or keys parted by commas; keys by alias go into SLUICE_KEYS`,
      );
    }
    keys[name] = read as string[];
    check(variable, { keys: { [name]: keys[name] } });
  }
  return keys;
}

/** @throws TypeError that names the variable. */
function readList(variable: string, text: string): unknown[] {
  return naming(variable, () => readListText(text));
}

function readJson<T extends object>(env: Env, variable: string): T | undefined {
  const text = env(variable);
  if (!text) return undefined;
  const value = naming(variable, () => readJsonText(text));
  if (isObject(value)) return value as T;
  throw new TypeError(`Cannot use ${variable}: it must be a JSON object`);
}

/** @throws TypeError that names the variable. */
function naming<T>(variable: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new TypeError(`Cannot use ${variable}: ${(error as Error).message}`);
  }
}
