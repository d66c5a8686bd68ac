/** Serves the list of models, and single models. */
import { nativeUrl } from "../../providers/native.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { object, parse, text } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { headersInit, sentHeaders, setFixed } from "../upstream/headers.ts";
import { errorResponse } from "../upstream/error_response.ts";
import { maskText } from "../upstream/masked.ts";
import { DYNAMIC, findTarget, type Target } from "../targets/find_target.ts";
import type { Alias } from "../targets/aliases.ts";
import { targetsOf } from "../targets/find_targets.ts";
import { isRouteName, routeNameIn } from "../targets/routes/legs.ts";
import { clientKey, readyKey } from "../upstream/client_keys.ts";
import { readText, send, storedKeys } from "../upstream/send.ts";
import { sign, unsigned } from "../upstream/signing.ts";

/** The longest wait for a provider's list. Later lists are left out. */
const DEADLINE_MS = 3_000;

/** The owner of routes in lists. */
const OWNER = "sluice";

/** A model in the shapes of OpenAI and Anthropic at once. Clients ignore the members of the other shape. */
interface Model {
  id: string;
  object: "model";
  /** Unix time in seconds; 0 if the provider does not say. */
  created: number;
  owned_by: string;
  type: "model";
  display_name: string;
  /** The same time as `created`, in the form of RFC 3339. */
  created_at: string;
  /** The most tokens of its context, if the provider says so. */
  max_input_tokens?: number;
  /** The most tokens of an answer, if the provider says so. */
  max_tokens?: number;
}

/**
 * Lists the models that the caller may use, under the names that a client writes, e.g. `demo/echo`, and the operator's names.
 *
 * It asks the built-in providers and, for a caller that may use stored keys, the providers with a stored key. A client's own
 * key is sent to none of them, because it does not tell its provider. `sluice-missing` names the providers whose list is
 * late or failed.
 */
export async function listModels(exchange: Exchange): Promise<Response> {
  const { signal } = exchange;
  const missing: string[] = [];
  const reasons: string[] = [];
  const { limit, done } = deadline(exchange);
  const lists = await Promise.all(
    configured(exchange).map(async (provider) => {
      try {
        const models = await modelsOf(provider, exchange, limit);
        const nameOf = ({ id }: Model) => id.slice(provider.name.length + 1);
        return models.filter((model) => exchange.caller.allows(provider, nameOf(model)));
      } catch (cause) {
        signal.throwIfAborted();
        missing.push(provider.name);
        const why = cause instanceof GatewayError ? cause.code : (cause as Error).name;
        reasons.push(`${provider.name} (${why})`);
        return [];
      }
    }),
  ).finally(done);
  const headers = new Headers();
  if (missing.length > 0) {
    headers.set("sluice-missing", missing.sort().join(", "));
    const message = `Cannot list the models of ${reasons.sort().join(", ")}`;
    exchange.report.failure = { code: "models_missing", message };
  }
  const data = lists.flat();
  for (const alias of exchange.config.aliases?.exact ?? []) {
    const model = namedByOperator(alias, data, exchange);
    if (model) data.push(model);
  }
  for (const name of await routeNames(exchange)) {
    data.push(modelOf(`${DYNAMIC}/${name}`, OWNER, 0));
  }
  const page = { has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return Response.json({ object: "list", data, ...page }, { headers });
}

/** The names of the gateway's routes; those of the options alone if the store fails. */
async function routeNames(exchange: Exchange): Promise<string[]> {
  const { routes } = exchange.config;
  return await routes?.names(exchange).catch(() => routes.fixedNames()) ?? [];
}

/** The entry for a name of the operator's. `undefined` if it is listed already or if the caller may not use all its models. */
function namedByOperator(
  { pattern: id, names }: Alias,
  listed: readonly Model[],
  { config: { providers }, caller }: Exchange,
): Model | undefined {
  if (listed.some((model) => model.id === id)) return undefined;
  // A route may lead to any of its models.
  if (names.some((name) => isRouteName(name, providers))) return modelOf(id, OWNER, 0);
  const targets = names.map((name) => findTarget(name, providers, "model", "any"));
  if (!targets.every(({ provider, model }) => caller.allows(provider, model))) return undefined;
  const [{ provider, model }] = targets;
  const known = listed.find((one) => one.id === `${provider.name}/${model}`);
  return { ...known ?? modelOf(id, provider.name, 0), id, display_name: id };
}

/**
 * Finds one model by the name that a client writes. The answer has the form of OpenAI's API.
 *
 * It asks the model's provider, with the client's own key or the gateway's: here the name tells the key's provider.
 *
 * @returns 404 in OpenAI's form for a model that the provider does not list.
 */
export async function findModel(written: string, exchange: Exchange): Promise<Response> {
  const { config, caller, signal } = exchange;
  const id = decode(written);
  if (isRouteName(id, config.providers)) {
    await config.routes?.unread([routeNameIn(id)], exchange);
    const route = config.routes?.find(routeNameIn(id), exchange);
    return route ? Response.json(modelOf(id, OWNER, 0)) : unknownModel(id, exchange);
  }
  const target = targetOf(id, exchange);
  if (!target || target.provider.chat === false && !target.provider.embeddings) {
    return unknownModel(id, exchange);
  }
  const { provider, model: name, alias } = target;
  const { limit, done } = deadline(exchange);
  // The client's key is for the provider that the client named. A name of the operator's does not name a provider.
  const key = alias === undefined ? clientKey(caller) : undefined;
  const list = await modelsOf(provider, exchange, limit, key).catch((cause) => {
    if (alias === undefined || signal.aborted) throw cause;
    return [];
  }).finally(done);
  const found = list.find((model) => model.id === `${provider.name}/${name}`);
  if (found) return Response.json({ ...found, id });
  const named = alias === undefined ? undefined : config.aliases?.find(id);
  return named ? Response.json(modelOf(id, provider.name, 0)) : unknownModel(id, exchange);
}

/** @throws GatewayError `unauthorized` */
function targetOf(id: string, exchange: Exchange): Target | undefined {
  try {
    return targetsOf(id, "model", exchange, "any")[0];
  } catch (error) {
    if (error instanceof GatewayError && error.code !== "unauthorized") return undefined;
    throw error;
  }
}

function unknownModel(id: string, { report, client }: Exchange): Response {
  const message = `The model ${
    quote(id)
  } does not exist: /v1/models lists the models, as "{provider}/{model}"`;
  report.failure = { code: "model_not_found", message };
  const error = { message, type: "invalid_request_error", param: "model", code: "model_not_found" };
  return errorResponse({ ...error, status: 404 }, client);
}

function decode(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** A signal that aborts when the client leaves or, until `done` is called, when a list takes too long. */
function deadline({ config, signal }: Exchange): { limit: AbortSignal; done: () => void } {
  const late = new AbortController();
  const ended = new AbortController();
  const tooLate = () =>
    late.abort(new GatewayError("upstream_timeout", "Cannot wait longer for a list of models"));
  config.wait(DEADLINE_MS, ended.signal).then(tooLate, () => {});
  return { limit: AbortSignal.any([signal, late.signal]), done: () => ended.abort() };
}

function configured(
  { config: { providers, keys }, caller: { models, trusted, ...caller } }: Exchange,
): Provider[] {
  // A provider is not asked if the caller may use none of its models.
  const allows = (provider: Provider) =>
    caller.allows(provider) && (!models || models.some((pattern) => pattern.startsWith(`${provider.name}/`)));
  const chosen = new Set(
    [...providers.values()].filter((provider) => provider.fetch && allows(provider)),
  );
  for (const name of trusted ? keys.providers : []) {
    const provider = providers.get(name);
    if (provider && provider.chat !== false && provider.modelsPath !== false && allows(provider)) {
      chosen.add(provider);
    }
  }
  return [...chosen];
}

/** @param key The client's key. Default: a stored key. */
async function modelsOf(
  provider: Provider,
  exchange: Exchange,
  signal: AbortSignal,
  key?: string,
): Promise<Model[]> {
  const { name, modelsPath = "/models" } = provider;
  if (modelsPath === false) return [];
  const url = nativeUrl(provider, modelsPath, exchange.account);
  if (url === undefined) {
    throw new GatewayError("invalid_request", `Cannot list the models of ${name}: it has no list of models`);
  }
  const headers = sentHeaders();
  headers.set("accept", "application/json");
  for (const [name, value] of Object.entries(provider.headers ?? {})) headers.set(name.toLowerCase(), value);
  setFixed(headers, provider);
  const ring = key === undefined ? storedKeys(provider, exchange) : undefined;
  await (ring && readyKey(ring, exchange, signal));
  const stored = ring?.take();
  const used = key ?? stored?.key;
  if (used !== undefined) {
    await sign(
      unsigned({ method: "GET", url, headers, body: null }, exchange, signal),
      provider,
      used,
      stored,
    );
  }
  return await send(provider, url, { headers: headersInit(headers) }, signal, exchange, async (response) => {
    stored?.report(response);
    if (response.ok) {
      const { answer: mask } = exchange.config.masks(stored?.key);
      return await readText(
        response,
        provider,
        exchange,
        (text) => readModels(parse(maskText(mask, text)), name),
      );
    }
    await response.body?.cancel();
    throw new GatewayError(
      "bad_upstream_answer",
      `Cannot read the models of ${name}: it answered ${response.status}`,
    );
  });
}

/**
 * Reads a provider's list: `{data}` with ids (OpenAI, Anthropic), a bare list with ids (Together), `{models}` with names
 * (Google, Cohere) or `{result}` with names (Cloudflare).
 */
function readModels(body: unknown, provider: string): Model[] {
  const { data, models, result } = object(body) ?? {};
  const list = [body, data, models, result].find(Array.isArray) ?? [];
  const named = list === models || list === result;
  return list.flatMap((entry): Model[] => {
    const about = object(entry) ?? {};
    const { id, name, created, created_at, owned_by, display_name, displayName } = about;
    const model = named ? name : id;
    if (typeof model !== "string" || model === "") return [];
    const since = typeof created === "number" ? created : Date.parse(`${created_at}`) / 1000;
    const shown = text(display_name) ?? text(displayName) ?? (named ? undefined : text(name));
    return [{
      ...modelOf(`${provider}/${model.replace(/^models\//, "")}`, text(owned_by) ?? provider, since),
      ...(shown !== undefined && { display_name: shown }),
      ...limitsOf(about),
    }];
  });
}

/** @param since Unix time in seconds. A time that is not valid becomes 0. */
function modelOf(id: string, owner: string, since: number): Model {
  const created = since >= 0 && since < LATEST ? Math.floor(since) : 0;
  return {
    id,
    object: "model",
    created,
    owned_by: owner,
    type: "model",
    display_name: id,
    created_at: new Date(created * 1000).toISOString().replace(".000Z", "Z"),
  };
}

/** The end of the year 9998: RFC 3339 has no years of five digits. */
const LATEST = 253_370_764_800;

/**
 * The members in which providers tell a model's limits, in this order: Anthropic and Vercel, Google, OpenRouter (also Together
 * and Cohere), Groq, Mistral, vLLM. From their references, read in November 2026.
 */
const LIMITS_OF = {
  max_input_tokens: [
    "max_input_tokens",
    "inputTokenLimit",
    "context_length",
    "context_window",
    "max_context_length",
    "max_model_len",
  ],
  max_tokens: ["max_tokens", "outputTokenLimit", "max_completion_tokens", "max_output_tokens"],
} as const;

function limitsOf(about: JsonObject): Pick<Model, "max_input_tokens" | "max_tokens"> {
  const places = [about, object(about.top_provider) ?? {}, object(about.metadata) ?? {}];
  const find = (names: readonly string[]) => {
    for (const place of places) {
      for (const name of names) {
        if (Number.isSafeInteger(place[name]) && place[name] as number > 0) return place[name] as number;
      }
    }
    return undefined;
  };
  const [max_input_tokens, max_tokens] = [find(LIMITS_OF.max_input_tokens), find(LIMITS_OF.max_tokens)];
  return {
    ...(max_input_tokens !== undefined && { max_input_tokens }),
    ...(max_tokens !== undefined && { max_tokens }),
  };
}
