/** Runs the shared suite. */
import { startFakeProvider } from "./fake_provider.ts";
import type { Runtime } from "./gateways.ts";
import { CASES, environment } from "./suite.ts";

/** Registers the test that runs the suite on a runtime. @param why Why it is ignored, if it is. */
export function testSuite(runtime: Runtime, why?: string): void {
  Deno.test({
    name: `the gateway on ${runtime.name}${why === undefined ? "" : ` (ignored: ${why})`}`,
    ignore: why !== undefined,
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
