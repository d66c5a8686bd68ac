/** Serves the counts of the process to Prometheus. */
import { GatewayError } from "../../wires/errors.ts";
import { TEXT_FORMAT } from "../log/prometheus.ts";
import type { Config } from "../setup/config.ts";

/**
 * Serves `/metrics` to whoever has the token for metrics, or the operator's.
 *
 * @param insider Whether the caller is the program that made the gateway: it needs no token.
 * @throws GatewayError `not_found` if neither token is set, `unauthorized`.
 */
export async function serveMetrics(
  { headers }: Request,
  { journal, admin, scraper }: Config,
  insider: boolean,
): Promise<Response> {
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
  return new Response(metrics.text(), {
    headers: { "content-type": TEXT_FORMAT, "cache-control": "no-store" },
  });
}
