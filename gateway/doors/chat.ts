/** A call on one of our wires for one target, or the first of several that answers. */
import { GatewayError } from "../../wires/errors.ts";
import { type Body, readBody } from "../upstream/body.ts";
import { checkRequest, isSpoken, type Outgoing, prepare, spokenTo } from "../upstream/prepare.ts";
import type { Exchange } from "../exchange.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import { lookAt } from "../upstream/hand_back.ts";
import { respond } from "../upstream/respond.ts";
import { maskObject } from "../upstream/masked.ts";
import { ask, credentialsFor } from "../upstream/send.ts";
import { findTarget, type Target, type Task } from "../target.ts";

/** The most targets, or steps, that one request may name. */
export const MOST_STEPS = 20;

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
  return (target) => {
    if (current?.target !== target) current = prepare(body, target, exchange, false);
    return current;
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

/** The body's `model`, then those of its `models` list and of the header `sluice-fallback`, each once. */
export function findTargets(
  body: Body,
  { headers, config, caller }: Exchange,
  task: Task = "chat",
): Target[] {
  const { providers } = config;
  const model = body.get("model") ?? undefined;
  const first = model === undefined ? undefined : findTarget(model, providers, "model", task);
  // A provider's own list is for it to read.
  const list = (first?.provider.ownModels ? undefined : body.get("models")) ?? [];
  if (!Array.isArray(list)) {
    const message = "Cannot read the request: models must be a list";
    throw new GatewayError("invalid_request", message, { param: "models" });
  }
  const written = headers.get("sluice-fallback");
  if (first && list.length === 0 && written === null) {
    caller.check(first.provider);
    return [first];
  }
  const fallback = written?.split(",").map((name) => name.trim()).filter(Boolean) ?? [];
  /** Where each name was written first. */
  const names = new Map<unknown, string>();
  const add = (name: unknown, param: string) => {
    if (names.has(name)) return;
    names.set(name, param);
    if (names.size <= MOST_STEPS) return;
    const message = `Cannot try more than ${MOST_STEPS} models`;
    throw new GatewayError("invalid_request", message, { param: "models" });
  };
  if (model !== undefined) add(model, "model");
  for (const [at, name] of list.entries()) add(name, `models[${at}]`);
  for (const name of fallback) add(name, "sluice-fallback");
  // No model at all is told as one that is malformed.
  if (names.size === 0) names.set(undefined, "model");
  const targets = [...names].map(([name, param]) => findTarget(name, providers, param, task));
  for (const { provider } of targets) caller.check(provider);
  return targets;
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
  const credentials = credentialsFor(provider, exchange, ownKey);
  return {
    provider: provider.name,
    model,
    settings,
    // As it is after `respond`.
    format: exchange.client,
    fault: () => failureOf(() => outgoings(target)),
    otherKey: credentials.keys?.isFree,
    mask: (error) => maskObject(outgoings(target).masks.error, error),
    look: isSpoken(spokenTo(provider, exchange.client), exchange.client) && !provider.fetch
      ? (response) => lookAt(response, outgoings(target))
      : undefined,
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
