/** Who is told of requests when they have ended, and what they are told. */
import { headerList } from "../../wires/shared/header_text.ts";
import { keepAlive, type RuntimeContext } from "../context.ts";
import type { LogEntry } from "../stores/log_row.ts";
import type { Logs } from "../stores/store.ts";
import { isOff, logEntry } from "./entry.ts";
import { readMetadata } from "./metadata.ts";
import { readSoon } from "./read_soon.ts";
import type { Seen } from "./observe.ts";
import { type PriceBook, priceOf } from "./prices.ts";
import type { Report } from "./report.ts";

/** Who listens. */
export interface Journal {
  /** The option `log`. */
  log?: (entry: LogEntry) => unknown;
  /** Where rows are kept. */
  logs?: Logs;
  /** Absent where nobody asks for costs. */
  prices?: PriceBook;
}

/** What is known of a request when its answer begins. */
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

/** @param headers The client's. */
function costIn(
  headers: Headers,
  { provider, model }: Report,
  seen: Seen | undefined,
  prices: PriceBook,
): Pick<LogEntry, "cost" | "price"> {
  const custom = headers.get("cf-aig-custom-cost");
  const models = [model, seen?.model];
  return priceOf({ provider, models, usage: seen?.usage, tier: seen?.tier, custom }, prices);
}

/**
 * Tells the cost of a whole answer in its headers: `sluice-cost: 0.00125; estimate; price=table` in US dollars, without
 * `estimate` where the provider says it, and `unknown` where there are tokens and no price. A stream's headers are sent
 * before its tokens are known, and a long or slow answer's too.
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
  if (!observer || response.status >= 400 || isEvents(response)) return response;
  const whole = observer.seen.end === undefined ? await readSoon(response) : response;
  const { usage, end } = observer.seen;
  if (!usage || end !== "whole") return whole;
  await prices.load();
  const { cost, price } = costIn(headers, report, observer.seen, prices);
  whole.headers.set("sluice-cost", costHeader(cost, price));
  return whole;
}

const isEvents = ({ headers }: Response) =>
  /^[^;]*\bevent-?stream\b/i.test(headers.get("content-type") ?? "");

/** Without the exponent that a small number has in JavaScript. */
function costHeader(cost: LogEntry["cost"], price: LogEntry["price"]): string {
  if (cost === undefined || cost === null) return "unknown";
  const amount = cost.toFixed(10).replace(/\.?0+$/, "");
  return price === "provider" ? `${amount}; price=provider` : `${amount}; estimate; price=${price}`;
}

/**
 * Tells of a request when it has ended: at once, or at the end of an answer that still passes.
 *
 * @param clock The gateway's.
 */
export function tellEnd(
  { log, logs, prices }: Journal,
  { now, timer }: { now: () => number; timer: () => number },
  { request, path, response, id, upstreamId, report, started, context }: Begun,
): void {
  const { headers, method } = request;
  const { status } = response;
  const written = headers.get("cf-aig-metadata");
  const left: string[] = [];
  const metadata = written === null ? undefined : readMetadata(written, left);
  if (left.length > 0) response.headers.append("sluice-dropped", headerList(left));
  const isKept = logs !== undefined && report.forModel && !isOff(headers, "cf-aig-collect-log");
  const base = {
    request: { method, path, headers },
    response: { status, headers: response.headers },
    id,
    upstreamId,
    report,
    started,
    metadata,
  };

  function rowOf(seen: Seen | undefined, ended: { at: number; timer: number }): LogEntry {
    return logEntry({ ...base, seen, now: ended, cost: prices ? costIn(headers, report, seen, prices) : {} });
  }

  const tell = (seen?: Seen) => {
    const ended = { at: now(), timer: timer() };
    // A price is worth the wait for the table only where there are tokens. A listener waits for nothing: the rows of the
    // first requests, while the table is read, come to it without a cost.
    const loading = isKept && seen?.usage ? prices?.load() : undefined;
    const row = rowOf(seen, ended);
    try {
      const told = log?.(row);
      if (told instanceof Promise) keepAlive(told, context);
    } catch {
      // A listener that fails must not take the answer with it.
    }
    if (!isKept) return;
    keepAlive(loading ? loading.then(() => logs.add([rowOf(seen, ended)])) : logs.add([row]), context);
  };
  if (report.observer) report.observer.whenEnded(tell);
  else tell();
}
