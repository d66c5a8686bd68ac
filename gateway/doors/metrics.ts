/** Serves the counts of the process to Prometheus. */
import { GatewayError } from "../../wires/errors.ts";
import type { Metrics } from "../log/metrics.ts";
import { gaugeText, TEXT_FORMAT } from "../log/prometheus.ts";
import { leastLeft } from "../policies/budgets.ts";
import type { Breaker } from "../policies/target_states.ts";
import type { Config } from "../setup/config.ts";

/**
 * Serves `/metrics` to whoever has the token for metrics, or the operator's.
 *
 * @param insider Whether the caller is the program that made the gateway: it needs no token.
 * @throws GatewayError `not_found` if neither token is set, `unauthorized`.
 */
export async function serveMetrics(
  { headers }: Request,
  config: Config,
  insider: boolean,
): Promise<Response> {
  const { journal, admin, scraper, breaker } = config;
  const metrics = journal?.metrics;
  if (!metrics || !insider && !admin.isOpen && !scraper.isOpen) {
    throw new GatewayError(
      "not_found",
      "Cannot open /metrics: the gateway has no token for it; set the option metrics.token, or SLUICE_METRICS_TOKEN",
    );
  }
  if (!insider && !await scraper.admits(headers) && !await admin.admits(headers)) {
    throw new GatewayError(
      "unauthorized",
      "Cannot serve the request: it needs the token for metrics, as authorization: Bearer TOKEN",
    );
  }
  const text = metrics.text() + breakerText(breaker) + await budgetText(metrics, config);
  return new Response(text, {
    headers: { "content-type": TEXT_FORMAT, "cache-control": "no-store" },
  });
}

/** The most targets that are told. */
const MOST_TARGETS = 200;

/** Which targets are spared now, or were once. */
function breakerText(breaker: Breaker | undefined): string {
  const opened = breaker?.opened().slice(-MOST_TARGETS) ?? [];
  const family = {
    name: "sluice_breaker_open",
    help: "Whether a target is spared because it keeps failing: 1, or 0 for one that was.",
    labels: ["provider", "model"],
  };
  return gaugeText(
    family,
    opened.map(({ provider, model = "", isOpen }) => [[provider, model], isOpen ? 1 : 0]),
  );
}

const BUDGET = {
  name: "sluice_budget_remaining_usd",
  help:
    "US dollars that a gateway token, a team or a gateway has left of that of its budgets that has the least.",
  labels: ["token"],
};

/** What is left of budgets, of tokens that have sent a request to this process. Nothing if the store of counters fails. */
async function budgetText(metrics: Metrics, { counters, now }: Config): Promise<string> {
  const spenders = metrics.spenders();
  if (spenders.length === 0) return "";
  try {
    const left = await leastLeft(spenders, now(), counters);
    return gaugeText(BUDGET, left.map(([name, usd]) => [[name], usd]));
  } catch {
    return "";
  }
}
