/** Makes a value that a JSON Schema accepts, for a tool's arguments and a structured answer of the demo provider. */
import { object } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import { textMatching } from "./pattern.ts";

/** Bounds: characters read and written in all, depth of nesting, members of one array or object, length of one text. */
const MAX_WORK = 2_000_000;
const MAX_DEPTH = 64;
const MAX_ITEMS = 1_000;
const MAX_TEXT = 10_000;

interface Place {
  /** The document that references point into. */
  root: unknown;
  /** The content of free texts. */
  text: string;
  /** Characters that may still be read and written, in all places together. */
  budget: { left: number };
  /** The references followed on the way here. Following one a second time would never end. */
  open: readonly unknown[];
  depth: number;
  /** Position in the nearest list, so that its items differ where the schema has room. */
  item: number;
}

/**
 * A value that `schema` accepts. The same arguments always give the same value.
 *
 * It has only the required members, and one item where an array may have one. These keywords are not read, so the value may
 * break them: `not`, `if`, `contains`, `dependent…`, `maxProperties`, `patternProperties`, `propertyNames`, `unevaluated…`.
 *
 * @param text The content of free texts. It is cut and padded to their bounds.
 * @returns `undefined` if there is no such value, or if none was found within the bounds.
 */
export function exampleOf(schema: unknown, text: string): unknown {
  return make([schema], { root: schema, text, budget: { left: MAX_WORK }, open: [], depth: 0, item: 0 });
}

// ---------------------------------------------------------------- one schema out of many

/**
 * A value that all of these schemas accept.
 *
 * @param flat The schemas read so far, merged into one schema without references and branches.
 */
function make(schemas: unknown[], place: Place, flat: JsonObject = {}): unknown {
  const below = { ...place, depth: place.depth + 1 };
  if (below.depth > MAX_DEPTH) return undefined;
  const unread = [...schemas];
  while (unread.length > 0) {
    const schema = unread.pop();
    // Counts the whole of both schemas at each visit, so that the work below stays in proportion to the budget.
    place.budget.left -= JSON.stringify([schema, flat]).length + unread.length;
    if (place.budget.left < 0 || schema === false) return undefined;
    const { $ref, allOf, anyOf, oneOf, ...rest } = object(schema) ?? {};
    const both = merge(flat, rest);
    if (!both) return undefined;
    flat = both;
    if ($ref !== undefined) {
      const target = below.open.includes($ref) ? undefined : resolve(place.root, `${$ref}`);
      if (target === undefined) return undefined;
      below.open = [...below.open, $ref];
      unread.push(target);
    }
    for (const part of list(allOf).toReversed()) unread.push(part);
    if (anyOf && oneOf) unread.push({ oneOf });
    const branches = anyOf ?? oneOf;
    if (Array.isArray(branches)) return first(branches, (branch) => make([...unread, branch], below, flat));
  }
  return makeFlat(flat, below);
}

/** One schema for both; `undefined` if they contradict each other, or might. */
function merge(a: JsonObject, b: JsonObject): JsonObject | undefined {
  const both = { ...a, ...b };
  for (const name of Object.keys(b)) {
    if (!Object.hasOwn(a, name) || JSON.stringify(a[name]) === JSON.stringify(b[name])) continue;
    both[name] = join(name, a[name], b[name]);
    if (both[name] === undefined) return undefined;
  }
  return both;
}

/** Two values of one keyword as one. */
function join(name: string, one: unknown, two: unknown): unknown {
  switch (name) {
    case "type": {
      // An integer is a number.
      const also = (types: unknown[]) => types.includes("number") ? [...types, "integer"] : types;
      return also(list(one)).filter((type) => also(list(two)).includes(type));
    }
    case "properties": {
      const members = { ...object(one) };
      for (const [key, member] of Object.entries(object(two) ?? {})) {
        members[key] = Object.hasOwn(members, key) ? { allOf: [members[key], member] } : member;
      }
      return members;
    }
    case "required":
      return [...list(one), ...list(two)];
    case "additionalProperties":
    case "items":
      return { allOf: [one, two] };
  }
  if (["const", "enum", "format", "multipleOf", "pattern", "prefixItems"].includes(name)) return undefined;
  if (/^(min|exclusiveMin)/.test(name)) return Math.max(Number(one), Number(two));
  if (/^(max|exclusiveMax)/.test(name)) return Math.min(Number(one), Number(two));
  return two;
}

/** The schema that a reference inside the document names, e.g. `#/$defs/City`. */
function resolve(root: unknown, ref: string): unknown {
  let path = ref;
  try {
    path = decodeURIComponent(ref);
  } catch {
    // The text holds a percent sign that is not an escape. It is used unchanged.
  }
  const [start, ...steps] = path.split("/");
  let found: unknown = start === "#" ? root : undefined;
  for (const step of steps) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const holder = Array.isArray(found) ? found : object(found) ?? {};
    found = Object.hasOwn(holder, key) ? (holder as JsonObject)[key] : undefined;
  }
  return found;
}

// ---------------------------------------------------------------- one value

const MAKERS: ReadonlyMap<unknown, (schema: JsonObject, place: Place) => unknown> = new Map(Object.entries({
  array: makeArray,
  boolean: (_: JsonObject, { item }: Place) => item % 2 === 0,
  integer: (schema: JsonObject, { item }: Place) => makeNumber(schema, item, 1),
  null: () => null,
  number: (schema: JsonObject, { item }: Place) => makeNumber(schema, item),
  object: makeObject,
  string: makeString,
}));

function makeFlat(schema: JsonObject, place: Place): unknown {
  const types = list(schema.type ?? guessType(schema));
  if ("const" in schema || Array.isArray(schema.enum)) {
    const values = "const" in schema ? [schema.const] : list(schema.enum);
    const fitting = schema.type === undefined ? values : values.filter((value) => hasType(value, types));
    // Takes `null` only if there is no other value.
    const telling = fitting.filter((value) => value !== null);
    return telling.length > 0 ? telling[place.item % telling.length] : fitting[0];
  }
  const nullLast = [...types.filter((type) => type !== "null"), ...types];
  return first(nullLast, (type) => MAKERS.get(type)?.(schema, place));
}

/** The type for a schema that names none, by its other keywords. */
function guessType(schema: JsonObject): string {
  if (schema.properties || schema.required) return "object";
  if (schema.items || schema.prefixItems || schema.minItems) return "array";
  return "minimum" in schema || "maximum" in schema ? "number" : "string";
}

function hasType(value: unknown, types: unknown[]): boolean {
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return types.includes(type) || (Number.isInteger(value) && types.includes("integer"));
}

function makeObject(schema: JsonObject, place: Place): unknown {
  const properties = object(schema.properties) ?? {};
  const names = new Set(list(schema.required).map(String));
  const least = number(schema.minProperties, 0);
  for (const name of Object.keys(properties)) if (names.size < least) names.add(name);
  if (names.size < least || names.size > MAX_ITEMS) return undefined;

  // Without a prototype, so that `__proto__` is a property like any other.
  const value: JsonObject = Object.create(null);
  const inOrder = Object.keys(properties).filter((name) => names.has(name));
  for (const name of new Set([...inOrder, ...names])) {
    const member = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    value[name] = make([member], { ...place, item: 0 });
    if (value[name] === undefined) return undefined;
  }
  return value;
}

function makeArray(schema: JsonObject, place: Place): unknown {
  // Up to draft 7, a tuple is a list under `items`.
  const tuple = Array.isArray(schema.items) ? schema.items : list(schema.prefixItems);
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
  const least = number(schema.minItems, 0);
  const most = Math.min(number(schema.maxItems, Infinity), MAX_ITEMS);
  if (least > most) return undefined;

  const items: unknown[] = [];
  const seen = new Set<string>();
  const wanted = Math.min(most, Math.max(least, tuple.length, object(rest) ? 1 : 0));
  for (let item = 0; item < wanted; item++) {
    const made = make([item < tuple.length ? tuple[item] : rest], { ...place, item });
    const repeats = schema.uniqueItems === true && seen.has(JSON.stringify(made));
    // An item beyond `minItems` may be impossible: the leaves of a tree have no children.
    if (made === undefined || repeats) return item < least ? undefined : items;
    items.push(made);
    seen.add(JSON.stringify(made));
  }
  return items;
}

const FORMATS: ReadonlyMap<unknown, string> = new Map(Object.entries({
  "date": "2026-01-01",
  "date-time": "2026-01-01T00:00:00Z",
  "duration": "PT1S",
  "email": "user@example.com",
  "hostname": "example.com",
  "ipv4": "192.0.2.1",
  "ipv6": "2001:db8::1",
  "time": "00:00:00Z",
  "uri": "https://example.com/",
  "uuid": "00000000-0000-4000-8000-000000000000",
}));

function makeString(schema: JsonObject, { text, item, budget }: Place): string | undefined {
  const least = number(schema.minLength, 0);
  const most = number(schema.maxLength, Infinity);
  if (least > Math.min(most, MAX_TEXT)) return undefined;
  budget.left -= least;
  const format = FORMATS.get(schema.format);
  if (format !== undefined || schema.pattern !== undefined) {
    // If the pattern cannot be read, the text for the format is taken to match it.
    const made = schema.pattern === undefined ? format : textMatching(`${schema.pattern}`, least) ?? format;
    return made !== undefined && made.length >= least && made.length <= most ? made : undefined;
  }
  const mark = item === 0 ? "" : ` ${item}`;
  const free = head(head(text, Math.max(0, most - mark.length)) + mark, most);
  return free + ".".repeat(Math.max(0, least - [...free].length));
}

/** The first `length` units of a text, or one fewer if that would cut a character. */
export function head(text: string, length: number): string {
  const halves = length > 0 && length < text.length && text.codePointAt(length - 1)! > 0xffff;
  return text.slice(0, halves ? length - 1 : length);
}

/** @param least The least distance between allowed numbers; 0 if any number is allowed. */
function makeNumber(schema: JsonObject, item: number, least = 0): number | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const low = number(minimum, -Infinity);
  const high = number(maximum, Infinity);
  // In draft 4, `exclusiveMinimum: true` stands beside `minimum`.
  const above = exclusiveMinimum === true ? low : number(exclusiveMinimum, -Infinity);
  const below = exclusiveMaximum === true ? high : number(exclusiveMaximum, Infinity);
  const [from, to] = [Math.max(low, above), Math.min(high, below)];
  const near = Math.max(from, Math.min(0, to));
  const step = Math.max(number(schema.multipleOf, 0), least);
  const [up, down] = [Math.ceil(near / step), Math.floor(near / step)];
  const tried = step > 0
    ? [up + item, down - item, up, down, up + 1, down - 1].map((times) => times * step)
    : [near + item, near, (from + to) / 2, near + 1, near - 1];
  const found = tried.find((value) => value >= low && value <= high && value > above && value < below);
  return found === undefined ? undefined : found + 0; // Adding zero turns -0 into 0.
}

// ---------------------------------------------------------------- helpers

/** The first result of `make` that is not `undefined`. */
function first(list: unknown[], make: (one: unknown) => unknown): unknown {
  for (const one of list) {
    const value = make(one);
    if (value !== undefined) return value;
  }
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

/** A list as it is, any other value as a list of one, `undefined` as an empty list. */
function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}
