/**
 * What each generation of Claude takes.
 *
 * The Messages API answers 400 to a setting that the model does not know, and the generations differ: how they are told
 * to think, whether they can stop thinking, which sampling settings they take, whether a tool can be forced, whether
 * instructions may stand between turns and whether the conversation may end with the assistant.
 *
 * Read from the model pages, "Troubleshooting thinking", "Effort", "Mid-conversation system messages", "Prefill not
 * supported" and the migration guides at platform.claude.com, and from `@anthropic-ai/sdk` 1.14.0 and 0.137.0; 2026-11.
 */
import type { JsonObject } from "../types.ts";

/** How a model is spoken to. */
export interface ClaudeModel {
  /** The most tokens that one answer may have, thinking included. */
  maxTokens: number;
  /** Told to think by a number of tokens, or by `adaptive` and an effort. Absent: it cannot. */
  thinking?: "budget" | "adaptive";
  /** Values of `output_config.effort`, the least first. */
  efforts?: readonly string[];
  /** The `thinking` that turns thinking off: a value, `unset` where it is off anyway, absent where it never is. */
  off?: JsonObject | "unset";
  /** It thinks unseen unless `display` asks for a summary. */
  hidesThoughts?: boolean;
  /** Of `temperature`, `top_p` and `top_k`: any; any but the first two together; none, as only the defaults are taken. */
  sampling: "any" | "one" | "defaults";
  /** `tool_choice` may be `any` or `tool`. */
  forcesTools: boolean;
  /** `messages` may hold `role: "system"` between a user turn and the assistant's, or last. */
  systemTurns: boolean;
  /** The conversation may end with the assistant, whose answer the model goes on with. */
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
const OPUS_55: ClaudeModel = { ...FABLE_5, forcesTools: false };
const SONNET_55: ClaudeModel = { ...OPUS_55, off: { type: "between_tools" } };
const MYTHOS_PREVIEW: ClaudeModel = { ...FABLE_5, systemTurns: false, forcesTools: false };

/** By family, from which version on (`405` is 4.5), the newest first: a model newer than this table is as its newest. */
const FAMILIES: Record<string, readonly (readonly [from: number, model: ClaudeModel])[]> = {
  fable: [[501, OPUS_55], [0, FABLE_5]],
  haiku: [[505, OPUS_5], [405, CLAUDE_45], [305, CLAUDE_35], [0, CLAUDE_3]],
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

/** Every Claude that is served since Claude 4.5 takes so many, and a limit above the model's own is refused. */
const SAFE_MAX_TOKENS = 64_000;
/** A Claude of unknown family is taken for a new one. */
const UNKNOWN_CLAUDE: ClaudeModel = { ...OPUS_55, maxTokens: SAFE_MAX_TOKENS };
/** Other makers' models behind this API take what Claude 4 took. */
const OTHER: ClaudeModel = { ...CLAUDE_4, maxTokens: SAFE_MAX_TOKENS };

const NAME =
  /claude-(?:(\d)(?:[-.](\d{1,2}))?-)?(fable|haiku|mythos|opus|sonnet)(?:-(\d{1,2}))?(?:[-.](\d{1,2}))?(?!\d)/;

/**
 * Finds what a model takes by its id.
 *
 * @param id Anthropic's (`claude-opus-4-5-20251101`, `claude-3-7-sonnet-latest`) or another platform's for the same model
 * (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-opus-4-1@20250805`).
 */
export function claudeModel(id: string): ClaudeModel {
  const name = NAME.exec(id);
  if (!name) return id.includes("claude") ? UNKNOWN_CLAUDE : OTHER;
  const [, before, beforeMinor, family, after, afterMinor] = name;
  const version = Number(before ?? after ?? 0) * 100 + Number((before ? beforeMinor : afterMinor) ?? 0);
  return FAMILIES[family].find(([from]) => version >= from)![1];
}

/**
 * Anthropic's own form of a Claude id that is written with dots elsewhere: `claude-sonnet-4.5` is `claude-sonnet-4-5`,
 * `claude-3.7-sonnet-latest` is `claude-3-7-sonnet-latest`. Any other id is returned as it is.
 */
export function dashedClaude(id: string): string {
  return id.startsWith("claude-") && id.includes(".") ? id.replace(/(\d)\.(?=\d)/g, "$1-") : id;
}
