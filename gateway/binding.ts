/** The gateway as an object, with the methods of Cloudflare's `env.AI.gateway(id)`. */

/**
 * One step: a request in its provider's own format, or in OpenAI's format for `provider: "compat"`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gateway, type UniversalStep } from "../mod.ts";
 *
 * const messages = [{ role: "user", content: "Hello" }];
 * const steps: UniversalStep[] = [
 *   { provider: "compat", endpoint: "chat/completions", query: { model: "demo/status-503", messages } },
 *   { provider: "compat", endpoint: "chat/completions", query: { model: "demo/echo", messages } },
 * ];
 * assertEquals((await gateway("default").run(steps)).headers.get("cf-aig-step"), "1");
 * ```
 */
export interface UniversalStep {
  /** A provider's name, `custom-{slug}`, or `compat`. */
  provider: string;
  /** Path below the provider's base URL, with its query, e.g. `chat/completions`. */
  endpoint: string;
  /** Headers by name, in any case. An object as a value is sent as JSON. The provider's key goes here. */
  headers?: object;
  /** The provider's `authorization`, if `headers` has none. */
  authorization?: string;
  /** The request's body. */
  query?: unknown;
  /** This step's timeout and retries. They win over all headers. */
  config?: {
    requestTimeout?: number;
    maxAttempts?: number;
    retryDelay?: number;
    backoff?: "constant" | "linear" | "exponential";
  };
}

/**
 * Settings for all steps that do not set their own. Each is sent as a `cf-aig-*` header.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gateway, type RunSettings } from "../mod.ts";
 *
 * const settings: RunSettings = { requestTimeoutMs: 10_000, eventId: "order-7" };
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const { headers } = await gateway("default")
 *   .run({ provider: "compat", endpoint: "chat/completions", query }, { gateway: settings });
 * assertEquals(headers.get("cf-aig-event-id"), "order-7");
 * ```
 */
export interface RunSettings {
  /** The answer's key in the cache, in place of the body. A call with a key takes part in caching. */
  cacheKey?: string;
  /** Seconds for which the answer is kept, if the call takes part in caching: 0 for none, else 60 to 2678400. */
  cacheTtl?: number;
  /** Whether the answer is neither read from the cache nor kept. */
  skipCache?: boolean;
  /** At most five flat entries for the request's row in the log. */
  metadata?: Record<string, number | string | boolean | bigint | null>;
  /** `false` keeps this call out of the log. */
  collectLog?: boolean;
  /** Returned in the answer's `cf-aig-event-id`. */
  eventId?: string;
  /** Milliseconds within which the first part of an answer must come. */
  requestTimeoutMs?: number;
  /** `maxAttempts` is from 1 to 5, `retryDelayMs` from 0 to 60000. */
  retries?: { maxAttempts?: number; retryDelayMs?: number; backoff?: "constant" | "linear" | "exponential" };
  /** The alias of the provider's stored key to use. */
  byokAlias?: string;
  /** Cloudflare's zero data retention, sent as `cf-aig-zdr`. No effect: Sluice keeps no prompts, and answers in its cache only. */
  zdr?: boolean;
  /** The gateway's id for `Ai.run`, default `default`. `GatewayBinding.run` ignores it: its object has an id already. */
  id?: string;
}

/**
 * Options of one call.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { gateway, type RunOptions } from "../mod.ts";
 *
 * const options: RunOptions = { signal: AbortSignal.timeout(10) };
 * const query = { model: "demo/slow-60000", messages: [{ role: "user", content: "Hello" }] };
 * await assertRejects(() => gateway("default").run({ provider: "compat", endpoint: "chat/completions", query }, options));
 * ```
 */
export interface RunOptions {
  /** Settings that are `cf-aig-*` headers over HTTP. */
  gateway?: RunSettings;
  /** Headers of the whole request. They win over `gateway`. */
  extraHeaders?: object;
  /** Ends the call and its stream. */
  signal?: AbortSignal;
}

/**
 * One gateway.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type GatewayBinding } from "../mod.ts";
 *
 * const binding: GatewayBinding = createGateway({ url: "https://sluice.example.com" }).gateway("default");
 * assertEquals(await binding.getUrl("openai"), "https://sluice.example.com/v1/-/default/openai");
 * ```
 */
export interface GatewayBinding {
  /**
   * Runs a step, or several until one answers.
   *
   * @returns The answer of the step that answered, whatever its status; its header `cf-aig-step` holds that step's index.
   * Malformed steps are answered with 400, as over HTTP.
   * @throws The signal's reason once it has aborted.
   */
  run(data: UniversalStep | readonly UniversalStep[], options?: RunOptions): Promise<Response>;
  /**
   * The URL of this gateway for HTTP clients, e.g. for an SDK's `baseURL`: `{url}/v1/{account}/{id}/`. With a provider it
   * is `{url}/v1/{account}/{id}/{provider}`, without a slash at the end.
   *
   * @throws TypeError when the option `url` is not set.
   */
  getUrl(provider?: string): Promise<string>;
  /**
   * The log row of a request, by its answer's `cf-aig-log-id`. The row exists as soon as the answer has ended.
   *
   * @throws An error named `AiGatewayLogNotFound` if the gateway has no row with this id, or keeps no rows.
   */
  getLog(id: string): Promise<GatewayLog>;
  /**
   * Adds feedback, a score or metadata to a request that has ended; `null` removes a value.
   *
   * @throws As `getLog`, and TypeError for malformed values.
   */
  patchLog(id: string, changes: GatewayLogChanges): Promise<void>;
}

/**
 * A request's row in the log, as Cloudflare's binding gives it. Its members have the names of Cloudflare's REST API.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type GatewayLog } from "../mod.ts";
 *
 * const binding = createGateway({ logs: true }).gateway("default");
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const response = await binding.run({ provider: "compat", endpoint: "chat/completions", query });
 * await response.text();
 * const row: GatewayLog = await binding.getLog(response.headers.get("cf-aig-log-id")!);
 * assertEquals([row.provider, row.status_code, row.tokens_out], ["demo", 200, 2]);
 * ```
 */
export interface GatewayLog {
  /** The answer's `cf-aig-log-id`. */
  id: string;
  /** When the request ended. */
  created_at: Date;
  /** The provider's name in the table; absent where no provider was found. */
  provider: string;
  /** The provider's name for the model; absent where it is not known. */
  model: string;
  /** The request's path, without its query. */
  path: string;
  /** Milliseconds from the request to the end of its answer. */
  duration: number;
  /** Whether nothing went wrong, at the gateway or at the provider. */
  success: boolean;
  /** Whether the answer came from the cache. */
  cached: boolean;
  /** The answer's status. */
  status_code: number;
  /** Index of the step that answered. */
  step?: number;
  /** Tokens of the prompt, if the answer reported them. */
  tokens_in?: number;
  /** Tokens of the answer, if it reported them. */
  tokens_out?: number;
  /** Estimated cost in US dollars; absent if no price is known. */
  cost?: number;
  /** Whether the client gave the price, in `cf-aig-custom-cost`. */
  custom_cost?: boolean;
  /** Set by `cf-aig-metadata` or `patchLog()`. */
  metadata?: Record<string, string | number | boolean>;
  /** Set by `patchLog()`. */
  feedback?: 1 | -1;
  /** Set by `patchLog()`. */
  score?: number;
  /** Set by `cf-aig-event-id`. */
  event_id?: string;
  /** The client's `user-agent`. */
  user_agent?: string;
}

/**
 * Changes to a row by `patchLog`. `null` removes a value.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { createGateway, type GatewayLogChanges } from "../mod.ts";
 *
 * const changes: GatewayLogChanges = { feedback: 1, score: 0.9 };
 * const { patchLog } = createGateway({ logs: true }).gateway("default");
 * await assertRejects(() => patchLog("01a22432-6b08-7d0a-a7a1-317906de2081", changes), Error, "There is no row");
 * ```
 */
export interface GatewayLogChanges {
  /** 1 for a good answer, -1 for a bad one. */
  feedback?: 1 | -1 | null;
  /** A number on a scale of your own. */
  score?: number | null;
  /** Replaces the metadata: at most five flat entries. */
  metadata?: Record<string, string | number | boolean> | null;
}

/** Stands in a path for an account id that the client does not have. The gateway's option `account` is used then. */
export const NO_ACCOUNT = "-";

/** The host of requests that never reach a network: a `Request` needs an absolute URL. */
export const NOWHERE = "http://sluice.invalid";

/** A gateway's address, and the function that sends requests to it. */
interface Place {
  /** Without a path or a slash at the end. */
  url?: string;
  account?: string;
  id: string;
  headers?: Readonly<Record<string, string>>;
  fetch(request: Request): Promise<Response>;
}

/**
 * Makes the object for a gateway that `fetch` sends requests to.
 *
 * @throws TypeError for an empty id.
 */
export function gatewayBinding(
  { url, account = NO_ACCOUNT, id, headers = {}, fetch }: Place,
): GatewayBinding {
  if (!id) throw new TypeError("Cannot use gateway id: it must not be empty");
  const path = `/v1/${encodeURIComponent(account)}/${encodeURIComponent(id)}/`;
  const address = (url ?? NOWHERE) + path;
  return {
    async run(data, options) {
      const signal = options?.signal;
      signal?.throwIfAborted();
      const sent = runHeaders(options, headers);
      const body = JSON.stringify([data].flat().map(plainStep));
      const init: RequestInit = { method: "POST", headers: sent, body, redirect: "manual" };
      if (!signal) return await fetch(new Request(address, init));
      const response = endedBy(signal, await fetch(new Request(address, { ...init, signal })));
      signal.throwIfAborted();
      return response;
    },
    getUrl: (provider = "") =>
      url === undefined
        ? Promise.reject(new TypeError("Cannot give the gateway's URL: set the option url, or SLUICE_URL"))
        : Promise.resolve(url + path + encodeURIComponent(provider)),
    async getLog(id) {
      const { created_at, metadata, ...row } = (await logRequest(id)).result;
      const said = Object.entries({ ...row, metadata: metadata && JSON.parse(metadata) });
      const known = said.filter(([, value]) => value !== null && value !== "");
      return { ...Object.fromEntries(known), created_at: new Date(created_at) } as GatewayLog;
    },
    async patchLog(id, changes) {
      await logRequest(id, changes);
    },
  };

  async function logRequest(log: string, changes?: object) {
    const at = `/client/v4/accounts/${encodeURIComponent(account)}/ai-gateway/gateways/${
      encodeURIComponent(id)
    }`;
    const init = changes && { method: "PATCH", body: JSON.stringify(changes) };
    const sent = new Headers({ "content-type": "application/json", ...headers });
    const address = `${url ?? NOWHERE}${at}/logs/${encodeURIComponent(log)}`;
    const answer = await (await fetch(new Request(address, { ...init, headers: sent }))).json();
    if (answer.success === true) return answer;
    const [{ code = 0, message = "" } = {}] = answer.errors ?? [];
    if (code === 7001) throw new TypeError(message);
    const error = new Error(message);
    error.name = "AiGatewayLogNotFound";
    throw error;
  }
}

// ---------------------------------------------------------------- headers

/** The headers of a call. `extraHeaders` win over those of the settings, which win over `headers`. */
export function runHeaders(
  { gateway = {}, extraHeaders = {} }: RunOptions = {},
  headers: Readonly<Record<string, string>> = {},
): Headers {
  const sent = new Headers({ "content-type": "application/json", ...headers });
  for (const [name, value] of texts(settingHeaders(gateway))) sent.set(name, value);
  for (const [name, value] of texts(extraHeaders)) sent.set(name, value);
  return sent;
}

const settingHeaders = ({ retries, ...settings }: RunSettings): Record<string, unknown> => ({
  "cf-aig-cache-key": settings.cacheKey,
  "cf-aig-cache-ttl": settings.cacheTtl,
  "cf-aig-skip-cache": settings.skipCache,
  "cf-aig-metadata": settings.metadata,
  "cf-aig-collect-log": settings.collectLog,
  "cf-aig-event-id": settings.eventId,
  "cf-aig-request-timeout": settings.requestTimeoutMs,
  "cf-aig-max-attempts": retries?.maxAttempts,
  "cf-aig-retry-delay": retries?.retryDelayMs,
  "cf-aig-backoff": retries?.backoff,
  "cf-aig-byok-alias": settings.byokAlias,
  "cf-aig-zdr": settings.zdr,
});

/** A step that JSON can write: `JSON.stringify(new Headers(…))` is `{}`. */
function plainStep(step: UniversalStep): object {
  return step?.headers ? { ...step, headers: Object.fromEntries(texts(step.headers)) } : step;
}

/** Headers with their values as texts: `undefined` and `null` are left out, objects become JSON. */
function* texts(headers: object): Generator<[name: string, value: string]> {
  for (const [name, value] of headers instanceof Headers ? headers : Object.entries(headers)) {
    if (value === undefined || value === null) continue;
    yield [name, typeof value === "object" ? json(value) : String(value)];
  }
}

/** JSON in ASCII, as headers need it. A bigint becomes a string. */
function json(value: object): string {
  return JSON.stringify(value, (_, member) => typeof member === "bigint" ? String(member) : member)
    .replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// ---------------------------------------------------------------- the signal

/** Ends the body with the signal's reason. Without it a translated stream would end with an error event of the gateway. */
export function endedBy(signal: AbortSignal, response: Response): Response {
  if (!response.body) return response;
  const { status, statusText, headers } = response;
  const body = response.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal });
  return new Response(body as BodyInit, { status, statusText, headers });
}
