/**
 * Anthropic Messages, requests: a neutral call into the body of `POST /v1/messages`.
 *
 * The neutral form of each model's peculiarities is in `anthropic_models.ts`. Where the API would answer 400 to what a
 * client of OpenAI may well send, the field is left out and named; what only looks wrong is sent, and the API says so.
 *
 * Checked against `@anthropic-ai/sdk` 1.12.0 and 0.137.0 and the pages of platform.claude.com, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { type ClaudeModel, claudeModel } from "./anthropic_models.ts";
import { narrowSchema } from "./anthropic_schema.ts";
import { isSigned, writeMessages } from "./anthropic_messages_turns.ts";
import { isObject, list } from "./json.ts";
import { type SettingsTable, writeSettings } from "./settings.ts";
import type { Call, JsonObject, Message, MessageOf, Settings, Tool, WireRequest } from "./types.ts";

/** The last version with sampling settings: 2026-10-21 answers 400 to `temperature`, whatever the model. */
const VERSION = "2023-06-01";

/** A body in the making, with what its writers share. */
interface Draft {
  body: JsonObject;
  model: ClaudeModel;
  thinking: ThinkingPlan;
  dropped: string[];
}

/**
 * Writes a call.
 *
 * `max_tokens`, which the API requires, is the model's own maximum when the client set none: it costs nothing, as only
 * tokens that are written count. `messages` comes last in the body, so that the text of a conversation's next request
 * begins with the text of this one. Fields that OpenAI does not have are put on the body as they are and win over what
 * was derived; members of `output_config` win one by one.
 */
export function writeCall(given: Call): WireRequest {
  const call = withoutLostThinking(given);
  const { settings, extra } = call;
  const model = claudeModel(call.model);
  const thinking = planThinking(call, model);
  const body: JsonObject = { model: call.model, max_tokens: settings.max_tokens ?? model.maxTokens };
  if (call.stream) body.stream = true;
  const draft: Draft = { body, model, thinking, dropped: call === given ? [] : ["thinking"] };
  if (thinking.config) body.thinking = thinking.config;
  if (thinking.effort) body.output_config = { effort: thinking.effort };
  draft.dropped.push(...writeSettings(call, draft, SETTINGS));
  const { system, messages } = writeMessages(call.messages, model, draft.dropped);
  const { output_config, system: extraSystem } = extra;
  for (const name in extra) if (name !== "output_config" && name !== "system") body[name] = extra[name];
  if (output_config !== undefined) body.output_config = merge(body.output_config, output_config);
  const preface = joinSystem(extraSystem, system);
  if (preface !== undefined) body.system = preface;
  if (list(body.tools).length === 0) declareUsedTools(call.messages, body);
  body.messages = messages;
  return {
    path: "/v1/messages",
    body,
    headers: { "anthropic-version": VERSION },
    dropped: draft.dropped,
  };
}

/**
 * A conversation with calls must have tools ("Requests which include `tool_use` or `tool_result` blocks must define
 * tools"), which OpenAI does not ask of its last request. Those that were called are declared, and not to be called again.
 */
function declareUsedTools(messages: Message[], body: JsonObject): void {
  const calls = messages.flatMap((message) => message.role === "assistant" ? message.calls : []);
  if (calls.length === 0) return;
  const names = new Set(calls.map(({ name }) => name));
  body.tools = [...names].map((name) => ({ name, input_schema: { type: "object" } }));
  body.tool_choice = { type: "none" };
}

function merge(derived: unknown, own: unknown): unknown {
  return isObject(derived) && isObject(own) ? { ...derived, ...own } : own;
}

/** The client's own `system` field before the system messages; text alone stays a string. */
function joinSystem(own: unknown, blocks: JsonObject[]): unknown {
  if (own !== undefined) {
    if (blocks.length === 0) return own;
    return [...(typeof own === "string" ? [{ type: "text", text: own }] : [own].flat()), ...blocks];
  }
  if (blocks.length === 0) return undefined;
  return blocks.length === 1 && !blocks[0].cache_control ? blocks[0].text : blocks;
}

// ---------------------------------------------------------------- thinking

interface ThinkingPlan {
  config?: JsonObject;
  effort?: string;
  /** `reasoning_effort` asks for what this model, or this call, cannot have. */
  lost?: boolean;
}

const EFFORTS = ["minimal", "low", "medium", "high", "xhigh", "max"];

/** Tokens to think with, for models that take a number: those that Google publishes for the same words. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_000, // Longer thinking belongs to batches, says the guide to extended thinking.
  max: 32_000,
};
const LEAST_BUDGET = 1024;

/**
 * `reasoning_effort` as this model takes it: a budget below `max_tokens`, or an effort level (the nearest one not above
 * what was asked) with adaptive thinking. A native `thinking` of the client's wins; it stands beside an effort level but
 * replaces a budget. With a budget no tool can be forced, and tool results can only go on with thoughts that the client
 * has kept.
 *
 * Where thoughts would be hidden their summary is asked for: they are what `reasoning_content` shows.
 */
function planThinking({ settings, extra, messages }: Call, model: ClaudeModel): ThinkingPlan {
  const { reasoning_effort: effort, tool_choice, max_tokens = model.maxTokens } = settings;
  if (effort === undefined) return {};
  const native = extra.thinking !== undefined;
  if (effort === "none") {
    if (!model.thinking || model.off === "unset") return {};
    if (!model.off) return { effort: model.efforts![0], lost: true };
    return native ? { lost: true } : { config: model.off };
  }
  if (model.thinking === "adaptive") {
    const level = nearestEffort(effort, model.efforts!);
    if (native) return { effort: level };
    return {
      config: model.hidesThoughts ? { type: "adaptive", display: "summarized" } : { type: "adaptive" },
      effort: level,
    };
  }
  const wanted = Object.hasOwn(BUDGETS, effort) ? BUDGETS[effort] : undefined;
  const room = max_tokens > LEAST_BUDGET && !isForced(tool_choice) && !resumesUnthought(messages);
  if (!model.thinking || !wanted || native || !room) return { lost: true };
  // The limit holds for thoughts and answer together: leave the answer half of a small one.
  const budget = Math.min(wanted, Math.max(LEAST_BUDGET, Math.floor(max_tokens / 2)));
  return { config: { type: "enabled", budget_tokens: budget } };
}

/**
 * The call without the client's own budget for thinking when its conversation has lost the thoughts that tool results
 * must go on with: "Expected `thinking`, but found `tool_use` … To avoid this requirement, disable `thinking`".
 */
function withoutLostThinking(call: Call): Call {
  const { thinking } = call.extra;
  if (!isObject(thinking) || thinking.type !== "enabled" || !resumesUnthought(call.messages)) return call;
  const { thinking: _, ...extra } = call.extra;
  return { ...call, extra };
}

const isForced = (choice: Settings["tool_choice"]) => choice === "required" || typeof choice === "object";

/** Whether the last turn is tool results, and the assistant's turn that they belong to does not begin with thinking. */
function resumesUnthought(messages: Message[]): boolean {
  let first: MessageOf<"assistant"> | undefined;
  let open = false;
  for (const message of messages) {
    if (message.role === "assistant") first ??= message;
    if (message.role === "user") first = undefined;
    if (message.role !== "system" && message.role !== "developer") open = message.role === "tool";
  }
  return open && !first?.thoughts.some(isSigned);
}

/** A word that we do not know is the API's to judge. */
function nearestEffort(effort: string, levels: readonly string[]): string {
  const rank = EFFORTS.indexOf(effort);
  return rank < 0 ? effort : levels.findLast((level) => EFFORTS.indexOf(level) <= rank) ?? levels[0];
}

/** Whether this call turns thinking on; sampling is then narrower. */
function thinks(call: Call, { thinking }: Draft): boolean {
  const config = isObject(call.extra.thinking) ? call.extra.thinking : thinking.config;
  return config?.type === "enabled" || config?.type === "adaptive";
}

// ---------------------------------------------------------------- settings

const SETTINGS: SettingsTable<Draft> = {
  max_tokens() {}, // Written above: the API requires it.
  reasoning_effort: (_, { thinking }) => thinking.lost ? false : undefined,
  temperature(value, draft, call) {
    if (!takesTemperature(value, draft, call)) return false;
    draft.body.temperature = value;
  },
  top_p(value, draft, call) {
    const { sampling } = draft.model;
    const { temperature } = call.settings;
    const taken = temperature !== undefined && takesTemperature(temperature, draft, call);
    if (sampling === "one" && taken) return false;
    if (value < (sampling === "defaults" ? 0.99 : thinks(call, draft) ? 0.95 : 0)) return false;
    draft.body.top_p = value;
  },
  top_k(value, draft, call) {
    if (draft.model.sampling === "defaults" || thinks(call, draft)) return false;
    draft.body.top_k = value;
  },
  stop(value, { body, dropped }, call) {
    // The API refuses sequences of white space alone.
    const useful = value.filter((text) => text.trim() !== "");
    if (useful.length > 0) body.stop_sequences = useful;
    const field = call.sent.get("stop");
    value.forEach((text, at) =>
      text.trim() === "" && dropped.push(value.length > 1 ? `${field}[${at}]` : field!)
    );
  },
  tools: (value, draft) => writeTools(value, draft),
  tool_choice: writeToolChoice,
  parallel_tool_calls(value, { body }, call) {
    // `tool_choice` says it; without one the choice is `auto`.
    if (value || call.settings.tool_choice === "none") return;
    if (!call.settings.tools?.length) return false;
    const choice = isObject(body.tool_choice) ? body.tool_choice : { type: "auto" };
    body.tool_choice = { ...choice, disable_parallel_tool_use: true };
  },
  response_format(value, { body, dropped }) {
    if (value.type === "json_object") return false;
    const path = "response_format.json_schema";
    if (value.description !== undefined) dropped.push(`${path}.description`);
    const format = { type: "json_schema", schema: narrowSchema(value.schema, `${path}.schema`, dropped) };
    body.output_config = merge(body.output_config, { format });
  },
  user: (value, { body }) => writeUserId(body, value),
  safety_identifier: (value, { body }) => writeUserId(body, value),
  metadata(value, { body, dropped }) {
    // Only `user_id`: the API refuses every other member.
    const { user_id, ...rest } = value;
    if (typeof user_id === "string" && writeUserId(body, user_id) === false) dropped.push("metadata.user_id");
    for (const name of Object.keys(rest)) dropped.push(`metadata.${name}`);
  },
  service_tier(value, { body }) {
    if (!SERVICE_TIERS.has(value)) return false;
    body.service_tier = SERVICE_TIERS.get(value);
  },
  web_search_options: writeWebSearch,
  // These ask for nothing at the values that OpenAI has by default.
  n: (value) => value === 1 ? undefined : false,
  logprobs: (value) => value ? false : undefined,
  store: (value) => value ? false : undefined,
  frequency_penalty: (value) => value === 0 ? undefined : false,
  presence_penalty: (value) => value === 0 ? undefined : false,
  modalities: (value) => value.every((kind) => kind === "text") ? undefined : false,
  logit_bias: (value) => Object.keys(value).length === 0 ? undefined : false,
};

/** The scale ends at 1, the default: what is above it, as OpenAI allows, cannot be said. */
function takesTemperature(value: number, draft: Draft, call: Call): boolean {
  const fixed = draft.model.sampling === "defaults" || thinks(call, draft);
  return fixed ? value === 1 : value >= 0 && value <= 1;
}

/** Anthropic's `auto` takes priority capacity where the organisation has any, `standard_only` never. */
const SERVICE_TIERS: ReadonlyMap<string, string> = new Map([
  ["auto", "auto"],
  ["priority", "auto"],
  ["default", "standard_only"],
  ["standard_only", "standard_only"],
]);

/** The first to come is kept: `metadata.user_id`, `safety_identifier` and its old name `user` are one field here. */
function writeUserId(body: JsonObject, id: string): void | false {
  const known = isObject(body.metadata) ? body.metadata.user_id : undefined;
  if (known !== undefined) return known === id ? undefined : false;
  body.metadata = { user_id: id };
}

// ---------------------------------------------------------------- tools

/** Tools in the client's order. */
function writeTools(tools: Tool[], { body, dropped }: Draft): void {
  if (tools.length > 0) {
    body.tools = [...tools.map((tool) => writeTool(tool, dropped)), ...list(body.tools)];
  }
}

function writeTool(tool: Tool, dropped: string[]): JsonObject {
  if (tool.type === "native") return tool.value;
  const { name, description, parameters, strict, cache, extra, path } = tool;
  // The API wants the type said; a schema without one means any value, and arguments are always an object.
  let schema = parameters?.type === undefined ? { type: "object", ...parameters } : parameters;
  if (strict) {
    const at = path.startsWith("functions") ? `${path}.parameters` : `${path}.function.parameters`;
    schema = narrowSchema(schema, at, dropped);
  }
  const out: JsonObject = { name };
  if (description !== undefined) out.description = description;
  out.input_schema = schema;
  if (strict !== undefined) out.strict = strict;
  Object.assign(out, extra);
  if (cache !== undefined) out.cache_control = cache;
  return out;
}

function writeToolChoice(
  value: NonNullable<Settings["tool_choice"]>,
  { body, model }: Draft,
): void | false {
  if (isForced(value) && !model.forcesTools) return false;
  const choice: JsonObject = typeof value === "object"
    ? { type: "tool", name: value.name }
    : { type: value === "required" ? "any" : value };
  // `parallel_tool_calls` may have come first.
  body.tool_choice = value === "none" ? choice : merge(body.tool_choice, choice);
}

/** OpenAI's search-while-answering is a tool of Anthropic's; this version of it runs on every model. */
function writeWebSearch(value: JsonObject, { body, dropped }: Draft): void {
  const { user_location, ...rest } = value;
  const place = isObject(user_location) && isObject(user_location.approximate)
    ? { type: "approximate", ...user_location.approximate }
    : user_location;
  const tool: JsonObject = { type: "web_search_20250305", name: "web_search" };
  if (place) tool.user_location = place;
  body.tools = [...list(body.tools), tool];
  for (const name of Object.keys(rest)) dropped.push(`web_search_options.${name}`);
}
