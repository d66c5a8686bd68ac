/** The schema of what a gateway token may ask for and spend. */
import * as v from "npm:valibot@1.5.0";

/** A limit: a token that may ask for nothing is left out, not limited to 0. */
const most = v.optional(
  v.pipe(
    v.number(),
    v.safeInteger("must be a whole number"),
    v.minValue(
      1,
      "must be at least 1; to close a token, take it out of the list, or disable the virtual key",
    ),
  ),
);

const listed = v.optional(v.pipe(v.array(v.string()), v.nonEmpty("must hold a name; leave it out for all")));

/** A date, or a date and a time in UTC. */
export const dateText = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?$/, "must be a date such as 2027-01-31"),
  v.check((text) => !Number.isNaN(Date.parse(text)), "must be a date such as 2027-01-31"),
);

const budget = v.strictObject({
  limitUsd: v.pipe(
    v.number(),
    v.finite("must be a number"),
    v.minValue(
      1e-6,
      "must be more than 0; to close a token, take it out of the list, or disable the virtual key",
    ),
    v.maxValue(1e6, "must be at most a million"),
  ),
  window: v.picklist(["hour", "day", "week", "month"]),
  technique: v.optional(v.picklist(["fixed", "sliding"])),
  models: listed,
  providers: listed,
  until: v.optional(dateText),
});

const names = v.array(v.string());

/** The name of a token. It is written into rows of requests. */
export const tokenName = v.pipe(
  v.string(),
  v.regex(/^[\w .@-]{1,64}$/, "must have 1 to 64 characters of A-Z a-z 0-9 _ . @ - and blanks"),
);

/** The longest window of a limit: 31 days. */
const MOST_SECONDS = 31 * 86_400;

const rule = v.pipe(
  v.strictObject({
    requests: most,
    tokens: most,
    open: most,
    seconds: v.optional(
      v.pipe(
        v.number(),
        v.safeInteger("must be a whole number"),
        v.minValue(1),
        v.maxValue(MOST_SECONDS),
      ),
    ),
    technique: v.optional(v.picklist(["fixed", "sliding"])),
    models: listed,
    providers: listed,
  }),
  v.check(
    ({ requests, tokens, open }) =>
      [requests, tokens, open].filter((limit) => limit !== undefined).length === 1,
    "must have one of requests, tokens and open",
  ),
  v.check(
    ({ open, seconds, technique }) => open === undefined || seconds === undefined && technique === undefined,
    "must not have seconds or technique beside open, which counts requests at once",
  ),
);

/** The most limits of one list: each is asked of the counters with each request. */
const MOST_RULES = 20;

// The list comes first: a list is an object too.
const limits = v.optional(v.union([
  v.pipe(
    v.array(rule),
    v.maxLength(MOST_RULES, `must hold ${MOST_RULES} limits at most`),
  ),
  v.strictObject({ rpm: most, tpm: most, open: most }),
]));
const budgets = v.optional(v.pipe(v.array(budget), v.nonEmpty("must hold a budget; leave it out for none")));

/** The schema of the option `teams`. */
export const teamsOption = v.record(tokenName, v.strictObject({ limits, budgets }));

const unknownPrice = v.optional(v.picklist(["refuse", "allow"]));

/** The schema of the option `gateways`. */
export const gatewaysOption = v.record(
  v.pipe(v.string(), v.nonEmpty(), v.maxLength(200)),
  v.strictObject({ limits, budgets, unknownPrice }),
);

/** The options of a token that tell what it opens, and whose limits hold for it. */
export const openingOptions = {
  team: v.optional(tokenName),
  each: v.optional(v.strictObject({ metadata: tokenName, limits, budgets })),
  gateways: v.optional(names),
  providers: v.optional(names),
};

/** The options `models`, `limits`, `budgets` and `unknownPrice` of a token. */
export const meteringOptions = {
  models: listed,
  limits,
  budgets,
  unknownPrice,
};
