import { assertEquals } from "@std/assert";
import { before, post, ROOT } from "../../fakes.ts";

Deno.test("native() follows a queue URL of fal's own and sends a key nowhere else", async () => {
  const { fetch, sent } = before(() => Response.json({}));
  const ask = (target: string) =>
    fetch(post(`${ROOT}/fal/fal-ai/x`, {}, { authorization: "Key secret", "x-fal-target-url": target }));
  assertEquals((await ask("https://queue.fal.run/fal-ai/x?a=1")).status, 200);
  assertEquals(sent[0].url, "https://queue.fal.run/fal-ai/x?a=1");
  assertEquals(sent[0].headers.get("authorization"), "Key secret");
  assertEquals(sent[0].headers.get("x-fal-target-url"), null);
  assertEquals((await ask("https://evil.example/x")).status, 400);
  assertEquals(sent.length, 1);
});
