/** Reading JSON of unknown shape. Whatever a value is, what comes of it is harmless. */
import { parseShallow } from "./depth.ts";
import type { JsonObject } from "../types.ts";

/** Whether the value is an object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value, if it is an object and no list. */
export function object(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The value, if it is a list; else an empty one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects in the value, if it is a list. */
export function objects(value: unknown): JsonObject[] {
  return list(value).filter(isObject);
}

/** Adds all of a list to another: `push(...from)` overflows the stack with some 120,000. */
export function append<T>(to: T[], from: readonly T[]): void {
  for (const one of from) to.push(one);
}

/** The value, if it is a text and not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value, if it is a number above zero; else zero. */
export function count(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}

/** The object that the text is, if it is one. */
export function parseObject(text: string): JsonObject | undefined {
  return object(parse(text));
}

/**
 * Like `JSON.parse`, but keeps the digits of integers that a double cannot hold (ids, mostly): such a number is an
 * object that `JSON.stringify` writes as it came.
 *
 * @returns `undefined` for what is not JSON.
 */
export function parseExact(text: string): unknown {
  return /\d{16}/.test(text) && !IS_NUMBER.test(text) ? parse(text, keepDigits) : parse(text);
}

/** A number alone: kept as an object, it would be taken for one. */
const IS_NUMBER = /^\s*[-\d]/;

/** Of newer runtimes; TypeScript does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };

function keepDigits(_: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !rawJSON) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) && source !== String(value) ? rawJSON(source) : value;
}

/** Like `JSON.parse`, but `undefined` for what is not JSON, or is nested deeper than anything that is meant to be read. */
export function parse(text: string, reviver?: typeof keepDigits): unknown {
  try {
    return parseShallow(text, reviver);
  } catch {
    return undefined;
  }
}
