/** What a gateway token may ask for and spend, and the facts about requests that this depends on. */
import type { Cost } from "../../providers/prices/table.ts";
import type { GatewayError } from "../../wires/errors.ts";
import type { Usage } from "../../wires/types.ts";

/**
 * What one gateway token may ask for.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type TokenLimits } from "../../mod.ts";
 *
 * const limits: TokenLimits = { rpm: 1 };
 * const { fetch } = createGateway({ tokens: [{ token: "secret", limits }] });
 * const ask = () =>
 *   fetch(
 *     new Request("http://localhost/v1/chat/completions", {
 *       method: "POST",
 *       headers: { "content-type": "application/json", authorization: "Bearer secret" },
 *       body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
 *     }),
 *   );
 * assertEquals((await ask()).status, 200);
 * assertEquals((await ask()).status, 429);
 * ```
 */
export interface TokenLimits {
  /** Requests in a minute. */
  rpm?: number;
  /**
   * Tokens of requests and answers in a minute. They are counted when an answer ends, so the requests that run at once may pass
   * the limit together.
   */
  tpm?: number;
  /** Requests at once. A stream counts until it ends. */
  open?: number;
}

/**
 * A limit on requests or tokens in a window of any length, or on requests at once, for all models or for some. It has exactly one
 * of `requests`, `tokens` and `open`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type LimitRule } from "../../mod.ts";
 *
 * // As Cloudflare's rate limit of a gateway: 1 request in an hour of the clock.
 * const limits: LimitRule[] = [{ requests: 1, seconds: 3600, technique: "fixed" }];
 * const gateway = createGateway({ gateways: { default: { limits } } }).gateway("default");
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const status = async () => (await gateway.run({ provider: "compat", endpoint: "chat/completions", query })).status;
 * assertEquals([await status(), await status()], [200, 429]);
 * ```
 */
export interface LimitRule {
  /** The most requests in a window. */
  requests?: number;
  /** The most tokens of requests and answers in a window. They are counted when an answer ends, as for `tpm`. */
  tokens?: number;
  /** The most requests at once. */
  open?: number;
  /** The window, in seconds. Default 60. */
  seconds?: number;
  /**
   * `sliding` counts the last `seconds`, as if the requests of the window before had come evenly. `fixed` starts anew with each
   * window; windows are counted by UTC. Default `sliding`.
   */
  technique?: "fixed" | "sliding";
  /** The models that it is for, as `{provider}/{model}` with at most one `*`: `openai/gpt-*`. Default: all. */
  models?: readonly string[];
  /** The names of the providers that it is for. Default: all. */
  providers?: readonly string[];
}

/**
 * How much one gateway token may spend in a window of time, by the estimates of rows. Of several budgets each holds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type TokenBudget } from "../../mod.ts";
 *
 * const budget: TokenBudget = { limitUsd: 1, window: "day" };
 * const prices = { "demo/echo": { input: 1, output: 500 } };
 * const { fetch } = createGateway({ tokens: [{ token: "secret", budgets: [budget] }], prices });
 * const body = { model: "demo/echo", max_tokens: 4000, messages: [{ role: "user", content: "Hello" }] };
 * const response = await fetch(
 *   new Request("http://localhost/v1/chat/completions", {
 *     method: "POST",
 *     headers: { "content-type": "application/json", authorization: "Bearer secret" },
 *     body: JSON.stringify(body),
 *   }),
 * );
 * // Its answer may have 4000 tokens, which would cost 2 dollars.
 * assertEquals(response.status, 429);
 * ```
 */
export interface TokenBudget {
  /** What it may spend in a window, in US dollars. */
  limitUsd: number;
  /** By UTC; a week begins on Monday, and a month is that of the calendar. */
  window: "hour" | "day" | "week" | "month";
  /**
   * `fixed` starts anew with each window. `sliding` also counts the part of the window before that is less than one window ago,
   * as if it had been spent evenly. Default `fixed`.
   */
  technique?: "fixed" | "sliding";
  /** The models that it is for, as `{provider}/{model}` with at most one `*`: `openai/gpt-*`. Default: all. */
  models?: readonly string[];
  /** The names of the providers that it is for. Default: all. */
  providers?: readonly string[];
  /**
   * The date until which it holds, e.g. `2027-01-31`. Until then it takes the place of a budget for the same window, models and
   * providers, so that a limit can be raised for some time.
   */
  until?: string;
}

/**
 * What may be asked for: the usual limits as an object, or any limits as a list.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type RateLimits } from "../../mod.ts";
 *
 * const usual: RateLimits = { rpm: 60, open: 5 };
 * const any: RateLimits = [{ requests: 60 }, { tokens: 1_000_000, seconds: 86_400, providers: ["openai"] }];
 * const gateway = createGateway({ tokens: [{ token: "one", limits: usual }, { token: "other", limits: any }] });
 * const me = (token: string) =>
 *   gateway.fetch(new Request("http://localhost/sluice/api/me", { headers: { authorization: `Bearer ${token}` } }));
 * assertEquals((await (await me("one")).json()).limits.rpm, { limit: 60, left: 60 });
 * assertEquals((await (await me("other")).json()).limits[0], { requests: 60, left: 60 });
 * ```
 */
export type RateLimits = TokenLimits | readonly LimitRule[];

/** Characters for each token of an answer, or of a request, whose tokens are not told. */
export const CHARS_PER_TOKEN = 4;

/** What is known of the size of an answer that has ended. */
export interface Metering {
  usage?: Usage;
  /** Characters of its text, its thoughts and its tool calls. */
  chars: number;
  model?: string;
  /** The service tier that answered. */
  tier?: string;
  /** How it ended. Only a whole answer's usage is complete. */
  end?: "whole" | "broken" | "left";
}

/** A gateway token with limits or budgets, or another holder of limits, e.g. the token's team or the gateway. */
export interface Metered {
  /** Tells its counters from those of all others: its name in rows of requests, or the id of a virtual key. */
  name: string;
  /** What it is called in errors. Default: `its gateway token`. */
  whose?: string;
  /** Tells its limits from those of the token in the headers `RateLimit`, e.g. `team-`. Default: nothing. */
  prefix?: string;
  limits?: RateLimits;
  budgets?: readonly TokenBudget[];
  unknownPrice?: "refuse" | "allow";
  /** Others whose limits and budgets hold for the token's requests too. */
  also?: readonly Metered[];
  /** Why a request of the token is refused, whatever is left. */
  fault?: GatewayError;
}

/** What errors call the holder of a limit. */
export const whoseOf = ({ whose = "its gateway token" }: Metered): string => whose;

/** All whose limits hold for the requests of a token. */
export const holdersOf = (metered: Metered): readonly Metered[] =>
  metered.also ? [metered, ...metered.also] : [metered];

/** Whether one of the holders has a budget. */
export const hasBudget = (metered: Metered | undefined): boolean =>
  metered !== undefined && holdersOf(metered).some(({ budgets }) => budgets !== undefined);

/** The estimated size of a request. */
export interface Sizes {
  /** Its tokens. */
  input: number;
  /** The most tokens of its answers together; `null` if the request does not limit them. */
  mostOutput: number | null;
  /** How many answers it asks for. */
  answers: number;
  /** The service tier that it asks for. */
  tier?: string;
  /** The model that the body names. */
  model?: string;
}

/** The prices of models. */
export interface Prices {
  /** @param provider The name of the provider's row. */
  find(provider: string, model: string): { cost: Cost } | undefined;
}
