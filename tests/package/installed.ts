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
export const packageFolder = ({ folder }: Installed): string => `${folder}/node_modules/@sluice/gateway`;

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
    await Deno.remove(folder, { recursive: true }).catch(() => {});
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
export const COMMANDS: Readonly<Record<"node" | "deno" | "bun", (it: Installed) => Promise<string[]>>> = {
  node: async (it) => [await nodeBinary(20), main(it)],
  deno: (it) =>
    Promise.resolve([
      DENO,
      "run",
      "--quiet",
      "--no-prompt",
      "--unstable-no-legacy-abort",
      "--allow-all",
      main(it),
    ]),
  bun: async (it) => [await bunBinary(), "run", main(it)],
};

const main = (it: Installed) => `${packageFolder(it)}/cli/main.js`;

/** The command on Node, as other tests start programs. */
export async function onNode(it: Installed | string): Promise<[string, string[]]> {
  if (typeof it === "string") throw new Error(it);
  const [program, ...args] = await COMMANDS.node(it);
  return [program, args];
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
