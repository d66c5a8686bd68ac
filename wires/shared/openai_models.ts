/**
 * What each generation of OpenAI's models accepts, on chat completions and on Responses.
 *
 * OpenAI answers 400 to a setting that the model does not accept. The generations differ in the name of the token
 * limit, the settings that must keep their default while the model reasons, the words for the effort, whether function
 * tools are accepted on chat completions, and whether the model is served there at all.
 *
 * Read in 2026-11 from `openai` 7.59.0 (types), `@ai-sdk/openai` 4.0.118 (`openai-model-catalog.ts`), LiteLLM 1.110
 * (`gpt_reasoning_transformation.py` and its list of models), and from OpenAI's own errors as quoted in
 * openai/openai-openapi#541 (tools on GPT-5.4), BerriAI/litellm#34569 (tools on GPT-5.6), genkit-ai/genkit#6303
 * (GPT-6), anomalyco/opencode#4451 (`minimal`), huggingface/smolagents#1893 (`stop`), langchain-ai/langchain#29704
 * (`parallel_tool_calls`), vercel/ai#5647 (search models), docker/docker-agent#313 (models of Responses alone),
 * openai/codex#6647 (efforts of Codex models), anomalyco/opencode#3474 (GPT-5 Pro).
 *
 * @see https://developers.openai.com/api/docs/guides/reasoning
 */
import type { GatewayError } from "../errors.ts";
import { isObject } from "./json.ts";
import type { Edit } from "./json_text.ts";

/** What one generation accepts. A setting that is not named here is accepted with any value. */
export interface OpenAIModel {
  /** The token limit must be called `max_completion_tokens`. */
  newLimit?: boolean;
  /** Settings that the model refuses with any value. */
  refused: readonly string[];
  /** Settings that the model accepts only with their default value. */
  fixed: readonly string[];
  /**
   * Further settings that are fixed while the model reasons: unless `reasoning_effort` is `none`, as sent or by
   * default.
   */
  fixedWhileReasoning?: readonly string[];
  /** The values of `reasoning_effort` that the model accepts; empty if it refuses the setting. */
  efforts: readonly string[];
  /** One more value, which the model accepts as `reasoning.effort` on Responses only. */
  responsesEffort?: string;
  /** The effort that applies when the client sends none; `none` for a model that cannot reason. */
  effort: string;
  /** The model is served on Responses only. */
  responsesOnly?: true;
  /** The model's messages have a `phase`, which it wants back. */
  phases?: true;
  /** The model accepts `prompt_cache_breakpoint` on parts of content. */
  breakpoints?: true;
  /**
   * When the model accepts function tools on chat completions. Default: always. `unset`: without `reasoning_effort`, or
   * with `none`. `none`: only if the effort is `none`, as sent or by the model's default.
   */
  functionTools?: "unset" | "none";
  /** Roles of messages that must be renamed for the model: from, to. */
  roles?: Readonly<Record<string, string>>;
}

/** The changes to a request that make the model accept it. */
export interface Fit {
  /** The changes, by member of the body. */
  edits: Map<string, Edit>;
  /** Settings that are left out and had a value other than the default. */
  dropped: string[];
  roles?: Readonly<Record<string, string>>;
  /** The error, if no change makes the model accept the request. */
  fault?: GatewayError;
}

/** The default of each setting: sending it means the same as leaving it out. */
export const DEFAULTS: Readonly<Record<string, unknown>> = {
  frequency_penalty: 0,
  logprobs: false,
  n: 1,
  parallel_tool_calls: true,
  presence_penalty: 0,
  temperature: 1,
  top_p: 1,
  verbosity: "medium",
};

const SAMPLING = ["logprobs", "temperature", "top_logprobs", "top_p"];
const PENALTIES = ["frequency_penalty", "logit_bias", "presence_penalty"];
/** Sound, search and predicted text: other models offer these. */
const OTHERS = ["audio", "modalities", "prediction", "web_search_options"];
const LOW_TO_HIGH = ["low", "medium", "high"];
const NONE_TO_XHIGH = ["none", ...LOW_TO_HIGH, "xhigh"];

const CHAT: OpenAIModel = { refused: [], fixed: ["verbosity"], efforts: [], effort: "none" };
const SEARCH: OpenAIModel = {
  refused: [...SAMPLING, ...PENALTIES, "n", "parallel_tool_calls", "prediction", "seed", "stop"],
  fixed: [],
  efforts: [],
  effort: "none",
};
const O1: OpenAIModel = {
  newLimit: true,
  refused: ["parallel_tool_calls"],
  fixed: [...SAMPLING, ...PENALTIES, ...OTHERS, "verbosity"],
  efforts: LOW_TO_HIGH,
  effort: "medium",
};
const FIRST_O1: OpenAIModel = { ...O1, efforts: [], roles: { developer: "user", system: "user" } };
const O3: OpenAIModel = { ...O1, fixed: [...O1.fixed, "stop"] };
const GPT_5: OpenAIModel = {
  newLimit: true,
  refused: [],
  fixed: [...SAMPLING, ...PENALTIES, ...OTHERS, "stop"],
  efforts: ["minimal", ...LOW_TO_HIGH],
  effort: "medium",
};
const GPT_51: OpenAIModel = {
  ...GPT_5,
  fixed: [...PENALTIES, ...OTHERS, "stop"],
  fixedWhileReasoning: SAMPLING,
  efforts: ["none", ...LOW_TO_HIGH],
  effort: "none",
};
const GPT_52: OpenAIModel = { ...GPT_51, efforts: NONE_TO_XHIGH };
const GPT_54: OpenAIModel = { ...GPT_52, functionTools: "unset", phases: true };
const GPT_55: OpenAIModel = { ...GPT_54, effort: "medium" };
const GPT_56: OpenAIModel = { ...GPT_55, functionTools: "none", responsesEffort: "max", breakpoints: true };
const GPT_6: OpenAIModel = {
  ...GPT_5,
  refused: ["prompt_cache_retention"],
  efforts: [...LOW_TO_HIGH, "xhigh"],
  functionTools: "none",
  responsesEffort: "max",
  phases: true,
  breakpoints: true,
};
/** The GPT-6 models that can answer without reasoning. */
const GPT_6_NONE: OpenAIModel = { ...GPT_56, refused: ["prompt_cache_retention"] };
/** `gpt-5.1-chat-latest` and similar models always reason, with a fixed effort. */
const GPT_5X_CHAT: OpenAIModel = { ...GPT_5, efforts: ["medium"] };

/** The models that are served on Responses only. They always reason. */
const CODEX: OpenAIModel = {
  ...GPT_5,
  fixed: [...GPT_5.fixed, "verbosity"],
  efforts: LOW_TO_HIGH,
  responsesOnly: true,
};
const CODEX_MAX: OpenAIModel = { ...CODEX, efforts: [...LOW_TO_HIGH, "xhigh"] };
const CODEX_53: OpenAIModel = { ...CODEX_MAX, phases: true };
const PRO_5: OpenAIModel = { ...GPT_5, efforts: ["high"], effort: "high", responsesOnly: true };
const PRO_52: OpenAIModel = { ...PRO_5, efforts: ["medium", "high", "xhigh"], effort: "medium" };
const PRO_54: OpenAIModel = { ...PRO_52, phases: true };
const PRO_56: OpenAIModel = { ...PRO_54, breakpoints: true };
const PRO_6: OpenAIModel = { ...PRO_56, refused: GPT_6.refused };
const O_PRO: OpenAIModel = { ...O3, responsesOnly: true };
const DEEP_RESEARCH: OpenAIModel = { ...O_PRO, efforts: ["medium"] };
/** `codex-mini-latest` is an o4-mini. `computer-use-preview` reasons but accepts no effort. */
const CODEX_MINI: OpenAIModel = { ...O_PRO };
const COMPUTER_USE: OpenAIModel = { ...O_PRO, efforts: [] };

type Since = readonly (readonly [from: number, model: OpenAIModel])[];

/**
 * The GPT generations by their first version (`501` is 5.1), newest first. A model that is newer than the table counts
 * as the newest generation.
 */
const GPT: Since = [
  [600, GPT_6],
  [506, GPT_56],
  [505, GPT_55],
  [504, GPT_54],
  [502, GPT_52],
  [501, GPT_51],
  [500, GPT_5],
  [0, CHAT],
];

/** Variants that differ from their generation, by the word behind the version. */
const VARIANTS: ReadonlyMap<string, Since> = new Map<string, Since>([
  ["chat", [[501, GPT_5X_CHAT], [0, CHAT]]],
  ["codex", [[503, CODEX_53], [502, CODEX_MAX], [500, CODEX]]],
  ["codex-max", [[503, CODEX_53], [500, CODEX_MAX]]],
  ["luna", [[600, GPT_6_NONE]]],
  ["pro", [[600, PRO_6], [506, PRO_56], [504, PRO_54], [502, PRO_52], [500, PRO_5]]],
  ["search", [[500, { ...SEARCH, newLimit: true }], [0, SEARCH]]],
  ["sol", [[601, GPT_6], [600, GPT_6_NONE]]],
  ["terra", [[600, GPT_6_NONE]]],
]);

/**
 * Matches `gpt-5.4-mini-2026-03-17`, `ft:gpt-4o-mini:org::id`, `my-gpt-5-deployment` and `gpt-10.2`. Names at Azure may
 * have no dots, so two digits from 30 on are a version with the dot left out, as in `gpt-35-turbo`.
 */
const GPT_NAME =
  /(?:^|[^a-z0-9])gpt-(?:([12]?\d)(?:\.(\d{1,2}))?|([3-9])(\d))(?![.\d])o?(?:-(?:mini-)?(codex-max|[a-z]+))?/i;
/** Matches `o4-mini`, `azure-o1-preview`, `o10` and `o3-deep-research`. */
const O_NAME = /(?:^|[^a-z0-9])o([1-9]\d?)(?:-(mini|preview|pro))?(-deep-research)?(?![a-z0-9.])/i;

/**
 * Finds what a model accepts. The id may be a model's, a fine-tune's (`ft:gpt-4o-mini:org::id`), or that of a
 * deployment whose name contains a model's.
 *
 * @returns `undefined` for a model that the table does not know.
 */
export function openaiModel(id: string): OpenAIModel | undefined {
  if (id !== lastFound.id) lastFound = { id, model: findModel(id) };
  return lastFound.model;
}

/** A call asks up to three times for the same model, and the patterns were 2 % of a small call (November 2026). */
let lastFound: { id: string; model?: OpenAIModel } = { id: "" };

function findModel(id: string): OpenAIModel | undefined {
  const gpt = GPT_NAME.exec(id);
  if (gpt) {
    const [, major, minor, dotless, digit, variant] = gpt;
    const version = Number(major ?? dotless) * 100 + Number(minor ?? digit ?? 0);
    return since(VARIANTS.get(variant?.toLowerCase()) ?? [], version) ?? since(GPT, version);
  }
  const [, series, variant, research] = O_NAME.exec(id) ?? [];
  if (series === undefined) return OTHERS_BY_NAME.find(([name]) => name.test(id))?.[1];
  if (research) return DEEP_RESEARCH;
  if (variant === "pro") return O_PRO;
  if (series === "1") return variant === undefined ? O1 : FIRST_O1;
  return series === "3" && variant === "mini" ? O1 : O3;
}

const OTHERS_BY_NAME: readonly (readonly [RegExp, OpenAIModel])[] = [
  [/^codex-mini/i, CODEX_MINI],
  [/^computer-use/i, COMPUTER_USE],
];

const since = (list: Since, version: number) => list.find(([from]) => version >= from)?.[1];

// ---------------------------------------------------------------- settings

/** Whether a value of a setting means the same as leaving the setting out. */
export const isDefault = (field: string, value: unknown): boolean =>
  value === DEFAULTS[field] ||
  field === "modalities" && Array.isArray(value) && value.length === 1 && value[0] === "text";

/** Whether a value is one that SDKs write for an absent setting: null, or an empty text, list or object. */
export const isNothing = (value: unknown): boolean =>
  value === null || value === "" || Array.isArray(value) && value.length === 0 ||
  isObject(value) && Object.keys(value).length === 0;

/** Whether a model can reason. Other models refuse a request for sealed reasoning. */
export const reasons = ({ efforts, effort }: OpenAIModel): boolean => efforts.length > 0 || effort !== "none";

/** Whether a model accepts an effort on Responses. */
export const takesEffort = ({ efforts, responsesEffort }: OpenAIModel, effort: string): boolean =>
  efforts.includes(effort) || effort === responsesEffort;

/** The settings that a model accepts only with their default value while it reasons with this effort. */
export const fixedAt = (
  { fixed, fixedWhileReasoning = [] }: OpenAIModel,
  effort: string,
): readonly string[] => effort === "none" ? fixed : [...fixed, ...fixedWhileReasoning];

// ---------------------------------------------------------------- a request

/**
 * Whether a request must be sent to Responses: the model is served only there, or accepts the request's tools, effort
 * or `reasoning` object only there.
 *
 * @param get Reads a field of a chat completions request. Without it: whether there are requests to this model that
 * must be sent to Responses.
 */
export function needsResponses(id: string, get?: (field: string) => unknown): boolean {
  const model = openaiModel(id);
  if (!model) return false;
  const { responsesOnly, responsesEffort, functionTools, efforts } = model;
  if (responsesOnly) return true;
  if (!get) return functionTools !== undefined;
  const sent = get("reasoning_effort") ?? undefined;
  if (sent !== undefined && sent === responsesEffort) return true;
  if (efforts.length > 0 && isObject(get("reasoning"))) return true;
  if (!functionTools || !hasFunctions(get)) return false;
  const effort = typeof sent === "string" && efforts.includes(sent) ? sent : undefined;
  return functionTools === "unset"
    ? effort !== undefined && effort !== "none"
    : (effort ?? model.effort) !== "none";
}

/** Whether a chat completions request offers functions, in `tools` or in the older `functions`. */
export function hasFunctions(get: (field: string) => unknown): boolean {
  const tools = get("tools");
  const functions = get("functions");
  return Array.isArray(functions) && functions.length > 0 ||
    Array.isArray(tools) && tools.some((tool) => isObject(tool) && tool.type === "function");
}

/** Tools that OpenAI runs itself, by how the types of a Messages client's begin. */
const HOSTED = /^(?:code_execution|mcp_toolset|web_search)/;

/** Whether a request of Anthropic's Messages offers tools that OpenAI runs itself, and on Responses alone. */
export function hasHostedTools(get: (field: string) => unknown): boolean {
  const tools = get("tools");
  return Array.isArray(get("mcp_servers")) ||
    Array.isArray(tools) && tools.some((tool) => isObject(tool) && HOSTED.test(`${tool.type}`));
}
