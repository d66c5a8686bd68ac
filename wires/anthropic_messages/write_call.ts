/**
 * Anthropic Messages, the provider's half: writes a neutral call as the body of `POST /v1/messages`.
 *
 * What each model accepts is in `shared/claude_models.ts`. If the API would answer 400 to a field that OpenAI's clients commonly
 * send, the field is left out and named. A field that is only suspicious is sent, and the API judges it.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0 and 0.137.0 and the pages of platform.claude.com, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { writeMessages } from "./write_turns.ts";
import type { Draft } from "./draft.ts";
import { type ClaudeModel, claudeModel } from "../shared/claude_models.ts";
import { limitMarks } from "./write_parts.ts";
import { writeTools } from "./write_tools.ts";
import { enforce } from "./strict_limits.ts";
import { boundBy, withoutStaleThoughts } from "../shared/bound.ts";
import { isSigned } from "./write_answered.ts";
import {
  isForced,
  planThinking,
  thinks,
  withBudget,
  withoutLostThinking,
  withoutUnboundThoughts,
} from "./write_thinking.ts";
import { isPersonal } from "./user_id.ts";
import { isGatewayField, withRouterReasoning } from "../shared/gateway_fields.ts";
import { MCP_BETA, servedForm } from "./mcp.ts";
import { withServed } from "../shared/served_calls.ts";
import { isObject, list } from "../shared/json.ts";
import { AS_USUAL, AT_DEFAULTS, type SettingsTable, writeSettings } from "../shared/settings.ts";
import type { Call, JsonObject, Settings, WireRequest } from "../types.ts";

/** The last version that accepts sampling settings: 2026-10-21 answers 400 to `temperature`, whatever the model. */
const VERSION = "2023-06-01";

/**
 * Writes a call.
 *
 * The API requires `max_tokens`. If the client set none, the model's own maximum is sent. That costs nothing, because
 * only written tokens are billed. `messages` comes last in the body, so that the text of a conversation's next request
 * begins with the text of this one. Fields that OpenAI does not have are copied to the body and win over derived
 * fields; members of `output_config` win one by one.
 *
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeCall(given: Call): WireRequest {
  const model = claudeModel(given.baseModel ?? given.model);
  const request = write(given, model);
  if (!model.bindsThoughts) return request;
  const stale: string[] = [];
  const messages = withoutStaleThoughts(given.messages, request.bound!, isSigned, stale);
  if (!messages) return request;
  const again = write({ ...given, messages }, model);
  return { ...again, dropped: [...again.dropped, ...new Set(stale)] };
}

function write(given: Call, model: ClaudeModel): WireRequest {
  const dropped: string[] = [];
  const asked = withRouterReasoning(
    withServed(given, servedForm(given)),
    dropped,
    (call, tokens) => withBudget(call, model, tokens),
  );
  const resumed = withoutLostThinking(asked);
  if (resumed !== asked) dropped.push("thinking");
  const call = withoutUnboundThoughts(resumed, model, dropped);
  const { settings, extra } = call;
  const thinking = planThinking(call, model);
  const body: JsonObject = { model: call.model, max_tokens: settings.max_tokens ?? model.maxTokens };
  if (call.stream) body.stream = true;
  const draft: Draft = {
    body,
    model,
    thinking,
    dropped,
    marks: new Map(),
    enforced: { tools: [], native: [] },
    words: [],
    servers: [],
  };
  if (thinking.config) body.thinking = thinking.config;
  if (thinking.effort) body.output_config = { effort: thinking.effort };
  dropped.push(...writeSettings(call, draft, SETTINGS));
  const format = enforce(draft.enforced, dropped);
  if (format) body.output_config = merge(body.output_config, { format });
  else if (draft.enforced.format) draft.words.push(inWords(draft.enforced.format.schema));
  const own = readSystem(extra.system, draft);
  const { system, messages, container } = writeMessages(call.messages, model, draft);
  if (draft.servers.length > 0) body.mcp_servers = draft.servers;
  writeExtra(extra, draft);
  const preface = joinSystem(own, [...system, ...draft.words.map((text) => ({ type: "text", text }))]);
  if (preface !== undefined) body.system = preface;
  if (list(body.tools).length === 0) withoutTools(call, body, dropped);
  else if (container && body.container === undefined) writeContainer(container, messages, body);
  body.messages = messages;
  limitMarks(body, draft);
  return {
    path: "/v1/messages",
    body,
    headers: {
      "anthropic-version": VERSION,
      ...(draft.servers.length > 0 && { "anthropic-beta": MCP_BETA }),
    },
    dropped,
    bound: boundBy(body.system, body.tools, model),
  };
}

/** Anthropic has a beta field of this name, and LiteLLM has another one. */
const FALLBACKS = "fallbacks";

/** Writes the client's fields that OpenAI does not have. */
function writeExtra(extra: JsonObject, { body, dropped }: Draft): void {
  for (const name in extra) {
    if (name === "system") continue;
    if (isGatewayField(name) && name !== FALLBACKS) dropped.push(name);
    else if (name === "output_config") body.output_config = merge(body.output_config, extra.output_config);
    else body[name] = extra[name];
  }
}

/** Reads the client's own `system` and records its cache marks. */
function readSystem(system: unknown, { marks }: Draft): unknown {
  if (!Array.isArray(system)) return system;
  return system.map((block, at) => {
    if (!isObject(block) || block.cache_control == null) return block;
    const copy = { ...block };
    marks.set(copy, `system[${at}].cache_control`);
    return copy;
  });
}

/**
 * Continues in the container of the last answer: the page says that tool calls from its code cannot be answered without
 * it. An expired container is left out, unless its code waits for a result: then the API reports the fault.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/programmatic-tool-calling (2026-11)
 */
function writeContainer(
  { id, expires_at }: JsonObject,
  messages: { content: JsonObject[] }[],
  body: JsonObject,
) {
  const waits = messages.at(-1)?.content[0]?.type === "tool_result";
  const until = typeof expires_at === "string" ? Date.parse(expires_at) : NaN;
  if (waits || !(until < Date.now())) body.container = id;
}

// ---------------------------------------------------------------- in words

const JSON_ALONE = "and nothing else: no words before or behind it, and no code fence.";

/** An instruction to answer with JSON by a schema, for a schema that the API does not enforce. */
const inWords = (schema: JsonObject) =>
  `Answer with one JSON value that is valid by this JSON Schema, ${JSON_ALONE}\n\n${JSON.stringify(schema)}`;

/**
 * Completes a request without tools. The choice of a tool is removed, because the API refuses it without tools.
 *
 * A conversation with tool calls must declare tools ("Requests which include `tool_use` or `tool_result` blocks must
 * define tools"), which OpenAI does not require. The tools that were called are declared, with the choice `none`.
 */
function withoutTools({ messages, settings, sent }: Call, body: JsonObject, dropped: string[]): void {
  if (body.tool_choice !== undefined) {
    delete body.tool_choice;
    if (isForced(settings.tool_choice)) dropped.push(sent.get("tool_choice")!);
  }
  const calls = messages.flatMap((message) => message.role === "assistant" ? message.calls : []);
  if (calls.length === 0) return;
  const names = new Set(calls.map(({ name }) => name));
  body.tools = [...names].map((name) => ({ name, input_schema: { type: "object" } }));
  body.tool_choice = { type: "none" };
}

function merge(derived: unknown, own: unknown): unknown {
  return isObject(derived) && isObject(own) ? { ...derived, ...own } : own;
}

/** Joins the client's own `system` field and the system messages, in this order. A single text stays a string. */
function joinSystem(own: unknown, blocks: JsonObject[]): unknown {
  if (own !== undefined) {
    if (blocks.length === 0) return own;
    return [...(typeof own === "string" ? [{ type: "text", text: own }] : [own].flat()), ...blocks];
  }
  if (blocks.length === 0) return undefined;
  return blocks.length === 1 && !blocks[0].cache_control ? blocks[0].text : blocks;
}

// ---------------------------------------------------------------- settings

const SETTINGS: SettingsTable<Draft> = {
  ...AS_USUAL,
  max_tokens() {}, // `writeCall` writes it, because the API requires it.
  reasoning_effort: (_, { thinking }) => thinking.lost ? false : undefined,
  temperature(value, draft, call) {
    if (!takesTemperature(value, draft, call)) return false;
    if (draft.model.sampling !== "defaults") draft.body.temperature = value;
  },
  top_p(value, draft, call) {
    const { sampling } = draft.model;
    // The default of OpenAI (1) or of the model (0.99) asks for nothing.
    if (sampling === "defaults") return value === 1 || value === 0.99 ? undefined : false;
    const { temperature } = call.settings;
    const taken = temperature !== undefined && takesTemperature(temperature, draft, call);
    if (sampling === "one" && taken) return false;
    if (value < (thinks(call, draft.thinking) ? 0.95 : 0)) return false;
    draft.body.top_p = value;
  },
  top_k(value, draft, call) {
    if (draft.model.sampling === "defaults" || thinks(call, draft.thinking)) return false;
    draft.body.top_k = value;
  },
  stop(value, { body, dropped }, call) {
    // The API refuses stop sequences that are only white space.
    const useful = value.filter((text) => text.trim() !== "");
    if (useful.length > 0) body.stop_sequences = useful;
    const field = call.sent.get("stop");
    value.forEach((text, at) =>
      text.trim() === "" && dropped.push(value.length > 1 ? `${field}[${at}]` : field!)
    );
  },
  tools: writeTools,
  tool_choice: writeToolChoice,
  parallel_tool_calls(value, { body }, call) {
    // `tool_choice` carries it. Without a choice of the client, the choice is `auto`.
    if (value || call.settings.tool_choice === "none") return;
    if (!call.settings.tools?.length) return false;
    const choice = isObject(body.tool_choice) ? body.tool_choice : { type: "auto" };
    body.tool_choice = { ...choice, disable_parallel_tool_use: true };
  },
  response_format(value, { enforced, words, dropped }) {
    if (value.type === "json_object") {
      words.push(`Answer with one valid JSON object ${JSON_ALONE}`);
      return false; // The API does not enforce it, so it is named as dropped.
    }
    if (value.description !== undefined) dropped.push(`${value.path}.description`);
    enforced.format = { schema: value.schema, path: value.path };
  },
  user: (value, { body }) => writeUserId(body, value),
  safety_identifier: (value, { body }) => writeUserId(body, value),
  metadata(value, { body, dropped }, { sent }) {
    // The API refuses every member but `user_id`.
    const { user_id, ...rest } = value;
    const path = sent.get("metadata");
    const isText = typeof user_id === "string";
    if (user_id != null && (!isText || writeUserId(body, user_id) === false)) {
      dropped.push(`${path}.user_id`);
    }
    for (const name of Object.keys(rest)) dropped.push(`${path}.${name}`);
  },
  service_tier(value, { body }) {
    if (!SERVICE_TIERS.has(value)) return false;
    body.service_tier = SERVICE_TIERS.get(value);
  },
  web_search_options: writeWebSearch,
  ...AT_DEFAULTS,
};

/**
 * Whether the model accepts this temperature. Anthropic's scale ends at 1, which is the default; OpenAI's ends at 2.
 */
function takesTemperature(value: number, draft: Draft, call: Call): boolean {
  const fixed = draft.model.sampling === "defaults" || thinks(call, draft.thinking);
  return fixed ? value === 1 : value >= 0 && value <= 1;
}

/**
 * OpenAI's service tiers as Anthropic's: `auto` uses priority capacity if the organisation has any, `standard_only`
 * never.
 */
const SERVICE_TIERS: ReadonlyMap<string, string> = new Map([
  ["auto", "auto"],
  ["priority", "auto"],
  ["default", "standard_only"],
  ["standard_only", "standard_only"],
]);

/**
 * Writes `metadata.user_id`. Three client fields mean it (`metadata.user_id`, `safety_identifier` and its old name
 * `user`); the first one is kept.
 */
function writeUserId(body: JsonObject, id: string): void | false {
  if (isPersonal(id)) return false;
  const known = isObject(body.metadata) ? body.metadata.user_id : undefined;
  if (known !== undefined) return known === id ? undefined : false;
  body.metadata = { user_id: id };
}

// ---------------------------------------------------------------- tools

function writeToolChoice(
  value: NonNullable<Settings["tool_choice"]>,
  { body, model }: Draft,
): void | false {
  if (isForced(value) && !model.forcesTools) return false;
  const choice: JsonObject = typeof value === "object"
    ? { type: "tool", name: value.name }
    : { type: value === "required" ? "any" : value };
  // `parallel_tool_calls` may have written its member already.
  body.tool_choice = value === "none" ? choice : merge(body.tool_choice, choice);
}

/** Writes OpenAI's `web_search_options` as Anthropic's search tool, in the version that every model accepts. */
function writeWebSearch(value: JsonObject, { body, dropped }: Draft, { sent }: Call): void {
  const { user_location, ...rest } = value;
  const place = isObject(user_location) && isObject(user_location.approximate)
    ? { type: "approximate", ...user_location.approximate }
    : user_location;
  const tool: JsonObject = { type: "web_search_20250305", name: "web_search" };
  if (place) tool.user_location = place;
  body.tools = [...list(body.tools), tool];
  for (const name of Object.keys(rest)) dropped.push(`${sent.get("web_search_options")}.${name}`);
}
