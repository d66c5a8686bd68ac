/** Several processes, or threads, that listen on one port. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../bundle.ts";
import { freePort } from "../free_port.ts";
import { DENO, installForBun, RUN, type Running, startServed } from "./gateways.ts";

const ignore = Deno.build.os !== "linux";

async function status({ url }: Running): Promise<number> {
  const response = await fetch(`${url}/health`, { headers: { connection: "close" } });
  await response.body?.cancel();
  return response.status;
}

for (const name of ["deno run", "bun run"]) {
  Deno.test({
    name:
      `${name} mod.ts with SLUICE_REUSE_PORT=true shares its port, and makes no token that another process lacks`,
    ignore,
    async fn() {
      const [program, args] = name === "deno run"
        ? [DENO, [...RUN, "--unstable-net", "mod.ts"]]
        : [await installForBun(), ["run", "mod.ts"]];
      const env = { SLUICE_REUSE_PORT: "true", PORT: `${freePort()}`, OPENAI_API_KEY: "sk-stored" };
      await using first = await startServed(program, args, env);
      const second = await startServed(program, args, env);
      assertEquals(first.url, second.url);
      for (const { output } of [first, second]) {
        assertStringIncludes(output(), "serve nobody over HTTP: set SLUICE_TOKENS");
        assert(!/sluice-[0-9a-f]{32}/.test(output()));
      }
      for (let time = 0; time < 20; time++) assertEquals(await status(first), 200);
      second.signal("SIGTERM");
      assertEquals(await second.ended, 0);
      for (let time = 0; time < 20; time++) assertEquals(await status(first), 200);
    },
  });
}

Deno.test("deno serve --parallel serves the README's module on each core", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, `export { default } from "file://${ROOT}/mod.ts";`);
  const args = [
    "serve",
    "--parallel",
    "--no-prompt",
    "--allow-net",
    "--allow-env",
    "--host",
    "127.0.0.1",
    "--port",
    `${freePort()}`,
    path,
  ];
  await using gateway = await startServed(DENO, args, { SLUICE_TOKENS: "tok" });
  for (let time = 0; time < 20; time++) {
    assertEquals(await status(gateway), 200);
    const response = await fetch(`${gateway.url}/v1/models`, { headers: { connection: "close" } });
    await response.body?.cancel();
    assertEquals(response.status, 401, "each thread asks for the token");
  }
});
