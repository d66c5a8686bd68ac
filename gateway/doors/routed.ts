/** Makes a step of a target that a route has led to. */
import type { Exchange } from "../exchange.ts";
import { readyPrices } from "../log/prices.ts";
import type { Step } from "../policies/attempt.ts";
import { closedGate } from "../policies/tolls.ts";
import type { Target } from "../targets/find_target.ts";

/** The step, with the settings and the limits of the route that led to its target, if one did. */
export function routed(step: Step, { leg }: Target, exchange: Exchange): Step {
  if (!leg) return step;
  const { settings } = step;
  const { node: { timeoutMs, retries }, gates, route, way } = leg;
  const { report, config, context, explain, account = "", gateway = "" } = exchange;
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
      return await closedGate(leg, { scope: [account, gateway, route.name], run });
    },
    // An explanation gets no answer.
    send: explain ? step.send : async (attempt) => {
      report.route = { name: route.name, version: route.version, way };
      const response = await step.send(attempt);
      for (const { toll } of gates) toll.isAnswered = response.status < 400;
      return response;
    },
  };
}
