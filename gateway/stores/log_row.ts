/** The row that the log gets about a request. Imports nothing, so that the options may name it. */

/**
 * One row about one request, made when its answer has ended. Never holds keys, prompts, answers or a query.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type LogEntry } from "../../mod.ts";
 *
 * const rows: LogEntry[] = [];
 * const gateway = createGateway({ log: (entry) => rows.push(entry) }).gateway("default");
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * await (await gateway.run({ provider: "compat", endpoint: "chat/completions", query })).text();
 * assertEquals([rows[0].provider, rows[0].status, rows[0].outputTokens], ["demo", 200, 2]);
 * ```
 */
export interface LogEntry {
  /** When the answer ended, e.g. `2026-11-28T12:03:41.120Z`. */
  time: string;
  /** `warn` for a failure of the client, also if it left; `error` for a failure of the provider or the gateway. */
  level: "info" | "warn" | "error";
  /** The answer's `cf-aig-log-id`. */
  id: string;
  /** The provider's id of the request, if its answer names one. */
  upstreamId?: string;
  /** The request's method, e.g. `POST`. */
  method: string;
  /** The first 256 characters of the request's path, without its query. */
  path: string;
  /** The answer's status. It is 200 for a stream that failed later. */
  status: number;
  /** The provider's name in the table, if it is known. */
  provider?: string;
  /** The provider's name for the model, if it is known. */
  model?: string;
  /** The route that led the request to its model. Absent if the request named no route. */
  route?: LogRoute;
  /** Milliseconds from the request to the end of its answer. */
  durationMs: number;
  /** Milliseconds from the request to the first content of a stream. */
  firstTokenMs?: number;
  /** Whether the answer was an event stream. */
  stream: boolean;
  /** Tokens of the prompt with cached ones, if the answer reported them. */
  inputTokens?: number;
  /** Tokens of the answer with its reasoning, if it reported them. */
  outputTokens?: number;
  /** Those of the prompt's tokens that were read from a cache. */
  cacheReadTokens?: number;
  /** Those of the prompt's tokens that were written into a cache. */
  cacheWriteTokens?: number;
  /** Those of the answer's tokens that are its reasoning. */
  reasoningTokens?: number;
  /** Estimated cost in US dollars; `null` if no price is known, absent if the answer reported no tokens. */
  cost?: number | null;
  /** The source of the price: the request's header, the provider's answer, the options or the table. */
  price?: "header" | "provider" | "option" | "table";
  /** Why the model stopped, in OpenAI's words. */
  finishReason?: string;
  /** The account in the request's path, else the option `account`, else `-`. */
  account: string;
  /** The gateway in the request's path, else `default`. */
  gateway: string;
  /** The name of the gateway token in the request, or eight letters and digits for a token without a name. */
  token?: string;
  /** The client's `cf-aig-metadata`. */
  metadata?: Metadata;
  /** The client's `cf-aig-event-id`. */
  eventId?: string;
  /** The first 200 characters of the client's `user-agent`. */
  userAgent?: string;
  /** Fields of the request that could not be sent to the provider. */
  dropped?: string;
  /** Whether the answer came from the gateway's cache: no provider was asked, and the cost is 0. Absent if it did not. */
  cached?: true;
  /** Requests sent to providers. */
  tries: number;
  /** The first twenty of these requests, and targets that were skipped, in order. Absent if there were none. */
  attempts?: LogAttempt[];
  /** `false` if the client does not allow that its request and answer are kept, by `cf-aig-collect-log-payload`. */
  payload?: false;
  /** The request's content type, e.g. `application/json`. */
  requestType?: string;
  /** The answer's content type. */
  responseType?: string;
  /** `true` if the client asked only what would be sent (`sluice-explain`). No model was called, and no sum counts the row. */
  explained?: true;
  /** Index of the step that was sent last, which is the one that answered if any did. */
  step: number;
  /** The request's error, if it failed. */
  error?: LogError;
}

/**
 * One request that was sent to a provider, or a target that was skipped.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type LogAttempt } from "../../mod.ts";
 *
 * let attempts: LogAttempt[] | undefined;
 * const gateway = createGateway({ log: (entry) => attempts = entry.attempts }).gateway("default");
 * const query = { model: "demo/status-503", messages: [{ role: "user", content: "Hello" }] };
 * const step = { provider: "compat", endpoint: "chat/completions", query, config: { maxAttempts: 2, retryDelay: 1 } };
 * await (await gateway.run(step)).text();
 * assertEquals(attempts?.map(({ provider, status }) => `${provider} ${status}`), ["demo 503", "demo 503"]);
 * ```
 */
export interface LogAttempt {
  /** The name of its row. */
  provider: string;
  /** The provider's name for the model, where that was known before the answer. */
  model?: string;
  /** The status of the provider's answer; absent if no answer came. */
  status?: number;
  /** Milliseconds until its answer began, or failed to. */
  ms: number;
  /** `true` if nothing was sent, for the reason in `why`. It does not count among the `tries`. */
  skipped?: true;
  /**
   * Why nothing was sent: `breaker` if the target keeps failing; `limit r` or `budget r` if the element `r` of the route had no room;
   * `cannot take` with the place in the request if it cannot be written for the target.
   */
  why?: string;
}

/**
 * The route of a request.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type LogRoute } from "../../mod.ts";
 *
 * let route: LogRoute | undefined;
 * const gateway = createGateway({
 *   routes: {
 *     support: [
 *       { id: "start", type: "start", outputs: { next: { elementId: "m1" } } },
 *       { id: "m1", type: "model", properties: { provider: "demo", model: "echo" } },
 *     ],
 *   },
 *   log: (entry) => route = entry.route,
 * });
 * const query = { model: "dynamic/support", messages: [{ role: "user", content: "Hello" }] };
 * await (await gateway.gateway("default").run({ provider: "compat", endpoint: "chat/completions", query })).text();
 * assertEquals(route, { name: "support", version: undefined, way: "start > m1" });
 * ```
 */
export interface LogRoute {
  /** Its name, without `dynamic/`. */
  name: string;
  /** The id of the version that was deployed. Absent for a route of the options. */
  version?: string;
  /** The ids of the elements that led to the model that was asked last, each with the way that was taken: `plan true > m1`. */
  way: string;
}

/**
 * At most five flat entries.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type Metadata } from "../../mod.ts";
 *
 * let seen: Metadata | undefined;
 * const gateway = createGateway({ log: (entry) => seen = entry.metadata }).gateway("default");
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const step = { provider: "compat", endpoint: "chat/completions", query };
 * await (await gateway.run(step, { gateway: { metadata: { team: "search", trial: true } } })).text();
 * assertEquals(seen, { team: "search", trial: true });
 * ```
 */
export type Metadata = Record<string, string | number | boolean>;

/**
 * An error: the gateway's code and message, or the status, type and code of a provider's error. A provider's message is left
 * out, because it may quote prompts and keys.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type LogError } from "../../mod.ts";
 *
 * let error: LogError | undefined;
 * const gateway = createGateway({ log: (entry) => error = entry.error }).gateway("default");
 * const query = { model: "demo/status-429", messages: [{ role: "user", content: "Hello" }] };
 * await (await gateway.run({ provider: "compat", endpoint: "chat/completions", query })).text();
 * assertEquals(error && "status" in error && error.status, 429);
 * ```
 */
export type LogError =
  | { code: string; message: string }
  | { status?: number; type?: string; code?: string | number };
