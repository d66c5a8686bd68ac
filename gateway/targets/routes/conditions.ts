/** Conditions on a request, in the form of MongoDB's queries. They are data: nothing is evaluated as code, and there are no patterns. */
import { isObject } from "../../../wires/shared/json.ts";
import { RouteFault } from "./fault.ts";
import type { Condition, Getter } from "./types.ts";

/** The bounds of one node's conditions. */
const MOST = { comparisons: 100, levels: 10, values: 100, characters: 500, segments: 20 };

const ROOTS = ["metadata", "headers", "body"];

/**
 * Reads the path of a value: `metadata.plan`, `headers.x-team` or `body.reasoning.effort`.
 *
 * A segment is a member's own name, or the place in a list. A name with dots is found too, if it stands at the end of the path.
 *
 * @param place Where the path is written, for errors.
 * @throws RouteFault
 */
export function readPath(path: string, place: string): Getter {
  const [root, ...segments] = path.split(".");
  const rest = path.slice(root.length + 1);
  if (!ROOTS.includes(root) || rest === "") {
    throw new RouteFault(place, `${told(path)} must begin with metadata., headers. or body.`);
  }
  if (path.length > MOST.characters || segments.length > MOST.segments) {
    throw new RouteFault(
      place,
      `a path may have ${MOST.characters} characters and ${MOST.segments} segments at most`,
    );
  }
  if (root === "headers") {
    const name = rest.toLowerCase();
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new RouteFault(place, `${told(path)} must name a header`);
    return (facts) => facts.header(name) ?? undefined;
  }
  if (root === "metadata") return (facts) => below(facts.metadata(), segments);
  return (facts) => below(facts.field(segments[0]), segments.slice(1)) ?? facts.field(rest);
}

/** A value within another one. Only members of its own count: `constructor` and `__proto__` are ordinary names. */
function below(value: unknown, segments: readonly string[]): unknown {
  let at = value;
  for (const [index, segment] of segments.entries()) {
    const isList = Array.isArray(at) && /^\d{1,9}$/.test(segment);
    if (!isList && !isObject(at)) return undefined;
    const within = at as Record<string, unknown>;
    const whole = segments.slice(index).join(".");
    if (Object.hasOwn(within, whole)) return within[whole];
    if (!Object.hasOwn(within, segment)) return undefined;
    at = within[segment];
  }
  return at;
}

/** Compares a value of the request. An absent value is `undefined`. */
type Comparison = (value: unknown) => boolean;

/** Whether two values are the same text, number, boolean or `null`. An absent value is the same as `null`, as in MongoDB. */
const isSame = (value: unknown, wanted: unknown): boolean => (value ?? null) === wanted;

/** Whether a value, or a member of a list, meets a comparison. */
const some = (meets: Comparison): Comparison => (value) =>
  Array.isArray(value) ? value.some(meets) : meets(value);

/** Compares numbers with numbers and texts with texts; others are in no order. */
const ordered = (wanted: unknown, meets: (order: number) => boolean): Comparison =>
  some((value) => {
    if (typeof value === "number" && typeof wanted === "number") return meets(value - wanted);
    if (typeof value !== "string" || typeof wanted !== "string") return false;
    return meets(value < wanted ? -1 : value > wanted ? 1 : 0);
  });

const not = (meets: Comparison): Comparison => (value) => !meets(value);

/** Makes comparisons, by operator. The operand is checked before. */
const OPERATORS: ReadonlyMap<string, (operand: never) => Comparison> = new Map<
  string,
  (operand: never) => Comparison
>([
  ["$eq", (wanted: unknown) => some((value) => isSame(value, wanted))],
  ["$ne", (wanted: unknown) => not(some((value) => isSame(value, wanted)))],
  ["$in", (wanted: unknown[]) => some((value) => wanted.some((one) => isSame(value, one)))],
  ["$nin", (wanted: unknown[]) => not(some((value) => wanted.some((one) => isSame(value, one))))],
  ["$gt", (wanted: unknown) => ordered(wanted, (order) => order > 0)],
  ["$gte", (wanted: unknown) => ordered(wanted, (order) => order >= 0)],
  ["$lt", (wanted: unknown) => ordered(wanted, (order) => order < 0)],
  ["$lte", (wanted: unknown) => ordered(wanted, (order) => order <= 0)],
  ["$exists", (wanted: boolean) => (value: unknown) => (value !== undefined) === wanted],
]);

const LISTS: ReadonlySet<string> = new Set(["$in", "$nin"]);

/**
 * Reads conditions: `{"metadata.plan": {"$eq": "paid"}}`. All members must be met. `$and`, `$or` and `$nor` take lists of conditions; a
 * value in place of operators must be equal.
 *
 * @param place Where they are written, for errors.
 * @throws RouteFault
 */
export function readConditions(written: unknown, place: string): Condition {
  let comparisons = 0;

  function read(conditions: unknown, at: string, level: number): Condition {
    if (!isObject(conditions)) throw new RouteFault(at, "must be an object of conditions");
    if (level > MOST.levels) throw new RouteFault(at, `conditions may be nested ${MOST.levels} levels deep`);
    const all = Object.entries(conditions).map(([name, value]): Condition => {
      if (++comparisons > MOST.comparisons) {
        throw new RouteFault(place, `may hold ${MOST.comparisons} comparisons at most`);
      }
      const within = `${at}.${told(name)}`;
      if (name.startsWith("$")) return combined(name, value, within, level);
      const get = readPath(name, within);
      const meets = comparisonOf(value, within, name.startsWith("headers."), level);
      return (facts) => meets(get(facts));
    });
    if (all.length === 0) throw new RouteFault(at, "must hold a condition");
    return (facts) => all.every((one) => one(facts));
  }

  function combined(name: string, value: unknown, at: string, level: number): Condition {
    if (name !== "$and" && name !== "$or" && name !== "$nor") throw unknown(at, "$and, $or, $nor");
    if (!Array.isArray(value) || value.length === 0) throw new RouteFault(at, "must be a list of conditions");
    const parts = value.map((one, index) => read(one, `${at}[${index}]`, level + 1));
    if (name === "$and") return (facts) => parts.every((one) => one(facts));
    const isAny: Condition = (facts) => parts.some((one) => one(facts));
    return name === "$or" ? isAny : (facts) => !isAny(facts);
  }

  function comparisonOf(value: unknown, at: string, isText: boolean, level: number): Comparison {
    if (!isObject(value)) return OPERATORS.get("$eq")!(operand(value, at, isText) as never);
    if (level > MOST.levels) throw new RouteFault(at, `conditions may be nested ${MOST.levels} levels deep`);
    const all = Object.entries(value).map(([name, wanted]): Comparison => {
      if (++comparisons > MOST.comparisons) {
        throw new RouteFault(place, `may hold ${MOST.comparisons} comparisons at most`);
      }
      const within = `${at}.${told(name)}`;
      if (name === "$not" && isObject(wanted)) return not(comparisonOf(wanted, within, isText, level + 1));
      const make = OPERATORS.get(name);
      if (!make) throw unknown(within, [...OPERATORS.keys(), "$not"].join(", "));
      if (name === "$exists") {
        if (typeof wanted !== "boolean") throw new RouteFault(within, "must be true or false");
        return make(wanted as never);
      }
      if (!LISTS.has(name)) return make(operand(wanted, within, isText) as never);
      if (!Array.isArray(wanted) || wanted.length > MOST.values) {
        throw new RouteFault(within, `must be a list of at most ${MOST.values} values`);
      }
      return make(wanted.map((one, index) => operand(one, `${within}[${index}]`, isText)) as never);
    });
    if (all.length === 0) throw new RouteFault(at, "must hold an operator, e.g. $eq");
    return (value) => all.every((meets) => meets(value));
  }

  return read(written, place, 1);
}

/** A value to compare with. Headers are texts, so that they are compared with the value's text. */
function operand(value: unknown, at: string, isText: boolean): unknown {
  const isFlat = value === null || typeof value === "boolean" || typeof value === "number" ||
    typeof value === "string" && value.length <= MOST.characters;
  if (!isFlat) {
    throw new RouteFault(
      at,
      `must be a text of at most ${MOST.characters} characters, a number, true, false or null`,
    );
  }
  return isText && value !== null ? `${value}` : value;
}

const unknown = (at: string, known: string) =>
  new RouteFault(at, `is not an operator here; known are ${known}`);

/** A name from outside, for an error. */
const told = (name: string) => name.length > 80 ? `${name.slice(0, 80)}…` : name;
