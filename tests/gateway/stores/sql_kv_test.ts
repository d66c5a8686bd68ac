/** Which values a database keeps. */
import { assertEquals } from "@std/assert";
import { sqlKv } from "../../../gateway/stores/sql_kv.ts";
import { openSql } from "./opened.ts";

/** A database, and gateways that keep values in it. */
async function scene() {
  const sql = await openSql("sqlite::memory:");
  let at = 1e12;
  const open = () => sqlKv(sql, () => at);
  const keys = async () =>
    (await sql.all("select key from sluice_values order by key")).map(({ key }) => key);
  return { open, keys, pass: (ms: number) => void (at += ms), close: () => sql.close!() };
}

const VALUE = new Uint8Array(1000);

Deno.test("a value whose time is over is removed within a minute, by the next one that is kept", async () => {
  const { open, keys, pass, close } = await scene();
  const values = open();
  await values.put("a", VALUE, 10_000);
  pass(30_000);
  await values.put("b", VALUE, 600_000);
  assertEquals([await values.get("a"), await keys()], [undefined, ["a", "b"]]);
  pass(30_000);
  await values.put("c", VALUE, 600_000);
  assertEquals(await keys(), ["b", "c"]);
  await close();
});

Deno.test("values of before the start, and those of others, count for the most bytes", async () => {
  const { open, keys, pass, close } = await scene();
  const first = open();
  for (const key of ["a", "b", "c"]) await first.put(key, VALUE, 600_000 + key.charCodeAt(0));
  const other = open();
  await other.put("d", VALUE, 700_000, 3000);
  // Those that end first have made room.
  assertEquals(await keys(), ["c", "d"]);
  await first.put("e", VALUE, 800_000);
  pass(59_999);
  await other.put("d", VALUE, 700_000, 6000);
  assertEquals(await keys(), ["c", "d", "e"]);
  pass(1);
  await other.put("f", VALUE, 900_000, 3000);
  assertEquals(await keys(), ["e", "f"]);
  await other.put("g", VALUE, 950_000, 3000);
  assertEquals(await keys(), ["f", "g"]);
  await close();
});

Deno.test("a clock that was set back does not end the removal of values", async () => {
  const { open, keys, pass, close } = await scene();
  const values = open();
  await values.put("a", VALUE, 10_000);
  pass(-3_600_000);
  await values.put("b", VALUE, 10_000);
  pass(60_000);
  await values.put("c", VALUE, 10_000);
  assertEquals(await keys(), ["a", "c"]);
  await close();
});

Deno.test("a value that is too long for all is not kept, and one that is kept anew has its new end", async () => {
  const { open, keys, pass, close } = await scene();
  const values = open();
  await values.put("a", VALUE, 10_000);
  await values.put("b", VALUE, 10_000, 1000);
  assertEquals(await keys(), ["a"]);
  await values.put("a", new Uint8Array([7]), 30_000);
  pass(20_000);
  assertEquals([...(await values.get("a"))!], [7]);
  await values.delete("a");
  assertEquals(await keys(), []);
  await close();
});
