/** The scan that `npx -y compatcanary` makes of an API that calls itself compatible with OpenAI's. */
import { assertEquals } from "@std/assert";
import { scanEndpoint } from "npm:compatcanary@0.2.2";
import { handler } from "../../mod.ts";

Deno.test("compatcanary gives the demo the full score", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  const { score, results } = await scanEndpoint({
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    model: "demo/echo",
    profile: "chat",
  });
  assertEquals(results.filter(({ status }: { status: string }) => status !== "pass"), []);
  assertEquals(score, 100);
});
