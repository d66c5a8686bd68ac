/** What each store of routes must do. It runs on Deno and on Bun (`server_kinds.ts`). */
import { liveOf, type RouteStore, type StoredRoute } from "../../../gateway/stores/routes.ts";
import { same } from "./state_suite.ts";

const SCOPE = { account: "acct", gateway: "gw" };

/** A route with one version, which is deployed. */
export const routeOf = (id: string, name = id, more: Partial<StoredRoute> = {}): StoredRoute => ({
  id,
  revision: 1,
  name,
  created: "2026-11-28T12:00:00.000Z",
  modified: "2026-11-28T12:00:00.000Z",
  versions: [{ id: `${id}-v1`, created: "2026-11-28T12:00:00.000Z", elements: `["${id}"]` }],
  deployments: [{ id: `${id}-d1`, version: `${id}-v1`, created: "2026-11-28T12:00:00.000Z" }],
  ...more,
});

/** The route with one more version, deployed. */
export const changed = (route: StoredRoute, version: string): StoredRoute => ({
  ...route,
  revision: route.revision + 1,
  versions: [...route.versions, { id: version, created: route.created, elements: `["${version}"]` }],
  deployments: [...route.deployments, { id: `d-${version}`, version, created: route.created }],
});

/** The cases of one kind of store. */
export const routeCasesOf = (
  kind: string,
  open: () => Promise<RouteStore>,
): [name: string, run: () => Promise<void>][] => [
  [
    `${kind}: a route is kept with its versions and deployments, and its live version is found by its name`,
    async () => {
      const store = await open();
      const route = routeOf("r1", "a/b Ünï-路由 '\"%");
      same(await store.save(SCOPE, route), true);
      same(await store.get(SCOPE, "r1"), route);
      same(await store.deployed(SCOPE, route.name), { version: "r1-v1", elements: '["r1"]' });
      const later = changed(route, "v2");
      same(await store.save(SCOPE, later), true);
      same(await store.get(SCOPE, "r1"), later);
      same(liveOf(later).version, "v2");
      same(await store.deployed(SCOPE, route.name), { version: "v2", elements: '["v2"]' });
    },
  ],
  [`${kind}: of two changes at once only one is saved`, async () => {
    const store = await open();
    const route = routeOf("r1");
    same(await store.save(SCOPE, route), true);
    same(await store.save(SCOPE, route), false);
    same(await store.save(SCOPE, changed(route, "first")), true);
    same(await store.save(SCOPE, changed(route, "second")), false);
    same((await store.deployed(SCOPE, "r1"))?.version, "first");
    same(await store.save(SCOPE, changed(routeOf("none"), "v2")), false);
  }],
  [`${kind}: two routes of a gateway have two names, and a name that is free again may be used`, async () => {
    const store = await open();
    same(await store.save(SCOPE, routeOf("r1", "name")), true);
    same(await store.save(SCOPE, routeOf("r2", "name")), false);
    same(await store.save(SCOPE, routeOf("r3", "other")), true);
    same(await store.save(SCOPE, { ...routeOf("r3", "name"), revision: 2 }), false);
    same(await store.save(SCOPE, { ...routeOf("r1", "new"), revision: 2 }), true);
    same(await store.save(SCOPE, { ...routeOf("r3", "name"), revision: 2 }), true);
    same(await store.names(SCOPE), ["name", "new"]);
  }],
  [
    `${kind}: one of several changes at once is saved, and one of several routes that take a name at once`,
    async () => {
      const store = await open();
      const ids = ["r1", "r2", "r3", "r4"];
      for (const id of ids) await store.save(SCOPE, routeOf(id));
      for (let round = 0; round < 5; round++) {
        const before = (await store.get(SCOPE, "r1"))!;
        const versions = ["a", "b", "c"].map((name) => `${name}${round}`);
        const saved = await Promise.all(
          versions.map((version) => store.save(SCOPE, changed(before, version))),
        );
        same(saved.filter(Boolean).length, 1);
        same(liveOf((await store.get(SCOPE, "r1"))!).version, versions[saved.indexOf(true)]);
        const renamed = ids.slice(1).map(async (id) => {
          const route = (await store.get(SCOPE, id))!;
          return await store.save(SCOPE, { ...changed(route, `${id}-${round}`), name: `name ${round}` });
        });
        same((await Promise.all(renamed)).filter(Boolean).length, 1);
        const made = [1, 2, 3].map((at) => store.save(SCOPE, routeOf(`n${round}${at}`, `new ${round}`)));
        same((await Promise.all(made)).filter(Boolean).length, 1);
      }
    },
  ],
  [`${kind}: gateways and accounts are apart`, async () => {
    const store = await open();
    const others = [{ account: "acct", gateway: "gw2" }, { account: "acct2", gateway: "gw" }];
    same(await store.save(SCOPE, routeOf("r1", "name")), true);
    for (const [at, scope] of others.entries()) {
      same(await store.get(scope, "r1"), undefined);
      same(await store.deployed(scope, "name"), undefined);
      same(await store.names(scope), []);
      same(await store.list(scope, 0, 10), []);
      same(await store.remove(scope, "r1"), false);
      same(await store.save(scope, routeOf(`other${at}`, "name")), true);
    }
    same((await store.list(SCOPE, 0, 10)).length, 1);
  }],
  [`${kind}: routes are listed in the order of their ids, page by page, and removed`, async () => {
    const store = await open();
    for (let at = 0; at < 7; at++) await store.save(SCOPE, routeOf(`r${at}`));
    const ids = async (offset: number, limit: number) =>
      (await store.list(SCOPE, offset, limit)).map(({ id }) => id);
    same(await ids(0, 3), ["r0", "r1", "r2"]);
    same(await ids(6, 3), ["r6"]);
    same(await ids(9, 3), []);
    same(await store.remove(SCOPE, "r1"), true);
    same(await store.remove(SCOPE, "r1"), false);
    same(await ids(0, 3), ["r0", "r2", "r3"]);
    same(await store.get(SCOPE, "r1"), undefined);
  }],
];
