/** The one-line modules of docs/running.md, served as printed with an environment. */
import { assertEquals, assertMatch } from "@std/assert";
import { ROOT } from "../bundle.ts";
import { freePort } from "../free_port.ts";
import { DENO, RUN, type Running, startServed } from "./gateways.ts";

const page = await Deno.readTextFile(`${ROOT}/docs/running.md`);

/** The code in a row of the page's table. */
function printed(row: string): string {
  const [, code] = new RegExp(`^\\| ${row} \\| .*?\u0060((?:import|export) .*?)\u0060`, "m").exec(page) ??
    [];
  if (!code) throw new Error(`docs/running.md has no code in its row ${row}`);
  return code.replace(/"(?:https:\/\/…|\.)\/mod\.ts"/, JSON.stringify(`file://${ROOT}/mod.ts`));
}

/** Runs a module that listens by itself, on a free port of loopback. */
async function serve(row: string, env: Record<string, string>): Promise<Running> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, printed(row));
  const port = `${freePort()}`;
  const args = row === "Deno Deploy"
    ? ["run", "--no-prompt", "--allow-net", "--allow-env"]
    : ["serve", "--no-prompt", "--allow-net", "--allow-env", "--host", "127.0.0.1", "--port", port];
  return await startServed(DENO, [...args, path], { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`, ...env });
}

async function chat({ url }: Running, model: string, headers: Record<string, string> = {}): Promise<number> {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "x" }] });
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  await response.body?.cancel();
  return response.status;
}

for (const row of ["Deno Deploy", "\u0060deno serve\u0060"]) {
  Deno.test(`${row}: the page's module asks for the environment's tokens`, async () => {
    await using gateway = await serve(row, { SLUICE_TOKENS: "my-token", DENO_DEPLOY: "1" });
    assertEquals(await chat(gateway, "demo/echo"), 401);
    assertEquals(await chat(gateway, "demo/echo", { authorization: "Bearer other" }), 401);
    assertEquals(await chat(gateway, "demo/echo", { authorization: "Bearer my-token" }), 200);
  });

  Deno.test(`${row}: the page's module spends no stored key without a token`, async () => {
    const keys: (string | null)[] = [];
    const openai = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ headers }) => {
      keys.push(headers.get("authorization"));
      return Response.json({ choices: [] });
    });
    const env = {
      OPENAI_API_KEY: "sk-stored",
      SLUICE_OPENAI_BASE_URL: `http://127.0.0.1:${openai.addr.port}`,
    };
    {
      await using gateway = await serve(row, { ...env, DENO_DEPLOY: "1" });
      await chat(gateway, "openai/m");
      await chat(gateway, "openai/m", { authorization: "Bearer sk-own" });
      assertMatch(
        gateway.output(),
        /Warning: The stored keys \(openai\) serve nobody over HTTP: set SLUICE_TOKENS/,
      );
    }
    {
      await using gateway = await serve(row, { ...env, DENO_DEPLOY: "1", SLUICE_TOKENS: "tok" });
      await chat(gateway, "openai/m");
      await chat(gateway, "openai/m", { authorization: "Bearer tok" });
    }
    await openai.shutdown();
    assertEquals(keys.filter((key) => key !== null), ["Bearer sk-own", "Bearer sk-stored"]);
    assertEquals(keys.at(-1), "Bearer sk-stored");
  });

  Deno.test(`${row}: the page's module warns of a variable of tokens that is misspelt`, async () => {
    await using gateway = await serve(row, { SLUICE_TOKEN: "my-token", DENO_DEPLOY: "1" });
    assertEquals(await chat(gateway, "demo/echo"), 200);
    assertMatch(gateway.output(), /Warning: SLUICE_TOKEN is not read; did you mean SLUICE_TOKENS\?/);
  });

  Deno.test(`${row}: the page's module serves nobody with a variable that cannot be used`, async () => {
    await using gateway = await serve(row, { SLUICE_TOKENS: "[" });
    for (let time = 0; time < 2; time++) assertEquals(await chat(gateway, "demo/echo"), 500);
    assertMatch(gateway.output(), /Cannot use SLUICE_TOKENS: /);
  });
}

Deno.test("handler() ignores variables that its program may not read; deno serve without --allow-env serves nobody", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, printed("Deno Deploy"));
  const flags = RUN.filter((flag) => flag !== "--allow-env");
  const env = { SLUICE_TOKENS: "tok" };
  const address = { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${freePort()}` };
  await using program = await startServed(DENO, [...flags.filter((flag) => flag !== "--quiet"), path], {
    ...env,
    ...address,
  });
  assertEquals(await chat(program, "demo/echo"), 200);
  await Deno.writeTextFile(path, printed("\u0060deno serve\u0060"));
  const args = ["serve", "--no-prompt", "--allow-net", "--host", "127.0.0.1", "--port", "0", path];
  await using served = await startServed(DENO, args, env);
  assertEquals(await chat(served, "demo/echo"), 500);
});
