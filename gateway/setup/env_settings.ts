/** Gathers options from variables, and remembers each option's variable for errors. */
import { isObject } from "../../wires/shared/json.ts";
import { readObject } from "./env_options.ts";

/** The options gathered so far. */
export class Settings {
  readonly values: Record<string, unknown>;
  /** The variable by the option's path, e.g. `providers.openai.baseUrl`. */
  readonly #sources = new Map<string, string>();

  /** @param file The object in `SLUICE_CONFIG`. */
  constructor(file: Record<string, unknown>) {
    this.values = structuredClone(file);
  }

  /**
   * Sets an option.
   *
   * @param adds Whether an object's members are added to those already set.
   */
  set(variable: string, path: readonly string[], value: unknown, adds = false): void {
    let at = this.values;
    for (const key of path.slice(0, -1)) {
      // A member of an option that is switched off does not switch it on.
      if (at[key] === false) return;
      at = (at[key] = isObject(at[key]) ? at[key] : {}) as typeof at;
    }
    const key = path.at(-1)!;
    at[key] = adds && isObject(at[key]) && isObject(value) ? { ...at[key], ...value } : value;
    this.#sources.set(path.join("."), variable);
  }

  /**
   * Runs a check of options. Its error for an option becomes one that names the option's variable.
   *
   * @param only The variable that set all of the options. Default: the one that `set` was told.
   * @throws TypeError that names the variable.
   */
  check<T>(work: () => T, only?: string): T {
    try {
      return work();
    } catch (error) {
      const [, path, rest] = /^Cannot use option (.+?): (.*)$/s.exec((error as Error).message) ?? [];
      if (path === undefined) throw error;
      if (only) throw cannotUse(only, `${path}: ${rest}`);
      for (let source = path; source; source = source.slice(0, Math.max(0, source.lastIndexOf(".")))) {
        const variable = this.#sources.get(source);
        if (variable) throw cannotUse(variable, source === path ? rest : `${path}: ${rest}`);
      }
      throw cannotUse("SLUICE_CONFIG", `${path}: ${rest}`);
    }
  }
}

/** The error for a variable with a faulty value. */
export const cannotUse = (variable: string, why: string) => new TypeError(`Cannot use ${variable}: ${why}`);

/**
 * Reads a variable's value.
 *
 * @throws TypeError that names the variable.
 */
export function readAs<T>(variable: string, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    throw cannotUse(variable, (error as Error).message);
  }
}

/**
 * The object in `SLUICE_CONFIG`.
 *
 * @param value The variable's value: the JSON itself, or a file's path.
 * @param file The text of that file, if the runtime can read files.
 */
export function readConfig(value: string | undefined, file: string | undefined): Record<string, unknown> {
  const text = (file ?? value ?? "").replace(/^\ufeff/, "").trim();
  if (file === undefined && text === "") return {};
  if (file === undefined && !text.startsWith("{")) {
    throw cannotUse("SLUICE_CONFIG", "this runtime cannot read files; set it to the JSON itself");
  }
  return readAs("SLUICE_CONFIG", text, readObject);
}
