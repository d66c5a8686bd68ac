import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { memoryRoutes, sqlRoutes } from "../../../gateway/stores/routes.ts";
import { StoreError } from "../../../gateway/stores/sql.ts";
import { openSql } from "./opened.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { routeCasesOf, routeOf } from "./routes_suite.ts";
import { strictD1 } from "./strict_d1.ts";

const KINDS = [
  routeCasesOf("memory", () => Promise.resolve(memoryRoutes())),
  routeCasesOf("sqlite", async () => sqlRoutes(await openSql("sqlite::memory:"))),
  routeCasesOf("D1", () => Promise.resolve(sqlRoutes(d1Sql(strictD1())))),
];
for (const [name, run] of KINDS.flat()) Deno.test(`routes in ${name}`, run);

Deno.test("sqlRoutes() passes on the failure of its database as a StoreError, and tries its tables again", async () => {
  const working = d1Sql(strictD1());
  let isDown = true;
  const fail = () => Promise.reject(new Error("no disk"));
  const store = sqlRoutes({
    dialect: "sqlite",
    all: (text, params) => isDown ? fail() : working.all(text, params),
    batch: (statements) => isDown ? fail() : working.batch(statements),
  });
  const scope = { account: "a", gateway: "g" };
  await assertRejects(async () => await store.get(scope, "r1"), StoreError, "no disk");
  await assertRejects(async () => await store.save(scope, routeOf("r1")), StoreError, "no disk");
  isDown = false;
  assertEquals(await store.save(scope, routeOf("r1")), true);
});

Deno.test("memoryRoutes() keeps a bounded number of routes", () => {
  const store = memoryRoutes();
  for (let at = 0; at < 1000; at++) store.save({ account: "a", gateway: `${at}` }, routeOf(`r${at}`));
  const error = assertThrows(() => store.save({ account: "a", gateway: "g" }, routeOf("more")), RangeError);
  assertEquals(error.message, "there are 1000 routes in memory; use a store for more");
});
