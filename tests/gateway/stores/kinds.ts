/**
 * The stores of rows that run in a process. As a program it runs their tests on other runtimes than Deno:
 *
 * `bun run tests/gateway/stores/kinds.ts`
 */
import { memoryLogs } from "../../../gateway/stores/memory.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { strictD1 } from "./strict_d1.ts";
import { casesOf, inSql, type Kind } from "./suite.ts";

export const KINDS: Kind[] = [
  {
    name: "memory",
    ages: false,
    open: (limits) => Promise.resolve(memoryLogs(limits)),
  },
  inSql("sqlite", () => openStore("sqlite::memory:")),
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
