/** Makes the receivers of rows, and the prices, from the options. */
import type { Provider } from "../../providers/types.ts";
import type { Journal } from "../log/journal.ts";
import { type Losses, metrics } from "../log/metrics.ts";
import { otlpExporter } from "../log/otlp.ts";
import { pricesAt } from "../log/price_source.ts";
import { type PriceBook, priceBook } from "../log/prices.ts";
import type { SharedCounters } from "../policies/shared_counters.ts";
import { TELL_MS } from "../policies/store_guard.ts";
import { atMostEvery } from "../at_most_every.ts";
import type { Timer } from "../policies/timers.ts";
import { IS_PROCESS } from "../context.ts";
import { memoryLogs } from "../stores/memory.ts";
import { queuedLogs } from "../stores/queued.ts";
import { sqlLogs } from "../stores/sql_logs.ts";
import type { Sql } from "../stores/sql.ts";
import type { FilledStores } from "../stores/stores.ts";
import type { Logs } from "../stores/store.ts";
import { wait } from "../../wires/shared/wait.ts";
import { collectorOf } from "./otel_option.ts";
import type { LogsOptions } from "./logs_option.ts";
import type { checkOptions, Options } from "./options.ts";

/** Measures durations. A program that sets the option `now` sets this clock too. */
export const timerOf = ({ now }: Options): Timer => now ?? (() => performance.now());

export const warn = (line: string) => console.error(`Warning: ${line}`);

/** The defaults of the option `logs`. */
const USUAL = {
  memory: { rows: 1000, bodyBytes: 64 * 2 ** 20 },
  store: { rows: 1_000_000, bodyBytes: 2 ** 30 },
  days: 30,
};

/** The highest value of `logs.rows` in memory. So many rows take some 200 MB. */
const MOST_MEMORY_ROWS = 200_000;

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
  const bareName = (provider: string, model: string) => {
    const { modelId, baseModels } = providers.get(provider) ?? {};
    const id = modelId?.(model) ?? model;
    return baseModels?.get(id) ?? id;
  };
  return priceBook({ own: prices, isFree, bareName, source, timer: timerOf(options), warn });
}

/**
 * The receivers of rows; `undefined` if there are none.
 *
 * @param beside The database that keeps rows, if it is not the memory of the process; and what counts losses.
 * @param send Sends spans.
 */
export function journalOf(
  options: Options,
  { logs, prices, metrics: counted, adminToken, otel }: ReturnType<typeof checkOptions>,
  { sql, losses }: { sql: Sql | undefined; losses: Losses },
  book: PriceBook,
  send: NonNullable<Options["fetch"]>,
): Journal | undefined {
  const { log, priceTable } = options;
  const isCounted = counted !== undefined || adminToken !== undefined;
  const keeps = logs ?? sql !== undefined;
  if (!log && !keeps && !isCounted && !otel) return undefined;
  const isPriced = keeps || prices || priceTable || isCounted || otel;
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
    logs: keeps ? logsOf(options, sql, keeps === true ? {} : keeps, losses) : undefined,
    bodies: typeof keeps === "object" ? bodiesOf(keeps) : undefined,
    prices: isPriced ? book : undefined,
  };
}

/** What tells and counts the failures of a store that requests wait for. */
export const guarding = (options: Options, losses: Losses, { timeoutMs }: FilledStores) => ({
  lateMs: timeoutMs,
  timer: timerOf(options),
  warn,
  outage: losses.outage,
  onFailure: () => void losses.storeErrors++,
});

/** Sends what is still held, and then closes the stores. */
export async function closeAll(
  { journal, counters, stores }: { journal?: Journal; counters: SharedCounters; stores: FilledStores },
): Promise<void> {
  await Promise.all([journal?.spans?.flush(), journal?.logs?.close(), counters.close()]);
  await stores.close();
}

type LogsOption = Exclude<ReturnType<typeof checkOptions>["logs"], boolean | undefined>;

/** The store of rows: the operator's, or memory. On Workers no row waits, because a Worker may end after each request. */
function logsOf(
  options: Options,
  sql: Sql | undefined,
  { rows, days = USUAL.days, whenFull, bodyBytes }: LogsOption,
  losses: Losses,
): Logs {
  const { store, now = Date.now } = options;
  const replaces = whenFull !== "STOP_INSERTING";
  const lostRows = fullWarning(losses, timerOf(options));
  if (store === undefined && rows !== undefined && rows > MOST_MEMORY_ROWS) {
    throw new TypeError(
      `Cannot use option logs.rows: it must be at most ${MOST_MEMORY_ROWS} without a store`,
    );
  }
  if (!sql) {
    return memoryLogs({ ...USUAL.memory, ...defined({ rows, bodyBytes }), replaces, onFull: lostRows });
  }
  const limits = { ...USUAL.store, ...defined({ rows, bodyBytes }) };
  const kept = sqlLogs(sql, { ...limits, days, replaces, now, onFull: lostRows });
  return IS_PROCESS ? queuedLogs(kept, { timer: timerOf(options), warn, losses }) : kept;
}

const defined = (limits: { rows?: number; bodyBytes?: number }) =>
  Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));

function bodiesOf({ bodies = "none", redact }: LogsOption): Journal["bodies"] {
  if (bodies === "none") return undefined;
  return { which: bodies, redact: redact as LogsOptions["redact"], budget: { bytes: 0 } };
}

/** Counts rows that a full store did not take, and tells them once a minute. */
function fullWarning(losses: Losses, timer: Timer): (rows: number) => void {
  let untold = 0;
  const mayTell = atMostEvery(TELL_MS, timer);
  return (rows) => {
    losses.rows += rows;
    untold += rows;
    if (!mayTell()) return;
    warn(`The store of rows is full: ${untold} rows were not kept (logs.rows, logs.whenFull)`);
    untold = 0;
  };
}
