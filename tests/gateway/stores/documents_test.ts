/** Runs what each store of documents must do. */
import { memoryDocuments } from "../../../gateway/stores/memory_documents.ts";
import { sqlDocuments } from "../../../gateway/stores/sql_documents.ts";
import { openSql } from "./opened.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { documentCasesOf, type DocumentKind } from "./documents_suite.ts";
import { strictD1 } from "./strict_d1.ts";

const KINDS: DocumentKind[] = [
  { name: "memory", open: (limits) => Promise.resolve(memoryDocuments(limits)) },
  { name: "sqlite", open: async (limits) => sqlDocuments(await openSql("sqlite::memory:"), limits) },
  { name: "D1", open: (limits) => Promise.resolve(sqlDocuments(d1Sql(strictD1()), limits)) },
];

for (const [title, run] of KINDS.flatMap(documentCasesOf)) Deno.test(title, run);
