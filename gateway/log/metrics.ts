/** Counts the rows of requests for Prometheus, from the start of the process. */
import { STEPS } from "../stores/rollups.ts";
import type { Metered } from "../policies/token_limits.ts";
import type { LogEntry } from "../stores/log_row.ts";
import type { Outage } from "../policies/shared_counters.ts";
import { providerName } from "./gen_ai_names.ts";
import { type Add, counterText, OTHER, type Registry, registry } from "./prometheus.ts";

/** The losses of a process. Each number only grows. */
export interface Losses {
  /** Rows that no store has kept because their queue was full. */
  rows: number;
  /** Failed requests to a store. */
  storeErrors: number;
  /** Spans that no collector has taken. */
  spans: number;
  /** What failures of the store of counts have changed. */
  outage: Outage;
}

/** The losses of a process that has just begun. */
export const noLosses = (): Losses => ({
  rows: 0,
  storeErrors: 0,
  spans: 0,
  outage: { allowed: 0, refused: 0, lost: 0 },
});

/** The facts about a request that its row does not hold. */
export interface Beside {
  /** The kind of work: `chat`, `embeddings`, … */
  operation: string;
  /** The model that the answer names. */
  responseModel?: string;
  /** Whether the answer came from the cache. Absent if the request took no part in caching. */
  cache?: "HIT" | "MISS";
  /** The rule that has refused the request. */
  limitedBy?: string;
}

/** The counts of a process. */
export interface Metrics {
  add(row: LogEntry, beside: Beside): void;
  /** Remembers a token with budgets that has sent a request, or its team or gateway. */
  know(spender: Metered): void;
  /** The tokens that are remembered, the first that was used last. Their names are labels. */
  spenders(): Metered[];
  /** All counts in Prometheus' text format. */
  text(): string;
}

/** The most sets of labels of each family. A histogram has 22 lines for each set. */
const MOST_SETS = 500;

/** The most names of each kind that are told apart. */
const MOST_NAMES = { models: 200, gateways: 50, tokens: 200, values: 100 };

/** The labels that keep their values in a family that is full: each has few. */
const KEPT: ReadonlySet<string> = new Set(["provider", "gen_ai_provider_name", "gen_ai_token_type", "type"]);

/** The labels of Envoy AI Gateway. */
const ENVOY = [
  "gen_ai_operation_name",
  "gen_ai_provider_name",
  "gen_ai_request_model",
  "gen_ai_response_model",
];

/** The labels of Sluice's own counters. */
export const OWN_LABELS = ["provider", "model", "gateway", "token"];

/** The other names that these counters use as labels. */
export const TAKEN_LABELS: readonly string[] = [...OWN_LABELS, "status", "type", "le"];

const SECONDS = STEPS.filter(Number.isFinite).map((ms) => ms / 1000);

/** Powers of 4, as in OpenTelemetry's convention. */
const TOKENS = Array.from({ length: 14 }, (_, power) => 4 ** power);

/** Names that are told apart, up to a number of them. All others are `other`. */
function boundedNames(most: number) {
  const known = new Set<string>();
  return {
    know(name: string | undefined) {
      if (name && known.size < most) known.add(name);
    },
    of: (name: string) => known.has(name) ? name : OTHER,
  };
}

/**
 * The families with the names and labels of Envoy AI Gateway, as its exporter writes them: with units.
 *
 * @see https://github.com/envoyproxy/ai-gateway/blob/main/internal/metrics/genai.go (2026-11)
 */
function envoyFamilies({ histogram }: Registry) {
  return {
    usage: histogram({
      name: "gen_ai_client_token_usage_token",
      help: "Tokens of a request. Cached and reasoning tokens also count as input and output.",
      labels: [...ENVOY, "gen_ai_token_type"],
    }, TOKENS),
    duration: histogram({
      name: "gen_ai_server_request_duration_seconds",
      help: "Seconds from a request to the end of its answer.",
      labels: [...ENVOY, "error_type"],
    }, SECONDS),
    firstToken: histogram({
      name: "gen_ai_server_time_to_first_token_seconds",
      help: "Seconds from a request to the first content of its stream.",
      labels: ENVOY,
    }, SECONDS),
    perToken: histogram({
      name: "gen_ai_server_time_per_output_token_seconds",
      help: "Seconds for each token of a stream after its first content.",
      labels: ENVOY,
    }, [0.001, 0.0025, 0.005, ...SECONDS]),
  };
}

/** All families. @param labels Labels from the client's metadata. */
function families(labels: readonly string[]) {
  const all = registry(MOST_SETS, KEPT);
  const { counter, text } = all;
  const own = [...OWN_LABELS, ...labels];
  return {
    text,
    ...envoyFamilies(all),
    requests: counter({
      name: "sluice_requests_total",
      help: "Requests that have ended, by the status of the answer.",
      labels: [...own, "status"],
    }),
    tokens: counter({
      name: "sluice_tokens_total",
      help: "Tokens. Cached and reasoning tokens also count as input and output.",
      labels: [...own, "type"],
    }),
    cost: counter({
      name: "sluice_cost_usd_total",
      help: "Estimated cost in US dollars of the requests whose price is known.",
      labels: own,
    }),
    unpriced: counter({
      name: "sluice_unpriced_requests_total",
      help: "Requests with tokens but without a known price.",
      labels: ["provider", "model"],
    }),
    cache: counter({
      name: "sluice_cache_total",
      help: "Requests that took part in caching, by whether the answer came from the cache.",
      labels: ["status"],
    }),
    limited: counter({
      name: "sluice_limited_total",
      help: "Requests that were refused, by the rule of their gateway token that refused them.",
      labels: ["rule"],
    }),
    tries: counter({
      name: "sluice_tries_total",
      help:
        "Requests to providers, by the status of their answer; none if there was no answer, skipped if the breaker spared the target.",
      labels: ["provider", "status"],
    }),
  };
}

/** The kinds of tokens in a row, by Envoy's names for them. */
const tokensOf = (row: LogEntry): (readonly [type: string, tokens: number | undefined])[] => [
  ["input", row.inputTokens],
  ["output", row.outputTokens],
  ["cached_input", row.cacheReadTokens],
  ["cache_creation_input", row.cacheWriteTokens],
  ["reasoning", row.reasoningTokens],
];

/** The type of a failure: a code of the gateway's, or a status. A provider's own words could be any number of words. */
export function errorTypeOf({ level, error, status }: LogEntry): string | undefined {
  if (level === "info") return undefined;
  if (error && "message" in error) return error.code;
  const told = error?.status ?? status;
  return told >= 400 ? `${told}` : "_OTHER";
}

/**
 * Whether a provider has answered well, now or when the answer was cached. (A count of tokens is also a success if it is the
 * gateway's own estimate.)
 */
const isAnswered = ({ level, cached, attempts = [] }: LogEntry): boolean =>
  level === "info" &&
  (cached === true || attempts.some(({ status }) => status !== undefined && status < 400));

/** Counts the attempts of a request. A row shows the first ones only. */
function countTries({ provider = "unknown", attempts = [], tries }: LogEntry, add: Add): void {
  for (const { provider, status, skipped, why } of attempts) {
    if (!skipped || why === "breaker") add([provider, skipped ? "skipped" : `${status ?? "none"}`], 1);
  }
  const shown = attempts.filter(({ skipped }) => !skipped).length;
  if (tries > shown) add([provider, OTHER], tries - shown);
}

/** Remembers the tokens with budgets that were used last. */
function spenders(): Pick<Metrics, "know" | "spenders"> {
  const known = new Map<string, Metered>();
  return {
    know(spender) {
      known.delete(spender.name);
      known.set(spender.name, spender);
      if (known.size > MOST_NAMES.tokens) known.delete(known.keys().next().value!);
    },
    spenders: () => [...known.values()],
  };
}

/** A label for a key of metadata: `cost-center` becomes `cost_center`. */
export const labelOf = (key: string): string => key.replaceAll(/[^A-Za-z0-9_]/g, "_");

/**
 * Makes the counts.
 *
 * Clients choose the names of models and gateways, and the values of metadata. Such a name becomes a label only after a request
 * with it has succeeded.
 *
 * @param keys The keys of the client's metadata that become labels.
 */
export function metrics(keys: readonly string[], losses: Losses): Metrics {
  const to = families(keys.map(labelOf));
  const models = boundedNames(MOST_NAMES.models), responseModels = boundedNames(MOST_NAMES.models);
  const gateways = boundedNames(MOST_NAMES.gateways), tokens = boundedNames(MOST_NAMES.tokens);
  const values = keys.map(() => boundedNames(MOST_NAMES.values));
  gateways.know("default");

  return {
    add(row, { operation, responseModel, cache, limitedBy }) {
      const { provider = "unknown", model, token, account, metadata, firstTokenMs } = row;
      const gateway = account === "-" ? row.gateway : `${account}/${row.gateway}`;
      const written = keys.map((key) => metadata?.[key] === undefined ? "" : `${metadata[key]}`);
      tokens.know(token);
      if (isAnswered(row)) {
        models.know(model);
        responseModels.know(responseModel);
        gateways.know(gateway);
        written.forEach((value, at) => values[at].know(value));
      }
      const name = model ? models.of(model) : "unknown";
      const envoy = [
        operation,
        providerName(provider),
        name,
        responseModel ? responseModels.of(responseModel) : "unknown",
      ];
      const own = [
        provider,
        name,
        gateways.of(gateway),
        token ? tokens.of(token) : "",
        ...written.map((value, at) => value && values[at].of(value)),
      ];
      to.requests([...own, `${row.status}`], 1);
      to.duration([...envoy, errorTypeOf(row) ?? ""], row.durationMs / 1000);
      for (const [type, count] of tokensOf(row)) {
        if (count === undefined) continue;
        to.usage([...envoy, type], count);
        to.tokens([...own, type], count);
      }
      if (firstTokenMs !== undefined) {
        to.firstToken(envoy, firstTokenMs / 1000);
        const later = (row.outputTokens ?? 0) - 1;
        if (later > 0) to.perToken(envoy, (row.durationMs - firstTokenMs) / 1000 / later);
      }
      if (row.cost) to.cost(own, row.cost);
      if (row.cost === null) to.unpriced([provider, name], 1);
      if (cache) to.cache([cache.toLowerCase()], 1);
      if (limitedBy) to.limited([limitedBy], 1);
      countTries(row, to.tries);
    },
    ...spenders(),
    text: () =>
      to.text() +
      lossesText(losses),
  };
}

/** The counters of what was lost. */
const lossesText = (losses: Losses): string =>
  counterText("sluice_log_dropped_total", "Rows that were not kept.", losses.rows) +
  counterText("sluice_store_errors_total", "Failed requests to a store.", losses.storeErrors) +
  counterText(
    "sluice_unchecked_allowed_total",
    "Requests that were served while the store could not check their limits.",
    losses.outage.allowed,
  ) +
  counterText(
    "sluice_unchecked_refused_total",
    "Requests that were refused because the store could not check their budgets.",
    losses.outage.refused,
  ) +
  counterText(
    "sluice_counts_lost_total",
    "Amounts of limits and budgets that no store has taken.",
    losses.outage.lost,
  ) +
  counterText("sluice_spans_dropped_total", "Spans that no collector has taken.", losses.spans);
