/** The package, packed and installed into an empty folder as users do it. */
import { buildPackage, PACKAGE } from "./build.ts";
import { NoNetwork, npm } from "./tools.ts";

/** An installed package. */
export interface Installed {
  /** The folder with `node_modules`. */
  folder: string;
  /** The packed file. */
  file: string;
}

let made: Promise<Installed | string> | undefined;

/**
 * Builds, packs and installs the package once for all tests of this process.
 *
 * @returns Why it cannot be installed, if npm has no network.
 */
export function installPackage(): Promise<Installed | string> {
  return made ??= make().catch((error) => {
    if (error instanceof NoNetwork) return `there is no network: ${error.message.split("\n")[0]}`;
    throw error;
  });
}

async function make(): Promise<Installed> {
  await buildPackage();
  const folder = await Deno.makeTempDir({ prefix: "sluice-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
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
