/**
 * Every snippet of the README and of `docs` runs as printed, on its runtime. Only addresses are changed: that of the gateway
 * to one on a free port, and those of modules to the files here.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parser as promql } from "npm:@prometheus-io/lezer-promql@0.315.0";
import { parse as parseYaml } from "npm:yaml@2.8.1";
import { LIMITS } from "../../gateway/setup/limits.ts";
import { createGateway } from "../../mod.ts";
import { bundle, ROOT } from "../bundle.ts";
import { installPackage } from "../package/installed.ts";
import { startCollector } from "../collector.ts";
import { before, message } from "../fakes.ts";
import { readPages } from "../pages.ts";
import { freePort } from "../free_port.ts";
import { nodeBinary } from "./binaries.ts";
import { type FakeProvider, OPENAI_STREAM, startFakeProvider, TEXT } from "./fake_provider.ts";
import {
  DENO,
  environmentBindings,
  type Running,
  serveWorkerd,
  startServed,
  STATE,
  workerConfig,
} from "./gateways.ts";
import { environment } from "./suite.ts";

const PAGES = await readPages();
const SNIPPETS = PAGES.flatMap(({ page, text }) =>
  [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, code]) => ({ page, language, text: code }))
);
const claimed = new Set<unknown>();

/** The first snippet of a language that holds a text and was not taken before. @param page The page that has it. */
function snippet(language: string, holds: string, page?: string): string {
  const found = SNIPPETS.find((one) =>
    one.language === language && one.text.includes(holds) && !claimed.has(one) &&
    (page === undefined || one.page === page)
  );
  assert(found, `the pages have no ${language} snippet with ${holds}`);
  claimed.add(found);
  return found.text;
}

/** A folder that git ignores, apart from the project's own packages. */
const FOLDER = `${ROOT}/dist/readme`;
const ADDRESS = "http://127.0.0.1:8787";

interface Done {
  code: number;
  out: string;
  err: string;
}

async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  cwd = ROOT,
): Promise<Done> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env, cwd }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const shell = (text: string, env: Record<string, string> = {}) => run("sh", ["-ec", text], env);

/** Runs a command of the README. Its `npx deno` is replaced by the Deno that runs the tests. */
function start(line: string, env: Record<string, string> = {}): Promise<Running> {
  assertStringIncludes(line, "npx -y deno run ");
  return startServed("sh", ["-c", line.replace("npx -y deno run", `exec ${DENO} run --no-prompt`)], env);
}

/** A gateway, started as in the README, in front of a fake provider. */
async function served(
  use: (url: string, provider: FakeProvider) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  await using provider = await startFakeProvider();
  await using gateway = await start("npx -y deno run --allow-net --allow-env mod.ts", {
    ...environment(provider),
    ...env,
  });
  await use(gateway.url, provider);
}

/** Prints that the rest of a test is skipped, and what this machine lacks. */
async function ignored(t: Deno.TestContext, reason: string): Promise<void> {
  await t.step({ name: `ignored: ${reason}`, ignore: true, fn() {} });
}

function test(name: string, fn: (t: Deno.TestContext) => Promise<void> | void): void {
  Deno.test({ name: `README: ${name}`, sanitizeOps: false, sanitizeResources: false, fn });
}

// ---------------------------------------------------------------- the start, and curl

const START = snippet("sh", "npx -y deno run --allow-net --allow-env mod.ts   #");
const FIRST_CURL = snippet("sh", `"model": "demo/echo", "messages"`);
const FIRST_ANSWER = snippet("json", `"object":"chat.completion"`);

const COMMAND = snippet("sh", "sluice.tgz && sluice");
/** What the page for newcomers lets them type, in its order. */
const [STEP_INSTALL, STEP_SERVE, STEP_CURL, STEP_STORED, STEP_ASK, STEP_KEEP] = [
  "install -g",
  "sluice\n",
  "demo/echo",
  "SLUICE_TOKENS=my-token",
  "Bearer my-token",
  "sluice --store",
].map((holds) => snippet("sh", holds, "docs/start.md"));
const INSTALL = snippet("sh", "sluice check");
const AGENTS = snippet("sh", "sluice claude --model");
const KEYS = snippet("sh", "sluice keys make");
const CHECKED = snippet("text", "✓ anthropic");
const LITELLM = snippet("yaml", "model_list:");
const IMPORT = snippet("sh", "sluice import litellm");

test("the first lines serve the gateway, and the first curl gets the answer that is shown", async () => {
  const [serve, tests] = START.split("\n");
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert(tasks[/deno task (\w+)/.exec(tests)![1]]);
  await using gateway = await start(serve);
  const { out, code } = await shell(FIRST_CURL.replace(ADDRESS, gateway.url));
  assertEquals(code, 0);
  assertMatch(out.trim(), patternOf(FIRST_ANSWER));
});

test("the next line packs, installs and starts the command, and its page's lines check keys and start agents", async (t) => {
  const install = COMMAND.trim();
  if (typeof await installPackage() === "string") return await ignored(t, "npm has no network");
  const folder = await Deno.makeTempDir();
  const here = (text: string) =>
    text.replace("npx -y deno task", `${DENO} task`).replace(
      "npm install -g",
      `npm install -g --prefix ${folder}`,
    );
  const path = `${folder}/bin:${folder}:${Deno.env.get("PATH")}`;
  const [made, served] = install.split(/ && (?=sluice)/);
  const packed = await shell(here(made));
  assertEquals(packed.code, 0, packed.err);
  {
    await using gateway = await startServed("sh", ["-c", `exec ${served}`], { PATH: path });
    const { out } = await shell(FIRST_CURL.replace(ADDRESS, gateway.url));
    assertMatch(out.trim(), patternOf(FIRST_ANSWER));
  }
  assertEquals(STEP_INSTALL.trim(), made);
  {
    // The page's lines one after another: each `sluice` serves until the next one.
    await using gateway = await startServed("sh", ["-c", `exec ${STEP_SERVE}`], { PATH: path });
    const { out } = await shell(STEP_CURL.replace(ADDRESS, gateway.url));
    assertMatch(out.trim(), patternOf(FIRST_ANSWER));
  }
  {
    await using provider = await startFakeProvider();
    const env = { PATH: path, ...environment(provider) };
    const [settings, check, serve] = STEP_STORED.trim().split("\n");
    assertEquals([check, serve], ["sluice check", "sluice"]);
    await using gateway = await startServed("sh", ["-c", `${settings}\nexec ${serve}`], env);
    const { out } = await shell(STEP_ASK.replace(ADDRESS, gateway.url).replace("gpt-6-luna", "plain-start"));
    assertEquals(JSON.parse(out).choices[0].message.content, TEXT);
    assertEquals((await provider.arrived("plain-start")).headers.authorization, "Bearer sk-KEY");
  }
  {
    const line = `cd ${folder} && exec ${
      STEP_KEEP.replace("sluice", await nodeBinary(22) + ` ${folder}/bin/sluice`)
    }`;
    await using _gateway = await startServed("sh", ["-c", line], { PATH: path });
    assert((await Deno.stat(`${folder}/sluice.db`)).isFile);
  }
  const [, check] = INSTALL.trim().split("\n");
  assertEquals(INSTALL.split("\n")[0], made);
  await using provider = await startFakeProvider();
  const env = { PATH: path, GROQ_API_KEY: "k", ...environment(provider) };
  const groq = CHECKED.split("\n").find((line) => line.includes("Cannot reach"))!.replaceAll(/ +/g, " ");
  assertEquals((await shell(check, env)).out.trim().replaceAll(/ +/g, " "), groq);
  for (const name of ["claude", "codex"]) {
    await Deno.writeTextFile(`${folder}/${name}`, '#!/bin/sh\necho "$ANTHROPIC_MODEL" "$@"\n', {
      mode: 0o755,
    });
  }
  const [claude, codex] = (await shell(AGENTS, env)).out.trim().split("\n");
  assertEquals(claude.trim(), "openai/gpt-6-luna");
  assertMatch(
    codex,
    /model_provider="sluice" .*model="anthropic\/claude-sonnet-5-5" exec Explain this folder$/,
  );
  {
    const operator = { SLUICE_ADMIN_TOKEN: "operator-0123456789" };
    await using gateway = await startServed("sh", ["-c", `exec ${served}`], { PATH: path, ...operator });
    const run = await shell(`${KEYS}\necho "made $KEY"`, {
      PATH: path,
      ...operator,
      SLUICE_URL: gateway.url,
    });
    assertEquals(run.code, 0, run.err);
    assertMatch(run.out, /^k_\w+ +team-a .*\nsl-\S+\nk_\w+ is revoked.*\nmade sl-\S+\n$/);
  }
  {
    await Deno.writeTextFile(`${folder}/config.yaml`, LITELLM);
    const [imported, served] = IMPORT.trim().split("\n");
    const own = { PATH: path, LITELLM_MASTER_KEY: "master-1" };
    const told = await shell(`cd ${folder} && ${imported}`, own);
    assertEquals(told.code, 0, told.err);
    assertStringIncludes(told.err, "SLUICE_TOKENS: the value of LITELLM_MASTER_KEY");
    await using gateway = await startServed("sh", ["-c", `cd ${folder} && exec env ${served}`], own);
    const models = await fetch(`${gateway.url}/v1/models/fast`, {
      headers: { authorization: "Bearer master-1" },
    });
    assertEquals((await models.json()).id, "fast");
  }
  await Deno.remove(folder, { recursive: true });
});

/** The pattern of an answer as it is shown, where `…` stands for any text. */
function patternOf(shown: string): RegExp {
  const parts = shown.trim().split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}

const CLAUDE_CURL = snippet("sh", "$ANTHROPIC_API_KEY");

test("curl gets a stream of Claude's with the provider's key", () =>
  served(async (url, provider) => {
    const { out } = await shell(CLAUDE_CURL.replace(ADDRESS, url), { ANTHROPIC_API_KEY: "sk-ant-1" });
    assertMatch(out, /data: \[DONE\]\n\n$/);
    const { headers } = await provider.arrived("claude-sonnet-5-5");
    assertEquals(headers["x-api-key"], "sk-ant-1");
  }));

const FALLBACK_CURL = snippet("sh", "demo/status-503");

test("curl sees the fallback answer", () =>
  served(async (url) => {
    const { out } = await shell(FALLBACK_CURL.replace(ADDRESS, url));
    assertMatch(out, /^HTTP\/1\.1 200/);
    assertMatch(out, /^cf-aig-step: 1\r?$/m);
    assertMatch(out, /^cf-aig-model: echo\r?$/m);
  }));

const CACHE_CURL = snippet("sh", "cf-aig-cache-key: greeting");

test("curl gets the same answer again from the cache", () =>
  served(async (url) => {
    const ask = async () => (await shell(CACHE_CURL.replace(ADDRESS, url))).out.split("\r\n\r\n");
    const [first, body] = await ask();
    assertMatch(first, /^cf-aig-cache-status: MISS\r?$/m);
    const [second, again] = await ask();
    assertMatch(second, /^cf-aig-cache-status: HIT\r?$/m);
    assertMatch(second, /^age: \d+\r?$/m);
    assertEquals(again, body);
  }));

const EXPLAIN_CURL = snippet("sh", "sluice-explain: true");
const EXPLANATION = snippet("json", `"object":"sluice.explanation"`);

test("curl sees what would be sent, as shown", () =>
  served(async (url, provider) => {
    const { out } = await shell(EXPLAIN_CURL.replace(ADDRESS, url));
    assertMatch(
      out.trim(),
      patternOf(EXPLANATION.replace("https://api.anthropic.com", `${provider.url}/anthropic`)),
    );
  }));

// ---------------------------------------------------------------- clients

const CLIENTS = [
  snippet("ts", `from "openai"`),
  snippet("ts", "createOpenAICompatible"),
  snippet("ts", "ChatOpenAI"),
];

/** The npm packages of the snippets. On Deno an import map provides them. */
const PACKAGES = {
  "openai": "7.57.0",
  "@ai-sdk/openai-compatible": "3.0.92",
  "ai": "7.0.173",
  "@langchain/openai": "1.6.0",
  "@langchain/core": "1.4.0",
  "ai-gateway-provider": "4.0.1",
  "@ai-sdk/anthropic": "4.0.105",
  "@ai-sdk/openai": "4.0.118",
  "@anthropic-ai/sdk": "1.14.0",
  "cloudflare": "7.3.0",
};

let installing: Promise<string | undefined> | undefined;

/** Installs the packages for Node. Returns the reason if that is not possible. */
const installForNode = () =>
  installing ??= (async () => {
    const node = await run("node", ["--version"]).catch(() => undefined);
    if (!node || Number(/^v(\d+)/.exec(node.out)?.[1]) < 20) return "no Node 20 or later";
    await Deno.mkdir(FOLDER, { recursive: true });
    const wanted = JSON.stringify({ private: true, type: "module", dependencies: PACKAGES });
    const installed = await Deno.readTextFile(`${FOLDER}/installed.json`).catch(() => "");
    if (installed === wanted) return undefined;
    await Deno.writeTextFile(`${FOLDER}/package.json`, wanted);
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"];
    const { code, err } = await run("npm", args, {}, FOLDER);
    if (code !== 0) return `npm cannot install the packages: ${err.slice(0, 200)}`;
    await Deno.writeTextFile(`${FOLDER}/installed.json`, wanted);
    return undefined;
  })();

let programs = 0;

/** Runs a program on Node, from a file beside the packages. */
async function onNode(program: string): Promise<Done> {
  const path = `${FOLDER}/program_${++programs}.mjs`;
  await Deno.writeTextFile(path, program);
  return await run("node", [path], {}, FOLDER);
}

/** Runs a program on Deno, with a check of its types. */
async function onDeno(program: string, env: Record<string, string> = {}): Promise<Done> {
  const folder = await Deno.makeTempDir();
  const imports = Object.fromEntries(
    Object.entries(PACKAGES).map(([name, version]) => [name, `npm:${name}@${version}`]),
  );
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
  await Deno.writeTextFile(`${folder}/program.ts`, program);
  const done = await run(
    DENO,
    ["run", "--quiet", "--check", "--allow-all", `${folder}/program.ts`],
    env,
    folder,
  );
  await Deno.remove(folder, { recursive: true });
  return done;
}

for (const client of CLIENTS) {
  const name = /from "(@?[\w/-]+)"/.exec(client)![1];
  test(`${name} runs on Deno and on Node`, (t) =>
    served(async (url) => {
      const program = client.replace(ADDRESS, url);
      assertEquals(await onDeno(program), { code: 0, out: "Hello\n", err: "" });
      const missing = await installForNode();
      if (missing) return await ignored(t, missing);
      const { code, out, err } = await onNode(program);
      assertEquals([code, out], [0, "Hello\n"], err);
    }));
}

const PYTHON = snippet("python", "from openai import OpenAI");

test("the OpenAI SDK for Python runs", async (t) => {
  const python = `${FOLDER}/venv/bin/python`;
  const works = () => run(python, ["-c", "import openai"]).then(({ code }) => code === 0, () => false);
  if (!await works()) {
    const made = await run("python3", ["-m", "venv", `${FOLDER}/venv`]).catch(() => undefined);
    if (made?.code !== 0) return await ignored(t, "no python3 with venv");
    const { code } = await run(python, ["-m", "pip", "install", "--quiet", "openai"]);
    if (code !== 0 || !await works()) return await ignored(t, "pip cannot install openai");
  }
  await served(async (url) => {
    const { code, out, err } = await run(python, ["-c", PYTHON.replace(ADDRESS, url)]);
    assertEquals([code, out], [0, "Hello"], err);
  });
});

// ---------------------------------------------------------------- inside a program

const MOD = `file://${ROOT}/mod.ts`;

const OPTIONS = snippet("ts", "createGateway({\n  providers:");

test("createGateway() with options serves", async () => {
  const port = freePort();
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/program.ts`, OPTIONS.replace("./mod.ts", MOD));
  const checked = await run(DENO, ["check", "--quiet", `${folder}/program.ts`]);
  assertEquals(checked.code, 0, checked.err);
  await using gateway = await startServed(
    DENO,
    ["run", "--no-check", "--allow-all", `${folder}/program.ts`],
    // The address that `Deno.serve()` uses by default.
    { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
  );
  const response = await fetch(`http://127.0.0.1:${port}/health`);
  assertEquals((await response.json()).status, "ok", gateway.output());
  const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] });
  const ask = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
  const [without, withToken] = [await ask({}), await ask({ "cf-aig-authorization": "Bearer my-token" })];
  assertEquals([without.status, withToken.status], [401, 200]);
  await Promise.all([without.body?.cancel(), withToken.body?.cancel()]);
  await Deno.remove(folder, { recursive: true });
});

const OBJECTS = snippet("ts", "import { createGateway, gateway, remoteGateway }");

test("the gateway as an object runs on Deno, and as one file on Node", async (t) => {
  const { code, out, err } = await onDeno(OBJECTS.replace("./mod.ts", MOD));
  assertEquals([code, out], [0, "Hello\n"], err);
  if (await run("node", ["--version"]).catch(() => undefined) === undefined) {
    return await ignored(t, "no Node");
  }
  await Deno.mkdir(FOLDER, { recursive: true });
  const { path } = await bundle(`${FOLDER}/sluice.mjs`);
  const again = await onNode(OBJECTS.replace("./mod.ts", `file://${path}`));
  assertEquals([again.code, again.out], [0, "Hello\n"], again.err);
});

const AI_SDK = snippet("ts", "createAiGateway");

test("the AI SDK with ai-gateway-provider runs on Node", async (t) => {
  const missing = await installForNode();
  if (missing) return await ignored(t, missing);
  const { path } = await bundle(`${FOLDER}/sluice.mjs`);
  await served(async (url, provider) => {
    const program = AI_SDK.replace("./dist/sluice.js", `file://${path}`)
      .replace("https://sluice.example.com", url);
    const { code, out, err } = await onNode(`${program}\nconsole.log(text);`);
    assertEquals([code, out], [0, `${TEXT}\n`], err);
    assertEquals((await provider.arrived("claude-sonnet-5-5")).headers["x-api-key"], "sk-stored");
  }, { SLUICE_TOKENS: "my-token", ANTHROPIC_API_KEY: "sk-stored", OPENAI_API_KEY: "sk-other" });
});

// ---------------------------------------------------------------- keys and tokens

const STORED = snippet("sh", "SLUICE_TOKENS=my-token");
/** Settings within a sentence. */
const INLINE = PAGES.flatMap(({ text }) =>
  [...text.matchAll(/`(?:SLUICE_(?:TOKENS|KEYS)=')?(\[?\{"[^`'|]*[\]}])'?`/g)].map(([, setting]) => setting)
);

test("the line with a token and a stored key serves with them", async () => {
  await using provider = await startFakeProvider();
  await using gateway = await start(STORED.trim(), environment(provider));
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer my-token" },
    body: JSON.stringify({ model: "anthropic/plain-1", messages: [{ role: "user", content: "Hello" }] }),
  });
  assertEquals((await response.json()).choices[0].message.content, TEXT);
  assertEquals((await provider.arrived("plain-1")).headers["x-api-key"], "sk-ant-KEY");
});

test("settings within sentences work as printed", async () => {
  const keys = INLINE.filter((text) => text.startsWith("{") && text.includes('"default"'));
  const tokens = INLINE.filter((text) => text.startsWith("["));
  assert(keys.length > 0 && tokens.length > 0, `${INLINE}`);
  for (const [name, values] of [["SLUICE_KEYS", keys], ["SLUICE_TOKENS", tokens]] as const) {
    for (const value of values) {
      await using gateway = await start("npx -y deno run --allow-net --allow-env mod.ts", {
        [name]: value,
        ...(name === "SLUICE_KEYS" && { SLUICE_TOKENS: "t" }),
      });
      assertEquals((await fetch(`${gateway.url}/health`)).status, 200);
    }
  }
});

const GATEWAYS = snippet("sh", "SLUICE_GATEWAYS=");

test("the setting of a gateway's limits works as printed", async () => {
  const line = `${GATEWAYS}\nexec ${DENO} run --no-prompt --quiet --allow-net --allow-env mod.ts`;
  await using gateway = await startServed("sh", ["-ec", line], {});
  const policyOf = async (id: string) => {
    const { headers, body } = await fetch(`${gateway.url}/v1/-/${id}/compat/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"model": "demo/echo", "messages": [{"role": "user", "content": "Hello"}]}',
    });
    await body?.cancel();
    return headers.get("ratelimit-policy");
  };
  assertEquals(await policyOf("prod"), '"gateway-requests-1";q=1000;w=3600');
  assertEquals(await policyOf("other"), '"gateway-rpm";q=60;w=60');
});

const METERED = SNIPPETS.filter((one) =>
  one.page === "docs/limits.md" && one.language === "sh" && !claimed.has(one)
);
for (const one of METERED) claimed.add(one);

test("the settings of limits and budgets work as printed", async () => {
  assert(METERED.length > 3);
  for (const { text } of METERED) {
    const line = `${text}\nexec ${DENO} run --no-prompt --quiet --allow-net --allow-env mod.ts`;
    await using gateway = await startServed("sh", ["-ec", line], {});
    const headers = { authorization: "Bearer t", "cf-aig-metadata": '{"user": "ann"}' };
    const { limits, budgets, also = [] } = await (await fetch(`${gateway.url}/sluice/api/me`, { headers }))
      .json();
    assert(Object.keys(limits).length + budgets.length + also.length > 0, text);
  }
});

const SETTINGS = snippet("json", "sluice.schema.json");

test("the file of settings works as printed, and variables win over it", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, SETTINGS);
  const line = `npx -y deno run --allow-net --allow-env --allow-read=${path} mod.ts`;
  await using gateway = await start(line, { SLUICE_CONFIG: path, PORT: "0" });
  const headers = { origin: "https://app.example", "access-control-request-method": "POST" };
  const { headers: granted } = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "OPTIONS",
    headers,
  });
  assertEquals(granted.get("access-control-allow-origin"), "https://app.example");
  await Deno.remove(path);
});

const LIST_OF_LIMITS = snippet("json", `"seconds": 3600`);

test("a file with a list of limits serves with them", async () => {
  const env = { SLUICE_CONFIG: LIST_OF_LIMITS };
  await using gateway = await start("npx -y deno run --allow-net --allow-env mod.ts", env);
  const headers = { authorization: "Bearer t" };
  const { limits } = await (await fetch(`${gateway.url}/sluice/api/me`, { headers })).json();
  assertEquals(limits.map(({ left }: { left: number }) => left), [1000, 5_000_000, 20]);
});

// ---------------------------------------------------------------- Workers

const BINDING = snippet("jsonc", `"services"`);
const IN_WORKER = snippet("js", "ai(env.AI)");

test("a Worker with the binding runs its snippet on workerd", async () => {
  await using provider = await startFakeProvider();
  const { services: [service] } = JSON.parse(`{${BINDING.replaceAll(/^\/\/.*$/gm, "")}}`);
  assertEquals(service, { binding: "AI", service: "sluice", entrypoint: "AI" });
  const env = { ...environment(provider), ANTHROPIC_API_KEY: "sk-stored", SLUICE_TOKENS: "t" };
  await Deno.mkdir(FOLDER, { recursive: true });
  const [imports, ...rest] = IN_WORKER.replace("./sluice/", `file://${ROOT}/`).split("\n");
  await Deno.writeTextFile(
    `${FOLDER}/caller.ts`,
    `${imports}
export default {
  async fetch(request: Request, env: any) {
${rest.join("\n")}
    return response;
  },
};`,
  );
  await bundle(`${FOLDER}/caller.js`, "dist/readme/caller.ts");
  await bundle(`${FOLDER}/worker.js`, "worker.ts");
  const files = {
    "caller.js": await Deno.readTextFile(`${FOLDER}/caller.js`),
    "worker.js": await Deno.readTextFile(`${FOLDER}/worker.js`),
  };
  const bindings = [
    `(name = "${service.binding}", service = (name = "${service.service}", entrypoint = "${service.entrypoint}"))`,
  ];
  const workers = [
    await workerConfig("caller", "caller.js", bindings),
    await workerConfig("sluice", "worker.js", environmentBindings(env)),
  ];
  await using caller = await serveWorkerd(workers, files, env);
  const response = await fetch(caller.url);
  assertMatch(await response.text(), /data: \[DONE\]\n\n$/);
  // The snippet prints the id of the call's log.
  assertStringIncludes(caller.output(), response.headers.get("cf-aig-log-id")!);
  assertEquals((await provider.arrived("claude-sonnet-5-5")).headers["x-api-key"], "sk-stored");
});

// ---------------------------------------------------------------- agents

const STATEFUL = snippet("js", "workerStores(env)");

test("a Worker's own program counts in Durable Objects", async () => {
  await Deno.mkdir(FOLDER, { recursive: true });
  const program = STATEFUL.replaceAll("./sluice/", `file://${ROOT}/`);
  await Deno.writeTextFile(`${FOLDER}/stateful.js`, program);
  await bundle(`${FOLDER}/bundled.js`, "dist/readme/stateful.js");
  const env = { TOKENS: JSON.stringify([{ token: "limited-token", limits: { rpm: 2 } }]) };
  const bindings = [...environmentBindings(env), STATE.binding];
  const files = { "stateful.js": await Deno.readTextFile(`${FOLDER}/bundled.js`) };
  const folder = await Deno.makeTempDir();
  const workers = [
    await workerConfig("program", "stateful.js", bindings, [], STATE.objects),
    STATE.storage(folder),
  ];
  await using worker = await serveWorkerd(workers, files, env);
  const statuses: number[] = [];
  for (let at = 0; at < 3; at++) {
    const response = await fetch(`${worker.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer limited-token" },
      body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: TEXT }] }),
    });
    await response.text();
    statuses.push(response.status);
  }
  assertEquals(statuses, [200, 200, 429], worker.output());
  await Deno.remove(folder, { recursive: true });
});

const CLAUDE_CODE = [1, 2, 3].map(() => snippet("sh", "ANTHROPIC_BASE_URL"));
const CODEX = [snippet("toml", "model_providers.sluice"), snippet("toml", "model_providers.sluice")];

for (const variables of CLAUDE_CODE) {
  test("Claude Code's variables lead Anthropic's SDK, which reads them too, to the gateway", () =>
    served(async (url, provider) => {
      const exports = variables.replace(ADDRESS, url).replace(/^claude$/m, "");
      const model = exports.includes("/anthropic") ? "plain-3" : "anthropic/plain-3";
      const program = `import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
      const { content } = await new Anthropic().messages.create({
        model: "${model}", max_tokens: 10, messages: [{ role: "user", content: "Hello" }],
      });
      console.log(content[0].text);`;
      const path = await Deno.makeTempFile({ suffix: ".js" });
      await Deno.writeTextFile(path, program);
      const { code, out, err } = await shell(`${exports}\n${DENO} run --quiet --allow-all ${path}`);
      assertEquals([code, out], [0, `${TEXT}\n`], err);
      assertEquals((await provider.arrived("plain-3")).headers["x-api-key"], "sk-stored");
      await Deno.remove(path);
    }, { SLUICE_TOKENS: "my-token", ANTHROPIC_API_KEY: "sk-stored" }));
}

const MESSAGES = snippet("ts", "client.messages.create");

test("messages.create() runs on a model of Anthropic's", () =>
  served(async (url, provider) => {
    const program = MESSAGES.replace(ADDRESS, url).replace(/model: ".*?"/, 'model: "anthropic/plain-5"');
    assertEquals(await onDeno(program), { code: 0, out: `${TEXT}\n`, err: "" });
    await provider.arrived("plain-5");
  }));

for (const codex of CODEX) {
  test("Codex's settings lead to a model of another maker with a stored key", async () => {
    const setting = (name: string) => new RegExp(`^${name} = "(.*?)"`, "m").exec(codex)![1];
    assertEquals([setting("wire_api"), setting("env_key"), setting("model_provider")], [
      "responses",
      "SLUICE_TOKEN",
      "sluice",
    ]);
    const { fetch, sent } = before(() => message(TEXT), {
      tokens: ["my-token"],
      keys: { anthropic: "sk-stored" },
    });
    const response = await fetch(
      new Request(`${setting("base_url")}/responses`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer my-token" },
        body: JSON.stringify({ model: setting("model"), input: "Hello" }),
      }),
    );
    assertEquals((await response.json()).output[0].content[0].text, TEXT);
    assertEquals([sent[0].url, sent[0].headers.get("x-api-key")], [
      "https://api.anthropic.com/v1/messages",
      "sk-stored",
    ]);
  });
}

const RESPONSES = snippet("ts", "client.responses.create");

test("responses.create() runs on a model of another maker", () =>
  served(async (url, provider) => {
    const program = RESPONSES.replace(ADDRESS, url).replace("claude-sonnet-5-5", "plain-4");
    assertEquals(await onDeno(program), { code: 0, out: `${TEXT}\n`, err: "" });
    await provider.arrived("plain-4");
  }));

const KEPT_START = snippet("sh", "SLUICE_RESPONSES_STORE=true");
const KEPT = snippet("ts", "previous_response_id: first.id");

test("a response goes on from a stored one of another model", async () => {
  await using provider = await startFakeProvider();
  const folder = await Deno.makeTempDir();
  const store = `sqlite:${folder}/sluice.db`;
  const [settings, command] = KEPT_START.replace("sqlite:sluice.db", store).trim().split(/ (?=\\\n)\\\n\s*/);
  const env = Object.fromEntries(settings.split(" ").map((setting) => setting.split("=", 2)));
  {
    await using gateway = await start(command, {
      ...environment(provider),
      ...env,
      ANTHROPIC_API_KEY: "sk-ant-1",
    });
    const program = KEPT.replace(ADDRESS, gateway.url).replace("claude-sonnet-5-5", "plain-4");
    assertEquals(await onDeno(program), { code: 0, out: "And in French?\n", err: "" });
  }
  await provider.arrived("plain-4");
  await Deno.remove(folder, { recursive: true });
});

// ---------------------------------------------------------------- rows and policies of your own

const ROW_BY_VARIABLE = snippet("sh", "SLUICE_PROVIDERS=");

test("a row of your own is added by its variable", async () => {
  const [, text] = /SLUICE_PROVIDERS='(.*)'/.exec(ROW_BY_VARIABLE)!;
  await using provider = await startFakeProvider();
  const line = ROW_BY_VARIABLE.slice(ROW_BY_VARIABLE.indexOf("npx")).trim();
  const SLUICE_PROVIDERS = text.replace("https://llm.example.com/v1", `${provider.url}/openai/v1`);
  assert(SLUICE_PROVIDERS !== text);
  await using gateway = await start(line, { SLUICE_PROVIDERS });
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-own" },
    body: JSON.stringify({
      model: "mycorp/plain-7",
      messages: [{ role: "user", content: "Hello" }],
      logit_bias: { 1: 1 },
    }),
  });
  assertEquals((await response.json()).choices[0].message.content, TEXT);
  assertEquals(response.headers.get("sluice-dropped"), "logit_bias");
  assertEquals((await provider.arrived("plain-7")).headers.authorization, "Bearer sk-own");
});

const ROW = snippet("ts", "satisfies Record<string, Row>");

test("a printed row of the table passes the type check", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  const imports = `import { compatible } from "file://${ROOT}/providers/kinds.ts";
import type { Row } from "file://${ROOT}/providers/types.ts";
`;
  await Deno.writeTextFile(path, `${imports}${ROW}console.log(Object.keys(HOSTS).join());`);
  const { code, out, err } = await run(DENO, ["run", "--quiet", "--check", "--allow-all", path]);
  assertEquals([code, out], [0, "mycorp\n"], err);
  await Deno.remove(path);
});

const LIMITED = snippet("ts", "Deno.serve(limited)");

test("a policy around the gateway limits its requests", async () => {
  const port = freePort();
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  // The clock stands still, so that no minute ends within the test.
  const program = LIMITED.replace("./mod.ts", MOD).replace("Date.now()", "60_000");
  await Deno.writeTextFile(path, program);
  const checked = await run(DENO, ["check", "--quiet", path]);
  assertEquals(checked.code, 0, checked.err);
  const env = { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` };
  await using _gateway = await startServed(DENO, ["run", "--no-check", "--allow-all", path], env);
  const statuses: Record<number, number> = {};
  for (let time = 0; time < 62; time++) {
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    await response.body?.cancel();
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    if (response.status === 429) assertEquals(response.headers.get("retry-after"), "60");
  }
  assert(statuses[429] > 0 && statuses[200] > 0 && statuses[200] <= 60, JSON.stringify(statuses));
  await Deno.remove(path);
});

const COUNTED = snippet("ts", "const tries = new Map");

test("a policy around each attempt sees every attempt", () =>
  served(async (url) => {
    // The provider is the gateway itself, which answers 503 to `demo/status-503`.
    const program = COUNTED.replace("./mod.ts", MOD)
      .replace("createGateway({", `createGateway({ providers: { other: { baseUrl: "${url}/v1" } },`);
    const { code, out, err } = await onDeno(`${program}
const response = await gateway.call(
  new Request("http://localhost/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "other/demo/status-503", messages: [{ role: "user", content: "Hello" }] }),
  }),
);
console.log(response.status, [...tries.values()]);`);
    assertEquals([code, out], [0, "503 [ 2 ]\n"], err);
  }));

const INSIDE = snippet("ts", "export const count");

test("a policy of the gateway counts its requests", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/count.ts`, INSIDE.replace("./gateway", `file://${ROOT}/gateway`));
  await Deno.writeTextFile(
    `${folder}/program.ts`,
    `import { count } from "./count.ts";
import type { Attempt } from "file://${ROOT}/gateway/policies/attempt.ts";
import { chain } from "file://${ROOT}/gateway/policies/chain.ts";
const counts = new Map<string, number>();
const send = chain([count(counts)], () => Promise.resolve(new Response()));
const attempt = { step: { provider: "openai" } } as Attempt;
await send(attempt);
await send(attempt);
console.log(counts.get("openai"));`,
  );
  const { code, out, err } = await run(DENO, [
    "run",
    "--quiet",
    "--check",
    "--allow-all",
    `${folder}/program.ts`,
  ]);
  assertEquals([code, out], [0, "2\n"], err);
  await Deno.remove(folder, { recursive: true });
});

// ---------------------------------------------------------------- a server in front

const NGINX = snippet("nginx", "proxy_pass");
const CADDY = snippet("caddyfile", "reverse_proxy");

test("the configurations of front servers have the gateway's address and its limit on bodies", () => {
  const { maxBodyBytes } = LIMITS;
  for (const text of [NGINX, CADDY]) assertStringIncludes(text, new URL(ADDRESS).host);
  assertEquals(Number(/client_max_body_size (\d+)m;/.exec(NGINX)![1]) * 2 ** 20, maxBodyBytes);
  assertEquals(Number(/max_size (\d+)MB/.exec(CADDY)![1]) * 2 ** 20, maxBodyBytes);
});

const EMBEDDINGS = snippet("ts", "client.embeddings.create");

test("embeddings.create() runs on the demo", () =>
  served(async (url) => {
    const { code, out, err } = await onDeno(EMBEDDINGS.replace(ADDRESS, url));
    assertEquals(code, 0, err);
    assertMatch(out, /^\d+\n$/);
  }));

const BREAKER = snippet("sh", "SLUICE_BREAKER_FAILURES=");

test("the line with a breaker serves with one", async () => {
  const [, failures, line] = /^SLUICE_BREAKER_FAILURES=(\d+) (.*)$/.exec(BREAKER.trim())!;
  await using gateway = await start(line, { SLUICE_BREAKER_FAILURES: failures });
  const messages: string[] = [];
  for (let at = 0; at <= Number(failures); at++) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "demo/status-503", messages: [{ role: "user", content: "Hello" }] }),
    });
    messages.push((await response.json()).error.message);
  }
  const spared = messages.map((message) => message.startsWith("Cannot ask"));
  assertEquals([spared.indexOf(true), spared.length], [Number(failures), Number(failures) + 1]);
});

const ROUTES = snippet("json", '"type": "conditional"');
const ROUTES_START = snippet("sh", "SLUICE_ROUTES=");
const ROUTES_CURL = snippet("sh", "dynamic/support");

test("curl is led by the route that is shown, from its variable", async () => {
  const line = ROUTES_START.slice(ROUTES_START.indexOf("npx")).trim();
  await using gateway = await start(line, { SLUICE_ROUTES: ROUTES });
  const ask = async (curl: string) => (await shell(curl.replace(ADDRESS, gateway.url))).out;
  assertMatch(await ask(ROUTES_CURL), /^cf-aig-routed-model: demo\/echo\r?$/m);
  const explained = ROUTES_CURL.replace('"free"', '"paid"').replace("curl", "curl -H 'sluice-explain: true'");
  const { targets } = JSON.parse((await ask(explained)).split("\r\n\r\n")[1]);
  assertEquals(targets.map(({ way }: { way: string }) => way), [
    "start > plan true > limit success > large",
    "start > plan true > limit success > large fallback > small",
    "start > plan true > limit fallback > small",
  ]);
});

const ROUTES_API = snippet("ts", "dynamicRouting");

test("Cloudflare's SDK writes a route by the program that is shown", async () => {
  const token = /apiToken: "(.*)"/.exec(ROUTES_API)![1];
  await using gateway = await start("npx -y deno run --allow-net --allow-env mod.ts", {
    SLUICE_ADMIN_TOKEN: token,
  });
  const { code, err } = await onDeno(ROUTES_API.replace(ADDRESS, gateway.url));
  assertEquals(code, 0, err);
  const response = await fetch(`${gateway.url}/v1/acct/default/compat/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "dynamic/help", messages: [{ role: "user", content: "Hello" }] }),
  });
  assertEquals((await response.json()).choices[0].message.content, "Hello");
});

const NAMES = snippet("sh", "SLUICE_MODELS=");

test("the operator's own names are valid for the option", () => {
  const models = JSON.parse(/'(.*)'/.exec(NAMES)![1]);
  createGateway({ models });
});

// ---------------------------------------------------------------- traces

const TRACED = snippet("ts", "otel: {");

test("the program with a collector is checked, and its gateway sends spans when it is closed", async () => {
  const folder = `${FOLDER}/traced`;
  await Deno.mkdir(folder, { recursive: true });
  await using collector = startCollector();
  const program = TRACED.replace("./mod.ts", "../../../mod.ts")
    .replace("http://localhost:4318/v1/traces", collector.url)
    .replace(
      "Deno.serve(gateway.fetch);",
      `await (await gateway.gateway("default").run({
        provider: "compat",
        endpoint: "chat/completions",
        query: { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] },
      })).text();`,
    );
  await Deno.writeTextFile(`${folder}/program.ts`, program);
  const { code, err } = await run(DENO, ["run", "--quiet", "--check", "--allow-all", `${folder}/program.ts`]);
  assertEquals(code, 0, err);
  assertEquals(collector.names, ["chat echo", "POST"]);
  await Deno.remove(folder, { recursive: true });
});

// ---------------------------------------------------------------- metrics

const SCRAPE = snippet("yaml", "scrape_configs:");
const QUERIES = snippet("text", "sluice_tries_total");

test("the scrape configuration has the gateway's address, and the queries ask for counts that /metrics returns", async () => {
  const { scrape_configs: [{ static_configs, authorization }] } = parseYaml(SCRAPE);
  assertEquals([static_configs[0].targets[0], typeof authorization.credentials], [
    new URL(ADDRESS).host,
    "string",
  ]);
  const { call } = createGateway({ metrics: {} });
  const told = await (await call(new Request(`${ADDRESS}/metrics`))).text();
  for (const query of QUERIES.trim().split("\n")) {
    // The grammar is that of Prometheus' own editor.
    let text = "";
    promql.parse(query).iterate({ enter: ({ type }) => void (text += type.isError ? "error" : "") });
    assertEquals(text, "", query);
    const names = [...query.matchAll(/\b(?:gen_ai|sluice)_\w+(?=[{[])/g)].map(([name]) => name);
    assert(names.length > 0, query);
    for (const name of names) assertStringIncludes(told, `# TYPE ${name.replace(/_bucket$/, "")} `);
  }
});

// ---------------------------------------------------------------- all snippets are run

/** Snippets that show a header or a picture and cannot be run. */
const SHOWN = [snippet("", "sluice-dropped: "), snippet("", "provider    OpenAI")];

Deno.test("README: every snippet is run here", () => {
  assert(SHOWN.length > 0 && OPENAI_STREAM.length > 0);
  const left = SNIPPETS.filter((one) => !claimed.has(one)).map(({ page, language, text }) =>
    `${page}: ${language}: ${text}`
  );
  assertEquals(left, []);
});
