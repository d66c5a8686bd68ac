/** Finds the cost of a request: the provider's own, or an estimate by the first source that knows a price. */
import { type Cost, costOf, findModel, type PriceTable, readPrices } from "../../providers/prices/table.ts";
import { unpack } from "../../providers/prices/unpack.ts";
import { isObject, parse } from "../../wires/shared/json.ts";
import type { Usage } from "../../wires/types.ts";
import { keepAlive, type RuntimeContext } from "../context.ts";
import type { Timer } from "../policies/timers.ts";
import type { LogEntry } from "../stores/log_row.ts";

/** The prices that a gateway uses. */
export interface PriceBook {
  /** Reads the table that comes with the gateway at the first call. Returns `undefined` once there is a table. Never rejects. */
  load(): Promise<void> | undefined;
  /** Reads the operator's table, if there is one, once a day. No request waits for it. Never rejects. */
  refresh(): Promise<void> | undefined;
  /** Finds a model's price. @param provider The name of the provider's row. */
  find(provider: string, model: string): { cost: Cost; from: "option" | "table" } | undefined;
}

/** Returns the text of a table, in the form that `readPrices` takes. */
export type PriceSource = () => Promise<string>;

/** The table that comes with the gateway. It is a module of its own, which is loaded only when a cost is computed. */
export const ownPrices: PriceSource = async () => {
  const { PACKED } = await import("../../providers/prices/data.ts");
  return await unpack(PACKED);
};

const HOUR_MS = 3_600_000;

/** How old the operator's table may be, and the time until another attempt if it could not be read. */
const AGES_MS = { table: 24 * HOUR_MS, failure: HOUR_MS };

const FREE: Cost = { input: 0, output: 0 };

/** The sources of a price book. */
export interface Prices {
  /** Costs by `{provider}/{model}`, which win over the table. */
  own?: Readonly<Record<string, Cost>>;
  /** Whether a row costs nothing, as the built-in one. */
  isFree?: (provider: string) => boolean;
  /** The provider's own name of a model, or of the model behind it, without the words that clients write before it. */
  bareName?: (provider: string, model: string) => string;
  /** The operator's table. Until it is read, and if it cannot be read, the table that comes with the gateway is used. */
  source?: PriceSource;
  /** Measures the age of the operator's table. */
  timer: Timer;
  /** Is called with a sentence about a table that cannot be read. */
  warn(line: string): void;
}

/** Makes the price book. */
export function priceBook({ own = {}, isFree, bareName, source, timer, warn }: Prices): PriceBook {
  let table: PriceTable | undefined;
  let loading: Promise<void> | undefined;
  let read: { at: number; holdsMs: number } | undefined;
  let failures = 0;

  /** Whether the operator's table must be read. It must also be read if the clock was set back. */
  function isDue(now: number): boolean {
    const age = read ? now - read.at : Infinity;
    return age < 0 || age >= (read?.holdsMs ?? 0);
  }

  return {
    load() {
      if (table) return undefined;
      return loading ??= ownPrices().then(readPrices).then((usual) => {
        table ??= usual;
      }, () => {
        // Without a table the cost in rows is `null`.
        table ??= new Map();
      });
    },
    refresh() {
      const now = timer();
      if (!source || !isDue(now)) return undefined;
      read = { at: now, holdsMs: AGES_MS.table };
      return source().then(readPrices).then((theirs) => {
        table = theirs;
        failures = 0;
      }).catch((cause) => {
        read = { at: now, holdsMs: AGES_MS.failure };
        failures++;
        const times = failures === 1 ? "" : ` (${failures} times now)`;
        warn(
          `Cannot read the table of prices${times}: ${(cause as Error).message}; the table before it is used`,
        );
      });
    },
    find(provider, model) {
      const name = `${provider}/${model}`;
      if (Object.hasOwn(own, name)) return { cost: own[name], from: "option" };
      const bare = bareName?.(provider, model) ?? model;
      const cost = table && (findModel(table, provider, model) ?? findModel(table, provider, bare))?.cost;
      if (cost) return { cost, from: "table" };
      return isFree?.(provider) ? { cost: FREE, from: "table" } : undefined;
    },
  };
}

/** Waits until there is a table. A newer one of the operator's is read meanwhile. */
export async function readyPrices(book: PriceBook, context: RuntimeContext | undefined): Promise<void> {
  const fresh = book.refresh();
  if (fresh) keepAlive(fresh, context);
  await book.load();
}

/** The parts of a request that its cost depends on. */
export interface Priced {
  provider?: string;
  /** The model's names: the one that was requested, and the one in the answer. */
  models: readonly (string | undefined)[];
  usage?: Usage;
  tier?: string;
  /** The header `cf-aig-custom-cost`. */
  custom: string | null;
}

/**
 * The cost and its source. Without tokens there is no cost; without a price the cost is `null`. The provider's own cost wins
 * over the estimate, and the client's over both.
 */
export function priceOf(
  { provider, models, usage, tier, custom }: Priced,
  book: PriceBook,
): Pick<LogEntry, "cost" | "price"> {
  const own = custom === null ? undefined : customCost(custom, usage);
  if (own !== undefined) return { cost: own, price: "header" };
  if (!usage) return {};
  if (usage.cost !== undefined) return { cost: usage.cost, price: "provider" };
  for (const model of models) {
    const found = provider !== undefined && model !== undefined ? book.find(provider, model) : undefined;
    if (found) return { cost: costOf(usage, found.cost, tier), price: found.from };
  }
  return { cost: null };
}

/**
 * The cost by the client's own prices, in US dollars: `{"total_cost"}`, or `{"per_token_in", "per_token_out"}` with
 * `per_cache_read_token` and `per_cache_write_token` if these differ from `per_token_in`. `undefined` for any other form.
 */
function customCost(text: string, usage: Usage | undefined): number | undefined {
  const given = parse(text);
  if (!isObject(given)) return undefined;
  const { total_cost, per_token_in: input, per_token_out: output } = given;
  if (isPrice(total_cost)) return total_cost;
  if (!usage || !isPrice(input) || !isPrice(output)) return undefined;
  const read = given.per_cache_read_token ?? input, write = given.per_cache_write_token ?? input;
  if (!isPrice(read) || !isPrice(write)) return undefined;
  const million = (price: number) => price * 1e6;
  return costOf(usage, {
    input: million(input),
    output: million(output),
    cache_read: million(read),
    cache_write: million(write),
  });
}

const isPrice = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;
