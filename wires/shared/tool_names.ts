/** Tools' names in an answer. */
import type { Emit } from "../types.ts";

/** Passes deltas on, with the client's names of tools that were written under others. */
export function withClientNames(emit: Emit, names: ReadonlyMap<string, string> | undefined): Emit {
  if (!names) return emit;
  return (delta) =>
    emit(
      delta.type === "tool" && names.has(delta.name) ? { ...delta, name: names.get(delta.name)! } : delta,
    );
}
