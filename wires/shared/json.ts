/** Helpers that read JSON of unknown shape. None of them throws. */
import { parseShallow } from "./depth.ts";
import type { JsonObject } from "../types.ts";

/** Whether the value is an object and not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value if it is an object and not a list; else `undefined`. */
export function object(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The value if it is a list; else an empty list. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects in a list; an empty list for any other value. */
export function objects(value: unknown): JsonObject[] {
  return list(value).filter(isObject);
}

/** Appends a list to another. `push(...from)` overflows the stack at some 120,000 entries. */
export function append<T>(to: T[], from: readonly T[]): void {
  for (const one of from) to.push(one);
}

/** The value if it is a text and not empty; else `undefined`. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value if it is a number above zero; else zero. */
export function count(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}

/** The object that a JSON text holds; `undefined` for any other text. */
export function parseObject(text: string): JsonObject | undefined {
  return object(parse(text));
}

/**
 * Parses JSON and keeps all digits of integers that a double cannot hold, mostly ids. Such a number becomes an object
 * that `JSON.stringify` writes with the same digits.
 *
 * @returns `undefined` for a text that is not JSON.
 */
export function parseExact(text: string): unknown {
  return /\d{16}/.test(text) && !IS_NUMBER.test(text) ? parse(text, keepDigits) : parse(text);
}

/** Matches a text that is a number alone, e.g. ` -12`. Kept as an object it would be mistaken for a JSON object. */
const IS_NUMBER = /^\s*[-\d]/;

/** `JSON.rawJSON`: only newer runtimes have it, and TypeScript does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };

function keepDigits(_: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !rawJSON) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) && source !== String(value) ? rawJSON(source) : value;
}

/** Parses JSON. Returns `undefined` for a text that is not JSON or that is nested deeper than `MOST_LEVELS`. */
export function parse(text: string, reviver?: typeof keepDigits): unknown {
  try {
    return parseShallow(text, reviver);
  } catch {
    return undefined;
  }
}

/** The members of an object as JSON, without the braces. */
export const members = (object: JsonObject): string => JSON.stringify(object).slice(1, -1);
