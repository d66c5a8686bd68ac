/** Patterns of models, as in the limits of a token: `openai/gpt-*`. */
import type { Provider } from "../../providers/types.ts";
import { findTarget } from "./find_target.ts";

/** Stands for the star while the rest of a pattern is read as a model's name. */
const STAR = "\u0001";

/**
 * Reads patterns: each the name of a model as a client writes it, with at most one `*` behind the provider's name.
 *
 * @returns The patterns with the names of the providers' rows, in the form that `matchesModel` takes.
 * @throws TypeError, with the path of the faulty pattern.
 */
export function readModelPatterns(
  patterns: readonly string[],
  providers: ReadonlyMap<string, Provider>,
  option: string,
): string[] {
  return patterns.map((pattern, at) => {
    const fault = () =>
      new TypeError(
        `Cannot use option ${option}.${at}: ${
          JSON.stringify(pattern)
        } must be a known provider and a model, ` +
          'with at most one * in the model, e.g. "openai/gpt-*"',
      );
    if (pattern.split("*").length > 2) throw fault();
    try {
      const { provider, model } = findTarget(pattern.replace("*", STAR), providers, "models", "any");
      return `${provider.name}/${plain(model).replace(STAR, "*")}`.toLowerCase();
    } catch {
      throw fault();
    }
  });
}

/** A model's name in one spelling: Google's may begin with `models/`, and some providers cut blanks off. */
const plain = (model: string) => model.trim().replace(/^models\//i, "");

/** Whether a model matches one of the patterns. Providers ignore the case of their models' names, some of them at least. */
export function matchesModel(patterns: readonly string[], provider: string, model: string): boolean {
  const name = `${provider}/${plain(model)}`.toLowerCase();
  return patterns.some((pattern) => {
    const star = pattern.indexOf("*");
    if (star < 0) return name === pattern;
    const before = pattern.slice(0, star), behind = pattern.slice(star + 1);
    return name.length >= before.length + behind.length && name.startsWith(before) && name.endsWith(behind);
  });
}
