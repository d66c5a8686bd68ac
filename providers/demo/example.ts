/** A value that a JSON Schema accepts: how the demo provider fills a tool's arguments and a structured answer. */
import type { JsonObject } from "../../wires/types.ts";
import { flatten, type FlattenContext, hasValue, isObject, list, type Place } from "./flatten.ts";
import { readPattern } from "./pattern.ts";

/** Bounds on what a value may cost: members of one array or object, one text's length, trying patterns. */
const MAX_ITEMS = 1_000;
const MAX_TEXT = 100_000;
const MAX_PATTERN_STEPS = 200_000;

interface Context extends FlattenContext {
  /** What free texts say. */
  text: string;
  /** For trying patterns. */
  budget: { steps: number };
}

/**
 * A value that `schema` accepts. The same arguments always give the same value.
 *
 * Read: `$ref` inside the document, `allOf`, `anyOf` and `oneOf` (first branch that works), `type`, `const`, `enum`,
 * `properties`, `required`, `dependentRequired`, `additionalProperties`, `items`, `prefixItems`, `contains`,
 * `uniqueItems`, `format`, `pattern` and all bounds. Only required members are written, and one item where an array
 * may have one. Not read: `not`, `if`, `propertyNames`, `unevaluated*`.
 *
 * @param text What a free text says, cut and padded to its bounds.
 * @returns `undefined` when there is none, or none was found within bounded work.
 */
export function exampleOf(schema: unknown, text: string): unknown {
  return make(schema, { root: schema, text, steps: 0, budget: { steps: MAX_PATTERN_STEPS } }, {
    open: [],
    depth: 0,
    variant: 0,
  });
}

function make(schema: unknown, context: Context, place: Place): unknown {
  for (const [flat, open] of flatten(schema, context, place)) {
    const value = makeFlat(flat, context, { open, depth: place.depth + 1, variant: place.variant });
    if (value !== undefined) return value;
  }
  return undefined;
}

// ---------------------------------------------------------------- one value

function makeFlat(schema: JsonObject, context: Context, place: Place): unknown {
  const types = schema.type === undefined ? undefined : list(schema.type);
  if ("const" in schema) {
    const fits = fitsType(schema.const, types) &&
      (!Array.isArray(schema.enum) || hasValue(schema.enum, schema.const));
    return fits ? schema.const : undefined;
  }
  if (Array.isArray(schema.enum)) {
    const fitting = schema.enum.filter((value) => fitsType(value, types));
    // `null` only where there is nothing else to say.
    const values = fitting.some((value) => value !== null)
      ? fitting.filter((value) => value !== null)
      : fitting;
    return values[place.variant % values.length];
  }
  const wanted = types ?? [guessType(schema)];
  for (
    const type of [
      ...wanted.filter((type) => type !== "null"),
      ...wanted.filter((type) => type === "null"),
    ]
  ) {
    const value = makeType(type, schema, context, place);
    if (value !== undefined) return value;
  }
  return undefined;
}

function makeType(type: unknown, schema: JsonObject, context: Context, place: Place): unknown {
  switch (type) {
    case "object":
      return makeObject(schema, context, place);
    case "array":
      return makeArray(schema, context, place);
    case "string":
      return makeString(schema, context, place.variant);
    case "integer":
      return makeNumber(schema, true, place.variant);
    case "number":
      return makeNumber(schema, false, place.variant);
    case "boolean":
      return place.variant % 2 === 0;
    case "null":
      return null;
  }
}

/** What a schema without `type` speaks of, by its keywords; a text when it says nothing. */
function guessType(schema: JsonObject): string {
  for (const key in schema) {
    switch (key) {
      case "properties":
      case "required":
      case "additionalProperties":
      case "patternProperties":
      case "minProperties":
        return "object";
      case "items":
      case "prefixItems":
      case "minItems":
      case "contains":
      case "uniqueItems":
        return "array";
      case "minimum":
      case "maximum":
      case "exclusiveMinimum":
      case "exclusiveMaximum":
      case "multipleOf":
        return "number";
    }
  }
  return "string";
}

function makeObject(schema: JsonObject, context: Context, place: Place): unknown {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const names = requiredNames(schema);
  const least = number(schema.minProperties, 0);
  if (least > MAX_ITEMS || names.size > MAX_ITEMS) return undefined;
  for (const name of Object.keys(properties)) {
    if (names.size >= least) break;
    names.add(name);
  }
  for (let i = 1; names.size < least; i++) names.add(`key${i}`);
  if (names.size > number(schema.maxProperties, Infinity)) return undefined;

  // No prototype, so that a property named `__proto__` is one.
  const value: JsonObject = Object.create(null);
  const inOrder = [...Object.keys(properties).filter((name) => names.has(name)), ...names];
  for (const name of new Set(inOrder)) {
    const member = Object.hasOwn(properties, name) ? properties[name] : otherProperties(schema);
    const made = make(member, context, { ...place, variant: 0 });
    if (made === undefined) return undefined;
    value[name] = made;
  }
  return value;
}

function requiredNames(schema: JsonObject): Set<string> {
  const names = new Set(list(schema.required).filter((name) => typeof name === "string"));
  const dependent = isObject(schema.dependentRequired) ? schema.dependentRequired : {};
  // A set may grow while it is walked: names that names bring along are seen too.
  for (const name of names) {
    if (Object.hasOwn(dependent, name)) {
      for (const other of list(dependent[name])) if (typeof other === "string") names.add(other);
    }
  }
  return names;
}

/** The schema of members that `properties` does not name. */
function otherProperties(schema: JsonObject): unknown {
  const others = schema.additionalProperties ?? true;
  if (others !== false) return others;
  return isObject(schema.patternProperties) ? Object.values(schema.patternProperties)[0] ?? false : false;
}

function makeArray(schema: JsonObject, context: Context, place: Place): unknown {
  // Draft 7 and before wrote a tuple as a list under `items`.
  const tuple = Array.isArray(schema.items) ? schema.items : list(schema.prefixItems);
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
  const least = number(schema.minItems, 0);
  const most = number(schema.maxItems, Infinity);
  const needed = "contains" in schema ? number(schema.minContains, 1) : 0;
  if (Math.max(least, tuple.length, needed) > MAX_ITEMS || least > most) return undefined;

  const items: unknown[] = [];
  const add = (item: unknown): boolean => {
    for (let variant = items.length; variant <= items.length + 2; variant++) {
      const made = make(item, context, { ...place, variant });
      if (made === undefined) return false;
      if (schema.uniqueItems === true && hasValue(items, made)) continue;
      items.push(made);
      return true;
    }
    return false;
  };
  for (const item of tuple.slice(0, Math.min(most, Math.max(least, tuple.length)))) {
    if (!add(item) && items.length < least) return undefined;
  }
  for (let i = 0; i < needed; i++) if (!add({ allOf: [rest ?? true, schema.contains] })) return undefined;
  while (items.length < least) if (!add(rest ?? true)) return undefined;
  // One item shows what the array holds; it may well be impossible (a tree's leaves have no children).
  if (items.length === 0 && most > 0 && isObject(rest)) add(rest);
  return items.length > most ? undefined : items;
}

/** An instance of each format of JSON Schema 2020-12, told apart by a digit. */
const FORMATS: Record<string, (digit: number) => string> = {
  "date": (digit) => `2026-01-0${digit + 1}`,
  "date-time": (digit) => `2026-01-01T00:00:0${digit}Z`,
  "duration": (digit) => `PT${digit + 1}S`,
  "email": (digit) => `user${digit}@example.com`,
  "hostname": (digit) => `host${digit}.example.com`,
  "idn-email": (digit) => `user${digit}@example.com`,
  "idn-hostname": (digit) => `host${digit}.example.com`,
  "ipv4": (digit) => `192.0.2.${digit}`,
  "ipv6": (digit) => `2001:db8::${digit}`,
  "iri": (digit) => `https://example.com/${digit}`,
  "iri-reference": (digit) => `/${digit}`,
  "json-pointer": (digit) => `/${digit}`,
  "regex": (digit) => `${digit}`,
  "relative-json-pointer": (digit) => `${digit}`,
  "time": (digit) => `00:00:0${digit}Z`,
  "uri": (digit) => `https://example.com/${digit}`,
  "uri-reference": (digit) => `/${digit}`,
  "uri-template": (digit) => `https://example.com/${digit}`,
  "uuid": (digit) => `00000000-0000-4000-8000-00000000000${digit}`,
};

function makeString(schema: JsonObject, context: Context, variant: number): string | undefined {
  const least = number(schema.minLength, 0);
  const most = number(schema.maxLength, Infinity);
  if (least > most || least > MAX_TEXT) return undefined;
  const format = typeof schema.format === "string" && Object.hasOwn(FORMATS, schema.format)
    ? FORMATS[schema.format](variant % 9)
    : undefined;
  const patterns = list(schema.pattern).map((pattern) => readPattern(String(pattern)));
  const known = patterns.filter((pattern) => pattern !== undefined);
  // A pattern that is not understood can only be trusted to be what the format says already.
  const texts = known.length < patterns.length
    ? [format]
    : format === undefined || known.length > 0
    ? [format, ...plainTexts(), ...writtenTexts()]
    : [format];
  return texts.find((text) =>
    text !== undefined && fitsLength(text, least, most) &&
    known.every((pattern) => pattern.matches(text, context.budget))
  );

  function* plainTexts(): Generator<string> {
    const mark = variant === 0 ? "" : ` ${variant}`;
    yield firstChars(
      (firstChars(context.text, Math.max(0, most - mark.length)) + mark).padEnd(least, "."),
      most,
    );
  }

  /** Texts made from the patterns: each alone, longer, padded where it is open at its ends, and all in a row. */
  function* writtenTexts(): Generator<string> {
    for (let extra = 0; extra <= Math.min(Math.max(least, 1), 1_000); extra = extra * 2 || 1) {
      const written = known.map((pattern) => pattern.write(extra, variant) ?? "");
      for (const text of written) yield* [text, text.padEnd(least, "a"), text.padStart(least, "a")];
      const between = "a".repeat(Math.max(0, least - written.join("").length));
      yield* [written.join(between), written.toReversed().join(between)];
    }
    for (const pattern of known) yield pattern.write(least, variant) ?? "";
  }
}

function fitsLength(text: string, least: number, most: number): boolean {
  const length = most === Infinity && text.length >= 2 * least ? text.length : [...text].length;
  return length >= least && length <= most;
}

/** The first characters, counted as JSON Schema does: by code point. */
export function firstChars(text: string, count: number): string {
  if (text.length <= count) return text;
  let end = 0;
  for (let left = count; left > 0 && end < text.length; left--) {
    end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}

function makeNumber(schema: JsonObject, whole: boolean, variant: number): number | undefined {
  let low = number(schema.minimum, -Infinity);
  let high = number(schema.maximum, Infinity);
  // Draft 4 wrote `exclusiveMinimum: true` beside `minimum`.
  let openLow = schema.exclusiveMinimum === true;
  let openHigh = schema.exclusiveMaximum === true;
  if (number(schema.exclusiveMinimum, -Infinity) >= low && typeof schema.exclusiveMinimum === "number") {
    [low, openLow] = [schema.exclusiveMinimum, true];
  }
  if (number(schema.exclusiveMaximum, Infinity) <= high && typeof schema.exclusiveMaximum === "number") {
    [high, openHigh] = [schema.exclusiveMaximum, true];
  }
  const fits = (value: number) =>
    Number.isFinite(value) && (openLow ? value > low : value >= low) &&
    (openHigh ? value < high : value <= high);

  const step = stepOf(schema, whole);
  if (step === undefined) return undefined;
  if (step > 0) {
    // Upwards from the lowest allowed, or from zero; downwards where only an upper bound below zero is given.
    const upwards = low > -Infinity || high >= 0;
    const from = upwards ? Math.max(low, Math.min(0, high)) : high;
    let first = (upwards ? Math.ceil(from / step) : Math.floor(from / step)) * step;
    if (!fits(first)) first += upwards ? step : -step;
    // Adding zero makes minus zero plain.
    const values = [first + (upwards ? variant : -variant) * step + 0, first - variant * step + 0];
    return values.find(fits) ?? (fits(first) ? first + 0 : undefined);
  }
  for (const value of [variant, low, high, low + 1, high - 1, (low + high) / 2]) {
    if (fits(value)) return value;
  }
  return undefined;
}

/** The distance between allowed numbers; 0 when any number will do. */
function stepOf(schema: JsonObject, whole: boolean): number | undefined {
  const step = number(schema.multipleOf, 0);
  if (step <= 0) return whole ? 1 : 0;
  if (!whole || Number.isInteger(step)) return step;
  for (let count = 1; count <= 1000; count++) if (Number.isInteger(step * count)) return step * count;
  return undefined;
}

// ---------------------------------------------------------------- helpers

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function fitsType(value: unknown, types: unknown[] | undefined): boolean {
  if (!types) return true;
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return types.includes(type) || (Number.isInteger(value) && types.includes("integer"));
}
