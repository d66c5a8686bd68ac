/**
 * The stores of documents that run in a process. As a program it runs their tests on other runtimes than Deno:
 *
 * `bun run tests/gateway/stores/documents_kinds.ts`
 */
import { memoryDocuments } from "../../../gateway/stores/memory_documents.ts";
import { sqlDocuments } from "../../../gateway/stores/sql_documents.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { documentCasesOf, type DocumentKind } from "./documents_suite.ts";
import { openSql } from "./opened.ts";
import { strictD1 } from "./strict_d1.ts";

export const DOCUMENT_KINDS: DocumentKind[] = [
  { name: "memory", open: (limits) => Promise.resolve(memoryDocuments(limits)) },
  {
    name: "sqlite",
    async open(limits) {
      const sql = await openSql("sqlite::memory:");
      return { ...sqlDocuments(sql, limits), close: () => sql.close?.() };
    },
  },
  { name: "D1", open: (limits) => Promise.resolve(sqlDocuments(d1Sql(strictD1()), limits)) },
];

if (import.meta.main) {
  let count = 0;
  for (const [, run] of DOCUMENT_KINDS.flatMap(documentCasesOf)) {
    await run();
    count++;
  }
  console.log(`all ${count} cases passed`);
}
