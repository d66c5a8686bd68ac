/**
 * Holds many silent streams at once and asks another provider, on each runtime.
 *
 * `deno run --allow-all --import-map=tests/std/import_map.json bench/held.ts [2000]`
 */
import { startFakeProvider } from "../tests/runtimes/fake_provider.ts";
import { RUNTIMES } from "../tests/runtimes/gateways.ts";
import { holdStreams } from "../tests/runtimes/held_streams.ts";

const count = Number(Deno.args[0] ?? 2000);

for (const { name, start } of RUNTIMES.filter(({ name }) => /^(deno run|bun run|workerd)/.test(name))) {
  await using provider = await startFakeProvider();
  const base = `${provider.url}/openai/v1`;
  await using gateway = await start({ SLUICE_OPENAI_BASE_URL: base, SLUICE_GROQ_BASE_URL: base });
  const { open, status, ms } = await holdStreams(gateway, provider, count);
  console.log(`${name}: ${open} streams held; a further provider answers ${status} in ${ms.toFixed(0)} ms`);
  if (status !== 200 || open < count) Deno.exitCode = 1;
}
