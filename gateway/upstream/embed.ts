/** Writes a client's request for embeddings as one or several requests to a provider, and joins the answers. */
import type { SpokenEmbeddings } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { object, parse } from "../../wires/shared/json.ts";
import type { Begun } from "../../wires/streams/begun.ts";
import { saysError } from "../../wires/streams/begun.ts";
import type { EmbedCall, EmbeddingClient, Embeddings, JsonObject, WireRequest } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { observer } from "../log/observe.ts";
import { peekText } from "../policies/held.ts";
import type { Target } from "../targets/find_target.ts";
import { headersFor, JSON_TYPE, notJson } from "./answer.ts";
import type { Body } from "./body.ts";
import { errorResponse } from "./error_response.ts";
import { handBack } from "./hand_back.ts";
import { maskObject, maskText } from "./masked.ts";
import { handedOn, outgoingOf } from "./handed_on.ts";
import { asKnown, inDepth, type Outgoing, refuseDropped } from "./prepare.ts";
import { refuseRedirect, respondError } from "./respond.ts";
import { ask, type Credentials, readText } from "./send.ts";
import { NO_TOKENS } from "../../wires/shared/usage.ts";

/** The most requests to a provider that one request of a client may become. */
const MOST_PARTS = 256;

/** How many of these are sent at once: a Worker has six connections for a request. */
const MOST_AT_ONCE = 4;

/** The requests that are sent to a target. */
export interface EmbedPlan {
  client: EmbeddingClient;
  embeddings: SpokenEmbeddings;
  /** The only request, handed through; absent if the answers are read and joined. */
  handed?: Outgoing;
  /** Whether the client wants base64. */
  base64: boolean;
  /** The requests in parts. The step's further attempts send only the parts without an answer. */
  parts: Part[];
}

/** A request with a part of the inputs. */
interface Part {
  outgoing: Outgoing;
  inputs: number;
  answer?: Embeddings;
  /** The headers of that answer that the client may see. */
  headers?: Headers;
}

/**
 * Prepares the requests to a target.
 *
 * @param only Whether no other target needs the body.
 * @throws GatewayError for a body that is not a request for embeddings, or one that the target cannot take.
 */
export function planEmbed(
  body: Body,
  target: Target,
  client: EmbeddingClient,
  exchange: Exchange,
  only: boolean,
): EmbedPlan {
  const embeddings = target.provider.embeddings!;
  const { wire, path = "/embeddings", tokens, drop, rename } = embeddings;
  const most = mostOf(embeddings, target);
  const omit = embeddings.base64 === false ? ["encoding_format"] : undefined;
  const isSame = wire === client.wire;
  // A long body that is handed through is not parsed here; the provider checks it.
  if (!isSame || most !== undefined || tokens === false || body.isParsed()) {
    const input = body.get("input");
    client.check({ input });
    if (tokens === false) refuseTokens(input, target);
    // A list of numbers is one input, as tokens.
    const inputs = Array.isArray(input) && typeof input[0] !== "number" ? input.length : 1;
    if (!isSame || most !== undefined && inputs > most) {
      return inDepth(() => planParts(client, client.read(body.parsed()), target, embeddings, exchange));
    }
  }
  const base64 = body.get("encoding_format") === "base64";
  const handed = handedOn(body, target, exchange, { path, drop, rename, omit }, only);
  return { client, embeddings, handed, base64, parts: [] };
}

/** The most inputs of one request for a target. */
const mostOf = ({ most }: SpokenEmbeddings, { model }: Target) =>
  typeof most === "function" ? most(model) : most;

/** @throws GatewayError `invalid_request` */
function refuseTokens(input: unknown, { provider: { name } }: Target): void {
  const [first] = Array.isArray(input) ? input : [];
  if (typeof first !== "number" && !Array.isArray(first)) return;
  throw new GatewayError(
    "invalid_request",
    `Cannot send tokens to ${name}: it takes only texts; send input as a text or a list of texts`,
    { param: "input" },
  );
}

function planParts(
  client: EmbeddingClient,
  call: EmbedCall,
  target: Target,
  embeddings: SpokenEmbeddings,
  exchange: Exchange,
): EmbedPlan {
  const { provider } = target;
  const { inputs, base64, ...asked } = call;
  const { wire, path } = embeddings;
  const most = mostOf(embeddings, target) ?? inputs.length;
  if (inputs.length > most * MOST_PARTS) {
    throw new GatewayError(
      "invalid_request",
      `Cannot send ${inputs.length} inputs to ${provider.name} in one request: send at most ${
        most * MOST_PARTS
      }`,
      { param: "input" },
    );
  }
  const { model } = asKnown(target);
  const parts: Part[] = [];
  for (let from = 0; from < inputs.length; from += most) {
    const some = inputs.slice(from, from + most);
    const written = fitRow(wire.writeEmbed({ ...asked, model, inputs: some }), embeddings);
    if (from === 0) refuseDropped(written.dropped, provider, exchange.headers, exchange.config);
    const body = () => JSON.stringify(written.body);
    const { dropped, headers } = written;
    parts.push({
      outgoing: outgoingOf(target, exchange, path ?? written.path, dropped, body, headers),
      inputs: some.length,
    });
  }
  return { client, embeddings, base64, parts };
}

/** Leaves out and renames fields, as the row says. */
function fitRow(written: WireRequest, { drop = [], rename = {} }: SpokenEmbeddings): WireRequest {
  const dropped = [...written.dropped];
  const body: [string, unknown][] = [];
  for (const [field, value] of Object.entries(written.body)) {
    if (!drop.includes(field)) body.push([Object.hasOwn(rename, field) ? rename[field] : field, value]);
    else if (value !== null) dropped.push(field);
  }
  return { ...written, body: Object.fromEntries(body) as JsonObject, dropped };
}

// ---------------------------------------------------------------- asking

/** Sends the planned requests once. Parts that were answered in an earlier attempt are not sent again. */
export function sendEmbed(
  plan: EmbedPlan,
  credentials: Credentials,
  signal: AbortSignal,
  exchange: Exchange,
  begun: Begun | undefined,
): Promise<Response> {
  const { handed } = plan;
  return handed
    ? ask(
      handed,
      handed.body(),
      credentials,
      signal,
      exchange,
      (upstream) => respondHanded(upstream, handed, exchange, begun, plan),
    )
    : sendParts(plan, credentials, signal, exchange);
}

async function respondHanded(
  upstream: Response,
  outgoing: Outgoing,
  exchange: Exchange,
  begun: Begun | undefined,
  { client, base64 }: EmbedPlan,
): Promise<Response> {
  refuseRedirect(upstream, outgoing);
  if (upstream.status >= 400) return respondError(upstream, outgoing, exchange);
  const answer = base64 ? await encoded(upstream, outgoing, client, exchange) : upstream;
  return handBack(answer, outgoing, exchange, begun === undefined);
}

/** The first vector of an answer begins within this many bytes. */
const LOOKED_BYTES = 16 * 1024;

/** The answer with vectors in base64. A provider that ignores `encoding_format` has sent lists, which are written anew. */
async function encoded(
  upstream: Response,
  outgoing: Outgoing,
  client: EmbeddingClient,
  exchange: Exchange,
): Promise<Response> {
  const { text, response } = await peekText(upstream, LOOKED_BYTES);
  if (!/"embedding"\s*:\s*\[/.test(text)) return response;
  return readText(response, outgoing.target.provider, exchange, (text) => {
    const body = object(parse(text));
    const mended = body && client.encodeLists(body);
    const answer = new Response(mended ? JSON.stringify(mended) : text, response);
    answer.headers.delete("content-length");
    return answer;
  });
}

async function sendParts(
  { client, embeddings, base64, parts }: EmbedPlan,
  credentials: Credentials,
  signal: AbortSignal,
  exchange: Exchange,
): Promise<Response> {
  const held = { bytes: 0 };
  const left = parts.filter(({ answer }) => !answer);
  const failure = await atOnce(
    left,
    signal,
    (part, signal) =>
      ask(
        part.outgoing,
        part.outgoing.body(),
        credentials,
        signal,
        exchange,
        (upstream) => readPart(upstream, part, embeddings, exchange, held),
      ),
  );
  if (failure || exchange.explain) return failure ?? new Response(null);
  const [{ outgoing, headers }] = parts;
  const answers = parts.map(({ answer }) => answer!);
  const joined: Embeddings = {
    vectors: answers.flatMap(({ vectors }) => vectors),
    tokens: answers.reduce((sum, { tokens }) => sum + tokens, 0),
    model: answers[0].model ?? outgoing.target.model,
  };
  tellLog(joined, exchange);
  headers!.set("content-type", JSON_TYPE);
  return new Response(JSON.stringify(client.write(joined, base64)), { headers });
}

function tellLog({ tokens, model }: Embeddings, { config, report, signal }: Exchange): void {
  if (!report.listened) return;
  const seen = report.observer = observer(config.timer, signal);
  seen.delta({ type: "start", model });
  seen.delta({ type: "usage", usage: { ...NO_TOKENS, input: tokens } });
  seen.end("whole");
}

/** Reads the answer of one part. @returns The client's answer if the part failed. */
function readPart(
  upstream: Response,
  part: Part,
  { wire }: SpokenEmbeddings,
  exchange: Exchange,
  held: { bytes: number },
): Promise<Response | undefined> {
  const { outgoing } = part;
  const { target: { provider }, masks } = outgoing;
  refuseRedirect(upstream, outgoing);
  if (upstream.status >= 400) return respondError(upstream, outgoing, exchange, wire);
  return readText(upstream, provider, exchange, (told) => {
    const { maxAnswerBytes } = exchange.config.limits;
    held.bytes += told.length;
    if (held.bytes > maxAnswerBytes) {
      const message = `The answers of ${provider.name} are together longer than ${maxAnswerBytes} bytes`;
      throw new GatewayError("bad_upstream_answer", message, { metadata: { provider: provider.name } });
    }
    const text = maskText(masks.answer, told);
    const headers = headersFor(upstream, outgoing);
    const body = object(parse(text));
    if (!body) throw notJson(text, upstream, outgoing, headers);
    if (saysError(body)) {
      const error = maskObject(masks.error, wire.readError(502, body));
      const metadata = { ...error.metadata, provider: provider.name };
      return errorResponse({ ...error, metadata }, exchange.client, headers);
    }
    const answer = wire.readEmbeddings(body, upstream.headers);
    if (answer.vectors.length !== part.inputs) {
      throw new GatewayError(
        "bad_upstream_answer",
        `${provider.name} answered ${part.inputs} inputs with ${answer.vectors.length} embeddings`,
        { metadata: { provider: provider.name } },
      );
    }
    part.answer = answer;
    part.headers = headers;
  });
}

/**
 * Runs work for each item, four at once. The first failure ends the others.
 *
 * @param work Returns a response if it failed.
 * @returns The response of the first failure. Rejects with the first error that `work` threw.
 */
function atOnce<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<Response | undefined>,
): Promise<Response | undefined> {
  const [only] = items;
  if (items.length === 1) return work(only, signal);
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  let next = 0;
  return new Promise((resolve, reject) => {
    const worker = async () => {
      while (next < items.length && !ended.aborted) {
        const failure = await work(items[next++], ended);
        if (!failure) continue;
        resolve(failure);
        stop.abort();
      }
    };
    const workers = Array.from(
      { length: Math.min(MOST_AT_ONCE, items.length) },
      () =>
        worker().catch((error) => {
          reject(error);
          stop.abort();
        }),
    );
    Promise.all(workers).then(() => resolve(undefined));
  });
}
