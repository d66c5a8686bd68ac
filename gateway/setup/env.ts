/** Reads the options of the served form from environment variables. */
import { nearestNames } from "../../providers/nearest_names.ts";
import { findProvider, indexProviders, PROVIDERS } from "../../providers/table.ts";
import type { KeySet } from "../../providers/types.ts";
import { isObject, object } from "../../wires/shared/json.ts";
import { check } from "./check.ts";
import { readOptions } from "./config.ts";
import { byAlias, type StoredKeys } from "../access/stored_keys.ts";
import { optionVariables, readObject } from "./env_options.ts";
import { cannotUse, readAs, readConfig, Settings } from "./env_settings.ts";
import type { Options } from "./options.ts";
import { CONFIG, type Listening } from "./served_options.ts";
import { readOtel } from "./otel_option.ts";
import { readListText } from "./texts.ts";

/** Reads environment variables by name. */
export type Env = (name: string) => string | undefined;

/** Reads a Worker's variables. One that is not a text (a Worker's may be JSON) is read as JSON text. */
export const textsOf = (variables: Readonly<Record<string, unknown>>): Env => (name) => {
  const value = variables[name];
  return typeof value === "string" || value === undefined ? value : JSON.stringify(value);
};

/** The settings of the served form: how it listens, and the gateway's options. */
export interface Served extends Listening {
  options: Options;
  /** Settings that are probably mistakes, one sentence each. */
  warnings: string[];
}

/**
 * Variables without the prefix. `SLUICE_PORT` and `SLUICE_HOST` are not read, because Kubernetes sets variables of these
 * names to an address where a service is called `sluice`.
 */
const PLATFORM: ReadonlyMap<string, string> = new Map([["SLUICE_PORT", "PORT"], ["SLUICE_HOST", "HOST"]]);

/** Variables that `readEnv` reads by itself, because their values have forms of their own. */
const OWN_FORM = ["SLUICE_KEYS", "SLUICE_TOKENS"];

/** The variables of options. If two set the same option, the later one in the list wins. */
const VARIABLES = optionVariables(CONFIG).flatMap((variable) => {
  if (OWN_FORM.includes(variable.name)) return [];
  if (variable.name === "SLUICE_ACCOUNT") return [{ ...variable, name: "CLOUDFLARE_ACCOUNT_ID" }, variable];
  return [{ ...variable, name: PLATFORM.get(variable.name) ?? variable.name }];
});

/** The names of all variables but those of rows. */
const NAMES = [...VARIABLES.map(({ name }) => name), ...OWN_FORM, "SLUICE_CONFIG"];

/**
 * Reads the environment of the served form. Later entries of this list win over earlier ones:
 *
 * - `SLUICE_CONFIG`: the JSON of all options that are not functions, with `port`, `host` (see `served_options.ts`);
 * - one variable for each option, by its path: `SLUICE_STRICT`, `SLUICE_LIMITS_MAX_BODY_BYTES`. Lists are values separated
 *   by commas, or JSON; objects are JSON. `PORT` and `HOST` have no prefix; `CLOUDFLARE_ACCOUNT_ID` sets `account` too;
 * - OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_ENDPOINT` …), which set `otel`; those of the option win over them;
 * - `SLUICE_<ROW>_BASE_URL`, e.g. `SLUICE_GOOGLE_AI_STUDIO_BASE_URL`; a row's alias works too;
 * - `SLUICE_PRICES`: JSON as in the option `prices`, or the URL or the path of a table as in `priceTable`;
 * - `SLUICE_TOKENS`: gateway tokens separated by commas, or JSON as in the option `tokens`;
 * - stored keys: each row's own variables (`OPENAI_API_KEY`, …; several keys separated by commas), and `SLUICE_KEYS`,
 *   JSON as in the option `keys`.
 *
 * @param names The names of all variables, if the runtime tells them. A `SLUICE_` variable that is not read is warned of.
 * @param file The text of the file that `SLUICE_CONFIG` names, if it names one.
 * @throws TypeError that names the faulty variable.
 */
export function readEnv(env: Env, names: Iterable<string> = [], file?: string): Served {
  const settings = new Settings(readConfig(env("SLUICE_CONFIG"), file));
  const { values } = settings;
  const told: string[] = [];
  for (const { variable, path, value } of readOtel(env, told)) settings.set(variable, path, value);
  for (const { name, path, read, adds } of VARIABLES) {
    const text = env(name);
    // A variable of blanks only is a mistake: it is read, and refused where blanks mean nothing.
    if (text && (name !== "SLUICE_PRICES" || isJson(text))) {
      settings.set(name, path, readAs(name, text, read), adds);
    }
  }
  settings.check(() => check(CONFIG, values));
  const from = new Map<string, string>();
  for (const [variable, row] of baseUrls()) {
    const url = env(variable);
    if (!url) continue;
    const other = from.get(row);
    if (other !== undefined && bare(env(other)!) !== bare(url)) {
      throw new TypeError(`Cannot use ${variable}: ${other} sets another URL for the same provider`);
    }
    from.set(row, variable);
    settings.set(variable, ["providers", nameIn(values.providers, row), "baseUrl"], url);
  }
  const unread = addSettings(settings, env);
  const prices = env("SLUICE_PRICES");
  if (prices && !isJson(prices)) settings.set("SLUICE_PRICES", ["priceTable"], prices);
  const tokens = env("SLUICE_TOKENS");
  if (tokens) settings.set("SLUICE_TOKENS", ["tokens"], readAs("SLUICE_TOKENS", tokens, readTokens));
  const warnings = [...unread, ...addKeys(settings, env)];
  return {
    ...settings.check(() => readSettings(values)),
    warnings: [...told, ...warnings, ...strangers(names)],
  };
}

/**
 * Adds the settings of rows from the variables of the providers' own tools, where the gateway's options do not set them.
 *
 * @returns A warning for each region that the option refuses: the variable may be meant for another program.
 * @throws TypeError that names any other variable whose value the option refuses.
 */
function addSettings(settings: Settings, env: Env): string[] {
  const warnings: string[] = [];
  for (const { name, settingEnv = {} } of PROVIDERS.values()) {
    for (const [setting, variables] of Object.entries(settingEnv)) {
      const variable = variables.find((one) => env(one)?.trim());
      if (variable === undefined) continue;
      const { providers } = settings.values;
      const row = nameIn(providers, name);
      const written = object(object(providers)?.[row]);
      // A resource of the options names its host, so a host from elsewhere would be another one.
      const isOther = setting === "baseUrl" && written?.resource !== undefined;
      if (written?.[setting] !== undefined || isOther) continue;
      const value = env(variable)!.trim();
      try {
        check(CONFIG, { providers: { [row]: { [setting]: value } } });
        settings.set(variable, ["providers", row, setting], value);
      } catch (error) {
        // A place is every program's. The other variables name this provider's API, so a fault would surprise at the first call.
        if (!OF_EVERY_PROGRAM.has(setting)) {
          throw cannotUse(variable, (error as Error).message.replace(/^.*?: /, ""));
        }
        warnings.push(
          `${variable} is not read: it ${(error as Error).message.replace(/^.*?: (?:it )?/, "")}`,
        );
      }
    }
  }
  return warnings;
}

/** Settings whose variables other programs read too. */
const OF_EVERY_PROGRAM: ReadonlySet<string> = new Set(["location", "project", "region"]);

/** Whether `SLUICE_PRICES` holds the costs of single models, and not the place of a table. */
const isJson = (text: string) => /^\s*[{["'`]/.test(text);

const bare = (url: string) => url.replace(/\/+$/, "");

/** Checks all settings and separates the options from the settings of the served form. */
function readSettings(values: Settings["values"]): Omit<Served, "warnings"> {
  const { port, host, drainMs, reusePort, log, $schema: _, ...read } = check(CONFIG, values);
  const options = read as Options;
  readOptions(options);
  return { port, hostname: host, drainMs, reusePort, log, options };
}

/** The variables of base URLs, one for each name and alias of a row, with the row's name. */
function baseUrls(): Map<string, string> {
  const index = indexProviders(PROVIDERS.values());
  return new Map([...index].map(([name, { name: row }]) => [variableOf(name), row]));
}

const variableOf = (name: string) => `SLUICE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}_BASE_URL`;

/** The name by which an object has a row: a key may be an alias. */
const nameIn = (object: unknown, row: string) =>
  Object.keys(object ?? {}).find((name) => findProvider(name)?.name === row) ?? row;

/** @throws TypeError */
function readTokens(text: string): unknown[] {
  const tokens = readListText(text);
  // An empty list would leave the gateway open, although its operator meant to close it.
  if (tokens.length === 0) throw new TypeError("it holds no token");
  return tokens;
}

/** @throws TypeError */
function readKeys(text: string): string[] {
  const keys = readListText(text);
  if (keys.every((key) => typeof key === "string" && !/["{}[\]]/.test(key))) return keys as string[];
  throw new TypeError("it must be a key, or keys separated by commas; keys by alias go into SLUICE_KEYS");
}

/**
 * Adds the stored keys of the rows' own variables and of `SLUICE_KEYS`.
 *
 * @returns A warning for each row that has different keys in two of its variables.
 */
function addKeys(settings: Settings, env: Env): string[] {
  const warnings: string[] = [];
  const add = (variable: string, name: string, keys: StoredKeys) => {
    const stored = settings.values.keys;
    const at = nameIn(stored, findProvider(name)?.name ?? name);
    const old = isObject(stored) ? stored[at] as StoredKeys | undefined : undefined;
    // Keys without an alias have the alias `default` and stay beside keys with an alias.
    const beside = old !== undefined && (isObject(old) || isObject(keys));
    settings.set(variable, ["keys", at], beside ? { ...byAlias(old), ...byAlias(keys) } : keys);
  };
  for (const { name, keyEnv = [], keySet } of PROVIDERS.values()) {
    const [variable, ...others] = keyEnv.filter((name) => env(name));
    if (variable === undefined) continue;
    const other = others.find((name) => env(name)!.trim() !== env(variable)!.trim());
    if (other !== undefined) {
      warnings.push(
        `${variable} and ${other} hold different keys of ${name}: the key in ${variable} is used`,
      );
    }
    const text = env(variable)!.trim();
    // A set is one key, as JSON.
    const keys = keySet && text.startsWith("{") ? text : readAs(variable, text, readKeys);
    add(variable, name, keys);
    settings.check(() => check(CONFIG, { keys: { [name]: keys } }), variable);
  }
  for (const { name, keyEnv = [], keySet } of PROVIDERS.values()) {
    const set = keySet && !keyEnv.some((variable) => env(variable)) && readKeySet(keySet, env);
    if (set) add(keySet.env![keySet.needs[0]], name, set);
  }
  const text = env("SLUICE_KEYS");
  if (!text) return warnings;
  const more = readAs("SLUICE_KEYS", text, readObject);
  // Checked by itself first: the loop below would merge two names of the same provider without an error.
  settings.check(() => readSettings({ ...settings.values, keys: more }), "SLUICE_KEYS");
  for (const [name, keys] of Object.entries(more)) add("SLUICE_KEYS", name, keys as StoredKeys);
  return warnings;
}

/**
 * The set of several texts that variables hold, as one key; `undefined` if none of those that are needed is set.
 *
 * @throws TypeError for a part of a set: a part of another one could complete it otherwise.
 */
function readKeySet({ needs, may = [], env: names = {}, unless = [] }: KeySet, env: Env): string | undefined {
  const held = needs.filter((name) => env(names[name])?.trim());
  if (held.length === 0) return undefined;
  const missing = needs.find((name) => !held.includes(name));
  if (missing !== undefined && unless.some((name) => env(name))) return undefined;
  if (missing !== undefined) {
    throw cannotUse(names[held[0]], `${names[missing]} is not set, and one is of no use without the other`);
  }
  const set = [...needs, ...may].map((name) => [name, names[name] && env(names[name])?.trim()]);
  return JSON.stringify(Object.fromEntries(set.filter(([, text]) => text)));
}

/** A warning for each `SLUICE_` variable that is not read: a misspelt `SLUICE_TOKENS` leaves a gateway open. */
function strangers(names: Iterable<string>): string[] {
  const known = new Set([...NAMES, ...baseUrls().keys()]);
  return [...names].filter((name) => name.startsWith("SLUICE_") && !known.has(name)).sort().map((name) => {
    const near = PLATFORM.get(name) ?? nearest(name);
    return `${name} is not read` + (near === undefined ? "" : `; did you mean ${near}?`);
  });
}

/** The variable that was probably meant. */
function nearest(name: string): string | undefined {
  const row = /^SLUICE_(.+)_BASE_URL$/.exec(name)?.[1].toLowerCase().replaceAll("_", "-");
  if (row !== undefined) {
    return nearestNames(row, indexProviders(PROVIDERS.values()).keys(), 1).map(variableOf)[0];
  }
  const ends = NAMES.filter((one) => one.startsWith("SLUICE_")).map((one) => one.slice(7).toLowerCase());
  const [end] = nearestNames(name.slice(7), ends, 1);
  return end === undefined ? undefined : `SLUICE_${end.toUpperCase()}`;
}
