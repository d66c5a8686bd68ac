/** What can be set for the served form: how it listens, and each option that can be written down. */
import * as v from "npm:valibot@1.5.0";
import { bare, type Schema } from "./check.ts";
import { LOG_LEVELS, type LogLevel } from "../log/line.ts";
import { OPTIONS } from "./options.ts";
import { LONGEST_MS } from "../policies/settings.ts";

/** How the served form listens, and what it writes. */
export interface Listening {
  /** 0 for any that is free. Default 8787. */
  port: number;
  /** Address of the interface. Default 127.0.0.1. */
  hostname: string;
  /** How long running answers may go on after a signal to end, in milliseconds. Default 30000. */
  drainMs: number;
  /** Whether several processes may listen on one port, each for a share of the connections (Linux). Default false. */
  reusePort: boolean;
  /** Which requests have a line on standard error. With `off` no answer is looked at for it. Default `info`. */
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

/** Options that are functions cannot be written down. */
const WRITTEN = Object.fromEntries(
  Object.entries(OPTIONS.entries).filter(([, option]) => bare(option as Schema).type !== "function"),
) as Omit<typeof OPTIONS.entries, "fetch" | "log" | "now" | "random" | "wait">;

/** What the file `SLUICE_CONFIG` may hold, and the variables set. `$schema` is for editors. */
export const CONFIG = v.strictObject({
  $schema: v.optional(v.string()),
  ...LISTENING,
  ...WRITTEN,
  // A URL, or where files can be read a file's path.
  priceTable: v.optional(v.pipe(v.string(), v.trim(), v.nonEmpty())),
});
