/** Finds the routes that requests name: those of the options, and those that are kept in a store. */
import type { Provider } from "../../providers/types.ts";
import { IS_PROCESS } from "../context.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { readMetadata } from "../log/metadata.ts";
import { isPromise, OPERATOR_MS, type StoreGuard } from "../policies/store_guard.ts";
import type { DeployedRoute, RouteStore } from "../stores/routes.ts";
import type { Scope } from "../stores/store.ts";
import { RouteFault } from "../targets/routes/fault.ts";
import { MOST_OF_ROUTE, readGraph } from "../targets/routes/graph.ts";
import type { Routes, RouteScope } from "../targets/routes/legs.ts";
import type { Route } from "../targets/routes/types.ts";

/** Milliseconds for which a route that was read from a store is used without another look. Two gateways differ no longer. */
const FRESH_MS = 5_000;

/** The account of requests that name none, as in rows. */
const NO_ACCOUNT = "-";

/** The most routes that are remembered. Clients choose the names. */
const MOST_KEPT = 1000;

/** What is known of a name. */
interface Known {
  /** `undefined` if there is no route of that name. */
  route?: Route;
  /** Until when it is used without another look. */
  until: number;
  /** Whether the store has failed, and nothing was known before. */
  isUnknown?: boolean;
  reading?: Promise<void>;
}

/** What the routes of a gateway are made of. */
export interface RouteParts {
  /** Those of the options, which hold in every gateway and come before those of the store. */
  fixed: ReadonlyMap<string, Route>;
  store?: RouteStore;
  guard: StoreGuard;
  providers: ReadonlyMap<string, Provider>;
  /** Measures durations in milliseconds. */
  timer: () => number;
}

/** Makes the routes of a gateway. */
export function routeBook({ fixed, store, guard, providers, timer }: RouteParts): Routes {
  /** The name that was used last is the last one. */
  const known = new Map<string, Known>();
  const keyOf = ({ account, gateway }: Scope, name: string) => JSON.stringify([account, gateway, name]);

  function keep(key: string, entry: Known): Known {
    known.delete(key);
    known.set(key, entry);
    if (known.size > MOST_KEPT) known.delete(known.keys().next().value!);
    return entry;
  }

  function routeOf(
    name: string,
    found: DeployedRoute | undefined,
    before: Route | undefined,
  ): Route | undefined {
    if (!found || found.version === before?.version) return found && before;
    return readRoute(name, found, providers);
  }

  /** What is known of a name, if it is not too old. */
  const freshOf = (key: string): Known | undefined => {
    const entry = known.get(key);
    return entry && timer() < entry.until ? entry : undefined;
  };

  /** Looks a name up in the store. @returns A promise if the store must be waited for. */
  function look(scope: Scope, name: string): Promise<void> | void {
    const key = keyOf(scope, name);
    const entry = known.get(key);
    if (freshOf(key)) return undefined;
    // On Workers a request cannot wait for what another one has asked.
    if (entry?.reading && IS_PROCESS) return entry.reading;
    const before = entry?.route;
    const note = (found: DeployedRoute | undefined, ms: number) =>
      void keep(key, { route: routeOf(name, found, before), until: timer() + ms });
    // If the store fails, a route that was read before is better than none.
    const noteFailure = () =>
      void keep(key, { route: before, until: -Infinity, isUnknown: before === undefined });
    let asked;
    try {
      asked = guard.ask("cannot read a route", () => store!.deployed(scope, name));
    } catch {
      return noteFailure();
    }
    if (!isPromise(asked)) return note(asked, 0);
    const reading = asked.then((found) => note(found, FRESH_MS)).catch(noteFailure);
    keep(key, { route: before, until: -Infinity, reading });
    return reading;
  }

  return {
    isStored: store !== undefined,
    find(name, asked) {
      const route = fixed.get(name);
      if (route || !store) return route;
      const entry = known.get(keyOf(routeScope(asked), name));
      if (!entry?.isUnknown) return entry?.route;
      throw new GatewayError(
        "overloaded",
        `Cannot find the route ${quote(name)}: the store of routes does not answer`,
        { headers: { "retry-after": "1" } },
      );
    },
    isFixed: (name) => fixed.has(name),
    unread(names, asked) {
      if (!store) return undefined;
      const scope = routeScope(asked);
      // A longer name is none of a route. It is not kept either.
      const stored = names.filter((name) => !fixed.has(name) && name.length <= MOST_OF_ROUTE.name);
      const waits = stored.map((name) => look(scope, name)).filter((wait) => wait !== undefined);
      return waits.length > 0 ? Promise.all(waits) : undefined;
    },
    fixedNames: () => [...fixed.keys()],
    async names(asked) {
      const stored = store ? await guard.ask("cannot list routes", () => store.names(routeScope(asked))) : [];
      return [...new Set([...fixed.keys(), ...stored])];
    },
    metadata(headers) {
      const text = headers.get("cf-aig-metadata");
      return text === null ? undefined : readMetadata(text, []);
    },
  };
}

/** The store as the operator uses it, who may wait longer than a request. */
export function guardedRoutes(store: RouteStore, guard: StoreGuard): RouteStore {
  const ask = <T>(work: () => Promise<T> | T) =>
    guard.ask("cannot read or change routes", work, { lateMs: OPERATOR_MS });
  return {
    get: (...of) => ask(() => store.get(...of)),
    deployed: (...of) => ask(() => store.deployed(...of)),
    names: (...of) => ask(() => store.names(...of)),
    list: (...of) => ask(() => store.list(...of)),
    save: (...of) => ask(() => store.save(...of)),
    remove: (...of) => ask(() => store.remove(...of)),
  };
}

/** The account and the gateway whose routes a request means. */
export const routeScope = ({ account = NO_ACCOUNT, gateway = "default" }: RouteScope): Scope => ({
  account: account.slice(0, 200),
  gateway: gateway.slice(0, 200),
});

/** A route as it is kept. Its providers may have changed since it was written: then it has a fault. */
export function readRoute(
  name: string,
  { version, elements }: DeployedRoute,
  providers: ReadonlyMap<string, Provider>,
): Route {
  try {
    return { name, version, graph: readGraph(JSON.parse(elements), providers) };
  } catch (error) {
    if (error instanceof SyntaxError) return { name, version, fault: "its elements are not JSON" };
    if (!(error instanceof RouteFault)) throw error;
    return { name, version, fault: error.message };
  }
}
