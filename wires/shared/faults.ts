/** Errors about a client's request, each with the path of the fault in the body. */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../errors.ts";
import { isObject } from "./json.ts";
import type { JsonObject } from "../types.ts";

/** Checks a body against a schema and returns it. */
export function check<S extends v.GenericSchema>(schema: S, body: JsonObject): v.InferOutput<S> {
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const issue = deepest(result.issues[0]);
  const param = issue.path.reduce(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${key}` : `${key}`,
    "",
  );
  throw fault(`${param}`, issue.expected, issue.input);
}

/** What some valibot actions expect: these have no `expected` text of their own. */
const EXPECTED: ReadonlyMap<string, string> = new Map([
  ["non_empty", "at least one entry"],
  ["finite", "a number that JSON can hold"],
]);

/**
 * The fault that a person would name: in a union, that of the first alternative that had the right type and failed
 * deeper.
 */
function deepest(
  issue: v.BaseIssue<unknown>,
): { path: (string | number)[]; expected: string; input: unknown } {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const inner = issue.issues?.find((candidate) => (candidate.path?.length ?? 0) > 0);
  if (inner) {
    const below = deepest(inner);
    return { ...below, path: [...path, ...below.path] };
  }
  const expected = EXPECTED.get(issue.type) ?? issue.expected ?? "another value";
  return {
    path,
    expected: expected.replaceAll("Array", "list").replaceAll("Object", "object"),
    input: issue.input,
  };
}

/** Kinds of values, as a sentence names them. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["boolean", "a boolean"],
  ["list", "a list"],
  ["number", "a number"],
  ["object", "an object"],
  ["string", "a string"],
]);

/** `(string | list)` as words: `a string or a list`. */
function named(expected: string): string {
  const kinds = expected.replaceAll(/[()]/g, "").split(" | ").map((kind) => KINDS.get(kind) ?? kind);
  return [kinds.slice(0, -1).join(", "), kinds.at(-1)].filter(Boolean).join(" or ");
}

/**
 * The error for a member that is missing or has the wrong type.
 *
 * @param expected What must stand there, e.g. `string`.
 * @param input The value that stands there. Only its type is named, as the value may be a prompt.
 */
export function fault(param: string, expected: string, input: unknown): GatewayError {
  const received = input === null
    ? "null"
    : Array.isArray(input)
    ? (input.length === 0 ? "an empty list" : "a list")
    : typeof input === "object"
    ? "an object"
    // Of words that stand there as such, none is.
    : typeof input === "string" && expected.startsWith('"')
    ? "another string"
    : `a ${typeof input}`;
  const state = input === undefined
    ? `${param} is missing`
    : `${param} must be ${named(expected)}, and is ${received}`;
  return new GatewayError("invalid_request", `Cannot read the request: ${state}`, { param });
}

/** Returns the value if it is a string; throws the fault at `path` if not. */
export function need(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw fault(path, "string", value);
}

/** Returns the value if it is an object; throws the fault at `path` if not. */
export function needObject(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw fault(path, "object", value);
}

/** Returns the value if it is a boolean; throws the fault at `path` if not. */
export function needBoolean(value: unknown, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw fault(path, "boolean", value);
}
