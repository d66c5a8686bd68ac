/** What each store of routes must do. */
import { assertEquals, assertRejects } from "@std/assert";
import { liveOf, type RouteStore, type StoredRoute } from "../../../gateway/stores/routes.ts";

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
export const casesOf = (
  kind: string,
  open: () => Promise<RouteStore>,
): [name: string, run: () => Promise<void>][] => [
  [
    `${kind}: a route is kept with its versions and deployments, and its live version is found by its name`,
    async () => {
      const store = await open();
      const route = routeOf("r1", "a/b Ünï-路由 '\"%");
      assertEquals(await store.save(SCOPE, route), true);
      assertEquals(await store.get(SCOPE, "r1"), route);
      assertEquals(await store.deployed(SCOPE, route.name), { version: "r1-v1", elements: '["r1"]' });
      const later = changed(route, "v2");
      assertEquals(await store.save(SCOPE, later), true);
      assertEquals(await store.get(SCOPE, "r1"), later);
      assertEquals(liveOf(later).version, "v2");
      assertEquals(await store.deployed(SCOPE, route.name), { version: "v2", elements: '["v2"]' });
    },
  ],
  [`${kind}: of two changes at once only one is saved`, async () => {
    const store = await open();
    const route = routeOf("r1");
    assertEquals(await store.save(SCOPE, route), true);
    assertEquals(await store.save(SCOPE, route), false);
    assertEquals(await store.save(SCOPE, changed(route, "first")), true);
    assertEquals(await store.save(SCOPE, changed(route, "second")), false);
    assertEquals((await store.deployed(SCOPE, "r1"))?.version, "first");
    assertEquals(await store.save(SCOPE, changed(routeOf("none"), "v2")), false);
  }],
  [`${kind}: two routes of a gateway have two names, and a name that is free again may be used`, async () => {
    const store = await open();
    assertEquals(await store.save(SCOPE, routeOf("r1", "name")), true);
    assertEquals(await store.save(SCOPE, routeOf("r2", "name")), false);
    assertEquals(await store.save(SCOPE, routeOf("r3", "other")), true);
    assertEquals(await store.save(SCOPE, { ...routeOf("r3", "name"), revision: 2 }), false);
    assertEquals(await store.save(SCOPE, { ...routeOf("r1", "new"), revision: 2 }), true);
    assertEquals(await store.save(SCOPE, { ...routeOf("r3", "name"), revision: 2 }), true);
    assertEquals(await store.names(SCOPE), ["name", "new"]);
  }],
  [`${kind}: gateways and accounts are apart`, async () => {
    const store = await open();
    const others = [{ account: "acct", gateway: "gw2" }, { account: "acct2", gateway: "gw" }];
    assertEquals(await store.save(SCOPE, routeOf("r1", "name")), true);
    for (const [at, scope] of others.entries()) {
      assertEquals(await store.get(scope, "r1"), undefined);
      assertEquals(await store.deployed(scope, "name"), undefined);
      assertEquals(await store.names(scope), []);
      assertEquals(await store.list(scope, 0, 10), []);
      assertEquals(await store.remove(scope, "r1"), false);
      assertEquals(await store.save(scope, routeOf(`other${at}`, "name")), true);
    }
    assertEquals((await store.list(SCOPE, 0, 10)).length, 1);
  }],
  [`${kind}: routes are listed in the order of their ids, page by page, and removed`, async () => {
    const store = await open();
    for (let at = 0; at < 7; at++) await store.save(SCOPE, routeOf(`r${at}`));
    const ids = async (offset: number, limit: number) =>
      (await store.list(SCOPE, offset, limit)).map(({ id }) => id);
    assertEquals(await ids(0, 3), ["r0", "r1", "r2"]);
    assertEquals(await ids(6, 3), ["r6"]);
    assertEquals(await ids(9, 3), []);
    assertEquals(await store.remove(SCOPE, "r1"), true);
    assertEquals(await store.remove(SCOPE, "r1"), false);
    assertEquals(await ids(0, 3), ["r0", "r2", "r3"]);
    assertEquals(await store.get(SCOPE, "r1"), undefined);
  }],
];

/** What a store in a database must do when the database fails. */
export async function failing(store: RouteStore): Promise<void> {
  await assertRejects(async () => await store.get(SCOPE, "r1"), Error, "no disk");
  await assertRejects(async () => await store.save(SCOPE, routeOf("r1")), Error, "no disk");
}
