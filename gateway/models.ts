/** The list of models. */
import { nativeUrl } from "../providers/native.ts";
import type { Provider } from "../providers/types.ts";
import { GatewayError } from "../wires/errors.ts";
import { object } from "../wires/json.ts";
import type { Exchange } from "./exchange.ts";
import { headersInit, sentHeaders } from "./headers.ts";
import { send, setKey, storedKeys } from "./send.ts";

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
 * key says not whose it is, and is sent to nobody. Who does not answer in time is named in `sluice-missing`.
 */
export async function listModels(exchange: Exchange): Promise<Response> {
  const { config, signal } = exchange;
  const missing: string[] = [];
  const late = new AbortController();
  const done = new AbortController();
  const tooLate = () =>
    late.abort(new GatewayError("upstream_timeout", "Cannot wait longer for a list of models"));
  config.wait(DEADLINE_MS, done.signal).then(tooLate, () => {});
  const lists = await Promise.all(
    configured(exchange).map(async (provider) => {
      try {
        return await modelsOf(provider, exchange, AbortSignal.any([signal, late.signal]));
      } catch (cause) {
        signal.throwIfAborted();
        missing.push(provider.name);
        const why = cause instanceof GatewayError ? cause.code : (cause as Error).name;
        const message = `Cannot list the models of ${provider.name} (${why})`;
        config.log({ level: "error", status: 200, message, provider: provider.name });
        return [];
      }
    }),
  ).finally(() => done.abort());
  const headers = new Headers();
  if (missing.length > 0) headers.set("sluice-missing", missing.sort().join(", "));
  return Response.json({ object: "list", data: lists.flat() }, { headers });
}

function configured({ config: { providers, keys }, caller }: Exchange): Provider[] {
  const chosen = new Set([...providers.values()].filter((provider) => provider.fetch));
  for (const name of caller.trusted ? keys.providers : []) {
    const provider = providers.get(name);
    if (provider && provider.chat !== false && caller.allows(provider)) chosen.add(provider);
  }
  return [...chosen];
}

function modelsOf(provider: Provider, exchange: Exchange, signal: AbortSignal): Promise<Model[]> {
  const { name, modelsPath = "/models" } = provider;
  const url = nativeUrl(provider, modelsPath, exchange.account);
  if (url === undefined) {
    throw new GatewayError("invalid_request", `Cannot reach ${name}: it needs an account id`);
  }
  const headers = sentHeaders();
  headers.set("accept", "application/json");
  for (const [name, value] of Object.entries(provider.headers ?? {})) headers.set(name.toLowerCase(), value);
  const stored = storedKeys(provider, exchange)?.take();
  if (stored) setKey(headers, provider, stored.key);
  return send(provider, url, { headers: headersInit(headers) }, signal, exchange, async (response) => {
    stored?.report(response);
    if (response.ok) return readModels(await response.json(), name);
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
