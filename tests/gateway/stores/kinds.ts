/**
 * The stores of rows that run in a process. As a program it runs their tests on other runtimes than Deno:
 *
 * `bun run tests/gateway/stores/kinds.ts`
 */
import { memoryLogs } from "../../../gateway/stores/memory.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { strictD1 } from "./strict_d1.ts";
import { casesOf, inSql, type Kind } from "./suite.ts";

async function sqlite(): Promise<Sql> {
  const { sql, close } = await openStore("sqlite::memory:");
  return { ...sql!, close };
}

export const KINDS: Kind[] = [
  {
    name: "memory",
    ages: false,
    open: (limits) => Promise.resolve(memoryLogs(limits)),
  },
  inSql("sqlite", sqlite),
  inSql("D1", () => Promise.resolve(d1Sql(strictD1()))),
];

if (import.meta.main) {
  let count = 0;
  for (const [, run] of KINDS.flatMap(casesOf)) {
    await run();
    count++;
  }
  console.log(`all ${count} cases passed`);
}
