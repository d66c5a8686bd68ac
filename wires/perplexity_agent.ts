/**
 * Perplexity's Agent API: `POST /v1/agent`, the form of OpenAI's responses with tools and settings of its own.
 *
 * It took the place of Sonar's chat completions on 2026-09-27. Checked 2026-11-24 against the API's guides, the vendor's
 * own migration guide for Sonar (github.com/perplexityai/api-platform-developers) and `@perplexity-ai/perplexity_ai`
 * 0.38.5.
 *
 * - It refuses every field that it does not know, so only what is in the table below is written.
 * - Sonar's model names stand for what the migration guide calls their equals: a model with web search, or a preset.
 *   Any other name is a model (`perplexity/sonar`, `openai/gpt-5.1`), or a preset (`fast`, `low` … `xhigh`).
 * - Sonar's search fields move into the `web_search` tool.
 * - Sources come as a list beside the text; the text's `[1]` marks point into it.
 *
 * @see https://docs.perplexity.ai/docs/agent-api/quickstart
 */
import { GatewayError } from "./errors.ts";
import { openaiChat } from "./openai_chat.ts";
import { type SettingsTable, writeSettings } from "./settings.ts";
import type {
  Call,
  Emit,
  JsonObject,
  Media,
  Message,
  Part,
  ProviderWire,
  StopReason,
  StreamReader,
  Tool,
  WireRequest,
} from "./types.ts";

export const perplexityAgent: ProviderWire = {
  writeCall,
  readAnswer,
  readStream,
  readError: openaiChat.readError,
};

// ---------------------------------------------------------------- the request

interface Draft {
  body: JsonObject;
  /** The `web_search` tool, once there is a reason for one. */
  search?: JsonObject;
  dropped: string[];
}

const PRESETS: ReadonlySet<string> = new Set(["fast", "low", "medium", "high", "xhigh", "wide-research"]);

/** Presets bring web search with them; the bare model does not. */
const SONAR: ReadonlyMap<string, { model: string; search: true } | { preset: string }> = new Map([
  ["sonar", { model: "perplexity/sonar", search: true as const }],
  ["sonar-pro", { preset: "low" }],
  ["sonar-reasoning", { preset: "low" }],
  ["sonar-reasoning-pro", { preset: "low" }],
  ["sonar-deep-research", { preset: "medium" }],
]);

const EFFORTS: ReadonlySet<string> = new Set(["minimal", "low", "medium", "high", "xhigh", "max"]);

const SETTINGS: SettingsTable<Draft> = {
  tools(tools, { body, dropped }) {
    body.tools = tools.map((tool) => writeTool(tool, dropped));
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

/** OpenAI's place also has a time zone and a type, which are refused here. */
function place({ latitude, longitude, country, region, city }: JsonObject): JsonObject {
  return { latitude, longitude, country, region, city };
}

/** Sonar's fields that are filters of the search tool now. */
const FILTERS: ReadonlySet<string> = new Set([
  "last_updated_after_filter",
  "last_updated_before_filter",
  "search_after_date_filter",
  "search_before_date_filter",
  "search_domain_filter",
  "search_recency_filter",
]);

function writeCall(call: Call): WireRequest {
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

/** @returns The fields that are to be sent as they are. */
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

/** The search tool that the client brought wins, member by member. */
function withSearch(tools: JsonObject[], search: JsonObject): JsonObject[] {
  const own = tools.find((tool) => tool.type === "web_search");
  if (!own) return [...tools, { type: "web_search", ...search }];
  return tools.map((tool) => tool === own ? { ...search, ...own } : tool);
}

function writeTool(tool: Tool, dropped: string[]): JsonObject {
  if (tool.type === "native") return tool.value;
  if (tool.cache !== undefined) dropped.push(`${tool.path}.cache_control`);
  const { name, description, parameters, strict, extra } = tool;
  return { type: "function", name, description, parameters, strict, ...extra };
}

function writeMessage(message: Message, dropped: string[]): JsonObject[] {
  const { path } = message;
  if (message.name !== undefined) dropped.push(`${path}.name`);
  if (message.cache !== undefined) dropped.push(`${path}.cache_control`);
  const content = writeParts(message.parts, dropped);
  switch (message.role) {
    case "tool":
      if (message.error) dropped.push(`${path}.is_error`);
      return [{ type: "function_call_output", call_id: message.callId, output: content }];
    case "assistant": {
      if (message.thoughts.length > 0) dropped.push(`${path}.reasoning_content`);
      const items: JsonObject[] = content === "" && message.calls.length > 0
        ? []
        : [{ type: "message", role: "assistant", content }];
      for (const { id, name, arguments: text, signature } of message.calls) {
        items.push({
          type: "function_call",
          call_id: id,
          name,
          arguments: text || "{}",
          thought_signature: signature,
        });
      }
      return items;
    }
    default:
      return [{ type: "message", role: message.role, content }];
  }
}

/** A lone text as a string. */
function writeParts(parts: Part[], dropped: string[]): string | JsonObject[] {
  const items: JsonObject[] = [];
  for (const part of parts) {
    if (part.cache !== undefined) dropped.push(`${part.path}.cache_control`);
    switch (part.type) {
      case "text":
      case "refusal":
        items.push({ type: "input_text", text: part.text });
        break;
      case "native":
        items.push(part.value);
        break;
      case "image":
        if ("id" in part.media) dropped.push(`${part.path}.image_url`);
        else items.push({ type: "input_image", image_url: address(part.media) });
        break;
      case "audio":
        dropped.push(`${part.path}.input_audio`);
        break;
      case "video":
        dropped.push(`${part.path}.video_url`);
        break;
      case "file":
        dropped.push(`${part.path}.file`);
    }
  }
  if (items.length === 0) return "";
  return items.length === 1 && items[0].type === "input_text" ? items[0].text as string : items;
}

const address = (media: Exclude<Media, { id: string }>) =>
  "url" in media ? media.url : `data:${media.mime};base64,${media.data}`;

// ---------------------------------------------------------------- the answer

/** What the reader looks at; every member may be missing or of another type. */
interface Response {
  id?: unknown;
  model?: unknown;
  created_at?: unknown;
  status?: unknown;
  output?: unknown;
  usage?: unknown;
  error?: unknown;
  incomplete_details?: { reason?: unknown } | null;
}

interface Item {
  type?: unknown;
  content?: unknown;
  results?: unknown;
  call_id?: unknown;
  name?: unknown;
  arguments?: unknown;
  thought_signature?: unknown;
}

interface Source {
  id?: unknown;
  url?: unknown;
  title?: unknown;
}

interface StreamEvent {
  type?: unknown;
  delta?: unknown;
  thought?: unknown;
  item?: unknown;
  response?: unknown;
  error?: unknown;
}

function readAnswer(body: JsonObject, emit: Emit): void {
  const read = pieces(emit);
  if (!Array.isArray(body.output) && body.error === undefined) {
    return emit({ type: "error", error: failure("Cannot read Perplexity's answer: no output", undefined) });
  }
  read.start(body);
  read.end(body);
}

function readStream(emit: Emit): StreamReader {
  const read = pieces(emit);
  let ended = false;

  function fail(message: string, about: unknown): void {
    ended = true;
    emit({ type: "error", error: failure(message, about) });
  }

  return {
    frame(data) {
      if (ended || data === "[DONE]") return;
      let event: StreamEvent | null;
      try {
        event = JSON.parse(data);
      } catch {
        return fail("Cannot read Perplexity's stream: an event is not JSON", undefined);
      }
      switch (event?.type) {
        case "response.output_text.delta":
          return read.text(event.delta);
        case "response.reasoning.started":
        case "response.reasoning.stopped":
        case "response.reasoning.search_queries":
        case "response.reasoning.search_results":
        case "response.reasoning.fetch_url_queries":
        case "response.reasoning.fetch_url_results":
          return read.thought(event.thought);
        case "response.output_item.added":
        case "response.output_item.done":
          return read.item(object(event.item));
        case "response.created":
          return read.start(object(event.response));
        case "response.completed":
        case "response.incomplete":
          ended = true;
          return read.end(object(event.response));
        case "response.failed":
        case "response.cancelled":
        case "error": {
          const about = event.error ?? object(event.response).error ?? event;
          return fail(`Perplexity did not finish its answer: ${event.type}`, about);
        }
      }
    },
    end() {
      if (!ended) fail("Perplexity's stream broke off: it ended without a terminal event", undefined);
    },
  };
}

/** Reads the pieces that whole and streamed answers share. */
function pieces(emit: Emit) {
  let said = "";
  let thoughts = 0;
  let started = false;
  const calls: { id: string; argued: boolean }[] = [];

  function text(value: unknown): void {
    if (typeof value !== "string" || value === "") return;
    said += value;
    emit({ type: "text", choice: 0, text: value });
  }

  /** A call comes when its item is added and again when it is done; its arguments may be there only then. */
  function item({ type, call_id, name, arguments: args, thought_signature }: Item): void {
    if (type !== "function_call") return;
    const id = string(call_id) ?? `call_${calls.length}`;
    let index = calls.findIndex((call) => call.id === id);
    if (index < 0) {
      index = calls.push({ id, argued: false }) - 1;
      const signature = string(thought_signature);
      emit({ type: "tool", choice: 0, index, id, name: string(name) ?? "", ...(signature && { signature }) });
    }
    if (calls[index].argued || typeof args !== "string" || args === "") return;
    calls[index].argued = true;
    emit({ type: "args", choice: 0, index, text: args });
  }

  return {
    text,
    item,
    thought(value: unknown): void {
      if (typeof value === "string" && value) {
        emit({ type: "thought", choice: 0, block: thoughts++, text: value, summary: true });
      }
    },
    start({ id, model, created_at }: Response): void {
      if (started) return;
      started = true;
      emit({
        type: "start",
        id: string(id),
        model: string(model),
        created: typeof created_at === "number" ? created_at : undefined,
      });
    },
    /** The finished response: what no event has told yet, then sources, usage and the reason for stopping. */
    end(response: Response): void {
      const { output, status, error, usage, incomplete_details } = response;
      const items = (Array.isArray(output) ? output : []).map(object) as Item[];
      const parts = items.flatMap(({ type, content }) =>
        type === "message" && Array.isArray(content) ? content.map(object) : []
      );
      const whole = parts.map((part) => string(part.text) ?? "").join("");
      if (whole.startsWith(said)) text(whole.slice(said.length));
      items.forEach(item);
      cite(said, items, parts, emit);
      readUsage(usage, emit);
      if (UNFINISHED.has(status) || (error && !output)) {
        return emit({
          type: "error",
          error: failure(`Perplexity did not finish its answer: ${status}`, error ?? response),
        });
      }
      const reason = STOPS.get(incomplete_details?.reason) ?? (status === "incomplete" ? "length" : "stop");
      emit({ type: "stop", choice: 0, reason });
    },
  };
}

/** `queued` and `in_progress` are what a call with `background: true` gets, whose answer is to be asked for later. */
const UNFINISHED: ReadonlySet<unknown> = new Set(["cancelled", "failed", "in_progress", "queued"]);

const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["max_output_tokens", "length"],
  ["content_filter", "content_filter"],
]);

/** Marks in the text point into the list of sources; sources without a mark stand at the end of the text. */
function cite(said: string, items: Item[], parts: JsonObject[], emit: Emit): void {
  const cited = new Set<unknown>();
  for (const { annotations } of parts) {
    for (const note of Array.isArray(annotations) ? annotations.map(object) : []) {
      if (typeof note.url !== "string") continue;
      cited.add(note.url);
      const { url, start_index, end_index } = note;
      emit({
        type: "citation",
        choice: 0,
        citation: { url, title: string(note.title) ?? "", start: count(start_index), end: count(end_index) },
      });
    }
  }
  const sources = items.flatMap(({ type, results }) =>
    type === "search_results" && Array.isArray(results) ? results.map(object) : []
  ) as Source[];
  if (sources.length === 0) return;
  const marks = cited.size > 0 ? [] : [...said.matchAll(/\[(\d{1,4})\]/g)];
  for (const source of sources) {
    const { id, url, title, ...extra } = source;
    if (typeof url !== "string" || cited.has(url)) continue;
    cited.add(url);
    const places = marks.filter((mark) => Number(mark[1]) === id)
      .map((mark) => ({ start: mark.index, end: mark.index + mark[0].length }));
    for (const range of places.length > 0 ? places : [{ start: said.length, end: said.length }]) {
      emit({ type: "citation", choice: 0, citation: { url, title: string(title) ?? "", ...range, extra } });
    }
  }
}

function readUsage(value: unknown, emit: Emit): void {
  const usage = object(value);
  if (usage.input_tokens === undefined) return;
  const details = object(usage.input_tokens_details);
  const cacheRead = count(details.cache_read_input_tokens);
  const cacheWrite = count(details.cache_creation_input_tokens);
  const output = count(usage.output_tokens);
  // Whether the cache's tokens are among the input's differs by the model behind; the total tells.
  const prompt = Math.max(count(usage.input_tokens), count(usage.total_tokens) - output);
  const input = Math.max(0, prompt - cacheRead - cacheWrite);
  emit({
    type: "usage",
    usage: { input, cacheRead, cacheWrite, audioIn: 0, output, reasoning: 0, audioOut: 0 },
  });
}

function failure(message: string, about: unknown) {
  if (about === undefined) return new GatewayError("bad_upstream_answer", message).toWireError();
  const error = openaiChat.readError(502, { error: about });
  return { ...error, message: string(object(about).message) ?? string(about) ?? message };
}

const object = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : {};
const string = (value: unknown) => typeof value === "string" && value !== "" ? value : undefined;
const count = (value: unknown) => typeof value === "number" ? value : 0;
