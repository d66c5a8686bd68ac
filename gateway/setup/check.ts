/** Checks options against a valibot schema. */
import * as v from "npm:valibot@1.5.0";
import { nearestNames } from "../../providers/nearest_names.ts";

/** Any schema, with the members that the functions below read. */
export type Schema = v.GenericSchema & {
  /** The schema inside `optional` and the like. */
  wrapped?: Schema;
  /** The schemas of an object's members. */
  entries?: Record<string, Schema>;
  /** The schema of a record's values. */
  value?: Schema;
  /** The schema of a list's items. */
  item?: Schema;
  /** The schemas of which a value must meet one, or the words of which it must be one. */
  options?: readonly unknown[];
};

/** The schemas of which a value must meet one. */
export const kindsOf = ({ type, options = [] }: Schema): readonly Schema[] =>
  type === "union" ? options as readonly Schema[] : [];

/** The schemas of an object's members, also of an object that is one of several kinds of values. */
export function entriesOf(schema: Schema): Record<string, Schema> | undefined {
  const inner = bare(schema);
  return inner.entries ?? kindsOf(inner).find(({ entries }) => entries)?.entries;
}

/** The schema inside `optional` and the like. */
export function bare(schema: Schema): Schema {
  let inner = schema;
  while (inner.wrapped) inner = inner.wrapped;
  return inner;
}

/**
 * Checks a value.
 *
 * @returns The value with the schema's changes, e.g. without blanks around tokens.
 * @throws TypeError that names the faulty option and never quotes its value, which may be a secret.
 */
export function check<const S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { message: complaint });
  if (result.success) return result.output;
  const issue = innermost(result.issues[0]);
  const path = v.getDotPath(issue) ?? "(root)";
  throw new TypeError(`Cannot use option ${path}: it ${issue.message}${suggestion(schema as Schema, issue)}`);
}

/** The fault of an object's member, if the value is an object and other kinds of values were possible too. */
function innermost(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  const isOwn = issue.type === "union" && issue.message === complaint(issue);
  const inner = isOwn ? issue.issues?.find(({ path }) => path) : undefined;
  return inner ? { ...inner, path: [...issue.path ?? [], ...inner.path!] as typeof issue.path } : issue;
}

/** The name that was probably meant by an unknown one. */
function suggestion(schema: Schema, { expected, path }: v.BaseIssue<unknown>): string {
  if (expected !== "never" || !path) return "";
  const keys = path.map(({ key }) => String(key));
  const [near] = nearestNames(keys.pop()!, namesAt(schema, keys), 1);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

/** The member names that the schema knows at a path. */
function namesAt(schema: Schema, path: readonly string[]): string[] {
  let at: Schema | undefined = bare(schema);
  for (const key of path) {
    const inner: Schema | undefined = entriesOf(at)?.[key] ?? at.value ?? itemOf(at);
    if (!inner) return [];
    at = bare(inner);
  }
  return Object.keys(entriesOf(at) ?? {});
}

/** The schema of a list's items, also of a list that is one of several kinds of values. */
const itemOf = (schema: Schema): Schema | undefined =>
  schema.item ?? kindsOf(schema).find(({ item }) => item)?.item;

/** Says what the value must be. Never quotes the value, which may be a secret. */
function complaint({ type, expected, requirement }: v.BaseIssue<unknown>): string {
  switch (type) {
    case "integer":
      return "must be a whole number";
    case "max_value":
      return `must be at most ${requirement}`;
    case "min_value":
      return `must be at least ${requirement}`;
    case "non_empty":
      return "must not be empty";
  }
  if (expected === "never") return "is not known";
  // The name of a member that an object must have, in quotation marks.
  if (type === "strict_object" && expected?.startsWith('"')) return "is missing";
  const due = expected?.replaceAll(/[()]/g, "").split(" | ") ?? ["something else"];
  return `must be ${due.map((kind) => KINDS.get(kind) ?? kind).join(" or ")}`;
}

/** Plain words for valibot's names of types. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["Array", "a list"],
  ["Function", "a function"],
  ["Object", "an object"],
  ["boolean", "true or false"],
  ["number", "a number"],
  ["string", "a text"],
]);
