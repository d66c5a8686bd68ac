/** Sending a request to its provider. */
import { keyForm, setUnfixed, signWithKey } from "../../providers/sign/key.ts";
import type { Provider, Unsigned } from "../../providers/types.ts";
import { readAll } from "../../wires/streams/chunks.ts";
import { GatewayError } from "../../wires/errors.ts";
import { type Caller, credential, noStoredKey } from "../access/credentials.ts";
import type { KeyRing } from "../access/stored_keys.ts";
import type { Exchange } from "../exchange.ts";
import type { Report } from "../log/report.ts";
import type { LogAttempt } from "../stores/log_row.ts";
import type { Masks } from "../access/secrets.ts";
import { headersInit, type SentHeaders } from "./headers.ts";
import { maskFailure } from "./masked.ts";
import { withIdleLimit } from "../policies/held.ts";
import { stopwatch } from "../policies/timers.ts";

/**
 * Sends one request.
 *
 * @param init Made for this call: what is always the same is added to it.
 * @param signal Ends the request and the answer.
 * @param take What to do with the answer. (Rather than awaiting it in each caller: functions that wait for functions that
 * wait show in the cost of a small call.)
 * @throws GatewayError `upstream_unreachable`, `bad_upstream_answer`, or `invalid_request` for a streamed body that breaks
 * off; whatever was thrown when the signal has ended the request.
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
  // The provider chooses no host either: a redirect is never followed.
  init.signal = signal;
  init.redirect = "manual";
  const stop = stopwatch(exchange);
  const waited = report.waitedMs;
  let response: Response;
  try {
    response = await (provider.fetch ? provider.fetch(new Request(url, init)) : fetch(url, init));
  } catch (cause) {
    if (signal.aborted) throw cause;
    const words = wordsOf(cause);
    // A client that left while its body was sent on: Deno tells no signal.
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
  }
  if (attempt) attempt.status = response.status;
  if (signal.aborted) {
    // Not every fetch heeds its signal, and nobody will read this answer.
    response.body?.cancel().catch(() => {});
    throw signal.reason;
  }
  if (response.status < 200 || response.status > 599) {
    response.body?.cancel().catch(() => {});
    throw new GatewayError(
      "bad_upstream_answer",
      `${name} answered with ${response.status}, which is no status`,
    );
  }
  if (idleMs > 0) {
    const idle = () => new GatewayError("upstream_timeout", `${name} sent nothing for ${idleMs} ms`);
    response = withIdleLimit(response, idleMs, idle);
  }
  const taken = take(response);
  return taken instanceof Promise ? await taken : taken;
}

/** A request is shown with its first tries: a call in many parts has many. */
const MOST_ATTEMPTS = 20;

/** What is known of the try before is forgotten; this one is noted. */
function beginAttempt(report: Report, provider: string): LogAttempt | undefined {
  report.observer = report.passing = report.refusal = undefined;
  const attempts = report.attempts ??= [];
  if (attempts.length >= MOST_ATTEMPTS) return undefined;
  const attempt: LogAttempt = { provider, model: report.model?.slice(0, 200), ms: 0 };
  attempts.push(attempt);
  return attempt;
}

/** What errors of Bun's and Deno's network code are about. workerd's tell nothing. */
const REASONS: readonly [RegExp, string][] = [
  [/ECONNREFUSED|Connection refused/, "the connection was refused"],
  [/ENOTFOUND|EAI_AGAIN|dns error/, "its host was not found"],
  [/CERT|SIGNATURE|tls/i, "no secure connection could be made"],
  [/ECONNRESET|connection closed|reset by peer/i, "the connection was closed before an answer"],
];

/** All that a runtime's error says, without URLs. */
function wordsOf(cause: unknown): string {
  let text = "";
  for (let error = cause; error instanceof Error; error = error.cause) {
    text += `${(error as { code?: unknown }).code ?? ""} ${error.message} `;
  }
  return text.replaceAll(/\S+:\/\/\S+/g, "");
}

/** In words of ours: the runtime's are not for clients. */
const reasonIn = (words: string) =>
  REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? "no answer to the request";

/**
 * Reads the whole body of an answer.
 *
 * @param take What to do with it.
 * @param cutAt Bytes that are read of a longer one. Default: a longer one than the limit is an error.
 * @throws GatewayError `bad_upstream_answer` when it breaks or is too long; whatever was thrown when the client has left.
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
    // One native read is the cheapest, unless `body` was asked for before. What is packed may be longer than it is announced.
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

/** The provider's key that a client sent, without its scheme. */
export function clientKey({ keys }: Caller): string | undefined {
  for (const value of keys.values()) {
    const key = credential(value);
    // A credential of several words (`Basic …`, a signature) is for whoever stands before the gateway.
    if (!/\s/.test(key)) return key;
  }
  return undefined;
}

/**
 * Puts a key into a request as the provider wants it.
 *
 * @returns A promise only where signing has to wait.
 */
export const sign = (request: Unsigned, provider: Provider, key: string): Promise<void> | void =>
  (provider.sign ?? signWithKey)(request, provider, key);

/** With whose key a target is asked: the client's, or one of the gateway's. */
export interface Credentials {
  key?: string;
  keys?: KeyRing;
}

/** @param ownKey Whether the client's key may go to this provider. */
export function credentialsFor(
  { provider, alias }: { provider: Provider; alias?: string },
  exchange: Exchange,
  ownKey: boolean,
): Credentials {
  const own = ownKey ? clientKey(exchange.caller) : undefined;
  // A client that knows nothing of the operator's names sends the key of the provider that it believes to call.
  const isMeant = own === undefined || alias === undefined || !isKeyOfOther(own, provider, exchange);
  const key = isMeant ? own : undefined;
  return { key, keys: key === undefined ? storedKeys(provider, exchange) : undefined };
}

/** Whether a key has the form of another provider's: Anthropic's begin `sk-ant-`. */
function isKeyOfOther(key: string, provider: Provider, { config: { providers } }: Exchange): boolean {
  if (keyForm(provider, key)) return false;
  for (const other of providers.values()) if (keyForm(other, key)) return true;
  return false;
}

/** A request that `ask` sends. */
interface Question {
  target: { provider: Provider };
  url: string;
  headers: SentHeaders;
  /** What no answer to the current try repeats. */
  masks: Masks;
}

/**
 * Signs a JSON request and sends it once.
 *
 * @param take What to do with the answer; one that is an error no longer holds secrets.
 */
export function ask<T>(
  question: Question,
  body: BodyInit,
  { key, keys }: Credentials,
  signal: AbortSignal,
  exchange: Exchange,
  take: (upstream: Response) => T | Promise<T>,
): Promise<T> {
  const { target: { provider }, url, headers } = question;
  const stored = keys?.take();
  const sentKey = key ?? stored?.key;
  question.masks = exchange.config.masks(stored?.key);
  const go = () => {
    const init: RequestInit = { method: "POST", headers: headersInit(headers), body };
    return send(provider, url, init, signal, exchange, (upstream) => {
      stored?.report(upstream);
      return take(maskFailure(upstream, question.masks));
    });
  };
  if (sentKey === undefined) return go();
  const signed = sign({ method: "POST", url, headers, body }, provider, sentKey);
  return signed ? signed.then(go) : go();
}

/** Writes a client's key as it came, but for one that the provider takes in another header only. */
export function sendKey(headers: SentHeaders, provider: Provider, name: string, value: string): void {
  const key = credential(value);
  if (keyForm(provider, key)) signWithKey({ headers }, provider, key);
  else setUnfixed(headers, provider, name, value);
}

/**
 * The stored keys for a caller that brought no key of its own. Those of a caller that may not use them refuse each try:
 * without a key the provider would, in words that do not say what is missing here.
 *
 * @throws GatewayError `unknown_key_alias`.
 */
export function storedKeys(provider: Provider, { config, caller, headers }: Exchange): KeyRing | undefined {
  // A provider built in needs none.
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
