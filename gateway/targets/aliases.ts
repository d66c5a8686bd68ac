/** Reads the option `models`: the operator's own names for models. */
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { DYNAMIC, findTarget } from "./find_target.ts";
import { isRouteName, routeNameIn, type Routes } from "./routes/legs.ts";

/** A name of the operator's, with the models that it stands for. */
export interface Alias {
  /** The pattern as the operator wrote it. */
  pattern: string;
  /** Each as `{provider}/{model}`, in the order in which they are tried. */
  names: readonly string[];
}

/** The operator's names. */
export interface Aliases {
  /** The models that a client's name stands for; `undefined` if no pattern matches it. */
  find(name: string): Alias | undefined;
  /** The patterns without a star. */
  exact: readonly Alias[];
}

/** A pattern, split at its star. */
interface Pattern extends Alias {
  before: string;
  /** The text behind the star. Absent for a pattern without a star. */
  behind?: string;
}

/**
 * Reads the option `models`. The first pattern that matches counts, and the text that its star matches replaces the star of
 * its value. Patterns are not applied to values, so names cannot form a loop.
 *
 * A pattern without a slash never matches a name that begins with a known provider: `*` does not match `openai/gpt-5`.
 *
 * @throws TypeError that names the faulty pattern.
 */
export function readAliases(
  models: Readonly<Record<string, string | readonly string[]>>,
  providers: ReadonlyMap<string, Provider>,
  routes?: Routes,
): Aliases {
  const patterns = Object.entries(models).map(([pattern, value]): Pattern => {
    const fault = (why: string) => new TypeError(`Cannot use option models.${pattern}: ${why}`);
    const parts = pattern.split("*");
    if (pattern === "") throw fault("a pattern must not be empty");
    if (parts.length > 2) throw fault("a pattern may hold one *");
    const [before, behind] = parts;
    const names = typeof value === "string" ? [value] : value;
    for (const name of names) {
      if (isRouteName(name, providers)) checkRoute(name, routes, fault);
      else checkValue(name, behind !== undefined, providers, fault);
    }
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

/** Whether a name begins with a provider: `openai/gpt-5`, `@cf/meta/llama`. Cloudflare's `dynamic/…` counts as one too. */
function beginsWithProvider(name: string, providers: ReadonlyMap<string, Provider>): boolean {
  const slash = name.indexOf("/");
  if (slash < 0) return false;
  const first = name.slice(0, slash);
  return first === "@cf" || first === DYNAMIC || providers.has(first);
}

/** Checks that a value names a route that exists. */
function checkRoute(name: string, routes: Routes | undefined, fault: (why: string) => TypeError): void {
  const route = routeNameIn(name);
  // A route in a store may be made later.
  if (routes?.isStored || routes?.isFixed(route)) return;
  throw fault(`there is no route ${quote(route)} in the option routes`);
}

/** Checks that a value leads to a model, whatever text replaces its star. */
function checkValue(
  name: string,
  hasStar: boolean,
  providers: ReadonlyMap<string, Provider>,
  fault: (why: string) => TypeError,
): void {
  const stars = name.split("*").length - 1;
  if (stars > 1) throw fault("a value may hold one *");
  if (stars === 1 && !hasStar) throw fault("its value holds a *, but the pattern does not");
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
