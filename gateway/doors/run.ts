/** Cloudflare's REST `POST /ai/run`: `{model, input, options?}` for every model and every kind of task. */
import * as v from "npm:valibot@1.5.0";
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { GatewayError, quote, shorten } from "../../wires/errors.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { openaiResponses } from "../../wires/openai_responses/mod.ts";
import { check } from "../../wires/shared/faults.ts";
import { isObject, object, objects, parse, text as asText } from "../../wires/shared/json.ts";
import type { ClientWire, JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { firstAttempt } from "../policies/attempt.ts";
import { readPolicy } from "../policies/settings.ts";
import { findProvider } from "../targets/find_target.ts";
import { targetsOf } from "../targets/find_targets.ts";
import { isRouteName } from "../targets/routes/legs.ts";
import { isWorkersAI, runPath, runTask } from "../targets/run_task.ts";
import { parseJson } from "../upstream/body.ts";
import { headerValue, setMissing } from "../upstream/headers.ts";
import { chat } from "./chat.ts";
import { embeddings } from "./embeddings.ts";
import { nativeCaching, nativeHeaders, nativeStep } from "./native.ts";

export const RUN = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty()),
  input: v.looseObject({}),
  options: v.nullish(v.looseObject({
    gateway: v.nullish(v.looseObject({ id: v.nullish(v.string()) })),
    extraHeaders: v.nullish(v.record(v.string(), v.unknown())),
    background: v.nullish(v.boolean()),
  })),
});

type Options = v.InferOutput<typeof RUN>["options"];

/**
 * Serves a request.
 *
 * A model of Workers AI gets its input as it is. Of any other the input says what is asked, see `runTask`; a Claude model's may be in
 * Anthropic's own form, and is answered in it.
 *
 * @param isEnveloped Whether the answer stands in Cloudflare's envelope, unless it is a stream.
 * @throws GatewayError for a bad request, or when no target can be reached.
 */
export async function run(
  text: Uint8Array<ArrayBuffer>,
  asked: Exchange,
  isEnveloped: boolean,
): Promise<Response> {
  const parsed = parseJson(text);
  check(RUN, parsed as JsonObject);
  const { model, input, options } = parsed as v.InferOutput<typeof RUN>;
  const exchange = await withOptions(asked, options);
  if (isWorkersAI(model)) return await runOwn(model, input, exchange);
  if (isEnveloped && !exchange.explain) exchange.report.envelope = (response) => enveloped(response, model);
  const { path, body } = runTask(model, input);
  const bytes = new TextEncoder().encode(JSON.stringify(Object.assign({ model }, body, { model })));
  if (path === "embeddings") return await embeddings(bytes, exchange);
  const client = path === "responses" ? openaiResponses : clientOf(model, body as JsonObject, exchange);
  return await chat(bytes, { ...exchange, client });
}

/** @throws GatewayError for what cannot be done here, or for another gateway than the caller was admitted to. */
async function withOptions(exchange: Exchange, options: Options): Promise<Exchange> {
  if (!options) return exchange;
  const { gateway, extraHeaders, background } = options;
  const refuse = (param: string, state: string) =>
    new GatewayError("invalid_request", `Cannot run the model: ${state}`, { param: `options.${param}` });
  if (background === true) {
    throw refuse("background", "nothing runs in the background here; leave options.background out, and wait");
  }
  if (gateway?.id != null && gateway.id !== exchange.gateway) {
    throw refuse(
      "gateway.id",
      "the gateway is named by the header cf-aig-gateway-id, before the body is read",
    );
  }
  const headers = new Headers(exchange.headers);
  const more = new Headers();
  for (const [option, header] of SETTINGS) {
    const value = gateway?.[option];
    if (value != null) more.set(header, headerValue(value));
  }
  for (const [name, value] of Object.entries(extraHeaders ?? {})) {
    if (value != null) setHeader(more, name, value);
  }
  if (more.has("sluice-explain")) {
    throw refuse("extraHeaders.sluice-explain", "sluice-explain must be a header of the request itself");
  }
  more.forEach((value, name) => headers.set(name, value));
  const own = await exchange.config.tokens.keys(more);
  const asking = exchange.caller.meter
    ? { ...exchange.caller, metered: exchange.caller.meter(headers) }
    : exchange.caller;
  const caller = own.size > 0 ? { ...asking, keys: own } : asking;
  return { ...exchange, headers, caller };
}

/** Settings of a gateway, and the headers that say the same. */
const SETTINGS: readonly (readonly [option: string, header: string])[] = [
  ["cacheKey", "cf-aig-cache-key"],
  ["cacheTtl", "cf-aig-cache-ttl"],
  ["collectLog", "cf-aig-collect-log"],
  ["metadata", "cf-aig-metadata"],
  ["requestTimeoutMs", "cf-aig-request-timeout"],
  ["skipCache", "cf-aig-skip-cache"],
];

/** Sets a header. @throws GatewayError for a name or a value that headers cannot hold. */
function setHeader(headers: Headers, name: string, value: unknown): void {
  try {
    headers.set(name, headerValue(value));
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    const param = `options.extraHeaders.${shorten(name)}`;
    throw new GatewayError("invalid_request", `Cannot read the request: ${param} is not an HTTP header`, {
      param,
    });
  }
}

/** What a chat's clients speak: Anthropic's own form, before a provider that speaks it, where the input has what it requires. */
function clientOf(model: string, input: JsonObject, exchange: Exchange): ClientWire {
  // A route may lead to any provider, at random: its answers have one form.
  if (isRouteName(model, exchange.config.providers)) return openaiChat;
  const [{ provider }] = targetsOf(model, "model", exchange);
  const isAnthropics = provider.wires[0].wire.name === "anthropic" && typeof input.max_tokens === "number" &&
    objects(input.messages).every(({ role, tool_calls }) =>
      (role === "user" || role === "assistant") && tool_calls === undefined
    ) && objects(input.tools).every((tool) => !isObject(tool.function));
  return isAnthropics ? anthropicMessages : openaiChat;
}

async function runOwn(model: string, input: object, exchange: Exchange): Promise<Response> {
  const { config, caller, report, headers: asked } = exchange;
  const provider = findProvider("workers-ai", config.providers);
  caller.check(provider, model);
  const endpoint = runPath(model);
  if (endpoint === undefined) {
    throw new GatewayError("invalid_model", `Cannot run ${quote(model)}: it is not a model`, {
      param: "model",
    });
  }
  report.provider = provider.name;
  report.model = model;
  const headers = nativeHeaders(provider, exchange);
  setMissing(headers, "content-type", "application/json");
  const body = JSON.stringify(input);
  const step = nativeStep(
    {
      provider,
      endpoint,
      model,
      method: "POST",
      headers,
      body,
      caching: nativeCaching(provider, endpoint, exchange),
    },
    readPolicy(asked, config.policy),
    exchange,
  );
  return await config.send(firstAttempt(step, exchange));
}

// ---------------------------------------------------------------- the envelope

/** An answer in Cloudflare's envelope; a stream, or bytes that are not JSON, as they are. */
async function enveloped(response: Response, model: string): Promise<Response> {
  const { status, headers: from, body } = response;
  if (!from.get("content-type")?.includes("json") || !body) return response;
  const headers = new Headers(from);
  headers.delete("content-length");
  if (status >= 400) {
    // In the shape of the door, whatever the provider has answered.
    const { error } = object(parse(await response.text())) ?? {};
    const told = asText(object(error)?.message) ?? `The provider answered ${status}`;
    const { code = status } = object(error) ?? {};
    const failed = { state: "Failed", model, error: { code, message: told } };
    const errors = [{ code: typeof code === "number" ? code : status, message: told }];
    return new Response(JSON.stringify({ ...failed, result: null, success: false, errors, messages: [] }), {
      status,
      headers,
    });
  }
  const encoder = new TextEncoder();
  const around = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    start: (out) => out.enqueue(encoder.encode('{"state":"Completed","success":true,"result":')),
    flush: (out) => out.enqueue(encoder.encode(',"errors":[],"messages":[]}')),
  });
  return new Response(body.pipeThrough(around), { status, headers });
}
