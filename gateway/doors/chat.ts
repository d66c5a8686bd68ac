/** Serves calls on the client wires, for one target or for the first of several that answers. */
import { GatewayError } from "../../wires/errors.ts";
import { askedOf } from "../log/asked.ts";
import { type Body, readBody } from "../upstream/body.ts";
import { searchable } from "../upstream/no_search.ts";
import { exchangesFor } from "../upstream/strangers.ts";
import { checkRequest, type Outgoing, prepare } from "../upstream/prepare.ts";
import type { Exchange } from "../exchange.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import type { CachePlan } from "../policies/answer_cache.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import { lookAt } from "../upstream/hand_back.ts";
import { type AnswerPlace, cachePlans } from "./caching.ts";
import { toolModels } from "./native_models.ts";
import { respond } from "../upstream/respond.ts";
import { maskObject } from "../upstream/masked.ts";
import { ask, credentialsFor } from "../upstream/send.ts";
import type { Target } from "../targets/find_target.ts";
import { findTargets } from "../targets/find_targets.ts";
import { routed, withSizes } from "./routed.ts";
import { unreadRoutes } from "../targets/routes/legs.ts";

/**
 * Serves a call.
 *
 * @param text The client's body. It is consumed: its buffer must not be used afterwards.
 * @throws GatewayError for a bad request, or if no target can be reached.
 */
export function chat(text: Uint8Array<ArrayBuffer>, asked: Exchange): Promise<Response> {
  const { headers, config, report } = asked;
  const settings = readPolicy(headers, config.policy);
  const body = readBody(text, asked.client.ruleWords);
  const unread = unreadRoutes(body, asked);
  if (unread) return unread.then(() => chat(text, asked));
  const targets = findTargets(body, asked);
  const exchange = withSizes(targets, text, asked);
  const [first] = targets;
  if (exchange.caller.models) {
    const names = toolModels(body.get("tools"));
    for (const { provider } of targets) for (const name of names) exchange.caller.check(provider, name);
  }
  report.provider = first.provider.name;
  report.model = first.model;
  // Read before the body is written: an edit in place moves its members.
  if (report.trace) report.trace.asked = askedOf(body.get);
  const plan = cachePlans({ body: text, get: body.get }, exchange);
  if (targets.length === 1) {
    const write = () => once(searchable(prepare(body, first, exchange), exchange));
    if (plan) return cachedChat(write, first, plan, settings, exchange);
    const step = chatStep(first, write(), settings, exchange, true);
    return exchange.config.send(firstAttempt(step, exchange));
  }
  const outgoing = inTurn(body, first, exchange);
  const [step, ...others] = targets.map((target) => ({
    ...chatStep(target, outgoing, settings, exchange, target.provider === first.provider),
    cache: plan?.(answerPlace(target, exchange)),
  }));
  return exchange.config.send(firstAttempt(step, exchange, others));
}

/** Serves a call that may be answered from the cache. Its request is written only if it is not: that is a sixth of the work. */
function cachedChat(
  write: () => Outgoings,
  target: Target,
  plan: (place: AnswerPlace) => CachePlan,
  settings: PolicySettings,
  exchange: Exchange,
): Promise<Response> {
  let outgoing: Outgoings | undefined;
  const step = chatStep(target, (target) => outgoing!(target), settings, exchange, true);
  step.ready = () => void (outgoing = write());
  step.cache = plan(answerPlace(target, exchange));
  return exchange.config.send(firstAttempt(step, exchange));
}

/** The place where a target answers on the client's wire. */
export const answerPlace = (
  { provider: { name, baseUrl }, model }: Target,
  { client }: Exchange,
  kind = client.name + (client.below ?? ""),
): AnswerPlace => ({ kind, provider: name, url: baseUrl, model });

/** Returns the request that is sent to a target. */
type Outgoings = (target: Target) => Outgoing;

/** The requests of a call with a single target, whose request is written already. */
export const once = (outgoing: Outgoing): Outgoings => () => outgoing;

/**
 * The requests of a call with several targets. Each is written when its turn comes: twenty at once would take twenty times
 * the work and memory. A fault of the client's request is thrown before anything is sent. A fault that is due to one target
 * is thrown in its turn, as another target may take the request.
 */
export function inTurn(body: Body, first: Target, exchange: Exchange): Outgoings {
  checkRequest(body, first, exchange);
  let current: Outgoing | undefined;
  const exchangeOf = exchangesFor(first, exchange);
  return (target) => {
    if (current?.target === target) return current;
    const own = exchangeOf(target);
    return current = searchable(prepare(body, target, own, false), own);
  };
}

/** The GatewayError that some work throws, if it throws one. */
export function failureOf(work: () => unknown): GatewayError | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

/**
 * Makes the step of a target.
 *
 * @param ownKey Whether the client's key may be sent to this target. It may only go to the provider of the first target.
 */
export function chatStep(
  target: Target,
  outgoings: Outgoings,
  settings: PolicySettings,
  exchange: Exchange,
  ownKey: boolean,
): Step {
  const { provider, model } = target;
  const credentials = credentialsFor(target, exchange, ownKey);
  const step: Step = {
    provider: provider.name,
    model,
    settings,
    // `respond` returns answers in the client's format.
    format: exchange.client,
    fault: () => failureOf(() => outgoings(target)),
    otherKey: credentials.keys?.isFree,
    mask: (error) => maskObject(outgoings(target).masks.error, error),
    look: provider.fetch ? undefined : (response) => {
      const outgoing = outgoings(target);
      return outgoing.reader ? undefined : lookAt(response, outgoing, exchange.config.timer);
    },
    send({ signal, begun }) {
      const outgoing = outgoings(target);
      return ask(
        outgoing,
        outgoing.body(),
        credentials,
        signal,
        exchange,
        (upstream) => respond(upstream, outgoing, exchange, begun),
      );
    },
  };
  return routed(step, target, exchange);
}
