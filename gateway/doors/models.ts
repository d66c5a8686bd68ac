/** The list of models. */
import { nativeUrl } from "../../providers/native.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { object, parse } from "../../wires/shared/json.ts";
import type { Exchange } from "../exchange.ts";
import { headersInit, sentHeaders, setFixed } from "../upstream/headers.ts";
import { errorResponse } from "../upstream/error_response.ts";
import { maskText } from "../upstream/masked.ts";
import { clientKey, readText, send, sign, storedKeys } from "../upstream/send.ts";

/** A provider that takes longer is left out. */
const DEADLINE_MS = 3_000;

/** A model in OpenAI's list shape. */
interface Model {
  id: string;
  object: "model";
  /** Unix time in seconds; 0 where the provider does not say. */
  created: number;
  owned_by: string;
}

/**
 * Models under the names that a client writes, e.g. `demo/echo`, in OpenAI's list shape.
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
  return Response.json({ object: "list", data: lists.flat() }, { headers });
}

/**
 * One model by the name that a client writes, as OpenAI's API has it.
 *
 * Its provider is asked, with the client's own key or the gateway's: the name says whose the key is.
 *
 * @returns 404 in OpenAI's words for a model that is in no list.
 */
export async function findModel(written: string, exchange: Exchange): Promise<Response> {
  const { config, caller } = exchange;
  const id = decode(written);
  const name = id.startsWith("@cf/") ? "workers-ai" : id.slice(0, Math.max(0, id.indexOf("/")));
  const provider = config.providers.get(name);
  if (!provider || provider.chat === false) return unknownModel(id, exchange);
  caller.check(provider);
  const { limit, done } = deadline(exchange);
  const list = await modelsOf(provider, exchange, limit, clientKey(caller)).finally(done);
  const wanted = `${provider.name}/${id.startsWith("@cf/") ? id : id.slice(name.length + 1)}`;
  const model = list.find((model) => model.id === wanted);
  return model ? Response.json({ ...model, id }) : unknownModel(id, exchange);
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
  const chosen = new Set([...providers.values()].filter((provider) => provider.fetch));
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
 * A provider's list in OpenAI's shape: `{data}` (OpenAI, Anthropic), a bare list (Together), `{models}` of names (Google,
 * Cohere), `{result}` of names (Cloudflare).
 */
function readModels(body: unknown, provider: string): Model[] {
  const { data, models, result } = object(body) ?? {};
  const list = [body, data, models, result].find(Array.isArray) ?? [];
  const named = list === models || list === result;
  return list.flatMap((entry): Model[] => {
    const { id, name, created, created_at, owned_by } = object(entry) ?? {};
    const model = named ? name : id;
    if (typeof model !== "string" || model === "") return [];
    const since = typeof created === "number" ? created : Date.parse(`${created_at}`) / 1000;
    return [{
      id: `${provider}/${model.replace(/^models\//, "")}`,
      object: "model",
      created: Number.isFinite(since) ? Math.floor(since) : 0,
      owned_by: typeof owned_by === "string" ? owned_by : provider,
    }];
  });
}
