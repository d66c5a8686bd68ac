/** What `deno task package` writes, installed into an empty folder and imported on each runtime. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../bundle.ts";
import { bunBinary, esbuildBinary, nodeBinary } from "../runtimes/binaries.ts";
import { DENO, serveWorkerd, workerConfig } from "../runtimes/gateways.ts";
import { compiler } from "./build.ts";
import { installPackage, packageFolder, runIn, testPackage } from "./installed.ts";
import { installed } from "./tools.ts";

const IT = await installPackage();

async function* filesIn(folder: string, below = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    if (isDirectory) yield* filesIn(folder, `${below}${name}/`);
    else yield below + name;
  }
}

// ---------------------------------------------------------------- the file

testPackage("the package has modules, types and texts, no source and no install script", IT, async (it) => {
  const manifest = JSON.parse(await Deno.readTextFile(`${packageFolder(it)}/package.json`));
  const { name, version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assertEquals([manifest.name, manifest.version, manifest.type], [name, version, "module"]);
  assertEquals(manifest.scripts, undefined);
  const paths = await Array.fromAsync(filesIn(packageFolder(it)));
  const odd = paths.filter((path) =>
    !/\.(?:js|d\.ts)$/.test(path) &&
    !/^(?:docs\/[^/]+\.(?:md|png)|[A-Z]+\.md|LICENSE(?:-prices)?|(?:package|sluice\.schema)\.json)$/.test(
      path,
    )
  );
  assertEquals(odd, []);
  for (const path of ["README.md", "LICENSE", "LICENSE-prices", "docs/options.md"]) {
    assert(paths.includes(path), path);
  }
  const entries = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? [entry] : Object.values(entry as Record<string, string>)
  );
  for (const entry of entries) assert(paths.includes(entry.slice(2)), entry);
  // No specifier of Deno's is left, and no import of the source's files.
  for (const path of paths.filter((path) => /\.(?:js|d\.ts)$/.test(path))) {
    const text = await Deno.readTextFile(`${packageFolder(it)}/${path}`);
    const left = text.match(/^(?! \*).*(?:from |import\()"(?:npm:|jsr:|\.[^"]*\.ts")/m);
    assertEquals(left, null, path);
  }
});

testPackage("the types that the package exports hold no any", IT, async (it) => {
  const leaks: string[] = [];
  for await (const path of filesIn(packageFolder(it))) {
    if (!path.endsWith(".d.ts")) continue;
    const text = (await Deno.readTextFile(`${packageFolder(it)}/${path}`)).replaceAll(/\/\*[^]*?\*\//g, "");
    for (const [found] of text.matchAll(/.*(?:[:<|&,(] ?|=> ?|= )any\b.*/g)) {
      leaks.push(`${path}: ${found.slice(0, 200)}`);
    }
  }
  assertEquals(leaks, []);
});

testPackage("publint and arethetypeswrong find nothing in the packed file", IT, async ({ file, folder }) => {
  const tools = await installed("linters", ["publint@0.3.25", "@arethetypeswrong/cli@0.18.5"]);
  const publint = await runIn(folder, `${tools}/node_modules/.bin/publint`, ["--strict", file]);
  assertEquals(publint.code, 0, publint.output);
  assertStringIncludes(publint.output, "All good!");
  const attw = await runIn(folder, `${tools}/node_modules/.bin/attw`, [file, "--profile", "esm-only"]);
  assertEquals(attw.code, 0, attw.output);
  assertStringIncludes(attw.output, "@sluice/gateway/worker");
});

Deno.test("JSR takes the source as it is", async () => {
  const args = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const { code, output } = await runIn(ROOT, DENO, args, { NO_COLOR: "1" });
  assertEquals(code, 0, output);
  assertStringIncludes(output, "Dry run complete");
  for (const path of ["mod.ts", "worker.ts", "gateway/stores/open_sqlite_worker.ts", "LICENSE-prices"]) {
    assertStringIncludes(output, `/${path} (`);
  }
  assertEquals(/\/(?:tests|bench|docs)\//.exec(output), null);
});

// ---------------------------------------------------------------- its use

/** Asks the demo by `handler`, and keeps a row in a store that is opened by its URL. */
const PROGRAM = `
import app, { createGateway, handler, openStore, translateStream } from "@sluice/gateway";
import { ai } from "@sluice/gateway/ai";

const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
const request = () => new Request("http://localhost/v1/chat/completions", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(query),
});
console.log("handler:", (await (await handler(request())).json()).choices[0].message.content);
console.log("default:", (await app.fetch(request())).status);
console.log("others:", typeof ai, typeof translateStream({ from: "anthropic", to: "openai" }).readable);
try {
  const gateway = createGateway({ store: await openStore("sqlite::memory:") });
  const binding = gateway.gateway("default");
  const response = await binding.run({ provider: "compat", endpoint: "chat/completions", query });
  await response.text();
  console.log("row:", (await binding.getLog(response.headers.get("cf-aig-log-id"))).provider);
  await gateway.close();
  const { open } = await import("@sluice/gateway/stores/sqlite");
  const other = createGateway({ store: await open(":memory:") });
  console.log("driver:", (await other.fetch(new Request("http://localhost/health"))).status);
  await other.close();
} catch (error) {
  console.log("store:", error.message);
}
`;

const SAID = ["handler: Hello", "default: 200", "others: function object"];
const STORED = [...SAID, "row: demo", "driver: 200"];
const TOO_OLD = [
  ...SAID,
  'store: the store ":memory:" cannot be opened: this runtime has no module node:sqlite; it needs Node 22.13 or later, Deno or Bun',
];

const RUNTIMES: Record<string, { command: () => Promise<[string, ...string[]]>; due: string[] }> = {
  "Node 20": { command: async () => [await nodeBinary(20)], due: TOO_OLD },
  "Node 22": {
    command: async () => [await nodeBinary(22), "--disable-warning=ExperimentalWarning"],
    due: STORED,
  },
  Deno: { command: () => Promise.resolve([DENO, "run", "--allow-env", "--allow-read"]), due: STORED },
  Bun: {
    command: async () => [await bunBinary(), "run"],
    due: STORED,
  },
};

for (const [name, { command, due }] of Object.entries(RUNTIMES)) {
  testPackage(`the package is imported on ${name}, and opens a store by its URL`, IT, async ({ folder }) => {
    await Deno.writeTextFile(`${folder}/program.mjs`, PROGRAM);
    const [program, ...args] = await command();
    const env = { BUN_CONFIG_MAX_HTTP_REQUESTS: "1000", SLUICE_LOG: "off" };
    const { code, output } = await runIn(folder, program, [...args, "program.mjs"], env);
    assertEquals([code, output.trim().split("\n")], [0, due]);
  });
}

testPackage("the package is a Worker, with its Durable Object", IT, async ({ folder }) => {
  const main = `export { default, AI, SluiceState } from "@sluice/gateway/worker";\n`;
  await Deno.writeTextFile(`${folder}/worker.mjs`, main);
  const args = [
    "--bundle",
    "--format=esm",
    "--external:cloudflare:workers",
    "--outfile=bundled.mjs",
    "worker.mjs",
  ];
  const { code, output } = await runIn(folder, await esbuildBinary(), args);
  assertEquals(code, 0, output);
  assertEquals(/warning/i.exec(output), null, output);
  const files = { "sluice.js": await Deno.readTextFile(`${folder}/bundled.mjs`) };
  const bindings = [
    '(name = "SLUICE_STATE", durableObjectNamespace = "SluiceState")',
    '(name = "SLUICE_ADMIN_TOKEN", text = "operator-0123456789")',
  ];
  const objects = `
    durableObjectNamespaces = [(className = "SluiceState", uniqueKey = "sluice", enableSql = true)],
    durableObjectStorage = (localDisk = "storage"),`;
  const services = [
    await workerConfig("sluice", "sluice.js", bindings, [], objects),
    `(name = "storage", disk = (path = "${folder}", writable = true))`,
  ];
  await using worker = await serveWorkerd(services, files, {});
  const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${worker.url}/v1/chat/completions`, { method: "POST", headers, body });
  assertEquals((await answer.json()).choices[0].message.content, "Hello");
  // `waitUntil` stores a row after the answer.
  let rows: { provider: string }[] = [];
  while (rows.length === 0) {
    const authorization = "Bearer operator-0123456789";
    const logs = await fetch(`${worker.url}/sluice/api/logs`, { headers: { authorization } });
    assertEquals(logs.status, 200);
    rows = (await logs.json()).rows;
  }
  assertEquals(rows.map(({ provider }) => provider), ["demo"]);
});

/** Uses the types; each line with `@ts-expect-error` would pass if a type were `any`. */
const TYPES = `
import app, { createGateway, gateway, handler, openStore, remoteGateway, translateStream } from "@sluice/gateway";
import type { LogEntry, Options, PolicySettings, RuntimeContext } from "@sluice/gateway";
import { ai } from "@sluice/gateway/ai";
import { open } from "@sluice/gateway/stores/sqlite";
import worker, { AI, SluiceState } from "@sluice/gateway/worker";

const options: Options = { keys: { openai: "k" }, retries: { maxAttempts: 2 }, log: (entry: LogEntry) => void entry.id };
const { fetch, close } = createGateway(options);
const answer: Promise<Response> = fetch(new Request("http://x"));
const served: Promise<Response> = handler(new Request("http://x"));
const store: Options["store"] = await openStore("sqlite:rows.db");
const other: Options["store"] = await open("rows.db");
const names: [typeof gateway, typeof remoteGateway, typeof ai, typeof AI, typeof SluiceState] | undefined = undefined;
const stream: TransformStream<Uint8Array, Uint8Array> = translateStream({ from: "anthropic", to: "openai" });
worker.fetch(new Request("http://x"), { SLUICE_TOKENS: "t" });
app.fetch?.(new Request("http://x"));
// @ts-expect-error
createGateway({ keys: 7 });
// @ts-expect-error
createGateway({ retries: { maxAttempts: "many" } });
// @ts-expect-error
handler("x");
// @ts-expect-error
openStore(7);
// @ts-expect-error
open(7);
// @ts-expect-error
translateStream({ from: "nobody", to: "openai" });
// @ts-expect-error
worker.fetch("x");
// @ts-expect-error
const wrong: number = gateway("default");
// @ts-expect-error
const entry: LogEntry = 7;
// @ts-expect-error
const settings: PolicySettings = 7;
// @ts-expect-error
const context: RuntimeContext = 7;
`;

testPackage("the types of the package are right under tsc --strict", IT, async ({ folder }) => {
  const tools = await compiler();
  await Deno.writeTextFile(`${folder}/types.mts`, TYPES);
  const variants = {
    "in Node's resolution, with the DOM": [
      "--module",
      "nodenext",
      "--lib",
      "es2023,dom,dom.iterable",
      "--types",
      "",
    ],
    "in a bundler's, with the DOM": ["--module", "esnext", "--moduleResolution", "bundler", "--types", ""],
    "on Node, without the DOM": ["--module", "nodenext", "--lib", "es2023", "--types", "node"],
  };
  for (const [name, flags] of Object.entries(variants)) {
    const types = ["--typeRoots", `${tools}/node_modules/@types`];
    const usual = ["--strict", "--noEmit", "--target", "es2023", ...types, "types.mts"];
    const { code, output } = await runIn(folder, `${tools}/node_modules/.bin/tsc`, [...flags, ...usual]);
    assertEquals([code, output], [0, ""], name);
  }
});
