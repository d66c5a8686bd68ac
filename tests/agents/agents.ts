/** Starting the agents as their users do, and what they tell the user. */
import type { Json } from "../acceptance/lab.ts";
import type { Room } from "./room.ts";

/** How a run of an agent ended. */
export interface Told {
  /** Its last word to the user. */
  text: string;
  /** It said that it had failed. */
  failed: boolean;
  /** All that it printed. */
  printed: string;
  ms: number;
  /** It did not end by itself. */
  late: boolean;
}

/** Settings of a run. */
export interface Settings {
  /** How the agent names the model. */
  model: string;
  env?: Record<string, string>;
  /** More arguments, of Claude Code's. */
  args?: string[];
  /** More lines of Codex' configuration, and of the gateway's part in it. */
  config?: string[];
  provider?: string[];
  /** Files of its home. */
  homeFiles?: Record<string, string>;
}

export type AgentName = "claude" | "codex";

export interface Agent {
  start(program: string, prompt: string, room: Room, settings: Settings): Promise<Told>;
}

const DEADLINE_MS = 120_000;

/** Processes that run, to be ended with this one. */
const running = new Set<Deno.ChildProcess>();
export function killAll(): void {
  for (const child of running) end(child, "SIGKILL");
}

/** Ends an agent and what it has started: each has a process group of its own. */
function end({ pid }: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    Deno.kill(-pid, signal);
  } catch {
    // All of them have ended.
  }
}

async function run(
  program: string,
  args: string[],
  env: Record<string, string>,
  { folder, home }: Room,
): Promise<Omit<Told, "text" | "failed">> {
  const started = performance.now();
  const isScript = program.endsWith(".js");
  const child = new Deno.Command(isScript ? "node" : program, {
    args: isScript ? [program, ...args] : args,
    cwd: folder,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: home,
      TMPDIR: home,
      LANG: "C.UTF-8",
      TERM: "dumb",
      ...env,
    },
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.add(child);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end(child, "SIGTERM");
    setTimeout(() => end(child, "SIGKILL"), 3000);
  }, DEADLINE_MS);
  try {
    const { stdout, stderr } = await child.output();
    const printed = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    return { printed, ms: performance.now() - started, late };
  } finally {
    clearTimeout(timer);
    end(child, "SIGKILL");
    running.delete(child);
  }
}

/** The JSON objects among the lines that were printed. */
export const lines = (printed: string): Json[] =>
  printed.split("\n").flatMap((line) => {
    try {
      const value = JSON.parse(line);
      return typeof value === "object" && value !== null ? [value] : [];
    } catch {
      return [];
    }
  });

export const claude: Agent = {
  async start(program, prompt, room, { model, env, args: more = [] }) {
    const args = [
      "-p",
      prompt,
      "--output-format",
      "stream-json",
      "--verbose",
      "--permission-mode",
      "acceptEdits",
    ];
    args.push("--allowedTools", "Read,Edit,Write,Bash", ...more);
    const ended = await run(program, args, {
      ANTHROPIC_BASE_URL: room.url,
      ANTHROPIC_AUTH_TOKEN: room.token,
      ANTHROPIC_MODEL: model,
      CLAUDE_CONFIG_DIR: `${room.home}/.claude`,
      DISABLE_AUTOUPDATER: "1",
      ...env,
    }, room);
    const last = lines(ended.printed).findLast(({ type }) => type === "result");
    const failed = last === undefined || last.is_error === true || last.subtype !== "success";
    return { ...ended, text: `${last?.result ?? last?.subtype ?? ""}`, failed };
  },
};

/** Whether a line of a configuration stands in a table, or begins one. */
const isTable = (config: string[], line: string) =>
  config.slice(0, config.indexOf(line) + 1).some((before) => before.startsWith("["));

export const codex: Agent = {
  async start(program, prompt, room, { model, env, config = [], provider = [] }) {
    const usual = {
      name: '"Sluice"',
      base_url: `"${room.url}/v1"`,
      wire_api: '"responses"',
      env_key: '"SLUICE_TOKEN"',
    };
    const isOwn = (name: string) => provider.some((line) => line.startsWith(`${name} =`));
    const settings = [
      `model = ${JSON.stringify(model)}`,
      'model_provider = "sluice"',
      ...config.filter((line) => !isTable(config, line)),
      "[model_providers.sluice]",
      ...Object.entries(usual).filter(([name]) => !isOwn(name)).map(([name, value]) => `${name} = ${value}`),
      ...provider,
      ...config.filter((line) => isTable(config, line)),
    ];
    await Deno.mkdir(`${room.home}/.codex`, { recursive: true });
    await Deno.writeTextFile(`${room.home}/.codex/config.toml`, settings.join("\n") + "\n");
    const args = [
      "exec",
      "--json",
      "--skip-git-repo-check",
      "--dangerously-bypass-approvals-and-sandbox",
      prompt,
    ];
    const ended = await run(program, args, {
      CODEX_HOME: `${room.home}/.codex`,
      SLUICE_TOKEN: room.token,
      ...env,
    }, room);
    const events = lines(ended.printed);
    const failure = events.findLast(({ type }) => type === "turn.failed");
    const said = events.map(({ item }) => item as Json | undefined).findLast((item) =>
      item?.type === "agent_message"
    );
    const why = failure && (failure.error as Json | undefined)?.message;
    const failed = failure !== undefined || !events.some(({ type }) => type === "turn.completed");
    return { ...ended, text: `${why ?? said?.text ?? ""}`, failed };
  },
};
