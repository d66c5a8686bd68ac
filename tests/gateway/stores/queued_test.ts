import { assertEquals } from "@std/assert";
import { memoryLogs } from "../../../gateway/stores/memory.ts";
import { queuedLogs } from "../../../gateway/stores/queued.ts";
import type { LogRow } from "../../../gateway/stores/store.ts";
import { rowOf } from "./suite.ts";

const SCOPE = { account: "acct", gateway: "gw" };
const ALL = { filters: [], orderBy: "created_at", descending: true, offset: 0, limit: 1000 };

/** A queue before a store in memory that fails as long as `failure` returns a text. */
function scene(most?: { rows: number; bytes: number }) {
  const memory = memoryLogs({ rows: 1000, bodyBytes: 10_000 });
  const lines: string[] = [];
  const losses = { rows: 0, storeErrors: 0 };
  const batches: number[] = [];
  const clock = { at: 0 };
  const state: { failure: (rows: readonly LogRow[]) => string | undefined; gate?: Promise<void> } = {
    failure: () => undefined,
  };
  const logs = queuedLogs({
    ...memory,
    async add(rows, bodies) {
      await state.gate;
      const failure = state.failure(rows);
      if (failure) throw new Error(failure);
      batches.push(rows.length);
      await memory.add(rows, bodies);
    },
  }, { timer: () => clock.at, warn: (line) => void lines.push(line), losses, most });
  const ids = async () => (await logs.list(SCOPE, ALL)).rows.map(({ id }) => id);
  const rows = (count: number, name = "r") =>
    Array.from({ length: count }, (_, at) => rowOf(`${name}${at}`, at));
  return { logs, memory, lines, losses, batches, clock, state, ids, rows };
}

Deno.test("queuedLogs() returns a row before and after the store has it", async () => {
  const { logs, memory, batches } = scene();
  await logs.add([rowOf("a")]);
  assertEquals((await logs.get(SCOPE, "a"))?.id, "a");
  assertEquals(await memory.get(SCOPE, "a"), undefined);
  assertEquals(await logs.patch(SCOPE, "a", { feedback: 1 }), true);
  assertEquals((await logs.get(SCOPE, "a"))?.feedback, 1);
  assertEquals((await memory.get(SCOPE, "a"))?.feedback, 1);
  await logs.add([rowOf("b", 1)]);
  assertEquals((await logs.newest(10)).map(({ id }) => id), ["b", "a"]);
  await logs.add([rowOf("c", 2)]);
  assertEquals(await logs.remove(SCOPE, { ...ALL, limit: 2 }), 2);
  assertEquals((await logs.stats({ grain: "day", from: 0, to: Infinity })).points[0].requests, 3);
  assertEquals(batches, [1, 1, 1]);
  await logs.close();
});

Deno.test("queuedLogs() writes at most a hundred rows at once, without waiting for a second", async () => {
  const { logs, batches, rows, ids } = scene();
  await logs.add(rows(250));
  assertEquals((await ids()).length, 250);
  assertEquals(batches, [100, 100, 50]);
  await logs.close();
});

Deno.test("queuedLogs() writes the rows that came while others were being written", async () => {
  const { logs, memory, state } = scene();
  const gate = Promise.withResolvers<void>();
  state.gate = gate.promise;
  await logs.add([rowOf("a")]);
  const read = logs.newest(10);
  await logs.add([rowOf("b", 1)]);
  gate.resolve();
  await read;
  assertEquals((await logs.get(SCOPE, "b"))?.id, "b");
  await logs.close();
  assertEquals((await memory.newest(10)).map(({ id }) => id), ["b", "a"]);
});

Deno.test("queuedLogs() keeps rows while the store fails, and tells the trouble once a minute", async () => {
  const { logs, lines, losses, clock, state, ids } = scene();
  state.failure = () => "the disk is full";
  await logs.add([rowOf("a")]);
  assertEquals((await logs.newest(10)).map(({ id }) => id), ["a"]);
  assertEquals((await logs.newest(10, "a")).length, 0);
  await logs.add([rowOf("b", 1)]);
  clock.at = 59_000;
  assertEquals((await logs.newest(1)).map(({ id }) => id), ["b"]);
  assertEquals(lines, ["Cannot store rows of requests: the disk is full; 1 wait"]);
  clock.at = 61_000;
  assertEquals((await logs.newest(10)).map(({ id }) => id), ["b", "a"]);
  assertEquals(lines.slice(1), ["Cannot store rows of requests: the disk is full; 2 wait"]);
  state.failure = () => undefined;
  assertEquals(await ids(), ["b", "a"]);
  assertEquals(lines.slice(2), ["The store takes rows of requests again"]);
  assertEquals(losses, { rows: 0, storeErrors: 4 });
  await logs.close();
});

Deno.test("queuedLogs() drops the oldest rows when too many wait, counts them, and tells it", async () => {
  for (const most of [{ rows: 3, bytes: Infinity }, { rows: Infinity, bytes: 3000 }]) {
    const { logs, lines, losses, state, ids, rows } = scene(most);
    state.failure = () => "database is locked";
    await logs.add(rows(5));
    assertEquals(losses.rows, 2);
    assertEquals((await logs.newest(10)).map(({ id }) => id), ["r4", "r3", "r2"]);
    assertEquals(lines, ["Cannot store rows of requests: database is locked; 3 wait, 2 are lost"]);
    assertEquals(await logs.get(SCOPE, "r0"), undefined);
    state.failure = () => undefined;
    assertEquals(await ids(), ["r4", "r3", "r2"]);
    await logs.close();
  }
});

Deno.test("queuedLogs() drops bodies before rows, and returns those that wait", async () => {
  const { logs, losses, state, memory, rows } = scene({ rows: 10, bytes: 5000 });
  const bodyOf = (id: string, bytes: number) => ({
    ...SCOPE,
    id,
    side: "request",
    text: "x".repeat(bytes),
    bytes,
    isCut: false,
    headers: {},
  });
  state.failure = () => "the disk is full";
  for (const row of rows(3)) await logs.add([row], [bodyOf(row.id, 600), bodyOf("another", 600)]);
  const count = async (id: string) => (await logs.bodies(SCOPE, id)).length;
  assertEquals([await count("r0"), await count("r1"), await count("r2")], [1, 1, 1]);
  await logs.add([rowOf("r3", 3)], [bodyOf("r3", 600)]);
  assertEquals([await count("r0"), await count("r1"), await count("r2"), await count("r3")], [0, 0, 0, 1]);
  assertEquals(losses.rows, 0);
  state.failure = () => undefined;
  assertEquals((await logs.newest(10)).length, 4);
  assertEquals((await memory.bodies(SCOPE, "r3")).length, 1);
  await logs.close();
});

Deno.test("queuedLogs() does not count rows as lost that are being written", async () => {
  const { logs, losses, state, ids, rows } = scene({ rows: 3, bytes: Infinity });
  const gate = Promise.withResolvers<void>();
  state.gate = gate.promise;
  await logs.add(rows(3));
  const read = logs.newest(10);
  await logs.add(rows(4, "later"));
  assertEquals(losses.rows, 4);
  gate.resolve();
  await read;
  assertEquals((await ids()).sort(), ["r0", "r1", "r2"]);
  await logs.close();
});

Deno.test("queuedLogs() loses only the row that the store does not take", async () => {
  for (const bad of ["r0", "r2", "r4"]) {
    const { logs, lines, losses, state, ids, rows } = scene();
    state.failure = (rows) => rows.some(({ id }) => id === bad) ? "the row is too big" : undefined;
    await logs.add(rows(5));
    assertEquals(await ids(), ["r4", "r3", "r2", "r1", "r0"].filter((id) => id !== bad));
    assertEquals(losses, { rows: 1, storeErrors: 1 });
    assertEquals(lines, ["The store did not take 1 row of a request, which is lost: the row is too big"]);
    await logs.close();
  }
});

Deno.test("queuedLogs() writes what waits when it is closed, and tells what is lost", async () => {
  const { logs, memory, lines, losses, state } = scene();
  await logs.add([rowOf("a")]);
  await logs.close();
  assertEquals((await memory.get(SCOPE, "a"))?.id, "a");
  await logs.add([rowOf("b")]);
  state.failure = () => "no";
  await logs.close();
  assertEquals(lines.at(-1), "1 row of a request is lost: the store did not take it before the end");
  assertEquals(losses.rows, 1);
});
