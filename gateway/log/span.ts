/**
 * Writes the spans of a request in OTLP's JSON: ids in hex, integers of 64 bits as text, enums as numbers.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (2026-11)
 */
import type { LogEntry } from "../stores/log_row.ts";
import { FRACTIONS, NAMES, providerName } from "./gen_ai_names.ts";
import { errorTypeOf } from "./metrics.ts";
import type { Seen } from "./observe.ts";
import type { Trace, TracedAttempt } from "./trace.ts";

/** The request that spans are written for. */
export interface Traced {
  row: LogEntry;
  seen?: Seen;
  trace: Trace;
  operation: string;
  /** When it began: milliseconds since 1970, and by the gateway's timer. */
  started: { at: number; timer: number };
  /** When it ended, by the gateway's timer. */
  ended: number;
}

type Value = string | number | boolean | readonly string[] | undefined;

/** The kind of a span that asks another server. */
const CLIENT = 3;

const ERROR = 2;

/** The spans of a request as JSON texts: its own, which covers all attempts, and one for each attempt. */
export function spansOf(traced: Traced): string[] {
  const { attempts } = traced.trace;
  return [
    JSON.stringify(requestSpan(traced)),
    ...attempts.map((attempt, at) => JSON.stringify(attemptSpan(traced, attempt, at))),
  ];
}

function requestSpan({ row, seen, trace, operation, started, ended }: Traced): object {
  const errorType = errorTypeOf(row);
  const last = trace.attempts.at(-1);
  return {
    traceId: trace.id,
    spanId: trace.span,
    ...(trace.parent && { parentSpanId: trace.parent }),
    ...(trace.state && { traceState: trace.state }),
    name: row.model ? `${operation} ${row.model}` : operation,
    kind: CLIENT,
    startTimeUnixNano: nanos(started.at),
    endTimeUnixNano: nanos(started.at + ended - started.timer),
    attributes: attributesOf({
      [NAMES.operation]: operation,
      [NAMES.provider]: row.provider && providerName(row.provider),
      ...requestAttributes(row, trace),
      ...answerAttributes(row, seen),
      ...(last && placeOf(last.url)),
      [NAMES.errorType]: errorType,
    }, row.metadata),
    status: errorType === undefined ? {} : { code: ERROR, message: messageOf(row) },
  };
}

/** The gateway's own message. A provider's may quote the prompt, so it is in no row. */
const messageOf = ({ error }: LogEntry) => error && "message" in error ? error.message : undefined;

const requestAttributes = (row: LogEntry, { asked = {} }: Trace): Record<string, Value> => ({
  [NAMES.requestModel]: row.model,
  [NAMES.stream]: asked.stream ?? (row.stream || undefined),
  [NAMES.maxTokens]: asked.maxTokens,
  [NAMES.temperature]: asked.temperature,
  [NAMES.topP]: asked.topP,
  [NAMES.topK]: asked.topK,
  [NAMES.frequencyPenalty]: asked.frequencyPenalty,
  [NAMES.presencePenalty]: asked.presencePenalty,
  [NAMES.seed]: asked.seed,
  [NAMES.choices]: asked.choices,
  [NAMES.reasoning]: asked.reasoning,
  [NAMES.conversation]: asked.conversation,
  [NAMES.previousResponse]: asked.previousResponse,
  [NAMES.path]: row.path,
  [NAMES.userAgent]: row.userAgent,
  "sluice.log.id": row.id,
  "sluice.account": row.account,
  "sluice.gateway": row.gateway,
  "sluice.token": row.token,
  "sluice.event.id": row.eventId,
  "sluice.dropped": row.dropped,
  "sluice.tries": row.tries,
});

const answerAttributes = (row: LogEntry, seen: Seen | undefined): Record<string, Value> => ({
  [NAMES.status]: row.status,
  [NAMES.responseId]: seen?.id?.slice(0, 200),
  [NAMES.responseModel]: seen?.model?.slice(0, 200),
  [NAMES.finishReasons]: row.finishReason && [row.finishReason],
  [NAMES.firstChunk]: row.firstTokenMs === undefined ? undefined : row.firstTokenMs / 1000,
  [NAMES.inputTokens]: row.inputTokens,
  [NAMES.outputTokens]: row.outputTokens,
  [NAMES.cacheRead]: row.cacheReadTokens,
  [NAMES.cacheWrite]: row.cacheWriteTokens,
  [NAMES.cacheCreation]: row.cacheWriteTokens,
  [NAMES.reasoningTokens]: row.reasoningTokens,
  [NAMES.audioInput]: seen?.usage?.audioIn || undefined,
  [NAMES.audioOutput]: seen?.usage?.audioOut || undefined,
  [NAMES.cost]: row.cost ?? undefined,
  "sluice.cost.source": row.price,
});

/**
 * The span of an attempt. It has no `gen_ai` attributes: programs that add up tokens and calls would count it as another call.
 */
function attemptSpan(
  { row, trace, started, ended }: Traced,
  { span, provider, model, url, began, ended: answered = ended, status, error }: TracedAttempt,
  at: number,
): object {
  const nanosOf = (time: number) => nanos(started.at + time - started.timer);
  const isLast = at === trace.attempts.length - 1;
  const errorType = error ?? (status !== undefined && status >= 400 ? `${status}` : undefined) ??
    (isLast ? errorTypeOf(row) : undefined);
  return {
    traceId: trace.id,
    spanId: span,
    parentSpanId: trace.span,
    ...(trace.state && { traceState: trace.state }),
    name: row.method,
    kind: CLIENT,
    startTimeUnixNano: nanosOf(began),
    // The answer of the last attempt is the client's answer.
    endTimeUnixNano: nanosOf(isLast ? ended : answered),
    attributes: attributesOf({
      [NAMES.method]: row.method,
      [NAMES.status]: status,
      [NAMES.resend]: at || undefined,
      ...placeOf(url),
      [NAMES.errorType]: errorType,
      "sluice.provider": provider,
      "sluice.model": model,
    }),
    status: errorType === undefined ? {} : { code: ERROR },
  };
}

/** The host and port of a URL. Its path and its query are left out: some keys stand there. */
function placeOf(url: string): Record<string, Value> {
  if (!URL.canParse(url)) return {};
  const { hostname, port, protocol } = new URL(url);
  return {
    [NAMES.serverAddress]: hostname,
    [NAMES.serverPort]: Number(port || (protocol === "http:" ? 80 : 443)),
  };
}

/**
 * A time in nanoseconds since 1970, as text: JavaScript's numbers cannot hold it.
 *
 * @param ms Milliseconds since 1970.
 */
function nanos(ms: number): string {
  const whole = Math.floor(ms);
  return `${BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))}`;
}

/**
 * Attributes in OTLP's JSON. Those without a value are left out.
 *
 * @param metadata The client's, under its own names. It may neither replace an attribute nor add one to a name space of ours.
 */
export function attributesOf(
  values: Readonly<Record<string, Value>>,
  metadata: LogEntry["metadata"] = {},
): object[] {
  const attributes = Object.entries(values).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [{ key, value: written(key, value) }]
  );
  for (const [key, value] of Object.entries(metadata)) {
    if (Object.hasOwn(values, key) || /^(?:gen_ai|sluice)\./.test(key)) continue;
    attributes.push({ key: key.toWellFormed(), value: written(key, value) });
  }
  return attributes;
}

function written(key: string, value: NonNullable<Value>): object {
  if (typeof value === "string") return { stringValue: value.toWellFormed() };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && !FRACTIONS.has(key)
      ? { intValue: `${value}` }
      : { doubleValue: value };
  }
  return { arrayValue: { values: value.map((one) => written(key, one)) } };
}
