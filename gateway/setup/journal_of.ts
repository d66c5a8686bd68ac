/** Makes the receivers of rows, and the prices, from the options. */
import type { Provider } from "../../providers/types.ts";
import type { Journal } from "../log/journal.ts";
import { type Losses, metrics } from "../log/metrics.ts";
import { otlpExporter } from "../log/otlp.ts";
import { pricesAt } from "../log/price_source.ts";
import { type PriceBook, priceBook } from "../log/prices.ts";
import type { Timer } from "../policies/timers.ts";
import { memoryLogs } from "../stores/memory.ts";
import { wait } from "../../wires/shared/wait.ts";
import { collectorOf } from "./otel_option.ts";
import type { checkOptions, Options } from "./options.ts";

/** Measures durations. A program that sets the option `now` sets this clock too. */
export const timerOf = ({ now }: Options): Timer => now ?? (() => performance.now());

const warn = (line: string) => console.error(`Warning: ${line}`);

/** The default of `logs.rows`. */
const ROWS = 1000;

/**
 * The prices. Nothing is read before a price is needed.
 *
 * @param send Sends the request for the table of prices.
 */
export function pricesOf(
  options: Options,
  { prices }: ReturnType<typeof checkOptions>,
  providers: ReadonlyMap<string, Provider>,
  send: NonNullable<Options["fetch"]>,
): PriceBook {
  const { priceTable } = options;
  const source = typeof priceTable === "string" ? pricesAt(priceTable, send) : priceTable;
  const isFree = (provider: string) => providers.get(provider)?.fetch !== undefined;
  return priceBook({ own: prices, isFree, source, timer: timerOf(options), warn });
}

/**
 * The receivers of rows; `undefined` if there are none.
 *
 * @param send Sends spans.
 */
export function journalOf(
  options: Options,
  { logs, prices, metrics: counted, adminToken, otel }: ReturnType<typeof checkOptions>,
  book: PriceBook,
  send: NonNullable<Options["fetch"]>,
): Journal | undefined {
  const { log, priceTable } = options;
  const isCounted = counted !== undefined || adminToken !== undefined;
  if (!log && !logs && !isCounted && !otel) return undefined;
  const rows = typeof logs === "object" ? logs.rows ?? ROWS : ROWS;
  const isPriced = logs || prices || priceTable || isCounted || otel;
  const losses: Losses = { rows: 0, storeErrors: 0, spans: 0 };
  return {
    log,
    losses,
    spans: otel && otlpExporter(collectorOf(otel), {
      send,
      warn,
      losses,
      now: options.now ?? Date.now,
      random: options.random ?? Math.random,
      wait: options.wait ?? wait,
    }),
    metrics: isCounted ? metrics(counted?.labels ?? [], losses) : undefined,
    logs: logs ? memoryLogs(rows) : undefined,
    prices: isPriced ? book : undefined,
  };
}
