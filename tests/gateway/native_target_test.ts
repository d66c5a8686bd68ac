import { assertEquals } from "@std/assert";
import { createGateway } from "../../gateway/gateway.ts";

Deno.test("native() follows a queue URL of fal's own and sends a key nowhere else", async () => {
  const asked: { url: string; headers: Headers }[] = [];
  const gateway = createGateway({
    fetch(url, init) {
      asked.push({ url, headers: new Headers(init.headers) });
      return Promise.resolve(Response.json({}));
    },
  });
  const ask = (target: string) =>
    gateway.fetch(
      new Request("http://gateway.test/v1/acct/gw/fal/fal-ai/x", {
        method: "POST",
        headers: { authorization: "Key secret", "x-fal-target-url": target },
        body: "{}",
      }),
    );
  assertEquals((await ask("https://queue.fal.run/fal-ai/x?a=1")).status, 200);
  assertEquals(asked[0].url, "https://queue.fal.run/fal-ai/x?a=1");
  assertEquals(asked[0].headers.get("authorization"), "Key secret");
  assertEquals(asked[0].headers.get("x-fal-target-url"), null);
  assertEquals((await ask("https://evil.example/x")).status, 400);
  assertEquals(asked.length, 1);
});
