/** Reads credentials from the files that the variables of providers' own tools name, e.g. `GOOGLE_APPLICATION_CREDENTIALS`. */
import { PROVIDERS } from "../../providers/table.ts";
import { keySetFault } from "../../providers/sign/key_set.ts";
import { parseObject } from "../../wires/shared/json.ts";
import type { Env } from "../setup/env.ts";

/**
 * The environment with the text of each such file as the row's first key variable, unless the row has another credential.
 *
 * The variable may be meant for other programs, so that a file that is of no use is a warning and ends no start.
 *
 * @param warn Takes the warnings.
 */
export async function withKeyFiles(
  env: Env,
  read: (path: string) => Promise<string>,
  warn: (message: string) => void,
): Promise<Env> {
  const texts = new Map<string, string>();
  for (const { name, keyEnv = [], keySet } of PROVIDERS.values()) {
    const path = keySet?.file && env(keySet.file)?.trim();
    const others = [...keyEnv, ...Object.values(keySet?.env ?? {})];
    if (!path || others.some((variable) => env(variable)?.trim())) continue;
    const unread = (why: string) =>
      warn(`${keySet.file} is not read: the file ${JSON.stringify(path)} ${why}`);
    try {
      const text = (await read(path)).trim();
      const fault = parseObject(text) ? keySetFault(text, keySet) : "it is not JSON";
      if (fault === undefined) texts.set(keyEnv[0], text);
      else unread(`holds no key of ${name}: ${fault}`);
    } catch (cause) {
      unread(`cannot be read: ${(cause as Error).message}`);
    }
  }
  return texts.size === 0 ? env : (variable) => texts.get(variable) ?? env(variable);
}
