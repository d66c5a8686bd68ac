/** The table of prices: reads it, finds models in it, and computes costs. All costs are estimates. */
import type { Usage } from "../../wires/types.ts";
import { isObject, object } from "../../wires/shared/json.ts";
import { findProvider } from "../table.ts";
import { promptTokens } from "../../wires/shared/usage.ts";

/**
 * US dollars for a million tokens of each kind.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type LogEntry, type Rates } from "../../mod.ts";
 *
 * const rates: Rates = { input: 500_000, output: 1_000_000 };
 * let cost: number | null | undefined;
 * const options = { prices: { "demo/echo": rates }, log: (entry: LogEntry) => cost = entry.cost };
 * const gateway = createGateway(options).gateway("default");
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * await (await gateway.run({ provider: "compat", endpoint: "chat/completions", query })).text();
 * // Two tokens of the prompt and two of the answer.
 * assertEquals(cost, 3);
 * ```
 */
export interface Rates {
  /** Tokens of the prompt. */
  input: number;
  /** Tokens of the answer. */
  output: number;
  /** Tokens read from a cache. Default: as `input`. */
  cache_read?: number;
  /** Tokens written into a cache. Default: as `input`. */
  cache_write?: number;
  /** Tokens written into a cache for an hour. Default: as `cache_write`. */
  cache_write_1h?: number;
  /** Tokens of reasoning. Default: as `output`. */
  reasoning?: number;
  /** Tokens of audio in the prompt. Default: as `input`. */
  input_audio?: number;
  /** Tokens of audio in the answer. Default: as `output`. */
  output_audio?: number;
}

/**
 * A model's prices. Rates that a tier does not name are the usual ones.
 *
 * @example
 * ```ts
 * import { createGateway, type Cost } from "../../mod.ts";
 *
 * const cost: Cost = { input: 1.25, output: 10, above: { context: 200_000, input: 2.5, output: 15 } };
 * createGateway({ prices: { "gemini/gemini-3.8-flash": cost } });
 * ```
 */
export interface Cost extends Rates {
  /** Rates for requests whose prompt is longer than `context` tokens. They hold for the whole request. */
  above?: { context: number } & Partial<Rates>;
  /** Rates for requests of a batch. */
  batch?: Partial<Rates>;
  /** Rates for the service tier `flex`. */
  flex?: Partial<Rates>;
  /** Rates for the service tier `priority`. */
  priority?: Partial<Rates>;
}

/** A model's entry in the table. */
export interface Model {
  cost?: Cost;
  /** The most tokens of a prompt, and of an answer. */
  limit?: { context?: number; output?: number };
}

/** Entries by the name of the row, and by the provider's name for the model. */
export type PriceTable = ReadonlyMap<string, ReadonlyMap<string, Model>>;

/** The most bytes of a table: models.dev's has some two million. Parsing this much blocks the process for 0.1 s. */
export const MOST_TABLE = 8 * 2 ** 20;

/** The names of our rows by models.dev's ids, if an id is neither a row's name nor an alias. */
const ROWS: ReadonlyMap<string, string> = new Map([
  ["amazon-bedrock", "aws-bedrock"],
  ["cloudflare-workers-ai", "workers-ai"],
  ["github-models", "github"],
  ["google-vertex-anthropic", "google-vertex-ai"],
]);

/**
 * Reads a table.
 *
 * @param text JSON in the form of models.dev's `api.json`, by the names of rows, their aliases, or models.dev's own ids. Models
 * without a cost, and unknown members, are ignored.
 * @throws TypeError that tells the fault.
 */
export function readPrices(text: string): PriceTable {
  if (text.length > MOST_TABLE) throw new TypeError(`it is longer than ${MOST_TABLE} bytes`);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new TypeError("it is not JSON");
  }
  const table = new Map<string, Map<string, Model>>();
  for (const [name, row] of Object.entries(object(given) ?? {})) {
    const listed = object(object(row)?.models);
    if (!listed) continue;
    const known = findProvider(name)?.name ?? ROWS.get(name) ?? name;
    const models = table.get(known) ?? new Map<string, Model>();
    table.set(known, models);
    for (const [id, about] of Object.entries(listed)) {
      const model = readModel(about);
      if (model && !models.has(id)) models.set(id, model);
    }
  }
  if (![...table.values()].some(({ size }) => size > 0)) {
    throw new TypeError('it must be {"provider": {"models": {"model": {"cost": {"input", "output"}}}}}');
  }
  return table;
}

/** The members of a model that are kept. Keeping all of models.dev's members would take much memory. */
function readModel(about: unknown): Model | undefined {
  const { cost: given, limit } = object(about) ?? {};
  const { context_over_200k: over, ...cost } = object(given) ?? {};
  if (!isCost(cost)) return undefined;
  const above = isObject(over) && cost.above === undefined ? { above: { context: 200_000, ...over } } : {};
  return { cost: { ...cost, ...above }, ...(isObject(limit) && { limit }) };
}

const isRate = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

/** Whether a value has the two rates that every cost needs. */
export const isCost = (value: unknown): value is Cost =>
  isObject(value) && isRate(value.input) && isRate(value.output);

/** The version at the end of a model's name: `-2026-03-05`, `-20260305`, `@20260305` or `-latest`. */
const VERSION = /(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|latest))$/;

/** A model's name without the version at its end. */
export const withoutVersion = (model: string): string => model.replace(VERSION, "");

/**
 * A model's entry: by its exact name, or else by its name without the version at its end.
 *
 * @param row The name of the provider's row.
 */
export function findModel(table: PriceTable, row: string, model: string): Model | undefined {
  const models = table.get(row);
  // Google's names may begin with `models/`.
  const bare = model.replace(/^models\//, "");
  return models?.get(model) ?? models?.get(bare) ?? models?.get(withoutVersion(bare));
}

/** The rates of a request: those of its service tier, or else those for its length, or else the usual ones. */
function ratesFor(cost: Cost, prompt: number, tier: string | undefined): Rates {
  const special = tier === "batch" || tier === "flex" || tier === "priority" ? cost[tier] : undefined;
  if (isObject(special)) return { ...cost, ...special };
  const { above } = cost;
  return above && isRate(above.context) && prompt > above.context ? { ...cost, ...above } : cost;
}

/**
 * The cost of an answer, in US dollars.
 *
 * @param tier The service tier that answered: `priority`, `flex` or `batch`. Any other tier has the usual rates.
 */
export function costOf(usage: Usage, cost: Cost, tier?: string): number {
  const { input, cacheRead, cacheWrite, cacheWriteHour = 0, audioIn, output, reasoning, audioOut } = usage;
  const rates = ratesFor(cost, promptTokens(usage), tier);
  const write = rates.cache_write ?? rates.input;
  const millionths = input * rates.input +
    cacheRead * (rates.cache_read ?? rates.input) +
    (cacheWrite - cacheWriteHour) * write +
    cacheWriteHour * (rates.cache_write_1h ?? write) +
    audioIn * (rates.input_audio ?? rates.input) +
    output * rates.output +
    reasoning * (rates.reasoning ?? rates.output) +
    audioOut * (rates.output_audio ?? rates.output);
  return millionths / 1e6;
}
