/** Passes the rows of requests that have ended to the option `log` and to the store of rows. */
import { headerList } from "../../wires/shared/header_text.ts";
import { GatewayError } from "../../wires/errors.ts";
import { keepAlive, type RuntimeContext } from "../context.ts";
import type { LogEntry } from "../stores/log_row.ts";
import type { Logs } from "../stores/store.ts";
import type { CaptureOptions } from "./capture.ts";
import { isOff, isStream, logEntry } from "./entry.ts";
import { readMetadata } from "./metadata.ts";
import { readSoon } from "./read_soon.ts";
import type { Seen } from "./observe.ts";
import type { Losses, Metrics } from "./metrics.ts";
import { operationOf } from "./operation.ts";
import { type PriceBook, priceOf } from "./prices.ts";
import type { Exporter } from "./otlp.ts";
import type { Report } from "./report.ts";
import { spansOf } from "./span.ts";

/** The receivers of rows. */
export interface Journal {
  /** The option `log`. */
  log?: (entry: LogEntry) => unknown;
  /** The store that keeps rows. */
  logs?: Logs;
  /** Which bodies are kept beside the rows. Absent for none. */
  bodies?: Omit<CaptureOptions, "mask">;
  /** Counts rows for Prometheus. */
  metrics?: Metrics;
  /** Sends spans to a collector. */
  spans?: Exporter;
  /** Is told what was lost. */
  losses: Losses;
  /** The prices. Absent if no option asks for costs. */
  prices?: PriceBook;
}

/**
 * The store of rows.
 *
 * @param number The number of the error in Cloudflare's API, where its clients ask.
 * @throws GatewayError `not_found` if the gateway keeps no rows.
 */
export function logsOf(journal: Journal | undefined, number?: number): Logs {
  if (journal?.logs) return journal.logs;
  const message = "Cannot read rows: the gateway keeps no rows; set the option logs, or SLUICE_LOGS";
  throw new GatewayError("not_found", message, { ...(number !== undefined && { number }) });
}

/** The state of a request whose answer begins. */
export interface Begun {
  request: Request;
  /** The path of its URL. */
  path: string;
  response: Response;
  id: string;
  upstreamId?: string;
  report: Report;
  started: { at: number; timer: number };
  context?: RuntimeContext;
}

/** The cost of a request's answer. @param headers The client's headers. */
function costIn(
  headers: Headers,
  { provider, model, cache }: Report,
  seen: Seen | undefined,
  prices: PriceBook,
): Pick<LogEntry, "cost" | "price"> {
  if (cache === "HIT") return { cost: 0 };
  const custom = headers.get("cf-aig-custom-cost");
  const models = [model, seen?.model];
  return priceOf({ provider, models, usage: seen?.usage, tier: seen?.tier, custom }, prices);
}

/**
 * Sets the cost of a whole answer in its header `sluice-cost: 0.00125; estimate; price=table`, in US dollars. `estimate` is
 * missing if the provider tells the cost. The value is `unknown` if there are tokens but no price. Streams, and long or slow
 * answers, have no such header, because their headers are sent before their tokens are known. An answer from the cache costs 0.
 *
 * @returns The same answer.
 */
export async function withCost(
  response: Response,
  { headers }: Request,
  report: Report,
  prices: PriceBook,
): Promise<Response> {
  const { observer } = report;
  if (report.cache === "HIT") {
    response.headers.set("sluice-cost", "0");
    return response;
  }
  if (!observer || response.status >= 400 || isStream(response.headers)) return response;
  const whole = observer.seen.end === undefined ? await readSoon(response) : response;
  const { usage, end } = observer.seen;
  if (!usage || end !== "whole") return whole;
  await prices.load();
  const { cost, price } = costIn(headers, report, observer.seen, prices);
  whole.headers.set("sluice-cost", costHeader(cost, price));
  return whole;
}

/** The value of `sluice-cost`. JavaScript would write a small number with an exponent. */
function costHeader(cost: LogEntry["cost"], price: LogEntry["price"]): string {
  if (cost === undefined || cost === null) return "unknown";
  const amount = cost.toFixed(10).replace(/\.?0+$/, "");
  return price === "provider" ? `${amount}; price=provider` : `${amount}; estimate; price=${price}`;
}

/**
 * Passes on the row of a request when it has ended: at once, or at the end of an answer that is still being sent.
 *
 * @param clock The gateway's clock and timer.
 */
export function tellEnd(
  { log, logs, metrics, spans, losses, prices }: Journal,
  { now, timer }: { now: () => number; timer: () => number },
  { request, path, response, id, upstreamId, report, started, context }: Begun,
): void {
  const { headers, method } = request;
  const { status } = response;
  const written = report.metadata ?? headers.get("cf-aig-metadata");
  const left: string[] = [];
  const told = written === null ? undefined : readMetadata(written, left);
  // The operator's entries win over the client's.
  const metadata = report.keyMetadata ? { ...told, ...report.keyMetadata } : told;
  if (left.length > 0) response.headers.append("sluice-dropped", headerList(left));
  const isAsked = report.forModel && !report.explained;
  const isCollected = report.forModel && !isOff(headers, "cf-aig-collect-log");
  const isKept = logs !== undefined && isCollected;
  const isTraced = spans !== undefined && report.trace !== undefined && isAsked && isCollected;
  const isCounted = metrics !== undefined && isAsked;
  const base = {
    request: { method, path, headers },
    response: { status, headers: response.headers },
    id,
    upstreamId,
    report,
    started,
    metadata,
  };

  // Nothing was spent on an explanation, whatever its header `cf-aig-custom-cost` says.
  const isPriced = prices !== undefined && !report.explained;

  function rowOf(seen: Seen | undefined, ended: { at: number; timer: number }): LogEntry {
    return logEntry({
      ...base,
      seen,
      now: ended,
      cost: isPriced ? costIn(headers, report, seen, prices) : {},
    });
  }

  function keep(row: LogEntry, seen: Seen | undefined, timer: number): Promise<void> | undefined {
    const operation = report.operation ?? operationOf(row.path);
    if (isCounted) {
      const { cache, limitedBy } = report;
      metrics.add(row, { operation, responseModel: seen?.model?.slice(0, 200), cache, limitedBy });
    }
    if (isTraced) {
      spans.add(spansOf({ row, seen, trace: report.trace!, operation, started, ended: timer }), context);
    }
    if (!isKept) return undefined;
    const bodies = report.capture?.end(row);
    const kept = bodies && bodies.length > 0 ? { ...row, bodies: bodies.map(({ side }) => side) } : row;
    return logs.add([kept], bodies).catch(() => void losses.storeErrors++);
  }

  const tell = (seen?: Seen) => {
    const ended = { at: now(), timer: timer() };
    // A row with tokens waits for the table of prices before it is kept. The option `log` does not wait: while the table is
    // read, it gets rows without a cost.
    const loading = (isKept || isCounted || isTraced) && seen?.usage ? prices?.load() : undefined;
    const row = rowOf(seen, ended);
    try {
      const told = log?.(row);
      if (told instanceof Promise) keepAlive(told, context);
    } catch {
      // An error of the option `log` must not fail the answer.
    }
    const kept = loading
      ? loading.then(() => keep(rowOf(seen, ended), seen, ended.timer))
      : keep(row, seen, ended.timer);
    if (kept) keepAlive(kept, context);
  };
  // The answer has ended for the client when its last bytes were kept.
  const { observer, capture } = report;
  const whenKept = capture ? (seen?: Seen) => capture.whenSent(() => tell(seen)) : tell;
  if (observer) observer.whenEnded(whenKept);
  else whenKept();
}
