/** A call on one of our wires for one target, or the first of several that answers. */
import { GatewayError } from "../../wires/errors.ts";
import { withoutCredentials } from "../access/credential_headers.ts";
import { type Body, readBody } from "../upstream/body.ts";
import { checkRequest, type Outgoing, prepare } from "../upstream/prepare.ts";
import type { Exchange } from "../exchange.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import { lookAt } from "../upstream/hand_back.ts";
import { respond } from "../upstream/respond.ts";
import { maskObject } from "../upstream/masked.ts";
import { ask, credentialsFor } from "../upstream/send.ts";
import type { Target } from "../targets/find_target.ts";
import { findTargets } from "../targets/find_targets.ts";

/**
 * Serves a request for a model.
 *
 * @param text The client's body; it is used up.
 * @throws GatewayError for a bad request, or when no target can be reached.
 */
export function chat(text: Uint8Array<ArrayBuffer>, exchange: Exchange): Promise<Response> {
  const { headers, config, report } = exchange;
  const settings = readPolicy(headers, config.policy);
  const body = readBody(text, exchange.client.ruleWords);
  const targets = findTargets(body, exchange);
  const [first] = targets;
  report.provider = first.provider.name;
  report.model = first.model;
  if (targets.length === 1) {
    const outgoing = once(prepare(body, first, exchange));
    return exchange.config.send(firstAttempt(chatStep(first, outgoing, settings, exchange, true), exchange));
  }
  const outgoing = inTurn(body, first, exchange);
  const [step, ...others] = targets.map((target) =>
    chatStep(target, outgoing, settings, exchange, target.provider === first.provider)
  );
  return exchange.config.send(firstAttempt(step, exchange, others));
}

/** What is sent to a target. */
type Outgoings = (target: Target) => Outgoing;

/** For a single target, whose request is written already. */
export const once = (outgoing: Outgoing): Outgoings => () => outgoing;

/**
 * For several targets: each request is written when its turn comes, for twenty take twenty times the work and memory of
 * one. What is wrong with the request itself is told before anything is sent; what one target cannot be told, another may.
 */
export function inTurn(body: Body, first: Target, exchange: Exchange): Outgoings {
  checkRequest(body, first, exchange);
  let current: Outgoing | undefined;
  let strange: Exchange | undefined;
  return (target) => {
    if (current?.target === target) return current;
    // Whatever opens a door was meant for the first target's provider.
    const own = target.provider === first.provider
      ? exchange
      : strange ??= { ...exchange, headers: withoutCredentials(exchange.headers) };
    return current = prepare(body, target, own, false);
  };
}

/** The failure of the gateway's own that some work ends with, if it does. */
export function failureOf(work: () => unknown): GatewayError | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

/**
 * @param ownKey Whether the client's key may go to this target: a key is sent only to the provider it was meant for,
 * that of the first target.
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
  return {
    provider: provider.name,
    model,
    settings,
    // As it is after `respond`.
    format: exchange.client,
    fault: () => failureOf(() => outgoings(target)),
    otherKey: credentials.keys?.isFree,
    mask: (error) => maskObject(outgoings(target).masks.error, error),
    look: provider.fetch ? undefined : (response) => {
      const outgoing = outgoings(target);
      return outgoing.reader ? undefined : lookAt(response, outgoing);
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
}
