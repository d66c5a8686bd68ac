/**
 * OpenAI's Responses, the request: a neutral call into the body of `POST /v1/responses`.
 *
 * Nothing is stored at OpenAI: each request has the whole conversation, with the reasoning that earlier answers sealed. What the
 * model behind it does not take is left out by the table of generations (`shared/openai_models.ts`), and what the API cannot
 * say by the table below.
 *
 * A summary of the reasoning, which a chat client gets as `reasoning_content`, is asked for only where the client asks, by
 * `reasoning: {summary: "auto"}`: organisations that OpenAI has not verified are refused for it (BerriAI/litellm#16032).
 *
 * Checked against `openai` 7.59 types, 2026-11.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
import { isObject, list, object, text } from "../shared/json.ts";
import { isDefault, isNothing, type OpenAIModel, openaiModel } from "../shared/openai_models.ts";
import { type SettingsTable, writeSettings } from "../shared/settings.ts";
import type { Call, JsonObject, Settings, Tool, ToolChoice, WireRequest } from "../types.ts";
import { writeInput } from "./write_input.ts";

interface Draft {
  body: JsonObject;
  /** Members of `text` and `reasoning`, and names for `include`. */
  text: JsonObject;
  reasoning: JsonObject;
  include: string[];
  tools: JsonObject[];
  dropped: string[];
}

/** OpenAI answers 400 to a lower limit. */
const LEAST_TOKENS = 16;

const SETTINGS: SettingsTable<Draft> = {
  tools(tools, draft) {
    draft.tools.push(...tools.map((tool) => writeTool(tool, draft.dropped)));
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

/** Unknown fields are sent as they are, but for these: they would turn the call into another one. */
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
 * Writes a call, as `ProviderWire` says.
 *
 * @param maker The format of the thoughts that its answers seal.
 */
export function writeCall(call: Call, maker: string): WireRequest {
  const dropped: string[] = [];
  const draft: Draft = { body: {}, text: {}, reasoning: {}, include: [], tools: [], dropped };
  const model = openaiModel(call.model);
  const rest = readExtra(call, draft, model);
  const input = writeInput(call, { model, maker, dropped });
  dropped.push(...writeSettings({ ...call, sent: taken(call, draft, model) }, draft, SETTINGS));
  const { text, reasoning, include, tools } = draft;
  if (model && reasons(model)) include.unshift("reasoning.encrypted_content");
  const body: JsonObject = { ...rest, model: call.model };
  if (tools.length > 0) body.tools = tools;
  body.input = input;
  Object.assign(body, draft.body, { store: false });
  if (include.length > 0) body.include = [...new Set(include)];
  if (Object.keys(reasoning).length > 0) body.reasoning = reasoning;
  if (Object.keys(text).length > 0) body.text = text;
  if (call.stream) body.stream = true;
  return { path: "/responses", body, dropped };
}

/** Whether a model can reason at all: another one refuses to be asked for sealed reasoning. */
const reasons = ({ efforts, effort }: OpenAIModel): boolean => efforts.length > 0 || effort !== "none";

// ---------------------------------------------------------------- settings

/**
 * The settings that the model takes, and that say something: a default value that it refuses is left out without a word, any
 * other is named.
 */
function taken({ sent, settings }: Call, { reasoning, dropped }: Draft, model?: OpenAIModel): Call["sent"] {
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
  const effort = out.has("reasoning_effort") ? reasoning_effort : reasoning.effort ?? model.effort;
  const fixed = effort === "none" ? model.fixed : [...model.fixed, ...model.fixedWhileReasoning ?? []];
  for (const name of out.keys()) {
    if (SAID_OTHERWISE.has(name)) continue;
    const byDefault = isDefault(name, settings[name]);
    if (model.refused.includes(name) || fixed.includes(name) && !byDefault) leaveOut(name, byDefault);
  }
  return out;
}

const takesEffort = ({ efforts, responsesEffort }: OpenAIModel, effort: string): boolean =>
  efforts.includes(effort) || effort === responsesEffort;

/** What chat completions have and Responses have not. */
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

/** Refused on chat completions, and a tool here. */
const SAID_OTHERWISE: ReadonlySet<string> = new Set(["web_search_options"]);

/**
 * What chat completions do not know: `reasoning`, which OpenRouter has too, and `include` are written with the rest.
 *
 * @returns The fields that are sent as they are.
 */
function readExtra(
  { extra, settings }: Call,
  { reasoning, include, dropped }: Draft,
  model?: OpenAIModel,
): JsonObject {
  const rest: JsonObject = {};
  for (const [name, value] of Object.entries(extra)) {
    if (name === "include") include.push(...list(value).filter((one) => typeof one === "string"));
    else if (name === "reasoning" && isObject(value)) {
      readReasoning(value, settings, reasoning, dropped, model);
    } else if (OURS.has(name)) dropped.push(name);
    else rest[name] = value;
  }
  return rest;
}

function readReasoning(
  { effort, enabled, summary, context, mode, ...others }: JsonObject,
  settings: Settings,
  reasoning: JsonObject,
  dropped: string[],
  model?: OpenAIModel,
): void {
  Object.assign(
    reasoning,
    summary != null && { summary },
    context != null && { context },
    mode != null && { mode },
  );
  const [word, name] = text(effort)
    ? [text(effort)!, "effort"]
    : enabled === false
    ? ["none", "enabled"]
    : [];
  if (word !== undefined) {
    const isTaken = settings.reasoning_effort === undefined && (!model || takesEffort(model, word));
    if (isTaken) reasoning.effort = word;
    else dropped.push(`reasoning.${name}`);
  }
  for (const name in others) {
    if (others[name] !== false && others[name] !== null) dropped.push(`reasoning.${name}`);
  }
}

// ---------------------------------------------------------------- tools

/** What a function without parameters takes. */
const NO_PARAMETERS = { type: "object", properties: {} };

function writeTool(tool: Tool, dropped: string[]): JsonObject {
  switch (tool.type) {
    case "native":
      return tool.value;
    case "custom": {
      const { name, description, format, extra } = tool;
      return { type: "custom", name, description, format, ...extra };
    }
    case "function": {
      const { path, name, description, parameters = NO_PARAMETERS, strict = false, cache, extra } = tool;
      if (cache !== undefined) dropped.push(`${path}.cache_control`);
      // Said in any case: here a function is strict by default, and in chat completions it is not.
      return { type: "function", name, description, parameters, strict, ...extra };
    }
  }
}

function writeChoice(choice: ToolChoice, { tools = [] }: Settings): unknown {
  if (typeof choice === "string") return choice;
  const { name } = choice;
  const isCustom = tools.some((tool) => tool.type === "custom" && tool.name === name);
  return { type: isCustom ? "custom" : "function", name };
}
