import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { memoryKv } from "../../../gateway/stores/memory_kv.ts";
import { configured } from "../../../gateway/serve/configured.ts";
import { d1Sql, objectSql, workerStores } from "../../../gateway/stores/worker_stores.ts";
import worker from "../../../worker.ts";
import { ask, completion, network } from "../../fakes.ts";
import { stateObjects } from "./state_objects.ts";
import { strictD1 } from "./strict_d1.ts";

Deno.test("workerStores() takes the bindings of a Worker, and refuses other things of their names", async () => {
  assertEquals(workerStores({ OTHER: "x" }), undefined);
  const { sql, counters } = workerStores({ SLUICE_D1: strictD1() })!;
  const [{ x, y }] = await sql!.all("select ? as x, ? as y", [1, null]);
  assertEquals([x, y, counters], [1, null, undefined]);
  const { namespace, asked } = stateObjects();
  const objects = workerStores({ SLUICE_STATE: namespace })!;
  assertEquals(await objects.sql!.all("select 2 as x"), [{ x: 2 }]);
  await objects.counters!.take([{ key: "rpm:team:1", amount: 1, ttlMs: 1000 }]);
  assertEquals(asked, ["logs", "counters:team"]);
  const faults: [variables: Record<string, unknown>, says: string][] = [
    [{ SLUICE_D1: "secret" }, "Cannot use SLUICE_D1: it must be a binding to a D1 database"],
    [{ SLUICE_STATE: {} }, "Cannot use SLUICE_STATE: it must be a binding to the Durable Object SluiceState"],
    [
      { SLUICE_D1: strictD1(), SLUICE_STATE: namespace },
      "Cannot use SLUICE_D1: SLUICE_STATE is a store already",
    ],
  ];
  for (const [variables, says] of faults) {
    const { message } = assertThrows(() => workerStores(variables), TypeError);
    assertStringIncludes(message, says);
    assert(!message.includes("secret"));
  }
});

Deno.test("objectSql() makes a stub for each call, because a stub belongs to one request", async () => {
  const { namespace } = stateObjects();
  let made = 0;
  const get = (id: object) => (made++, namespace.get(id));
  const sql = objectSql({ ...namespace, get });
  await sql.all("select 1");
  await sql.batch([["select 1", []]]);
  assertEquals(made, 2);
});

Deno.test("a gateway keeps rows and bodies in D1, a whole batch for each request", async () => {
  const batches: number[] = [];
  const database = strictD1();
  const sql = d1Sql({ ...database, batch: (all) => (batches.push(all.length), database.batch(all)) });
  const gateway = createGateway({
    fetch: network(() => completion()).fetch,
    store: sql,
    logs: { bodies: "all" },
  });
  const response = await gateway.call(ask("openai/gpt-4o"));
  await response.text();
  const id = response.headers.get("cf-aig-log-id")!;
  await gateway.close();
  const [{ provider }] = await sql.all("select provider from sluice_logs where id = ?", [id]);
  assertEquals(provider, "openai");
  // The row, three bodies, and its minute, hour and day.
  assertEquals(batches.includes(7), true);
});

Deno.test("on a runtime without files SLUICE_STORE is refused, with the bindings that take its place", () => {
  const message = "Cannot use SLUICE_STORE: this runtime opens no files; on Workers a store is a binding: " +
    "SLUICE_D1 or SLUICE_STATE";
  const env = (name: string) => name === "SLUICE_STORE" ? "sqlite:x.db" : undefined;
  assertThrows(() => configured(env), TypeError, message);
});

Deno.test("a Worker's binding is not taken for an unknown variable", async () => {
  const lines: unknown[] = [];
  const { error } = console;
  console.error = (line: unknown) => void lines.push(line);
  try {
    const response = await worker.fetch(new Request("https://a.example/health"), { SLUICE_D1: strictD1() });
    assertEquals(await response.json(), { status: "ok" });
  } finally {
    console.error = error;
  }
  assertEquals(lines.filter((line) => `${line}`.includes("SLUICE_D1")), []);
});

Deno.test("instances that count limits and budgets alone tell it, once, and how to count together", () => {
  const limited = JSON.stringify([{ token: "limited-token", limits: { rpm: 5 } }, "free-token"]);
  const spending = JSON.stringify([{ token: "spending-token", budgets: [{ limitUsd: 1, window: "day" }] }]);
  const told = (
    serving: Parameters<typeof configured>[1],
    tokens = limited,
    more: Record<string, string> = {},
  ) => {
    const lines: string[] = [];
    const { error } = console;
    console.error = (line: unknown) => void lines.push(`${line}`);
    try {
      configured((name) => name === "SLUICE_TOKENS" ? tokens : more[name], serving);
    } finally {
      console.error = error;
    }
    return lines.filter((line) => line.includes("by itself"));
  };
  assertEquals(told({}), [
    "Warning: Each process counts limits and budgets by itself: set SLUICE_STORE, so that they count together",
  ]);
  assertEquals([told({}, spending).length, told({}, "plain-token").length], [1, 0]);
  assertEquals(told({ alone: true }), []);
  assertEquals(told({ alone: true }, limited, { SLUICE_REUSE_PORT: "true" }).length, 1);
  assertEquals(told({ store: workerStores({ SLUICE_D1: strictD1() }) }), []);
  assertEquals(told({ store: workerStores({ SLUICE_STATE: stateObjects().namespace }) }), []);
  assertEquals(told({ store: { kv: memoryKv(1000, Date.now) } }).length, 1);
});
