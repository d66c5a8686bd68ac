/** Finds the runtimes that the tests use, and installs missing ones from npm. */
import { ROOT } from "../bundle.ts";

const BUN = "bun@1.4.5";
const WORKERD = "workerd@1.20261117.1";
const ESBUILD = "esbuild@0.28.2";
const NODES = { 20: "20.20.2", 22: "22.23.5" } as const;

/** A folder that git ignores, apart from the project's own packages. */
const FOLDER = `${ROOT}/dist/runtimes`;

/** The path of Bun: the one on PATH, or else the one from npm. */
export async function bunBinary(): Promise<string> {
  return await works("bun", ["--version"]) ? "bun" : await fromNpm(BUN, "@oven", "bin/bun");
}

/** Path of workerd, from npm. */
export function workerdBinary(): Promise<string> {
  return fromNpm(WORKERD, "@cloudflare", "bin/workerd");
}

/** The path of esbuild, which bundles the Worker of a `wrangler.jsonc`. */
export function esbuildBinary(): Promise<string> {
  return fromNpm(ESBUILD, "@esbuild", "bin/esbuild");
}

/** The path of a Node of this major version: the one on PATH, or else the one from npm. */
export async function nodeBinary(major: keyof typeof NODES): Promise<string> {
  const args = ["-p", "`${process.versions.node}\\n${process.execPath}`"];
  const present = await new Deno.Command("node", { args }).output().then(
    ({ stdout }) => stdout,
    () => undefined,
  );
  const [version, path] = new TextDecoder().decode(present).trim().split("\n");
  if (version.startsWith(`${major}.`)) return path;
  const { os, arch } = Deno.build;
  const platform = `${os === "windows" ? "win" : os}-${arch === "aarch64" ? "arm64" : "x64"}`;
  return await fromNpm(`node-${platform}@${NODES[major]}`, ".", "bin/node");
}

/**
 * Installs a package whose program comes in optional packages, one for each platform, and finds the program that runs
 * here. The launcher in the package itself needs an install script, which npm may be told not to run.
 */
async function fromNpm(name: string, scope: string, file: string): Promise<string> {
  const folder = `${FOLDER}/${name}`;
  const program = async () => {
    try {
      for await (const { name } of Deno.readDir(`${folder}/node_modules/${scope}`)) {
        const path = `${folder}/node_modules/${scope}/${name}/${file}`;
        if (await works(path, ["--version"])) return path;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  const installed = await program();
  if (installed) return installed;
  await Deno.mkdir(folder, { recursive: true });
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix", folder, name],
    cwd: folder,
  }).output();
  const found = await program();
  if (found) return found;
  throw new Error(
    `Cannot install ${name}: npm ${
      success ? "has no program for this platform" : new TextDecoder().decode(stderr)
    }`,
  );
}

/** Whether a program exists and runs on this machine. */
async function works(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
