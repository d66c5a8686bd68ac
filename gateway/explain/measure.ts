/** Finds the models and estimates the sizes of requests whose token has budgets, or limits for some models. */
import { isObject, object, objects, parse } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { readyPrices } from "../log/prices.ts";
import { USUAL_OUTPUT } from "../policies/budgets.ts";
import { needsModel } from "../policies/limit_rules.ts";
import type { Sizes } from "../policies/token_limits.ts";
import { takeBody } from "../upstream/body.ts";
import { sizesOfBody } from "./estimate.ts";
import { parsedBody } from "./shown_body.ts";

/** Reads a JSON request's body, and measures it if its token has a budget, or limits for some models. @throws The errors of `takeBody`. */
export function takeMeasured(request: Request, exchange: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const taken = takeBody(request, exchange);
  // The common request gets no promise of its own.
  if (!needsModel(exchange.caller.metered)) return taken;
  return taken.then(async (body) => {
    await measure(body, exchange);
    return body;
  });
}

/** Estimates the size of a request, and keeps it in the report. The prices are ready then too. */
export async function measure(
  body: Uint8Array<ArrayBuffer>,
  { report, config, context }: Exchange,
): Promise<void> {
  await readyPrices(config.prices, context);
  report.sizes = measured(body);
}

/** The estimated size of a request; `null` if tokens do not tell its price. */
export function measured(body: Uint8Array<ArrayBuffer>): Sizes | null {
  const parsed = parsedBody(body);
  const sizes = requestsIn(parsed?.body).map((one) => sizesOf(one, parsed!.mediaTokens));
  return sizes.length === 0 || sizes.includes(null) ? null : largest(sizes as Sizes[]);
}

/** The requests in a body: it is one, or a list of steps that each hold one. */
function requestsIn(body: unknown): JsonObject[] {
  if (isObject(body)) return [body];
  return objects(body).map(({ query }) =>
    object(typeof query === "string" ? parse(query) : query) ?? { query }
  );
}

/** `null` for a request whose answer is read later, by another request. */
function sizesOf(body: JsonObject, mediaTokens: number): Sizes | null {
  if (body.background === true) return null;
  const { input, query } = body;
  const within = object(input) ?? object(query);
  const { mostOutput, answers, model } = sizesOfBody({ ...body, ...within }, mediaTokens, true);
  // The members within the body count once more here, which is not much.
  return { ...sizesOfBody(body, mediaTokens, true), mostOutput, answers, model };
}

/** A request of which each member is the largest: any of the steps may be the one that answers. */
function largest(all: Sizes[]): Sizes {
  if (all.length === 1) return all[0];
  return {
    input: Math.max(...all.map(({ input }) => input)),
    mostOutput: Math.max(...all.map(({ mostOutput, answers }) => mostOutput ?? USUAL_OUTPUT * answers)),
    answers: 1,
    tier: all.find(({ tier }) => tier === "priority")?.tier ?? all[0].tier,
  };
}
