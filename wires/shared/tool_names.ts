import { digest } from "./tool_id.ts";
import type { Emit } from "../types.ts";

/** The longest name that all providers accept. */
const MOST_NAME = 64;

/** Passes deltas on and restores the client's names of tools that were sent to the provider under other names. */
export function withClientNames(emit: Emit, names: ReadonlyMap<string, string> | undefined): Emit {
  if (!names) return emit;
  return (delta) =>
    emit(
      delta.type === "tool" && names.has(delta.name) ? { ...delta, name: names.get(delta.name)! } : delta,
    );
}

/** Joins a namespace and a name into one name with the characters and the length that all providers accept. */
export function flatName(namespace: string, name: string): string {
  const whole = `${namespace}__${name}`;
  const flat = whole.replace(/[^a-zA-Z0-9_-]/g, "_");
  if (flat === whole && flat.length <= MOST_NAME) return flat;
  const sum = digest(whole);
  return `${flat.slice(0, MOST_NAME - sum.length - 1)}_${sum}`;
}
