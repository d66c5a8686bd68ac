import type { Emit } from "../types.ts";

/** Passes deltas on and restores the client's names of tools that were sent to the provider under other names. */
export function withClientNames(emit: Emit, names: ReadonlyMap<string, string> | undefined): Emit {
  if (!names) return emit;
  return (delta) =>
    emit(
      delta.type === "tool" && names.has(delta.name) ? { ...delta, name: names.get(delta.name)! } : delta,
    );
}
