/** Writing a call's settings by table, so that none is lost in silence. */
import type { Call, Settings } from "../types.ts";

/**
 * How a wire writes each setting into its body. A setting without an entry, or whose entry returns `false` for this
 * value, cannot be expressed.
 */
export type SettingsTable<Body> = {
  [Name in keyof Settings]?: (value: NonNullable<Settings[Name]>, body: Body, call: Call) => void | false;
};

/**
 * Writes what the client set, in the client's order.
 *
 * @returns The client's names of the settings that the table could not write.
 */
export function writeSettings<Body>(call: Call, body: Body, table: SettingsTable<Body>): string[] {
  const dropped: string[] = [];
  for (const [name, sentAs] of call.sent) {
    const write = table[name] as ((value: unknown, body: Body, call: Call) => void | false) | undefined;
    if (!write || write(call.settings[name], body, call) === false) dropped.push(sentAs);
  }
  return dropped;
}
