import { assertEquals, assertThrows } from "@std/assert";
import { memoryRoutes, sqlRoutes } from "../../../gateway/stores/routes.ts";
import { openSql } from "./opened.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { casesOf, failing, routeOf } from "./routes_suite.ts";
import { strictD1 } from "./strict_d1.ts";

const KINDS = [
  casesOf("memory", () => Promise.resolve(memoryRoutes())),
  casesOf("sqlite", async () => sqlRoutes(await openSql("sqlite::memory:"))),
  casesOf("D1", () => Promise.resolve(sqlRoutes(d1Sql(strictD1())))),
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
  await failing(store);
  isDown = false;
  assertEquals(await store.save({ account: "a", gateway: "g" }, routeOf("r1")), true);
});

Deno.test("memoryRoutes() keeps a bounded number of routes", () => {
  const store = memoryRoutes();
  for (let at = 0; at < 1000; at++) store.save({ account: "a", gateway: `${at}` }, routeOf(`r${at}`));
  const error = assertThrows(() => store.save({ account: "a", gateway: "g" }, routeOf("more")), RangeError);
  assertEquals(error.message, "there are 1000 routes in memory; use a store for more");
});
