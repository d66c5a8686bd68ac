/** Prices of models: the table, how a model is found in it, and what its tokens cost. Always an estimate. */
import type { Usage } from "../../wires/types.ts";
import { isObject, object } from "../../wires/shared/json.ts";

/** US dollars for a million tokens of each kind. */
export interface Rates {
  /** Of the prompt. */
  input: number;
  /** Of the answer. */
  output: number;
  /** Default: as `input`. */
  cache_read?: number;
  /** Default: as `input`. */
  cache_write?: number;
  /** Kept for an hour. Default: as `cache_write`. */
  cache_write_1h?: number;
  /** Default: as `output`. */
  reasoning?: number;
  /** Default: as `input`. */
  input_audio?: number;
  /** Default: as `output`. */
  output_audio?: number;
}

/** What a model costs. Rates of a tier that are not named are the usual ones. */
export interface Cost extends Rates {
  /** For requests whose prompt is longer than `context` tokens: of the whole request. */
  above?: { context: number } & Partial<Rates>;
  /** For requests of a batch. */
  batch?: Partial<Rates>;
  /** For the service tier `flex`. */
  flex?: Partial<Rates>;
  /** For the service tier `priority`. */
  priority?: Partial<Rates>;
}

/** What is known of a model. */
export interface Model {
  cost?: Cost;
  /** The most tokens of a prompt, and of an answer. */
  limit?: { context?: number; output?: number };
}

/** By row and by the provider's name for a model, as models.dev's `api.json` has them. */
export type PriceTable = Readonly<Record<string, { models: Readonly<Record<string, Model>> }>>;

/** Characters of a table that is read. */
const MOST_TABLE = 16 * 1024 * 1024;

/**
 * Reads a table.
 *
 * @param text JSON in the form of models.dev's `api.json`; members that are not known are passed over.
 * @throws TypeError that says what is wrong with it.
 */
export function readPrices(text: string): PriceTable {
  if (text.length > MOST_TABLE) throw new TypeError(`it is longer than ${MOST_TABLE} characters`);
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch {
    throw new TypeError("it is not JSON");
  }
  const rows = isObject(table) ? Object.entries(table) : [];
  if (!rows.some(([, row]) => isObject(row) && isObject(row.models))) {
    throw new TypeError('it must be {"provider": {"models": {"model": {"cost": {"input", "output"}}}}}');
  }
  return table as PriceTable;
}

const isRate = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

/** Whether a value is a cost that can be reckoned with. */
export const isCost = (value: unknown): value is Cost =>
  isObject(value) && isRate(value.input) && isRate(value.output);

/** `-2026-03-05`, `-20260305`, `@20260305`, `-0309`, `-latest`, `-preview-05-06`: which making of a model is meant. */
const VERSION = /(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|latest))$/;

/**
 * What is known of a model: by its exact name, else without the date behind it.
 *
 * @param row The name of the provider's row.
 */
export function findModel(table: PriceTable, row: string, model: string): Model | undefined {
  if (!Object.hasOwn(table, row)) return undefined;
  const models: unknown = object(table[row])?.models;
  if (!isObject(models)) return undefined;
  for (const id of [model, model.replace(VERSION, "")]) {
    if (Object.hasOwn(models, id) && isObject(models[id])) return models[id];
  }
  return undefined;
}

/** The rates of a request: those of its service tier, else those for its length, else the usual ones. */
function ratesFor(cost: Cost, prompt: number, tier: string | undefined): Rates {
  const special = tier === "batch" || tier === "flex" || tier === "priority" ? cost[tier] : undefined;
  if (isObject(special)) return { ...cost, ...special };
  const { above } = cost;
  return above && isRate(above.context) && prompt > above.context ? { ...cost, ...above } : cost;
}

/**
 * What an answer cost, in US dollars.
 *
 * @param tier The service tier that answered: `priority`, `flex`, `batch`; any other has the usual rates.
 */
export function costOf(usage: Usage, cost: Cost, tier?: string): number {
  const { input, cacheRead, cacheWrite, cacheWriteHour = 0, audioIn, output, reasoning, audioOut } = usage;
  const rates = ratesFor(cost, input + cacheRead + cacheWrite + audioIn, tier);
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
