/** Turns a provider's answer into the client's. */
import { GatewayError } from "../../wires/errors.ts";
import type { Begun } from "../../wires/streams/begun.ts";
import { parse } from "../../wires/shared/json.ts";
import type { AnswerFormat } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { answerWith, headersFor, JSON_TYPE, notJson, QUOTED } from "./answer.ts";
import { conformed } from "./conform.ts";
import { errorResponse } from "./error_response.ts";
import { handBack } from "./hand_back.ts";
import type { Outgoing } from "./prepare.ts";
import { isFramed, reframed } from "./reframe.ts";
import { rewriteBack } from "./rewrite_back.ts";
import { readText } from "./send.ts";

/** How many bytes of an error's body are read. A longer one is cut; the longest in a provider's documentation has 3 kB. */
const ERROR_BYTES = 64 * 1024;

/**
 * The client's response to a provider's answer.
 *
 * @param begun Is told what is read of the answer. Absent if no policy holds the answer back.
 * @throws GatewayError `bad_upstream_answer` for a redirect, or for text in place of JSON.
 */
export function respond(
  upstream: Response,
  outgoing: Outgoing,
  exchange: Exchange,
  begun?: Begun,
): Promise<Response> | Response {
  refuseRedirect(upstream, outgoing);
  if (upstream.status >= 400) return respondError(upstream, outgoing, exchange);
  const { reader, mender } = outgoing;
  if (reader) return rewriteBack(upstream, outgoing, reader, exchange, begun);
  const alone = begun === undefined;
  if (isFramed(upstream, outgoing)) {
    return handBack(reframed(upstream, outgoing, exchange), outgoing, exchange, alone);
  }
  if (!mender) return handBack(upstream, outgoing, exchange, alone);
  return conformed(upstream, outgoing, mender, exchange).then((mended) =>
    mended.status >= 400
      ? respondError(mended, outgoing, exchange)
      : handBack(mended, outgoing, exchange, alone)
  );
}

// ---------------------------------------------------------------- errors

/** @throws GatewayError `bad_upstream_answer` for a redirect: a provider may not send the request to another host. */
export function refuseRedirect(upstream: Response, { target: { provider } }: Outgoing): void {
  const { status } = upstream;
  if (status < 300 || status >= 400) return;
  upstream.body?.cancel().catch(() => {});
  const message = `${provider.name} answered with a redirect (${status})`;
  throw new GatewayError("bad_upstream_answer", message, { metadata: { status } });
}

/**
 * The client's response to a provider's error. An error in the client's own wire is returned byte for byte; any other is read
 * by its wire and written anew.
 *
 * @param wire Reads the error. Default: the reader of `outgoing`, which is absent if the error is in the client's own wire.
 */
export function respondError(
  upstream: Response,
  outgoing: Outgoing,
  exchange: Exchange,
  wire: Pick<AnswerFormat, "readError"> | undefined = outgoing.errors ?? outgoing.reader,
): Promise<Response> {
  const { report, client } = exchange;
  const { target: { provider }, call } = outgoing;
  const { name } = provider;
  const { status } = upstream;
  return readText(upstream, provider, exchange, (text, isCut) => {
    const body = parse(text);
    const own = wire ? undefined : client.ownError(body);
    if (own) {
      report.refusal = own;
      return answerWith(text, upstream, outgoing, JSON_TYPE);
    }
    const headers = headersFor(upstream, outgoing);
    if (body === undefined && status >= 500 && !isCut) throw notJson(text, upstream, outgoing, headers);
    const error = (wire ?? client).readError(status, body ?? text.slice(0, QUOTED));
    report.refusal = { ...error, status };
    const requestId = headers.get("request-id") ?? headers.get("x-request-id");
    const metadata = { ...error.metadata, provider: name, ...(requestId && { request_id: requestId }) };
    return errorResponse({ ...error, metadata, status }, client, headers, { call, requestId: report.id });
  }, ERROR_BYTES);
}
