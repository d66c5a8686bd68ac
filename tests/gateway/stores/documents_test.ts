/** The stores of documents, on Deno and on Bun. `tests/runtimes/responses_test.ts` runs them in workerd. */
import { assertEquals, assertMatch } from "@std/assert";
import { installForBun, run } from "../../runtimes/gateways.ts";
import { DOCUMENT_KINDS } from "./documents_kinds.ts";
import { documentCasesOf } from "./documents_suite.ts";

for (const [title, run] of DOCUMENT_KINDS.flatMap(documentCasesOf)) Deno.test(title, run);

Deno.test("the stores of documents do the same on Bun", async () => {
  const { code, output } = await run(await installForBun(), [
    "run",
    "tests/gateway/stores/documents_kinds.ts",
  ]);
  assertMatch(output, /^all \d+ cases passed\n$/);
  assertEquals(code, 0);
});
