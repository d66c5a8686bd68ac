/** The trace of one request: where it belongs, and its attempts. */
import type { Asked } from "./asked.ts";

/** A request that is traced. */
export interface Trace {
  /** 32 hex digits. */
  readonly id: string;
  /** The id of the request's own span: 16 hex digits. */
  readonly span: string;
  /** The client's span, if the client has a trace. */
  readonly parent?: string;
  /** The client's `tracestate`. */
  readonly state?: string;
  /** The first attempts. */
  readonly attempts: TracedAttempt[];
  /** The settings in the request's body, as far as they were read. */
  asked?: Asked;
}

/** One attempt, with its times by the gateway's timer. */
export interface TracedAttempt {
  /** The id of its span. */
  readonly span: string;
  readonly provider: string;
  readonly model?: string;
  /** The URL that was asked. */
  readonly url: string;
  readonly began: number;
  /** When its answer began, or failed to. */
  ended?: number;
  status?: number;
  /** The code of the error, if no answer came. */
  error?: string;
}

/** The most attempts of a request that are traced. */
const MOST_ATTEMPTS = 20;

/** Long values of `tracestate` are left out. W3C asks for at least 512 characters. */
const LONGEST_STATE = 512;

/** E.g. `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. A later version may add parts. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Ids of zeros only are not ids. */
const isId = (text: string) => !/^0+$/.test(text);

interface Parent {
  id: string;
  parent?: string;
  state?: string;
  /** Whether the client records its own spans. */
  isSampled: boolean;
}

/** The client's trace. Cloudflare's headers win over `traceparent`. Malformed ones are ignored. */
function parentIn(headers: Headers): Parent | undefined {
  const id = hexIn(headers.get("cf-aig-otel-trace-id"), 32);
  if (id) return { id, parent: hexIn(headers.get("cf-aig-otel-parent-span-id"), 16), isSampled: true };
  const [, , trace, parent, flags] = traceparentIn(headers) ?? [];
  if (trace === undefined) return undefined;
  return { id: trace, parent, state: stateIn(headers), isSampled: (parseInt(flags, 16) & 1) === 1 };
}

/**
 * The client's `traceparent` and its parts, if it is a valid one.
 *
 * @see https://www.w3.org/TR/trace-context-2/#traceparent-header (2026-11)
 */
function traceparentIn(headers: Headers): RegExpExecArray | undefined {
  const found = TRACEPARENT.exec(headers.get("traceparent")?.trim() ?? "");
  if (!found) return undefined;
  const [, version, trace, parent, , more] = found;
  const isVersion = version === "00" ? more === undefined : version !== "ff";
  return isVersion && isId(trace) && isId(parent) ? found : undefined;
}

/** The client's `tracestate`, if it can be handed on. */
function stateIn(headers: Headers): string | undefined {
  const state = headers.get("tracestate")?.trim();
  return state && state.length <= LONGEST_STATE && /^[\x20-\x7e]+$/.test(state) ? state : undefined;
}

function hexIn(value: string | null, length: number): string | undefined {
  const text = value?.trim().toLowerCase() ?? "";
  return text.length === length && /^[\da-f]+$/.test(text) && isId(text) ? text : undefined;
}

/**
 * Begins the trace of a request. Without a trace of the client's, its id is that of the request's row, so that each leads to the
 * other.
 *
 * @param id The id of the request: a UUID.
 * @returns `undefined` if the client has a trace that it does not record.
 */
export function beginTrace(headers: Headers, id: string): Trace | undefined {
  const hex = id.replaceAll("-", "");
  const client = parentIn(headers);
  if (client && !client.isSampled) return undefined;
  const { id: trace = hex, parent, state } = client ?? {};
  return { id: trace, span: hex.slice(16), parent, state, attempts: [] };
}

/**
 * The headers that hand a trace on to a provider: the attempt's span, or the client's own trace if the request is not traced.
 *
 * @param headers The client's.
 */
export function traceHeaders(
  trace: Trace | undefined,
  attempt: TracedAttempt | undefined,
  headers: Headers,
): Record<string, string> {
  if (trace) {
    const traceparent = `00-${trace.id}-${attempt?.span ?? trace.span}-01`;
    return trace.state ? { traceparent, tracestate: trace.state } : { traceparent };
  }
  const [traceparent] = traceparentIn(headers) ?? [];
  if (traceparent === undefined) return {};
  const state = stateIn(headers);
  return state ? { traceparent, tracestate: state } : { traceparent };
}

/** Begins an attempt. @returns `undefined` if there are many attempts already. */
export function beginAttempt(
  { attempts }: Trace,
  attempt: Pick<TracedAttempt, "provider" | "model" | "url" | "began">,
): TracedAttempt | undefined {
  if (attempts.length >= MOST_ATTEMPTS) return undefined;
  const traced: TracedAttempt = { span: crypto.randomUUID().replaceAll("-", "").slice(16), ...attempt };
  attempts.push(traced);
  return traced;
}
