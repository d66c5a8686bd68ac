/**
 * What Anthropic's API refuses by generation, by schema, by bytes and by prefix. The lists are literal: they are written
 * from the model pages and errors at platform.claude.com and from live errors that others have quoted, not from our table.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages (2026-11)
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations (2026-11)
 * @see https://platform.claude.com/docs/en/build-with-claude/preserved-thinking (2026-11)
 */
import type { Json } from "./lab.ts";

export type Block = Json & { type: string };
export type Turn = { role: string; content: Block[] };

// ---------------------------------------------------------------- generations

/** These models accept `role: "system"` in `messages`. */
const SYSTEM_TURNS = /claude-(opus-(4-8|5|5-5)|sonnet-5-5|haiku-5-5|fable-5(-[12])?|mythos-5(-[12])?)$/;
/** The thinking of these models is bound to everything before it. */
const BINDING = /claude-(opus-5-5|sonnet-5-5|haiku-5-5|fable-5-[12]|mythos-5-[12])$/;
/** These models refuse a conversation that ends with the assistant. */
const NO_PREFILL =
  /claude-(opus-(4-6|4-7|4-8|5|5-5)|sonnet-(4-6|5|5-5)|haiku-5-5|fable-5(-[12])?|mythos-(preview|5(-[12])?))$/;
const DEFAULT_SAMPLING =
  /claude-(opus-(4-7|4-8|5|5-5)|sonnet-(5|5-5)|haiku-5-5|fable-5(-[12])?|mythos-(preview|5(-[12])?))$/;
const NO_FORCING = /claude-(opus-5-5|sonnet-5-5|fable-5-[12]|mythos-(preview|5-[12]))$/;

export function inGeneration({ model, messages, temperature, top_p, top_k, tool_choice }: Json) {
  const id = model as string;
  if (DEFAULT_SAMPLING.test(id)) {
    if (top_k !== undefined || (top_p !== undefined && top_p !== 0.99)) return "top_p: must be 0.99";
    if (temperature !== undefined && (temperature !== 1 || top_p !== undefined)) {
      return "temperature: must be 1";
    }
  }
  const { type: choice } = (tool_choice ?? {}) as Json;
  if (NO_FORCING.test(id) && (choice === "any" || choice === "tool")) {
    return "tool_choice: forced tool use is not supported by this model";
  }
  const last = (messages as Turn[]).at(-1)!;
  const waits = last.content.some(({ type }) => !["text", "thinking", "redacted_thinking"].includes(type));
  if (NO_PREFILL.test(id) && last.role === "assistant" && !waits) {
    return "This model does not support assistant message prefill. The conversation must end with a user message.";
  }
}

/** Checks the place of a system message among the turns. */
export function inSystemTurn(list: Turn[], at: number, model: string): string | undefined {
  if (list[at].role !== "system") return;
  const here = `messages.${at}`;
  if (!SYSTEM_TURNS.test(model)) return `${here}: role 'system' is not supported on this model`;
  if (at === 0) return `${here}: use the top-level 'system' parameter for the initial system prompt`;
  if (list[at - 1].role !== "user") return `${here}: system messages must follow a user turn`;
  const next = list[at + 1]?.role;
  if (next !== undefined && next !== "assistant") return `${here}: must be last or precede an assistant turn`;
}

// ---------------------------------------------------------------- user ids

export function inUserId(id: unknown): string | undefined {
  if (typeof id !== "string") return;
  if (id.length > 256) return "metadata.user_id: String should have at most 256 characters";
  if (/\S+@\S+\.\S+/.test(id)) return "metadata.user_id: user_id appears to contain an email address";
  if (/^\+?[\d\s().-]{7,}$/.test(id) && !/^\d{1,9}$/.test(id)) {
    return "metadata.user_id: user_id appears to contain a phone number";
  }
}

// ---------------------------------------------------------------- bytes

const bytesOf = (data: unknown) => {
  try {
    return atob(data as string);
  } catch {
    return "";
  }
};

const MAGIC: Record<string, (bytes: string) => boolean> = {
  "image/jpeg": (bytes) => bytes.startsWith("\xff\xd8\xff"),
  "image/png": (bytes) => bytes.startsWith("\x89PNG\r\n\x1a\n"),
  "image/gif": (bytes) => bytes.startsWith("GIF8"),
  "image/webp": (bytes) => bytes.startsWith("RIFF") && bytes.slice(8, 12) === "WEBP",
};

export function inMedia({ type, source, content }: Json): string | undefined {
  if (type === "tool_result" && Array.isArray(content)) return content.map(inMedia).find(Boolean);
  const { type: kind, media_type, data } = (source ?? {}) as Json;
  if (kind !== "base64") return;
  if (type === "image") {
    if (!Object.hasOwn(MAGIC, media_type as string)) {
      return "image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'";
    }
    const bytes = bytesOf(data);
    if (!MAGIC[media_type as string](bytes)) {
      const other = Object.keys(MAGIC).find((name) => MAGIC[name](bytes));
      return other
        ? `image.source.base64.data: Image does not match the provided media type ${media_type}`
        : "Could not process image";
    }
  }
  if (type === "document" && media_type !== "application/pdf") {
    return "document.source.base64.media_type: Input should be 'application/pdf'";
  }
}

// ---------------------------------------------------------------- cache marks

function countMarks(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + countMarks(one), 0);
  if (typeof value !== "object" || value === null) return 0;
  const { cache_control, content } = value as Json;
  return (cache_control == null ? 0 : 1) + countMarks(content);
}

export function inMarks({ tools, system, messages, cache_control }: Json): string | undefined {
  const found = countMarks({ cache_control, content: [tools, system, messages] });
  if (found > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${found}.`;
}

// ---------------------------------------------------------------- schemas

const KEYWORDS = new Set([
  ..."type enum const default required $ref title description properties items anyOf allOf $defs".split(" "),
  ..."definitions format minItems additionalProperties".split(" "),
]);

export function inSchemas({ tools, output_config }: Json): string | undefined {
  const { format } = (output_config ?? {}) as { format?: Json };
  const sum = { strict: 0, optional: 0, unions: 0 };
  const compiled = format ? [format.schema] : [];
  for (const [at, { type, input_schema, strict }] of ((tools ?? []) as Json[]).entries()) {
    if (type !== undefined && type !== "custom") continue;
    const schema = input_schema as Json;
    if (schema.type !== "object") return `tools.${at}.custom.input_schema.type: Input should be 'object'`;
    if (schema.anyOf || schema.oneOf || schema.allOf) {
      return `tools.${at}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`;
    }
    if (!strict) continue;
    sum.strict++;
    compiled.push(schema);
  }
  const fault = compiled.map((schema) => inCompiled(schema as Json, sum)).find(Boolean);
  if (fault) return fault;
  if (sum.strict > 20) return "Too many strict tools";
  if (sum.optional > 24) return "Schemas contains too many optional parameters";
  if (sum.unions > 16) return "Schemas contains too many parameters with union types";
}

function inCompiled(root: Json, sum: { optional: number; unions: number }): string | undefined {
  /** Follows references, and reports one that is circular. */
  const walk = (schema: unknown, path: string[], counted: boolean): string | undefined => {
    if (typeof schema !== "object" || schema === null) return;
    const { $ref, anyOf, allOf, type, enum: values, properties, items, additionalProperties, required } =
      schema as Json;
    const unknown = Object.keys(schema).find((keyword) => !KEYWORDS.has(keyword));
    if (unknown) return `For '${type}' type, property '${unknown}' is not supported`;
    if (Array.isArray(values) && values.some((one) => typeof one === "object" && one !== null)) {
      return "enum: complex types are not supported";
    }
    if (Array.isArray(allOf) && allOf.some((one) => one.$ref)) return "allOf with $ref is not supported";
    if (!counted) {
      const many = (list: unknown) => Array.isArray(list) && list.length > 1;
      if (many(anyOf) || many(type)) sum.unions++;
      const needed = (required ?? []) as string[];
      sum.optional += Object.keys(properties ?? {}).filter((name) => !needed.includes(name)).length;
    }
    if ((type === "object" || properties) && additionalProperties !== false) {
      return "For 'object' type, 'additionalProperties' must be explicitly set to false";
    }
    if ($ref !== undefined) {
      const name = /^#\/(\$defs|definitions)\/(.+)$/.exec($ref as string);
      const target = name && (root[name[1]] as Json | undefined)?.[name[2]];
      if (!target) return `external or missing $ref: ${$ref}`;
      if (path.includes($ref as string)) return `recursive schemas are not supported: ${$ref}`;
      const fault = walk(target, [...path, $ref as string], true);
      if (fault) return fault;
    }
    const inner = [...Object.values(properties ?? {}), items, ...(anyOf ?? []) as [], ...(allOf ?? []) as []];
    return inner.map((one) => walk(one, path, counted)).find(Boolean);
  };
  const definitions = [root.$defs, root.definitions].flatMap((one) => Object.entries(one ?? {}));
  return walk(root, [], false) ?? definitions.map(([, one]) => walk(one, [], false)).find(Boolean);
}

// ---------------------------------------------------------------- what thinking is bound to

/** Each block with everything before it, without cache marks: caching does not change the content. */
export function prefixes({ system, tools, messages }: Json): { block: Block; before: string }[] {
  const bare = (value: unknown) =>
    JSON.stringify(value, (key, one) => key === "cache_control" ? undefined : one) ?? "";
  const preface = typeof system === "string" ? [{ type: "text", text: system }] : system;
  const offered = ((tools ?? []) as Json[]).filter(({ defer_loading }) => defer_loading !== true);
  let before = bare([preface, offered]);
  return (messages as Turn[]).flatMap(({ role, content }) =>
    content.map((block) => {
      const place = { block, before };
      before += role + bare(block);
      return place;
    })
  );
}

export const binds = (model: unknown) => BINDING.test(model as string);
