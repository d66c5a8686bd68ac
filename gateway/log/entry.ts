/** What is told of one request when it has ended. */
import type { WireError } from "../../wires/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { Report } from "../exchange.ts";
import type { Seen } from "./observe.ts";

/** One row about one request, made when it has ended. Never holds keys, prompts, answers or a query. */
export interface LogEntry {
  /** When it ended, e.g. `2026-11-28T12:03:41.120Z`. */
  time: string;
  /** `warn` for a failure of the client, also one that left; `error` for one of the provider or of the gateway. */
  level: "info" | "warn" | "error";
  /** That of the answer's `cf-aig-log-id`. */
  id: string;
  /** What the provider calls the request, where it says so. */
  upstreamId?: string;
  /** Of the request, e.g. `POST`. */
  method: string;
  /** Without its query; its first 256 characters. */
  path: string;
  /** Of the answer. A stream that fails later has said 200 by then. */
  status: number;
  /** Row that the request was for, where that is known. */
  provider?: string;
  /** The provider's name for the model, where that is known. */
  model?: string;
  /** Milliseconds from the request to the end of its answer. */
  durationMs: number;
  /** Milliseconds until the first content of a stream. */
  firstTokenMs?: number;
  /** The answer was an event stream. */
  stream: boolean;
  /** Tokens of the prompt, where the answer told them: cached ones too. */
  inputTokens?: number;
  /** Tokens of the answer, where it told them: those of its reasoning too. */
  outputTokens?: number;
  /** Requests that were sent to providers. */
  tries: number;
  /** Index of the step that answered, or was the last to be tried. */
  step: number;
  /** What went wrong, if anything did. */
  error?: LogError;
}

/**
 * What went wrong: the gateway's own words, or of a provider's error its status, type and code. Its message is not told,
 * for providers quote prompts and keys.
 */
export type LogError =
  | { code: string; message: string }
  | { status?: number; type?: string; code?: string | number };

/** What a row is made of. */
export interface Ended {
  request: { method: string; path: string };
  response: { status: number; headers: Headers };
  id: string;
  upstreamId?: string;
  report: Report;
  /** Absent for an answer that did not pass through. */
  seen?: Seen;
  started: { timer: number };
  now: { at: number; timer: number };
}

const MOST = { path: 256, model: 200, message: 500 };

/** The row of a request that has ended. */
export function logEntry({ request, response, id, upstreamId, report, seen, started, now }: Ended): LogEntry {
  const { status, headers } = response;
  const failure = failureOf(status, report, seen);
  const stream = /^[^;]*\bevent-?stream\b/i.test(headers.get("content-type") ?? "");
  const { usage, firstAt } = seen ?? {};
  const model = report.model ?? seen?.model;
  return {
    time: new Date(now.at).toISOString(),
    level: failure?.level ?? "info",
    id,
    upstreamId: upstreamId?.slice(0, MOST.model),
    method: request.method,
    path: request.path.slice(0, MOST.path),
    status,
    provider: report.provider,
    model: model?.slice(0, MOST.model),
    durationMs: Math.max(0, Math.round(now.timer - started.timer)),
    firstTokenMs: stream && firstAt !== undefined
      ? Math.max(0, Math.round(firstAt - started.timer))
      : undefined,
    stream,
    inputTokens: usage && usage.input + usage.cacheRead + usage.cacheWrite + usage.audioIn,
    outputTokens: usage && usage.output + usage.reasoning + usage.audioOut,
    tries: report.tries,
    step: report.step,
    error: failure?.error,
  };
}

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

/** A message of ours may quote what the client wrote: a URL in it goes without its query. */
const ours = ({ code, message }: { code: string; message: string }) => ({
  code,
  message: message.slice(0, MOST.message).replaceAll(/\?[^\s"?]+/g, "?…"),
});

function theirs({ status, type, code }: WireError, answered: number): LogError {
  return { status: status ?? (answered >= 400 ? answered : undefined), type: word(type), code: word(code) };
}

/**
 * A provider's name for an error, if it looks like one: `rate_limit_exceeded`, `INVALID_ARGUMENT`, `1301`. A key or a
 * sentence does not.
 */
function word<T extends string | number>(name: T | null | undefined): T | undefined {
  if (typeof name === "number") return name;
  return name && /^(?:\d{1,6}|[A-Za-z_.]{1,64}|[A-Za-z_.]{1,40}\d{1,4}[A-Za-z_.]{0,20})$/.test(name)
    ? name
    : undefined;
}
