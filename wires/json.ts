/** Reading JSON of unknown shape. */
import type { JsonObject } from "./types.ts";

/** The value, if it is an object and no list. */
export function object(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : undefined;
}

/** The object that the text is, if it is one. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return object(JSON.parse(text));
  } catch {
    return undefined;
  }
}
