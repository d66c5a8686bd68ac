/** Keeps routes that are made, changed and removed while the gateway runs. */
import { withTables } from "./sql_schema.ts";
import { type Sql, type SqlValue, sqlValue } from "./sql.ts";
import type { Scope } from "./store.ts";

/** A version of a route. It never changes. */
export interface RouteVersion {
  id: string;
  /** When it was made, as a date in UTC. */
  created: string;
  /** Its elements, as JSON. */
  elements: string;
}

/** A deployment: from then on its version led requests. */
export interface RouteDeployment {
  id: string;
  version: string;
  created: string;
}

/** A route with its history. */
export interface StoredRoute {
  id: string;
  /** 1 for a new route. Each change adds 1, so that of two changes at once only one is saved. */
  revision: number;
  /** Unlike that of any other route of its gateway. */
  name: string;
  created: string;
  modified: string;
  /** The oldest first. There is one at least. */
  versions: readonly RouteVersion[];
  /** The oldest first. The version of the last one leads requests. */
  deployments: readonly RouteDeployment[];
}

/** The version of a route that leads requests. */
export interface DeployedRoute {
  version: string;
  elements: string;
}

type Soon<T> = Promise<T> | T;

/** The routes of all gateways. A store that is shared by several machines answers with a promise, which rejects with a StoreError. */
export interface RouteStore {
  get(scope: Scope, id: string): Soon<StoredRoute | undefined>;
  /** The version that is deployed under a name. */
  deployed(scope: Scope, name: string): Soon<DeployedRoute | undefined>;
  /** The names of all routes of a gateway, in order. */
  names(scope: Scope): Soon<string[]>;
  /** A part of the routes of a gateway, the oldest first. */
  list(scope: Scope, offset: number, limit: number): Soon<StoredRoute[]>;
  /**
   * Saves a new route, or a change of one.
   *
   * @returns Whether it was saved: not if the route was changed or removed in the meantime, or if another one has its name.
   */
  save(scope: Scope, route: StoredRoute): Soon<boolean>;
  /** Removes a route, and tells whether there was one. */
  remove(scope: Scope, id: string): Soon<boolean>;
}

/** The deployment that leads requests. */
export const liveOf = ({ deployments }: StoredRoute): RouteDeployment => deployments.at(-1)!;

function deployedOf(route: StoredRoute): DeployedRoute {
  const { version } = liveOf(route);
  return { version, elements: route.versions.find(({ id }) => id === version)!.elements };
}

// ---------------------------------------------------------------- memory

/** The most routes in memory, of all gateways. */
const MOST_IN_MEMORY = 1000;

/** Routes in the memory of this process, which end with it. */
export function memoryRoutes(): RouteStore {
  const kept = new Map<string, { scope: string; route: StoredRoute }>();
  const scopeOf = ({ account, gateway }: Scope) => JSON.stringify([account, gateway]);
  const all = (scope: Scope) =>
    [...kept.values()].filter((one) => one.scope === scopeOf(scope)).map(({ route }) => route);
  const get = (scope: Scope, id: string) => all(scope).find((route) => route.id === id);
  return {
    get,
    deployed(scope, name) {
      const route = all(scope).find((route) => route.name === name);
      return route && deployedOf(route);
    },
    names: (scope) => all(scope).map(({ name }) => name).sort(),
    list: (scope, offset, limit) => all(scope).slice(offset, offset + limit),
    save(scope, route) {
      const { id, name, revision } = route;
      if ((get(scope, id)?.revision ?? 0) !== revision - 1) return false;
      if (all(scope).some((other) => other.name === name && other.id !== id)) return false;
      if (!kept.has(id) && kept.size >= MOST_IN_MEMORY) {
        throw new RangeError(`there are ${MOST_IN_MEMORY} routes in memory; use a store for more`);
      }
      kept.set(id, { scope: scopeOf(scope), route });
      return true;
    },
    remove: (scope, id) => get(scope, id) !== undefined && kept.delete(id),
  };
}

// ---------------------------------------------------------------- SQL

/** Routes in a SQL database. Its tables are made at the first call. */
export function sqlRoutes(database: Sql): RouteStore {
  const sql = withTables(database);

  async function all(text: string, { account, gateway }: Scope, ...params: SqlValue[]) {
    return await sql.all(text, [sqlValue(account), sqlValue(gateway), ...params]);
  }

  const OF = "from sluice_routes where account = ? and gateway = ?";
  return {
    async get(scope, id) {
      const [record] = await all(`select * ${OF} and id = ?`, scope, sqlValue(id));
      return record && routeOf(record);
    },
    async deployed(scope, name) {
      const [record] = await all(`select version, elements ${OF} and name = ?`, scope, sqlValue(name));
      return record && { version: `${record.version}`, elements: `${record.elements}` };
    },
    names: async (scope) =>
      (await all(`select name ${OF} order by name`, scope)).map(({ name }) => `${name}`),
    list: async (scope, offset, limit) =>
      (await all(`select * ${OF} order by id limit ? offset ?`, scope, limit, offset)).map(routeOf),
    async save(scope, route) {
      const { id, name, revision, ...rest } = route;
      const { version, elements } = deployedOf(route);
      const values = [revision, sqlValue(name), version, sqlValue(elements), sqlValue(JSON.stringify(rest))];
      if (revision === 1) {
        const insert =
          "insert into sluice_routes (account, gateway, id, revision, name, version, elements, more) " +
          "values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing returning id";
        return (await all(insert, scope, id, ...values)).length > 0;
      }
      const taken = "select 1 from sluice_routes as other where other.account = sluice_routes.account " +
        "and other.gateway = sluice_routes.gateway and other.name = ? and other.id <> ?";
      const update =
        "update sluice_routes set account = ?, gateway = ?, revision = ?, name = ?, version = ?, " +
        "elements = ?, more = ? where account = ? and gateway = ? and id = ? and revision = ? " +
        `and not exists (${taken}) returning id`;
      const where = [sqlValue(scope.account), sqlValue(scope.gateway), id, revision - 1, sqlValue(name), id];
      try {
        return (await all(update, scope, ...values, ...where)).length > 0;
      } catch (cause) {
        // PostgreSQL refuses the second of two changes that take a name at once: neither has seen the other.
        const [other] = await all(`select id ${OF} and name = ?`, scope, sqlValue(name));
        if (other && other.id !== id) return false;
        throw cause;
      }
    },
    remove: async (scope, id) =>
      (await all(`delete ${OF} and id = ? returning id`, scope, sqlValue(id))).length > 0,
  };
}

function routeOf({ id, revision, name, more }: Record<string, unknown>): StoredRoute {
  return { id: `${id}`, revision: Number(revision), name: `${name}`, ...JSON.parse(`${more}`) };
}
