/** The command line: subcommands, flags and errors. */
import process from "node:process";
import { Command, CommanderError } from "npm:commander@14.0.3";
import { type Host, hostHere } from "../gateway/serve/hosts.ts";
import { serveOn } from "../gateway/serve/run.ts";
import { type Agent, AGENTS, ownGateway, runAgent, shellLines, type Wiring } from "./agents.ts";
import { check } from "./check.ts";
import { USAGE, UserError } from "./errors.ts";
import { addServedFlags } from "./flags.ts";
import { VERSION } from "./version.ts";

/** Runs the command with these arguments. It ends the process with 2 if they are wrong. */
export async function main(args: string[]): Promise<void> {
  try {
    await program(args).parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : USAGE);
    // A TypeError tells a faulty setting.
    if (!(error instanceof UserError || error instanceof TypeError)) throw error;
    console.error(error.message);
    process.exit(error instanceof UserError ? error.code : 1);
  }
}

/** The host: this runtime. Node's part is loaded on Node only. */
async function findHost(args: readonly string[]): Promise<Host> {
  return hostHere(new URL("./main.ts", import.meta.url).href, args) ?? (await import("./node.ts")).nodeHost;
}

function program(args: readonly string[]): Command {
  const sluice = new Command("sluice")
    .description("Serves every model provider behind the APIs that clients already speak.")
    .version(VERSION, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      // One line, e.g. "unknown option '--prt' (Did you mean --port?)".
      outputError: (text, write) =>
        write(`${text.replace(/^error: /, "sluice: ").trim().replaceAll("\n", " ")}\n`),
    })
    .addHelpText(
      "after",
      "\nThe flags of serve need no command: sluice --port 8080. Each command has its own --help.",
    );
  addServe(sluice, args);
  addCheck(sluice, args);
  for (const [name, agent] of Object.entries(AGENTS)) addAgent(sluice, name, agent, args);
  return sluice;
}

function addServe(sluice: Command, args: readonly string[]): void {
  const command = sluice.command("serve", { isDefault: true })
    .description("serve the gateway (also without a command)")
    .usage("[options]")
    .argument("[command]", "", undefined)
    .addHelpText("after", MORE);
  const flags = addServedFlags(command);
  command.action(async (name?: string) => {
    if (name !== undefined) {
      throw new UserError(`sluice: there is no command ${JSON.stringify(name)}; see sluice --help`, USAGE);
    }
    await serveOn(await findHost(args), flags());
  });
}

const MORE = `
Each other option is a flag too: --cache-ttl 60 for SLUICE_CACHE_TTL=60. Variables keep tokens
out of the list of processes.`;

function addCheck(sluice: Command, args: readonly string[]): void {
  const command = sluice.command("check")
    .description("ask each provider with a stored key for its list of models")
    .option("--config <value>", "file with all options, or its JSON");
  command.action(async ({ config }: { config?: string }) => {
    await check(await findHost(args), new Map(config === undefined ? [] : [["SLUICE_CONFIG", config]]));
  });
}

/** The flags of an agent's command. */
interface AgentFlags {
  url?: string;
  token?: string;
  config?: string;
  model?: string;
  smallModel?: string;
  print?: boolean;
}

/** Where a gateway is if it is only told about, and not started. */
const USUAL_URL = "http://127.0.0.1:8787";

function addAgent(sluice: Command, name: string, agent: Agent, all: readonly string[]): void {
  const command = sluice.command(name)
    .description(`start ${name} with the gateway, and with its own arguments after ours`)
    .usage(`[options] [arguments of ${name}]`)
    .argument("[args...]")
    .option(
      "--url <url>",
      "address of a running gateway (SLUICE_URL); without it one is started in this process",
    )
    .option("--token <token>", "token for that gateway (SLUICE_TOKEN)")
    .option("--config <value>", "options of the gateway that is started: a file, or its JSON")
    .option("--model <name>", "model, e.g. openai/gpt-6-luna");
  if (name === "claude") {
    command.option("--small-model <name>", "model for its asides (default: that of --model)");
  }
  command.option("--print", "print what a shell needs for it, and start nothing")
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (args: string[], flags: AgentFlags) => await startAgent(agent, args, flags, all));
}

async function startAgent(
  agent: Agent,
  args: string[],
  flags: AgentFlags,
  all: readonly string[],
): Promise<void> {
  const { model, smallModel, print, config } = flags;
  const models = { ...model !== undefined && { model }, ...smallModel !== undefined && { smallModel } };
  const host = await findHost(all);
  const url = (flags.url ?? host.env("SLUICE_URL"))?.replace(/\/+$/, "");
  const token = flags.token ?? host.env("SLUICE_TOKEN");
  if (url !== undefined && !/^https?:\/\/[^/\s]/.test(url)) {
    throw new UserError(`sluice: --url must be an address such as ${USUAL_URL}`, USAGE);
  }
  if (print) return console.log(shellLines(agent, { url: url ?? USUAL_URL, token: token ?? "", ...models }));
  let close = () => Promise.resolve();
  let wiring: Wiring;
  if (url !== undefined) wiring = { url, token, ...models };
  else {
    const own = await ownGateway(host, new Map(config === undefined ? [] : [["SLUICE_CONFIG", config]]));
    close = own.close;
    wiring = { url: own.url, token: own.token, ...models };
  }
  const code = await runAgent(agent, wiring, args);
  await close();
  process.exit(code);
}
