/** The gateway as an object: what `env.AI.gateway(id)` is in a Worker of the service we replace. */

/** One step: a request in its provider's own format, or in OpenAI's for `provider: "compat"`. */
export interface UniversalStep {
  /** A provider's name, `custom-{slug}`, or `compat`. */
  provider: string;
  /** Below the provider's base, with its query: `chat/completions`. */
  endpoint: string;
  /** In any case; values that are no strings are written as JSON. The provider's key goes here. */
  headers?: object;
  /** The provider's `authorization`, if `headers` hold none. */
  authorization?: string;
  /** The request's body. */
  query?: unknown;
  /** This step's timeout and retries; they win over all headers. */
  config?: {
    requestTimeout?: number;
    maxAttempts?: number;
    retryDelay?: number;
    backoff?: "constant" | "linear" | "exponential";
  };
}

/**
 * What holds for all steps that do not say otherwise; each is a `cf-aig-*` header by another name. What is for caches
 * is taken as it is, and nothing comes of it yet.
 */
export interface RunSettings {
  /** For caches. */
  cacheKey?: string;
  /** For caches, in seconds. */
  cacheTtl?: number;
  /** For caches. */
  skipCache?: boolean;
  /** At most five flat entries, for the row in the log. */
  metadata?: Record<string, number | string | boolean | bigint | null>;
  /** `false` keeps no row of this call. */
  collectLog?: boolean;
  /** Comes back as `cf-aig-event-id`. */
  eventId?: string;
  /** Milliseconds until the first part of an answer must have come. */
  requestTimeoutMs?: number;
  /** `maxAttempts` from 1 to 5, `retryDelayMs` from 0 to 60000. */
  retries?: { maxAttempts?: number; retryDelayMs?: number; backoff?: "constant" | "linear" | "exponential" };
  /** Which of the provider's stored keys. */
  byokAlias?: string;
  /** Zero data retention, of the service we replace; nothing is retained here. */
  zdr?: boolean;
  /** The gateway's id was given when the object was made; this one is not read. */
  id?: string;
}

/** How one call is run. */
export interface RunOptions {
  /** What would be `cf-aig-*` headers over HTTP. */
  gateway?: RunSettings;
  /** Headers of the request as a whole; they win over `gateway`. */
  extraHeaders?: object;
  /** Ends the call and its stream. */
  signal?: AbortSignal;
}

/** One gateway. */
export interface GatewayBinding {
  /**
   * Runs a step, or several until one answers.
   *
   * @returns The answer of the step that counts, whatever its status; `cf-aig-step` says which it was. Steps that are
   * malformed are answered with 400 as they are over HTTP.
   * @throws The signal's reason once it has aborted.
   */
  run(data: UniversalStep | readonly UniversalStep[], options?: RunOptions): Promise<Response>;
  /**
   * Where HTTP clients find this gateway, for an SDK's `baseURL`: `{url}/v1/{account}/{id}/`, or that of a provider's own
   * paths, without a slash at the end.
   *
   * @throws TypeError when the gateway was not told its `url`.
   */
  getUrl(provider?: string): Promise<string>;
  /**
   * The row of a request, by its answer's `cf-aig-log-id`. It can be read as soon as the answer has ended.
   *
   * @throws An error named `AiGatewayLogNotFound` if there is no such row, or if the gateway keeps no rows.
   */
  getLog(id: string): Promise<GatewayLog>;
  /**
   * Says something about a request that has ended; `null` takes it back.
   *
   * @throws As `getLog`, and TypeError for values that are malformed.
   */
  patchLog(id: string, changes: GatewayLogChanges): Promise<void>;
}

/** A row of a request, as Cloudflare's binding gives it; all its members are those of its REST API. */
export interface GatewayLog {
  /** That of the answer's `cf-aig-log-id`. */
  id: string;
  /** When the request ended. */
  created_at: Date;
  /** The name of its row in the table of providers; empty where it never came to one. */
  provider: string;
  /** The provider's name for the model; empty where it is not known. */
  model: string;
  /** Of the request, without its query. */
  path: string;
  /** Milliseconds until the end of its answer. */
  duration: number;
  /** Nothing went wrong, here or at the provider. */
  success: boolean;
  /** Always false, because there is no cache yet. */
  cached: boolean;
  /** Of the answer. */
  status_code: number;
  /** Index of the step that answered. */
  step?: number;
  /** Tokens of the prompt, where the answer told them. */
  tokens_in?: number;
  /** Tokens of the answer, where it told them. */
  tokens_out?: number;
  /** US dollars, an estimate; absent where no price is known. */
  cost?: number;
  /** The price was the client's own, by `cf-aig-custom-cost`. */
  custom_cost?: boolean;
  /** By `cf-aig-metadata`, or `patchLog()`. */
  metadata?: Record<string, string | number | boolean>;
  /** By `patchLog()`. */
  feedback?: 1 | -1;
  /** By `patchLog()`. */
  score?: number;
  /** By `cf-aig-event-id`. */
  event_id?: string;
  /** Of the client. */
  user_agent?: string;
}

/** What `patchLog` takes; `null` takes back what was said. */
export interface GatewayLogChanges {
  /** 1 for a good answer, -1 for a bad one. */
  feedback?: 1 | -1 | null;
  /** A number of your own measure. */
  score?: number | null;
  /** In place of the metadata so far: at most five flat entries. */
  metadata?: Record<string, string | number | boolean> | null;
}

/** Stands in paths for the account id of whoever has none to give: the gateway's own is taken, if it has one. */
export const NO_ACCOUNT = "-";

/** Requests have absolute URLs, also where no network is between. */
export const NOWHERE = "http://sluice.invalid";

/** Where a gateway is and how it is asked. */
interface Place {
  /** Without path or slash at the end. */
  url?: string;
  account?: string;
  id: string;
  headers?: Readonly<Record<string, string>>;
  fetch(request: Request): Promise<Response>;
}

/**
 * Makes the object of a gateway that takes requests by `fetch`.
 *
 * @throws TypeError for an id that is empty.
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
        ? Promise.reject(new TypeError("Cannot tell the gateway's URL: set the option url, or SLUICE_URL"))
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

/** Where another Sluice is served. */
export interface RemoteGateway {
  /** Its address, e.g. `https://sluice.example.com`. */
  url: string;
  /** A token of the gateway's. Default none. */
  token?: string;
  /** The account id in the path, which picks Workers AI's account. Default the gateway's own. */
  account?: string;
  /** The gateway id in the path. Default `default`. */
  gateway?: string;
  /**
   * Sends the requests. Default: the runtime's `fetch`. A Worker with a service binding gives
   * `(request) => env.AI.fetch(request)`.
   */
  fetch?: (request: Request) => Promise<Response>;
}

/**
 * The same object for a Sluice that is served elsewhere, e.g. as the `binding` option of `ai-gateway-provider`.
 *
 * @throws TypeError for a `url` that is none.
 */
export function remoteGateway(
  { url, token, account, gateway = "default", fetch: send = (request) => fetch(request) }: RemoteGateway,
): GatewayBinding {
  if (!/^https?:\/\/[^/?#]/.test(url)) {
    throw new TypeError(`Cannot use url: ${JSON.stringify(url)} is no http or https URL`);
  }
  return gatewayBinding({
    url: url.replace(/\/+$/, ""),
    account,
    id: gateway,
    headers: token === undefined ? {} : { "cf-aig-authorization": `Bearer ${token}` },
    fetch: send,
  });
}

// ---------------------------------------------------------------- headers

/** The headers of a call: its own, then those that its settings stand for, then the gateway's. */
export function runHeaders(
  { gateway = {}, extraHeaders = {} }: RunOptions = {},
  headers: Readonly<Record<string, string>> = {},
): Headers {
  const sent = new Headers({ "content-type": "application/json", ...headers });
  for (const [name, value] of texts(settingHeaders(gateway))) sent.set(name, value);
  for (const [name, value] of texts(extraHeaders)) sent.set(name, value);
  return sent;
}

function settingHeaders(settings: RunSettings): Record<string, unknown> {
  const { retries } = settings;
  return {
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
  };
}

/** `Headers` have no members of their own that JSON would see. */
function plainStep(step: UniversalStep): object {
  return step?.headers ? { ...step, headers: Object.fromEntries(texts(step.headers)) } : step;
}

/** Headers with their values as texts: what has no value is left out, objects are JSON. */
function* texts(headers: object): Generator<[name: string, value: string]> {
  for (const [name, value] of headers instanceof Headers ? headers : Object.entries(headers)) {
    if (value === undefined || value === null) continue;
    yield [name, typeof value === "object" ? json(value) : String(value)];
  }
}

/** JSON that a header can hold; a bigint is a text in it. */
function json(value: object): string {
  return JSON.stringify(value, (_, member) => typeof member === "bigint" ? String(member) : member)
    .replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// ---------------------------------------------------------------- the signal

/** Without this a stream that is translated would end with an error event of ours, and not with the signal's reason. */
export function endedBy(signal: AbortSignal, response: Response): Response {
  if (!response.body) return response;
  const { status, statusText, headers } = response;
  const body = response.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal });
  return new Response(body as BodyInit, { status, statusText, headers });
}
