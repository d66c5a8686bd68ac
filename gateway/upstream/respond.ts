/** From a provider's answer to the client's. */
import { collector } from "../../wires/streams/collect.ts";
import { GatewayError } from "../../wires/errors.ts";
import {
  type AnswerDefaults,
  type AnswerForm,
  chunkWriter,
  openaiChat,
  writeAnswer,
} from "../../wires/openai_chat/mod.ts";
import { brokenOff, eventTooLong } from "../../wires/streams/broken_off.ts";
import { EventTooLong, sseReader } from "../../wires/streams/sse.ts";
import { isOverflow } from "../../wires/shared/overflow.ts";
import type { Begun } from "../../wires/streams/begun.ts";
import { translate, translation, type Watch } from "../../wires/streams/translate.ts";
import { object, parse, parseExact } from "../../wires/shared/json.ts";
import type { Emit, JsonObject, ProviderWire, StreamReader, WireError } from "../../wires/types.ts";
import { errorResponse } from "./error_response.ts";
import type { Outgoing } from "./prepare.ts";
import type { Exchange } from "../exchange.ts";
import { headerList, responseHeaders } from "./headers.ts";
import { type Observer, observer } from "../log/observe.ts";
import { saysError } from "../../wires/streams/begun.ts";
import { EVENTS, peekEvents, peekText } from "../policies/held.ts";
import { waiting } from "../policies/timers.ts";
import { keyMask, maskObject } from "../access/secrets.ts";
import { conformed, conforms } from "./conform.ts";
import { readText } from "./send.ts";

const JSON_TYPE = "application/json", EVENTS_TYPE = "text/event-stream";
const OVERFLOW_CODE = "context_length_exceeded";

/** Bytes that are read of an error's body: the longest that a provider's page shows is 3 kB. A longer one is cut. */
const ERROR_BYTES = 64 * 1024;

/** Characters of an answer we could not read that an error quotes. */
const QUOTED = 500;

/**
 * The client's response to what the provider answered.
 *
 * @param begun Takes what is read of it on the way. Absent where nobody else looks at it before it is passed on.
 * @throws GatewayError `bad_upstream_answer` for a redirect, or for text where JSON was due.
 */
export function respond(
  upstream: Response,
  outgoing: Outgoing,
  exchange: Exchange,
  begun?: Begun,
): Promise<Response> | Response {
  const { status } = upstream;
  if (status >= 300 && status < 400) {
    upstream.body?.cancel().catch(() => {});
    throw new GatewayError(
      "bad_upstream_answer",
      `${outgoing.target.provider.name} answered with a redirect (${status})`,
      {
        metadata: { status },
      },
    );
  }
  if (status >= 400) return respondError(upstream, outgoing, exchange);
  const { provider, model } = outgoing.target;
  const { wire } = provider;
  if (!wire.same) return rewriteBack(upstream, outgoing, wire, exchange, begun);
  const alone = begun === undefined;
  if (!provider.conform || !conforms(provider.conform, model)) {
    return handBack(upstream, outgoing, exchange, alone);
  }
  const id = `chatcmpl-${randomText(exchange)}`;
  return conformed(upstream, outgoing, exchange, id).then((mended) =>
    handBack(mended, outgoing, exchange, alone)
  );
}

/** The provider's headers as the client may see them, and what could not be sent to the provider. */
function headersFor({ headers }: Response, { dropped, storedKey }: Outgoing, out = new Headers()): Headers {
  responseHeaders(headers, out, storedKey);
  if (dropped.length > 0) out.set("sluice-dropped", headerList(dropped));
  return out;
}

/**
 * An answer with the provider's status and headers.
 *
 * @param type Its content type. Default: the provider's.
 */
function answerWith(body: BodyInit | null, upstream: Response, outgoing: Outgoing, type?: string): Response {
  // Written into the headers that it has: a response made with headers copies them.
  const response = new Response(body, { status: upstream.status });
  headersFor(upstream, outgoing, response.headers);
  if (type) response.headers.set("content-type", type);
  return response;
}

// ---------------------------------------------------------------- errors

/** OpenAI's own error body goes back byte for byte; any other is read by the wire and written as OpenAI's. */
function respondError(upstream: Response, outgoing: Outgoing, exchange: Exchange): Promise<Response> {
  const { report } = exchange;
  const { target: { provider } } = outgoing;
  const { name, wire } = provider;
  const { status } = upstream;
  return readText(upstream, provider, exchange, (text, isCut) => {
    const body = parse(text);
    if (wire.same && isOpenAIError(body) && !isNamelessOverflow(body.error)) {
      report.refusal = body.error;
      return answerWith(text, upstream, outgoing, JSON_TYPE);
    }
    const headers = headersFor(upstream, outgoing);
    if (body === undefined && status >= 500 && !isCut) throw notJson(name, status, text, headers);
    const error = wire.readError(status, body ?? text.slice(0, QUOTED));
    report.refusal = { ...error, status };
    const requestId = headers.get("request-id") ?? headers.get("x-request-id");
    const metadata = { ...error.metadata, provider: name, ...(requestId && { request_id: requestId }) };
    return errorResponse({ ...error, metadata, status }, headers);
  }, ERROR_BYTES);
}

/** A prompt that does not fit, told in words alone: clients that shorten it look for OpenAI's code. */
const isNamelessOverflow = ({ message, code }: { message: string; code?: string | null }) =>
  code !== OVERFLOW_CODE && isOverflow(message, code);

function isOpenAIError(body: unknown): body is { error: { message: string; code?: string | null } } {
  const error = (body as { error?: { message?: unknown } } | undefined)?.error;
  return typeof error === "object" && error !== null && typeof error.message === "string";
}

/** @param headers The provider's, as the client may see them: limits and request ids matter here most of all. */
function notJson(provider: string, status: number, text: string, headers: Headers): GatewayError {
  return new GatewayError(
    "bad_upstream_answer",
    `${provider} answered ${status} with something that is not JSON`,
    { metadata: { provider, status, body: text.slice(0, QUOTED) }, headers: Object.fromEntries(headers) },
  );
}

// ---------------------------------------------------------------- the same wire

/** A JSON answer that is announced to be longer is handed through unseen: one that says nothing is shorter. */
const LEAST_BYTES = 256;

/** Bytes of another answer that are looked at before it is passed on: most answers are whole by then. */
const LOOKED_BYTES = 64 * 1024;

/**
 * Hands the provider's bytes through untouched.
 *
 * @param alone Nobody else looks at the answer before it is passed on, so one that may say nothing is looked at here. A
 * stream that is labelled as one is not: it would cost every stream.
 * @throws GatewayError `bad_upstream_answer` for none: to a client a success without an answer is a crash.
 */
function handBack(
  upstream: Response,
  outgoing: Outgoing,
  exchange: Exchange,
  alone: boolean,
): Promise<Response> | Response {
  const { headers, body } = upstream;
  const length = headers.get("content-length");
  if (!body || length === "0") throw nothingIn(upstream, outgoing);
  const response = answerWith(body, upstream, outgoing);
  const { report } = exchange;
  if (report.listened) {
    const provider = outgoing.target.provider.name;
    report.passing = { provider, format: openaiChat, mustBegin: true, storedKey: outgoing.storedKey };
  }
  // What is built in answers as it means to.
  if (!alone || outgoing.target.provider.fetch) return response;
  const kind = contentKind(headers);
  if (kind === "events" || kind === "json" && Number(length) > LEAST_BYTES) return response;
  return waiting(lookAt(response, outgoing), exchange);
}

/**
 * Looks at an answer on the client's own wire that may be none. An error that calls itself a success is one: it is handed
 * on as it came, for clients know it.
 *
 * @returns The same answer, under the label that its content has.
 * @throws GatewayError `bad_upstream_answer` for nothing, an empty object, other JSON, a page or other text.
 */
export async function lookAt(response: Response, outgoing: Outgoing): Promise<Response> {
  const { provider } = outgoing.target;
  const { status, headers } = response;
  const kind = contentKind(headers);
  let seen = response;
  // Local servers label JSON and events carelessly. A stream is passed on from its first bytes.
  if (kind === "events" || outgoing.stream && kind !== "page") {
    const { events, response: peeked } = await peekEvents(response);
    if (events) return peeked;
    seen = peeked;
  }
  const { text, whole, broken, response: answer } = await peekText(seen, LOOKED_BYTES);
  const isBlank = /^\s*$/.test(text);
  // JSON that breaks off later breaks off for the client too.
  if (broken !== undefined && (isBlank || kind !== "json")) {
    if (broken instanceof GatewayError) throw broken;
    throw new GatewayError("bad_upstream_answer", `The answer of ${provider.name} broke off`, {
      metadata: { provider: provider.name },
      cause: broken,
    });
  }
  if (isBlank) throw nothingIn(response, outgoing);
  if (kind !== "page" && EVENTS.test(text)) return answer;
  const body = whole ? parse(text) : undefined;
  const said = object(body);
  const says = whole ? Object.keys(said ?? {}).length > 0 : /^\s*\{/.test(text);
  if (says) {
    if (kind !== "json") answer.headers.set("content-type", JSON_TYPE);
    const { storedKey } = outgoing;
    const mask = storedKey !== undefined && said && saysError(said) ? keyMask(storedKey) : undefined;
    return mask ? new Response(mask(text), answer) : answer;
  }
  answer.body?.cancel().catch(() => {});
  const quoted = outgoing.storedKey === undefined ? text : keyMask(outgoing.storedKey)(text);
  if (body === undefined) throw notJson(provider.name, status, quoted, headers);
  throw new GatewayError(
    "bad_upstream_answer",
    `${provider.name} answered ${status} with JSON that is no answer`,
    {
      metadata: { provider: provider.name, status, body: quoted.slice(0, QUOTED) },
      headers: Object.fromEntries(headers),
    },
  );
}

function nothingIn({ status }: Response, { target: { provider: { name } } }: Outgoing): GatewayError {
  return new GatewayError("bad_upstream_answer", `${name} answered ${status} with nothing`, {
    metadata: { provider: name, status },
  });
}

/** A failure that calls itself a success. */
function failed(error: WireError, upstream: Response, outgoing: Outgoing): Response {
  const { status = 502 } = error;
  return errorResponse({ ...ofProvider(error, outgoing), status }, headersFor(upstream, outgoing));
}

/** An error in an answer that has begun as a success: with its provider's name, without the stored key. */
function ofProvider(error: WireError, { target, storedKey }: Outgoing): WireError {
  const { metadata, ...said } = maskObject(error, storedKey);
  return { ...said, metadata: { ...metadata, provider: target.provider.name } };
}

type ContentKind = "json" | "events" | "page" | "other" | "none";

function contentKind(headers: Headers): ContentKind {
  const type = headers.get("content-type")?.toLowerCase();
  if (!type) return "none";
  if (type.includes("json")) return "json";
  if (type.startsWith("text/event-stream")) return "events";
  return type.startsWith("text/html") ? "page" : "other";
}

// ---------------------------------------------------------------- another wire

/** What it takes to write an answer for the client. */
interface Rewrite {
  wire: ProviderWire;
  defaults: AnswerDefaults;
  form: AnswerForm;
  begun?: Begun;
}

function rewriteBack(
  upstream: Response,
  outgoing: Outgoing,
  wire: ProviderWire,
  exchange: Exchange,
  begun: Begun | undefined,
): Promise<Response> | Response {
  const call = outgoing.call!;
  const rewrite: Rewrite = {
    wire,
    begun,
    defaults: {
      id: `chatcmpl-${randomText(exchange)}`,
      created: Math.floor(exchange.config.now() / 1000),
      model: call.model,
    },
    form: {
      includeUsage: call.includeUsage,
      legacyFunctions: call.sent.get("tools") === "functions",
    },
  };
  const kind = contentKind(upstream.headers);
  if (call.stream && isFramed(upstream, outgoing)) {
    return rewriteStream(upstream, outgoing, rewrite, exchange);
  }
  if (!call.stream || kind === "page") return rewriteWhole(upstream, outgoing, rewrite, exchange);
  if (kind === "events") return rewriteStream(upstream, outgoing, rewrite, exchange);
  // Proxies lose the content type, and some providers answer whole.
  return peekEvents(upstream).then(({ events, response }) =>
    events
      ? rewriteStream(response, outgoing, rewrite, exchange)
      : rewriteWhole(response, outgoing, rewrite, exchange)
  );
}

/** Whether an answer has the framing of its row, where that is not the usual one. */
const isFramed = ({ headers }: Response, { target: { provider: { framing } } }: Outgoing): boolean =>
  framing !== undefined && (headers.get("content-type") ?? "").toLowerCase().startsWith(framing.type);

function rewriteStream(
  upstream: Response,
  outgoing: Outgoing,
  { wire, defaults, form, begun }: Rewrite,
  exchange: Exchange,
): Response {
  const { name, framing } = outgoing.target.provider;
  const failure = (cause: unknown) => ofProvider(brokenOff(name, cause), outgoing);
  const step = translation({
    reader: (emit) => wire.readStream(emit),
    writer: chunkWriter(defaults, form),
    failure,
    tell: (error) => ofProvider(error, outgoing),
    watch: begun ? toldOn(begun, failure, watched(exchange)) : watched(exchange),
    maxEventSize: exchange.config.limits.maxLineBytes,
    framing,
  });
  const events = translate(upstream.body ?? new Blob([]).stream(), step);
  return answerWith(events, upstream, outgoing, EVENTS_TYPE);
}

function rewriteWhole(
  upstream: Response,
  outgoing: Outgoing,
  { wire, defaults, form, begun }: Rewrite,
  exchange: Exchange,
): Promise<Response> {
  const { target, call, storedKey } = outgoing;
  return readText(upstream, target.provider, exchange, (told) => {
    const text = storedKey !== undefined && told.includes(storedKey) ? keyMask(storedKey)(told) : told;
    const body = parseExact(text);
    const { emit, answer } = collector();
    const writer = call!.stream ? chunkWriter(defaults, form) : undefined;
    let events = "";
    const watch = watched(exchange);
    const take: Emit = (delta) => {
      emit(delta);
      watch?.delta(delta);
      begun?.delta(delta);
      if (writer) events += writer.delta(delta);
    };
    if (typeof body === "object" && body !== null) wire.readAnswer(body as JsonObject, take);
    else if (EVENTS.test(text)) readEvents(text, wire.readStream(take), outgoing, exchange);
    else throw notJson(target.provider.name, upstream.status, text, headersFor(upstream, outgoing));
    watch?.end("whole");
    const { error } = answer;
    if (error) {
      return failed(error, upstream, outgoing);
    }
    const written = writer ? events + writer.end() : JSON.stringify(writeAnswer(answer, defaults, form));
    return answerWith(written, upstream, outgoing, writer ? EVENTS_TYPE : JSON_TYPE);
  });
}

/** The watcher of an answer that is translated, if anybody listens. */
function watched({ config, report, signal }: Exchange): Observer | undefined {
  return report.listened ? report.observer = observer(config.timer, signal) : undefined;
}

/** Tells of an answer that is translated whether it has begun, and the watcher all that there is. */
function toldOn(begun: Begun, failure: (cause: unknown) => WireError, watch?: Watch): Watch {
  return {
    delta(delta) {
      begun.delta(delta);
      watch?.delta(delta);
    },
    end(how, cause) {
      if (how === "broken") begun.delta({ type: "error", error: failure(cause) });
      watch?.end(how, cause);
    },
  };
}

/** For a provider that streams though nobody asked for it. */
function readEvents(text: string, reader: StreamReader, outgoing: Outgoing, exchange: Exchange): void {
  const parser = sseReader((data, event) => reader.frame(data, event), exchange.config.limits.maxLineBytes);
  try {
    parser.push(new TextEncoder().encode(text));
  } catch (cause) {
    if (!(cause instanceof EventTooLong)) throw cause;
    throw new GatewayError("bad_upstream_answer", eventTooLong(outgoing.target.provider.name, cause), {
      cause,
    });
  }
  parser.end();
  reader.end();
}

function randomText({ config }: Exchange): string {
  return Math.floor(config.random() * 2 ** 52).toString(36).padStart(11, "0");
}
