/** `sluice claude` and `sluice codex`: start a coding agent that is wired to a gateway. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Host } from "../gateway/serve/hosts.ts";
import { type Overrides, startOn } from "../gateway/serve/run.ts";
import { UserError } from "./errors.ts";

/** A gateway that an agent uses. */
export interface Wiring {
  url: string;
  /** The token that requests need. Without one the agent sends its own key. */
  token?: string;
  /** The model's name at the gateway. Without one the agent has its own names. */
  model?: string;
  /** The name of a small model for the agent's asides. Default: `model`. */
  smallModel?: string;
}

/** What starts an agent. */
export interface Start {
  /** Variables, and those that must not be set: a key of the agent's own would win over the token. */
  set: Record<string, string>;
  unset: string[];
  /** Arguments before the user's. */
  args: string[];
}

/** An agent. */
export interface Agent {
  title: string;
  program: string;
  /** The package that has it. */
  install: string;
  start(wiring: Wiring): Start;
}

/** The agents by the names of their subcommands. */
export const AGENTS: Readonly<Record<"claude" | "codex", Agent>> = {
  claude: {
    title: "Claude Code",
    program: "claude",
    install: "npm install -g @anthropic-ai/claude-code",
    start({ url, token, model, smallModel = model }) {
      return {
        set: {
          ANTHROPIC_BASE_URL: url,
          ...token !== undefined && { ANTHROPIC_AUTH_TOKEN: token },
          ...model !== undefined && { ANTHROPIC_MODEL: model },
          ...smallModel !== undefined && { ANTHROPIC_DEFAULT_HAIKU_MODEL: smallModel },
        },
        unset: token === undefined ? [] : ["ANTHROPIC_API_KEY"],
        args: [],
      };
    },
  },
  codex: {
    title: "Codex",
    program: "codex",
    install: "npm install -g @openai/codex",
    start({ url, token, model }) {
      const provider = {
        name: "Sluice",
        base_url: `${url}/v1`,
        wire_api: "responses",
        // The name of a variable: the token itself would stand in the list of processes.
        env_key: token === undefined ? "OPENAI_API_KEY" : "SLUICE_TOKEN",
      };
      const settings = {
        model_provider: "sluice",
        ...Object.fromEntries(
          Object.entries(provider).map(([key, value]) => [`model_providers.sluice.${key}`, value]),
        ),
        ...model !== undefined && { model },
      };
      return {
        set: { ...token !== undefined && { SLUICE_TOKEN: token } },
        unset: [],
        // The values are TOML.
        args: Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${JSON.stringify(value)}`]),
      };
    },
  },
};

/** Lines for a shell that do the same. The token is written as the variable that holds it. */
export function shellLines({ program, start }: Agent, wiring: Wiring): string {
  const token = wiring.token === undefined ? undefined : "$SLUICE_TOKEN";
  const { set, unset, args } = start({ ...wiring, token });
  const lines = Object.entries(set)
    .filter(([name, value]) => value !== `$${name}`)
    .map(([name, value]) => `export ${name}=${value === token ? `"${token}"` : quoted(value)}`);
  return [...lines, ...unset.map((name) => `unset ${name}`), [program, ...args.map(quoted)].join(" ")].join(
    "\n",
  );
}

const quoted = (word: string) => /^[\w./:@=+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/**
 * Starts the gateway in this process, on loopback, with a token that is made for this run.
 *
 * @throws UserError if it cannot start.
 */
export async function ownGateway(host: Host, flags: Overrides): Promise<Wiring & { close(): Promise<void> }> {
  const token = `sluice-${crypto.randomUUID()}`;
  const overrides = new Map([["SLUICE_LOG", host.env("SLUICE_LOG") ?? "off"], ...flags]);
  for (const [name, value] of [["PORT", "0"], ["HOST", "127.0.0.1"], ["SLUICE_REUSE_PORT", "false"]]) {
    overrides.set(name, value);
  }
  // Its users are this agent alone, so a token of the environment is not asked for.
  overrides.set("SLUICE_TOKENS", token).set("SLUICE_TOKEN_REQUIRED", "true");
  try {
    const { served, server } = await startOn(host, overrides);
    if (served.stored.length === 0) {
      console.error("Warning: no provider has a stored key: set its variable, e.g. ANTHROPIC_API_KEY");
    }
    return { url: `http://127.0.0.1:${server.port}`, token, close: served.gateway.close };
  } catch (error) {
    throw new UserError((host.explain?.(error as Error) ?? error as Error).message);
  }
}

/** Runs an agent in this terminal. @returns Its exit code; 128 and the signal's number if a signal ended it. */
export function runAgent(
  { program, install, start }: Agent,
  wiring: Wiring,
  args: string[],
): Promise<number> {
  const { set, unset, args: before } = start(wiring);
  const env = { ...process.env, ...set };
  for (const name of unset) delete env[name];
  const child = spawn(program, [...before, ...args], { stdio: "inherit", env });
  // A terminal sends Ctrl+C to both processes, and the agent decides what it means.
  const pass = (signal: NodeJS.Signals) => void (signal !== "SIGINT" && child.kill(signal));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => pass(signal));
  return new Promise((resolve, reject) => {
    child.on("error", ({ message }: NodeJS.ErrnoException) => {
      const why = /ENOENT|not found/i.test(message)
        ? `it is not on the PATH; install it: ${install}`
        : message;
      reject(new UserError(`Cannot start ${program}: ${why}`, 127));
    });
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGTERM"]));
  });
}
