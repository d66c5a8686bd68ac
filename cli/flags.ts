/** The flags of the served form: each option's variable is a flag too, e.g. `--cache-ttl` for `SLUICE_CACHE_TTL`. */
import { type Command, InvalidArgumentError, Option } from "npm:commander@14.0.3";
import { type OptionVariable, optionVariables } from "../gateway/setup/env_options.ts";
import { CONFIG } from "../gateway/setup/served_options.ts";

/** The flags that `--help` tells, and what each does. */
const SHOWN: Record<string, string> = {
  port: "port; 0 for any free one (default: 8787)",
  host: "address of the interface (default: 127.0.0.1)",
  config: "file with all options, or its JSON",
  store: "URL of the store, e.g. sqlite:sluice.db",
  token: "gateway token that requests need; may be given several times",
  "admin-token": "token of the operator",
  log: "which requests get a line on standard error: off, error, warn or info",
};

/** A flag, and the variable that it sets. */
interface Flag {
  name: string;
  variable: string;
  /** Whether it may stand without a value. */
  isSwitch: boolean;
}

const FLAGS: Flag[] = [
  { name: "config", variable: "SLUICE_CONFIG", isSwitch: false },
  { name: "token", variable: "SLUICE_TOKENS", isSwitch: false },
  ...optionVariables(CONFIG).map((variable) => {
    const name = variable.name.slice("SLUICE_".length).toLowerCase().replaceAll("_", "-");
    const isBare = name === "port" || name === "host";
    return { name, variable: isBare ? name.toUpperCase() : variable.name, isSwitch: isSwitch(variable) };
  }),
];

function isSwitch({ read }: OptionVariable): boolean {
  try {
    return read("true") === true;
  } catch {
    // An object, which is JSON.
    return false;
  }
}

/** Adds the flags to a command. @returns Reads the variables that they set, once the command runs. */
export function addServedFlags(command: Command): () => Map<string, string> {
  const options = FLAGS.map(({ name, variable, isSwitch }) => {
    const option = new Option(`--${name} ${isSwitch ? "[value]" : "<value>"}`, SHOWN[name]);
    option.argParser((value: string, before: unknown) => {
      // An unset variable of a script, as in `--token "$TOKEN"`, would leave the gateway open.
      if (value.trim() === "") throw new InvalidArgumentError("It must not be empty.");
      return name === "token" && before !== undefined ? `${before},${value}` : value;
    });
    command.addOption(SHOWN[name] === undefined ? option.hideHelp() : option);
    return { option, variable };
  });
  return () => {
    const values: Record<string, unknown> = command.opts();
    // A switch without a value is on: `true`.
    return new Map(
      options.filter(({ option }) => values[option.attributeName()] !== undefined).map((
        { option, variable },
      ) => [variable, `${values[option.attributeName()]}`]),
    );
  };
}
