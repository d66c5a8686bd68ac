/**
 * Reads the elements of a route, in the form of Cloudflare's dynamic routes.
 *
 * Cloudflare has changed some names: the older ones are read too (`rate_limit`, `condition`, `interval`, `else`).
 *
 * @see https://developers.cloudflare.com/ai-gateway/features/dynamic-routing/json-configuration/ (2026-11)
 */
import type { Provider } from "../../../providers/types.ts";
import { GatewayError } from "../../../wires/errors.ts";
import { isObject } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { findTarget } from "../find_target.ts";
import { readConditions, readPath } from "./conditions.ts";
import { RouteFault } from "./fault.ts";
import type { Edge, ModelNode, Node, RateNode } from "./types.ts";

/** The longest id of an element, and how many ways may lead out of a percentage node. */
const MOST = { id: 100, shares: 5, windowS: 31 * 86_400, retries: 4, timeoutMs: 2 ** 31 - 1 };

/** Older and other names of the types. */
const TYPES: ReadonlyMap<string, Node["type"] | "budget"> = new Map([
  ["start", "start"],
  ["conditional", "conditional"],
  ["percentage", "percentage"],
  ["rate", "rate"],
  ["rate_limit", "rate"],
  ["budget", "budget"],
  ["budget_limit", "budget"],
  ["model", "model"],
  ["end", "end"],
]);

/** An element, with its place in the route. */
interface Element {
  id: string;
  place: string;
  properties: JsonObject;
  outputs: JsonObject;
}

/**
 * Reads one element.
 *
 * @param place Its place in the route: `elements[2]`.
 * @throws RouteFault
 */
export function readNode(
  written: unknown,
  place: string,
  providers: ReadonlyMap<string, Provider>,
): { id: string; node: Node } {
  if (!isObject(written)) throw new RouteFault(place, "must be an object {id, type, properties, outputs}");
  const { id, type, properties = {}, outputs = {} } = written;
  if (typeof id !== "string" || id === "" || id.length > MOST.id || !isPlain(id)) {
    throw new RouteFault(`${place}.id`, `must be a text of 1 to ${MOST.id} characters`);
  }
  const at = `${place} (${id})`;
  if (!isObject(properties)) throw new RouteFault(`${at}.properties`, "must be an object");
  if (!isObject(outputs)) throw new RouteFault(`${at}.outputs`, "must be an object");
  const kind = typeof type === "string" ? TYPES.get(type) : undefined;
  if (!kind) {
    const known = "start, conditional, percentage, rate, budget, model or end";
    throw new RouteFault(`${at}.type`, `must be ${known}`);
  }
  return { id, node: READERS[kind]({ id, place: at, properties, outputs }, providers) };
}

const READERS: Record<
  Node["type"] | "budget",
  (element: Element, providers: ReadonlyMap<string, Provider>) => Node
> = {
  start: (element) => ({ type: "start", next: edge(element, "next") }),
  conditional(element) {
    const { properties, place } = element;
    const name = properties.conditions === undefined && properties.condition !== undefined
      ? "condition"
      : "conditions";
    return {
      type: "conditional",
      test: readConditions(properties[name], `${place}.properties.${name}`),
      true: edge(element, "true"),
      false: edge(element, "false"),
    };
  },
  percentage: readPercentage,
  rate: (element) => readRate(element, "count"),
  budget: (element) => readRate(element, "cost"),
  model: readModel,
  end: () => ({ type: "end" }),
};

function readPercentage(element: Element): Node {
  const { outputs, place } = element;
  const at = `${place}.outputs`;
  const shares: (Edge & { percent: number })[] = [];
  let sum = 0;
  let rest: Edge | undefined;
  for (const name of Object.keys(outputs)) {
    if (name === "else") {
      rest = edge(element, name);
      continue;
    }
    const percent = /^\d{1,3}(?:\.\d{1,6})?%?$/.test(name) ? Number(name.replace("%", "")) : NaN;
    if (!(percent <= 100)) {
      throw new RouteFault(
        at,
        `${JSON.stringify(name.slice(0, 40))} must be a share such as "90%", or "else"`,
      );
    }
    sum += percent;
    shares.push({ ...edge(element, name), percent });
  }
  if (shares.length === 0) throw new RouteFault(at, 'must hold a share, e.g. "90%"');
  if (shares.length > MOST.shares) throw new RouteFault(at, `must hold ${MOST.shares} shares at most`);
  // Thirds do not add up to 100 exactly.
  const isWhole = Math.abs(sum - 100) < 0.1;
  if (sum > 100 && !isWhole || !rest && !isWhole) {
    throw new RouteFault(at, `must add up to 100 %, and ${Number(sum.toFixed(6))} % are written`);
  }
  if (rest && !isWhole) shares.push({ ...rest, percent: 100 - sum });
  else if (rest) throw new RouteFault(`${at}.else`, "is never taken: the other shares add up to 100 %");
  return { type: "percentage", shares };
}

function readRate(element: Element, usual: "count" | "cost"): RateNode {
  const { properties, place } = element;
  const at = `${place}.properties`;
  const { limitType = usual, key, limit, technique = "fixed" } = properties;
  if (limitType !== "count" && limitType !== "cost") {
    throw new RouteFault(`${at}.limitType`, "must be count or cost");
  }
  if (technique !== "fixed" && technique !== "sliding") {
    throw new RouteFault(`${at}.technique`, "must be fixed or sliding");
  }
  if (typeof limit !== "number" || !(limit >= 0 && limit <= 1e12)) {
    throw new RouteFault(
      `${at}.limit`,
      `must be ${limitType === "count" ? "a number of requests" : "US dollars"}`,
    );
  }
  if (key !== undefined && typeof key !== "string") {
    throw new RouteFault(`${at}.key`, 'must be a path, e.g. "metadata.user_id"');
  }
  const name = properties.window === undefined && properties.interval !== undefined ? "interval" : "window";
  return {
    type: "rate",
    counts: limitType === "count" ? "requests" : "cost",
    get: key === undefined || key === "" ? undefined : readPath(key, `${at}.key`),
    limit,
    windowMs: 1000 * whole(properties[name], `${at}.${name}`, MOST.windowS, "seconds", 1),
    isSliding: technique === "sliding",
    success: edge(element, "success"),
    fallback: edge(element, "fallback", true),
  };
}

function readModel(element: Element, providers: ReadonlyMap<string, Provider>): ModelNode {
  const { properties, place } = element;
  const at = `${place}.properties`;
  const { provider, model, timeout, retries } = properties;
  if (typeof model !== "string" || model === "") {
    throw new RouteFault(`${at}.model`, "must be a model's name");
  }
  if (provider !== undefined && typeof provider !== "string") {
    throw new RouteFault(`${at}.provider`, "must be a provider's name");
  }
  return {
    type: "model",
    ...targetOf(provider, model, at, providers),
    timeoutMs: timeout === undefined
      ? undefined
      : whole(timeout, `${at}.timeout`, MOST.timeoutMs, "milliseconds"),
    retries: retries === undefined ? undefined : whole(retries, `${at}.retries`, MOST.retries, "retries"),
    success: edge(element, "success", true),
    fallback: edge(element, "fallback", true),
  };
}

/** @throws RouteFault for a provider that is not known, for another route, or for a provider without models. */
function targetOf(
  provider: string | undefined,
  model: string,
  at: string,
  providers: ReadonlyMap<string, Provider>,
): Pick<ModelNode, "provider" | "model"> {
  const place = provider === undefined ? `${at}.model` : `${at}.provider`;
  const name = provider === undefined ? model : `${provider}/${model}`;
  if (/^dynamic\//.test(name) && !providers.has("dynamic")) {
    throw new RouteFault(place, "must not be another route");
  }
  try {
    const target = findTarget(name, providers, "model", "any");
    if (target.provider.chat !== false || target.provider.embeddings) return target;
    throw new RouteFault(place, `${target.provider.name} has only its own paths`);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new RouteFault(place, error.message.replace(/^[^:]*: /, ""));
  }
}

// ---------------------------------------------------------------- the parts of an element

/** An output. @throws RouteFault if it is missing and must not be. */
function edge(element: Element, name: string): Edge;
function edge(element: Element, name: string, isOptional: true): Edge | undefined;
function edge({ outputs, place: of }: Element, name: string, isOptional = false): Edge | undefined {
  const place = `${of}.outputs.${name.slice(0, 40)}`;
  const written = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  if (isOptional && (written === undefined || written === null)) return undefined;
  const to = isObject(written) ? written.elementId : undefined;
  if (typeof to !== "string" || to === "") {
    throw new RouteFault(place, "must name the next element, as {elementId}");
  }
  return { name, to, place };
}

function whole(value: unknown, place: string, most: number, unit: string, least = 0): number {
  if (Number.isInteger(value) && value as number >= least && value as number <= most) return value as number;
  throw new RouteFault(place, `must be a whole number of ${unit} from ${least} to ${most}`);
}

/** Whether a text may stand in errors and rows: whole characters, and none that control a terminal. */
export const isPlain = (text: string): boolean => text.isWellFormed() && !/\p{Cc}/u.test(text);
