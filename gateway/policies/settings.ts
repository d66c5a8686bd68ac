/** How patient a request is, gathered from the places that may say it. */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../../wires/errors.ts";

/** What timeouts and retries go by. */
export interface PolicySettings {
  /** Milliseconds until the first part of an answer must have come; 0 for no limit. */
  requestTimeoutMs: number;
  /** Tries in all, 1 to 5. */
  maxAttempts: number;
  /** Milliseconds that the wait before another try is reckoned from, 0 to 60000. */
  retryDelayMs: number;
  /** How the wait grows with the tries. */
  backoff: "constant" | "linear" | "exponential";
}

/** What holds when nobody says otherwise: one try, no limit. */
export const DEFAULTS: PolicySettings = {
  requestTimeoutMs: 0,
  maxAttempts: 1,
  retryDelayMs: 1000,
  backoff: "exponential",
};

const whole = (most: number, least = 0) =>
  v.pipe(
    v.union(
      [v.number(), v.pipe(v.string(), v.regex(/^\s*\d{1,10}\s*$/), v.transform(Number))],
      "must be a whole number",
    ),
    v.integer(),
    v.minValue(least),
    v.maxValue(most),
  );

/** The longest timer that every runtime keeps, in milliseconds. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Each setting's limits, and its names in a header and in a step's `config`. */
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

/** The settings that options may hold, with the same limits. */
export const policyOptions = {
  requestTimeoutMs: v.optional(SETTINGS.requestTimeoutMs.schema),
  retries: v.optional(v.strictObject({
    maxAttempts: v.optional(SETTINGS.maxAttempts.schema),
    retryDelayMs: v.optional(SETTINGS.retryDelayMs.schema),
    backoff: v.optional(SETTINGS.backoff.schema),
  })),
};

/**
 * The settings of a request or a step: `config` over headers over `base`.
 *
 * @param path Of the step in the client's body, e.g. `[1]`, for the error.
 * @throws GatewayError `invalid_request` for a value out of its limits.
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
