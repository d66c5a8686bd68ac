/** The agents that `deno task test:agents` starts, from npm. */
import { ROOT } from "../bundle.ts";
import type { AgentName } from "./agents.ts";

/** A program of a package, and the versions that were read. */
interface Package {
  name: string;
  version: string;
  /** Where its program may be below `node_modules`, by patterns of path segments. */
  programs: RegExp[];
}

export const PACKAGES: Readonly<Record<AgentName, Package>> = {
  claude: {
    name: "@anthropic-ai/claude-code",
    version: "2.1.332",
    programs: [
      /^@anthropic-ai\/claude-code-[^/]+\/claude(?:\.exe)?$/,
      /^@anthropic-ai\/claude-code\/cli\.js$/,
    ],
  },
  codex: {
    name: "@openai/codex",
    version: "0.171.0",
    programs: [/^@openai\/codex-[^/]+\/vendor\/[^/]+\/(?:codex|bin)\/codex(?:\.exe)?$/],
  },
};

/** Out of git, and kept for the next run. */
const FOLDER = `${ROOT}/dist/agents`;

/**
 * Path of an agent's program, installed if it is not there yet.
 *
 * @throws Error that says why it cannot be had: npm's last words, or that there is no program for this platform.
 */
export async function install(agent: AgentName): Promise<string> {
  const { name, version, programs } = PACKAGES[agent];
  const folder = `${FOLDER}/${agent}-${version}`;
  const present = await find(`${folder}/node_modules`, programs);
  if (present) return present;
  const fresh = await Deno.makeTempDir({ dir: await madeFolder(), prefix: `${agent}-` });
  try {
    const args = ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix", fresh];
    const output = await new Deno.Command("npm", { args: [...args, `${name}@${version}`], cwd: fresh })
      .output()
      .catch((cause) => {
        throw new Error(`npm cannot be started: ${cause.message}`);
      });
    const said = new TextDecoder().decode(output.stderr).trim().split("\n").slice(-5).join("\n");
    if (!output.success) throw new Error(`npm: ${said}`);
    if (!await find(`${fresh}/node_modules`, programs)) {
      throw new Error(`${name}@${version} has no program for this platform`);
    }
    // Whole or not at all: an install may be interrupted.
    await Deno.rename(fresh, folder);
  } catch (error) {
    await Deno.remove(fresh, { recursive: true });
    throw error;
  }
  return (await find(`${folder}/node_modules`, programs))!;
}

async function madeFolder(): Promise<string> {
  await Deno.mkdir(FOLDER, { recursive: true });
  return FOLDER;
}

async function find(folder: string, programs: RegExp[], below = ""): Promise<string | undefined> {
  // Deeper than any of them is.
  if (below.split("/").length > 8) return undefined;
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
      const path = below + name;
      if (programs.some((program) => program.test(path))) return `${folder}/${path}`;
      if (isDirectory && (path.startsWith("@") || below !== "")) found.push(`${path}/`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const path of found) {
    const program = await find(folder, programs, path);
    if (program) return program;
  }
  return undefined;
}
