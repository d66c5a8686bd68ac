/**
 * The stores of counters and of values that run in a process. As a program it runs their tests on other runtimes than Deno:
 *
 * `bun run tests/gateway/stores/state_kinds.ts`
 */
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { memoryKv } from "../../../gateway/stores/memory_kv.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { sqlCounters } from "../../../gateway/stores/sql_counters.ts";
import { sqlKv } from "../../../gateway/stores/sql_kv.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { strictD1 } from "./strict_d1.ts";
import { stateCasesOf, type StateKind } from "./state_suite.ts";

/** The stores in a SQL database, by the clock of a test. */
const inSql = (name: string, open: () => Promise<Sql & { close?(): unknown }>): StateKind => ({
  name,
  hasClock: true,
  async open(now) {
    const sql = await open();
    const close = async () => void await sql.close?.();
    return { counters: sqlCounters(sql, now), kv: sqlKv(sql, now), close };
  },
});

export const STATE_KINDS: StateKind[] = [
  {
    name: "memory",
    hasClock: true,
    open: (now) =>
      Promise.resolve({ counters: memoryCounters(now), kv: memoryKv(1e9, now), close: () => {} }),
  },
  inSql("SQLite", async () => {
    const { sql, close } = await openStore("sqlite::memory:");
    return { ...sql!, close };
  }),
  inSql("D1", () => Promise.resolve(d1Sql(strictD1()))),
  {
    name: "the second connection of SQLite",
    hasClock: false,
    async open() {
      const { counters, kv, close } = await openStore("sqlite::memory:");
      return { counters: counters!, kv: kv!, close: () => close!() };
    },
  },
];

if (import.meta.main) {
  let count = 0;
  for (const [, run] of STATE_KINDS.flatMap(stateCasesOf)) {
    await run();
    count++;
  }
  console.log(`all ${count} cases passed`);
}
