/**
 * Fits JSON Schema to what Google accepts (`parametersJsonSchema` and `responseJsonSchema`).
 *
 * Google reads some keywords of JSON Schema and ignores the rest. But it refuses the whole request for a `$ref` to
 * nothing ("reference to undefined schema") or a `$ref` beside other keywords. The keywords are those that
 * `GenerationConfig.responseJsonSchema` of `@google/genai` 3.3.0 lists (2026-11).
 */
import { isObject } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";

/** Keywords that Google reads and whose value is not a schema. */
const READ = new Set([
  "$anchor",
  "$id",
  "$ref",
  "description",
  "enum",
  "format",
  "maxItems",
  "maximum",
  "minItems",
  "minimum",
  "propertyOrdering",
  "required",
  "title",
  "type",
]);

/** Keywords that Google reads and whose value is a schema, a list of schemas, or a map of schemas by name. */
const ONE = new Set(["additionalProperties", "items"]);
const SEVERAL = new Set(["anyOf", "oneOf", "prefixItems"]);
const NAMED = new Set(["$defs", "properties"]);

/** Keywords that do not restrict what is valid: losing them need not be named. */
const NOTES = new Set([
  "$comment",
  "$schema",
  "default",
  "deprecated",
  "example",
  "examples",
  "readOnly",
  "writeOnly",
]);

/** The state of writing one schema. */
interface Work {
  root: JsonObject;
  /** The schemas that move to the root's `$defs`, and their names there. Collected when a `$ref` first leads to one. */
  moved?: Map<unknown, string>;
  /**
   * What a `$ref` may name other than a place: `$id`, and `#` with an `$anchor`. Collected when a `$ref` first needs
   * it.
   */
  names?: Set<unknown>;
  /** The keywords that Google ignores. */
  lost: Set<string>;
}

/**
 * Fits a schema to what Google reads. A schema that already fits is returned unchanged.
 *
 * - `const` becomes an `enum` of one. Google's `enum` is for strings and numbers; of any other value only the type is
 *   kept.
 * - `definitions` become `$defs`, and an `allOf` of one schema becomes an `anyOf` of one.
 * - A `$ref` that leads nowhere is left out. One beside other keywords moves into an `anyOf` of its own.
 * - A schema outside the root's `$defs` that a `$ref` names (`#/properties/a`, as zod-to-json-schema writes it) moves
 *   there.
 * - Other keywords stay, because Google ignores them.
 *
 * @param path The path of the schema in the client's body.
 * @param dropped Takes the client's paths of keywords without effect, each once.
 */
export function writeSchema(schema: JsonObject, path: string, dropped: string[]): JsonObject {
  const root = withDefs(schema);
  const work: Work = { root, lost: new Set() };
  let written = fit(root, work);
  if (work.moved) {
    written = fit(root, work); // A second pass: some schemas that move were written before the move was known.
    const moved = Array.from(work.moved, ([target, name]) => [name, fit(target as JsonObject, work)]);
    const defs = isObject(written.$defs) ? written.$defs : {};
    written = { ...written, $defs: { ...defs, ...Object.fromEntries(moved) } };
  }
  for (const keyword of work.lost) dropped.push(`${path}.${keyword}`);
  return written;
}

/** Moves `definitions` (draft 7) to `$defs`, where Google reads them. */
function withDefs(schema: JsonObject): JsonObject {
  const { definitions, ...rest } = schema;
  if (!isObject(definitions)) return schema;
  return { ...rest, $defs: { ...definitions, ...(isObject(rest.$defs) ? rest.$defs : {}) } };
}

function fit(schema: JsonObject, work: Work): JsonObject {
  const out: [string, unknown][] = [];
  let changed = false;
  const put = (keyword: string, value: unknown, before?: unknown) => {
    out.push([keyword, value]);
    if (value !== before) changed = true;
  };
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "const") {
      putValues([value], keyword, schema, put, work);
      changed = true;
    } else if (keyword === "enum" && "const" in schema) changed = true; // `const` leaves only one value of the `enum`.
    else if (keyword === "enum" && Array.isArray(value) && !value.every(isPlain)) {
      putValues(value, keyword, schema, put, work);
      changed = true;
    } else if (keyword === "$ref") {
      const ref = resolve(value, work);
      if (ref === undefined) changed = true;
      else put(keyword, ref, value);
    } else if (keyword === "allOf" && isLone(value) && !schema.anyOf) put("anyOf", fitAll(value, work));
    else put(keyword, fitKeyword(keyword, value, work), value);
  }
  if (out.some(([keyword]) => keyword === "$ref") && out.some(([keyword]) => !keyword.startsWith("$"))) {
    return besideRef(Object.fromEntries(out), work);
  }
  return changed ? Object.fromEntries(out) : schema;
}

function fitKeyword(keyword: string, value: unknown, work: Work): unknown {
  if (NAMED.has(keyword)) return isObject(value) ? fitNamed(value, work) : value;
  if (SEVERAL.has(keyword) || (keyword === "items" && Array.isArray(value))) return fitAll(value, work);
  if (ONE.has(keyword)) return fitAny(value, work);
  if (!READ.has(keyword) && !NOTES.has(keyword) && !keyword.startsWith("x-")) work.lost.add(keyword);
  return value;
}

/** Fits one schema. `true` and `false` are schemas too. */
function fitAny(value: unknown, work: Work): unknown {
  const name = work.moved?.get(value);
  if (name !== undefined) return { $ref: `#/$defs/${name}` };
  return isObject(value) ? fit(value, work) : value;
}

function fitAll(value: unknown, work: Work): unknown {
  if (!Array.isArray(value)) return value;
  const fitted = value.map((item) => fitAny(item, work));
  return fitted.some((item, at) => item !== value[at]) ? fitted : value;
}

function fitNamed(map: JsonObject, work: Work): JsonObject {
  const fitted = Object.entries(map).map(([name, value]) => [name, fitAny(value, work)] as const);
  return fitted.some(([name, value]) => value !== map[name]) ? Object.fromEntries(fitted) : map;
}

const isLone = (value: unknown) => Array.isArray(value) && value.length === 1;

/** Whether Google's `enum` accepts the value. It is not known to refuse `null` beside strings and numbers. */
const isPlain = (value: unknown) => typeof value === "string" || typeof value === "number" || value === null;

/**
 * Writes the values that a schema allows, as far as Google accepts them. Of other values only the types are written.
 */
function putValues(
  values: unknown[],
  keyword: "const" | "enum",
  { type }: JsonObject,
  put: (keyword: string, value: unknown) => void,
  { lost }: Work,
): void {
  const types = [...new Set(values.map(typeOf))];
  if (type === undefined && types.length > 0) put("type", types.length === 1 ? types[0] : types);
  if (values.every((value) => value === null)) return; // The type alone says it.
  if (values.every(isPlain)) put("enum", values);
  // `true` and `false` together are no more than their type says.
  else if (!values.every((value) => typeof value === "boolean" || value === null) || !isEither(values)) {
    lost.add(keyword);
  }
}

const isEither = (values: unknown[]) => values.includes(true) && values.includes(false);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

/** The keywords beside a `$ref` apply as well, so the `$ref` becomes an `anyOf` of one. */
function besideRef({ $ref, ...rest }: JsonObject, { lost }: Work): JsonObject {
  if (!("anyOf" in rest)) return { ...rest, anyOf: [{ $ref }] };
  lost.add("$ref");
  return rest;
}

// ---------------------------------------------------------------- references

/**
 * The reference in the form that Google resolves: it only looks among the root's `$defs`. `undefined` if it leads
 * nowhere.
 */
function resolve(ref: unknown, work: Work): string | undefined {
  if (typeof ref === "string") {
    const pointer = moveDefinitions(ref);
    if (pointer === "#" || (!pointer.startsWith("#/") && namesOf(work).has(pointer))) return pointer;
    const target = placeOf(pointer, work.root);
    if (target !== undefined && IN_DEFS.test(pointer)) return pointer;
    if (isObject(target)) return `#/$defs/${movedOf(work).get(target)}`;
  }
  work.lost.add("$ref");
}

const IN_DEFS = /^#\/\$defs\/[^/]+$/;

const moveDefinitions = (ref: string) => ref.replace(/^#\/definitions\//, "#/$defs/");

/**
 * What a JSON pointer (`#/$defs/a~1b`) leads to, if that can be a schema.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901#section-6
 */
function placeOf(pointer: string, root: JsonObject): unknown {
  if (!pointer.startsWith("#/")) return undefined;
  let place: unknown = root;
  for (const step of pointer.slice(2).split("/")) {
    const key = unescape(step);
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, key)) return undefined;
    place = (place as JsonObject)[key];
  }
  return isObject(place) || typeof place === "boolean" ? place : undefined;
}

/** The schemas outside the root's `$defs` that any `$ref` leads to, each with a unique name: `properties_a`. */
function movedOf(work: Work): Map<unknown, string> {
  if (work.moved) return work.moved;
  const { root } = work;
  const moved = work.moved = new Map<unknown, string>();
  const taken = new Set(Object.keys(isObject(root.$defs) ? root.$defs : {}));
  const gather = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { $ref } = value as JsonObject;
    const pointer = typeof $ref === "string" ? moveDefinitions($ref) : "";
    const target = IN_DEFS.test(pointer) ? undefined : placeOf(pointer, root);
    if (isObject(target) && !moved.has(target)) {
      let name = pointer.replace(/\W+/g, "_").slice(0, MOST_NAME);
      while (taken.has(name)) name = `${name}_${taken.size}`;
      taken.add(name);
      moved.set(target, name);
    }
    Object.values(value).forEach(gather);
  };
  gather(root);
  return moved;
}

/** The most characters of such a name before a suffix. */
const MOST_NAME = 100;

function unescape(step: string): string {
  let key = step;
  try {
    key = decodeURIComponent(step);
  } catch { /* A bare `%` stays as it is. */ }
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}

function namesOf(work: Work): Set<unknown> {
  if (work.names) return work.names;
  const names = work.names = new Set<unknown>();
  const gather = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (isObject(value)) {
      if (typeof value.$id === "string") names.add(value.$id);
      if (typeof value.$anchor === "string") names.add(`#${value.$anchor}`);
    }
    Object.values(value).forEach(gather);
  };
  gather(work.root);
  return names;
}
