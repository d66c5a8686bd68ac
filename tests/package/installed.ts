/** The package, packed and installed into an empty folder as users do it. */
import { buildPackage, PACKAGE, sourceHash } from "./build.ts";
import { ROOT } from "../bundle.ts";
import { NoNetwork, npm } from "./tools.ts";
import { bunBinary, nodeBinary } from "../runtimes/binaries.ts";
import { DENO } from "../runtimes/gateways.ts";

/** An installed package. */
export interface Installed {
  /** The folder with `node_modules`. */
  folder: string;
  /** The packed file. */
  file: string;
}

/** Where npm has put it. */
export const packageFolder = ({ folder }: Pick<Installed, "folder">): string =>
  `${folder}/node_modules/@sluice/gateway`;

/** Tells where the package was installed, for the tests of other files. */
const NOTE = `${ROOT}/dist/package/installed.json`;

/**
 * Builds, packs and installs the package, unless that was done since the source has changed.
 *
 * @returns Why it cannot be installed, if npm has no network.
 */
export async function installPackage(): Promise<Installed | string> {
  const source = await sourceHash();
  const before = JSON.parse(await Deno.readTextFile(NOTE).catch(() => "{}")) as Partial<
    Installed & { source: string }
  >;
  if (before.folder !== undefined) {
    const { folder, file } = before;
    const isThere = await Deno.stat(`${folder}/node_modules`).then(() => true, () => false);
    if (isThere && before.source === source) return { folder, file: file! };
    for (const old of [folder, besideOf(folder)]) await Deno.remove(old, { recursive: true }).catch(() => {});
  }
  try {
    const it = await install();
    await Deno.writeTextFile(NOTE, JSON.stringify({ ...it, source }));
    return it;
  } catch (error) {
    if (error instanceof NoNetwork) return `there is no network: ${error.message.split("\n")[0]}`;
    throw error;
  }
}

async function install(): Promise<Installed> {
  await buildPackage();
  // Outside the project, whose packages would stand in for missing ones.
  const folder = await Deno.makeTempDir({ prefix: "sluice-" });
  await Deno.writeTextFile(`${folder}/package.json`, "{}");
  const name = (await npm(["pack", "--silent", "--pack-destination", folder], PACKAGE)).trim();
  const file = `${folder}/${name.split("\n").at(-1)}`;
  await npm(["install", file], folder);
  return { folder, file };
}

const besideOf = (folder: string) => `${folder}-beside`;

/** What users install beside the package: clients' SDKs, and the drivers of stores. */
const BESIDE = [
  "openai@7.57.0",
  "@anthropic-ai/sdk@1.14.0",
  "ai@7.0.173",
  "@ai-sdk/openai-compatible@3.0.92",
];

/** A folder with the package, SDKs and drivers, made once. */
export async function installBeside({ folder, file }: Installed): Promise<string> {
  const beside = besideOf(folder);
  const isThere = await Deno.stat(`${beside}/node_modules`).then(() => true, () => false);
  if (isThere) return beside;
  const manifest = JSON.parse(await Deno.readTextFile(`${PACKAGE}/package.json`));
  const drivers = Object.entries(manifest.peerDependencies).map(([name, range]) => `${name}@${range}`);
  await Deno.mkdir(beside, { recursive: true });
  await Deno.writeTextFile(`${beside}/package.json`, '{ "type": "module" }');
  await npm(["install", "--ignore-scripts", file, ...drivers, ...BESIDE], beside);
  return beside;
}

/** A test with the package. It is ignored without a network, and its name says so. */
export function testPackage(
  name: string,
  it: Installed | string,
  fn: (it: Installed, t: Deno.TestContext) => Promise<void>,
): void {
  if (typeof it === "string") return Deno.test.ignore(`${name} (ignored: ${it})`, () => {});
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn: (t) => fn(it, t) });
}

/** The runtimes that run the command, by the words that start it there. */
export const COMMANDS: Readonly<
  Record<"node" | "deno" | "bun", (it: Pick<Installed, "folder">) => Promise<string[]>>
> = {
  node: async (it) => [await nodeBinary(20), main(it)],
  deno: (it) => Promise.resolve([DENO, "run", "--quiet", "--no-prompt", "--allow-all", main(it)]),
  bun: async (it) => [await bunBinary(), "run", main(it)],
};

const main = (it: Pick<Installed, "folder">) => `${packageFolder(it)}/cli/main.js`;

/** The command on Node, as other tests start programs. */
export async function onNode(it: Installed | string): Promise<[string, string[]]> {
  if (typeof it === "string") throw new Error(it);
  const [program, ...args] = await COMMANDS.node(it);
  return [program, args];
}

/**
 * Starts a gateway by a line for a shell, as a group of processes of its own: `npx` and the like start others, and all of them must
 * be ended.
 */
export async function startGroup(folder: string, line: string, env: Record<string, string> = {}) {
  const child = new Deno.Command("sh", {
    args: ["-c", `exec ${line}`],
    cwd: folder,
    env,
    detached: true,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  while (!output.includes("Try it:") || !output.endsWith("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`${line} has ended: ${output}`);
    output += value;
  }
  return {
    /** Its first lines. */
    output,
    url: /http:\/\/[\w.]+:\d+/.exec(output)![0],
    async [Symbol.asyncDispose]() {
      Deno.kill(-child.pid, "SIGTERM");
      await child.status;
      await reader.cancel();
    },
  };
}

/** Runs a program in a folder, and returns its exit code and all that it prints. */
export async function runIn(
  folder: string,
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd: folder, env }).output();
  return { code, output: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
}
