/** Reads an answer on another wire than the client's, and writes it in the client's wire. */
import { collector } from "../../wires/streams/collect.ts";
import { GatewayError } from "../../wires/errors.ts";
import { brokenOff, eventTooLong } from "../../wires/streams/broken_off.ts";
import { EventTooLong, sseReader } from "../../wires/streams/sse.ts";
import type { Begun } from "../../wires/streams/begun.ts";
import { translate, translation, type Watch } from "../../wires/streams/translate.ts";
import { parseExact } from "../../wires/shared/json.ts";
import { withBound } from "../../wires/shared/bound.ts";
import { withFound } from "../../wires/shared/searches.ts";
import { withClientNames } from "../../wires/shared/tool_names.ts";
import type {
  AnswerFormat,
  Call,
  Defaults,
  Delta,
  Emit,
  JsonObject,
  StreamReader,
  WireError,
} from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { type Observer, observer } from "../log/observe.ts";
import { EVENTS, peekEvents } from "../policies/held.ts";
import { answerId, answerWith, contentKind, EVENTS_TYPE, headersFor, JSON_TYPE, notJson } from "./answer.ts";
import { errorResponse } from "./error_response.ts";
import { maskObject, maskText } from "./masked.ts";
import type { Outgoing } from "./prepare.ts";
import { isFramed } from "./reframe.ts";
import { readText } from "./send.ts";

/**
 * Milliseconds of silence after which the client gets an event that keeps its stream open: proxies close a silent connection
 * after 30 to 60 s, and Claude Code gives up after 300 s.
 */
const TELL_MS = 15_000;

/**
 * Milliseconds of silence after which a provider's stream has failed, unless `streamIdleTimeoutMs` sets a shorter limit. The
 * events that keep the stream open would otherwise hide that the provider is gone. The slowest models are silent for some
 * minutes while they think.
 */
const MOST_SILENCE_MS = 600_000;

/** The state to write an answer for the client. */
interface Rewrite {
  call: Call;
  reader: AnswerFormat;
  defaults: Defaults;
  begun?: Begun;
}

/**
 * The client's response to a successful answer on another wire.
 *
 * @param begun Is told what is read of the answer. Absent if no policy holds the answer back.
 */
export function rewriteBack(
  upstream: Response,
  outgoing: Outgoing,
  reader: AnswerFormat,
  exchange: Exchange,
  begun: Begun | undefined,
): Promise<Response> | Response {
  const call = outgoing.call!;
  const created = Math.floor(exchange.config.now() / 1000);
  const rewrite: Rewrite = {
    call,
    reader,
    begun,
    defaults: { id: answerId(exchange), created, model: call.model },
  };
  const kind = contentKind(upstream.headers);
  if (call.stream && isFramed(upstream, outgoing)) {
    return rewriteStream(upstream, outgoing, rewrite, exchange);
  }
  if (!call.stream || kind === "page") return rewriteWhole(upstream, outgoing, rewrite, exchange);
  if (kind === "events") return rewriteStream(upstream, outgoing, rewrite, exchange);
  // Some proxies remove the content type, and some providers answer a streaming request with one JSON answer.
  return peekEvents(upstream).then(({ events, response }) =>
    events
      ? rewriteStream(response, outgoing, rewrite, exchange)
      : rewriteWhole(response, outgoing, rewrite, exchange)
  );
}

function rewriteStream(
  upstream: Response,
  outgoing: Outgoing,
  { call, reader, defaults, begun }: Rewrite,
  exchange: Exchange,
): Response {
  const { target: { provider: { name } }, framing } = outgoing;
  const failure = (cause: unknown) => ofProvider(brokenOff(name, cause), outgoing);
  const step = translation({
    reader: (emit) => reader.readStream(completed(emit, call, outgoing)),
    writer: exchange.client.writer(call, defaults),
    failure,
    tell: (error) => ofProvider(error, outgoing),
    watch: begun ? toldOn(begun, failure, watched(exchange)) : watched(exchange),
    maxEventSize: exchange.config.limits.maxLineBytes,
    framing,
  });
  const { keepAlive } = step;
  // A policy that waits for the answer to begin must not take this event for its beginning.
  if (begun) step.keepAlive = () => hasSpoken(begun) ? keepAlive!() : "";
  const onOver = () => new GatewayError("upstream_timeout", `${name} sent nothing for ${MOST_SILENCE_MS} ms`);
  const silence = { tellMs: TELL_MS, mostMs: MOST_SILENCE_MS, onOver };
  const events = translate(upstream.body ?? new Blob([]).stream(), step, silence);
  return answerWith(events, upstream, outgoing, EVENTS_TYPE);
}

/** Passes deltas on, with what the request tells of them. */
const completed = (emit: Emit, call: Call, { toolNames, bound }: Outgoing): Emit =>
  withBound(withClientNames(withFound(emit, call), toolNames), bound);

/** Whether the gateway has read anything of the answer. */
function hasSpoken(begun: Begun): boolean {
  try {
    return begun.hasBegun() !== undefined;
  } catch {
    return false; // The answer has failed, which `begun` reports.
  }
}

function rewriteWhole(
  upstream: Response,
  outgoing: Outgoing,
  { call, reader, defaults, begun }: Rewrite,
  exchange: Exchange,
): Promise<Response> {
  const { target, masks } = outgoing;
  const { client } = exchange;
  return readText(upstream, target.provider, exchange, (told) => {
    const text = maskText(masks.answer, told);
    const body = parseExact(text);
    const { emit, answer } = collector();
    const writer = call.stream ? client.writer(call, defaults) : undefined;
    let events = "";
    const watch = watched(exchange);
    const all = (delta: Delta) => {
      emit(delta);
      watch?.delta(delta);
      begun?.delta(delta);
      if (writer) events += writer.delta(delta);
    };
    const take = completed(all, call, outgoing);
    if (typeof body === "object" && body !== null) reader.readAnswer(body as JsonObject, take);
    else if (EVENTS.test(text)) readEvents(text, reader.readStream(take), outgoing, exchange);
    else throw notJson(text, upstream, outgoing, headersFor(upstream, outgoing));
    watch?.end("whole");
    const { error } = answer;
    if (error) {
      return failed(error, upstream, outgoing, exchange);
    }
    const written = writer
      ? events + writer.end()
      : JSON.stringify(client.writeAnswer(answer, call, defaults));
    return answerWith(written, upstream, outgoing, writer ? EVENTS_TYPE : JSON_TYPE);
  });
}

/** The log's observer of a translated answer, if there is a log. */
function watched({ config, report, signal }: Exchange): Observer | undefined {
  return report.listened ? report.observer = observer(config.timer, signal) : undefined;
}

/** Tells `begun` and the observer of each delta of a translated answer. */
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

/** Reads a whole answer that is a stream of events, although the client did not ask for a stream. */
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

/** The client's response to an error with a status of success. */
function failed(
  error: WireError,
  upstream: Response,
  outgoing: Outgoing,
  { client, report }: Exchange,
): Response {
  const { status = 502 } = error;
  const headers = headersFor(upstream, outgoing);
  const context = { call: outgoing.call, requestId: report.id };
  return errorResponse({ ...ofProvider(error, outgoing), status }, client, headers, context);
}

/** An error within an answer, with the provider's name and without secrets. */
function ofProvider(error: WireError, { target, masks }: Outgoing): WireError {
  const { metadata, ...said } = maskObject(masks.error, error);
  return { ...said, metadata: { ...metadata, provider: target.provider.name } };
}
