/** Makes the steps of targets that routes have led to. */
import type { Exchange } from "../exchange.ts";
import { measured } from "../explain/measure.ts";
import { readyPrices } from "../log/prices.ts";
import type { Step } from "../policies/attempt.ts";
import { closedGate } from "../policies/tolls.ts";
import type { Target } from "../targets/find_target.ts";
import { isPriced } from "../targets/routes/legs.ts";

/**
 * Estimates the size of a request that may come to a limit on cost. Must be called before the request is written, which may edit its
 * body in place.
 */
export function withSizes(
  targets: readonly Target[],
  text: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
): Exchange {
  if (!exchange.config.routes || !targets.some(({ leg }) => leg && isPriced(leg))) return exchange;
  return { ...exchange, sizes: measured(text) };
}

/** The step, with the settings and the limits of the route that led to its target, if one did. */
export function routed(step: Step, { leg }: Target, exchange: Exchange): Step {
  if (!leg) return step;
  const { settings } = step;
  const { node: { timeoutMs, retries }, gates, route, way } = leg;
  const { report, config, context, explain, sizes, account = "", gateway = "" } = exchange;
  report.route ??= { name: route.name, version: route.version, way };
  // Its limits decide which model is asked.
  if (gates.length > 0) report.provider = report.model = undefined;
  return {
    ...step,
    way,
    settings: {
      ...settings,
      ...(timeoutMs !== undefined && { requestTimeoutMs: timeoutMs }),
      ...(retries !== undefined && { maxAttempts: retries + 1 }),
    },
    gate: gates.length === 0 ? undefined : async (run) => {
      if (gates.some(({ toll }) => toll.node.counts === "cost")) await readyPrices(config.prices, context);
      return await closedGate(leg, { scope: [account, gateway, route.name], run, sizes });
    },
    // An explanation gets no answer.
    send: explain ? step.send : async (attempt) => {
      report.route = { name: route.name, version: route.version, way };
      for (const { toll } of gates) toll.sent = { step: attempt.index, status: 0 };
      const response = await step.send(attempt);
      for (const { toll } of gates) toll.sent!.status = response.status;
      return response;
    },
  };
}
