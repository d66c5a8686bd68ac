/** Writes a row about a request as a line of text. */
import type { LogEntry } from "../stores/log_row.ts";

/** The least level of the rows that are written. With `off` no row is written. */
export type LogLevel = "off" | "error" | "warn" | "info";

const RANKS: Record<LogLevel, number> = { off: 0, error: 1, warn: 2, info: 3 };

/** The levels, by name. */
export const LOG_LEVELS = Object.keys(RANKS) as LogLevel[];

/** Whether a row of a level is written if `set` is the option's value. */
export const isWritten = (level: LogEntry["level"], set: LogLevel) => RANKS[level] <= RANKS[set];

/** Characters that JSON does not escape and that could end a line, colour a terminal or reverse the direction of text. */
const HIDDEN = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The row as one JSON object, for programs that collect logs. */
export function jsonLine(entry: LogEntry): string {
  return JSON.stringify(entry).replaceAll(
    HIDDEN,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const RED = 31, YELLOW = 33;

/**
 * The row for people: `12:03:41 200 anthropic/claude-sonnet-5-5 1.2 s 312→88 tok stream`. The row of a failure also has its
 * reason and its id.
 *
 * @param coloured Whether failures are coloured: red, or yellow for the client's own.
 */
export function textLine(entry: LogEntry, coloured: boolean): string {
  const { level, status, provider, model, inputTokens, outputTokens, stream, tries } = entry;
  const tokens = inputTokens === undefined ? undefined : `${inputTokens}→${outputTokens} tok`;
  const what = provider === undefined
    ? `${entry.method} ${entry.path}`
    : model
    ? `${provider}/${model}`
    : provider;
  const words = [
    new Date(entry.time).toTimeString().slice(0, 8),
    status,
    what,
    `${(entry.durationMs / 1000).toFixed(1)} s`,
    tokens,
    stream ? "stream" : undefined,
    entry.explained && "explained",
    entry.cached && "cached",
    tries > 1 ? `${tries} tries` : undefined,
  ];
  if (level !== "info") words.push(reason(entry), entry.id);
  // deno-lint-ignore no-control-regex
  const line = words.filter((word) => word !== undefined).join(" ").replaceAll(/[\u0000-\u001f]/g, "?")
    .replaceAll(HIDDEN, "?");
  if (!coloured || level === "info") return line;
  return `\x1b[${level === "error" ? RED : YELLOW}m${line}\x1b[0m`;
}

function reason({ error = {} }: LogEntry): string {
  if ("message" in error) return `${error.code}: ${error.message}`;
  const { status, type, code } = error as { status?: number; type?: string; code?: string | number };
  return `the provider said ${[status, type, code].filter((word) => word !== undefined).join(" ") || "no"}`;
}
