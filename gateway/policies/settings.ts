/** Reads a request's timeout and retries from its headers and its steps. */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../../wires/errors.ts";

/**
 * Settings of timeout and retries.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type PolicySettings } from "../../mod.ts";
 *
 * const backoff: PolicySettings["backoff"] = "constant";
 * let tries = 0;
 * const gateway = createGateway({
 *   retries: { maxAttempts: 3, retryDelayMs: 0, backoff },
 *   fetch: () => Promise.resolve(new Response(null, { status: ++tries < 3 ? 503 : 204 })),
 * });
 * const step = { provider: "openai", endpoint: "models/gpt-6", headers: { authorization: "Bearer sk-1" }, query: {} };
 * await gateway.gateway("default").run(step);
 * assertEquals(tries, 3);
 * ```
 */
export interface PolicySettings {
  /** Milliseconds within which the first part of an answer must come; 0 for no limit. */
  requestTimeoutMs: number;
  /** Attempts in all, 1 to 5. */
  maxAttempts: number;
  /** Milliseconds from which the wait before the next attempt is computed, 0 to 60000. */
  retryDelayMs: number;
  /** How the wait grows with the attempts. */
  backoff: "constant" | "linear" | "exponential";
}

/** The defaults: one attempt, no timeout. */
export const DEFAULTS: PolicySettings = {
  requestTimeoutMs: 0,
  maxAttempts: 1,
  retryDelayMs: 1000,
  backoff: "exponential",
};

const whole = (most: number, least = 0) =>
  v.pipe(
    v.union(
      [
        v.number(),
        v.pipe(
          v.string(),
          v.regex(/^\s*\d{1,10}\s*$/),
          v.transform((text: string) => Number(text)),
        ),
      ],
      "must be a whole number",
    ),
    v.integer(),
    v.minValue(least),
    v.maxValue(most),
  );

/** The longest timer that every runtime keeps, in milliseconds. */
export const LONGEST_MS = 2 ** 31 - 1;

/** For each setting its limits, its header, and its name in a step's `config`. */
const SETTINGS = {
  requestTimeoutMs: {
    header: "cf-aig-request-timeout",
    config: "requestTimeout",
    schema: whole(LONGEST_MS),
    says: "a whole number of milliseconds",
  },
  maxAttempts: {
    header: "cf-aig-max-attempts",
    config: "maxAttempts",
    schema: whole(5, 1),
    says: "a whole number from 1 to 5",
  },
  retryDelayMs: {
    header: "cf-aig-retry-delay",
    config: "retryDelay",
    schema: whole(60_000),
    says: "a whole number of milliseconds from 0 to 60000",
  },
  backoff: {
    header: "cf-aig-backoff",
    config: "backoff",
    schema: v.picklist(["constant", "linear", "exponential"]),
    says: `"constant", "linear" or "exponential"`,
  },
} as const;

const READ = Object.entries(SETTINGS);

/** The schemas of the options `requestTimeoutMs` and `retries`, with the same limits. */
export const policyOptions = {
  requestTimeoutMs: v.optional(SETTINGS.requestTimeoutMs.schema),
  retries: v.optional(v.strictObject({
    maxAttempts: v.optional(SETTINGS.maxAttempts.schema),
    retryDelayMs: v.optional(SETTINGS.retryDelayMs.schema),
    backoff: v.optional(SETTINGS.backoff.schema),
  })),
};

/**
 * The settings of a request or a step. `config` wins over headers, and headers win over `base`.
 *
 * @param path The step's path in the client's body, e.g. `[1]`, for errors.
 * @throws GatewayError `invalid_request` for a value outside its limits.
 */
export function readPolicy(
  headers: Headers,
  base: PolicySettings,
  config: Readonly<Record<string, unknown>> = {},
  path = "",
): PolicySettings {
  let settings = base;
  for (const [name, { header, config: key, schema, says }] of READ) {
    const own = Object.hasOwn(config, key) ? config[key] : undefined;
    const value = own ?? headers.get(header);
    if (value === null || value === undefined) continue;
    const read = v.safeParse(schema, value);
    if (!read.success) {
      const param = own === undefined ? header : `${path}.config.${key}`;
      throw new GatewayError("invalid_request", `Cannot read the request: ${param} must be ${says}`, {
        param,
      });
    }
    settings = { ...settings, [name]: read.output };
  }
  return settings;
}
