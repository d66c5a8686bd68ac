/**
 * Joins Gemini's streamed arguments (Vertex's `streamFunctionCallArguments`): pieces with JSON paths become one object.
 */
import type { JsonObject } from "../types.ts";

/** The longest path: deeper than any schema, and shallow enough for `JSON.stringify`. */
const MAX_DEPTH = 500;

type Key = string | number;

/**
 * Joins the pieces of one tool call's arguments.
 *
 * A piece is `{jsonPath: "$.to[0].name", stringValue: "A", willContinue: true}`. Strings of one path are joined. A
 * piece without a value ends the value at its path. If nothing is there, it is an empty list (`$.to[]`) or object
 * (`$.to`).
 */
export function partialArguments(): { add(piece: JsonObject): void; text(): string } {
  const root: Node = Object.create(null); // Without a prototype `__proto__` is a name like any other.
  return {
    add(piece) {
      const path = readPath(piece.jsonPath);
      if (path.length === 0 || path.length > MAX_DEPTH) return;
      const value = readValue(piece);
      if (value !== undefined) place(root, path, value);
      else if (piece.willContinue !== true && !holds(root, path)) {
        place(root, path, String(piece.jsonPath).endsWith("[]") ? [] : Object.create(null));
      }
    },
    text: () => JSON.stringify(root),
  };
}

type Node = { [key: string]: unknown };

const PATH = /\.([^.[\]]+)|\[(\d+)\]|\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\]/g;

/** Reads a path such as `$.a[0]["b c"]` into its names and indexes. */
function readPath(path: unknown): Key[] {
  if (typeof path !== "string") return [];
  return Array.from(path.matchAll(PATH), ([, name, index, double, single]) => {
    if (index !== undefined) return Number(index);
    return name ?? (double ?? single).replace(/\\(.)/g, "$1");
  });
}

function readValue(piece: JsonObject): unknown {
  if (typeof piece.stringValue === "string") return piece.stringValue;
  if (typeof piece.numberValue === "number") return piece.numberValue;
  if (typeof piece.boolValue === "boolean") return piece.boolValue;
  return piece.nullValue === undefined ? undefined : null;
}

/** Whether there is a value at a path. */
function holds(root: Node, path: Key[]): boolean {
  let at: unknown = root;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Node)[key];
  }
  return true;
}

function place(root: Node, path: Key[], value: unknown): void {
  let at: Node = root;
  for (let depth = 0; depth < path.length - 1; depth++) {
    const key = slot(at, path[depth]);
    const next = at[key];
    const fits = typeof next === "object" && next !== null;
    at = (fits ? next : at[key] = typeof path[depth + 1] === "number" ? [] : Object.create(null)) as Node;
  }
  const key = slot(at, path[path.length - 1]);
  const earlier = at[key];
  at[key] = typeof earlier === "string" && typeof value === "string" ? earlier + value : value;
}

/**
 * The key in a list or object. A list grows by at most one entry: an index far beyond its end would fill it with holes.
 */
function slot(at: Node, key: Key): string {
  return Array.isArray(at) ? String(Math.min(Number(key) || 0, at.length)) : String(key);
}
