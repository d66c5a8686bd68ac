/** Real trouble of a real database. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sqlValue, StoreError } from "../../../gateway/stores/sql.ts";
import { sqlLogs } from "../../../gateway/stores/sql_logs.ts";
import { ask, before, completion } from "../../fakes.ts";
import { smallStore } from "./small_store.ts";
import { rowOf } from "./suite.ts";

Deno.test("a full disk delays no answer: rows wait, a line tells it, and they are stored when there is room", async () => {
  const { sql, pages, limit } = smallStore();
  const gateway = before(() => completion(), {
    store: sql,
    logs: { bodies: "all" },
    adminToken: "operator-0123456789",
  });
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  const rows = async () => {
    const headers = { authorization: "Bearer operator-0123456789" };
    const url = "http://gateway.test/sluice/api/logs?limit=1000";
    return (await (await gateway.fetch(new Request(url, { headers }))).json()).rows.length;
  };
  const send = async () => {
    const response = await gateway.fetch(ask("openai/gpt-4o", {}, { user: "x".repeat(2000) }));
    assertEquals(response.status, 200);
    await response.text();
  };
  try {
    await send();
    assertEquals(await rows(), 1);
    limit(pages() + 2);
    let sent = 1;
    for (; lines.length === 0 && sent < 200; sent++) {
      await send();
      assertEquals(await rows(), sent + 1);
    }
    assertMatch(lines[0], /^Warning: Cannot store rows of requests: .*full; 1 wait$/);
    assert(sent > 1);
    limit(100_000);
    assertEquals(await rows(), sent);
    assertEquals(lines.slice(1), ["Warning: The store takes rows of requests again"]);
    await gateway.close();
    const [{ count }] = await sql.all("select count(*) as count from sluice_logs");
    assertEquals(count, sent);
  } finally {
    console.error = error;
  }
});

Deno.test("a gateway goes on with the tables of another one, and adds to its sums", async () => {
  const { sql } = smallStore();
  for (let at = 0; at < 3; at++) {
    const gateway = before(() => completion(), { store: sql });
    await (await gateway.call(ask("openai/gpt-4o"))).text();
    await gateway.close();
  }
  const [{ count }] = await sql.all("select count(*) as count from sluice_logs");
  const [{ requests }] = await sql.all("select sum(requests) as requests from sluice_days");
  assertEquals([count, requests], [3, 3]);
});

Deno.test("a store that is full when it is opened takes no rows if it is told so", async () => {
  const { sql } = smallStore();
  const full: number[] = [];
  const limits = { rows: 2, days: 0, bodyBytes: 0, replaces: false, now: Date.now };
  for (const ids of [["a", "b"], ["c", "d"]]) {
    const logs = sqlLogs(sql, { ...limits, onFull: (rows) => void full.push(rows) });
    await logs.add(ids.map((id, at) => rowOf(id, at)));
  }
  assertEquals(full, [2]);
  assertEquals((await sql.all("select id from sluice_logs")).map(({ id }) => id), ["a", "b"]);
});

Deno.test("a failure of a database has its words, but no URL, and needs none", () => {
  const messages = [
    new Error(
      "connect ECONNREFUSED (postgres://sluice:pass%40word@db.internal:5432/x?sslmode=require) again",
    ),
    new Error(""),
    "a text",
    undefined,
  ].map((cause) => new StoreError(cause).message);
  assertEquals(messages, ["connect ECONNREFUSED (*** again", "", "a text", "undefined"]);
});

Deno.test("sqlValue() replaces what a database refuses in a text", () => {
  assertEquals(["a\0b", "half \ud83d", "\u{1f600}", undefined, null, 1.5].map(sqlValue), [
    "a\ufffdb",
    "half \ufffd",
    "\u{1f600}",
    null,
    null,
    1.5,
  ]);
});

Deno.test("keys, markup and megabytes of a prompt stay out of rows, and a clock that jumps loses none", async () => {
  const { sql } = smallStore();
  let now = Date.UTC(2026, 10, 28);
  const gateway = before(() => completion(), { store: sql, logs: { days: 0 }, now: () => now });
  const key = "sk-client-key-123456";
  for (const jump of [0, 400 * 86_400_000, -800 * 86_400_000, 400 * 86_400_000]) {
    now += jump;
    const content = `<script>alert(1)</script> ${key} ${"x".repeat(3_000_000)}`;
    const messages = [{ role: "user", content }];
    const request = ask("openai/gpt-4o", { authorization: `Bearer ${key}` }, { messages });
    await (await gateway.fetch(request)).text();
  }
  await gateway.close();
  const rows = await sql.all("select * from sluice_logs");
  const text = JSON.stringify(rows);
  assert(!text.includes(key) && !text.includes("script") && text.length < 10_000, text.slice(0, 2000));
  assertEquals(rows.length, 4);
});
