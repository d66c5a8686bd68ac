/**
 * OpenAI's Responses, the provider's half: writes a neutral call as the body of `POST /v1/responses`.
 *
 * Nothing is stored at OpenAI: each request has the whole conversation, with the reasoning that earlier answers sealed.
 * The table of generations (`shared/openai_models.ts`) says what the model refuses, and the table below what the API
 * cannot express; both are left out.
 *
 * A summary of the reasoning, which a chat client gets as `reasoning_content`, is only requested if the client sends
 * `reasoning: {summary: "auto"}`: OpenAI refuses it to organisations that it has not verified (BerriAI/litellm#16032).
 *
 * Checked against `openai` 7.59 types, 2026-11.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
import { isGatewayField, withRouterReasoning } from "../shared/gateway_fields.ts";
import { isObject, list, object } from "../shared/json.ts";
import {
  fixedAt,
  isDefault,
  isNothing,
  type OpenAIModel,
  openaiModel,
  reasons,
  takesEffort,
} from "../shared/openai_models.ts";
import { type SettingsTable, writeSettings } from "../shared/settings.ts";
import { withServed } from "../shared/served_calls.ts";
import { placeOf, unsaidMembers } from "../shared/tools.ts";
import type {
  Call,
  JsonObject,
  McpServer,
  ServerTool,
  Settings,
  Tool,
  ToolChoice,
  WireRequest,
} from "../types.ts";
import { servedForm, writeMcpTool } from "./mcp.ts";
import { writeInput } from "./write_input.ts";

interface Draft {
  body: JsonObject;
  /** The fields `text`, `reasoning` and `include` while they are written. */
  text: JsonObject;
  reasoning: JsonObject;
  include: string[];
  tools: JsonObject[];
  dropped: string[];
}

/** The lowest token limit. OpenAI answers 400 to a lower one. */
const LEAST_TOKENS = 16;

const SETTINGS: SettingsTable<Draft> = {
  tools(tools, draft, call) {
    for (const tool of tools) {
      const written = tool.type === "server"
        ? writeServerTool(tool, call, draft)
        : tool.type === "mcp"
        ? call.wire === "responses" ? tool.value : writeMcpTool(tool)
        : writeTool(tool, draft.dropped);
      if (written) draft.tools.push(written);
    }
  },
  tool_choice: (choice, { body }, { settings }) => void (body.tool_choice = writeChoice(choice, settings)),
  allowed_tools(names, { body }, { settings }) {
    if (settings.tool_choice === "none") return;
    const mode = settings.tool_choice === "required" ? "required" : "auto";
    const tools = names.map((name) => writeChoice({ name }, settings));
    body.tool_choice = { type: "allowed_tools", mode, tools };
  },
  parallel_tool_calls: (value, { body }) => void (body.parallel_tool_calls = value),
  response_format(format, { text }) {
    if (format.type === "json_object") text.format = { type: "json_object" };
    else {
      const { name = "response", description, schema, strict = false } = format;
      text.format = { type: "json_schema", name, description, schema, strict };
    }
  },
  max_tokens(value, { body, dropped }, { sent }) {
    if (value < LEAST_TOKENS) dropped.push(sent.get("max_tokens")!);
    body.max_output_tokens = Math.max(value, LEAST_TOKENS);
  },
  temperature: (value, { body }) => void (body.temperature = value),
  top_p: (value, { body }) => void (body.top_p = value),
  logprobs: (value, { include }) => void (value && include.push("message.output_text.logprobs")),
  top_logprobs: (value, { body }) => void (body.top_logprobs = value),
  user: (value, { body }) => void (body.user = value),
  service_tier: (value, { body }) => void (body.service_tier = value),
  metadata: (value, { body }) => void (body.metadata = value),
  reasoning_effort: (value, { reasoning }) => void (reasoning.effort = value),
  reasoning_summary: (value, { reasoning }) => void (value !== "none" && (reasoning.summary = value)),
  verbosity: (value, { text }) => void (text.verbosity = value),
  store: (value) => value ? false : undefined,
  web_search_options(options, { tools }) {
    const { search_context_size, user_location } = options;
    const place = object(object(user_location)?.approximate);
    const location = place ? { type: "approximate", ...place } : user_location;
    tools.push({ type: "web_search", search_context_size, user_location: location });
  },
  prompt_cache_key: (value, { body }) => void (body.prompt_cache_key = value),
  prompt_cache_retention: (value, { body }) => void (body.prompt_cache_retention = value),
  safety_identifier: (value, { body }) => void (body.safety_identifier = value),
};

/** Names of other gateways' fields that OpenAI has too. */
const OPENAIS: ReadonlySet<string> = new Set(["moderation", "prompt_cache_options"]);

/** Fields that are never copied from the client's unknown fields, because they would change the meaning of the call. */
const OURS: ReadonlySet<string> = new Set([
  "background",
  "conversation",
  "input",
  "instructions",
  "previous_response_id",
  "prompt",
  "text",
]);

/**
 * Writes a call.
 *
 * @param maker The format name of the thoughts that the provider seals.
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeCall(asked: Call, maker: string): WireRequest {
  const call = withServed(asked, servedForm(asked, maker));
  const dropped: string[] = [];
  const draft: Draft = { body: {}, text: {}, reasoning: {}, include: [], tools: [], dropped };
  const model = openaiModel(call.baseModel ?? call.model);
  const read = withoutExtra(call, draft);
  const input = writeInput(call, { model, maker, dropped });
  dropped.push(...writeSettings({ ...read, sent: taken(read, draft, model) }, draft, SETTINGS));
  const { text, reasoning, include, tools } = draft;
  if (model && reasons(model)) include.unshift("reasoning.encrypted_content");
  const body: JsonObject = { ...read.extra, model: call.model };
  if (tools.length > 0) body.tools = tools;
  body.input = input;
  Object.assign(body, draft.body, { store: false });
  if (include.length > 0) body.include = [...new Set(include)];
  if (Object.keys(reasoning).length > 0) body.reasoning = reasoning;
  if (Object.keys(text).length > 0) body.text = text;
  if (call.stream) body.stream = true;
  return { path: "/responses", body, dropped };
}

// ---------------------------------------------------------------- settings

/**
 * The settings that the model accepts. A refused setting with its default value is left out silently; any other is
 * named.
 */
function taken({ sent, settings }: Call, { dropped }: Draft, model?: OpenAIModel): Call["sent"] {
  const out = new Map(sent);
  const leaveOut = (name: keyof Settings, byDefault: boolean) => {
    out.delete(name);
    if (!byDefault && !isNothing(settings[name])) dropped.push(sent.get(name)!);
  };
  for (const name of ABSENT) if (out.has(name)) leaveOut(name, isDefault(name, settings[name]));
  if (!model) return out;
  const { reasoning_effort } = settings;
  if (reasoning_effort !== undefined && !takesEffort(model, reasoning_effort)) {
    leaveOut("reasoning_effort", reasoning_effort === model.effort);
  }
  const fixed = fixedAt(model, out.has("reasoning_effort") ? reasoning_effort! : model.effort);
  for (const name of out.keys()) {
    if (SAID_OTHERWISE.has(name)) continue;
    const byDefault = isDefault(name, settings[name]);
    if (model.refused.includes(name) || fixed.includes(name) && !byDefault) leaveOut(name, byDefault);
  }
  return out;
}

/** Settings of chat completions that Responses do not have. */
const ABSENT: readonly (keyof Settings)[] = [
  "audio",
  "frequency_penalty",
  "logit_bias",
  "modalities",
  "n",
  "prediction",
  "presence_penalty",
  "seed",
  "stop",
  "top_k",
];

/** Settings that models refuse on chat completions and that are a tool here. */
const SAID_OTHERWISE: ReadonlySet<string> = new Set(["web_search_options"]);

/**
 * Reads `reasoning` and the client's unknown fields into a call, and removes the fields that are not sent. Some members
 * of `reasoning` are OpenRouter's, others belong to Responses.
 */
function withoutExtra(call: Call, { reasoning, include, dropped }: Draft): Call {
  // Unknown fields of clients of other wires mean nothing to OpenAI.
  if (call.wire !== "openai" && call.wire !== "responses") return { ...call, extra: {} };
  const { reasoning: asked, ...rest } = call.extra;
  const extra: JsonObject = {};
  for (const [name, value] of Object.entries(rest)) {
    if (name === "include") include.push(...list(value).filter((one) => typeof one === "string"));
    else if (OURS.has(name) || isGatewayField(name) && !OPENAIS.has(name)) dropped.push(name);
    else extra[name] = value;
  }
  if (asked === undefined) return { ...call, extra };
  if (!isObject(asked)) {
    return withRouterReasoning({ ...call, extra: { ...extra, reasoning: asked } }, dropped);
  }
  const { summary, context, mode, ...others } = asked;
  for (const [name, value] of Object.entries({ summary, context, mode })) {
    if (value != null) reasoning[name] = value;
  }
  return withRouterReasoning({ ...call, extra: { ...extra, reasoning: others } }, dropped);
}

// ---------------------------------------------------------------- tools

/** The schema of a function without parameters. */
const NO_PARAMETERS = { type: "object", properties: {} };

function writeTool(tool: Exclude<Tool, ServerTool | McpServer>, dropped: string[]): JsonObject {
  switch (tool.type) {
    case "native":
      return tool.value;
    case "custom": {
      const { path, name, description, format, cache } = tool;
      if (cache !== undefined) dropped.push(`${path}.cache_control`);
      return { type: "custom", name, description, format };
    }
    case "function": {
      const { path, name, description, parameters = NO_PARAMETERS, strict = false, cache, extra } = tool;
      if (cache !== undefined) dropped.push(`${path}.cache_control`);
      // `strict` is always written: on Responses a function is strict by default, and on chat completions it is not.
      return { type: "function", name, description, parameters, strict, ...extra };
    }
  }
}

/** Writes a tool that OpenAI runs itself; `undefined` for a tool that OpenAI does not have. */
function writeServerTool(tool: ServerTool, { wire }: Call, { dropped }: Draft): JsonObject | undefined {
  const { kind, search, value, path } = tool;
  if (wire === "responses") return value;
  if (kind === "web_fetch") return void dropped.push(path);
  if (kind === "code_execution") {
    dropped.push(...unsaidMembers(tool));
    return { type: "code_interpreter", container: { type: "auto" } };
  }
  dropped.push(...unsaidMembers(tool, ["allowedDomains", "location"]));
  const { allowedDomains } = search ?? {};
  return {
    type: "web_search",
    user_location: placeOf(search),
    filters: allowedDomains && { allowed_domains: allowedDomains },
  };
}

function writeChoice(choice: ToolChoice, { tools = [] }: Settings): unknown {
  if (typeof choice === "string") return choice;
  const { name } = choice;
  const isCustom = tools.some((tool) => tool.type === "custom" && tool.name === name);
  return { type: isCustom ? "custom" : "function", name };
}
