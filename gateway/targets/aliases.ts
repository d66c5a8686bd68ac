/** Names that an operator gives to models: the option `models`. */
import type { Provider } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { DYNAMIC, findTarget } from "./find_target.ts";

/** What a name stands for. */
export interface Alias {
  /** As the operator wrote it. */
  pattern: string;
  /** `{provider}/{model}`, the first that is tried first. */
  names: readonly string[];
}

/** Finds what a client's name stands for; `undefined` for one that no pattern matches. */
export interface Aliases {
  find(name: string): Alias | undefined;
  /** Patterns that are names as they stand. */
  exact: readonly Alias[];
}

/** A pattern with what stands before and behind its star. */
interface Pattern extends Alias {
  before: string;
  /** Absent for a pattern without a star. */
  behind?: string;
}

/**
 * Reads the option `models`: the first pattern that matches counts, and what its star stands for is put in place of the
 * star of its value. Patterns are not applied to a value, so names cannot form a loop.
 *
 * A pattern without a slash never matches a name that begins with a known provider: `*` leaves `openai/gpt-5` alone.
 *
 * @throws TypeError that names the pattern at fault.
 */
export function readAliases(
  models: Readonly<Record<string, string | readonly string[]>>,
  providers: ReadonlyMap<string, Provider>,
): Aliases {
  const patterns = Object.entries(models).map(([pattern, value]): Pattern => {
    const fault = (why: string) => new TypeError(`Cannot use option models.${pattern}: ${why}`);
    const parts = pattern.split("*");
    if (pattern === "") throw fault("a pattern must not be empty");
    if (parts.length > 2) throw fault("a pattern may hold one *");
    const [before, behind] = parts;
    const names = typeof value === "string" ? [value] : value;
    for (const name of names) checkValue(name, behind !== undefined, providers, fault);
    return { pattern, names, before, behind };
  });
  return {
    exact: patterns.filter(({ behind }) => behind === undefined),
    find(name) {
      const isKnown = beginsWithProvider(name, providers);
      for (const { pattern, names, before, behind } of patterns) {
        if (isKnown && !pattern.includes("/")) continue;
        if (behind === undefined) {
          if (name === before) return { pattern, names };
          continue;
        }
        const isMatch = name.length >= before.length + behind.length && name.startsWith(before) &&
          name.endsWith(behind);
        if (!isMatch) continue;
        const star = name.slice(before.length, name.length - behind.length);
        return { pattern, names: names.map((value) => value.split("*").join(star)) };
      }
      return undefined;
    },
  };
}

/** `openai/gpt-5`, `@cf/meta/llama`; what Cloudflare calls `dynamic/…` is no model of anybody's either. */
function beginsWithProvider(name: string, providers: ReadonlyMap<string, Provider>): boolean {
  const slash = name.indexOf("/");
  if (slash < 0) return false;
  const first = name.slice(0, slash);
  return first === "@cf" || first === DYNAMIC || providers.has(first);
}

/** Checks what a value leads to, whatever its star stands for. */
function checkValue(
  name: string,
  hasStar: boolean,
  providers: ReadonlyMap<string, Provider>,
  fault: (why: string) => TypeError,
): void {
  const stars = name.split("*").length - 1;
  if (stars > 1) throw fault("a value may hold one *");
  if (stars === 1 && !hasStar) throw fault("its value holds a *, and the pattern holds none");
  const slash = name.indexOf("/");
  if (stars === 1 && (slash < 0 || name.indexOf("*") < slash)) {
    throw fault('a value names its provider before the *, e.g. "openrouter/*"');
  }
  let provider: Provider;
  try {
    ({ provider } = findTarget(name.replace("*", "x"), providers, "model", "any"));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw fault(error.message);
  }
  if (provider.chat === false && !provider.embeddings) {
    throw fault(`${provider.name} has only its own paths`);
  }
}
