/** Makes the log row of a request that has ended. */
import type { WireError } from "../../wires/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { Report } from "./report.ts";
import type { Seen } from "./observe.ts";
import type { LogEntry, LogError, Metadata } from "../stores/log_row.ts";
import { answerTokens, promptTokens } from "../../wires/shared/usage.ts";

/** The state that a row is made of. */
export interface Ended {
  request: { method: string; path: string; headers: Headers };
  response: { status: number; headers: Headers };
  id: string;
  upstreamId?: string;
  report: Report;
  /** What the observer saw of the answer. Absent if no answer was observed. */
  seen?: Seen;
  started: { timer: number };
  now: { at: number; timer: number };
  metadata?: Metadata;
  cost: Pick<LogEntry, "cost" | "price">;
}

const MOST = { method: 32, path: 256, model: 200, message: 500, type: 64 };

/** The row of a request that has ended. */
export function logEntry(ended: Ended): LogEntry {
  const { request, response, id, upstreamId, report, seen, started, now, metadata, cost } = ended;
  const { status, headers } = response;
  const failure = failureOf(status, report, seen);
  const stream = isStream(headers);
  const { usage, firstAt } = seen ?? {};
  const model = report.model ?? seen?.model;
  return {
    time: new Date(now.at).toISOString(),
    level: failure?.level ?? "info",
    id,
    upstreamId: upstreamId?.slice(0, MOST.model),
    method: request.method.slice(0, MOST.method),
    path: withoutQuery(request.path).slice(0, MOST.path),
    status,
    provider: report.provider,
    model: model?.slice(0, MOST.model),
    route: report.route,
    durationMs: Math.max(0, Math.round(now.timer - started.timer)),
    firstTokenMs: stream && firstAt !== undefined
      ? Math.max(0, Math.round(firstAt - started.timer))
      : undefined,
    stream,
    inputTokens: usage && promptTokens(usage),
    outputTokens: usage && answerTokens(usage),
    cacheReadTokens: usage?.cacheRead || undefined,
    cacheWriteTokens: usage?.cacheWrite || undefined,
    reasoningTokens: usage?.reasoning || undefined,
    ...cost,
    finishReason: seen?.stop,
    account: report.account,
    gateway: report.gateway,
    token: report.token,
    metadata,
    eventId: (report.eventId ?? request.headers.get("cf-aig-event-id"))?.slice(0, MOST.model),
    userAgent: request.headers.get("user-agent")?.slice(0, MOST.model),
    dropped: headers.get("sluice-dropped")?.slice(0, MOST.message),
    cached: report.cache === "HIT" || undefined,
    tries: report.tries,
    attempts: report.attempts,
    payload: isOff(request.headers, "cf-aig-collect-log-payload") ? false : undefined,
    requestType: typeOf(request.headers),
    responseType: typeOf(headers),
    explained: report.explained,
    step: report.place ?? report.step,
    error: failure?.error,
  };
}

/** Whether one of the client's headers is `false` or `0`. */
export const isOff = (headers: Headers, name: string): boolean =>
  /^\s*(?:false|0)\s*$/i.test(headers.get(name) ?? "");

/** Whether an answer is a stream of events, in any framing: AWS labels its own `application/vnd.amazon.eventstream`. */
export const isStream = (headers: Headers): boolean =>
  /^[^;]*\bevent-?stream\b/i.test(headers.get("content-type") ?? "");

/** The content type without parameters: `text/event-stream` of `text/event-stream; charset=utf-8`. */
const typeOf = (headers: Headers): string | undefined =>
  headers.get("content-type")?.split(";", 1)[0].trim().toLowerCase().slice(0, MOST.type) || undefined;

function failureOf(
  status: number,
  { failure, refusal, provider }: Report,
  seen: Seen | undefined,
): { level: "warn" | "error"; error?: LogError } | undefined {
  if (failure) return { level: status < 500 && status >= 400 ? "warn" : "error", error: ours(failure) };
  const said = refusal ?? seen?.error;
  if (said) return { level: "error", error: theirs(said, status) };
  if (seen?.end === "left") {
    const message = "The client left before its answer was finished";
    return { level: "warn", error: { code: "client_left", message } };
  }
  if (seen?.end === "broken") {
    const { cause } = seen;
    const error = cause instanceof GatewayError
      ? { code: cause.code, message: cause.message }
      : { code: "upstream_broke_off", message: `The answer of ${provider} broke off` };
    return { level: "error", error: ours(error) };
  }
  return status >= 400 ? { level: "error", error: { status } } : undefined;
}

/** Our own message, cut, and without the query of any URL in it: it may quote a path that the client wrote. */
const ours = ({ code, message }: { code: string; message: string }) => ({
  code,
  message: message.slice(0, MOST.message).replaceAll(/(?:\?|%(?:25)*3f)[^\s"?]+/gi, "?…"),
});

/** A path without its query. Some clients write the `?` percent-encoded, or `;key=…` in its place. */
const withoutQuery = (path: string) => path.replace(/(?:;|%(?:25)*(?:3b|3f)).*$/is, "…");

function theirs({ status, type, code }: WireError, answered: number): LogError {
  return { status: status ?? (answered >= 400 ? answered : undefined), type: word(type), code: word(code) };
}

/**
 * A provider's type or code of an error, if it looks like one: `rate_limit_exceeded`, `INVALID_ARGUMENT`, `1301`. A text that
 * may be a key or a sentence becomes `undefined`.
 */
function word<T extends string | number>(name: T | null | undefined): T | undefined {
  if (typeof name === "number") return name;
  return name && /^(?:\d{1,6}|[A-Za-z_.]{1,64}|[A-Za-z_.]{1,40}\d{1,4}[A-Za-z_.]{0,20})$/.test(name)
    ? name
    : undefined;
}
