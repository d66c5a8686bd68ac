/** Installs packages from npm into folders that git ignores, for builds and tests of the package. */
import { ROOT } from "../bundle.ts";

/** npm has no network. Tests are then ignored; any other fault of npm's fails them. */
export class NoNetwork extends Error {}

const NETWORK =
  /\b(?:E(?:AI_AGAIN|CONN\w+|HOSTUNREACH|IDLETIMEOUT|NETUNREACH|NOTCACHED|NOTFOUND|TIMEDOUT)|ERR_SOCKET_TIMEOUT)\b/;

const FOLDER = `${ROOT}/dist/package`;

/**
 * A folder whose `node_modules` has these packages, installed if it is not there yet.
 *
 * @param name The folder's name, for people.
 * @throws NoNetwork
 */
export async function installed(name: string, packages: readonly string[]): Promise<string> {
  const id = packages.join("+").replaceAll(/[^\w.+-]/g, "_").slice(0, 150);
  const folder = `${FOLDER}/${name}-${id}`;
  if (await exists(folder)) return folder;
  await Deno.mkdir(FOLDER, { recursive: true });
  const fresh = await Deno.makeTempDir({ dir: FOLDER, prefix: "new-" });
  try {
    await Deno.writeTextFile(`${fresh}/package.json`, '{ "private": true, "type": "module" }\n');
    await npm(["install", "--save-exact", "--ignore-scripts", ...packages], fresh);
    // Whole or not at all: an install may be interrupted.
    await Deno.rename(fresh, folder);
  } catch (error) {
    await Deno.remove(fresh, { recursive: true });
    // Another process may have been faster.
    if (await exists(folder)) return folder;
    throw error;
  }
  return folder;
}

/** Runs npm, and returns what it prints. @throws Error with its last words, NoNetwork if it cannot reach its registry. */
export async function npm(args: string[], cwd: string): Promise<string> {
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  const { success, stdout, stderr } = await new Deno.Command("npm", { args: [...args, ...quiet], cwd })
    .output();
  if (success) return new TextDecoder().decode(stdout);
  const words = `npm ${args[0]}: ${new TextDecoder().decode(stderr).trim().split("\n").slice(-5).join("\n")}`;
  throw NETWORK.test(words) ? new NoNetwork(words) : new Error(words);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
