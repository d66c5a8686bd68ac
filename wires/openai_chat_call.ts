/**
 * OpenAI chat completions, the client's half: a request body into a neutral `Call`.
 *
 * Takes what OpenAI's reference allows (checked against `openai` 7.57 types, 2026-11), the legacy `functions` forms, and
 * the extensions that clients of other gateways send: `cache_control`, `reasoning_details`, `thinking_blocks`,
 * `extra_content.google.thought_signature`, `video_url`.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "./errors.ts";
import { isObject, objects } from "./json.ts";
import { callIds, unpackToolId } from "./tool_id.ts";
import type {
  Call,
  Format,
  JsonObject,
  Media,
  Message,
  Part,
  Settings,
  Thought,
  Tool,
  ToolCall,
  ToolChoice,
} from "./types.ts";

// ---------------------------------------------------------------- the door

const ROLES = ["system", "developer", "user", "assistant", "tool", "function"] as const;
const optional = <const S extends v.GenericSchema>(schema: S) => v.nullish(schema);
const object = v.looseObject({});
/** `1e999` is infinite to JavaScript, and would be written as `null`. */
const number = v.pipe(v.number(), v.finite());

const PARTS = v.array(v.looseObject({ type: v.string() }));
const CONTENT = v.union([v.string(), PARTS]);
const MESSAGE = v.variant("role", [
  v.looseObject({ role: v.picklist(["system", "developer", "user"]), content: CONTENT }),
  v.looseObject({ role: v.literal("tool"), content: CONTENT, tool_call_id: v.string() }),
  v.looseObject({ role: v.literal("function"), content: optional(CONTENT), name: v.string() }),
  v.looseObject({
    role: v.literal("assistant"),
    content: optional(CONTENT),
    tool_calls: optional(v.array(v.looseObject({ id: v.string() }))),
    function_call: optional(v.looseObject({ name: v.string() })),
  }),
]);
const MESSAGES = v.pipe(v.array(MESSAGE), v.nonEmpty());

/** What every call must hold, whichever wire it goes to. */
const DOOR = v.looseObject({ messages: MESSAGES, stream: optional(v.boolean()) });

/** The types of the settings we read; every other field is the target's business. */
const BODY = v.looseObject({
  stream_options: optional(v.looseObject({ include_usage: optional(v.boolean()) })),
  tools: optional(v.array(object)),
  functions: optional(v.array(v.looseObject({ name: v.string() }))),
  tool_choice: optional(v.union([v.string(), object])),
  function_call: optional(v.union([v.string(), object])),
  parallel_tool_calls: optional(v.boolean()),
  response_format: optional(v.looseObject({ type: v.string() })),
  max_tokens: optional(number),
  max_completion_tokens: optional(number),
  temperature: optional(number),
  top_p: optional(number),
  top_k: optional(number),
  stop: optional(v.union([v.string(), v.array(v.string())])),
  seed: optional(number),
  frequency_penalty: optional(number),
  presence_penalty: optional(number),
  n: optional(number),
  logprobs: optional(v.boolean()),
  top_logprobs: optional(number),
  logit_bias: optional(object),
  user: optional(v.string()),
  service_tier: optional(v.string()),
  metadata: optional(object),
  reasoning_effort: optional(v.string()),
  verbosity: optional(v.string()),
  modalities: optional(v.array(v.string())),
  audio: optional(object),
  prediction: optional(object),
  store: optional(v.boolean()),
  web_search_options: optional(object),
  prompt_cache_key: optional(v.string()),
  prompt_cache_retention: optional(v.string()),
  safety_identifier: optional(v.string()),
});

/** Client spellings that stand for a setting of another name. */
const SPELLINGS: ReadonlyMap<string, keyof Settings> = new Map([
  ["functions", "tools"],
  ["function_call", "tool_choice"],
  ["max_completion_tokens", "max_tokens"],
]);

/** Of two spellings of a setting the newer one counts. */
const NEWER: ReadonlySet<string> = new Set(["max_completion_tokens", "tool_choice", "tools"]);

/** Read elsewhere, so neither settings nor unknown. */
const NOT_SETTINGS: ReadonlySet<string> = new Set(["model", "messages", "stream", "stream_options"]);

/**
 * Checks what every call must hold: a conversation, and a boolean `stream` if any.
 *
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault, e.g. `messages[2].content`.
 */
export function checkCall(body: JsonObject): void {
  check(DOOR, body);
}

/**
 * Reads a request body that `checkCall` has passed.
 *
 * @param model The provider's name for the model.
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
 */
export function readCall(body: JsonObject, model: string): Call {
  const settings: Settings = {};
  const sent: Call["sent"] = new Map();
  const extra: JsonObject = {};
  const dropped: string[] = [];
  const known = check(BODY, body);
  for (const [field, value] of Object.entries(body)) {
    if (NOT_SETTINGS.has(field) || value === null || value === undefined) continue;
    if (field === "__proto__") dropped.push(field); // Would be set and not stored.
    else if (!Object.hasOwn(BODY.entries, field)) extra[field] = value;
    else {
      const name = SPELLINGS.get(field) ?? field as keyof Settings;
      const other = sent.get(name);
      if (other === undefined || NEWER.has(field)) sent.set(name, field);
      // Limits mean the same under both names; tools do not, so the others are lost.
      if (other !== undefined && name !== "max_tokens") dropped.push(NEWER.has(field) ? other : field);
    }
  }
  for (const [option, value] of Object.entries(known.stream_options ?? {})) {
    if (option !== "include_usage" && value !== null) dropped.push(`stream_options.${option}`);
  }
  for (const name of sent.keys()) {
    if (Object.hasOwn(READERS, name)) continue;
    (settings as JsonObject)[name] = body[sent.get(name)!];
  }
  for (const [name, read] of Object.entries(READERS) as [keyof Settings, SettingReader][]) {
    const field = sent.get(name);
    const value = field === undefined ? undefined : read(body[field], field, dropped);
    if (value === undefined) sent.delete(name);
    else (settings as JsonObject)[name] = value;
  }
  return {
    model,
    stream: body.stream === true,
    includeUsage: known.stream_options?.include_usage === true,
    messages: readMessages(body.messages as JsonObject[], dropped),
    settings,
    sent,
    dropped,
    extra,
  };
}

function check<S extends v.GenericSchema>(schema: S, body: JsonObject): v.InferOutput<S> {
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const issue = deepest(result.issues[0]);
  const param = issue.path.reduce(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${key}` : `${key}`,
    "",
  );
  throw fault(`${param}`, issue.expected, issue.input);
}

/** What valibot's actions ask for, which have no name of their own for it. */
const EXPECTED: ReadonlyMap<string, string> = new Map([
  ["non_empty", "at least one entry"],
  ["finite", "a number that JSON can hold"],
]);

/** The fault that a person would name: inside a union, the alternative of the right type that failed deeper down. */
function deepest(
  issue: v.BaseIssue<unknown>,
): { path: (string | number)[]; expected: string; input: unknown } {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const inner = issue.issues?.find((candidate) => (candidate.path?.length ?? 0) > 0);
  if (inner) {
    const below = deepest(inner);
    return { ...below, path: [...path, ...below.path] };
  }
  const expected = EXPECTED.get(issue.type) ?? issue.expected ?? "another value";
  return {
    path,
    expected: expected.replaceAll("Array", "list").replaceAll("Object", "object"),
    input: issue.input,
  };
}

function fault(param: string, expected: string, input: unknown): GatewayError {
  const received = input === null
    ? "null"
    : Array.isArray(input)
    ? (input.length === 0 ? "an empty list" : "a list")
    : typeof input === "object"
    ? "an object"
    : `a ${typeof input}`; // Its value may be a prompt.
  const state = input === undefined
    ? `${param} is missing`
    : `${param} must be ${expected.replaceAll(/[()]/g, "")}, and is ${received}`;
  return new GatewayError("invalid_request", `Cannot read the request: ${state}`, { param });
}

// ---------------------------------------------------------------- settings

type SettingReader = (value: unknown, field: string, dropped: string[]) => unknown;

/** Settings whose neutral value is not the client's own. `undefined` means the same as not sent. */
const READERS: { [Name in keyof Settings]?: SettingReader } = {
  stop: (value) => typeof value === "string" ? [value] : value,
  tools: (value, field, dropped) => readTools(value as JsonObject[], field, dropped),
  tool_choice: (value, field, dropped) => readToolChoice(value as string | JsonObject, field, dropped),
  response_format: (value, field, dropped) => readFormat(value as JsonObject, field, dropped),
};

function readTools(list: JsonObject[], field: string, dropped: string[]): Tool[] {
  const tools: Tool[] = [];
  list.forEach((tool, at) => {
    const path = `${field}[${at}]`;
    if (field === "functions") tools.push(readFunction(tool, {}, path));
    else if (tool.type === "custom" && isObject(tool.custom)) dropped.push(path);
    else if (tool.type !== "function") tools.push({ type: "native", value: tool, path });
    else {
      const { type: _, function: definition, ...beside } = tool;
      if (!isObject(definition)) throw fault(`${path}.function`, "object", definition);
      tools.push(readFunction(definition, beside, path));
    }
  });
  return tools;
}

function readFunction(definition: JsonObject, beside: JsonObject, path: string): Tool {
  const { name, description, parameters, strict, ...more } = definition;
  const { cache_control, ...extra } = { ...more, ...beside };
  const at = path.startsWith("functions") ? path : `${path}.function`;
  return {
    type: "function",
    name: need(name, `${at}.name`),
    description: description == null ? undefined : need(description, `${at}.description`),
    parameters: parameters == null ? undefined : needObject(parameters, `${at}.parameters`),
    strict: strict == null ? undefined : needBoolean(strict, `${at}.strict`),
    cache: cache_control ?? undefined,
    extra,
    path,
  };
}

function readToolChoice(
  value: string | JsonObject,
  field: string,
  dropped: string[],
): ToolChoice | undefined {
  if (typeof value === "string") {
    if (value === "none" || value === "auto" || value === "required") return value;
    if (value === "any") return "required";
    throw fault(field, '"none", "auto", "required" or an object', value);
  }
  if (value.type === "allowed_tools" && isObject(value.allowed_tools)) {
    dropped.push(`${field}.allowed_tools.tools`);
    return value.allowed_tools.mode === "required" ? "required" : "auto";
  }
  const named = isObject(value.function) ? value.function : isObject(value.custom) ? value.custom : value;
  if (typeof named.name === "string") return { name: named.name };
  if (value.type === "none" || value.type === "auto" || value.type === "required") return value.type;
  if (value.type === "any") return "required";
  throw fault(`${field}.function.name`, "string", named.name);
}

function readFormat(value: JsonObject, field: string, dropped: string[]): Format | undefined {
  switch (value.type) {
    case "json_object":
      return { type: "json_object" };
    case "json_schema": {
      const path = `${field}.json_schema`;
      const { name, description, schema, strict } = needObject(value.json_schema, path);
      return {
        type: "json_schema",
        name: typeof name === "string" ? name : undefined,
        description: typeof description === "string" ? description : undefined,
        schema: needObject(schema, `${path}.schema`),
        strict: strict == null ? undefined : needBoolean(strict, `${path}.strict`),
      };
    }
    case "text":
      return undefined;
    default: // A grammar or whatever else one provider has.
      dropped.push(field);
      return undefined;
  }
}

// ---------------------------------------------------------------- messages

/**
 * Members of a message that are read, or that say nothing to a model: what clients keep of an answer and hand back.
 * `audio` is not among them: it names an earlier answer's sound, which only its maker has.
 */
const MEMBERS: ReadonlySet<string> = new Set([
  "annotations",
  "cache_control",
  "content",
  "extra_content",
  "function_call",
  "images",
  "is_error",
  "name",
  "parsed",
  "provider_specific_fields",
  "reasoning",
  "reasoning_content",
  "reasoning_details",
  "refusal",
  "role",
  "thinking_blocks",
  "tool_call_id",
  "tool_calls",
]);

function readMessages(list: JsonObject[], dropped: string[]): Message[] {
  /** Ids for legacy function calls, which have none: a result answers the last call of its name. */
  const legacyIds = new Map<string, string>();
  const ids = callIds();
  return list.map((message, at): Message => {
    const path = `messages[${at}]`;
    for (const [member, value] of Object.entries(message)) {
      if (!MEMBERS.has(member) && value !== null) dropped.push(`${path}.${member}`);
    }
    const common = {
      path,
      name: typeof message.name === "string" && message.role !== "function" ? message.name : undefined,
      cache: message.cache_control ?? undefined,
    };
    switch (message.role as typeof ROLES[number]) {
      case "tool":
        return {
          ...common,
          role: "tool",
          callId: ids.result(unpackToolId(message.tool_call_id as string).id),
          error: message.is_error === true ? true : undefined,
          parts: readParts(message.content, path),
        };
      case "function":
        return {
          ...common,
          role: "tool",
          callId: ids.result(legacyIds.get(message.name as string) ?? `call_${message.name}`),
          parts: readParts(message.content, path),
        };
      case "assistant": {
        const calls = readToolCalls(message, path, dropped, ids.call);
        if (isObject(message.function_call)) {
          const { name, arguments: text } = message.function_call;
          const id = `call_${at}_${name}`;
          legacyIds.set(name as string, id);
          calls.push({
            id: ids.call(id),
            name: name as string,
            arguments: argumentText(text),
            path: `${path}.function_call`,
          });
        }
        const thoughts = readThoughts(message);
        const parts = readParts(message.content, path, thoughts);
        parts.push(...readImages(message.images, path, dropped));
        if (typeof message.refusal === "string" && message.refusal) {
          parts.push({ type: "refusal", text: message.refusal, path: `${path}.refusal` });
        }
        const signature = googleSignature(message) ?? routedSignatures(message).get(undefined);
        return { ...common, role: "assistant", parts, thoughts, calls, signature };
      }
      default:
        return {
          ...common,
          role: message.role as "system" | "developer" | "user",
          parts: readParts(message.content, path),
        };
    }
  });
}

/** @param ownId Gives each call an id that no other has. */
function readToolCalls(
  message: JsonObject,
  path: string,
  dropped: string[],
  ownId: (id: string) => string,
): ToolCall[] {
  const signatures = routedSignatures(message);
  const calls: ToolCall[] = [];
  ((message.tool_calls ?? []) as JsonObject[]).forEach((call, at) => {
    const callPath = `${path}.tool_calls[${at}]`;
    const { id: given, signature } = unpackToolId(call.id as string);
    const id = ownId(given);
    if (isObject(call.custom)) {
      const { name, input } = call.custom;
      calls.push({ id, name: String(name), arguments: argumentText(input), custom: true, path: callPath });
      return;
    }
    if (!isObject(call.function)) {
      dropped.push(callPath);
      return;
    }
    const { name, arguments: text } = call.function;
    calls.push({
      id,
      name: need(name, `${callPath}.function.name`),
      arguments: argumentText(text),
      signature: googleSignature(call) ?? signature ?? signatures.get(given),
      path: callPath,
    });
  });
  return calls;
}

function argumentText(value: unknown): string {
  return typeof value === "string"
    ? value
    : value === undefined || value === null
    ? ""
    : JSON.stringify(value);
}

/** Where Google's own OpenAI form keeps it: `extra_content.google.thought_signature`. */
function googleSignature(holder: JsonObject): string | undefined {
  const google = isObject(holder.extra_content) ? holder.extra_content.google : undefined;
  return isObject(google) && typeof google.thought_signature === "string"
    ? google.thought_signature
    : undefined;
}

/**
 * Gemini's signatures as OpenRouter has them: encrypted reasoning with the id of the call that it signs, or without one
 * for the answer itself. Ours are JSON, which no signature is.
 */
function routedSignatures({ reasoning_details: details }: JsonObject): Map<unknown, string> {
  const signatures = new Map<unknown, string>();
  for (const detail of objects(details)) {
    if (isRoutedSignature(detail)) signatures.set(detail.id ?? undefined, detail.data as string);
  }
  return signatures;
}

const isRoutedSignature = ({ type, data, format }: JsonObject) =>
  type === "reasoning.encrypted" && format === "google-gemini-v1" && typeof data === "string" &&
  /^[\w+/-]+=*$/.test(data);

/**
 * Earlier reasoning: `reasoning_details` (ours and OpenRouter's), else `thinking_blocks` (LiteLLM's), else the bare text.
 * A client that gathered a stream may hand back fragments; those of one `index` are one block, which its signature ends.
 */
function readThoughts(message: JsonObject): Thought[] {
  const thoughts: Thought[] = [];
  const open = new Map<number, Thought>();
  const details = message.reasoning_details ?? message.thinking_blocks;
  for (const detail of objects(details)) {
    const thought = isRoutedSignature(detail) ? undefined : readThought(detail);
    if (!thought) continue;
    const index = typeof detail.index === "number" ? detail.index : undefined;
    const earlier = index === undefined ? undefined : open.get(index);
    if (earlier && thought.redacted === undefined) {
      if (thought.text !== undefined) earlier.text = (earlier.text ?? "") + thought.text;
      earlier.signature = thought.signature;
    } else thoughts.push(thought);
    if (index === undefined) continue;
    if (thought.signature !== undefined || thought.redacted !== undefined) open.delete(index);
    else open.set(index, earlier ?? thought);
  }
  if (thoughts.length > 0) return thoughts;
  const text = message.reasoning_content ?? message.reasoning;
  return typeof text === "string" && text ? [{ text }] : [];
}

function readThought(detail: JsonObject): Thought | undefined {
  // Mistral has a list of texts.
  const thinking = Array.isArray(detail.thinking)
    ? objects(detail.thinking).map(({ text }) => text ?? "").join("")
    : detail.thinking;
  const text = [detail.text, thinking, detail.summary].find((value) => typeof value === "string");
  const signature = typeof detail.signature === "string" && detail.signature ? detail.signature : undefined;
  const { format: from } = detail;
  const format = typeof from === "string" && from !== "unknown" ? from : undefined;
  if (typeof detail.data === "string") return { redacted: detail.data, format };
  return text === undefined && !signature
    ? undefined
    : { text: text as string | undefined, signature, format };
}

// ---------------------------------------------------------------- parts

/** @param thoughts Takes the `thinking` parts that some clients leave inside an assistant's content. */
function readParts(content: unknown, path: string, thoughts?: Thought[]): Part[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return [{ type: "text", text: content, path: `${path}.content` }];
  const parts: Part[] = [];
  (content as JsonObject[]).forEach((part, at) => {
    const partPath = `${path}.content[${at}]`;
    if (thoughts && (part.type === "thinking" || part.type === "redacted_thinking")) {
      const thought = readThought(part);
      if (thought) thoughts.push(thought);
      return;
    }
    parts.push(
      { ...readPart(part, partPath), path: partPath, cache: part.cache_control ?? undefined } as Part,
    );
  });
  return parts;
}

/** Pictures that an assistant drew, as our answers and OpenRouter's have them. */
function readImages(images: unknown, path: string, dropped: string[]): Part[] {
  const parts: Part[] = [];
  (Array.isArray(images) ? images : []).forEach((image, at) => {
    const partPath = `${path}.images[${at}]`;
    const { url } = isObject(image) && isObject(image.image_url) ? image.image_url : {} as JsonObject;
    if (typeof url === "string") {
      parts.push({ type: "image", media: readUrl(url, `${partPath}.image_url.url`), path: partPath });
    } else dropped.push(partPath);
  });
  return parts;
}

function readPart(part: JsonObject, path: string): Omit<Part, "path"> & JsonObject {
  switch (part.type) {
    case "text":
      return { type: "text", text: need(part.text, `${path}.text`) };
    case "refusal":
      return { type: "refusal", text: need(part.refusal, `${path}.refusal`) };
    case "image_url": {
      const image = typeof part.image_url === "string" ? { url: part.image_url } : part.image_url;
      const { url, detail } = isObject(image) ? image : {} as JsonObject;
      return {
        type: "image",
        media: readUrl(need(url, `${path}.image_url.url`), `${path}.image_url.url`),
        detail: typeof detail === "string" ? detail : undefined,
      };
    }
    case "video_url": {
      const video = isObject(part.video_url) ? part.video_url.url : part.video_url;
      return { type: "video", media: readUrl(need(video, `${path}.video_url.url`), `${path}.video_url.url`) };
    }
    case "input_audio": {
      const { data, format } = isObject(part.input_audio) ? part.input_audio : {} as JsonObject;
      const text = need(data, `${path}.input_audio.data`);
      const kind = typeof format === "string" ? format : "wav";
      const media = text.startsWith("data:")
        ? readUrl(text, `${path}.input_audio.data`)
        : { mime: kind === "mp3" ? "audio/mpeg" : `audio/${kind}`, data: text.replace(/\s+/g, "") };
      return { type: "audio", media };
    }
    case "file": {
      const file = isObject(part.file) ? part.file : {} as JsonObject;
      const name = typeof file.filename === "string" ? file.filename : undefined;
      if (typeof file.file_id === "string") return { type: "file", media: { id: file.file_id }, name };
      const data = need(file.file_data, `${path}.file.file_data`);
      const media = /^(data:|https?:)/i.test(data)
        ? readUrl(data, `${path}.file.file_data`)
        : { mime: "application/pdf", data: data.replace(/\s+/g, "") }; // OpenAI takes bare base64 of PDFs.
      return { type: "file", media, name };
    }
    default:
      return { type: "native", value: part };
  }
}

function need(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw fault(path, "string", value);
}

function needObject(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw fault(path, "object", value);
}

function needBoolean(value: unknown, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw fault(path, "boolean", value);
}

/** A `data:` URL by value, base64 without white space; any other address as it is. */
function readUrl(url: string, path: string): Media {
  if (!/^\s*data:/i.test(url)) return { url };
  const comma = url.indexOf(",");
  if (comma < 0) throw fault(path, "a data URL with a comma before its data", url);
  const [mime, ...parameters] = url.slice(url.indexOf(":") + 1, comma).split(";").map((text) => text.trim());
  const rest = url.slice(comma + 1);
  // JPEG has one name, but many write another, which providers refuse.
  const type = mime.toLowerCase().replace(/^image\/p?jpg$/, "image/jpeg") || "text/plain";
  if (parameters.some((text) => text.toLowerCase() === "base64")) {
    // Line breaks inside, and percent signs for `+` and `=`, are common in the wild; most data has neither.
    const data = rest.includes("%") ? decode(rest, path) : rest;
    return { mime: type, data: /\s/.test(data) ? data.replace(/\s+/g, "") : data };
  }
  let bytes = "";
  for (const byte of new TextEncoder().encode(decode(rest, path))) bytes += String.fromCharCode(byte);
  return { mime: type, data: btoa(bytes) };
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault(path, "a well-formed data URL", text);
  }
}
