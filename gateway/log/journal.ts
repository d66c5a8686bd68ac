/** Who is told of requests when they have ended, and what they are told. */
import { keepAlive, type RuntimeContext } from "../context.ts";
import type { LogEntry } from "../stores/log_row.ts";
import type { Logs } from "../stores/store.ts";
import { logEntry } from "./entry.ts";
import { readMetadata } from "./metadata.ts";
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

/** Whether the client wants no row to be kept. */
const isPrivate = (headers: Headers) => /^\s*(?:false|0)\s*$/i.test(headers.get("cf-aig-collect-log") ?? "");

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
  if (left.length > 0) response.headers.append("sluice-dropped", left.join(", "));
  const isKept = logs !== undefined && report.forModel && !isPrivate(headers);
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
    const { provider, model } = report;
    const custom = headers.get("cf-aig-custom-cost");
    const models = [model, seen?.model];
    const priced = { provider, models, usage: seen?.usage, tier: seen?.tier, custom };
    return logEntry({ ...base, seen, now: ended, cost: prices ? priceOf(priced, prices) : {} });
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
