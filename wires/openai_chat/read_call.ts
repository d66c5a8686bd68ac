/**
 * OpenAI chat completions, the client's half: reads a request's body into a neutral call.
 *
 * Reads what OpenAI's reference allows (checked against `openai` 7.57 types, 2026-11), the legacy `functions` forms,
 * and extensions that clients of other gateways send: `cache_control`, `reasoning_details`, `thinking_blocks`,
 * `extra_content.google.thought_signature`, `video_url`.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
import * as v from "npm:valibot@1.5.0";
import { isTooDeep, MOST_LEVELS } from "../shared/depth.ts";
import { GatewayError } from "../errors.ts";
import { isObject, list, object as objectOf } from "../shared/json.ts";
import { check, fault, need, needBoolean, needObject } from "../shared/faults.ts";
import { isPlainTalk, MESSAGES, readMessages } from "./read_turns.ts";
import type { Call, CustomTool, Format, JsonObject, Settings, Tool, ToolChoice } from "../types.ts";

// ---------------------------------------------------------------- the door

const optional = <const S extends v.GenericSchema>(schema: S) => v.nullish(schema);
const object = v.looseObject({});
/** JavaScript reads `1e999` as Infinity, which JSON would write as `null`. */
const number = v.pipe(v.number(), v.finite());

/** What every call must have, whichever wire it is sent to. */
export const DOOR = v.looseObject({ messages: MESSAGES, stream: optional(v.boolean()) });

/** The types of the settings that are read. Every other field is left to the target. */
export const BODY = v.looseObject({
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

/** Fields that are another spelling of a setting. */
const SPELLINGS: ReadonlyMap<string, keyof Settings> = new Map([
  ["functions", "tools"],
  ["function_call", "tool_choice"],
  ["max_completion_tokens", "max_tokens"],
]);

/** The newer spellings. If a setting comes in two spellings, the newer one wins. */
const NEWER: ReadonlySet<string> = new Set(["max_completion_tokens", "tool_choice", "tools"]);

/** Fields that are read elsewhere. */
const NOT_SETTINGS: ReadonlySet<string> = new Set(["model", "messages", "stream", "stream_options"]);

/**
 * Checks what every call must have: a conversation, and a boolean `stream` if there is one.
 *
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault, e.g. `messages[2].content`.
 */
export function checkCall(body: JsonObject): void {
  const { messages, stream } = body;
  if (isPlainTalk(messages) && (stream === undefined || typeof stream === "boolean")) return;
  check(DOOR, body);
  checkArguments(messages as JsonObject[]);
}

/** Refuses arguments that are nested too deeply. They are JSON in a string, which some wires parse and write again. */
function checkArguments(messages: JsonObject[]): void {
  for (const [at, { tool_calls: toolCalls, function_call: legacy }] of messages.entries()) {
    if (isObject(legacy)) refuseDeep(legacy.arguments, () => `messages[${at}].function_call`);
    for (const [index, call] of list(toolCalls).entries()) {
      const { arguments: text } = objectOf(objectOf(call)?.function) ?? {};
      refuseDeep(text, () => `messages[${at}].tool_calls[${index}].function`);
    }
  }
}

function refuseDeep(text: unknown, path: () => string): void {
  if (typeof text !== "string" || !isTooDeep(text)) return;
  const param = `${path()}.arguments`;
  const message =
    `Cannot read the request: ${param} is nested too deeply; at most ${MOST_LEVELS} levels are read`;
  throw new GatewayError("invalid_request", message, { param });
}

/**
 * Checks the settings that were sent, one by one: checking with the whole schema would visit all its fields and copy
 * the body.
 */
function checkSettings(body: JsonObject): void {
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(BODY.entries, field)) continue;
    // Checks again, because this throws the error with the path of the fault.
    if (!v.is(BODY.entries[field as keyof typeof BODY.entries], body[field])) check(BODY, body);
  }
}

/**
 * Reads a body that has passed `checkCall`.
 *
 * @param model The provider's name for the model.
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
 */
export function readCall(body: JsonObject, model: string): Call {
  const settings: Settings = {};
  const sent: Call["sent"] = new Map();
  const extra: JsonObject = {};
  const dropped: string[] = [];
  checkSettings(body);
  const options = body.stream_options as JsonObject | null | undefined;
  for (const field in body) {
    const value = body[field];
    if (NOT_SETTINGS.has(field) || value === null || value === undefined) continue;
    if (field === "__proto__") dropped.push(field); // An assignment would set the prototype.
    else if (!Object.hasOwn(BODY.entries, field)) extra[field] = value;
    else {
      const name = SPELLINGS.get(field) ?? field as keyof Settings;
      const other = sent.get(name);
      if (other === undefined || NEWER.has(field)) sent.set(name, field);
      // A limit means the same under both names. Tools and choices do not, so the older ones are lost.
      if (other !== undefined && name !== "max_tokens") dropped.push(NEWER.has(field) ? other : field);
    }
  }
  for (const option in options) {
    if (option !== "include_usage" && options![option] !== null) dropped.push(`stream_options.${option}`);
  }
  for (const name of sent.keys()) {
    if (Object.hasOwn(READERS, name)) continue;
    (settings as JsonObject)[name] = body[sent.get(name)!];
  }
  for (const [name, read] of READ) {
    const field = sent.get(name);
    const value = field === undefined ? undefined : read(body[field], field, dropped);
    if (value === undefined) sent.delete(name);
    else (settings as JsonObject)[name] = value;
  }
  readAllowed(body.tool_choice, settings, sent, dropped);
  return {
    wire: "openai",
    model,
    stream: body.stream === true,
    includeUsage: options?.include_usage === true,
    messages: readMessages(body.messages as JsonObject[], dropped),
    settings,
    sent,
    dropped,
    extra,
  };
}

// ---------------------------------------------------------------- settings

type SettingReader = (value: unknown, field: string, dropped: string[]) => unknown;

/** Readers of settings whose neutral value differs from the client's. `undefined` means the same as not sent. */
const READERS: { [Name in keyof Settings]?: SettingReader } = {
  stop: (value) => typeof value === "string" ? [value] : value,
  tools: (value, field, dropped) => readTools(value as JsonObject[], field, dropped),
  tool_choice: (value, field) => readToolChoice(value as string | JsonObject, field),
  response_format: (value, field, dropped) => readFormat(value as JsonObject, field, dropped),
};

const READ = Object.entries(READERS) as [keyof Settings, SettingReader][];

function readTools(list: JsonObject[], field: string, dropped: string[]): Tool[] {
  const tools: Tool[] = [];
  list.forEach((tool, at) => {
    const path = `${field}[${at}]`;
    if (field === "functions") tools.push(readFunction(tool, {}, path));
    else if (tool.type === "custom" && isObject(tool.custom)) tools.push(readCustom(tool, dropped, path));
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
    definitionPath: at,
    parametersPath: `${at}.parameters`,
  };
}

const CUSTOM_MEMBERS: ReadonlySet<string> = new Set(["description", "format", "name"]);

function readCustom({ custom, cache_control: cache }: JsonObject, dropped: string[], path: string): Tool {
  const definition = custom as JsonObject;
  const at = `${path}.custom`;
  const { name, description, format } = definition;
  for (const member in definition) if (!CUSTOM_MEMBERS.has(member)) dropped.push(`${at}.${member}`);
  return {
    type: "custom",
    name: need(name, `${at}.name`),
    description: description == null ? undefined : need(description, `${at}.description`),
    format: format == null ? undefined : readInputFormat(needObject(format, `${at}.format`), `${at}.format`),
    cache: cache ?? undefined,
    path,
    formatPath: `${at}.format`,
  };
}

/**
 * Reads the format of a custom tool. A grammar stands in its own member here, and beside the type in the Responses API.
 */
function readInputFormat(format: JsonObject, path: string): CustomTool["format"] {
  if (format.type !== "grammar") return { type: "text" };
  const isNested = isObject(format.grammar);
  const { syntax, definition } = isNested ? format.grammar as JsonObject : format;
  const at = isNested ? `${path}.grammar` : path;
  return {
    type: "grammar",
    syntax: need(syntax, `${at}.syntax`),
    definition: need(definition, `${at}.definition`),
  };
}

function readToolChoice(value: string | JsonObject, field: string): ToolChoice | undefined {
  if (typeof value === "string") {
    if (value === "none" || value === "auto" || value === "required") return value;
    if (value === "any") return "required";
    throw fault(field, '"none", "auto", "required" or an object', value);
  }
  if (value.type === "allowed_tools" && isObject(value.allowed_tools)) {
    return value.allowed_tools.mode === "required" ? "required" : "auto";
  }
  const named = isObject(value.function) ? value.function : isObject(value.custom) ? value.custom : value;
  if (typeof named.name === "string") return { name: named.name };
  if (value.type === "none" || value.type === "auto" || value.type === "required") return value.type;
  if (value.type === "any") return "required";
  throw fault(`${field}.function.name`, "string", named.name);
}

/**
 * Reads the tools to which `tool_choice` restricts the model. They become a setting of their own, because most
 * providers have no such list.
 */
function readAllowed(choice: unknown, settings: Settings, sent: Call["sent"], dropped: string[]): void {
  if (!isObject(choice) || choice.type !== "allowed_tools" || !isObject(choice.allowed_tools)) return;
  const path = "tool_choice.allowed_tools.tools";
  const declared = new Set(settings.tools?.map((tool) => "name" in tool ? tool.name : undefined));
  const names: string[] = [];
  list(choice.allowed_tools.tools).forEach((tool, at) => {
    const { function: byFunction, custom, ...flat } = isObject(tool) ? tool : {} as JsonObject;
    const { name } = isObject(byFunction) ? byFunction : isObject(custom) ? custom : flat;
    if (typeof name === "string" && declared.has(name)) names.push(name);
    else dropped.push(`${path}[${at}]`);
  });
  if (names.length > 0) {
    settings.allowed_tools = names;
    sent.set("allowed_tools", path);
  } else if (Array.isArray(choice.allowed_tools.tools)) {
    if (settings.tool_choice === "required") dropped.push("tool_choice.allowed_tools.mode");
    settings.tool_choice = "none"; // The list names no tool that is offered.
  }
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
        path,
      };
    }
    case "text":
      return undefined;
    default: // A form of one provider, e.g. a grammar.
      dropped.push(field);
      return undefined;
  }
}
