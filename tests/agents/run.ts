/**
 * Starts real coding agents against a served gateway and strict fakes of providers: `deno task test:agents [word …]`, where
 * words choose among agents, wires and scenarios (`codex gemini edits`); `-v` shows all, `--bodies` keeps what was asked.
 *
 * Not part of the tests: the agents are installed from npm, some 500 MB, into `dist/agents`.
 */
import { ROOT } from "../bundle.ts";
import { type Agent, type AgentName, claude, codex, killAll, type Settings } from "./agents.ts";
import { install } from "./install.ts";
import { type Plot, provider, type Wire } from "./providers.ts";
import { openRoom, removeFolders, type Room } from "./room.ts";
import { type Hands, SCENARIOS } from "./scenarios.ts";

interface Cast {
  agent: Agent;
  wires: Wire[];
  hands(room: Room): Hands;
}

const CASTS: Readonly<Record<AgentName, Cast>> = {
  claude: {
    agent: claude,
    wires: ["anthropic", "chat", "gemini"],
    hands: ({ folder }) => ({
      read: (file) => ({ name: "Read", args: { file_path: `${folder}/${file}` } }),
      edit: (file, old_string, new_string) => ({
        name: "Edit",
        args: { file_path: `${folder}/${file}`, old_string, new_string },
      }),
      patch: (file, _, content) => ({ name: "Write", args: { file_path: `${folder}/${file}`, content } }),
    }),
  },
  codex: {
    agent: codex,
    wires: ["anthropic", "chat", "gemini", "responses"],
    hands: () => ({
      read: (file, { tools }) => shell(`cat ${file}`, tools),
      edit: (file, from, to, { tools }) => shell(`sed -i s/${from}/${to}/ ${file}`, tools),
      patch: (file, from, to) => ({
        name: "apply_patch",
        input: `*** Begin Patch\n*** Update File: ${file}\n@@\n-${from}+${to}*** End Patch`,
      }),
    }),
  },
};

/** A command in the form of the tool that Codex offers. */
function shell(command: string, tools: string[]) {
  if (tools.includes("exec_command")) return { name: "exec_command", args: { cmd: command } };
  if (tools.includes("shell_command")) return { name: "shell_command", args: { command } };
  return { name: "shell", args: { command: ["bash", "-lc", command] } };
}

const verbose = Deno.args.includes("-v");
/** Writes down what the providers were asked. */
const bodies = Deno.args.includes("--bodies") ? `${ROOT}/dist/agents/bodies` : undefined;
const words = Deno.args.filter((word) => !word.startsWith("-"));
const isWanted = (...names: string[]) => words.every((word) => names.some((name) => name.includes(word)));

const count = { passed: 0, failed: 0, absent: 0 };

/** Runs one scenario; says in one line how it went, and what the user saw where it went wrong. */
async function play(
  name: AgentName,
  program: string,
  { agent, hands }: Cast,
  wire: Wire,
  scenario: string,
): Promise<void> {
  const { prompt, files, plot, fault, name: own, settings } = SCENARIOS[scenario];
  let acted: Plot;
  const one = provider(wire, (seen) => (acted ??= plot(hands(room)))(seen));
  const model = own?.[name] ?? one.model;
  const room: Room = await openRoom(one, own && { [model]: one.model });
  try {
    const { homeFiles, ...more }: Partial<Settings> = settings?.(room) ?? {};
    for (const [folder, texts] of [[room.folder, files], [room.home, homeFiles ?? {}]] as const) {
      for (const [file, text] of Object.entries(texts)) await Deno.writeTextFile(`${folder}/${file}`, text);
    }
    const told = await agent.start(program, prompt, room, { model, ...more });
    const file = (path: string) => Deno.readTextFile(`${room.folder}/${path}`);
    const wrong = await fault({ told, room, provider: one, file });
    const seconds = (told.ms / 1000).toFixed(1);
    console.log(
      `${
        wrong ? "FAILED" : "ok"
      }  ${name} on ${wire}: ${scenario} (${room.asked.length} requests, ${seconds} s)`,
    );
    count[wrong ? "failed" : "passed"]++;
    if (wrong) console.log(`        ${wrong}`);
    if (wrong || verbose) show(room, told.printed);
    if (bodies) await writeBodies(`${bodies}/${name} ${wire} ${scenario}`.replaceAll(" ", "_"), room);
  } finally {
    await room.close();
  }
}

async function writeBodies(folder: string, { calls, asked }: Room): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [kind, list] of Object.entries({ calls, asked })) {
    for (const [at, { text }] of list.entries()) {
      await Deno.writeTextFile(`${folder}/${kind}_${at}.json`, text);
    }
  }
}

/** The most calls and requests that are shown of a run that goes round in circles. */
const MOST_SHOWN = 20;

function show({ calls, asked }: Room, printed: string): void {
  const say = (line: string) => console.log(`        ${line}`);
  if (calls.length > MOST_SHOWN) say(`… the last of ${calls.length} calls, and ${asked.length} requests`);
  for (const { method, path, status, text, dropped } of calls.slice(-MOST_SHOWN)) {
    say(`${method} ${path} ${status}, ${text.length} characters${dropped ? `, dropped ${dropped}` : ""}`);
  }
  for (const { url, text } of asked.slice(-MOST_SHOWN)) say(`> ${url.host}${url.pathname} ${text.length}`);
  for (const line of printed.trim().split("\n").slice(-12)) say(`| ${line.slice(0, 400)}`);
}

Deno.addSignalListener("SIGINT", () => {
  killAll();
  removeFolders();
  Deno.exit(130);
});

for (const [name, cast] of Object.entries(CASTS) as [AgentName, Cast][]) {
  const runs = cast.wires.flatMap((wire) =>
    Object.entries(SCENARIOS).filter(([scenario, { agents = [name], wires = [wire] }]) =>
      agents.includes(name) && wires.includes(wire) && isWanted(name, wire, scenario)
    ).map(([scenario]) => ({ wire, scenario }))
  );
  if (runs.length === 0) continue;
  let program: string;
  try {
    program = await install(name);
  } catch (error) {
    console.log(`ABSENT  ${name} cannot be installed: ${(error as Error).message}`);
    count.absent += runs.length;
    continue;
  }
  for (const { wire, scenario } of runs) await play(name, program, cast, wire, scenario);
}
console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.absent} could not run`);
Deno.exit(count.failed + count.absent > 0 ? 1 : 0);
