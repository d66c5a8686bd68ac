/**
 * OpenAI chat completions, the provider's half: writes a neutral call as a body that any compatible provider accepts.
 *
 * The rules of a provider that refuses or renames something are in its row, and are applied to what is written here.
 *
 * Checked against `openai` 7.59.0 types, 2026-11.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
import type { ChatTakes } from "./takes.ts";
import { sourceOf, type Turns, writeTurns } from "./write_turns.ts";
import { effortOf } from "../shared/gateway_fields.ts";
import { digest, hash } from "../shared/hash.ts";
import { openaiModel } from "../shared/openai_models.ts";
import { AS_USUAL, type SettingsTable, writeSettings } from "../shared/settings.ts";
import { withServed } from "../shared/served_calls.ts";
import { customAsFunction, placeOf, unsaidMembers } from "../shared/tools.ts";
import type { Call, CustomTool, FunctionTool, JsonObject, Settings, Tool, WireRequest } from "../types.ts";

/** A body while it is written, and what its writers share. */
interface Draft {
  body: JsonObject;
  takes: ChatTakes;
  dropped: string[];
  nameOf: (name: string) => string;
}

/** Settings with the same name and the same values in this format. */
const SAME = [
  "audio",
  "frequency_penalty",
  "logit_bias",
  "logprobs",
  "max_tokens",
  "metadata",
  "modalities",
  "n",
  "prediction",
  "presence_penalty",
  "prompt_cache_key",
  "prompt_cache_retention",
  "safety_identifier",
  "seed",
  "service_tier",
  "stop",
  "temperature",
  "top_k",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
  "web_search_options",
] as const satisfies readonly (keyof Settings)[];

const SAME_SETTINGS: SettingsTable<Draft> = Object.fromEntries(
  SAME.map((name) => [name, (value: unknown, { body }: Draft) => void (body[name] = value)]),
);

const SETTINGS: SettingsTable<Draft> = {
  ...SAME_SETTINGS,
  /** `false` is left out: providers do not store answers by default, and few know the field. */
  store: (value, { body }) => value ? void (body.store = value) : undefined,
  tools: writeTools,
  tool_choice(choice, { body, nameOf, takes }, { settings: { tools } }) {
    if (!canChoose(body)) return choice === "auto" || choice === "none" ? undefined : false;
    if (body.tool_choice !== undefined) return; // `allowed_tools` has written it.
    if (typeof choice === "string") body.tool_choice = choice;
    else {
      const isCustom = takes.openaiTools &&
        tools?.some((tool) => tool.type === "custom" && tool.name === choice.name);
      const type = isCustom ? "custom" : "function";
      body.tool_choice = { type, [type]: { name: nameOf(choice.name) } };
    }
  },
  /** If the provider has no such list, only the allowed tools are offered, see `writeTools`. */
  allowed_tools(names, { body, nameOf, takes }, { settings: { tools, tool_choice } }) {
    if (!takes.openaiTools || !canChoose(body)) return;
    const customs = new Set(tools?.map((tool) => tool.type === "custom" ? tool.name : undefined));
    body.tool_choice = {
      type: "allowed_tools",
      allowed_tools: {
        mode: tool_choice === "required" ? "required" : "auto",
        tools: names.map((name) => {
          const type = customs.has(name) ? "custom" : "function";
          return { type, [type]: { name: nameOf(name) } };
        }),
      },
    };
  },
  parallel_tool_calls(value, { body }) {
    // Providers refuse it without tools.
    if (canChoose(body)) body.parallel_tool_calls = value;
  },
  response_format(format, { body }) {
    if (format.type === "json_object") body.response_format = { type: "json_object" };
    else {
      const { name = "answer", description, schema, strict } = format;
      body.response_format = { type: "json_schema", json_schema: { name, description, schema, strict } };
    }
  },
  reasoning_effort: writeEffort,
  reasoning_budget(tokens, draft, call) {
    if (call.settings.reasoning_effort === undefined) return writeEffort(effortOf(tokens), draft, call);
  },
  reasoning_summary: AS_USUAL.reasoning_summary,
};

/**
 * Writes a call. `messages` comes last, so that a conversation's next request begins with the bytes of this one.
 *
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeCall(asked: Call, takes: ChatTakes = {}): WireRequest {
  const call = withServed(asked);
  const { model, stream, settings, extra } = call;
  const dropped: string[] = [];
  const toolNames = new Map<string, string>();
  const nameOf = (name: string) => {
    if (NAME.test(name)) return name;
    const written = shortName(name);
    toolNames.set(written, name);
    return written;
  };
  const body: JsonObject = { model };
  if (stream) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  // Tools first: a choice among tools is only written if there are tools.
  const offered = call.sent.get("tools");
  const sent = offered === undefined ? call.sent : new Map([["tools", offered], ...call.sent] as const);
  const draft: Draft = { body, takes, dropped, nameOf };
  dropped.push(...writeSettings({ ...call, sent }, draft, SETTINGS));
  Object.assign(body, extra);
  const customs = takes.openaiTools ? settings.tools?.filter((tool) => tool.type === "custom") : undefined;
  const turns: Turns = {
    takes,
    breakpoints: takes.openaiTools === true && openaiModel(call.baseModel ?? model)?.breakpoints === true,
    nameOf,
    customs: new Set(customs?.map(({ name }) => name)),
    ownFiles: call.wire === "openai",
    dropped,
  };
  const { messages, sources } = writeTurns(call.messages, turns);
  body.messages = messages;
  const spelled = new Map<string, string>();
  for (const [name, path] of call.sent) spelled.set(WRITTEN.get(name) ?? name, path);
  return {
    path: "/chat/completions",
    body,
    dropped,
    toolNames: toolNames.size > 0 ? toolNames : undefined,
    clientPath(path) {
      if (path.startsWith("messages[")) return sourceOf(path, sources);
      const field = /^[^.[]+/.exec(path)?.[0] ?? path;
      return spelled.get(field) ?? (Object.hasOwn(extra, field) ? path : undefined);
    },
  };
}

/** Settings that are written as another field. */
const WRITTEN: ReadonlyMap<keyof Settings, string> = new Map([
  ["reasoning_budget", "reasoning_effort"],
]);

// ---------------------------------------------------------------- tools

/** Matches a function's name that every provider accepts, e.g. `list_files`. */
const NAME = /^[\w-]{1,64}$/;

/** Shortens a name. Equal names stay equal, and different names stay different. */
const shortName = (name: string) => `${name.replace(/[^\w-]/g, "_").slice(0, 56)}_${digest(hash(name))}`;

const canChoose = ({ tools }: JsonObject) => Array.isArray(tools) && tools.length > 0;

/** Matches models that search the web while they answer and have no tool for it, e.g. `gpt-4o-search-preview`. */
const SEARCHES = /(?:^|[^a-z0-9])(?:gpt-[\w.-]*-search|sonar(?![a-z]))/i;

function writeTools(tools: Tool[], draft: Draft, call: Call): void {
  const { body, dropped, takes } = draft;
  const allowed = takes.openaiTools
    ? undefined
    : call.settings.allowed_tools && new Set(call.settings.allowed_tools);
  const written: JsonObject[] = [];
  for (const tool of tools) {
    switch (tool.type) {
      case "function":
        if (!allowed || allowed.has(tool.name)) written.push(writeFunction(tool, draft, call));
        break;
      case "custom":
        if (allowed && !allowed.has(tool.name)) break;
        written.push(
          takes.openaiTools
            ? writeCustom(tool, draft)
            : writeFunction(customAsFunction(tool, dropped), draft, call),
        );
        break;
      case "native":
        if (call.wire === "openai") written.push(tool.value);
        else dropped.push(tool.path);
        break;
      case "mcp":
        dropped.push(tool.path);
        break;
      case "server":
        if (tool.kind !== "web_search" || !SEARCHES.test(call.model)) dropped.push(tool.path);
        else {
          const { type, ...approximate } = placeOf(tool.search) ?? {};
          body.web_search_options = {
            search_context_size: tool.search?.contextSize,
            user_location: type && { type, approximate },
          };
          dropped.push(...unsaidMembers(tool, ["contextSize", "location"]));
        }
    }
  }
  if (written.length > 0) body.tools = written;
}

function writeFunction(tool: FunctionTool, draft: Draft, call: Call): JsonObject {
  const { name, description, parameters, strict, extra, path } = tool;
  const { dropped, nameOf } = draft;
  const definition: JsonObject = { name: nameOf(name), description, parameters, strict };
  if (call.wire === "openai") Object.assign(definition, extra);
  else for (const member in extra) dropped.push(`${path}.${member}`);
  return withMark({ type: "function", function: definition }, tool, draft);
}

function writeCustom(tool: CustomTool, draft: Draft): JsonObject {
  const { name, description, format } = tool;
  const written = format?.type === "grammar"
    ? { type: "grammar", grammar: { syntax: format.syntax, definition: format.definition } }
    : format;
  return withMark(
    { type: "custom", custom: { name: draft.nameOf(name), description, format: written } },
    tool,
    draft,
  );
}

function withMark(
  out: JsonObject,
  { cache, path }: FunctionTool | CustomTool,
  { takes, dropped }: Draft,
): JsonObject {
  if (cache === undefined) return out;
  if (takes.cacheMarks) out.cache_control = cache;
  else dropped.push(`${path}.cache_control`);
  return out;
}

// ---------------------------------------------------------------- effort

const SCALE = ["minimal", "low", "medium", "high", "xhigh", "max"];
const LOW_TO_HIGH: readonly string[] = ["low", "medium", "high"];

/**
 * Matches the names of models that reason. Other models answer 400 to an effort, and clients of other wires send one
 * with every call.
 *
 * Matches `gpt-oss-120b`, `deepseek-v4`, `qwen3-235b`, `glm-5`, `kimi-k2-thinking`, `magistral-medium` and `grok-4.3`,
 * but not `llama-3.3-70b`.
 */
const REASONS =
  /gpt-oss|deepseek-?(?:r\d|v[3-9])|deepseek-reasoner|qwen-?[3-9]|qwq|glm-?[4-9]|kimi-k[2-9]|minimax-m|magistral|mistral-(?:small|medium|large)|grok-(?:3-mini|[4-9])|nemotron|think|reason/i;

/** Writes the nearest effort that the model accepts. `none` is only written if the provider or the model accepts it. */
function writeEffort(
  effort: string,
  { body, takes }: Draft,
  { model: id, baseModel: model = id }: Call,
): void | false {
  const known = openaiModel(model);
  const efforts = takes.efforts ?? known?.efforts ?? (REASONS.test(model) ? LOW_TO_HIGH : []);
  const written = efforts.includes(effort) ? effort : nearest(effort, efforts);
  if (written === undefined) {
    return effort === "none" && (known?.effort === "none" || efforts.length === 0) ? undefined : false;
  }
  body.reasoning_effort = written;
}

function nearest(effort: string, efforts: readonly string[]): string | undefined {
  const place = SCALE.indexOf(effort);
  if (place < 0) return undefined;
  let best: string | undefined;
  for (const one of efforts) {
    const at = SCALE.indexOf(one);
    if (at < 0) continue;
    if (best === undefined || Math.abs(at - place) < Math.abs(SCALE.indexOf(best) - place)) best = one;
  }
  return best;
}
