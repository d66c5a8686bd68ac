/** The start of the served form, and its errors. */
import { assertEquals, assertMatch, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ROOT } from "../bundle.ts";
import { DENO, installForBun, RUN, run, type Running, startServed, startWrangler } from "./gateways.ts";

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

Deno.test("bun run mod.ts does not share a port with another process", async () => {
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

/** Runs a shell command as in a terminal with this environment. */
async function shell(line: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line], env, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

/** The lines that were printed, by their beginnings. */
const lineOf = (output: string, begin: string) =>
  output.split("\n").find((line) => line.startsWith(begin))?.slice(begin.length).trim();

for (const { name, command } of COMMANDS) {
  Deno.test(`${name} mod.ts prints its address and a command that works, and then writes a line for each request`, async () => {
    await using gateway = await startServed(...await command(), {});
    for (const path of ["/", "/health"]) {
      assertEquals((await (await fetch(gateway.url + path)).text()).length > 0, true);
    }
    const told = () => gateway.output().split("\n").filter((line) => !line.startsWith("{")).join("\n");
    const output = told();
    assertMatch(
      output,
      /^Sluice listens on http:\/\/127\.0\.0\.1:\d+\nPage: .*\nStored keys: none.*\nToken: +none is needed\nOperator: +sluice-admin-[0-9a-f]{32} .*\nTry it: .*\n$/,
    );
    assertEquals(lineOf(output, "Page:"), `${gateway.url}/`);
    assertStringIncludes(await shell(lineOf(output, "Try it:")!), '"content":"Hello"');
    assertEquals(told(), output);
    const rows = gateway.output().split("\n").filter((line) => line.startsWith("{")).map((line) =>
      JSON.parse(line)
    );
    assertEquals(rows.map(({ level, path, status, model }) => [level, path, status, model]), [
      ["info", "/", 200, undefined],
      ["info", "/health", 200, undefined],
      ["info", "/v1/chat/completions", 200, "echo"],
    ]);
  });

  Deno.test(`${name} mod.ts prints a curl line that works where tokens are needed, and no token of the operator's`, async () => {
    for (
      const [tokens, answer] of [["secret-token", '"content":"Hello"'], [
        "secret-1,secret-2",
        '"status":"ok"',
      ]]
    ) {
      const env = { SLUICE_TOKENS: tokens, HOST: "0.0.0.0" };
      await using gateway = await startServed(...await command(), env);
      const output = gateway.output();
      assertEquals(output.includes("secret"), false);
      assertStringIncludes(output, "Sluice listens on http://0.0.0.0:");
      assertMatch(lineOf(output, "Token:")!, /each request needs one/);
      assertStringIncludes(await shell(lineOf(output, "Try it:")!, env), answer);
    }
  });

  Deno.test(`${name} mod.ts takes its options from the file SLUICE_CONFIG, and names an unknown one`, async () => {
    const path = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(path, JSON.stringify({ tokens: ["tok"], origins: ["https://app.example"] }));
    const [program, args] = await command();
    const read = program === DENO ? args.toSpliced(-1, 0, `--allow-read=${path}`) : args;
    {
      await using gateway = await startServed(program, read, { SLUICE_CONFIG: path });
      const options = {
        method: "OPTIONS",
        headers: { origin: "https://app.example", "access-control-request-method": "POST" },
      };
      const preflight = await fetch(`${gateway.url}/v1/chat/completions`, options);
      assertEquals(preflight.headers.get("access-control-allow-origin"), "https://app.example");
      assertStringIncludes(await demo(gateway.url), "needs a gateway token");
    }
    await Deno.writeTextFile(path, JSON.stringify({ tokns: ["tok"] }));
    const { code, output } = await run(program, read, { SLUICE_CONFIG: path });
    assertEquals([code, output], [
      1,
      "Cannot use SLUICE_CONFIG: tokns: it is not known; did you mean tokens?\n",
    ]);
    await Deno.remove(path);
    const missing = await run(program, read, { SLUICE_CONFIG: path });
    assertEquals(missing.code, 1);
    assertMatch(missing.output, /^Cannot use SLUICE_CONFIG: the file ".+" cannot be read: .+\n$/);
  });
}

Deno.test("deno run mod.ts prints the command with the missing permission, and that command works", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, "{}");
  const prices = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(prices, '{"openai":{"models":{"m":{"cost":{"input":1,"output":1}}}}}');
  for (
    const [flags, env] of [
      [["--allow-net", "--allow-env"], { SLUICE_CONFIG: path }],
      [["--allow-net", "--allow-env"], { SLUICE_PRICES: prices }],
      [["--allow-net", "--allow-env", `--allow-read=${path}`], {
        SLUICE_CONFIG: path,
        SLUICE_PRICES: prices,
      }],
      [["--allow-net"], {}],
      [["--allow-env"], {}],
    ] as [string[], Record<string, string>][]
  ) {
    const { code, output } = await run(DENO, ["run", "--quiet", "--no-prompt", ...flags, "mod.ts"], {
      PORT: "0",
      ...env,
    });
    const [, npx, line] = /^Requires .+\. Run: (npx -y )?deno (run .+)\n$/.exec(output) ?? [];
    assertEquals([code, line !== undefined], [1, true], output);
    assertEquals(npx !== undefined, DENO.includes("node_modules"), "a Deno of npm's may not be on the path");
    await using gateway = await startServed(DENO, line!.split(" "), env);
    assertStringIncludes(await demo(gateway.url), '"hi"');
  }
  await Deno.remove(path);
  await Deno.remove(prices);
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
    assertEquals(/^ +at /m.test(gateway.output()), false, "no stack");
    assertEquals(gateway.output().match(/"code":"upstream_broke_off"/g)?.length, 2);
  });
}

/** The status of a chat call to the demo with a hand-written request head. */
async function statusOf({ url }: Running, head: string[]): Promise<number> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "hi" }] });
  const lines = [
    "POST /v1/chat/completions HTTP/1.1",
    ...head,
    `content-length: ${body.length}`,
    "connection: close",
  ];
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${body}`));
  return Number((await new Response(connection.readable).text()).split(" ")[1]);
}

for (const { name, command } of COMMANDS) {
  Deno.test(`${name} mod.ts refuses what another site's page makes a browser send, and serves everything else`, async () => {
    const env = {
      SLUICE_TOKENS: '[{"token":"tok"}]',
      SLUICE_TOKEN_REQUIRED: "false",
      SLUICE_HOSTS: "gateway.internal",
    };
    await using gateway = await startServed(...await command(), env);
    const own = new URL(gateway.url).host;
    for (
      const [status, ...head] of [
        [200, `host: ${own}`],
        [200, "host: localhost"],
        [200, "host: gateway.internal:8787"],
        [200, `host: ${own}`, `origin: http://${own}`],
        [200, `host: ${own}`, "origin: app://obsidian.md"],
        [200, `host: ${own}`, "origin: http://localhost:3000", "content-type: application/json"],
        [200, "host: evil.example", "authorization: Bearer tok"],
        [403, "host: evil.example", "origin: https://evil.example"],
        [403, "host: evil.example", "origin: http://evil.example"],
        [403, "host: evil.example"],
        [403, `host: ${own}`, "origin: https://evil.example", "content-type: text/plain"],
        [403, `host: ${own}`, "origin: null"],
        [403, `host: ${own}`, "origin: https://evil.example", "authorization: Bearer tok"],
      ] as [number, ...string[]][]
    ) {
      assertEquals(await statusOf(gateway, head), status, head.join(", "));
    }
  });
}

Deno.test("wrangler.jsonc makes a Worker of the unchanged source", async () => {
  await using gateway = await startWrangler();
  assertStringIncludes(await demo(gateway.url), '"hi"');
});

Deno.test("wrangler.jsonc without the slashes before two lines makes a Worker that counts in Durable Objects", async () => {
  const lines = (await Deno.readTextFile(`${ROOT}/wrangler.jsonc`)).replaceAll(
    /^ *\/\/ (?="(?:durable|migr))/gm,
    "",
  );
  const tokens = JSON.stringify([{ token: "limited-token", limits: { rpm: 1 } }]);
  const vars = JSON.stringify({ SLUICE_TOKENS: tokens });
  await using gateway = await startWrangler(lines.replace(`"main"`, `"vars": ${vars}, "main"`));
  const statuses: number[] = [];
  for (let at = 0; at < 2; at++) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer limited-token" },
      body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "hi" }] }),
    });
    await response.text();
    statuses.push(response.status);
  }
  assertEquals(statuses, [200, 429]);
  assertEquals(gateway.output().includes("by itself"), false);
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
      const tokens = gateway.output().match(/sluice-(?!admin)\w+/g) ?? [];
      assertEquals(tokens.length, 1, gateway.output());
      await ask({ authorization: `Bearer ${tokens[0]}` });
      assertEquals(gateway.output().includes("sk-stored"), false);
    }
    await openai.shutdown();
    assertEquals(keys, ["Bearer sk-stored"]);
  });
}

Deno.test("bun run mod.ts hands more than 128 MiB, Bun's own limit, on to a provider's own path", async () => {
  const chunk = new Uint8Array(2 ** 20);
  const count = 130;
  let taken = 0;
  const provider = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ body }) => {
    for await (const { length } of body!) taken += length;
    return Response.json({});
  });
  {
    const env = { SLUICE_OPENAI_BASE_URL: `http://127.0.0.1:${provider.addr.port}` };
    await using gateway = await startServed(await installForBun(), ["run", "mod.ts"], env);
    const body = ReadableStream.from(Array(count).fill(chunk));
    const response = await fetch(`${gateway.url}/v1/-/default/openai/files`, { method: "POST", body });
    assertEquals([response.status, await response.text()], [200, "{}"]);
  }
  await provider.shutdown();
  assertEquals(taken, count * chunk.length);
});
