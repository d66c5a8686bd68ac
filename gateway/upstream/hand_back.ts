/** An answer on the client's own wire: the provider's bytes, untouched but for secrets. */
import { GatewayError } from "../../wires/errors.ts";
import { object, parse } from "../../wires/shared/json.ts";
import { saysError } from "../../wires/streams/begun.ts";
import type { Exchange } from "../exchange.ts";
import { EVENTS, peekEvents, peekText } from "../policies/held.ts";
import { waiting } from "../policies/timers.ts";
import { answerWith, contentKind, JSON_TYPE, notJson, quote, UNBUFFERED } from "./answer.ts";
import { maskAll, maskSuccess, maskText } from "./masked.ts";
import type { Outgoing } from "./prepare.ts";

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
    report.passing = { provider, format: exchange.client, mustBegin: true, mask };
  }
  // What is built in answers as it means to.
  if (outgoing.target.provider.fetch) return response;
  // Where each chunk passes through JavaScript anyway; a listener's are masked where they are listened to.
  if (!alone) return kind === "events" && !report.listened ? maskAll(response, mask) : response;
  if (kind === "events") return response;
  if (kind === "json" && Number(length) > LEAST_BYTES) {
    return maskSuccess(response, mask, outgoing.target.provider.name, exchange, headers);
  }
  return waiting(lookAt(response, outgoing), exchange);
}

/**
 * Looks at an answer on the client's own wire that may be none. An error that calls itself a success is one: it is handed
 * on as it came, but for secrets, as clients know it.
 *
 * @returns The same answer, under the label that its content has.
 * @throws GatewayError `bad_upstream_answer` for nothing, an empty object, other JSON, a page or other text.
 */
export async function lookAt(response: Response, outgoing: Outgoing): Promise<Response> {
  const { target: { provider }, masks } = outgoing;
  const { status, headers } = response;
  const kind = contentKind(headers);
  let seen = response;
  // Local servers label JSON and events carelessly. A stream is passed on from its first bytes.
  if (kind === "events" || outgoing.stream && kind !== "page") {
    const { events, response: peeked } = await peekEvents(response);
    if (events) return kind === "events" ? peeked : maskAll(peeked, masks.answer);
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
    `${provider.name} answered ${status} with JSON that is no answer`,
    {
      metadata: { provider: provider.name, status, body: quote(text, outgoing) },
      headers: Object.fromEntries(headers),
    },
  );
}

function nothingIn({ status }: Response, { target: { provider: { name } } }: Outgoing): GatewayError {
  return new GatewayError("bad_upstream_answer", `${name} answered ${status} with nothing`, {
    metadata: { provider: name, status },
  });
}
