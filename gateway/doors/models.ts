/** The list of models. */
import { nativeUrl } from "../../providers/native.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { object, parse, text } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { headersInit, sentHeaders, setFixed } from "../upstream/headers.ts";
import { errorResponse } from "../upstream/error_response.ts";
import { maskText } from "../upstream/masked.ts";
import { findTarget, type Target } from "../targets/find_target.ts";
import type { Alias } from "../targets/aliases.ts";
import { targetsOf } from "../targets/find_targets.ts";
import { clientKey, readText, send, sign, storedKeys } from "../upstream/send.ts";

/** A provider that takes longer is left out. */
const DEADLINE_MS = 3_000;

/** A model in OpenAI's shape and in Anthropic's at once: each reads what it knows. */
interface Model {
  id: string;
  object: "model";
  /** Unix time in seconds; 0 where the provider does not say. */
  created: number;
  owned_by: string;
  type: "model";
  display_name: string;
  /** The same time as `created`, by RFC 3339. */
  created_at: string;
  /** Tokens that its context holds, where the provider says so. */
  max_input_tokens?: number;
  /** Tokens that an answer may have, where the provider says so. */
  max_tokens?: number;
}

/**
 * Models under the names that a client writes, e.g. `demo/echo`, and the names that the operator gave: those that the caller
 * may use.
 *
 * Asked are the providers built in and those that the gateway has a key for, if the caller may use it: a client's own
 * key does not say which provider it belongs to, so it is sent to no provider. `sluice-missing` names late providers.
 */
export async function listModels(exchange: Exchange): Promise<Response> {
  const { signal } = exchange;
  const missing: string[] = [];
  const reasons: string[] = [];
  const { limit, done } = deadline(exchange);
  const lists = await Promise.all(
    configured(exchange).map(async (provider) => {
      try {
        return await modelsOf(provider, exchange, limit);
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
  const page = { has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return Response.json({ object: "list", data, ...page }, { headers });
}

/** What a name of the operator's stands for, if the caller may use all of it; `undefined` too for a name that is listed. */
function namedByOperator(
  { pattern: id, names }: Alias,
  listed: readonly Model[],
  { config: { providers }, caller }: Exchange,
): Model | undefined {
  if (listed.some((model) => model.id === id)) return undefined;
  const targets = names.map((name) => findTarget(name, providers, "model", "any"));
  if (!targets.every(({ provider }) => caller.allows(provider))) return undefined;
  const [{ provider, model }] = targets;
  const known = listed.find((one) => one.id === `${provider.name}/${model}`);
  return { ...known ?? modelOf(id, provider.name, 0), id, display_name: id };
}

/**
 * One model by the name that a client writes, as OpenAI's API has it.
 *
 * Its provider is asked, with the client's own key or the gateway's: the name says whose the key is.
 *
 * @returns 404 in OpenAI's words for a model that is in no list.
 */
export async function findModel(written: string, exchange: Exchange): Promise<Response> {
  const { config, caller, signal } = exchange;
  const id = decode(written);
  const target = targetOf(id, exchange);
  if (!target || target.provider.chat === false && !target.provider.embeddings) {
    return unknownModel(id, exchange);
  }
  const { provider, model: name, alias } = target;
  const { limit, done } = deadline(exchange);
  // A key that came along is of the provider that was named, and no operator's name says which that is.
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
function targetOf(id: string, { config, caller }: Exchange): Target | undefined {
  try {
    return targetsOf(id, "model", config, caller, "any")[0];
  } catch (error) {
    if (error instanceof GatewayError && error.code !== "unauthorized") return undefined;
    throw error;
  }
}

function unknownModel(id: string, { report, client }: Exchange): Response {
  const message = `The model ${quote(id)} does not exist: the models that do are listed at /v1/models, ` +
    `as "{provider}/{model}"`;
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

/** A signal that aborts when the client leaves or a list takes too long, until `done`. */
function deadline({ config, signal }: Exchange): { limit: AbortSignal; done: () => void } {
  const late = new AbortController();
  const ended = new AbortController();
  const tooLate = () =>
    late.abort(new GatewayError("upstream_timeout", "Cannot wait longer for a list of models"));
  config.wait(DEADLINE_MS, ended.signal).then(tooLate, () => {});
  return { limit: AbortSignal.any([signal, late.signal]), done: () => ended.abort() };
}

function configured({ config: { providers, keys }, caller }: Exchange): Provider[] {
  const chosen = new Set(
    [...providers.values()].filter((provider) => provider.fetch && caller.allows(provider)),
  );
  for (const name of caller.trusted ? keys.providers : []) {
    const provider = providers.get(name);
    if (provider && provider.chat !== false && caller.allows(provider)) chosen.add(provider);
  }
  return [...chosen];
}

/** @param key The client's; default one of the gateway's. */
async function modelsOf(
  provider: Provider,
  exchange: Exchange,
  signal: AbortSignal,
  key?: string,
): Promise<Model[]> {
  const { name, modelsPath = "/models" } = provider;
  const url = nativeUrl(provider, modelsPath, exchange.account);
  if (url === undefined) {
    throw new GatewayError("invalid_request", `Cannot list the models of ${name}: it has no such list`);
  }
  const headers = sentHeaders();
  headers.set("accept", "application/json");
  for (const [name, value] of Object.entries(provider.headers ?? {})) headers.set(name.toLowerCase(), value);
  setFixed(headers, provider);
  const stored = key === undefined ? storedKeys(provider, exchange)?.take() : undefined;
  const used = key ?? stored?.key;
  if (used !== undefined) await sign({ method: "GET", url, headers, body: null }, provider, used);
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
 * A provider's list: `{data}` (OpenAI, Anthropic), a bare list (Together), `{models}` of names (Google, Cohere), `{result}` of
 * names (Cloudflare).
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

/** @param since Unix time in seconds; 0 for what is none. */
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

/** The year 9999: later ones have no date in JSON. */
const LATEST = 253_370_764_800;

/**
 * Members that tell a model's limits: Anthropic's and Vercel's, Google's, OpenRouter's, Groq's, Mistral's, vLLM's, of Together
 * and Cohere as OpenRouter's. Read in November 2026 from their references.
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
