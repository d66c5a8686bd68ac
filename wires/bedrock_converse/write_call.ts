/**
 * Amazon's Converse: writes a neutral call as the body of `POST /model/{id}/converse`.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
import { boundBy, withoutStaleThoughts } from "../shared/bound.ts";
import { type ClaudeModel, claudeModel } from "../shared/claude_models.ts";
import { isGatewayField, withRouterReasoning } from "../shared/gateway_fields.ts";
import { append, isObject, object } from "../shared/json.ts";
import { withServed } from "../shared/served_calls.ts";
import { AS_USUAL, AT_DEFAULTS, type SettingsTable, writeSettings } from "../shared/settings.ts";
import { customAsFunction, unsaidMembers } from "../shared/tools.ts";
import type { Call, Format, FunctionTool, JsonObject, Tool, WireRequest } from "../types.ts";
import type { Draft } from "./draft.ts";
import { type Family, familyOf } from "./models.ts";
import { documentNames, writeName } from "./names.ts";
import { addPoint, limitPoints } from "./write_parts.ts";
import { writeThinking } from "./write_thinking.ts";
import { isClaudes, nameOf, writeTurns } from "./write_turns.ts";

/** Fields of Converse that clients may write themselves. Any other field is one of the model's. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "additionalModelResponseFieldPaths",
  "guardrailConfig",
  "outputConfig",
  "performanceConfig",
  "promptVariables",
  "requestMetadata",
  "serviceTier",
]);

/**
 * Writes a call. The path names the model, so the body does not.
 *
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeCall(asked: Call): WireRequest {
  const id = asked.baseModel ?? asked.model;
  const family = familyOf(id);
  const claude = family.effort === "claude" ? claudeModel(id) : undefined;
  const request = write(asked, family, claude);
  if (!claude) return request;
  const { system, toolConfig } = request.body;
  const bound = boundBy(system, object(toolConfig)?.tools, claude);
  if (!claude.bindsThoughts) return { ...request, bound };
  const stale: string[] = [];
  const messages = withoutStaleThoughts(asked.messages, bound, isClaudes, stale);
  if (!messages) return { ...request, bound };
  const again = write({ ...asked, messages }, family, claude);
  return { ...again, dropped: [...again.dropped, ...new Set(stale)], bound };
}

function write(asked: Call, family: Family, claude: ClaudeModel | undefined): WireRequest {
  const dropped: string[] = [];
  const draft: Draft = {
    body: {},
    more: {},
    family: claude ? claudeFamily(family, claude) : family,
    dropped,
    words: [],
    points: [],
    toolNames: new Map(),
    asText: false,
    documentName: documentNames(),
  };
  const { body, more } = draft;
  const call = withRouterReasoning(
    withServed(asked),
    dropped,
    (call, tokens) => claude?.thinking === "budget" ? withBudget(call, tokens) : undefined,
  );
  writeTools(call, draft);
  append(dropped, writeSettings(call, draft, SETTINGS));
  writeChoice(call, draft);
  if (claude) writeThinking(call, claude, draft);
  writeExtra(call.extra, draft);
  draft.asText = object(body.toolConfig) === undefined;
  const { system, messages } = writeTurns(call.messages, claude?.prefill ?? true, draft);
  for (const text of draft.words) system.push({ text });
  if (Object.keys(more).length > 0) body.additionalModelRequestFields = more;
  if (system.length > 0) body.system = system;
  body.messages = messages; // Last, so that a conversation's next request begins with the bytes of this one.
  limitPoints([system, ...messages.map(({ content }) => content)], draft);
  const { toolNames } = draft;
  return { path: "/model/{model}/converse", body, dropped, ...(toolNames.size > 0 && { toolNames }) };
}

/** What the generations of Claude accept of what the family does. */
const claudeFamily = (family: Family, { sampling, forcesTools, thinking, efforts }: ClaudeModel): Family => {
  // "output_config.format: Extra inputs are not permitted", by the account, since Claude 4.7.
  const isNew = sampling === "defaults";
  return {
    ...family,
    sampling: isNew ? undefined : true,
    schema: isNew ? undefined : true,
    strict: isNew ? undefined : true,
    choice: forcesTools ? "tool" : undefined,
    topK: isNew ? undefined : family.topK,
    effort: thinking && "claude",
    efforts,
  };
};

const withBudget = (call: Call, tokens: number): Call => ({
  ...call,
  extra: { ...call.extra, thinking: { type: "enabled", budget_tokens: Math.max(1024, Math.floor(tokens)) } },
});

/** Writes the client's fields that have no neutral term: Converse's own, and those of the model. */
function writeExtra(extra: JsonObject, { body, more, dropped }: Draft): void {
  for (const [name, value] of Object.entries(extra)) {
    if (OWN_FIELDS.has(name)) {
      const derived = body[name];
      body[name] = isObject(derived) && isObject(value) ? { ...derived, ...value } : value;
    } else if (isGatewayField(name)) dropped.push(name);
    else if (name === "additionalModelRequestFields" && isObject(value)) Object.assign(more, value);
    else {
      const derived = more[name];
      more[name] = isObject(derived) && isObject(value) ? { ...derived, ...value } : value;
    }
  }
}

// ---------------------------------------------------------------- settings

const put = (body: JsonObject, member: string, values: JsonObject) =>
  void (body[member] = { ...object(body[member]), ...values });

const SETTINGS: SettingsTable<Draft> = {
  // `writeTools` and `writeChoice` write these: the order of the client's fields must not matter.
  tools() {},
  tool_choice() {},
  parallel_tool_calls() {},
  allowed_tools: () => undefined, // `writeTools` sends only these.
  response_format: writeFormat,
  max_tokens: (value, { body, family }) =>
    put(body, "inferenceConfig", { maxTokens: Math.max(value, family.least ?? 1) }),
  temperature(value, { body, family }) {
    if (!family.sampling) return value === 1 ? undefined : false;
    if (value < 0 || value > 1) return false;
    put(body, "inferenceConfig", { temperature: value });
  },
  top_p(value, { body, family }, { model, baseModel = model, settings: { temperature } }) {
    if (!family.sampling || value < 0) return value === 1 ? undefined : false;
    if (family.thoughts && temperature !== undefined && claudeModel(baseModel).sampling === "one") {
      return false;
    }
    put(body, "inferenceConfig", { topP: value });
  },
  top_k(value, { more, family: { topK } }) {
    if (!topK) return false;
    const [first, second] = topK;
    if (second === undefined) more[first] = value;
    else put(more, first, { [second]: value });
  },
  stop(value, { body, dropped, family }, { sent }) {
    if (!family.stop) return false;
    const useful = value.filter((text) => text.trim() !== "");
    if (useful.length > 0) put(body, "inferenceConfig", { stopSequences: useful });
    if (useful.length < value.length) dropped.push(sent.get("stop")!);
  },
  reasoning_effort: writeEffort,
  service_tier(value, { body }) {
    const tier = value === "standard_only" ? "default" : value;
    if (tier === "auto") return;
    if (!/^(?:default|flex|priority|reserved)$/.test(tier)) return false;
    body.serviceTier = { type: tier };
  },
  metadata(value, { body, dropped }, { sent }) {
    const kept: [string, unknown][] = [];
    for (const [name, said] of Object.entries(value)) {
      const fits = METADATA.test(name) && typeof said === "string" && (said === "" || METADATA.test(said)) &&
        kept.length < 16 && name !== "user_id";
      if (fits) kept.push([name, said]);
      else dropped.push(`${sent.get("metadata")}.${name}`);
    }
    if (kept.length > 0) body.requestMetadata = Object.fromEntries(kept);
  },
  web_search_options(value, { body, dropped, family }, { sent }) {
    const name = family.systemTools?.web_search;
    if (!name) return false;
    addTools(body, [{ systemTool: { name } }]);
    for (const member of Object.keys(value)) dropped.push(`${sent.get("web_search_options")}.${member}`);
  },
  ...AT_DEFAULTS,
  ...AS_USUAL,
};

/** Keys and values of `requestMetadata` (`RequestMetadata` of the SDK's model, 2026-11). */
const METADATA = /^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/;

/** Writes the effort where the family has its place for it. `writeThinking` writes Claude's. */
function writeEffort(effort: string, { more, family }: Draft): void | false {
  const { effort: form, efforts } = family;
  if (form === "claude") return;
  if (!form) return effort === "none" ? undefined : false;
  if (form === "nested") return void (more.reasoning = { effort });
  if (effort === "none" && form === "nova") return;
  const word = effort === "minimal" ? "low" : effort === "xhigh" || effort === "max" ? "high" : effort;
  if (!efforts!.includes(word)) return false;
  if (form === "flat") more.reasoning_effort = word;
  else more.reasoningConfig = { type: "enabled", maxReasoningEffort: word };
}

// ---------------------------------------------------------------- the answer's form

const JSON_ALONE = "and nothing else: no words before or behind it, and no code fence.";

function writeFormat(format: Format, { body, words, dropped, family }: Draft): void | false {
  if (format.type === "json_object") {
    words.push(`Answer with one valid JSON object ${JSON_ALONE}`);
    return false;
  }
  const { name, description, schema, path } = format;
  if (!family.schema) {
    const asked = `Answer with one JSON value that is valid by this JSON Schema, ${JSON_ALONE}`;
    words.push(`${asked}\n\n${JSON.stringify(schema)}`);
    return void dropped.push(`${path}.schema`);
  }
  const jsonSchema = {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    schema: JSON.stringify(closed(schema)),
  };
  put(body, "outputConfig", { textFormat: { type: "json_schema", structure: { jsonSchema } } });
}

/** Members of a schema that hold schemas: by name, and alone or in a list. */
const NAMED = new Set(["$defs", "definitions", "properties"]);
const INNER = new Set(["additionalProperties", "allOf", "anyOf", "items", "not", "oneOf", "prefixItems"]);

/** The schema with every object closed, as Amazon requires. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isObject(schema)) return schema;
  const out = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      NAMED.has(name) && isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([own, inner]) => [own, closed(inner)]))
        : INNER.has(name)
        ? closed(value)
        : value,
    ]),
  );
  if (schema.properties && schema.additionalProperties === undefined) out.additionalProperties = false;
  return out;
}

// ---------------------------------------------------------------- tools

const addTools = (body: JsonObject, tools: JsonObject[]) =>
  put(body, "toolConfig", { tools: [...(object(body.toolConfig)?.tools as JsonObject[] ?? []), ...tools] });

/**
 * Writes the tools that may be called: Converse cannot forbid tools that it is told of. If the model cannot be told
 * which tool it must call, that one is sent alone.
 */
function writeTools({ settings }: Call, draft: Draft): void {
  const { tools = [], tool_choice: choice, allowed_tools } = settings;
  if (choice === "none") return;
  const names = typeof choice === "object" && draft.family.choice === "any" ? [choice.name] : allowed_tools;
  const allowed = names && new Set<unknown>(names);
  const list: JsonObject[] = [];
  for (const tool of tools) {
    if (allowed && (tool.type === "function" || tool.type === "custom") && !allowed.has(tool.name)) continue;
    const written = writeTool(tool, draft);
    if (!written) continue;
    list.push(written);
    if (tool.type === "function" || tool.type === "custom") addPoint(list, tool, draft, "tools");
  }
  if (list.length > 0) addTools(draft.body, list);
}

/** Writes which tool must be called, and whether several may be called at once. */
function writeChoice({ settings, sent }: Call, { body, more, family, dropped }: Draft): void {
  const { tool_choice: choice = "auto", parallel_tool_calls: parallel = true } = settings;
  const config = object(body.toolConfig);
  const isForced = choice !== "auto" && choice !== "none";
  if (isForced && config && family.choice) {
    config.toolChoice = choice === "required" || family.choice === "any"
      ? { any: {} }
      : { tool: { name: writeName(choice.name) } };
  } else if (isForced) dropped.push(sent.get("tool_choice")!);
  if (parallel || choice === "none") return;
  if (!config || !family.thoughts) return void dropped.push(sent.get("parallel_tool_calls")!);
  // `toolChoice` and a `type` here exclude each other.
  more.tool_choice = { ...(!config.toolChoice && { type: "auto" }), disable_parallel_tool_use: true };
}

function writeTool(tool: Tool, draft: Draft): JsonObject | undefined {
  const { dropped, family } = draft;
  switch (tool.type) {
    case "native":
      return tool.value;
    case "custom":
      return writeFunction(customAsFunction(tool, dropped), draft);
    case "function":
      return writeFunction(tool, draft);
    default: {
      const name = tool.type === "server" ? family.systemTools?.[tool.kind] : undefined;
      append(dropped, name && tool.type === "server" ? unsaidMembers(tool) : [tool.path]);
      return name ? { systemTool: { name } } : undefined;
    }
  }
}

function writeFunction(tool: FunctionTool, draft: Draft): JsonObject {
  const { name, description, parameters = {}, strict, definitionPath, path, extra } = tool;
  for (const member of Object.keys(extra)) draft.dropped.push(`${path}.${member}`);
  if (strict && !draft.family.strict) draft.dropped.push(`${definitionPath}.strict`);
  return {
    toolSpec: {
      name: nameOf(name, draft),
      // A description must not be empty.
      ...(description?.trim() && { description }),
      // "The top level schema type must be object."
      inputSchema: { json: { type: "object", ...parameters } },
      ...(strict && draft.family.strict && { strict }),
    },
  };
}
