/** What a request cost: an estimate by the first source that knows a price. */
import {
  type Cost,
  costOf,
  findModel,
  isCost,
  type PriceTable,
  readPrices,
} from "../../providers/prices/table.ts";
import { isObject, parse } from "../../wires/shared/json.ts";
import type { Usage } from "../../wires/types.ts";
import type { LogEntry } from "../stores/log_row.ts";

/** The prices that a gateway goes by. */
export interface PriceBook {
  /** Reads the table when it is first asked for; `undefined` once it is there. Never rejects. */
  load(): Promise<void> | undefined;
  /** @param provider The name of its row. */
  find(provider: string, model: string): { cost: Cost; from: "option" | "table" } | undefined;
}

/** Gives the text of a table, as `readPrices` takes it. */
export type PriceSource = () => Promise<string>;

/** The table that comes with the gateway: a module of its own, that is not loaded unless a cost is asked for. */
export const ownPrices: PriceSource = async () => (await import("../../providers/prices/data.ts")).PRICES;

/**
 * Makes the book.
 *
 * @param own Costs by `{provider}/{model}`, which win over the table.
 */
export function priceBook(
  own: Readonly<Record<string, Cost>> = {},
  source: PriceSource = ownPrices,
): PriceBook {
  let table: PriceTable | undefined;
  let loading: Promise<void> | undefined;
  return {
    load() {
      if (table) return undefined;
      return loading ??= source().then(readPrices).then((read) => {
        table = read;
      }, () => {
        // Rows say "unknown" then.
        table = {};
      });
    },
    find(provider, model) {
      const name = `${provider}/${model}`;
      if (Object.hasOwn(own, name)) return { cost: own[name], from: "option" };
      const cost = table && findModel(table, provider, model)?.cost;
      return isCost(cost) ? { cost, from: "table" } : undefined;
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
