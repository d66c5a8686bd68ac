import { assert, assertEquals, assertMatch } from "@std/assert";
import { startFakeProvider } from "./fake_provider.ts";
import { installForBun, run, RUNTIMES, startServed } from "./gateways.ts";
import { holdStreams } from "./held_streams.ts";

/** More streams than the 256 requests that Bun's `fetch` runs by default. `bench/held.ts` holds more. */
const COUNT = 600;

for (const { name, start } of RUNTIMES.filter(({ name }) => /^(deno run|bun run|workerd)/.test(name))) {
  Deno.test({
    name: `${name}: ${COUNT} silent streams keep no other provider from answering`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using provider = await startFakeProvider();
      const base = `${provider.url}/openai/v1`;
      await using gateway = await start({ SLUICE_OPENAI_BASE_URL: base, SLUICE_GROQ_BASE_URL: base });
      const { open, status } = await holdStreams(gateway, provider, COUNT);
      assertEquals(status, 200);
      assert(open >= COUNT, `${open} at once`);
    },
  });
}

Deno.test("createGateway() on Bun warns once of the limit of 256 requests, unless the limit is higher", async () => {
  const program = `
    import { createGateway } from "./mod.ts";
    createGateway();
    createGateway();
  `;
  const bun = await installForBun();
  const { output } = await run(bun, ["-e", program]);
  assertMatch(output, /^Warning: .*256.*BUN_CONFIG_MAX_HTTP_REQUESTS=65535\n$/);
  assertEquals((await run(bun, ["-e", program], { BUN_CONFIG_MAX_HTTP_REQUESTS: "1000" })).output, "");
  for (
    const [value, told] of [["abc", "256"], ["100000", "256"], [" 5000", "256"], ["0", "256"], ["40", "40"]]
  ) {
    const { output } = await run(bun, ["-e", program], { BUN_CONFIG_MAX_HTTP_REQUESTS: value });
    assertMatch(output, new RegExp(`^Warning: Bun runs at most ${told} .*=65535.*$`, "m"), value);
    assertEquals(output.includes("cannot read its present value"), told === "256", value);
  }
  const own =
    "import { createGateway } from './mod.ts'; createGateway({ fetch: () => Promise.resolve(new Response()) });";
  assertEquals((await run(bun, ["-e", own])).output, "");
});

Deno.test("bun run mod.ts starts itself again if Bun cannot read the limit of requests", async () => {
  const bun = await installForBun();
  for (const value of ["100000", "many"]) {
    await using gateway = await startServed(bun, ["run", "mod.ts"], { BUN_CONFIG_MAX_HTTP_REQUESTS: value });
    assertEquals(gateway.output().includes("Warning"), false, gateway.output());
  }
  await using gateway = await startServed(bun, ["run", "mod.ts"], { BUN_CONFIG_MAX_HTTP_REQUESTS: "40" });
  assertMatch(gateway.output(), /Warning: Bun runs at most 40 requests/);
});
