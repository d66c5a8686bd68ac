/** The stores of rows, on Deno and on Bun. */
import { assertEquals, assertMatch } from "@std/assert";
import { installForBun, run } from "../../runtimes/gateways.ts";
import { KINDS } from "./kinds.ts";
import { casesOf } from "./suite.ts";

for (const kind of KINDS) for (const [name, fn] of casesOf(kind)) Deno.test(`logs in ${name}`, fn);

Deno.test("the stores of rows do the same on Bun", async () => {
  const { code, output } = await run(await installForBun(), ["run", "tests/gateway/stores/kinds.ts"]);
  assertMatch(output, /^all \d+ cases passed\n$/);
  assertEquals(code, 0);
});
