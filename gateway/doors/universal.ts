/** Serves the universal endpoint: tries steps for several providers, each in its own format, until one answers. */
import * as v from "npm:valibot@1.5.0";
import { GatewayError, shorten } from "../../wires/errors.ts";
import { object } from "../../wires/shared/json.ts";
import { findObjects } from "../../wires/shared/json_text.ts";
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { openaiResponses } from "../../wires/openai_responses/mod.ts";
import type { ClientWire, JsonObject } from "../../wires/types.ts";
import { type Body, findShallow, parseJson, readBody } from "../upstream/body.ts";
import { cachePlans } from "./caching.ts";
import { answerPlace, chatStep, inTurn, once } from "./chat.ts";
import { searchable } from "../upstream/no_search.ts";
import { embedSteps } from "./embeddings.ts";
import { prepare } from "../upstream/prepare.ts";
import { withSizes } from "./routed.ts";
import type { Exchange } from "../exchange.ts";
import { checkSize, headerValue, setMissing } from "../upstream/headers.ts";
import { nativeCaching, nativeHeaders, nativeStep } from "./native.ts";
import { checkModels, clearModel } from "./native_models.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import { findProvider, MOST_NAME } from "../targets/find_target.ts";
import { checkOwnModels, MOST_STEPS, targetsOf } from "../targets/find_targets.ts";
import { unreadRoutes } from "../targets/routes/legs.ts";

/** The most characters of an endpoint with its query. Servers refuse longer request lines. */
const MOST_ENDPOINT = 64 * 1024;

const STEP = v.looseObject({
  provider: v.pipe(v.string(), v.nonEmpty("must be a provider's name")),
  endpoint: v.pipe(v.string(), v.maxLength(MOST_ENDPOINT, `must have at most ${MOST_ENDPOINT} characters`)),
  authorization: v.nullish(v.string()),
  headers: v.nullish(v.record(v.string(), v.unknown())),
  query: v.optional(v.unknown()),
  config: v.nullish(v.record(v.string(), v.unknown())),
}, "must be a step: {provider, endpoint, headers?, query}");

export const STEPS = v.pipe(v.array(STEP), v.nonEmpty("must hold a step"));

/** A step as the client wrote it, with its path, e.g. `[1]`. */
type WrittenStep = v.InferOutput<typeof STEP> & { path: string; body: Uint8Array<ArrayBuffer> };

/**
 * Headers that a step cannot set, because they belong to the connection or to the whole request.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 (`connection`), 7.2 (`host`), 7.8 (`upgrade`), 8.6
 * (`content-length`), 10.1.4 (`te`)
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.1 (`transfer-encoding`)
 */
const REFUSED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "sluice-explain",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Serves a universal request. The answer is that of the first step that succeeds, or of the last step if all fail.
 *
 * @param text `[{provider, endpoint, headers?, authorization?, query, config?}, …]`, or one such object.
 * @throws GatewayError with the path of the fault, e.g. `[1].endpoint`. Nothing has been sent then.
 */
export async function universal(text: Uint8Array<ArrayBuffer>, exchange: Exchange): Promise<Response> {
  const steps: Step[] = [];
  const written = readSteps(text);
  for (const [place, step] of written.entries()) {
    for (const made of await makeSteps(step, exchange, written.length === 1)) steps.push({ ...made, place });
    if (steps.length > MOST_STEPS) {
      throw fault(
        "",
        `must have at most ${MOST_STEPS} steps, counting each model of a list in the option models`,
      );
    }
  }
  const [step, ...others] = steps;
  return exchange.config.send(firstAttempt(step, exchange, others));
}

// ---------------------------------------------------------------- what the client wrote

function readSteps(text: Uint8Array<ArrayBuffer>): WrittenStep[] {
  const parsed = parseJson(text);
  if (Array.isArray(parsed) && parsed.length > MOST_STEPS) {
    throw fault("", `must have at most ${MOST_STEPS} steps`);
  }
  const result = v.safeParse(STEPS, Array.isArray(parsed) ? parsed : [parsed], {
    abortEarly: true,
    message: ({ expected }) => `must be ${expected?.replaceAll(/[()"]/g, "")}`,
  });
  if (!result.success) {
    const [{ path = [], message, received }] = result.issues;
    const at = path.map(({ key }) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
    throw fault(at, received === "undefined" ? "must be given" : message);
  }
  const written = findObjects(text);
  return result.output.map((step, at) => ({
    ...step,
    path: `[${at}]`,
    body: bodyOf(step.query, written?.[at]),
  }));
}

const fault = (param: string, state: string) =>
  new GatewayError("invalid_request", `Cannot read the request: ${param || "the body"} ${state}`, { param });

/** The bytes of a step's body as the client wrote them, if they can be found: JSON may hold numbers that JavaScript rounds. */
function bodyOf(query: unknown, written: Uint8Array<ArrayBuffer> | undefined): Uint8Array<ArrayBuffer> {
  if (query === undefined || query === null) return new Uint8Array();
  if (typeof query === "string") return new TextEncoder().encode(query);
  const member = written && findShallow(written)?.get("query");
  return member
    ? written.subarray(member.valueStart, member.valueEnd)
    : new TextEncoder().encode(JSON.stringify(query));
}

function readHeaders({ headers: given, authorization, path }: WrittenStep): Headers {
  const headers = new Headers();
  const names = Object.keys(given ?? {});
  let size = 0;
  // Checked before the headers are set: setting one takes time in proportion to the headers set before.
  checkSize(names.length, size, `${path}.headers`);
  const set = (name: string, value: unknown, param: string) => {
    if (value === null || value === undefined) return;
    if (REFUSED.has(name.toLowerCase())) throw fault(param, "cannot be set by a step");
    let text: string;
    try {
      text = headerValue(value);
      size += name.length + text.length;
      checkSize(names.length, size, `${path}.headers`);
      headers.set(name, text);
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      throw fault(param, "is not an HTTP header: its name or value has a character that headers cannot hold");
    }
    // `Headers` cuts line breaks off the ends of a value without an error.
    if (/[\r\n\0]/.test(text)) throw fault(param, "holds a line break");
  };
  for (const name of names) set(name, given![name], `${path}.headers.${shorten(name)}`);
  if (!headers.has("authorization")) set("authorization", authorization, `${path}.authorization`);
  return headers;
}

// ---------------------------------------------------------------- what is sent

/** The steps of one written step: several if its model is a name of the operator's for several models. */
async function makeSteps(written: WrittenStep, exchange: Exchange, only: boolean): Promise<Step[]> {
  const { tokens } = exchange.config;
  const step = { ...written, endpoint: tokens.ownQuery(written.endpoint) };
  const { provider, path, query, config = {} } = step;
  const headers = readHeaders(step);
  const caller = { ...exchange.caller, keys: await tokens.keys(headers) };
  // The request's own headers for the gateway are the defaults of each step.
  exchange.headers.forEach((value, name) => {
    if (/^(cf-aig|sluice)-/.test(name) && !headers.has(name)) headers.set(name, value);
  });
  const own: Exchange = { ...exchange, headers, caller };
  const settings = readPolicy(headers, exchange.config.policy, config ?? {}, path);
  const unread = provider === "compat" && unreadRoutes({ get: (field) => object(query)?.[field] }, own);
  if (unread) await unread;
  const made = provider === "compat"
    ? compatSteps(step, settings, own, only)
    : [nativeStepOf(step, settings, own)];
  const eventId = headers.get("cf-aig-event-id") ?? undefined;
  const metadata = headers.get("cf-aig-metadata") ?? undefined;
  return made.map((step) => ({ ...step, eventId, metadata }));
}

/** What a step for `compat` may ask for, by its endpoint: what its clients speak, or embeddings. */
const COMPAT: readonly (readonly [RegExp, ClientWire | "embeddings"])[] = [
  // Cloudflare's page on dynamic routes writes `chat/completion`.
  [/^\/?(?:v1\/)?chat\/completions?\/?$/, openaiChat],
  [/^\/?(?:v1\/)?responses\/?$/, openaiResponses],
  [/^\/?(?:v1\/)?messages\/?$/, anthropicMessages],
  [/^\/?(?:v1\/)?embeddings\/?$/, "embeddings"],
];

/**
 * The steps of a request on one of our wires, or for embeddings, which is translated as on the compat path.
 *
 * @param only Whether there is no other step. If there are others, each request is written when its turn comes, because the
 * next model may take a request that this one cannot.
 * @throws GatewayError for a fault of the client's request.
 */
function compatSteps(
  { endpoint, path, body }: WrittenStep,
  settings: PolicySettings,
  exchange: Exchange,
  only: boolean,
): Step[] {
  const [, task] = COMPAT.find(([pattern]) => pattern.test(endpoint)) ?? [];
  if (task === undefined) {
    const message = `Compatibility endpoint: ${shorten(endpoint)} is not supported.`;
    throw new GatewayError("invalid_model", message, { param: `${path}.endpoint` });
  }
  return within(path, () => {
    if (task === "embeddings") {
      return embedSteps(readBody(body, []), settings, exchange, only, (make) => within(path, make));
    }
    return callSteps(readBody(body, task.ruleWords), path, settings, { ...exchange, client: task }, only);
  });
}

function callSteps(
  call: Body,
  path: string,
  settings: PolicySettings,
  asked: Exchange,
  only: boolean,
): Step[] {
  const targets = targetsOf(call.get("model"), "model", asked, "chat", call);
  checkOwnModels(targets, call, asked.caller);
  const exchange = withSizes(targets, call.text, asked);
  const [first] = targets;
  const plan = cachePlans({ body: call.text, get: call.get }, exchange);
  const outgoings = only && targets.length === 1
    ? once(searchable(prepare(call, first, exchange), exchange))
    : inTurn(call, first, exchange);
  return targets.map((target) => ({
    ...chatStep(
      target,
      (target) => within(path, () => outgoings(target)),
      settings,
      exchange,
      target.provider === first.provider,
    ),
    cache: plan?.(answerPlace(target, exchange)),
  }));
}

/** The step of a request in the provider's own format. */
function nativeStepOf(step: WrittenStep, settings: PolicySettings, exchange: Exchange): Step {
  const { endpoint, query, path, body } = step;
  const provider = findProvider(step.provider, exchange.config.providers, `${path}.provider`);
  exchange.caller.check(provider);
  return within(path, () => {
    checkModels(provider, endpoint, body, exchange);
    const headers = nativeHeaders(provider, exchange);
    setMissing(headers, "content-type", "application/json");
    const { model } = (query ?? {}) as JsonObject;
    const named = typeof model === "string" && model.length <= MOST_NAME ? model : undefined;
    return nativeStep(
      {
        provider,
        endpoint,
        model: clearModel(provider, endpoint, body, named),
        method: "POST",
        headers,
        body,
        caching: nativeCaching(provider, endpoint, exchange),
      },
      settings,
      exchange,
    );
  });
}

/** Runs work on a step. A GatewayError that it throws gets the step's path in its message and `param`. */
function within<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, message, details } = error;
    throw new GatewayError(code, `${message} (${path})`, {
      ...details,
      param: path + placeOf(details.param),
    });
  }
}

/** The path within a step of a fault that was found in its request. */
function placeOf(param: string | undefined): string {
  if (param === "path") return ".endpoint";
  const isHeader = param === "headers" || /^(cf-aig|sluice)-/.test(param ?? "");
  return (isHeader ? "" : ".query") + (param === undefined ? "" : `.${param}`);
}
