/** What a request cost: an estimate by the first source that knows a price. */
import { type Cost, costOf, findModel, type PriceTable, readPrices } from "../../providers/prices/table.ts";
import { unpack } from "../../providers/prices/unpack.ts";
import { isObject, parse } from "../../wires/shared/json.ts";
import type { Usage } from "../../wires/types.ts";
import type { Timer } from "../policies/timers.ts";
import type { LogEntry } from "../stores/log_row.ts";

/** The prices that a gateway goes by. */
export interface PriceBook {
  /** Reads the table that comes with the gateway when it is first asked for; `undefined` once there is one. Never rejects. */
  load(): Promise<void> | undefined;
  /** Reads the operator's table, if there is one and it is a day old. Nobody waits for it. Never rejects. */
  refresh(): Promise<void> | undefined;
  /** @param provider The name of its row. */
  find(provider: string, model: string): { cost: Cost; from: "option" | "table" } | undefined;
}

/** Gives the text of a table, as `readPrices` takes it. */
export type PriceSource = () => Promise<string>;

/** The table that comes with the gateway: a module of its own, that is not loaded unless a cost is asked for. */
export const ownPrices: PriceSource = async () => {
  const { PACKED } = await import("../../providers/prices/data.ts");
  return await unpack(PACKED);
};

const HOUR_MS = 3_600_000;

/** How old the operator's table may be, and when it is tried again where it could not be read. */
const AGES_MS = { table: 24 * HOUR_MS, failure: HOUR_MS };

const FREE: Cost = { input: 0, output: 0 };

/** What a book is made of. */
export interface Prices {
  /** Costs by `{provider}/{model}`, which win over the table. */
  own?: Readonly<Record<string, Cost>>;
  /** Whether a row costs nothing: the built-in one. */
  isFree?: (provider: string) => boolean;
  /** The operator's table. Until it is read, and where it cannot be, the table that comes with the gateway holds. */
  source?: PriceSource;
  /** Measures how old the operator's is. */
  timer: Timer;
  /** Takes a sentence about a table that cannot be read. */
  warn(line: string): void;
}

/** Makes the book. */
export function priceBook({ own = {}, isFree, source, timer, warn }: Prices): PriceBook {
  let table: PriceTable | undefined;
  let loading: Promise<void> | undefined;
  let read: { at: number; holdsMs: number } | undefined;
  let failures = 0;

  /** A clock that was set back makes it due as well. */
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
        // Rows say "unknown" then.
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
        warn(`Cannot read the table of prices${times}: ${(cause as Error).message}; the one before is used`);
      });
    },
    find(provider, model) {
      const name = `${provider}/${model}`;
      if (Object.hasOwn(own, name)) return { cost: own[name], from: "option" };
      const cost = table && findModel(table, provider, model)?.cost;
      if (cost) return { cost, from: "table" };
      return isFree?.(provider) ? { cost: FREE, from: "table" } : undefined;
    },
  };
}

/** What is known of a request whose cost is asked for. */
export interface Priced {
  provider?: string;
  /** As it was asked for, and as the answer names it. */
  models: readonly (string | undefined)[];
  usage?: Usage;
  tier?: string;
  /** The header `cf-aig-custom-cost`. */
  custom: string | null;
}

/**
 * The cost and where it is from; no cost where no tokens are known, and `null` where no price is. What the provider says wins
 * over the estimate, and what the client says over both.
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
 * The cost by the client's own prices: `{"total_cost"}`, or `{"per_token_in", "per_token_out"}` in US dollars, with
 * `per_cache_read_token` and `per_cache_write_token` where they differ. `undefined` for any other form.
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
