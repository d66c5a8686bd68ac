/** Sends requests to providers. */
import { keyForm } from "../../providers/sign/key.ts";
import type { Places, Provider } from "../../providers/types.ts";
import { readAll } from "../../wires/streams/chunks.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { Call } from "../../wires/types.ts";
import { noStoredKey } from "../access/credentials.ts";
import type { KeyRing, TakenKey } from "../access/key_ring.ts";
import type { Exchange, Unsent } from "../exchange.ts";
import type { Report } from "../log/report.ts";
import { beginAttempt as traceAttempt, type Trace, type TracedAttempt, traceHeaders } from "../log/trace.ts";
import type { LogAttempt } from "../stores/log_row.ts";
import type { Masks } from "../access/secrets.ts";
import { clientKey, clientKeySet, readyKey } from "./client_keys.ts";
import { headersInit, type SentHeaders } from "./headers.ts";
import { maskFailure } from "./masked.ts";
import { sign, signAgain, unsigned } from "./signing.ts";
import { MOST_ATTEMPTS } from "../policies/attempt.ts";
import { withIdleLimit } from "../policies/held.ts";
import { stopwatch } from "../policies/timers.ts";

/**
 * Sends one request.
 *
 * @param init Must be made for this call, because `signal` and `redirect` are added to it.
 * @param signal Ends the request and the answer.
 * @param take Takes the answer. A callback, because another `await` in each caller shows in the cost of a small call.
 * @throws GatewayError `upstream_unreachable`, `bad_upstream_answer`, or `invalid_request` for a streamed body that breaks
 * off; the error of `fetch` if the signal has ended the request.
 */
export async function send<T>(
  provider: Provider,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
  exchange: Exchange,
  take: (answer: Response) => T | Promise<T>,
): Promise<T> {
  const { fetch, streamIdleTimeoutMs: idleMs } = exchange.config;
  const { name } = provider;
  const { report } = exchange;
  report.tries++;
  const attempt = report.listened ? beginAttempt(report, name) : undefined;
  const traced = report.trace && beginSpan(report.trace, exchange, name, url);
  // A redirect is never followed: a provider may not send the request to another host.
  init.signal = signal;
  init.redirect = "manual";
  if (provider.traces) sendTrace(init, exchange, traced);
  report.capture?.attempt(url, init);
  const stop = stopwatch(exchange);
  const waited = report.waitedMs;
  let response: Response;
  try {
    response = await (provider.fetch ? provider.fetch(new Request(url, init)) : fetch(url, init));
  } catch (cause) {
    if (traced) traced.error = signal.aborted ? endOf(signal.reason) : "upstream_unreachable";
    if (signal.aborted) throw cause;
    const words = wordsOf(cause);
    // The client left while its body was sent on. Deno does not abort the signal then.
    if (init.body instanceof ReadableStream && words.includes("Cannot read request body")) {
      throw new GatewayError("invalid_request", "Cannot read the request: its body broke off", { cause });
    }
    const metadata = { provider: name };
    throw new GatewayError("upstream_unreachable", `Cannot reach ${name}: ${reasonIn(words)}`, {
      metadata,
      cause,
    });
  } finally {
    stop();
    if (attempt) attempt.ms = Math.max(0, Math.round(report.waitedMs - waited));
    if (traced) traced.ended = exchange.config.timer();
  }
  if (attempt) attempt.status = response.status;
  if (traced) traced.status = response.status;
  if (signal.aborted) {
    // Some `fetch` functions ignore their signal. Nobody will read this answer.
    response.body?.cancel().catch(() => {});
    throw signal.reason;
  }
  checkStatus(response, name);
  if (idleMs > 0) {
    const idle = () => new GatewayError("upstream_timeout", `${name} sent nothing for ${idleMs} ms`);
    response = withIdleLimit(response, idleMs, idle);
  }
  const taken = take(response);
  return taken instanceof Promise ? await taken : taken;
}

/** @throws GatewayError `bad_upstream_answer` for a status that a `Response` cannot have. */
function checkStatus(response: Response, provider: string): void {
  const { status } = response;
  if (status >= 200 && status <= 599) return;
  response.body?.cancel().catch(() => {});
  const message = `${provider} answered with ${status}, which is not an HTTP status`;
  throw new GatewayError("bad_upstream_answer", message);
}

/** Clears the report of the attempt before, and adds this attempt to the row. */
function beginAttempt(report: Report, provider: string): LogAttempt | undefined {
  report.observer = report.passing = report.refusal = undefined;
  const attempts = report.attempts ??= [];
  if (attempts.length >= MOST_ATTEMPTS) return undefined;
  const attempt: LogAttempt = { provider, model: report.model?.slice(0, 200), ms: 0 };
  attempts.push(attempt);
  return attempt;
}

/** Hands the trace on to the provider. A value that holds a gateway token stays here, as in any other header. */
function sendTrace(
  init: RequestInit,
  { report, headers, config: { tokens } }: Exchange,
  traced: TracedAttempt | undefined,
): void {
  const sent = new Headers(init.headers);
  for (const [name, value] of Object.entries(traceHeaders(report.trace, traced, headers))) {
    if (!tokens.holds?.(value)) sent.set(name, value);
  }
  init.headers = sent;
}

/** Begins the span of an attempt. */
const beginSpan = (trace: Trace, { report, config }: Exchange, provider: string, url: string) =>
  traceAttempt(trace, { provider, model: report.model?.slice(0, 200), url, began: config.timer() });

/** Why an attempt was ended: by a time limit, or because the client has left. */
const endOf = (reason: unknown) => reason instanceof GatewayError ? reason.code : "client_left";

/** Patterns in the network errors of Bun and Deno, with the reason for the client. workerd's errors tell no reason. */
const REASONS: readonly [RegExp, string][] = [
  [/ECONNREFUSED|Connection refused/, "the connection was refused"],
  [/ENOTFOUND|EAI_AGAIN|dns error/, "its host was not found"],
  [/CERT|SIGNATURE|tls/i, "no secure connection could be made"],
  [/ECONNRESET|connection closed|reset by peer/i, "the connection was closed before an answer"],
];

/** The codes and messages of a runtime's error and its causes, without URLs. */
function wordsOf(cause: unknown): string {
  let text = "";
  for (let error = cause; error instanceof Error; error = error.cause) {
    text += `${(error as { code?: unknown }).code ?? ""} ${error.message} `;
  }
  return text.replaceAll(/\S+:\/\/\S+/g, "");
}

/** The reason in our own words, because the runtime's message may hold internals. */
const reasonIn = (words: string) =>
  REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? "no answer to the request";

/**
 * Reads the whole body of an answer.
 *
 * @param take Takes the text.
 * @param cutAt How many bytes of a longer body are read. Default: a body longer than `maxAnswerBytes` is an error.
 * @throws GatewayError `bad_upstream_answer` if the body breaks or is too long; the body's own error if the client has left.
 */
export async function readText<T>(
  upstream: Response,
  provider: Provider,
  exchange: Exchange,
  take: (text: string, isCut: boolean) => T,
  cutAt?: number,
): Promise<T> {
  const stop = stopwatch(exchange);
  const { maxAnswerBytes } = exchange.config.limits;
  const { headers } = upstream;
  let isCut = false;
  const onMore = () => {
    isCut = true;
    if (cutAt === undefined) throw tooLong(provider.name, maxAnswerBytes);
  };
  let text: string;
  try {
    // One native read is the cheapest, unless `body` was read before. A compressed body may become longer than it is announced.
    const announced = headers.has("content-encoding") ? NaN : Number(headers.get("content-length") ?? NaN);
    const most = cutAt ?? maxAnswerBytes;
    text = announced <= most || !upstream.body
      ? await upstream.text()
      : new TextDecoder().decode(await readAll(upstream.body, most, onMore));
  } catch (cause) {
    if (exchange.signal.aborted || cause instanceof GatewayError) throw cause;
    const metadata = { provider: provider.name };
    throw new GatewayError("bad_upstream_answer", `The answer of ${provider.name} broke off`, {
      metadata,
      cause,
    });
  } finally {
    stop();
  }
  return take(text, isCut);
}

const tooLong = (provider: string, most: number) =>
  new GatewayError("bad_upstream_answer", `The answer of ${provider} is longer than ${most} bytes`, {
    metadata: { provider },
  });

/** The key for a target: the client's, or one of the stored keys. */
export interface Credentials {
  key?: string;
  keys?: KeyRing;
}

/**
 * Chooses the key for a target.
 *
 * @param ownKey Whether the client's key may be sent to this provider.
 */
export function credentialsFor(
  { provider, alias }: { provider: Provider; alias?: string },
  exchange: Exchange,
  ownKey: boolean,
): Credentials {
  const own = ownKey ? clientKeySet(provider, exchange) ?? clientKey(exchange.caller) : undefined;
  // An operator's name may lead to another provider than the client believes. The client then sends a key of that provider.
  const isMeant = own === undefined || alias === undefined || !isKeyOfOther(own, provider, exchange);
  const key = isMeant ? own : undefined;
  return { key, keys: key === undefined ? storedKeys(provider, exchange) : undefined };
}

/** Whether a key has the form of another provider's keys: Anthropic's begin with `sk-ant-`. */
function isKeyOfOther(key: string, provider: Provider, { config: { providers } }: Exchange): boolean {
  if (keyForm(provider, key)) return false;
  for (const other of providers.values()) if (keyForm(other, key)) return true;
  return false;
}

/** A request that `ask` sends. */
interface Question {
  target: { provider: Provider; model: string };
  url: string;
  headers: SentHeaders;
  /** What the model names of places in the URL, for the signer. */
  places?: Places;
  /** The masks of the current attempt's answer. */
  masks: Masks;
  /** The client's fields that the target does not have. */
  dropped: string[];
  /** Absent if the body is handed through. */
  call?: Call;
}

/**
 * Signs a JSON request and sends it once.
 *
 * @param take Takes the answer. An error among them is masked already.
 */
export function ask<T>(
  question: Question,
  body: BodyInit,
  { key, keys }: Credentials,
  signal: AbortSignal,
  exchange: Exchange,
  take: (upstream: Response) => T | Promise<T>,
): Promise<T> {
  const go = () => askWith(question, body, { key, stored: keys?.take() }, signal, exchange, take);
  const making = keys && readyKey(keys, exchange, signal);
  return making ? making.then(go) : go();
}

function askWith<T>(
  question: Question,
  body: BodyInit,
  { key, stored }: { key?: string; stored?: TakenKey },
  signal: AbortSignal,
  exchange: Exchange,
  take: (upstream: Response) => T | Promise<T>,
): Promise<T> {
  const { target: { provider }, headers, places } = question;
  const sentKey = key ?? stored?.key;
  question.masks = exchange.config.masks(stored?.key);
  const url = provider.keyedUrl?.(question.url, provider, sentKey) ?? question.url;
  if (exchange.explain) {
    const { target: { model }, dropped, call } = question;
    const keyOf = key !== undefined ? "client" : stored && "gateway";
    const request = { provider, model, method: "POST", url, headers, body, key: sentKey, keyOf } as const;
    return unsent({ ...request, dropped, call }, exchange);
  }
  const request = unsigned({ method: "POST", url, headers, body, places }, exchange, signal);
  const go = (isFirst = true): Promise<T> => {
    if (request.minted !== undefined) question.masks = exchange.config.masks(stored?.key, request.minted);
    const init: RequestInit = { method: "POST", headers: headersInit(headers), body };
    return send(provider, url, init, signal, exchange, (upstream) => {
      const again = isFirst && signAgain(upstream, request, provider, sentKey);
      if (again) return again.then(() => go(false));
      stored?.report(upstream);
      return take(maskFailure(upstream, question.masks));
    });
  };
  const signed = sentKey !== undefined && sign(request, provider, sentKey, stored);
  return signed ? signed.then(() => go()) : go();
}

/** Passes a request on to the explainer. There is no answer, and nobody reads one. */
export function unsent<T>(
  request: Omit<Unsent, "headers"> & { headers: SentHeaders },
  exchange: Exchange,
): Promise<T> {
  const headers = new Headers(headersInit(request.headers));
  return exchange.explain!.take({ ...request, headers }, exchange) as Promise<T>;
}

/**
 * The stored keys for a caller that brought no key of its own. If the caller may not use them, taking one throws an error that
 * says which token is missing; the provider's own error would only say that there is no key.
 *
 * @throws GatewayError `unknown_key_alias`.
 */
export function storedKeys(provider: Provider, { config, caller, headers }: Exchange): KeyRing | undefined {
  // A built-in provider needs no key.
  if (provider.fetch) return undefined;
  if (caller.trusted) return config.keys.find(provider.name, headers.get("cf-aig-byok-alias"));
  if (!config.keys.has(provider.name)) return undefined;
  return {
    isFree: () => false,
    take() {
      throw noStoredKey(provider, caller, config.tokens);
    },
  };
}
