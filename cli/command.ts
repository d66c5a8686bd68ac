/** The command line: subcommands, flags and errors. */
import process from "node:process";
import { Command, CommanderError } from "npm:commander@14.0.3";
import { type Host, hostHere } from "../gateway/serve/hosts.ts";
import { serveOn } from "../gateway/serve/run.ts";
import { object, parse } from "../wires/shared/json.ts";
import { type Agent, AGENTS, ownGateway, runAgent, shellLines, type Wiring } from "./agents.ts";
import { check } from "./check.ts";
import { USAGE, UserError } from "./errors.ts";
import { addServedFlags } from "./flags.ts";
import { listKeys, makeKey, type Operator, revokeKey, rotateKey } from "./keys.ts";
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
  return hostHere(import.meta.url.replace(/command(\.[jt]s)$/, "main$1"), args) ??
    (await import("./node.ts")).nodeHost;
}

function program(args: readonly string[]): Command {
  const sluice = new Command("sluice")
    .description("Serves every model provider behind the APIs that clients already speak.")
    .version(VERSION, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    // Without arguments that are only there to be refused.
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
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
  addKeys(sluice, args);
  addImport(sluice);
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
      throw unknown(name, "sluice --help");
    }
    await serveOn(await findHost(args), flags());
  });
}

const unknown = (command: string, help: string) =>
  new UserError(`sluice: there is no command ${JSON.stringify(command)}; see ${help}`, USAGE);

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
    .description(`start ${agent.title} through the gateway; its own arguments follow ours`)
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

function urlOf(text: string): string {
  if (/^https?:\/\/[^/\s]/.test(text)) return text.replace(/\/+$/, "");
  throw new UserError(`sluice: --url must be an address such as ${USUAL_URL}`, USAGE);
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
  // An empty variable of a script counts as none.
  const given = flags.url ?? (host.env("SLUICE_URL") || undefined);
  const url = given === undefined ? undefined : urlOf(given);
  const token = flags.token || host.env("SLUICE_TOKEN") || undefined;
  if (print) {
    console.log(shellLines(agent, { url: url ?? USUAL_URL, token: token ?? "", ...models }));
    if (token === undefined) {
      console.error("Set SLUICE_TOKEN to a token of that gateway before these lines run");
    }
    return;
  }
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

function addImport(sluice: Command): void {
  sluice.command("import")
    .description("turn another gateway's settings into options: sluice import litellm config.yaml")
    .argument("<kind>", "litellm")
    .argument("<file>", "its settings")
    .action(async (kind: string, file: string) => {
      if (kind !== "litellm") throw unknown(`import ${kind}`, "sluice import --help");
      const { importFile } = await import("./import_file.ts");
      await importFile(file);
    });
}

/** Adds `sluice keys`, whose commands ask a running gateway. */
function addKeys(sluice: Command, args: readonly string[]): void {
  const keys = sluice.command("keys").description(
    "list, make, rotate and revoke virtual keys of a running gateway",
  )
    .helpCommand(false);
  /** A command whose first argument is the gateway. */
  const add = (
    usage: string,
    does: string,
    run: (operator: Operator, name: string, flags: KeyFlags) => Promise<void>,
  ) =>
    keys.command(usage, usage.startsWith("list") ? { isDefault: true } : {})
      .description(does)
      .allowExcessArguments(usage.startsWith("list"))
      .option("--url <url>", `address of the gateway (SLUICE_URL; default: ${USUAL_URL})`)
      .option("--admin-token <token>", "token of its operator (SLUICE_ADMIN_TOKEN)")
      .action(async (name = "", flags: KeyFlags) => {
        const { env } = await findHost(args);
        const url = urlOf(flags.url ?? (env("SLUICE_URL") || USUAL_URL));
        await run({ url, adminToken: flags.adminToken || env("SLUICE_ADMIN_TOKEN") }, name, flags);
      });
  add(
    "list [command]",
    "list keys, the newest first (also without a command)",
    (operator, command, { search }) => {
      if (command !== "") throw unknown(`keys ${command}`, "sluice keys --help");
      return listKeys(operator, search);
    },
  )
    .usage("[options]")
    .option("--search <text>", "part of a name, a team or an id");
  add(
    "make <name>",
    "make a key and print its secret",
    (operator, name, flags) => makeKey(operator, factsOf(name, flags)),
  )
    .option("--team <name>", "its team")
    .option("--expires <date>", "date after which it opens nothing, e.g. 2027-01-31")
    .option("--models <list>", "models that it opens, with commas between them")
    .option("--providers <list>", "providers that it opens")
    .option("--gateways <list>", "gateways that it opens")
    .option("--facts <json>", 'other facts, e.g. {"limits": {"rpm": 60}}');
  add(
    "rotate <key>",
    "give a key, by its id or name, a new secret",
    (operator, key, { grace }) =>
      rotateKey(operator, key, grace === undefined ? undefined : wholeOf("--grace", grace)),
  )
    .option("--grace <seconds>", "how long the old secret may be used (default: a day)");
  add("revoke <key>", "remove a key, by its id or name", revokeKey);
}

/** The flags of the commands of `sluice keys`. */
interface KeyFlags {
  url?: string;
  adminToken?: string;
  search?: string;
  grace?: string;
  team?: string;
  expires?: string;
  models?: string;
  providers?: string;
  gateways?: string;
  facts?: string;
}

function factsOf(name: string, { team, expires, facts, ...flags }: KeyFlags): object {
  const others = facts === undefined ? {} : object(parse(facts));
  if (!others) throw new UserError("sluice: --facts must be a JSON object", USAGE);
  const lists = (["models", "providers", "gateways"] as const).filter((list) => flags[list] !== undefined)
    .map((list) => [list, flags[list]!.split(",").map((one) => one.trim()).filter(Boolean)]);
  return {
    ...others,
    name,
    ...team !== undefined && { team },
    ...expires !== undefined && { expires },
    ...Object.fromEntries(lists),
  };
}

function wholeOf(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UserError(`sluice: ${flag} must be a whole number`, USAGE);
}
