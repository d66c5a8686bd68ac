/** One schema out of many: references followed, `allOf` merged, a branch of `anyOf` and `oneOf` chosen. */
import type { JsonObject } from "../../wires/types.ts";

/** Bounds on what following a schema may cost: schemas visited, nesting. */
const MAX_STEPS = 20_000;
const MAX_DEPTH = 64;

/** What all visits share. */
export interface FlattenContext {
  /** The document that references point into. */
  root: unknown;
  /** Schemas visited so far. */
  steps: number;
}

/** Where we are: references that are open above (a second visit would never end), depth, and which value is wanted. */
export interface Place {
  open: readonly string[];
  depth: number;
  /** Another number gives another value where the schema has room; items of one array count up. */
  variant: number;
}

/** The schemas without `$ref`, `allOf`, `anyOf` and `oneOf` that this one allows to choose from. */
export function* flatten(
  schema: unknown,
  context: FlattenContext,
  place: Place,
): Generator<[JsonObject, readonly string[]]> {
  if (++context.steps > MAX_STEPS || place.depth > MAX_DEPTH || schema === false) return;
  if (!isObject(schema)) {
    yield [{}, place.open];
    return;
  }
  const { $ref, allOf, anyOf, oneOf, ...rest } = schema;
  let parts: unknown[][] = [];
  let open = place.open;
  if (typeof $ref === "string") {
    if (open.includes($ref)) return;
    open = [...open, $ref];
    const target = resolve(context.root, $ref);
    if (target === undefined) return;
    parts.push([target]);
  }
  if (Array.isArray(allOf)) parts.push(...allOf.map((part) => [part]));
  if (Array.isArray(anyOf)) parts.push(anyOf);
  if (Array.isArray(oneOf)) parts.push(oneOf);
  parts = parts.filter((choices) => choices.length > 0);
  yield* combine(rest, parts, 0, context, { ...place, open, depth: place.depth + 1 });
}

function* combine(
  flat: JsonObject,
  parts: unknown[][],
  at: number,
  context: FlattenContext,
  place: Place,
): Generator<[JsonObject, readonly string[]]> {
  if (at === parts.length) {
    yield [flat, place.open];
    return;
  }
  for (const choice of parts[at]) {
    for (const [part, open] of flatten(choice, context, place)) {
      const both = merge(flat, part);
      if (both) yield* combine(both, parts, at + 1, context, { ...place, open });
    }
  }
}

/** Both schemas at once; `undefined` when they contradict each other. */
function merge(a: JsonObject, b: JsonObject): JsonObject | undefined {
  const both: JsonObject = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = a[name];
    if (other === undefined) {
      both[name] = value;
      continue;
    }
    switch (name) {
      case "type": {
        const types = intersect(list(other), list(value));
        if (types.length === 0) return undefined;
        both.type = types;
        break;
      }
      case "enum":
        both.enum = list(other).filter((one) => list(value).some((two) => same(one, two)));
        break;
      case "pattern":
        both.pattern = [...list(other), ...list(value)];
        break;
      case "const":
        if (!same(other, value)) return undefined;
        break;
      case "properties":
        both.properties = mergeProperties(other, value);
        break;
      case "required":
        both.required = [...list(other), ...list(value)];
        break;
      case "items":
      case "additionalProperties":
      case "contains":
        both[name] = other === false || value === false ? false : { allOf: [other, value] };
        break;
      case "minimum":
      case "exclusiveMinimum":
      case "minLength":
      case "minItems":
      case "minProperties":
        both[name] = Number(other) > Number(value) ? other : value;
        break;
      case "maximum":
      case "exclusiveMaximum":
      case "maxLength":
      case "maxItems":
      case "maxProperties":
        both[name] = Number(other) < Number(value) ? other : value;
        break;
      default:
        both[name] = value;
    }
  }
  return both;
}

function mergeProperties(a: unknown, b: unknown): unknown {
  if (!isObject(a) || !isObject(b)) return b;
  const both: JsonObject = { ...a };
  for (const [name, value] of Object.entries(b)) {
    both[name] = Object.hasOwn(a, name) ? { allOf: [a[name], value] } : value;
  }
  return both;
}

/** `integer` is a kind of `number`. */
function intersect(a: unknown[], b: unknown[]): unknown[] {
  const common = a.filter((type) => b.includes(type) || (type === "integer" && b.includes("number")));
  if (b.includes("integer") && a.includes("number") && !common.includes("integer")) common.push("integer");
  return common;
}

/** The schema that a JSON pointer names, e.g. `#/$defs/City`; or `#Anchor` among the definitions. */
function resolve(root: unknown, ref: string): unknown {
  if (ref === "#") return root;
  if (!ref.startsWith("#")) return undefined;
  if (!ref.startsWith("#/")) {
    for (const at of ["$defs", "definitions"]) {
      const definitions = isObject(root) ? root[at] : undefined;
      if (!isObject(definitions)) continue;
      for (const one of Object.values(definitions)) {
        if (isObject(one) && one.$anchor === ref.slice(1)) return one;
      }
    }
    return undefined;
  }
  let found: unknown = root;
  for (const step of ref.slice(2).split("/")) {
    const key = unescape(step);
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as JsonObject)[key];
  }
  return found;
}

function unescape(step: string): string {
  try {
    step = decodeURIComponent(step);
  } catch {
    // A bare percent sign: taken as it is.
  }
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

// ---------------------------------------------------------------- helpers

/** An object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nothing, one or many as a list. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** The same JSON. */
export function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Whether a list holds the same JSON. */
export function hasValue(values: unknown[], value: unknown): boolean {
  return values.some((one) => same(one, value));
}
