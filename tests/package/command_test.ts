/** The command `sluice` of the packed package, on Node, Deno and Bun. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../cli/version.ts";
import { ROOT } from "../bundle.ts";
import { freePort } from "../free_port.ts";
import { nodeBinary } from "../runtimes/binaries.ts";
import { startFakeProvider } from "../runtimes/fake_provider.ts";
import { type Running, startServed } from "../runtimes/gateways.ts";
import { COMMANDS, type Installed, installPackage, packageFolder, runIn, testPackage } from "./installed.ts";

const IT = await installPackage();

const QUERY = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] });

function ask({ url }: Running, headers: Record<string, string> = {}): Promise<Response> {
  const type = { "content-type": "application/json" };
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...type, ...headers },
    body: QUERY,
  });
}

type Name = keyof typeof COMMANDS;
const NAMES = Object.keys(COMMANDS) as Name[];

async function start(
  it: Installed,
  name: Name,
  flags: string[],
  env: Record<string, string> = {},
): Promise<Running> {
  const [program, ...args] = await COMMANDS[name](it);
  return await startServed(program, [...args, ...flags], env);
}

async function sluice(it: Installed, flags: string[], env: Record<string, string> = {}, name: Name = "node") {
  const [program, ...args] = await COMMANDS[name](it);
  return await runIn(it.folder, program, [...args, ...flags], env);
}

// ---------------------------------------------------------------- serving

for (const name of NAMES) {
  testPackage(
    `sluice on ${name} serves with options from flags, which win over variables`,
    IT,
    async (it) => {
      const flags = ["--port", "0", "--token", "tok-1", "--token", "tok-2", "--strict", "--log", "off"];
      await using gateway = await start(it, name, flags, { PORT: "1", SLUICE_TOKENS: "other" });
      assertMatch(gateway.output(), /^Sluice listens on http:\/\/127\.0\.0\.1:\d+\nPage: /);
      for (const [token, status] of [["tok-1", 200], ["tok-2", 200], ["other", 401]] as const) {
        const response = await ask(gateway, { "cf-aig-authorization": `Bearer ${token}` });
        await response.text();
        assertEquals(response.status, status, token);
      }
      assertEquals(gateway.output().includes('{"time"'), false, "--log off");
      assertEquals(gateway.output().includes("signal"), false, "Deno's warning about request.signal");
    },
  );

  testPackage(
    `sluice on ${name} tells a wrong use in one line with the exit code 2, a wrong value with 1`,
    IT,
    async (it) => {
      const cases: [flags: string[], code: number, due: RegExp][] = [
        [["--prt", "7"], 2, /^sluice: unknown option '--prt' \(Did you mean --port\?\)\n$/],
        [["--port"], 2, /^sluice: option '--port <value>' argument missing\n$/],
        [
          ["--token", ""],
          2,
          /^sluice: option '--token <value>' argument '' is invalid\. It must not be empty\.\n$/,
        ],
        [["chek"], 2, /^sluice: there is no command "chek"; see sluice --help\n$/],
        [["--port", "http"], 1, /^Cannot use PORT: .*must be a port from 0 to 65535\n$/],
        [
          ["--config", "missing.json"],
          1,
          /^Cannot use SLUICE_CONFIG: the file "missing\.json" cannot be read: .*\n$/,
        ],
      ];
      for (const [flags, code, due] of cases) {
        const ended = await sluice(it, flags, { PORT: "0" }, name);
        assertEquals(ended.code, code, ended.output);
        assertMatch(ended.output, due);
      }
    },
  );
}

testPackage(
  "sluice --version tells the version of deno.json, --help the commands and flags",
  IT,
  async (it) => {
    const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
    assertEquals(VERSION, version);
    assertEquals(await sluice(it, ["--version"]), { code: 0, output: `${version}\n` });
    const help = await sluice(it, ["--help"]);
    assertEquals(help.code, 0);
    for (const word of ["serve", "check", "claude", "codex", "keys", "import"]) {
      assertMatch(
        help.output,
        new RegExp(`^  ${word} `, "m"),
      );
    }
    assertMatch(help.output, /^ {2}serve \[options\] {2}/m);
    const serve = await sluice(it, ["serve", "--help"]);
    assertEquals(serve.code, 0);
    for (const flag of ["--port", "--host", "--config", "--store", "--token", "--admin-token", "--log"]) {
      assertMatch(serve.output, new RegExp(`^  ${flag} `, "m"));
    }
  },
);

testPackage("sluice on Node keeps rows in SQLite from Node 22 on, and says so on Node 20", IT, async (it) => {
  const main = `${packageFolder(it)}/cli/main.js`;
  const flags = [
    "--port",
    "0",
    "--store",
    `sqlite:${it.folder}/rows.db`,
    "--admin-token",
    "operator-0123456789",
  ];
  const old = await runIn(it.folder, await nodeBinary(20), [main, ...flags]);
  assertEquals(old.code, 1);
  assertMatch(old.output, /^Cannot use SLUICE_STORE: .*node:sqlite.*Node 22\.13[^\n]*\n$/);
  const args = ["--disable-warning=ExperimentalWarning", main, ...flags];
  {
    await using gateway = await startServed(await nodeBinary(22), args, {});
    await (await ask(gateway)).text();
    gateway.signal("SIGTERM");
    assertEquals(await gateway.ended, 0);
  }
  await using gateway = await startServed(await nodeBinary(22), args, {});
  const authorization = "Bearer operator-0123456789";
  const { rows } = await (await fetch(`${gateway.url}/sluice/api/logs`, { headers: { authorization } }))
    .json();
  assertEquals(rows.map(({ model }: { model: string }) => model), ["echo"]);
});

testPackage("sluice on Deno without permissions tells a command that works", IT, async (it) => {
  const [program] = await COMMANDS.deno(it);
  const main = `${packageFolder(it)}/cli/main.js`;
  const flags = ["--port", "0", "--log", "off"];
  const { code, output } = await runIn(it.folder, program, ["run", "--quiet", "--no-prompt", main, ...flags]);
  assertEquals(code, 1, output);
  const told = / Run: .*? run (--allow-net --allow-env) (\S+) (.*)\n$/.exec(output);
  assert(told, output);
  assertEquals(told.slice(2), [main, flags.join(" ")]);
  const args = ["run", "--quiet", "--no-prompt", ...told[1].split(" "), told[2], ...told[3].split(" ")];
  await using gateway = await startServed(program, args, {});
  assertEquals((await ask(gateway)).status, 200);
});

testPackage("sluice on Node says in one line that its address is taken", IT, async (it) => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, output } = await sluice(it, ["--port", `${taken.addr.port}`]);
  assertEquals(code, 1);
  assertMatch(output, /^Cannot listen on HOST 127\.0\.0\.1, PORT \d+: .*EADDRINUSE.*\n$/);
});

testPackage("sluice on Node sends the headers of a stream before its first event", IT, async (it) => {
  await using provider = await startFakeProvider();
  await using gateway = await start(it, "node", ["--port", "0"], {
    SLUICE_OPENAI_BASE_URL: `${provider.url}/openai/v1`,
  });
  const left = new AbortController();
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer test-key" },
    body: JSON.stringify({ ...JSON.parse(QUERY), model: "openai/quiet-headers", stream: true }),
    signal: left.signal,
  });
  assertEquals(response.status, 200);
  left.abort();
  await provider.left("quiet-headers");
});

testPackage(
  "sluice on Node hands a long upload on to a provider's own path, and waits for a slow provider",
  IT,
  async (it) => {
    const chunk = new Uint8Array(2 ** 20);
    const count = 80;
    let taken = 0;
    const provider = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ body }) => {
      for await (const { length } of body!) {
        taken += length;
        if (taken % (16 * 2 ** 20) < length) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return Response.json({});
    });
    {
      const env = { SLUICE_OPENAI_BASE_URL: `http://127.0.0.1:${provider.addr.port}` };
      await using gateway = await start(it, "node", ["--port", "0"], env);
      const body = ReadableStream.from(Array(count).fill(chunk));
      const response = await fetch(`${gateway.url}/v1/-/default/openai/files`, { method: "POST", body });
      assertEquals([response.status, await response.text()], [200, "{}"]);
    }
    await provider.shutdown();
    assertEquals(taken, count * chunk.length);
  },
);

testPackage(
  "sluice on Node ends a connection whose head never completes, and no slow body",
  IT,
  async (it) => {
    const program = `
    import http from "node:http";
    import { syncBuiltinESMExports } from "node:module";
    const { createServer } = http;
    let server;
    http.createServer = (...args) => server = createServer(...args);
    syncBuiltinESMExports();
    const { nodeHost } = await import("${packageFolder(it)}/cli/node.js");
    await nodeHost.listen({ port: 0, hostname: "127.0.0.1" }, () => Promise.resolve(new Response("ok")));
    console.log(server.headersTimeout, server.requestTimeout);
    process.exit();
  `;
    for (const major of [20, 22] as const) {
      const { output } = await runIn(it.folder, await nodeBinary(major), [
        "--input-type=module",
        "-e",
        program,
      ]);
      assertEquals(output, "60000 0\n");
    }
  },
);

testPackage("sluice on Node lifts the limits of Node's fetch", IT, async (it) => {
  // The options are in the agent's pools only, so a pool is made.
  const program = `
    const key = Symbol.for("undici.globalDispatcher.1");
    const { nodeHost } = await import("${packageFolder(it)}/cli/node.js");
    await fetch("data:,");
    const before = globalThis[key];
    const served = { port: 0, hostname: "127.0.0.1" };
    const { port } = await nodeHost.listen(served, () => Promise.resolve(new Response("ok")));
    const options = Object.getOwnPropertySymbols(globalThis[key]).map((name) => globalThis[key][name]);
    const limits = options.find((one) => one?.headersTimeout !== undefined);
    console.log(before !== globalThis[key], limits.headersTimeout, limits.bodyTimeout);
    console.log(await (await fetch("http://127.0.0.1:" + port)).text());
    process.exit();
  `;
  for (const major of [20, 22] as const) {
    const { output } = await runIn(it.folder, await nodeBinary(major), [
      "--input-type=module",
      "-e",
      program,
    ]);
    assertEquals(output, "true 0 0\nok\n");
  }
});

// ---------------------------------------------------------------- check

testPackage(
  "sluice check ticks keys that list models, explains the others, and shows no key",
  IT,
  async (it) => {
    const provider = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url, headers }) => {
      const { pathname } = new URL(url);
      const key = headers.get("authorization") ?? headers.get("x-api-key") ?? "";
      if (pathname.startsWith("/text/")) return new Response("hello");
      if (key.includes("good")) return Response.json({ data: [{ id: "a" }, { id: "b" }] });
      return Response.json({ error: { message: `Incorrect API key provided: ${key}` } }, { status: 401 });
    });
    const { port } = provider.addr;
    const env = {
      OPENAI_API_KEY: "sk-good-1, sk-bad-2",
      SLUICE_OPENAI_BASE_URL: `http://127.0.0.1:${port}`,
      ANTHROPIC_API_KEY: "sk-ant-good",
      SLUICE_ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
      GROQ_API_KEY: "gsk-good",
      SLUICE_GROQ_BASE_URL: `http://127.0.0.1:${freePort()}`,
      MISTRAL_API_KEY: "ms-good",
      SLUICE_MISTRAL_BASE_URL: `http://127.0.0.1:${port}/text`,
      AWS_BEARER_TOKEN_BEDROCK: "aws-good",
    };
    for (const name of NAMES) {
      const { code, output } = await sluice(it, ["check"], env, name);
      const lines = output.trim().split("\n").sort();
      assertEquals(code, 1, output);
      assertEquals(
        lines,
        [
          "3 of 6 keys cannot be used",
          "– aws-bedrock  it has no list of models, so the key was not tried",
          "✓ anthropic    2 models",
          "✓ openai 1     2 models",
          "✗ groq         Cannot reach groq: the connection was refused",
          "✗ mistral      its answer is not a list of models",
          "✗ openai 2     401: it refuses the key",
        ].sort(),
      );
    }
    const good = await sluice(it, ["check"], {
      ANTHROPIC_API_KEY: "good",
      SLUICE_ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    });
    assertEquals(good, { code: 0, output: "✓ anthropic  2 models\n" });
    await provider.shutdown();
    const none = await sluice(it, ["check"]);
    assertEquals(none, {
      code: 1,
      output: "No provider has a stored key: set its variable, e.g. OPENAI_API_KEY\n",
    });
  },
);

// ---------------------------------------------------------------- coding agents

/** A stand-in for an agent: a program that tells what it was started with, and asks the gateway. */
const AGENT = `#!/usr/bin/env node
const { env, argv } = process;
process.on("SIGTERM", () => process.exit(9));
const url = env.ANTHROPIC_BASE_URL ?? JSON.parse(argv.find((word) => word.includes("base_url=")).split("=")[1]).slice(0, -3);
const token = env.ANTHROPIC_AUTH_TOKEN ?? env.SLUICE_TOKEN ?? env.ANTHROPIC_API_KEY;
const ask = (token) => fetch(url + "/v1/chat/completions", {
  method: "POST",
  headers: { "content-type": "application/json", ...token && { authorization: "Bearer " + token } },
  body: ${JSON.stringify(QUERY)},
});
const names = ["ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL", "ANTHROPIC_API_KEY"];
const status = url.startsWith("http://127.0.0.1:") ? [(await ask(token)).status, (await ask()).status] : [];
console.log(JSON.stringify({ url, args: argv.slice(2), status, hasToken: argv.join().includes(token), env: names.map((name) => env[name] ?? null) }));
if (argv.includes("wait")) setInterval(() => {}, 1000);
else process.exit(argv.includes("fail") ? 7 : 0);
`;

async function withAgents(it: Installed): Promise<Record<string, string>> {
  const folder = `${it.folder}/agents`;
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["claude", "codex"]) {
    await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
    await Deno.writeTextFile(`${folder}/${name}`, AGENT);
    await Deno.chmod(`${folder}/${name}`, 0o755);
  }
  return { PATH: `${folder}:${Deno.env.get("PATH")}` };
}

for (const name of NAMES) {
  testPackage(
    `sluice claude and sluice codex on ${name} start them with a gateway of their own`,
    IT,
    async (it) => {
      const env = {
        ...await withAgents(it),
        ANTHROPIC_API_KEY: "sk-ant-own",
        SLUICE_TOKENS: "of-another-gateway",
      };
      const claude = await sluice(
        it,
        ["claude", "--model", "demo/echo", "-p", "say hello", "--print", "x"],
        env,
        name,
      );
      const told = JSON.parse(claude.output);
      assertEquals([claude.code, told.status], [0, [200, 401]], claude.output);
      assertEquals(told.args, ["-p", "say hello", "--print", "x"]);
      assertEquals(told.env, ["demo/echo", "demo/echo", null]);
      const codex = await sluice(it, ["codex", "--model", "demo/echo", "exec", "fail"], env, name);
      const seen = JSON.parse(codex.output);
      assertEquals([codex.code, seen.status, seen.hasToken], [7, [200, 401], false], codex.output);
      assertEquals(seen.args.filter((word: string) => !word.includes("base_url")), [
        "-c",
        'model_provider="sluice"',
        "-c",
        'model_providers.sluice.name="Sluice"',
        "-c",
        "-c",
        'model_providers.sluice.wire_api="responses"',
        "-c",
        'model_providers.sluice.env_key="SLUICE_TOKEN"',
        "-c",
        'model="demo/echo"',
        "exec",
        "fail",
      ]);
    },
  );
}

testPackage(
  "sluice claude uses a running gateway, with its token or with the agent's own key",
  IT,
  async (it) => {
    const agents = await withAgents(it);
    await using gateway = await start(it, "node", ["--port", "0", "--token", "tok"]);
    const withToken = await sluice(it, ["claude", "--url", `${gateway.url}/`], {
      ...agents,
      SLUICE_TOKEN: "tok",
    });
    const told = JSON.parse(withToken.output);
    assertEquals([told.url, told.status], [gateway.url, [200, 401]]);
    const env = { ...agents, SLUICE_URL: "https://sluice.example", ANTHROPIC_API_KEY: "sk-ant-own" };
    assertEquals(JSON.parse((await sluice(it, ["claude"], env)).output).env[2], "sk-ant-own");
  },
);

testPackage("sluice claude passes signals and exit codes on, and tells what is missing", IT, async (it) => {
  const agents = await withAgents(it);
  const [program, ...args] = await COMMANDS.node(it);
  await using running = await startServed(program, [...args, "claude", "wait"], {
    ...agents,
    ANTHROPIC_API_KEY: "k",
  });
  running.signal("SIGTERM");
  assertEquals(await running.ended, 9);
  const empty = await sluice(it, ["codex"], { PATH: it.folder, OPENAI_API_KEY: "k" });
  assertEquals(empty, {
    code: 127,
    output: "Cannot start codex: it is not on the PATH; install it: npm install -g @openai/codex\n",
  });
  const bad = await sluice(it, ["claude", "--url", "localhost:8787"], agents);
  assertEquals(bad, { code: 2, output: "sluice: --url must be an address such as http://127.0.0.1:8787\n" });
});

testPackage(
  "sluice claude --print and sluice codex --print print lines for a shell, without the token",
  IT,
  async (it) => {
    const agents = await withAgents(it);
    await using gateway = await start(it, "node", ["--port", "0", "--token", "tok"]);
    for (const name of ["claude", "codex"]) {
      const flags = [name, "--url", gateway.url, "--model", "demo/echo", "--print"];
      const { code, output } = await sluice(it, flags, { SLUICE_TOKEN: "tok" });
      assertEquals([code, output.includes("tok\n"), output.includes('"tok"')], [0, false, false]);
      const env = { ...agents, SLUICE_TOKEN: "tok", ANTHROPIC_API_KEY: "sk-ant-own" };
      const done = await runIn(it.folder, "sh", ["-ec", output], env);
      assertEquals(JSON.parse(done.output).status, [200, 401], output);
    }
    const usual = await sluice(it, ["claude", "--print"]);
    assertStringIncludes(usual.output, "export ANTHROPIC_BASE_URL=http://127.0.0.1:8787\n");
    assertMatch(usual.output, /\nclaude\nSet SLUICE_TOKEN to a token of that gateway [^\n]+\n$/);
  },
);

testPackage(
  "sluice import litellm writes options that sluice serves, and tells the rest apart",
  IT,
  async (it) => {
    const file = `${it.folder}/config.yaml`;
    await Deno.writeTextFile(
      file,
      `model_list:
  - { model_name: fast, litellm_params: { model: demo/echo, rpm: 7 } }
general_settings: { master_key: sk-the-master-key-1234 }
`,
    );
    for (const name of NAMES) {
      const [program, ...args] = await COMMANDS[name](it);
      const { success, stdout, stderr } = await new Deno.Command(program, {
        args: [...args, "import", "litellm", file],
        cwd: it.folder,
      }).output();
      assert(success, name);
      const told = new TextDecoder().decode(stderr);
      assertStringIncludes(told, "  SLUICE_ADMIN_TOKEN: a new token");
      assertStringIncludes(told, "  model_list[0].litellm_params.rpm: a limit of the option gateways");
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
        tokens: [{ token: "sk-the-master-key-1234", name: "master" }],
        models: { fast: "demo/echo" },
      });
      if (name !== "node") continue;
      const options = `${it.folder}/sluice.json`;
      await Deno.writeFile(options, stdout);
      await using gateway = await start(it, name, ["--port", "0", "--config", options]);
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer sk-the-master-key-1234" },
        body: JSON.stringify({ ...JSON.parse(QUERY), model: "fast" }),
      });
      assertEquals((await answer.json()).choices[0].message.content, "Hello");
    }
    const cases: [string[], number, RegExp][] = [
      [
        ["litellm", "missing.yaml"],
        1,
        /^sluice: missing\.yaml cannot be read: ENOENT: no such file or directory\n$/,
      ],
      [
        ["litellm", "package.json"],
        1,
        /^sluice: package\.json cannot be imported: it has no list model_list/,
      ],
      [["portkey", "x"], 2, /^sluice: there is no command "import portkey"; see sluice import --help\n$/],
    ];
    for (const [args, code, due] of cases) {
      const ended = await sluice(it, ["import", ...args]);
      assertEquals(ended.code, code, ended.output);
      assertMatch(ended.output, due);
    }
  },
);
