/**
 * JSON Schema as Anthropic's structured outputs take it (`output_config.format` and strict tools).
 *
 * The API compiles a schema into a grammar and answers 400 to the keywords that it cannot ("For 'integer' type, property
 * 'minimum' is not supported"). A schema within its subset goes out as it came.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations (2026-11)
 */
import { isObject } from "./json.ts";
import type { JsonObject } from "./types.ts";

/** Keywords that hold one schema, a list of them, or a map of them by name. */
const SCHEMAS = new Set(["items", "anyOf", "allOf", "properties", "$defs", "definitions"]);

/** Keywords that the API takes as they are. */
const KEPT = new Set([
  "type",
  "enum",
  "const",
  "default",
  "required",
  "$ref",
  "title",
  "description",
]);

/** Keywords that say nothing about what is valid: no loss to name. */
const NOTES = new Set(["examples", "deprecated", "readOnly", "writeOnly", "$comment", "$id"]);

const FORMATS = new Set(
  ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
);

/**
 * Brings a schema into the subset.
 *
 * - `additionalProperties: false` is set on every object: the API demands it, and the grammar knows no other objects.
 * - `oneOf` becomes `anyOf`: a grammar offers alternatives and cannot exclude what fits two of them.
 * - Other keywords move into the description, where the model reads them though nothing enforces them.
 *
 * @param path Where the schema is in the client's body.
 * @param dropped Takes the paths of what is no longer enforced.
 */
export function narrowSchema(schema: JsonObject, path: string, dropped: string[]): JsonObject {
  const out: JsonObject = {};
  const told: string[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "$schema" || keyword === "additionalProperties") continue;
    const at = `${path}.${keyword}`;
    if (keyword === "oneOf") out.anyOf = narrowAll(value, at, dropped);
    else if (SCHEMAS.has(keyword)) out[keyword] = narrowAll(value, at, dropped, keyword === "items");
    else if (isKept(keyword, value)) out[keyword] = value;
    else {
      told.push(`${keyword}: ${JSON.stringify(value)}`);
      if (!NOTES.has(keyword)) dropped.push(at);
    }
  }
  if (isObjectType(schema)) {
    const open = schema.additionalProperties;
    if (open !== undefined && open !== false) dropped.push(`${path}.additionalProperties`);
    out.additionalProperties = false;
  }
  if (told.length > 0) {
    const note = `{${told.join(", ")}}`;
    out.description = typeof schema.description === "string" ? `${schema.description}\n\n${note}` : note;
  }
  return out;
}

function isKept(keyword: string, value: unknown): boolean {
  if (keyword === "format") return FORMATS.has(value as string);
  if (keyword === "minItems") return value === 0 || value === 1;
  return KEPT.has(keyword);
}

function isObjectType({ type, properties }: JsonObject): boolean {
  return type === "object" || (Array.isArray(type) && type.includes("object")) ||
    (type === undefined && properties !== undefined);
}

function narrowAll(value: unknown, path: string, dropped: string[], single = false): unknown {
  if (Array.isArray(value)) return value.map((item, at) => narrowOne(item, `${path}[${at}]`, dropped));
  if (typeof value !== "object" || value === null) return value;
  if (single) return narrowOne(value, path, dropped);
  const out: JsonObject = {};
  for (const [name, item] of Object.entries(value)) out[name] = narrowOne(item, `${path}.${name}`, dropped);
  return out;
}

/** `true` and `false` are schemas too. */
function narrowOne(value: unknown, path: string, dropped: string[]): unknown {
  return isObject(value) ? narrowSchema(value, path, dropped) : value;
}
