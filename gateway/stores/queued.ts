/** Lets rows wait in memory, so that no request waits for the store. */
import type { LogRow, Logs } from "./store.ts";
import { type QueueOptions, writeQueue } from "./write_queue.ts";

/** Puts a queue before a store. Reads also find the rows that still wait. */
export function queuedLogs(store: Logs, options: QueueOptions): Logs {
  const queue = writeQueue(store, options);
  return {
    add(rows, bodies = []) {
      for (const row of rows) queue.add(row, bodies.filter(({ id }) => id === row.id));
      return Promise.resolve();
    },
    get: async (scope, id) => queue.get(scope, id)?.row ?? await store.get(scope, id),
    bodies: async (scope, id) => [...queue.get(scope, id)?.bodies ?? await store.bodies(scope, id)],
    async newest(limit, after) {
      await queue.flush();
      // The rows that the store has not taken.
      const rows: LogRow[] = [];
      for (const row of queue.newest()) {
        if (row.id === after || rows.length === limit) return rows;
        rows.push(row);
      }
      if (rows.length === limit) return rows;
      return [...rows, ...await store.newest(limit - rows.length, after)];
    },
    async list(scope, query) {
      await queue.flush();
      return await store.list(scope, query);
    },
    async patch(scope, id, changes) {
      await queue.flush();
      return await store.patch(scope, id, changes);
    },
    async remove(scope, query) {
      await queue.flush();
      return await store.remove(scope, query);
    },
    async stats(query) {
      await queue.flush();
      return await store.stats(query);
    },
    async close() {
      await queue.end();
      await store.close();
    },
  };
}
