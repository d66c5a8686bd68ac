/** Bounds what a SQL store keeps: by the number of rows and by their age. */
import { atMostEvery } from "../at_most_every.ts";
import { removeRows } from "./sql_rows.ts";
import { oldSums } from "./sql_sums.ts";
import type { Sql, SqlValue } from "./sql.ts";

/** The limits of a store. */
export interface Keeping {
  /** The most rows. */
  rows: number;
  /** The days after which a row is removed. 0 for never. */
  days: number;
  /** The most bytes of all bodies together. The oldest are removed first. */
  bodyBytes: number;
  /** Whether the oldest rows make room for new ones. If not, a full store takes no new ones. */
  replaces: boolean;
  /** The time in milliseconds since 1970. */
  now: () => number;
  /** Is called with the number of rows that a full store did not take. */
  onFull: (rows: number) => void;
}

const MINUTE_MS = 60_000, DAY_MS = 86_400_000;

/** The time between two looks at the ages of rows, and between two counts: other processes may use the same database. */
const EVERY_MS = { look: MINUTE_MS, count: 10 * MINUTE_MS };

/**
 * How many rows are removed by one statement: a thousand take some milliseconds. By age, not more are removed in a minute, so
 * that a clock that is wrong for a while does not empty the store.
 */
const REMOVED_AT_ONCE = 1000;

/** How many bodies are removed by one statement. Each may have 256 KiB. */
const BODIES_AT_ONCE = 100;

/** The most statements of one call, so that no batch of new rows waits for long. */
const MOST_ROUNDS = 5;

/** Keeps a store within its limits. */
export interface Retention {
  /** How many of so many new rows the store takes. */
  roomFor(rows: number): Promise<number>;
  /** Must be called when rows and bytes of bodies were added. Removes what is too much. Never rejects: all is stored already. */
  after(added: number, bytes: number): Promise<void>;
  /** Must be called when rows were removed. */
  removed(rows: number): void;
}

/** Makes the retention of a store. */
export function retention(
  sql: Sql,
  { rows: most, days, bodyBytes, replaces, now, onFull }: Keeping,
): Retention {
  let count = 0, heldBytes = 0;
  let isFirst = true;
  const countIsDue = atMostEvery(EVERY_MS.count, now), lookIsDue = atMostEvery(EVERY_MS.look, now);

  /** Counts all rows. The count by the numbers of rows costs nothing; it is too high if rows in between were removed. */
  async function recount(): Promise<void> {
    const [{ first, last }] = await sql.all(
      "select (select min(seq) from sluice_logs) as first, (select max(seq) from sluice_logs) as last",
    );
    count = last === null ? 0 : Number(last) - Number(first) + 1;
    if (count <= most) return;
    const [{ total }] = await sql.all("select count(*) as total from sluice_logs");
    count = Number(total);
  }

  async function sumBodies(): Promise<void> {
    const [{ bytes }] = await sql.all("select coalesce(sum(bytes), 0) as bytes from sluice_bodies");
    heldBytes = Number(bytes);
  }

  /** Removes the oldest bodies while there are too many bytes of them. */
  async function tidyBodies(): Promise<void> {
    // Those of removed rows have not been subtracted.
    if (heldBytes > bodyBytes) await sumBodies();
    for (let round = 0; heldBytes > bodyBytes && round < MOST_ROUNDS; round++) {
      const found = await sql.all("select seq, bytes from sluice_bodies order by seq limit ?", [
        BODIES_AT_ONCE,
      ]);
      const removed: number[] = [];
      for (const { seq, bytes } of found) {
        if (heldBytes <= bodyBytes) break;
        removed.push(Number(seq));
        heldBytes -= Number(bytes);
      }
      if (removed.length === 0) return;
      await sql.batch([[`delete from sluice_bodies where seq in (${removed.join(", ")})`, []]]);
    }
  }

  /** Removes the first rows of a query. Returns their number. */
  async function removeFirst(where: string, order: string, params: readonly SqlValue[]): Promise<number> {
    const found = await sql.all(`select seq from sluice_logs ${where} order by ${order} limit ?`, params);
    if (found.length > 0) await sql.batch(removeRows(found.map(({ seq }) => Number(seq))));
    count -= found.length;
    return found.length;
  }

  async function tidy(): Promise<void> {
    if (countIsDue()) {
      await recount();
      await sumBodies();
    }
    await tidyBodies();
    for (let round = 0; replaces && count > most && round < MOST_ROUNDS; round++) {
      const removed = await removeFirst("", "seq", [Math.min(count - most, REMOVED_AT_ONCE)]);
      if (removed === 0) await recount();
    }
    if (!lookIsDue()) return;
    if (days > 0) {
      const before = new Date(now() - days * DAY_MS).toISOString();
      await removeFirst("where time < ?", "time", [before, REMOVED_AT_ONCE]);
    }
    await sql.batch(oldSums(now()));
  }

  return {
    async roomFor(rows) {
      if (replaces) return rows;
      if (isFirst) await recount();
      isFirst = false;
      const room = Math.max(0, Math.min(rows, most - count));
      if (room < rows) onFull(rows - room);
      return room;
    },
    async after(added, bytes) {
      count += added;
      heldBytes += bytes;
      // A failure shows at the next batch of rows, which is counted and told.
      await tidy().catch(() => {});
    },
    removed: (rows) => void (count -= rows),
  };
}
