/** Finds the targets of a request whose model is a route: `dynamic/{name}`. */
import type { Provider } from "../../../providers/types.ts";
import { nearestNames } from "../../../providers/nearest_names.ts";
import { GatewayError, quote } from "../../../wires/errors.ts";
import { DYNAMIC, findTarget, type Target, type Task } from "../find_target.ts";
import type { Facts, Route, RouteLeg } from "./types.ts";
import { walk } from "./walk.ts";

/** Whose routes are meant. */
export interface RouteScope {
  account?: string;
  gateway?: string;
}

/** The routes of a gateway. */
export interface Routes {
  /** Whether some are kept in a store. */
  isStored: boolean;
  /** Whether the options have a route of that name. */
  isFixed(name: string): boolean;
  /** The names of the routes of the options. */
  fixedNames(): string[];
  /** The names of all routes of a gateway. */
  names(scope: RouteScope): Promise<string[]>;
  /** Reads these routes from their store, if they must be. @returns A promise if a request must wait for it. */
  unread(names: readonly string[], scope: RouteScope): Promise<unknown> | undefined;
  /**
   * The route of a name. One that a store keeps was read before.
   *
   * @throws GatewayError `overloaded` if its store has failed.
   */
  find(name: string, scope: RouteScope): Route | undefined;
  /** The client's metadata in headers. */
  metadata(headers: Headers): Readonly<Record<string, unknown>> | undefined;
}

/** What a walk needs of a request. */
interface Asked extends RouteScope {
  headers: Headers;
  config: { providers: ReadonlyMap<string, Provider>; routes?: Routes; random: () => number };
  /** `metadata`: the entries of its virtual key, which win over those that the client writes. */
  caller: { check(provider: Provider, model?: string): void; metadata?: Readonly<Record<string, unknown>> };
}

const PREFIX = `${DYNAMIC}/`;

/** Whether a name is one of a route. A row of the operator's with that name comes first. */
export const isRouteName = (name: unknown, providers: ReadonlyMap<string, Provider>): name is string =>
  typeof name === "string" && name.startsWith(PREFIX) && !providers.has(DYNAMIC);

/**
 * The targets of a route: the models that this request may try.
 *
 * @param written The name that the client wrote, with its prefix.
 * @param param The place where it wrote it.
 * @throws GatewayError for a route that does not exist, cannot be used or leads this request to no model, and for a model that the caller
 * may not use.
 */
export function targetsOfRoute(
  written: string,
  param: string,
  asked: Asked,
  task: Task,
  body: { get(field: string): unknown } | undefined,
): Target[] {
  const { config: { providers, routes, random }, caller, headers } = asked;
  const name = routeNameIn(written);
  const route = routes?.find(name, asked);
  if (!routes || !route) throw noRoute(name, param, asked);
  if (!route.graph) {
    const message = `Cannot use the route ${quote(name)}: ${route.fault}`;
    throw new GatewayError("invalid_model", message, { param });
  }
  const legs = walk(route.graph, factsOf(headers, body, routes, caller.metadata), random);
  if (legs.length === 0) throw endsEarly(name, param);
  return legs.map((leg): Target => {
    const { provider, model } = leg.node;
    try {
      const target = findTarget(`${provider.name}/${model}`, providers, param, task);
      caller.check(provider, model);
      return { ...target, leg: { ...leg, route } };
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { code, message, details } = error;
      throw new GatewayError(code, `${message} (the route ${quote(name)} leads to it)`, details);
    }
  });
}

/** The parts of a request that may name a route. */
interface Naming extends RouteScope {
  headers: Headers;
  config: {
    providers: ReadonlyMap<string, Provider>;
    routes?: Routes;
    aliases?: { find(name: string): { names: readonly string[] } | undefined };
  };
}

/** How many names of a request are looked at. A request that names more is refused. */
const MOST_NAMES = 30;

/**
 * Reads the routes that a request names from their store, if they must be.
 *
 * @returns A promise if the request must wait for it.
 */
export function unreadRoutes(
  body: { get(field: string): unknown },
  asked: Naming,
): Promise<unknown> | undefined {
  const { headers, config: { routes, aliases, providers } } = asked;
  if (!routes?.isStored) return undefined;
  const others = body.get("models"), fallback = headers.get("sluice-fallback");
  const written: unknown[] = [body.get("model")];
  if (Array.isArray(others)) written.push(...others.slice(0, MOST_NAMES));
  if (fallback !== null) written.push(...fallback.split(",", MOST_NAMES).map((name) => name.trim()));
  const named = (name: unknown): readonly unknown[] =>
    typeof name === "string" && aliases?.find(name)?.names || [name];
  const names = written.flatMap(named)
    .filter((name) => isRouteName(name, providers));
  return names.length === 0 ? undefined : routes.unread(names.map(routeNameIn), asked);
}

/** The name of a route without its prefix. */
export const routeNameIn = (written: string): string => written.slice(PREFIX.length);

/** Whether a way has passed a limit on cost. */
export const isPriced = ({ gates }: Pick<RouteLeg, "gates">): boolean =>
  gates.some(({ toll, isOpen }) => isOpen && toll.node.counts === "cost");

/** The error for a request that comes to the end of a route without a model. */
export const endsEarly = (name: string, param?: string): GatewayError =>
  new GatewayError(
    "invalid_request",
    `Cannot serve the request: the route ${quote(name)} leads it to its end, and to no model`,
    { param },
  );

function noRoute(name: string, param: string, asked: Asked): GatewayError {
  const near = nearestNames(name, asked.config.routes?.fixedNames() ?? [], 1);
  const hint = near.length > 0
    ? `; did you mean ${quote(PREFIX + near[0])}?`
    : ". Routes are written in the option routes (SLUICE_ROUTES), or by Cloudflare's API";
  const message = `Cannot find the route ${quote(name)}: the gateway has no route of that name${hint}`;
  return new GatewayError("invalid_model", message, { param });
}

/** Reads the parts of a request once each, and only those that a condition asks for. */
function factsOf(
  headers: Headers,
  body: { get(field: string): unknown } | undefined,
  routes: Routes,
  own: Asked["caller"]["metadata"],
): Facts {
  const fields = new Map<string, unknown>();
  let metadata: ReturnType<Routes["metadata"]>;
  let isRead = false;
  return {
    metadata() {
      if (!isRead) metadata = own ? { ...routes.metadata(headers), ...own } : routes.metadata(headers);
      isRead = true;
      return metadata;
    },
    header: (name) => headers.get(name),
    field(name) {
      if (!fields.has(name)) fields.set(name, body?.get(name));
      return fields.get(name);
    },
  };
}
