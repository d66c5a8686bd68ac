/** How the served form starts, and how it refuses to. */
import { assertEquals, assertMatch, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DENO, installForBun, RUN, run, startServed, startWrangler } from "./gateways.ts";

const COMMANDS: { name: string; command: () => Promise<[string, string[]]> }[] = [
  { name: "deno run", command: () => Promise.resolve([DENO, [...RUN, "mod.ts"]]) },
  { name: "bun run", command: async () => [await installForBun(), ["run", "mod.ts"]] },
];

const BAD = [
  ["PORT", "http"],
  ["PORT", "65536"],
  ["SLUICE_GOOGLE_AI_STUDIO_BASE_URL", "ftp://example.com"],
  ["SLUICE_OPENAI_BASE_URL", "example.com/v1"],
];

for (const { name, command } of COMMANDS) {
  for (const [variable, value] of BAD) {
    Deno.test(`${name} mod.ts refuses ${variable}=${value} in one line that names it`, async () => {
      const { code, output } = await run(...await command(), { PORT: "0", [variable]: value });
      assertNotEquals(code, 0);
      assertStringIncludes(output, variable);
      assertEquals(output.trim().split("\n").length, 1, output);
    });
  }
}

Deno.test("deno run mod.ts says in one line that its address is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, output } = await run(DENO, [...RUN, "mod.ts"], { PORT: `${taken.addr.port}` });
  assertNotEquals(code, 0);
  assertMatch(output, /^Cannot listen on HOST 127\.0\.0\.1, PORT \d+: .*in use.*\n$/);
});

Deno.test("bun run mod.ts shares no port with another", async () => {
  const bun = await installForBun();
  await using gateway = await startServed(bun, ["run", "mod.ts"], {});
  const { code, output } = await run(bun, ["run", "mod.ts"], { PORT: new URL(gateway.url).port });
  assertNotEquals(code, 0);
  assertStringIncludes(output, "EADDRINUSE");
});

async function demo(url: string): Promise<string> {
  const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "hi" }] });
  const headers = { "content-type": "application/json" };
  return await (await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body })).text();
}

Deno.test("deno run mod.ts says where it listens, and nothing else while all is well", async () => {
  await using gateway = await startServed(DENO, ["run", "--allow-net", "--allow-env", "mod.ts"], {});
  for (const path of ["/", "/health"]) {
    assertEquals((await (await fetch(gateway.url + path)).text()).length > 0, true);
  }
  assertStringIncludes(await demo(gateway.url), '"hi"');
  assertMatch(gateway.output(), /^Sluice listens on http:\/\/127\.0\.0\.1:\d+\n$/);
});

for (const { name, command } of COMMANDS) {
  Deno.test(`${name} mod.ts: demo/cut breaks off in the middle of its answer, and not before`, async () => {
    await using gateway = await startServed(...await command(), {});
    for (const stream of [true, false]) {
      const body = JSON.stringify({
        model: "demo/cut",
        stream,
        messages: [{ role: "user", content: "Hello there" }],
      });
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", headers, body });
      let text = "";
      await assertRejects(async () => {
        for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) text += piece;
      });
      assertStringIncludes(text, "Hell");
      assertEquals(text.includes('finish_reason":"stop'), false);
    }
  });
}

Deno.test("HOST picks the address", async () => {
  await using gateway = await startServed(DENO, [...RUN, "mod.ts"], { HOST: "0.0.0.0" });
  assertStringIncludes(gateway.output(), "http://0.0.0.0:");
});

Deno.test("wrangler.jsonc makes a Worker of the source as it is", async () => {
  await using gateway = await startWrangler();
  assertStringIncludes(await demo(gateway.url), '"hi"');
});

for (const { name, command } of COMMANDS) {
  Deno.test(`${name} mod.ts with a stored key makes a token, prints it once, and uses the key for it alone`, async () => {
    const keys: (string | null)[] = [];
    const openai = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ headers }) => {
      keys.push(headers.get("authorization"));
      return Response.json({});
    });
    const env = {
      OPENAI_API_KEY: "sk-stored",
      SLUICE_OPENAI_BASE_URL: `http://127.0.0.1:${openai.addr.port}`,
    };
    {
      await using gateway = await startServed(...await command(), env);
      const ask = async (headers?: HeadersInit) =>
        await (await fetch(`${gateway.url}/v1/acct/gw/openai/models`, { headers })).text();
      await ask();
      const tokens = gateway.output().match(/sluice-\w+/g) ?? [];
      assertEquals(tokens.length, 1, gateway.output());
      await ask({ authorization: `Bearer ${tokens[0]}` });
      assertEquals(gateway.output().includes("sk-stored"), false);
    }
    await openai.shutdown();
    assertEquals(keys, [null, "Bearer sk-stored"]);
  });
}
