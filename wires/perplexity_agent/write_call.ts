/** Perplexity's Agent API, the provider's half: writes a neutral call as the body of `POST /v1/agent`. */
import { markPath } from "../shared/cache_marks.ts";
import { withServed } from "../shared/served_calls.ts";
import { contentPath, mediaUrl } from "../shared/parts.ts";
import { AS_USUAL, type SettingsTable, writeSettings } from "../shared/settings.ts";
import { customAsFunction, functionArguments, unsaidMembers } from "../shared/tools.ts";
import type { Call, JsonObject, Message, Part, ServerTool, Tool, WireRequest } from "../types.ts";

interface Draft {
  body: JsonObject;
  /** The `web_search` tool, if the request needs one. */
  search?: JsonObject;
  dropped: string[];
}

const PRESETS: ReadonlySet<string> = new Set(["fast", "low", "medium", "high", "xhigh", "wide-research"]);

/** Sonar's model names and their replacements. A preset includes web search; a model needs the tool. */
const SONAR: ReadonlyMap<string, { model: string; search: true } | { preset: string }> = new Map([
  ["sonar", { model: "perplexity/sonar", search: true as const }],
  ["sonar-pro", { preset: "low" }],
  ["sonar-reasoning", { preset: "low" }],
  ["sonar-reasoning-pro", { preset: "low" }],
  ["sonar-deep-research", { preset: "medium" }],
]);

const EFFORTS: ReadonlySet<string> = new Set(["minimal", "low", "medium", "high", "xhigh", "max"]);

const SETTINGS: SettingsTable<Draft> = {
  ...AS_USUAL,
  tools(tools, draft) {
    // In brackets, as a client's own tool may be a list, which `flatMap` would take apart.
    const written = tools.flatMap((tool) => tool.type === "native" ? [tool.value] : writeTool(tool, draft));
    if (written.length > 0 || tools.length === 0) draft.body.tools = written;
  },
  tool_choice: (choice, { body }) => void (body.tool_choice = choice),
  parallel_tool_calls: (value, { body }) => void (body.parallel_tool_calls = value),
  response_format(format, { body }) {
    if (format.type === "json_object") return false;
    const { name, description, schema, strict } = format;
    body.response_format = { type: "json_schema", json_schema: { name, description, schema, strict } };
  },
  max_tokens: (value, { body }) => void (body.max_output_tokens = value),
  temperature: (value, { body }) => void (body.temperature = value),
  top_p: (value, { body }) => void (body.top_p = value),
  n: (value) => value === 1 ? undefined : false,
  modalities: (value) => value.every((kind) => kind === "text") ? undefined : false,
  metadata: (value, { body }) => void (body.metadata = value),
  store: (value, { body }) => void (body.store = value),
  reasoning_effort(effort, { body }) {
    if (!EFFORTS.has(effort)) return false;
    body.reasoning = { effort };
  },
  web_search_options(options, draft) {
    draft.search ??= {};
    if (options.search_context_size !== undefined) {
      draft.search.search_context_size = options.search_context_size;
    }
    const location = options.user_location as JsonObject | undefined;
    if (location) draft.search.user_location = place((location.approximate ?? location) as JsonObject);
  },
};

/** Writes the user's location. OpenAI's also has a time zone and a type, which Perplexity refuses. */
function place({ latitude, longitude, country, region, city }: JsonObject): JsonObject {
  return { latitude, longitude, country, region, city };
}

/** Sonar's fields that are now filters of the search tool. */
const FILTERS: ReadonlySet<string> = new Set([
  "last_updated_after_filter",
  "last_updated_before_filter",
  "search_after_date_filter",
  "search_before_date_filter",
  "search_domain_filter",
  "search_recency_filter",
]);

/** Writes a call. */
export function writeCall(asked: Call): WireRequest {
  const call = withServed(asked);
  const draft: Draft = { body: {}, dropped: [] };
  const { body, dropped } = draft;
  const sonar = SONAR.get(call.model);
  if (sonar && "preset" in sonar) body.preset = sonar.preset;
  else if (PRESETS.has(call.model)) body.preset = call.model;
  else body.model = sonar?.model ?? call.model;
  if (sonar && "search" in sonar && call.extra.disable_search !== true) draft.search = {};
  body.input = call.messages.flatMap((message) => writeMessage(message, dropped));
  dropped.push(...writeSettings(call, draft, SETTINGS));
  const rest = moveFilters(call.extra, draft);
  if (draft.search) body.tools = withSearch((body.tools ?? []) as JsonObject[], draft.search);
  if (call.stream) body.stream = true;
  return { path: "/v1/agent", body: Object.assign(body, rest), dropped };
}

/**
 * Moves Sonar's search fields into the search tool.
 *
 * @returns The other fields, which are sent unchanged.
 */
function moveFilters(extra: JsonObject, draft: Draft): JsonObject {
  const rest: JsonObject = {};
  for (const [name, value] of Object.entries(extra)) {
    if (name === "disable_search") continue;
    if (FILTERS.has(name)) {
      draft.search ??= {};
      draft.search.filters = { ...draft.search.filters as JsonObject, [name]: value };
    } else if (name === "num_search_results") {
      draft.search = { ...draft.search, max_results: value };
    } else rest[name] = value;
  }
  return rest;
}

/** Merges the search tool into the tools. Members of the client's own search tool win. */
function withSearch(tools: JsonObject[], search: JsonObject): JsonObject[] {
  const own = tools.find((tool) => tool.type === "web_search");
  if (!own) return [...tools, { type: "web_search", ...search }];
  return tools.map((tool) => tool === own ? { ...search, ...own } : tool);
}

function writeTool(tool: Exclude<Tool, { type: "native" }>, draft: Draft): JsonObject | [] {
  const { dropped } = draft;
  if (tool.type === "server") return writeServerTool(tool, draft);
  if (tool.type === "mcp") {
    dropped.push(tool.path);
    return [];
  }
  if (tool.type === "custom") return writeTool(customAsFunction(tool, dropped), draft);
  if (tool.cache !== undefined) dropped.push(`${tool.path}.cache_control`);
  const { name, description, parameters, strict, extra } = tool;
  return { type: "function", name, description, parameters, strict, ...extra };
}

/**
 * Writes a server tool. Perplexity has tools for searching and fetching, and runs no code. In a filter of domains, `-`
 * stands before a blocked domain.
 *
 * @see https://docs.perplexity.ai/docs/agent-api/tools (2026-11)
 */
function writeServerTool(tool: ServerTool, draft: Draft): JsonObject | [] {
  const { kind, search = {}, path } = tool;
  const { dropped } = draft;
  if (kind === "code_execution") {
    dropped.push(path);
    return [];
  }
  if (kind === "web_fetch") {
    dropped.push(...unsaidMembers(tool));
    return { type: "fetch_url" };
  }
  dropped.push(...unsaidMembers(tool, ["allowedDomains", "blockedDomains", "contextSize", "location"]));
  const { allowedDomains = [], blockedDomains = [], contextSize, location } = search;
  const domains = [...allowedDomains, ...blockedDomains.map((domain) => `-${domain}`)];
  const filters: JsonObject = { ...draft.search?.filters as JsonObject };
  if (domains.length > 0) filters.search_domain_filter = domains;
  draft.search = { ...draft.search };
  if (Object.keys(filters).length > 0) draft.search.filters = filters;
  if (contextSize !== undefined) draft.search.search_context_size = contextSize;
  if (location) draft.search.user_location = place(location);
  return []; // `withSearch` writes it, with the other search settings.
}

function writeMessage(message: Message, dropped: string[]): JsonObject[] {
  const { path } = message;
  if (message.name !== undefined) dropped.push(`${path}.name`);
  if (message.cache !== undefined) dropped.push(markPath(message));
  const content = writeParts(message.parts, dropped);
  switch (message.role) {
    case "tool":
      if (message.error) dropped.push(`${path}.is_error`);
      return [{ type: "function_call_output", call_id: message.callId, output: content }];
    case "assistant": {
      for (const thought of message.thoughts) dropped.push(thought.path);
      const items: JsonObject[] = content === "" && message.calls.length > 0
        ? []
        : [{ type: "message", role: "assistant", content }];
      for (const call of message.calls) {
        items.push({
          type: "function_call",
          call_id: call.id,
          name: call.name,
          arguments: functionArguments(call),
          thought_signature: call.signature,
        });
      }
      return items;
    }
    default:
      return [{ type: "message", role: message.role, content }];
  }
}

/** Writes the content of a message. A single text stays a string. */
function writeParts(parts: Part[], dropped: string[]): string | JsonObject[] {
  const items: JsonObject[] = [];
  for (const part of parts) {
    if (part.cache !== undefined) dropped.push(markPath(part));
    switch (part.type) {
      case "text":
      case "refusal":
        items.push({ type: "input_text", text: part.text });
        break;
      case "native":
        items.push(part.value);
        break;
      case "image":
        if ("id" in part.media) dropped.push(contentPath(part));
        else items.push({ type: "input_image", image_url: mediaUrl(part.media) });
        break;
      default:
        dropped.push(contentPath(part));
    }
  }
  if (items.length === 0) return "";
  return items.length === 1 && items[0].type === "input_text" ? items[0].text as string : items;
}
