/** Gemini's streamed arguments (Vertex's `streamFunctionCallArguments`): pieces by JSON path into one object. */
import type { JsonObject } from "../types.ts";

/** Deeper than any schema, and shallow enough to be written. */
const MAX_DEPTH = 500;

type Key = string | number;

/**
 * Gathers the pieces of one call's arguments.
 *
 * A piece is `{jsonPath: "$.to[0].name", stringValue: "A", willContinue: true}`; strings of one path are joined. A piece
 * without a value ends what its path holds already; where nothing is, it is an empty list (`$.to[]`) or object (`$.to`).
 */
export function partialArguments(): { add(piece: JsonObject): void; text(): string } {
  const root: Node = Object.create(null); // No prototype, so that `__proto__` is a name like any other.
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

/** The names and indexes of `$.a[0]["b c"]`. */
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

/** Whether something is at a path. */
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

/** A list grows by one: an index far beyond its end would make it mostly holes. */
function slot(at: Node, key: Key): string {
  return Array.isArray(at) ? String(Math.min(Number(key) || 0, at.length)) : String(key);
}
