/** Hands the older completions and rerank through to providers that have them. Chat completions never stand in for them. */
import { embeddingFormat, openaiChat } from "../../wires/openai_chat/mod.ts";
import type { ClientWire } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import type { Target } from "../targets/find_target.ts";
import { findTargets } from "../targets/find_targets.ts";
import { unreadRoutes } from "../targets/routes/legs.ts";
import { type Body, readBody } from "../upstream/body.ts";
import { lookAt } from "../upstream/hand_back.ts";
import { handedOn } from "../upstream/handed_on.ts";
import { maskObject } from "../upstream/masked.ts";
import type { Outgoing } from "../upstream/prepare.ts";
import { respond } from "../upstream/respond.ts";
import { exchangesFor } from "../upstream/strangers.ts";
import { ask, credentialsFor } from "../upstream/send.ts";
import { cachePlans } from "./caching.ts";
import { answerPlace, failureOf } from "./chat.ts";
import { routed, withSizes } from "./routed.ts";

/** The endpoints, each with the wire that reads its answers. An answer of rerank has no choices, only a count of tokens. */
const CLIENTS = {
  completions: openaiChat,
  rerank: { ...openaiChat, ...embeddingFormat },
} satisfies Record<string, ClientWire>;

/** An endpoint that is handed through. */
export type Handed = keyof typeof CLIENTS;

/**
 * Serves a request for one of these endpoints.
 *
 * @param text The client's body. It is consumed: its buffer must not be used afterwards.
 * @throws GatewayError for a provider without this endpoint, or if no target can be reached.
 */
export function handed(text: Uint8Array<ArrayBuffer>, kind: Handed, asked: Exchange): Promise<Response> {
  const own: Exchange = { ...asked, client: CLIENTS[kind] };
  const { headers, config, report } = own;
  const settings = readPolicy(headers, config.policy);
  const body = readBody(text, []);
  const unread = unreadRoutes(body, own);
  if (unread) return unread.then(() => handed(text, kind, asked));
  const targets = findTargets(body, own, kind);
  const exchange = withSizes(targets, text, own);
  const [first] = targets;
  report.provider = first.provider.name;
  report.model = first.model;
  const only = targets.length === 1;
  const cachePlan = cachePlans({ body: text, get: body.get }, exchange);
  const exchangeOf = exchangesFor(first, exchange);
  const [step, ...others] = targets.map((target) => {
    const isFirst = target.provider === first.provider;
    return {
      ...handedStep(target, isFirst, { body, kind, settings, only }, exchangeOf(target)),
      cache: cachePlan?.(answerPlace(target, exchange, kind)),
    };
  });
  return config.send(firstAttempt(step, exchange, others));
}

/** The state that all targets of a request share. */
interface Shared {
  body: Body;
  kind: Handed;
  settings: PolicySettings;
  only: boolean;
}

function handedStep(
  target: Target,
  ownKey: boolean,
  { body, kind, settings, only }: Shared,
  exchange: Exchange,
): Step {
  const { provider, model } = target;
  const credentials = credentialsFor(target, exchange, ownKey);
  let outgoing: Outgoing | undefined;
  const outgoingOf = () =>
    outgoing ??= handedOn(body, target, exchange, { path: provider.endpoints![kind]! }, only);
  const step: Step = {
    provider: provider.name,
    model,
    settings,
    format: exchange.client,
    fault: () => failureOf(outgoingOf),
    otherKey: credentials.keys?.isFree,
    mask: (error) => maskObject(outgoingOf().masks.error, error),
    look: (response) => lookAt(response, outgoingOf(), exchange.config.timer),
    async send({ signal, begun }) {
      const sent = outgoingOf();
      return await ask(
        sent,
        sent.body(),
        credentials,
        signal,
        exchange,
        (upstream) => respond(upstream, sent, exchange, begun),
      );
    },
  };
  return routed(step, target, exchange);
}
