/** Gemini's generateContent, the provider's half: writes the settings, and the client's own fields in Gemini's form. */
import { type GeminiModel, thinkingFor, thinksUnasked } from "./models.ts";
import { writeName } from "./names.ts";
import { writeSchema } from "./write_schema.ts";
import { isGatewayField } from "../shared/gateway_fields.ts";
import { AS_USUAL, type SettingsTable, writeSettings } from "../shared/settings.ts";
import { object } from "../shared/json.ts";
import { customAsFunction, unsaidMembers } from "../shared/tools.ts";
import type { Call, JsonObject, ServerTool, ServerToolKind } from "../types.ts";

/** A request while it is written, without its conversation. */
interface Draft {
  model: GeminiModel;
  /** Members of the body other than those below. */
  body: JsonObject;
  /** `generationConfig`. */
  config: JsonObject;
  tools: JsonObject[];
  toolConfig: JsonObject;
  dropped: string[];
}

/** Writes everything of a request but its conversation. Fields that the client wrote in Gemini's own form win. */
export function writeTerms(call: Call, model: GeminiModel, dropped: string[]): JsonObject {
  const draft: Draft = { model, body: {}, config: {}, tools: [], toolConfig: {}, dropped };
  dropped.push(...writeSettings(call, draft, SETTINGS));
  const { body, config, tools, toolConfig } = draft;
  if (toolConfig.functionCallingConfig && !tools.some(declares)) { // The API refuses a choice without functions.
    delete toolConfig.functionCallingConfig;
    if (call.settings.tool_choice !== "auto") dropped.push(call.sent.get("tool_choice")!);
  }
  mergeExtra(draft, call.extra);
  // Gemini 3 refuses Google's tools beside functions unless the request allows it to report the calls of Google's
  // tools.
  if (model.third && tools.some(declares) && tools.some(runsAtGoogle)) {
    toolConfig.includeServerSideToolInvocations ??= true;
  }
  const terms: JsonObject = {};
  if (tools.length > 0) terms.tools = tools;
  if (!isEmpty(toolConfig)) terms.toolConfig = toolConfig;
  if (!isEmpty(config)) terms.generationConfig = config;
  return Object.assign(terms, body);
}

const SETTINGS: SettingsTable<Draft> = {
  ...AS_USUAL,
  tools: writeTools,
  tool_choice(choice, { toolConfig }, call) {
    toolConfig.functionCallingConfig = typeof choice === "object"
      ? { mode: "ANY", allowedFunctionNames: [writeName(choice.name)] }
      : choice === "auto"
      ? { mode: isStrict(call) ? "VALIDATED" : "AUTO" }
      : { mode: choice === "none" ? "NONE" : "ANY" };
  },
  /**
   * Google only reads names with the modes `ANY` and `VALIDATED`. `VALIDATED` is `AUTO` with arguments that obey their
   * schema.
   */
  allowed_tools(names, { toolConfig }, { settings }) {
    if (settings.tool_choice === "none") return;
    toolConfig.functionCallingConfig = {
      mode: settings.tool_choice === "required" ? "ANY" : "VALIDATED",
      allowedFunctionNames: names.map(writeName),
    };
  },
  /** Gemini decides itself whether to make several tool calls at once. */
  parallel_tool_calls: (parallel) => parallel ? undefined : false,
  /**
   * Before Gemini 3 the API refuses both: "Function calling with a response mime type: 'application/json' is
   * unsupported".
   */
  response_format(format, { config, dropped, model }, { settings }) {
    if (!model.third && hasFunctions(settings)) return false;
    config.responseMimeType = "application/json";
    if (format.type !== "json_schema") return;
    config.responseJsonSchema = writeSchema(format.schema, `${format.path}.schema`, dropped);
    if (format.description !== undefined) dropped.push(`${format.path}.description`);
  },
  max_tokens: (value, { config }) => void (config.maxOutputTokens = value),
  temperature(value, { config, model }) {
    if (!model.sampling) return value === 1 ? undefined : false; // 1 is the model's fixed value.
    config.temperature = value;
  },
  top_p: (value, { config, model }) => model.sampling ? void (config.topP = value) : false,
  top_k: (value, { config, model }) => model.sampling ? void (config.topK = value) : false,
  stop: (value, { config }) => void (config.stopSequences = value),
  seed(value, { config }) {
    if (value !== (value | 0)) return false; // Google's seed has 32 bits, OpenAI's has 64.
    config.seed = value;
  },
  frequency_penalty(value, { config, model }) {
    if (!model.penalties) return value === 0 ? undefined : false;
    config.frequencyPenalty = value;
  },
  presence_penalty(value, { config, model }) {
    if (!model.penalties) return value === 0 ? undefined : false;
    config.presencePenalty = value;
  },
  n(value, { config, model }) {
    if (!model.candidates) return value === 1 ? undefined : false;
    config.candidateCount = value;
  },
  logprobs: (value, { config }) => void (config.responseLogprobs = value),
  top_logprobs: (value, { config }) => void (config.logprobs = value),
  /** `auto` means the same as no tier. OpenAI's `default` is Google's `standard`. */
  service_tier(tier, { body }) {
    if (tier !== "auto") body.serviceTier = tier === "default" ? "standard" : tier;
  },
  /**
   * Google's labels have at most 63 characters: lower-case letters, digits, `_` and `-`. A key begins with a letter.
   */
  metadata(metadata, { body }) {
    const labels = Object.entries(metadata);
    if (!labels.every(([key, value]) => LABEL_KEY.test(key) && LABEL_VALUE.test(String(value)))) return false;
    body.labels = Object.fromEntries(labels.map(([key, value]) => [key, String(value)]));
  },
  store: (value, { body }) => void (body.store = value),
  reasoning_effort(effort, { config, model }) {
    const thinking = thinkingFor(effort, model);
    if (thinking === undefined) return false;
    if (!isEmpty(thinking)) config.thinkingConfig = thinking;
  },
  /** A model that thinks unasked shows its thoughts only if asked to. An effort asks for them too. */
  reasoning_summary(wanted, { config, model }, { settings }) {
    if (settings.reasoning_effort === undefined) {
      if (!thinksUnasked(model)) return false;
      config.thinkingConfig = { includeThoughts: true };
    }
    return AS_USUAL.reasoning_summary(wanted);
  },
  modalities: (value, { config }) =>
    void (config.responseModalities = value.map((name) => name.toUpperCase())),
  audio({ voice, format }, { config, dropped }, { sent }) {
    const path = sent.get("audio");
    if (format !== undefined && format !== "pcm16") dropped.push(`${path}.format`); // Gemini only makes PCM.
    if (typeof voice !== "string") return void dropped.push(`${path}.voice`);
    config.speechConfig = { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } };
  },
  web_search_options(options, { tools, dropped }, { sent }) {
    tools.push({ googleSearch: {} });
    for (const key of Object.keys(options)) dropped.push(`${sent.get("web_search_options")}.${key}`);
  },
};

const LABEL_KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

/** Google's built-in tools, by the `type` that clients of OpenAI's APIs write: `{"type": "google_search"}`. */
const BUILT_IN: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ["code_execution", "codeExecution"],
  ["code_interpreter", "codeExecution"],
  ["computer_use", "computerUse"],
  ["file_search", "fileSearch"],
  ["google_maps", "googleMaps"],
  ["google_search", "googleSearch"],
  ["url_context", "urlContext"],
  ["web_search", "googleSearch"],
  ["web_search_preview", "googleSearch"],
]);

/** OpenAI's own built-in tools. Their members mean nothing to Google. */
const OPENAI_ONLY: ReadonlySet<unknown> = new Set(["code_interpreter", "web_search", "web_search_preview"]);

function writeTools(list: NonNullable<Call["settings"]["tools"]>, draft: Draft, call: Call): void {
  const functions: JsonObject[] = [];
  // Arguments of other tools obey no schema anyway, and Google gets each keyword.
  const lost = isStrict(call) ? draft.dropped : [];
  for (const offered of list) {
    const tool = offered.type === "custom" ? customAsFunction(offered, draft.dropped) : offered;
    if (tool.type === "server") {
      writeServerTool(tool, draft, call);
      continue;
    }
    if (tool.type === "mcp") {
      draft.dropped.push(tool.path);
      continue;
    }
    if (tool.type === "function") {
      const declaration: JsonObject = { name: writeName(tool.name) };
      if (tool.description !== undefined) declaration.description = tool.description;
      if (tool.parameters !== undefined) {
        declaration.parametersJsonSchema = writeSchema(tool.parameters, tool.parametersPath, lost);
      }
      if (functions.length === 0) draft.tools.push({ functionDeclarations: functions });
      functions.push(Object.assign(declaration, tool.extra));
      if (tool.cache !== undefined) draft.dropped.push(`${tool.path}.cache_control`);
      continue;
    }
    const { type, ...value } = tool.value;
    const name = BUILT_IN.get(type);
    if (type === undefined) draft.tools.push(value);
    else if (name === undefined) draft.dropped.push(tool.path);
    else if (!OPENAI_ONLY.has(type)) draft.tools.push({ [name]: value });
    else {
      draft.tools.push({ [name]: {} });
      for (const key of Object.keys(value)) draft.dropped.push(`${tool.path}.${key}`);
    }
  }
  if (isStrict(call) && call.settings.tool_choice === undefined) {
    draft.toolConfig.functionCallingConfig = { mode: "VALIDATED" };
  }
}

const SERVER_TOOLS: Readonly<Record<ServerToolKind, string>> = {
  code_execution: "codeExecution",
  web_fetch: "urlContext",
  web_search: "googleSearch",
};

/**
 * Writes a tool that Google runs. Before Gemini 3 the API refuses it beside functions ("Tool use with function calling
 * is unsupported"); the functions are kept.
 */
function writeServerTool(tool: ServerTool, { model, tools, dropped }: Draft, { settings }: Call): void {
  if (!model.third && hasFunctions(settings)) return void dropped.push(tool.path);
  const name = SERVER_TOOLS[tool.kind];
  if (!tools.some((other) => name in other)) tools.push({ [name]: {} });
  dropped.push(...unsaidMembers(tool));
}

const hasFunctions = ({ tools }: Call["settings"]) =>
  tools?.some(({ type }) => type === "function" || type === "custom") ?? false;

/** Whether a tool demands arguments that obey its schema. Gemini can only promise this for all tools or none. */
function isStrict(call: Call): boolean {
  return call.settings.tools?.some((tool) => tool.type === "function" && tool.strict) ?? false;
}

const declares = (tool: JsonObject) => "functionDeclarations" in tool || "function_declarations" in tool;

/** Whether Google runs the tool. Computer use is a set of functions that the client runs. */
const runsAtGoogle = (tool: JsonObject) =>
  !declares(tool) && !("computerUse" in tool || "computer_use" in tool);

// ---------------------------------------------------------------- the client's own Gemini fields

/** Members of `generationConfig`. Users of Google's SDK write them one level up. */
const CONFIG_FIELDS: ReadonlySet<string> = new Set([
  "audioTranscriptionConfig",
  "candidateCount",
  "enableEnhancedCivicAnswers",
  "imageConfig",
  "maxOutputTokens",
  "mediaResolution",
  "responseJsonSchema",
  "responseLogprobs",
  "responseMimeType",
  "responseModalities",
  "responseSchema",
  "speechConfig",
  "stopSequences",
  "thinkingConfig",
  "topK",
  "topP",
]);

/** Merges the client's own Gemini fields, in either spelling. They win over derived fields. */
function mergeExtra(draft: Draft, extra: JsonObject): void {
  for (const [key, value] of Object.entries(extra)) {
    const name = camel(key);
    const members = object(value);
    // Google's OpenAI-compatible API takes Gemini's fields as `extra_body.google`.
    if ((name === "google" || name === "extraBody") && members) mergeExtra(draft, members);
    else if (name === "generationConfig" && members) {
      for (const [member, setting] of Object.entries(members)) {
        mergeConfig(draft.config, camel(member), setting);
      }
    } else if (CONFIG_FIELDS.has(name)) mergeConfig(draft.config, name, value);
    else if (name === "toolConfig" && members) Object.assign(draft.toolConfig, camelKeys(members));
    else if (isGatewayField(key)) draft.dropped.push(key);
    else if (name === "systemInstruction") draft.body.systemInstruction = value;
    else draft.body[key] = value;
  }
}

function mergeConfig(config: JsonObject, name: string, value: unknown): void {
  const own = name === "thinkingConfig" ? object(value) : undefined;
  if (!own) {
    config[name] = value;
    return;
  }
  const client = camelKeys(own);
  const derived = { ...object(config.thinkingConfig) };
  if ("thinkingBudget" in client || "thinkingLevel" in client) { // Budget and level exclude each other.
    delete derived.thinkingBudget;
    delete derived.thinkingLevel;
  }
  config.thinkingConfig = { ...derived, ...client };
}

/** The camelCase spelling of a name. Gemini accepts both spellings; Sluice writes this one. */
export const camel = (key: string) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const camelKeys = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).map(([key, member]) => [camel(key), member]));

const isEmpty = (value: JsonObject) => Object.keys(value).length === 0;
