/** Keeps the newest rows in the memory of the process. They are lost when it ends. */
import { columnOf, meets } from "./columns.ts";
import { isOf, rollups } from "./rollups.ts";
import type { LogBody, LogQuery, LogRow, Logs, Scope } from "./store.ts";

const keyOf = ({ account, gateway }: Scope, id: string) => `${account}/${gateway}/${id}`;

/** The limits of a store in memory. */
export interface MemoryLimits {
  /** The most rows of all accounts and gateways together. */
  rows: number;
  /** The most bytes of all bodies together. The oldest are removed first. */
  bodyBytes?: number;
  /** Whether the oldest rows make room for new ones. If not, a full store takes no new ones. Default true. */
  replaces?: boolean;
  /** Is called with the number of rows that a full store did not take. */
  onFull?: (rows: number) => void;
}

/** Makes a store of rows in memory. */
export function memoryLogs({ rows: most, bodyBytes = 0, replaces = true, onFull }: MemoryLimits): Logs {
  /** The rows, oldest first. */
  const kept = new Map<string, LogRow>();
  const sums = rollups();
  /** The bodies by the keys of their rows, oldest first. */
  const bodies = new Map<string, LogBody[]>();
  let heldBytes = 0;

  function dropBodies(key: string): void {
    for (const { text } of bodies.get(key) ?? []) heldBytes -= text.length;
    bodies.delete(key);
  }

  function addBodies(all: readonly LogBody[]): void {
    for (const body of all) {
      const key = keyOf(body, body.id);
      if (!kept.has(key)) continue;
      bodies.set(key, [...bodies.get(key) ?? [], body]);
      heldBytes += body.text.length;
    }
    for (const key of bodies.keys()) {
      if (heldBytes <= bodyBytes) break;
      dropBodies(key);
    }
  }

  function drop(key: string): void {
    kept.delete(key);
    dropBodies(key);
  }

  function select(scope: Scope, { filters, search, orderBy, descending }: LogQuery): LogRow[] {
    const rows = [...kept.values()].filter((row) => isOf(scope, row) && meets(row, filters, search));
    const sign = descending ? -1 : 1;
    const value = columnOf(orderBy)!;
    // Rows with equal values, e.g. of the same millisecond, stay in the order of their arrival.
    if (descending) rows.reverse();
    return rows.sort((a, b) => sign * compare(value(a), value(b)));
  }

  return {
    add(rows, bodies = []) {
      let left = 0;
      for (const row of rows) {
        sums.add(row);
        if (replaces || kept.size < most) kept.set(keyOf(row, row.id), row);
        else left++;
      }
      if (left > 0) onFull?.(left);
      for (const key of kept.keys()) {
        if (kept.size <= most) break;
        drop(key);
      }
      addBodies(bodies);
      return Promise.resolve();
    },
    get: (scope, id) => Promise.resolve(kept.get(keyOf(scope, id))),
    bodies: (scope, id) => Promise.resolve(bodies.get(keyOf(scope, id)) ?? []),
    newest(limit, after) {
      const rows: LogRow[] = [];
      for (const row of [...kept.values()].reverse()) {
        if (row.id === after || rows.length >= limit) break;
        rows.push(row);
      }
      return Promise.resolve(rows);
    },
    list(scope, query) {
      const rows = select(scope, query);
      const page = rows.slice(query.offset, query.offset + query.limit);
      return Promise.resolve({ rows: page, total: rows.length });
    },
    patch(scope, id, changes) {
      const key = keyOf(scope, id);
      const row = kept.get(key);
      if (!row) return Promise.resolve(false);
      const changed = Object.entries(changes).map(([name, value]) => [name, value ?? undefined]);
      kept.set(key, { ...row, ...Object.fromEntries(changed) });
      return Promise.resolve(true);
    },
    remove(scope, query) {
      const rows = select(scope, query).slice(query.offset, query.offset + query.limit);
      for (const row of rows) drop(keyOf(row, row.id));
      return Promise.resolve(rows.length);
    },
    stats: (query) => Promise.resolve(sums.stats(query)),
    close: () => Promise.resolve(),
  };
}

/** Compares numbers by size and anything else as text. Absent values come first. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === undefined || a === null) return -1;
  if (b === undefined || b === null) return 1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
