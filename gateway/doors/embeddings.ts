/** Serves requests for embeddings, for one target or for the first of several that answers. */
import { embeddingFormat, openaiChat, openaiEmbeddingClient } from "../../wires/openai_chat/mod.ts";
import type { ClientWire } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import type { Target } from "../targets/find_target.ts";
import { findTargets, targetsOf } from "../targets/find_targets.ts";
import { unreadRoutes } from "../targets/routes/legs.ts";
import { type Body, readBody } from "../upstream/body.ts";
import { type EmbedPlan, planEmbed, sendEmbed } from "../upstream/embed.ts";
import { readSwitch } from "../upstream/headers.ts";
import { lookAt } from "../upstream/hand_back.ts";
import { maskObject } from "../upstream/masked.ts";
import { exchangesFor } from "../upstream/strangers.ts";
import { credentialsFor } from "../upstream/send.ts";
import { cachePlans } from "./caching.ts";
import { answerPlace, failureOf } from "./chat.ts";
import { routed, withSizes } from "./routed.ts";

/** The wire of embeddings: errors as in chat completions, with readers of its own for answers. */
const CLIENT: ClientWire = { ...openaiChat, ...embeddingFormat };

/**
 * Serves a request for embeddings.
 *
 * @param text The client's body. It is consumed: its buffer must not be used afterwards.
 * @throws GatewayError for a bad request, or if no target can be reached.
 */
export function embeddings(text: Uint8Array<ArrayBuffer>, exchange: Exchange): Promise<Response> {
  const { headers, config, report } = exchange;
  const settings = readPolicy(headers, config.policy);
  const body = readBody(text, []);
  const unread = unreadRoutes(body, exchange);
  if (unread) return unread.then(() => embeddings(text, exchange));
  const targets = findTargets(body, exchange, "embeddings");
  const [first] = targets;
  report.provider = first.provider.name;
  report.model = first.model;
  const [step, ...others] = stepsOf(targets, body, settings, exchange, targets.length === 1);
  return config.send(firstAttempt(step, exchange, others));
}

/** Runs a part of the work on a step. */
type Within = <T>(make: () => T) => T;

/**
 * Makes the steps of one request for embeddings within a universal request.
 *
 * @param only Whether the universal request has no other step.
 * @param within Runs the work that may find a fault, and adds the step's path to the fault.
 */
export function embedSteps(
  body: Body,
  settings: PolicySettings,
  exchange: Exchange,
  only: boolean,
  within: Within,
): Step[] {
  const targets = targetsOf(body.get("model"), "model", exchange, "embeddings", body);
  return stepsOf(targets, body, settings, exchange, only && targets.length === 1, within);
}

function stepsOf(
  targets: Target[],
  body: Body,
  settings: PolicySettings,
  asked: Exchange,
  only: boolean,
  within: Within = (make) => make(),
): Step[] {
  const exchange: Exchange = withSizes(targets, body.text, { ...asked, client: CLIENT });
  exchange.report.operation = "embeddings";
  const [first] = targets;
  // A fault of the client's request is thrown before anything is sent. A fault that is due to one target comes in its turn.
  if (!only) {
    readSwitch(exchange.headers, "sluice-strict");
    openaiEmbeddingClient.check({ input: body.get("input") });
  }
  // Before the body is planned, which may edit it.
  const cachePlan = cachePlans({ body: body.text, get: body.get }, exchange);
  const plan = only ? planEmbed(body, first, openaiEmbeddingClient, exchange, true) : undefined;
  const exchangeOf = exchangesFor(first, exchange);
  return targets.map((target) => ({
    ...embedStep(target, plan, { body, settings, first, within }, exchangeOf(target)),
    cache: cachePlan?.(answerPlace(target, exchange, "embeddings")),
  }));
}

/** The state that all targets of a request share. */
interface Shared {
  body: Body;
  settings: PolicySettings;
  first: Target;
  within: Within;
}

function embedStep(
  target: Target,
  planned: EmbedPlan | undefined,
  { body, settings, first, within }: Shared,
  exchange: Exchange,
): Step {
  const { provider, model } = target;
  const credentials = credentialsFor(target, exchange, provider === first.provider);
  let plan = planned;
  const planOf = () => plan ??= within(() => planEmbed(body, target, openaiEmbeddingClient, exchange, false));
  const step: Step = {
    provider: provider.name,
    model,
    settings,
    // `sendEmbed` returns answers in the client's format.
    format: exchange.client,
    otherKey: credentials.keys?.isFree,
    fault: () => failureOf(planOf),
    // A request in parts has no `handed`: the errors of its parts are masked already.
    mask: (error) => maskObject(planOf().handed?.masks.error, error),
    look(response) {
      const { handed } = planOf();
      return handed && !provider.fetch
        ? lookAt(response, handed, exchange.config.timer)
        : Promise.resolve(response);
    },
    async send({ signal, begun }) {
      return await sendEmbed(planOf(), credentials, signal, exchange, begun);
    },
  };
  return routed(step, target, exchange);
}
