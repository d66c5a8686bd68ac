/** What is wrong with a client's request, by its path in the body. */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../errors.ts";
import { isObject } from "./json.ts";
import type { JsonObject } from "../types.ts";

/**
 * The body, if it accords with the schema.
 *
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault, e.g. `messages[2].content`.
 */
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

/** What valibot's actions ask for, which have no name of their own for it. */
const EXPECTED: ReadonlyMap<string, string> = new Map([
  ["non_empty", "at least one entry"],
  ["finite", "a number that JSON can hold"],
]);

/** The fault that a person would name: inside a union, the alternative of the right type that failed deeper down. */
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

/**
 * The error for a member that is missing or is not what it must be.
 *
 * @param expected What is due there, e.g. `string`.
 * @param input What is there instead; it is never quoted, as it may be a prompt.
 */
export function fault(param: string, expected: string, input: unknown): GatewayError {
  const received = input === null
    ? "null"
    : Array.isArray(input)
    ? (input.length === 0 ? "an empty list" : "a list")
    : typeof input === "object"
    ? "an object"
    : `a ${typeof input}`;
  const state = input === undefined
    ? `${param} is missing`
    : `${param} must be ${expected.replaceAll(/[()]/g, "")}, and is ${received}`;
  return new GatewayError("invalid_request", `Cannot read the request: ${state}`, { param });
}

/** The text that must be there. */
export function need(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw fault(path, "string", value);
}

/** The object that must be there. */
export function needObject(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw fault(path, "object", value);
}

/** The `true` or `false` that must be there. */
export function needBoolean(value: unknown, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw fault(path, "boolean", value);
}
