/** The answers that refuse a stored key, so that the next key is used. */
import { assertEquals } from "@std/assert";
import { ask, before, clock, completion, refusal } from "../../fakes.ts";

Deno.test("a stored key rests after 401 and 429, and after no other failure", async () => {
  const resting = [401, 429];
  for (const status of [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529]) {
    const { fetch, sent } = before((_, at) => at === 0 ? refusal(status) : completion(), {
      ...clock().options,
      keys: { openai: ["a", "b"] },
      tokens: ["t"],
    });
    for (let time = 0; time < 3; time++) {
      await (await fetch(ask("openai/m", { "cf-aig-authorization": "t" }))).body?.cancel();
    }
    const keys = sent.map(({ headers }) => headers.get("authorization")!.slice(-1)).join("");
    assertEquals(keys, resting.includes(status) ? "abb" : "aba", `${status}`);
  }
});
