/** Counts the tokens of a call: by its provider, or else by an estimate. */
import type { Spoken } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { estimateCall } from "../../wires/shared/estimate.ts";
import { object, parse } from "../../wires/shared/json.ts";
import type { ClientWire } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import type { Target } from "../targets/find_target.ts";
import { findTargets } from "../targets/find_targets.ts";
import { unreadRoutes } from "../targets/routes/legs.ts";
import { type Body, readBody } from "../upstream/body.ts";
import { readSwitch } from "../upstream/headers.ts";
import { prepare } from "../upstream/prepare.ts";
import { respond } from "../upstream/respond.ts";
import { wiresFor } from "../upstream/spoken.ts";
import { ask as askOnce, credentialsFor, readText } from "../upstream/send.ts";

/** The longest wait for a provider's count: clients ask for some thirty counts at once. */
const DEADLINE_MS = 5_000;

/**
 * Counts the tokens of a call. The answer is `{input_tokens}`, or what the client's wire writes in its place.
 *
 * The inventor of the client's wire gets the client's own body, and its answer is passed on. Any other provider that can
 * count is asked in its own format. If it cannot count, or fails, the count is estimated and the answer has
 * `sluice-estimated: true`.
 *
 * @param text The client's body. It is consumed: its buffer must not be used afterwards.
 * @throws GatewayError for a call that would be refused too.
 */
export async function countTokens(text: Uint8Array<ArrayBuffer>, exchange: Exchange): Promise<Response> {
  const { client, report, headers, config } = exchange;
  const body = readBody(text, client.ruleWords);
  const unread = unreadRoutes(body, exchange);
  if (unread) await unread;
  const [target] = findTargets(body, exchange);
  const { provider, model } = target;
  report.provider = provider.name;
  report.model = model;
  // If the call would be refused, its count is refused too. An estimate would hide that.
  if (readSwitch(headers, "sluice-strict") || config.strict) prepare(body, target, exchange, false);
  const counting = provider.fetch ? undefined : spokenToCount(body, target, client);
  // By the object: Azure speaks Responses as OpenAI does, and may not have its counter.
  if (counting?.isAuthor && counting.wire as unknown === client) {
    return await ask(body, target, counting, exchange, (answer, outgoing) => {
      return respond(answer, outgoing, exchange);
    });
  }
  const request = body.parsed();
  client.checkCall(request);
  const call = client.readCall(request, model);
  const counted = counting && await countThere(body, target, counting, exchange);
  const write = client.writeCount ?? ((tokens: number) => ({ input_tokens: tokens }));
  if (counted !== undefined) return Response.json(write(counted));
  return Response.json(write(estimateCall(call)), { headers: { "sluice-estimated": "true" } });
}

/** The wire in which a provider counts tokens of a model. The client's own wire comes before others. */
function spokenToCount(body: Body, { provider, model }: Target, client: ClientWire): Spoken | undefined {
  const counts = wiresFor(provider, model, body.get)
    .map((spoken) => spoken.counting ? { ...COUNTS_ONLY, wire: spoken.counting } : spoken)
    .filter(({ wire }) => wire.counter);
  const own = counts.find(({ wire }) => wire.name === client.name);
  const spoken = own ?? counts[0];
  if (!spoken) return undefined;
  const { pathEnd, writeCall } = spoken.wire.counter!;
  // Without `pathEnd` the path would be that of an answer, which costs money. A wire that writes its own path writes the end too.
  const path = pathEnd && spoken.path && spoken.path + pathEnd;
  const counting = { ...spoken, path, streamPath: undefined };
  return own ? counting : { ...counting, wire: { ...spoken.wire, writeCall } };
}

/** A way on which only tokens are counted. */
const COUNTS_ONLY = { path: "" };

/** The provider's count; `undefined` if it gives none or fails. Throws only if the client has left. */
async function countThere(
  body: Body,
  target: Target,
  counting: Spoken,
  exchange: Exchange,
): Promise<number | undefined> {
  const { counter } = counting.wire;
  try {
    return await ask(body, target, counting, exchange, async (answer) => {
      if (!answer.ok) {
        await answer.body?.cancel();
        return undefined;
      }
      return await readText(
        answer,
        target.provider,
        exchange,
        (text) => counter!.read(object(parse(text)) ?? {}),
      );
    });
  } catch (cause) {
    exchange.signal.throwIfAborted();
    if (!(cause instanceof GatewayError) && (cause as Error)?.name !== "AbortError") throw cause;
    return undefined;
  }
}

type Prepared = ReturnType<typeof prepare>;

/** Sends the request once, with the client's key or a stored one, and waits a limited time. */
async function ask<T>(
  body: Body,
  target: Target,
  counting: Spoken,
  exchange: Exchange,
  take: (answer: Response, outgoing: Prepared) => T | Promise<T>,
): Promise<T> {
  const { config, signal } = exchange;
  const outgoing = prepare(body, target, exchange, true, counting);
  const credentials = credentialsFor(target, exchange, true);
  const late = new AbortController(), done = new AbortController();
  const tooLate = () =>
    late.abort(new GatewayError("upstream_timeout", `${target.provider.name} takes too long to count`));
  config.wait(DEADLINE_MS, done.signal).then(tooLate, () => {});
  const ends = AbortSignal.any([signal, late.signal]);
  try {
    return await askOnce(outgoing, outgoing.body(), credentials, ends, exchange, (answer) => {
      return take(answer, outgoing);
    });
  } finally {
    done.abort();
  }
}
