/** Writes the settings of a call by a table, so that every setting is either written or named as dropped. */
import type { Call, Settings } from "../types.ts";

/**
 * How a wire writes each setting into its body. A wire cannot express a setting that has no entry, or a value for which
 * the entry returns `false`.
 */
export type SettingsTable<Body> = {
  [Name in keyof Settings]?: (value: NonNullable<Settings[Name]>, body: Body, call: Call) => void | false;
};

/**
 * Settings that ask a format without a place for them only for what it does anyway: reasoning is returned as it is, and
 * an answer has its usual length.
 */
export const AS_USUAL = {
  reasoning_summary: (wanted: string) => wanted === "auto" ? undefined : false as const,
  verbosity: (wanted: string) => wanted === "medium" ? undefined : false as const,
} satisfies SettingsTable<unknown>;

/** Settings that ask for nothing at OpenAI's default values, for a format without a place for them. */
export const AT_DEFAULTS = {
  n: (value) => value === 1 ? undefined : false,
  logprobs: (value) => value ? false : undefined,
  store: (value) => value ? false : undefined,
  frequency_penalty: (value) => value === 0 ? undefined : false,
  presence_penalty: (value) => value === 0 ? undefined : false,
  modalities: (value) => value.every((kind) => kind === "text") ? undefined : false,
  logit_bias: (value) => Object.keys(value).length === 0 ? undefined : false,
} satisfies SettingsTable<unknown>;

/** Writes the settings that the client sent, in the client's order. */
export function writeSettings<Body>(call: Call, body: Body, table: SettingsTable<Body>): string[] {
  const dropped: string[] = [];
  for (const [name, sentAs] of call.sent) {
    const write = table[name] as ((value: unknown, body: Body, call: Call) => void | false) | undefined;
    if (!write || write(call.settings[name], body, call) === false) dropped.push(sentAs);
  }
  return dropped;
}
