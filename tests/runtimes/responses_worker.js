// Runs the tests of stores of documents in workerd, each with a Durable Object of its own.
import { sqlDocuments } from "../../gateway/stores/sql_documents.ts";
import { objectSql } from "../../gateway/stores/worker_stores.ts";
import worker, { SluiceState } from "../../worker.ts";
import { documentCasesOf } from "../gateway/stores/documents_suite.ts";

export { SluiceState };

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/cases") return await worker.fetch(request, env, context);
    let name = "";
    const open = (limits) => Promise.resolve(sqlDocuments(objectSql(env.SLUICE_STATE, name), limits));
    const failures = [];
    const cases = documentCasesOf({ name: "a Durable Object", open });
    for (const [title, run] of cases) {
      name = title;
      try {
        await run();
      } catch (error) {
        failures.push(`${title}: ${error.stack ?? error}`);
      }
    }
    return Response.json({ count: cases.length, failures });
  },
};
