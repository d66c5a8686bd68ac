/** Stores by URL from the packed package: with the driver they are opened, and without it one command is told. */
import { assertEquals, assertMatch } from "@std/assert";
import { startServed } from "../runtimes/gateways.ts";
import { noPostgres, noRedis, PASSWORD, startPostgres, startRedis } from "../gateway/stores/servers.ts";
import { COMMANDS, installBeside, installPackage, runIn, testPackage } from "./installed.ts";

const IT = await installPackage();

/** Without a driver each runtime has an error of its own. */
const MISSING = [
  ["postgres", "postgres", ["node", "deno", "bun"]],
  ["redis", "@redis/client", ["node"]],
] as const;

for (const [kind, driver, runtimes] of MISSING) {
  testPackage(
    `a store of ${kind} without its driver ends the start with the command that installs it`,
    IT,
    async (it) => {
      for (const name of runtimes) {
        const [program, ...args] = await COMMANDS[name](it);
        const url = `${kind}://user:${PASSWORD}@127.0.0.1:1`;
        const { code, output } = await runIn(it.folder, program, [...args, "--port", "0", "--store", url]);
        assertEquals(code, 1, `${name}: ${output}`);
        const last = output.trim().split("\n").at(-1)!;
        assertMatch(last, new RegExp(`^Cannot use SLUICE_STORE: .* Run: npm install ${driver} \\(`), name);
        assertEquals(output.includes(PASSWORD), false);
      }
    },
  );
}

const SERVERS = [
  ["postgres", startPostgres, noPostgres],
  ["redis", startRedis, noRedis],
] as const;

for (const [kind, start, missing] of SERVERS) {
  testPackage(
    `a store of ${kind} is opened on Node, Deno and Bun where its driver is installed, and they share it`,
    missing ?? IT,
    async (it) => {
      const folder = await installBeside(it);
      const server = await start();
      try {
        const tokens = JSON.stringify([{ token: "t", name: "shared", limits: { rpm: 2 } }]);
        const env = { SLUICE_TOKENS: tokens, SLUICE_STORE: server.url };
        const statuses: number[] = [];
        for (const command of Object.values(COMMANDS)) {
          const [program, ...args] = await command({ folder });
          await using gateway = await startServed(program, args, env);
          const response = await fetch(`${gateway.url}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json", authorization: "Bearer t" },
            body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
          });
          await response.text();
          statuses.push(response.status);
        }
        assertEquals(statuses, [200, 200, 429]);
      } finally {
        await server.end();
      }
    },
  );
}
