/** The settings of the served form: how it listens, and each option that is not a function. */
import * as v from "npm:valibot@1.5.0";
import { bare, type Schema } from "./check.ts";
import { LOG_LEVELS, type LogLevel } from "../log/line.ts";
import { writtenLogsOption } from "./logs_option.ts";
import { OPTIONS } from "./options.ts";
import { LONGEST_MS } from "../policies/settings.ts";

/** How the served form listens and logs. */
export interface Listening {
  /** 0 for any free port. Default 8787. */
  port: number;
  /** Address of the interface. Default 127.0.0.1. */
  hostname: string;
  /** Milliseconds that running answers may take to end after a signal to stop. Default 30000. */
  drainMs: number;
  /** Whether several processes may share one port, each with a part of the connections (Linux). Default false. */
  reusePort: boolean;
  /** Which requests get a line on standard error. Default `info`. */
  log: LogLevel;
}

const PORT = "must be a port from 0 to 65535";

const LISTENING = {
  port: v.optional(
    v.pipe(v.number(PORT), v.integer(PORT), v.minValue(0, PORT), v.maxValue(65535, PORT)),
    8787,
  ),
  host: v.optional(v.pipe(v.string(), v.nonEmpty()), "127.0.0.1"),
  drainMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LONGEST_MS)), 30_000),
  reusePort: v.optional(v.boolean(), false),
  log: v.optional(v.picklist(LOG_LEVELS), "info"),
};

/** The options without those that are functions, which JSON cannot hold. */
const WRITTEN = Object.fromEntries(
  Object.entries(OPTIONS.entries).filter(([, option]) => bare(option as Schema).type !== "function"),
) as Omit<typeof OPTIONS.entries, "fetch" | "log" | "now" | "random" | "wait">;

const place = v.optional(v.pipe(v.string(), v.trim(), v.nonEmpty()));

/** The schema of `SLUICE_CONFIG` and of the variables. `$schema` is for editors. */
export const CONFIG = v.strictObject({
  $schema: v.optional(v.string()),
  ...LISTENING,
  ...WRITTEN,
  // A URL, or a file's path if the runtime can read files.
  priceTable: place,
  // The URL of a store.
  store: place,
  logs: v.optional(writtenLogsOption),
});
