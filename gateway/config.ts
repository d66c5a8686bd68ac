/** What can be set: options for programs, variables for the served form. */
import * as v from "npm:valibot@1.5.0";
import { compatible, findProvider, indexProviders, PROVIDERS } from "../providers/table.ts";
import { WIRES } from "../providers/table.ts";
import type { ChatField, Provider } from "../providers/types.ts";

/** Changes to a row of the provider table, or a row of your own. */
export interface ProviderOptions {
  /** Where the provider's paths begin. A row of your own must have one. */
  baseUrl?: string;
  /** Which format it speaks. Default: the row's, or `openai` for a row of your own. */
  wire?: keyof typeof WIRES;
  /** Headers for every request to it. */
  headers?: Record<string, string>;
  /** The header that carries its key. Default: the row's, or `authorization: Bearer …`. */
  auth?: { header: string; prefix: string };
  /** Chat path below `baseUrl`. Default: the row's, or `/chat/completions`. */
  chatPath?: string;
  /** Top-level fields it refuses; they are left out and named in `sluice-dropped`. */
  drop?: readonly ChatField[];
  /** Top-level fields it knows by another name. */
  rename?: Readonly<Partial<Record<ChatField, string>>>;
}

/** One line about one request. Never holds keys, prompts or answers. */
export interface LogEntry {
  level: "info" | "error";
  status: number;
  message: string;
  /** Stable name or number of a failure. */
  code?: string | number | null;
  provider?: string;
  model?: string;
}

/** What `createGateway` takes; all of it optional. */
export interface Options {
  /** Sends requests to providers. Default: the runtime's `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** By provider name: other settings for a row, or rows of your own. */
  providers?: Record<string, ProviderOptions>;
  limits?: {
    /** Longest request body taken, in bytes. Default 64 MiB. */
    maxBodyBytes?: number;
  };
  /** Refuse a request with a field that its target cannot express, as with `sluice-strict: true`. Default false. */
  strict?: boolean;
  /** Origins whose pages may call the gateway from a browser; `"*"` for any. Default none. */
  origins?: string[];
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** A number from 0 up to 1. Default `Math.random`. */
  random?: () => number;
  /** Takes a line about each failure. Default: none is written. */
  log?: (entry: LogEntry) => void;
}

/** Options with every default filled in. */
export interface Config {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** By name and alias. */
  providers: ReadonlyMap<string, Provider>;
  maxBodyBytes: number;
  strict: boolean;
  origins: readonly string[];
  now: () => number;
  random: () => number;
  log: (entry: LogEntry) => void;
}

const baseUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^/?#\s]+[^?#\s]*$/, "must be an http or https URL without query"),
  v.transform((url) => url.replace(/\/+$/, "")),
);

const fields = v.array(v.string());

const OPTIONS = v.strictObject({
  fetch: v.optional(v.function()),
  providers: v.optional(v.record(
    v.string(),
    v.strictObject({
      baseUrl: v.optional(baseUrl),
      wire: v.optional(v.picklist(Object.keys(WIRES))),
      headers: v.optional(v.record(v.string(), v.string())),
      auth: v.optional(v.strictObject({ header: v.string(), prefix: v.string() })),
      chatPath: v.optional(v.pipe(v.string(), v.startsWith("/"))),
      drop: v.optional(fields),
      rename: v.optional(v.record(v.string(), v.string())),
    }),
  )),
  limits: v.optional(
    v.strictObject({ maxBodyBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))) }),
  ),
  strict: v.optional(v.boolean()),
  origins: v.optional(v.array(v.string())),
  now: v.optional(v.function()),
  random: v.optional(v.function()),
  log: v.optional(v.function()),
});

/**
 * Fills in the defaults.
 *
 * @throws TypeError that names the option at fault.
 */
export function readOptions(options: Options): Config {
  const result = v.safeParse(OPTIONS, options);
  if (!result.success) {
    const issue = result.issues[0];
    throw new TypeError(`Cannot use option ${v.getDotPath(issue) ?? "(root)"}: ${issue.message}`);
  }
  const { limits, strict, origins } = result.output;
  return {
    // Looked up at each call: a Worker's global fetch must not be taken off its object.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    providers: indexProviders(readProviders(result.output.providers as Options["providers"]).values()),
    maxBodyBytes: limits?.maxBodyBytes ?? 64 * 2 ** 20,
    strict: strict ?? false,
    origins: origins ?? [],
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    log: options.log ?? (() => {}),
  };
}

function readProviders(changes: Options["providers"] = {}): Map<string, Provider> {
  const providers = new Map(PROVIDERS);
  for (const [name, { wire, ...columns }] of Object.entries(changes)) {
    const known = findProvider(name);
    const changed = wire ? { ...columns, wire: WIRES[wire] } : columns;
    if (known) providers.set(known.name, { ...known, ...changed });
    else if (columns.baseUrl === undefined) {
      throw new TypeError(
        `Cannot use option providers.${name}.baseUrl: a provider that is not in the table needs one`,
      );
    } else providers.set(name, { name, ...compatible(columns.baseUrl, changed) });
  }
  return providers;
}

/** Reads environment variables by name. */
export type Env = (name: string) => string | undefined;

/** Where the served form listens, and the options that its environment sets. */
export interface Served {
  port: number;
  hostname: string;
  options: Options;
}

/**
 * Reads the environment of the served form: `PORT` (0 to 65535, default 8787), `HOST` (default 127.0.0.1) and
 * `SLUICE_<ROW>_BASE_URL`, e.g. `SLUICE_GOOGLE_AI_STUDIO_BASE_URL`; a row's alias works too.
 *
 * @throws TypeError that names the variable at fault.
 */
export function readEnv(env: Env): Served {
  const port = env("PORT") || "8787";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    throw new TypeError(`Cannot use PORT: ${JSON.stringify(port)} is no port number from 0 to 65535`);
  }
  const providers: Record<string, ProviderOptions> = {};
  for (const name of indexProviders(PROVIDERS.values()).keys()) {
    const variable = `SLUICE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}_BASE_URL`;
    const value = env(variable);
    if (!value) continue;
    const url = v.safeParse(baseUrl, value);
    if (!url.success) throw new TypeError(`Cannot use ${variable}: ${url.issues[0].message}`);
    providers[findProvider(name)!.name] = { baseUrl: url.output };
  }
  return { port: Number(port), hostname: env("HOST") || "127.0.0.1", options: { providers } };
}
