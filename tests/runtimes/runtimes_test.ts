/** Runs the shared suite on every runtime. */
import { startFakeProvider } from "./fake_provider.ts";
import { RUNTIMES } from "./gateways.ts";
import { CASES, environment } from "./suite.ts";

for (const runtime of RUNTIMES) {
  Deno.test({
    name: `the gateway on ${runtime.name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      await using provider = await startFakeProvider();
      await using gateway = await runtime.start(environment(provider));
      for (const { name, run } of CASES) {
        await t.step(name, async () => {
          try {
            await run({ runtime, gateway: gateway.url, provider });
          } catch (error) {
            console.error(gateway.output());
            throw error;
          }
        });
      }
    },
  });
}
