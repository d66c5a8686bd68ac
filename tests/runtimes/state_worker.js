// Runs the tests of stores in workerd, each with a Durable Object of its own.
import { objectSql } from "../../gateway/stores/worker_stores.ts";
import worker, { SluiceState } from "../../worker.ts";
import { casesOf, inSql } from "../gateway/stores/suite.ts";

export { SluiceState };

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/cases")) return await worker.fetch(request, env, context);
    let name = "";
    const kind = inSql("a Durable Object", () => Promise.resolve(objectSql(env.SLUICE_STATE, name)));
    const failures = [];
    const cases = casesOf(kind);
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
