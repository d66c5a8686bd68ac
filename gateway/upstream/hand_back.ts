/** Passes an answer on the client's own wire on: the provider's bytes, unchanged except for secrets. */
import { GatewayError } from "../../wires/errors.ts";
import { object, parse } from "../../wires/shared/json.ts";
import { saysError } from "../../wires/streams/begun.ts";
import type { Exchange } from "../exchange.ts";
import { EVENTS, patience, peekEvents, peekText, withContent } from "../policies/held.ts";
import { type Timer, waiting } from "../policies/timers.ts";
import { answerWith, contentKind, JSON_TYPE, notJson, quote, UNBUFFERED } from "./answer.ts";
import { maskAll, maskSuccess, maskText } from "./masked.ts";
import type { Outgoing } from "./prepare.ts";

/** A JSON answer announced with more bytes than this is passed on unread: an answer without content is shorter. */
const LEAST_BYTES = 256;

/** How many bytes of any other answer are read before it is passed on. Most answers are complete by then. */
const LOOKED_BYTES = 64 * 1024;

/**
 * For how many milliseconds. Providers keep connections alive with blank lines before an answer (DeepSeek, for minutes); a
 * client, and servers in front of it, must see these too.
 */
const LOOKED_MS = 10_000;

/**
 * Passes the provider's bytes on.
 *
 * @param alone Whether no policy holds the answer back. If so, an answer that may be empty is read here first. An answer
 * with the content type of a stream is not, because that would slow down every stream.
 * @throws GatewayError `bad_upstream_answer` for an empty answer: clients crash on a success without content.
 */
export function handBack(
  upstream: Response,
  outgoing: Outgoing,
  exchange: Exchange,
  alone: boolean,
): Promise<Response> | Response {
  const { headers, body } = upstream;
  const length = headers.get("content-length");
  if (!body || length === "0") throw nothingIn(upstream, outgoing);
  const response = answerWith(body, upstream, outgoing);
  const kind = contentKind(headers);
  if (kind === "events") response.headers.set(...UNBUFFERED);
  const { report } = exchange;
  const { answer: mask } = outgoing.masks;
  if (report.listened) {
    const provider = outgoing.target.provider.name;
    const isOut = outgoing.isUsageOurs ? exchange.client.isUsageEvent : undefined;
    report.passing = { provider, format: exchange.client, mustBegin: true, mask, isOut };
  }
  // The answers of built-in providers are not checked.
  if (outgoing.target.provider.fetch) return response;
  // A held stream passes through JavaScript anyway, so all of it is masked here. With a log, the observer masks it.
  if (!alone) return kind === "events" && !report.listened ? maskAll(response, mask) : response;
  if (kind === "events") return response;
  if (kind === "json" && Number(length) > LEAST_BYTES) {
    return maskSuccess(response, mask, outgoing.target.provider.name, exchange, headers);
  }
  return waiting(lookAt(response, outgoing, exchange.config.timer), exchange);
}

/**
 * Checks an answer on the client's own wire that may not be an answer. An error with a status of success counts as one: it is
 * passed on unchanged except for secrets, because clients know it from their provider. Blanks that go on for too long are
 * passed on; if nothing follows them, the answer breaks off.
 *
 * @returns The same answer, with the content type of its content.
 * @throws GatewayError `bad_upstream_answer` for an empty body, an empty object, other JSON, a page or other text.
 */
export async function lookAt(response: Response, outgoing: Outgoing, timer: Timer): Promise<Response> {
  const { target: { provider }, masks } = outgoing;
  const { status, headers } = response;
  const kind = contentKind(headers);
  const isOver = patience(LOOKED_MS, timer);
  let seen = response;
  // Local servers often send JSON and events with a wrong content type. A stream is passed on from its first bytes.
  if (kind === "events" || outgoing.stream && kind !== "page") {
    const { events, response: peeked } = await peekEvents(response, isOver);
    if (events) return kind === "events" ? peeked : maskAll(peeked, masks.answer);
    seen = peeked;
  }
  const { text, whole, broken, response: answer } = await peekText(seen, LOOKED_BYTES, isOver);
  const isBlank = /^\s*$/.test(text);
  // JSON that breaks off after some content is passed on, and breaks off for the client.
  if (broken !== undefined && (isBlank || kind !== "json")) {
    if (broken instanceof GatewayError) throw broken;
    throw new GatewayError("bad_upstream_answer", `The answer of ${provider.name} broke off`, {
      metadata: { provider: provider.name },
      cause: broken,
    });
  }
  const nothing = () => nothingIn(response, outgoing);
  if (isBlank && !whole && kind !== "page") return maskAll(withContent(answer, nothing), masks.answer);
  if (isBlank) throw nothing();
  if (kind !== "page" && EVENTS.test(text)) return maskAll(answer, masks.answer);
  const body = whole ? parse(text) : undefined;
  const said = object(body);
  const says = whole ? Object.keys(said ?? {}).length > 0 : /^\s*\{/.test(text);
  if (says) {
    if (kind !== "json") answer.headers.set("content-type", JSON_TYPE);
    const mask = said && saysError(said) ? masks.error : masks.answer;
    return whole && maskText(mask, text) === text ? answer : maskAll(answer, mask);
  }
  answer.body?.cancel().catch(() => {});
  if (body === undefined) throw notJson(text, response, outgoing, headers);
  throw new GatewayError(
    "bad_upstream_answer",
    `${provider.name} answered ${status} with JSON that is not an answer`,
    {
      metadata: { provider: provider.name, status, body: quote(text, outgoing) },
      headers: Object.fromEntries(headers),
    },
  );
}

function nothingIn({ status }: Response, { target: { provider: { name } } }: Outgoing): GatewayError {
  return new GatewayError("bad_upstream_answer", `${name} answered ${status} with an empty body`, {
    metadata: { provider: name, status },
  });
}
