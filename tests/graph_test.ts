/** What the gateway is made of, and which file may import which. */
import { assert, assertEquals } from "@std/assert";
import { PAGE } from "../gateway/doors/page/page.ts";
import { PACKED } from "../providers/prices/data.ts";
import { bundle, ROOT } from "./bundle.ts";

/** The part of `deno info --json` that is read here. */
interface Info {
  modules: { specifier: string; error?: string; dependencies?: Dependency[] }[];
  npmPackages: Record<string, object>;
}

/** `type` is of an import that is for types alone. */
interface Dependency {
  specifier: string;
  code?: { specifier?: string };
  type?: { specifier?: string };
}

async function info(entry: string): Promise<Info> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

// ---------------------------------------------------------------- the edges

/** One file imports another, also for its types alone: both are paths from the root. */
type Edge = readonly [from: string, to: string];

const HOME = new URL(`file://${ROOT.replace(/\/?$/, "/")}`).href;

async function readEdges(): Promise<Edge[]> {
  const edges = new Map<string, Edge>();
  for (const entry of ["mod.ts", "worker.ts", "ai.ts", "cli/main.ts"]) {
    for (const { specifier, dependencies = [] } of (await info(entry)).modules) {
      for (const { code, type } of dependencies) {
        const to = code?.specifier ?? type?.specifier;
        if (!specifier.startsWith(HOME) || !to?.startsWith(HOME)) continue;
        const edge = [specifier.slice(HOME.length), to.slice(HOME.length)] as const;
        edges.set(edge.join(" "), edge);
      }
    }
  }
  return [...edges.values()];
}

const EDGES = readEdges();

/** The folder of a wire that a file is in: `wires/gemini/`. */
const wireOf = (path: string) => /^wires\/(?!shared\/|streams\/)[^/]+\//.exec(path)?.[0];

/** From the bottom to the top: a file imports its own layer and those before it. */
const LAYERS = [
  /^wires\/[^/]+\.ts$/,
  /^wires\/shared\//,
  /^wires\/streams\//,
  /^wires\/[^/]+\//,
  /^providers\//,
  /^gateway\/(stores\/|targets\/|ids\.ts$|at_most_every\.ts$|context\.ts$|bun_fetches\.ts$)/,
  /^gateway\/policies\//,
  /^gateway\/access\//,
  /^gateway\/log\//,
  /^gateway\/setup\//,
  /^gateway\/exchange\.ts$/,
  /^gateway\/upstream\//,
  /^gateway\/explain\//,
  /^gateway\/doors\//,
  /^gateway\/(gateway|binding|remote_gateway|ai|translate_stream)\.ts$/,
  /^gateway\/serve\//,
  /^(mod|worker|ai)\.ts$/,
  /^cli\//,
];

const layerOf = (path: string) => LAYERS.findIndex((layer) => layer.test(path));

/** What an edge must not be, with one that is. */
const RULES: { rule: string; isBroken: (from: string, to: string) => boolean; example: Edge }[] = [
  {
    rule: "from outside a wire's folder only its mod.ts is imported",
    isBroken(from, to) {
      const wire = wireOf(to);
      return wire !== undefined && !from.startsWith(wire) && to !== `${wire}mod.ts`;
    },
    example: ["providers/table.ts", "wires/gemini/models.ts"],
  },
  {
    rule: "no wire imports another",
    isBroken(from, to) {
      const wire = wireOf(from);
      return wire !== undefined && wireOf(to) !== undefined && !to.startsWith(wire);
    },
    example: ["wires/cohere/read_answer.ts", "wires/openai_chat/mod.ts"],
  },
  {
    rule: "policies import no wire, nor does anything of the gateway but its doors",
    isBroken: (from, to) => /^gateway\/(?!doors\/)/.test(from) && wireOf(to) !== undefined,
    example: ["gateway/policies/begun.ts", "wires/openai_chat/mod.ts"],
  },
  {
    rule: "nobody imports a module that opens a store",
    isBroken: (from, to) => to.startsWith("gateway/stores/open_") && !from.startsWith("gateway/stores/open_"),
    example: ["gateway/setup/config.ts", "gateway/stores/open_sqlite.ts"],
  },
  {
    rule: "each file is in a layer, and nothing points up",
    isBroken: (from, to) => layerOf(from) < 0 || layerOf(to) < 0 || layerOf(to) > layerOf(from),
    example: ["wires/streams/translate.ts", "wires/openai_chat/mod.ts"],
  },
];

for (const { rule, isBroken, example } of RULES) {
  Deno.test(`imports: ${rule}`, async () => {
    assert(isBroken(...example));
    const edges = await EDGES;
    assert(edges.length > 100);
    const broken = edges.filter((edge) => isBroken(...edge)).map((edge) => edge.join(" imports "));
    assertEquals(broken, []);
  });
}

/** Files that import each other, over whatever way: the first way that is found. */
function findCircle(edges: readonly Edge[]): string[] | undefined {
  const imports = Map.groupBy(edges, ([from]) => from);
  const done = new Set<string>();
  function follow(file: string, way: string[]): string[] | undefined {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const [, to] of imports.get(file) ?? []) {
      const circle = follow(to, [...way, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  }
  for (const file of imports.keys()) {
    const circle = follow(file, []);
    if (circle) return circle;
  }
  return undefined;
}

Deno.test("imports: no file imports itself over others", async () => {
  assertEquals(findCircle([["a", "b"], ["b", "c"], ["c", "d"], ["d", "b"]]), ["b", "c", "d", "b"]);
  assertEquals(findCircle(await EDGES), undefined);
});

// ---------------------------------------------------------------- what can be reached

Deno.test("imports: mod.ts reaches no module of Node, and no package but small, web-standard ones", async () => {
  const { modules, npmPackages } = await info("mod.ts");
  assertEquals(modules.filter(({ error }) => error), []);
  const foreign = modules.flatMap(({ specifier, dependencies = [] }) =>
    dependencies
      .filter((dependency) =>
        dependency.code && /^(?:node|npm|jsr|bun|cloudflare):/.test(dependency.specifier)
      )
      .map((dependency) => `${specifier.replace(HOME, "")} imports ${dependency.specifier}`)
  );
  assertEquals(foreign.filter((edge) => !/ imports npm:(?:valibot|aws4fetch)@[\d.]+$/.test(edge)), []);
  // Packages bring others.
  const packages = Object.keys(npmPackages).map((name) => name.slice(0, name.lastIndexOf("@")));
  assertEquals(packages.filter((name) => !["valibot", "aws4fetch"].includes(name)), []);
});

/** The most bytes of the one-file build, without the table of prices and the page: bench/README.md tells what is in it. */
const MOST_BYTES = 850_000;

Deno.test("the one-file build imports nothing, and does not grow unnoticed", async () => {
  const { path, bytes } = await bundle(await Deno.makeTempFile({ suffix: ".js" }));
  const left = bytes - PACKED.length - PAGE.length;
  assert(
    left > 500_000 && left < MOST_BYTES,
    `${left} bytes: make it smaller, or raise the limit and say why`,
  );
  const { modules } = await info(path);
  // Words of examples, such as those of the page, are texts and not imports.
  const code = await Deno.readTextFile(path);
  await Deno.remove(path);
  assertEquals(modules.map(({ dependencies = [] }) => dependencies), [[]]);
  assertEquals(code.match(/\brequire\(/g) ?? [], []);
});
