/** The option `routes`: its schema, and the routes that it describes. */
import * as v from "npm:valibot@1.5.0";
import type { Provider } from "../../providers/types.ts";
import { RouteFault } from "../targets/routes/fault.ts";
import { checkRouteName, MOST_OF_ROUTE, readGraph } from "../targets/routes/graph.ts";
import type { Route } from "../targets/routes/types.ts";

/**
 * An element of a route, in Cloudflare's form: its `id`, its `type` (`start`, `conditional`, `percentage`, `rate`, `budget`, `model`,
 * `end`), its `properties`, and its `outputs`, each with the `elementId` of the next element.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type RouteElement } from "../../mod.ts";
 *
 * const support: RouteElement[] = [
 *   { id: "start", type: "start", outputs: { next: { elementId: "first" } } },
 *   {
 *     id: "first",
 *     type: "model",
 *     properties: { provider: "demo", model: "status-503" },
 *     outputs: { fallback: { elementId: "second" } },
 *   },
 *   { id: "second", type: "model", properties: { provider: "demo", model: "echo" } },
 * ];
 * const gateway = createGateway({ routes: { support } }).gateway("default");
 * const query = { model: "dynamic/support", messages: [{ role: "user", content: "Hello" }] };
 * const response = await gateway.run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals(response.headers.get("cf-aig-routed-model"), "demo/echo");
 * ```
 */
export interface RouteElement {
  /** Its name among the elements of the route. */
  id: string;
  /** What it does with a request. */
  type: string;
  /** Its settings, by its type. */
  properties?: Readonly<Record<string, unknown>>;
  /** The ways that lead on from it. */
  outputs?: Readonly<Record<string, { readonly elementId: string }>>;
}

export const ELEMENTS = v.array(v.looseObject({
  id: v.string(),
  type: v.string(),
  properties: v.optional(v.looseObject({})),
  outputs: v.optional(v.looseObject({})),
}));

const RULE = "must be a route: a list of elements {id, type, properties, outputs}, or {elements}";

/** The schema of the option. What it cannot say is checked by `routesOf`. */
export const routesOption = v.record(
  v.string(),
  v.union([ELEMENTS, v.looseObject({ elements: ELEMENTS })], RULE),
);

/** The most routes of the option. */
const MOST_ROUTES = 1000;

/**
 * The routes of the option, which hold in every gateway.
 *
 * @throws TypeError that names the place of the fault.
 */
export function fixedRoutes(
  written: Readonly<Record<string, unknown>>,
  providers: ReadonlyMap<string, Provider>,
): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  const entries = Object.entries(written);
  if (entries.length > MOST_ROUTES) {
    throw new TypeError(`Cannot use option routes: it must hold ${MOST_ROUTES} routes at most`);
  }
  for (const [name, route] of entries) {
    try {
      checkRouteName(name);
      if (JSON.stringify(route).length > MOST_OF_ROUTE.json) {
        throw new RouteFault("elements", `must have at most ${MOST_OF_ROUTE.json} characters as JSON`);
      }
      routes.set(name, { name, graph: readGraph(route, providers) });
    } catch (error) {
      if (!(error instanceof RouteFault)) throw error;
      throw new TypeError(`Cannot use option routes.${name.slice(0, 100)}: ${error.message}`);
    }
  }
  return routes;
}
