/**
 * Writes `dist/npm`, the package as npm has it: a JavaScript module and its types for each module of the source; and
 * `dist/sluice.tgz`, its file.
 *
 * Run it with `deno task package`.
 *
 * @module
 */
import { ROOT } from "../bundle.ts";
import { installed, npm } from "./tools.ts";

/** Where the package is written. */
export const PACKAGE = `${ROOT}/dist/npm`;

/** A folder with what compiles, and with the types of Node's modules, which stores use. */
export const compiler = (): Promise<string> =>
  installed("compiler", ["typescript@7.0.2", "@types/node@22.20.7"]);

/** The packed file. */
const FILE = `${ROOT}/dist/sluice.tgz`;

/** The modules that others import, by their names in `exports`. Those of stores are found in their folder. */
const ENTRIES: Record<string, string> = { ".": "mod", "./ai": "ai", "./worker": "worker" };

/** The command. */
const COMMAND = "cli/main";

/** Files beside the modules. The pages are there because the README leads to them. */
const TEXTS = ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "LICENSE-prices", "sluice.schema.json"];

/** What the module `cloudflare:workers` is to `worker.ts`. */
const WORKERS = "cloudflare_workers.d.ts";

const STORES = "gateway/stores";

/** `npm:valibot@1.5.0` */
const SPECIFIER = /"npm:((?:@[^/"@]+\/)?[^/"@]+)@([^/"]+)((?:\/[^"]+)?)"/g;

/** A file's path below the root, with its text. */
type Files = Map<string, string>;

async function* pathsIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/${folder}`)) {
    if (isDirectory) yield* pathsIn(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

/** The source with specifiers as npm knows them, and the packages that it asks for, by name. */
async function readSources(): Promise<{ files: Files; versions: Map<string, string>; drivers: Set<string> }> {
  const files: Files = new Map();
  const versions = new Map<string, string>();
  const drivers = new Set<string>();
  const paths = [...Object.values(ENTRIES).map((entry) => `${entry}.ts`), WORKERS];
  for (const folder of ["cli", "gateway", "providers", "wires"]) {
    for await (const path of pathsIn(folder)) paths.push(path);
  }
  for (const path of paths) {
    const text = await Deno.readTextFile(`${ROOT}/${path}`);
    for (const [, name, version] of text.matchAll(SPECIFIER)) {
      versions.set(name, version);
      if (path.startsWith(`${STORES}/open_`)) drivers.add(name);
    }
    files.set(path, forNpm(text));
  }
  return { files, versions, drivers };
}

/** A hash of all that the package is made from. */
export async function sourceHash(): Promise<string> {
  const { files } = await readSources();
  const texts = [...TEXTS, "deno.json", "tests/package/build.ts"].map((path) =>
    Deno.readTextFile(`${ROOT}/${path}`)
  );
  const all = [...files].flat().concat(await Promise.all(texts)).join("\0");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(all));
  return new Uint8Array(digest).toHex();
}

/** The text of a module with specifiers as npm knows them; its examples import the package. */
function forNpm(text: string): string {
  return text
    .replaceAll(/^( \* .*\bfrom )"(?:\.{1,2}\/)+(mod|ai|worker)\.ts"/gm, (_, before, entry) => {
      return `${before}"@sluice/gateway${entry === "mod" ? "" : `/${entry}`}"`;
    })
    .replaceAll(/^(?! \*)(.*(?:\bfrom|\bimport\(|^import) ?)"(\.[^"]+)\.ts"/gm, '$1"$2.js"')
    .replaceAll(SPECIFIER, '"$1$3"');
}

/** Compiles the source in a folder of its own. */
async function compile(files: Files, versions: Map<string, string>, entries: string[]): Promise<string> {
  const packages = [...versions].map(([name, version]) => `${name}@${version}`);
  const tools = await compiler();
  const dependencies = await installed("dependencies", packages);
  const folder = await Deno.makeTempDir({ dir: `${ROOT}/dist/package`, prefix: "source-" });
  for (const [path, text] of files) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  const compilerOptions = {
    target: "es2023",
    module: "nodenext",
    // What Node 20 has. Something newer must be asked for before it is used.
    lib: ["es2023", "es2024.string", "es2024.arraybuffer", "dom", "dom.iterable", "dom.asynciterable"],
    types: ["node"],
    typeRoots: [`${tools}/node_modules/@types`],
    strict: true,
    skipLibCheck: true,
    declaration: true,
    outDir: "out",
    rootDir: ".",
    paths: { "cloudflare:workers": [`./${WORKERS}`] },
  };
  const config = { compilerOptions, files: entries.map((entry) => `${entry}.ts`) };
  await Deno.writeTextFile(`${folder}/tsconfig.json`, JSON.stringify(config));
  await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
  await Deno.symlink(`${dependencies}/node_modules`, `${folder}/node_modules`);
  const { success, stdout } = await new Deno.Command(`${tools}/node_modules/.bin/tsc`, {
    args: ["--project", "."],
    cwd: folder,
  }).output();
  if (!success) throw new Error(`tsc: ${new TextDecoder().decode(stdout)}`);
  return folder;
}

/** The modules that these import, and so on, with themselves. */
async function reached(folder: string, paths: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  const open = [...paths];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const text = await Deno.readTextFile(`${folder}/${path}`);
    for (const [, to] of text.matchAll(/(?:\bfrom |\bimport\()"(\.[^"]+)\.js"/g)) {
      const below = new URL(to, `file:///${path}`).pathname.slice(1);
      open.push(path.endsWith(".d.ts") ? `${below}.d.ts` : `${below}.js`);
    }
  }
  return found;
}

/** What a package's name in `exports` leads to. */
const exported = (path: string) => ({ types: `./${path}.d.ts`, default: `./${path}.js` });

/** Puts the package together in `dist/npm`. */
export async function buildPackage(): Promise<string> {
  const { files, versions, drivers } = await readSources();
  const stores = [...files.keys()].flatMap((path) =>
    /^gateway\/stores\/(open_[a-z0-9]+)\.ts$/.exec(path)?.slice(1) ?? []
  ).sort();
  const entries = [...Object.values(ENTRIES), ...stores.map((name) => `${STORES}/${name}`)];
  // Workers are started by their URLs.
  const workers = [...files.keys()].filter((path) => /\/open_[a-z0-9]+_\w+\.ts$/.test(path));
  const started = [COMMAND, ...workers.map((path) => path.slice(0, -3))];
  const folder = await compile(files, versions, [...entries, ...started]);
  const out = `${folder}/out`;
  await Deno.writeTextFile(`${out}/${WORKERS}`, files.get(WORKERS)!);
  const worker = (await Deno.readTextFile(`${out}/worker.d.ts`)).replaceAll(
    '"cloudflare:workers"',
    '"./cloudflare_workers.js"',
  );
  await Deno.writeTextFile(`${out}/worker.d.ts`, worker);
  const kept = [
    ...await reached(out, [...entries, ...started].map((path) => `${path}.js`)),
    ...await reached(out, entries.map((path) => `${path}.d.ts`)),
  ];
  await Deno.remove(PACKAGE, { recursive: true }).catch(() => {});
  const copy = async (from: string, path: string) => {
    await Deno.mkdir(`${PACKAGE}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(from, `${PACKAGE}/${path}`);
  };
  for (const path of kept) await copy(`${out}/${path}`, path);
  for (const path of TEXTS) await copy(`${ROOT}/${path}`, path);
  for await (const { name } of Deno.readDir(`${ROOT}/docs`)) {
    await copy(`${ROOT}/docs/${name}`, `docs/${name}`);
  }
  await Deno.remove(folder, { recursive: true });
  const manifest = await manifestOf({ versions, drivers, stores, kept });
  await Deno.writeTextFile(`${PACKAGE}/package.json`, JSON.stringify(manifest, null, 2) + "\n");
  return PACKAGE;
}

/** What `package.json` is made from. */
interface Facts {
  versions: Map<string, string>;
  drivers: Set<string>;
  stores: string[];
  kept: string[];
}

async function manifestOf({ versions, drivers, stores, kept }: Facts): Promise<object> {
  const { name, version, license } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const ranges = (isWanted: (name: string) => boolean) =>
    Object.fromEntries(
      [...versions].filter(([name]) => isWanted(name)).map(([name, version]) => [name, `^${version}`]).sort(),
    );
  const peers = ranges((name) => drivers.has(name));
  const folders = new Set(kept.map((path) => path.includes("/") ? path.split("/")[0] : path));
  return {
    name,
    version,
    description:
      "An AI gateway that you host yourself: every model provider behind the APIs that clients already speak",
    keywords: ["ai", "gateway", "llm", "proxy", "openai", "anthropic", "gemini", "cloudflare-workers"],
    license,
    type: "module",
    engines: { node: ">=20.16" },
    exports: {
      ...Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, exported(path)])),
      ...Object.fromEntries(
        stores.map((path) => [`./stores/${path.replace("open_", "")}`, exported(`${STORES}/${path}`)]),
      ),
      "./sluice.schema.json": "./sluice.schema.json",
      "./package.json": "./package.json",
    },
    bin: { sluice: `./${COMMAND}.js` },
    files: [
      ...[...folders].sort(),
      "docs",
      "CHANGELOG.md",
      "SECURITY.md",
      "LICENSE-prices",
      "sluice.schema.json",
    ],
    sideEffects: false,
    dependencies: ranges((name) => !drivers.has(name)),
    ...drivers.size > 0 && {
      peerDependencies: peers,
      peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }])),
    },
  };
}

if (import.meta.main) {
  const folder = await buildPackage();
  const name = await npm(["pack", "--silent", "--pack-destination", `${ROOT}/dist`], folder);
  await Deno.rename(`${ROOT}/dist/${name.trim()}`, FILE);
  console.log(`${folder.slice(ROOT.length + 1)}, packed as ${FILE.slice(ROOT.length + 1)}`);
}
