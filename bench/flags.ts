/** The flags of the benches' programs, `--name=value`. */

/**
 * Reads the program's flags. An unknown flag, or a text in place of a number, ends the program.
 *
 * @param defaults The defaults by name. The type of the default is the type of the flag.
 */
export function readFlags<T extends Record<string, number | string>>(defaults: T): T {
  const flags: Record<string, number | string> = { ...defaults };
  for (const arg of Deno.args) {
    const [, name = "", value = ""] = /^--(\w+)=(.*)$/.exec(arg) ?? [];
    if (!Object.hasOwn(defaults, name)) {
      leave(`there is no ${arg}, only ${Object.keys(defaults).map((name) => `--${name}=`).join(" ")}`);
    }
    const isNumber = typeof defaults[name] === "number";
    if (isNumber && !/^\d+(\.\d+)?$/.test(value)) leave(`--${name} must be a number`);
    flags[name] = isNumber ? Number(value) : value;
  }
  return flags as T;
}

/** Ends the program with a message, for flags that match nothing. */
export function leave(why: string): never {
  console.error(`Cannot run: ${why}`);
  Deno.exit(1);
}
