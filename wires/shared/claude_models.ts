/**
 * What each generation of Claude accepts.
 *
 * The Messages API answers 400 to a setting that the model does not know. The generations differ in how they are told
 * to think, whether thinking can be turned off, which sampling settings they accept, whether a tool can be forced,
 * whether instructions may stand between turns, and whether the conversation may end with the assistant.
 *
 * Read from the model pages, "Troubleshooting thinking", "Effort", "Mid-conversation system messages", "Prefill not
 * supported" and the migration guides at platform.claude.com, and from `@anthropic-ai/sdk` 1.14.0 and 0.137.0; 2026-11.
 */
import type { JsonObject } from "../types.ts";

/** What one generation accepts. */
export interface ClaudeModel {
  /** The most tokens that one answer may have, thinking included. */
  maxTokens: number;
  /** How the model is told to think: by a number of tokens, or by `adaptive` and an effort. Absent: it cannot think. */
  thinking?: "budget" | "adaptive";
  /** The accepted values of `output_config.effort`, lowest first. */
  efforts?: readonly string[];
  /**
   * The value of `thinking` that turns thinking off. `unset`: thinking is off by default. Absent: it cannot be turned
   * off.
   */
  off?: JsonObject | "unset";
  /** The model shows no thoughts unless `display` asks for a summary. */
  hidesThoughts?: boolean;
  /**
   * Which of `temperature`, `top_p` and `top_k` the model accepts. `any`: all. `one`: all, but not `temperature`
   * together with `top_p`. `defaults`: only their default values.
   */
  sampling: "any" | "one" | "defaults";
  /** `tool_choice` may be `any` or `tool`. */
  forcesTools: boolean;
  /** `messages` may hold `role: "system"` between a user turn and the assistant's, or last. */
  systemTurns: boolean;
  /** Its thoughts are only valid behind all that came before them: the same tools, instructions and turns. */
  bindsThoughts?: boolean;
  /** The conversation may end with a turn of the assistant, which the model then continues. */
  prefill: boolean;
}

const LEVELS_46 = ["low", "medium", "high", "max"];
const LEVELS = ["low", "medium", "high", "xhigh", "max"];

const CLAUDE_3: ClaudeModel = {
  maxTokens: 4096,
  sampling: "any",
  forcesTools: true,
  systemTurns: false,
  prefill: true,
};
const CLAUDE_35: ClaudeModel = { ...CLAUDE_3, maxTokens: 8192 };
const CLAUDE_4: ClaudeModel = { ...CLAUDE_3, maxTokens: 64_000, thinking: "budget", off: "unset" };
const OPUS_4: ClaudeModel = { ...CLAUDE_4, maxTokens: 32_000 };
const CLAUDE_45: ClaudeModel = { ...CLAUDE_4, sampling: "one" };
const CLAUDE_46: ClaudeModel = {
  ...CLAUDE_45,
  maxTokens: 128_000,
  thinking: "adaptive",
  efforts: LEVELS_46,
  prefill: false,
};
const OPUS_47: ClaudeModel = { ...CLAUDE_46, efforts: LEVELS, hidesThoughts: true, sampling: "defaults" };
const OPUS_48: ClaudeModel = { ...OPUS_47, systemTurns: true };
const SONNET_5: ClaudeModel = { ...OPUS_47, off: { type: "disabled" } };
const OPUS_5: ClaudeModel = { ...OPUS_48, off: { type: "disabled" } };
const FABLE_5: ClaudeModel = { ...OPUS_48, off: undefined };
const OPUS_55: ClaudeModel = { ...FABLE_5, forcesTools: false, bindsThoughts: true };
const HAIKU_55: ClaudeModel = { ...OPUS_5, bindsThoughts: true };
const SONNET_55: ClaudeModel = { ...OPUS_55, off: { type: "between_tools" } };
const MYTHOS_PREVIEW: ClaudeModel = { ...FABLE_5, systemTurns: false, forcesTools: false };

/**
 * The generations of each family by their first version (`405` is 4.5), newest first. A model that is newer than the
 * table counts as the newest generation.
 */
const FAMILIES: Record<string, readonly (readonly [from: number, model: ClaudeModel])[]> = {
  fable: [[501, OPUS_55], [0, FABLE_5]],
  haiku: [[505, HAIKU_55], [405, CLAUDE_45], [305, CLAUDE_35], [0, CLAUDE_3]],
  mythos: [[501, OPUS_55], [500, FABLE_5], [0, MYTHOS_PREVIEW]],
  opus: [
    [505, OPUS_55],
    [500, OPUS_5],
    [408, OPUS_48],
    [407, OPUS_47],
    [406, CLAUDE_46],
    [405, CLAUDE_45],
    [401, { ...OPUS_4, sampling: "one" }],
    [400, OPUS_4],
    [0, CLAUDE_3],
  ],
  sonnet: [
    [505, SONNET_55],
    [500, SONNET_5],
    [406, CLAUDE_46],
    [405, CLAUDE_45],
    [307, CLAUDE_4],
    [305, CLAUDE_35],
    [0, CLAUDE_3],
  ],
};

/** Every Claude since 4.5 accepts this many tokens. A limit above the model's own is refused. */
const SAFE_MAX_TOKENS = 64_000;
/** A Claude of an unknown family counts as a new model. */
const UNKNOWN_CLAUDE: ClaudeModel = { ...OPUS_55, maxTokens: SAFE_MAX_TOKENS };
/** Models of other makers that are served on this API accept what Claude 4 accepted. */
const OTHER: ClaudeModel = { ...CLAUDE_4, maxTokens: SAFE_MAX_TOKENS };

/** Matches `claude-3-7-sonnet-latest`, `claude-opus-4-5-20251101`, `claude-haiku-4.5`. */
const NAME =
  /claude-(?:(\d)(?:[-.](\d{1,2}))?-)?(fable|haiku|mythos|opus|sonnet)(?:-(\d{1,2}))?(?:[-.](\d{1,2}))?(?!\d)/;

/**
 * Finds what a model accepts.
 *
 * @param id Anthropic's id (`claude-opus-4-5-20251101`, `claude-3-7-sonnet-latest`) or that of another platform for the
 * same model (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-opus-4-1@20250805`).
 */
export function claudeModel(id: string): ClaudeModel {
  const name = NAME.exec(id);
  if (!name) return id.includes("claude") ? UNKNOWN_CLAUDE : OTHER;
  const [, before, beforeMinor, family, after, afterMinor] = name;
  const version = Number(before ?? after ?? 0) * 100 + Number((before ? beforeMinor : afterMinor) ?? 0);
  return FAMILIES[family].find(([from]) => version >= from)![1];
}

/**
 * Anthropic's form of a Claude id, which other platforms write with dots: `claude-sonnet-4.5` becomes
 * `claude-sonnet-4-5`, `claude-3.7-sonnet-latest` becomes `claude-3-7-sonnet-latest`. Any other id is returned
 * unchanged.
 */
export function dashedClaude(id: string): string {
  return id.startsWith("claude-") && id.includes(".") ? id.replace(/(\d)\.(?=\d)/g, "$1-") : id;
}
