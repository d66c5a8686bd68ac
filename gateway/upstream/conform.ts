/** Repairs chat completions that an OpenAI SDK cannot read, before any other code reads them. */
import type { Mender } from "../../providers/types.ts";
import type { Defaults, JsonObject } from "../../wires/types.ts";
import { object, parseExact } from "../../wires/shared/json.ts";
import { brokenOff } from "../../wires/streams/broken_off.ts";
import { translate } from "../../wires/streams/translate.ts";
import type { Exchange } from "../exchange.ts";
import { peekEvents } from "../policies/held.ts";
import { answerId } from "./answer.ts";
import type { Outgoing } from "./prepare.ts";
import { maskObject } from "./masked.ts";
import { readText } from "./send.ts";

/**
 * The repaired answer. A page, and a body that is not JSON, are returned unchanged.
 *
 * @throws GatewayError `bad_upstream_answer` for a whole answer that breaks off or is too long.
 */
export async function conformed(
  upstream: Response,
  outgoing: Outgoing,
  mender: Mender,
  exchange: Exchange,
): Promise<Response> {
  const type = upstream.headers.get("content-type")?.toLowerCase() ?? "";
  if (!upstream.body || type.startsWith("text/html")) return upstream;
  const created = Math.floor(exchange.config.now() / 1000);
  const defaults = { id: answerId(exchange), created, model: outgoing.target.model };
  if (type.startsWith("text/event-stream")) return stream(upstream, outgoing, mender, exchange, defaults);
  if (!outgoing.stream) return await whole(upstream, outgoing, mender, exchange, defaults);
  // Some proxies remove the content type, and some providers answer a streaming request with one JSON answer.
  const { events, response } = await peekEvents(upstream);
  return events
    ? stream(response, outgoing, mender, exchange, defaults)
    : await whole(response, outgoing, mender, exchange, defaults);
}

function stream(
  upstream: Response,
  { target: { provider: { name } }, masks: { error: mask } }: Outgoing,
  mender: Mender,
  { config }: Exchange,
  defaults: Defaults,
): Response {
  const step = mender.stream(
    defaults,
    (cause) => maskObject(mask, brokenOff(name, cause)),
    (chunk) => maskObject(mask, chunk),
    config.limits.maxLineBytes,
  );
  const mended = withBody(upstream, translate(upstream.body!, step));
  mended.headers.set("content-type", "text/event-stream");
  return mended;
}

/** Repairs a whole answer. Its secrets are masked later, by `handBack`. */
function whole(
  upstream: Response,
  { target: { provider } }: Outgoing,
  mender: Mender,
  exchange: Exchange,
  defaults: Defaults,
): Promise<Response> {
  return readText(upstream, provider, exchange, (text) => {
    const body = object(parseExact(text));
    const status = body && refusalOf(body);
    if (status) return withBody({ status, headers: upstream.headers }, text);
    return withBody(upstream, body ? JSON.stringify(mender.answer(body, defaults)) : text);
  });
}

/**
 * The status of a refusal that came with a status of success: Azure answers 200 to a prompt that its filter blocks, and names
 * the status within (recorded 2023-11). `undefined` for anything else.
 */
function refusalOf({ error: said, choices }: JsonObject): number | undefined {
  const error = choices === undefined ? object(said) : undefined;
  const status = error?.status ?? (error?.code === "content_filter" ? 400 : undefined);
  return typeof status === "number" && Number.isInteger(status) && status >= 400 && status < 600
    ? status
    : undefined;
}

/** The same answer with another body, whose length is not known. */
function withBody({ status, headers }: Pick<Response, "status" | "headers">, body: BodyInit): Response {
  const response = new Response(body, { status, headers });
  response.headers.delete("content-encoding");
  response.headers.delete("content-length");
  return response;
}
