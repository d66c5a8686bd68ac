/** Keeps values by key in a SQL database. */
import type { Kv } from "./kv.ts";
import { withTables } from "./sql_schema.ts";
import { type Sql, StoreError } from "./sql.ts";

/** The bytes that an entry takes beside its value, roughly. Without them, empty values would have no bound. */
const ENTRY_BYTES = 300;

/** How many values are removed by one statement, and how often in one call: a value may have 25 MiB. */
const REMOVED = { atOnce: 50, rounds: 5 };

/** Milliseconds between two looks for values whose time is over, and between two sums of all bytes: others write too. */
const EVERY_MS = 60_000;

/** Makes a store of values in a database. Its tables are made at the first call. @param now The time in milliseconds since 1970. */
export function sqlKv(database: Sql, now: () => number = Date.now): Kv {
  const sql = withTables(database);
  /** About the bytes of all values, since the time when they were summed up. */
  let held = 0, summedAt = -Infinity;

  async function sum(at: number): Promise<void> {
    const [{ bytes }] = await sql.all("select coalesce(sum(bytes), 0) as bytes from sluice_values");
    held = Number(bytes);
    summedAt = at;
  }

  /** Removes the values that end first: those whose time is over, and as many others as are too much. */
  async function tidy(at: number, maxBytes: number): Promise<void> {
    const isDue = at - summedAt >= EVERY_MS || at < summedAt;
    if (!isDue && held <= maxBytes) return;
    await sum(at);
    for (let round = 0; round < REMOVED.rounds; round++) {
      const found = await sql.all("select key, bytes, until from sluice_values order by until limit ?", [
        REMOVED.atOnce,
      ]);
      const removed: string[] = [];
      for (const { key, bytes, until } of found) {
        if (Number(until) > at && held <= maxBytes) break;
        removed.push(key as string);
        held -= Number(bytes);
      }
      if (removed.length === 0) return;
      const places = removed.map(() => "?").join(", ");
      await sql.all(`delete from sluice_values where key in (${places})`, removed);
    }
  }

  return {
    async get(key) {
      const [found] = await sql.all("select value from sluice_values where key = ? and until > ?", [
        key,
        now(),
      ]);
      return found && bytesOf(found.value);
    },
    async put(key, value, ttlMs, maxBytes = Infinity) {
      const bytes = value.length + 2 * key.length + ENTRY_BYTES;
      if (bytes > maxBytes || value.length > (database.maxValueBytes ?? Infinity)) return;
      const at = now();
      await sql.all(
        "insert into sluice_values (key, value, bytes, until) values (?, ?, ?, ?) on conflict (key) do update set " +
          "value = excluded.value, bytes = excluded.bytes, until = excluded.until",
        [key, value, bytes, at + ttlMs],
      );
      held += bytes;
      await tidy(at, maxBytes);
    },
    async delete(key) {
      await sql.all("delete from sluice_values where key = ?", [key]);
    },
  };
}

/** The bytes of a column, in the form of any client: D1 returns a list of numbers. */
function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer || Array.isArray(value)) {
    return new Uint8Array(value as ArrayBuffer);
  }
  throw new StoreError(new TypeError(`a column of bytes was read as ${typeof value}`));
}
