/**
 * What Anthropic's API enforces: strict tools and the format of the answer.
 *
 * The API compiles all schemas into one grammar. It answers 400 to a schema that it cannot compile and to a request
 * over its limits. Sluice sends a strict tool over the limits without `strict`, and asks for a format over the limits
 * in words.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#schema-complexity-limits (2026-11) has
 * the explicit limits. The API has further limits on the size of the grammar, which cannot be computed from a request.
 */
import { compiles, narrowSchema } from "./write_schema.ts";
import { isObject, list, object, objects } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";

/** What a request asks the API to enforce. */
export interface Enforced {
  /** The schema of the answer, and its path in the client's body. */
  format?: { schema: JsonObject; path: string };
  /**
   * The strict tools in their order: as they are sent, their paths in the client's body, and whether the schema lost
   * something.
   */
  tools: { tool: JsonObject; definitionPath: string; parametersPath: string; folded: boolean }[];
  /**
   * Schemas of strict tools that the client wrote for Anthropic. They are sent unchanged and count towards the limits.
   */
  native: JsonObject[];
}

/** The limits on all schemas of a request together. */
const MOST = { tools: 20, optional: 24, unions: 16 };

/**
 * Decides what is enforced: narrows the schemas of strict tools, and removes `strict` from those that cannot be
 * enforced.
 *
 * The format comes first, because without it the answer is of another kind. The tools follow in their order.
 *
 * @returns `output_config.format`; `undefined` if the client sent none or it is over the limits.
 */
export function enforce({ format, tools, native }: Enforced, dropped: string[]): JsonObject | undefined {
  const used = { tools: 0, optional: 0, unions: 0 };
  let written: JsonObject | undefined;
  for (const schema of native) {
    used.tools++;
    weigh(schema, used);
  }

  /** Whether the schema fits beside the others. If so, it is counted. */
  function fits(schema: JsonObject, asTool: number): boolean {
    const sum = { ...used, tools: used.tools + asTool };
    weigh(schema, sum);
    if (sum.tools > MOST.tools || sum.optional > MOST.optional || sum.unions > MOST.unions) return false;
    Object.assign(used, sum);
    return true;
  }

  if (format) {
    const lost: string[] = [];
    const schema = narrowSchema(format.schema, `${format.path}.schema`, lost);
    if (fits(schema, 0)) {
      written = { type: "json_schema", schema };
      dropped.push(...lost);
    } else dropped.push(`${format.path}.strict`);
  }
  for (const { tool, definitionPath, parametersPath, folded } of tools) {
    const schema = tool.input_schema as JsonObject;
    const lost: string[] = [];
    const narrow = !folded && compiles(schema) ? narrowSchema(schema, parametersPath, lost) : undefined;
    if (narrow && fits(narrow, 1)) {
      tool.input_schema = narrow;
      dropped.push(...lost);
    } else {
      delete tool.strict;
      dropped.push(`${definitionPath}.strict`);
    }
  }
  return written;
}

/** Adds the number of a schema's optional parameters, and of its places with more than one type. */
function weigh(schema: unknown, sum: typeof MOST): void {
  if (Array.isArray(schema)) { for (const one of schema) weigh(one, sum); }
  if (!isObject(schema)) return;
  if (list(schema.anyOf).length > 1 || list(schema.type).length > 1) sum.unions++;
  const properties = object(schema.properties);
  if (properties) {
    const required = new Set(list(schema.required));
    for (const name of Object.keys(properties)) if (!required.has(name)) sum.optional++;
    for (const one of Object.values(properties)) weigh(one, sum);
  }
  for (const keyword of ["items", "anyOf", "allOf"]) weigh(schema[keyword], sum);
  for (const keyword of ["$defs", "definitions"]) weigh(Object.values(object(schema[keyword]) ?? {}), sum);
}

// ---------------------------------------------------------------- a tool's root

/** The API refuses these: `input_schema does not support oneOf, allOf, or anyOf at the top level`. */
const ROOT_UNIONS = ["allOf", "anyOf", "oneOf"] as const;

/**
 * Makes the root of a tool's schema a plain object, as the API demands of every tool. The alternatives of the root move
 * into its description, where the model reads them, and their properties join those of the root.
 *
 * @param dropped Takes the client's paths of what was moved.
 */
export function withoutRoot(schema: JsonObject, path: string, dropped: string[]): JsonObject {
  const found = ROOT_UNIONS.filter((keyword) => schema[keyword] !== undefined);
  // The API requires the type. A schema without one allows any value, but arguments are always an object.
  const untyped = schema.type === undefined || list(schema.type).includes("object");
  if (found.length === 0 && !untyped) return schema;
  const { type, ...rest } = schema;
  const out: JsonObject = { type: untyped ? "object" : type, ...rest };
  if (found.length === 0) return out;
  const properties = new Map<string, unknown>();
  const required = new Set(list(schema.required));
  const told: string[] = [];
  for (const keyword of found) {
    delete out[keyword];
    dropped.push(`${path}.${keyword}`);
    told.push(`${keyword}: ${JSON.stringify(schema[keyword])}`);
    for (const one of objects(schema[keyword])) {
      const { properties: more, required: needed } = resolve(one, schema);
      for (const [name, value] of Object.entries(object(more) ?? {})) properties.set(name, value);
      if (keyword === "allOf") { for (const name of list(needed)) required.add(name); }
    }
  }
  for (const [name, value] of Object.entries(object(schema.properties) ?? {})) properties.set(name, value);
  if (properties.size > 0) out.properties = Object.fromEntries(properties);
  if (required.size > 0) out.required = [...required];
  const note = `{${told.join(", ")}}`;
  out.description = typeof schema.description === "string" ? `${schema.description}\n\n${note}` : note;
  return out;
}

/** Follows a `$ref` into the same document. */
function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  if (typeof schema.$ref !== "string") return schema;
  const [, keyword, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(schema.$ref) ?? [];
  const key = name?.replaceAll("~1", "/").replaceAll("~0", "~");
  return object(keyword && Object.entries(object(root[keyword]) ?? {}).find(([one]) => one === key)?.[1]) ??
    {};
}
