/**
 * Fits JSON Schema to Anthropic's structured outputs (`output_config.format` and strict tools).
 *
 * The API compiles a schema into a grammar. It answers 400 to keywords that the grammar cannot express ("For 'integer'
 * type, property 'minimum' is not supported"). A schema within the API's subset is sent unchanged.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations (2026-11)
 */
import { isObject, list, object, objects } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";

/** Keywords whose value is a schema, a list of schemas, or a map of schemas by name. */
const SCHEMAS = new Set(["items", "anyOf", "allOf", "properties", "$defs", "definitions"]);

/** Keywords that the API accepts with any value. */
const KEPT = new Set([
  "type",
  "default",
  "required",
  "title",
  "description",
]);

/** Keywords that do not restrict what is valid: losing them need not be named. */
const NOTES = new Set(["examples", "deprecated", "readOnly", "writeOnly", "$comment", "$id"]);

const FORMATS = new Set(
  ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
);

/**
 * Fits a schema to the API's subset.
 *
 * - `additionalProperties: false` is set on every object: the API demands it, and the grammar knows no other objects.
 * - `oneOf` becomes `anyOf`: a grammar offers alternatives and cannot exclude what fits two of them. `allOf` of a
 *   single schema becomes `anyOf` too, which means the same, because the API accepts no `$ref` inside `allOf`.
 * - Everything else that the grammar cannot express moves into the description, where the model reads it though nothing
 *   enforces it: other keywords, a `$ref` that leads out of the document or in a circle, `enum` of objects and lists,
 *   `items` that are a list of schemas.
 *
 * @param path The path of the schema in the client's body.
 * @param dropped Takes the client's paths of what is no longer enforced.
 */
export function narrowSchema(schema: JsonObject, path: string, dropped: string[]): JsonObject {
  const open = refsThatStayOpen(schema);
  return narrow(schema, path);

  function narrow(schema: JsonObject, path: string): JsonObject {
    const out: JsonObject = {};
    const told: string[] = [];
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === "$schema" || keyword === "additionalProperties") continue;
      const at = `${path}.${keyword}`;
      if (keyword === "oneOf" || (keyword === "allOf" && list(value).length === 1)) {
        out.anyOf = narrowAll(value, at);
      } else if (SCHEMAS.has(keyword) && !isOpenAllOf(keyword, value) && !isTuple(keyword, value)) {
        out[keyword] = narrowAll(value, at, keyword === "items");
      } else if (keyword === "$ref" ? !open.has(schema) : isKept(keyword, value)) out[keyword] = value;
      else {
        told.push(`${keyword}: ${JSON.stringify(value)}`);
        if (!NOTES.has(keyword)) dropped.push(at);
      }
    }
    if (isObjectType(schema)) {
      const others = schema.additionalProperties;
      if (others !== undefined && others !== false) dropped.push(`${path}.additionalProperties`);
      out.additionalProperties = false;
    }
    if (told.length > 0) {
      const note = `{${told.join(", ")}}`;
      out.description = typeof schema.description === "string" ? `${schema.description}\n\n${note}` : note;
    }
    return out;
  }

  function narrowAll(value: unknown, path: string, single = false): unknown {
    if (Array.isArray(value)) return value.map((item, at) => narrowOne(item, `${path}[${at}]`));
    if (!isObject(value)) return value;
    if (single) return narrowOne(value, path);
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, narrowOne(item, `${path}.${name}`)]),
    );
  }

  /** Narrows one schema. `true` and `false` are schemas too. */
  function narrowOne(value: unknown, path: string): unknown {
    return isObject(value) ? narrow(value, path) : value;
  }
}

/** Whether the API can compile a schema once it is narrowed, so that a tool can be strict. */
export function compiles(schema: JsonObject): boolean {
  let whole = refsThatStayOpen(schema).size === 0;
  visit(schema, (one) => {
    const { allOf, enum: values } = one;
    if (list(allOf).length > 1 && holdsRef(allOf)) whole = false;
    if (values !== undefined && !isKept("enum", values)) whole = false;
  });
  return whole;
}

const isOpenAllOf = (keyword: string, value: unknown) => keyword === "allOf" && holdsRef(value);

/** Whether `items` has one schema per position, as drafts before 2020-12 write it. */
const isTuple = (keyword: string, value: unknown) => keyword === "items" && Array.isArray(value);

const holdsRef = (schemas: unknown) => objects(schemas).some(({ $ref }) => $ref !== undefined);

/** Calls `each` for a schema and every schema inside it. */
function visit(schema: unknown, each: (schema: JsonObject) => void): void {
  if (!isObject(schema)) return;
  each(schema);
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "items" && isObject(value)) visit(value, each);
    else if (SCHEMAS.has(keyword) || keyword === "oneOf") {
      for (const one of Object.values(value ?? {})) visit(one, each);
    }
  }
}

/** The name of the root, which holds the schemas outside of definitions. A `$ref` to it is circular. */
const ROOT = "#";

/**
 * The schemas whose `$ref` the grammar cannot follow: it leads out of the document, to a missing definition, to the
 * root (which contains it), or in a circle.
 */
function refsThatStayOpen(root: JsonObject): ReadonlySet<JsonObject> {
  const refs: { holder: JsonObject; from: string; to: string }[] = [];
  const names = new Set<string>();
  const read = (schema: unknown, from: string) =>
    visit(schema, (holder) => {
      if (holder.$ref !== undefined) refs.push({ holder, from, to: String(holder.$ref) });
    });
  for (const keyword of ["$defs", "definitions"]) {
    for (const [name, schema] of Object.entries(object(root[keyword]) ?? {})) {
      const at = `#/${keyword}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      names.add(at);
      read(schema, at);
    }
  }
  const { $defs: _, definitions: __, ...own } = root;
  if (own.$ref !== undefined) refs.push({ holder: root, from: ROOT, to: String(own.$ref) });
  read({ ...own, $ref: undefined }, ROOT);

  const open = new Set(refs.filter(({ to }) => !names.has(to)).map(({ holder }) => holder));
  // Removes the definitions that nothing refers to, and those that refer to nothing, until none is left. The rest is
  // circular.
  let circling = refs.filter(({ to }) => names.has(to));
  for (const ends of ["from", "to"] as const) circling = withoutEnds(circling, ends);
  for (const { holder } of circling) open.add(holder);
  return open;
}

type Ref = { holder: JsonObject; from: string; to: string };

/** Removes the references whose `from` nothing leads to, or whose `to` leads nowhere, again and again. */
function withoutEnds(refs: Ref[], end: "from" | "to"): Ref[] {
  const other = end === "from" ? "to" : "from";
  const byEnd = new Map<string, Ref[]>();
  const joins = new Map<string, number>();
  for (const ref of refs) {
    const same = byEnd.get(ref[end]);
    if (same) same.push(ref);
    else byEnd.set(ref[end], [ref]);
    joins.set(ref[other], (joins.get(ref[other]) ?? 0) + 1);
  }
  const gone = new Set<Ref>();
  const loose = [...byEnd.keys()].filter((name) => !joins.has(name));
  for (let name = loose.pop(); name !== undefined; name = loose.pop()) {
    for (const ref of byEnd.get(name) ?? []) {
      gone.add(ref);
      const left = joins.get(ref[other])! - 1;
      joins.set(ref[other], left);
      if (left === 0) loose.push(ref[other]);
    }
  }
  return refs.filter((ref) => !gone.has(ref));
}

function isKept(keyword: string, value: unknown): boolean {
  if (keyword === "format") return FORMATS.has(value as string);
  if (keyword === "const") return typeof value !== "object" || value === null;
  if (keyword === "enum") return list(value).every((one) => typeof one !== "object" || one === null);
  if (keyword === "minItems") return value === 0 || value === 1;
  return KEPT.has(keyword);
}

function isObjectType({ type, properties }: JsonObject): boolean {
  return type === "object" || (Array.isArray(type) && type.includes("object")) ||
    (type === undefined && properties !== undefined);
}
