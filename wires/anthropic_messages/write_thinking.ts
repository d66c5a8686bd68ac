/**
 * Anthropic Messages, the provider's half: decides how much a call should think.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking (2026-11)
 * @see https://platform.claude.com/docs/en/build-with-claude/extended-thinking (2026-11)
 */
import { isSigned, thoughtsInPlace } from "./write_answered.ts";
import type { ClaudeModel } from "../shared/claude_models.ts";
import { isObject } from "../shared/json.ts";
import type { Call, JsonObject, Message, MessageOf, Part, Settings, Thought } from "../types.ts";

/** How the model is told to think. */
export interface ThinkingPlan {
  config?: JsonObject;
  effort?: string;
  /** `reasoning_effort` asks for something that this model or this call cannot have. */
  lost?: boolean;
}

const EFFORTS = ["minimal", "low", "medium", "high", "xhigh", "max"];

/**
 * The thinking budget in tokens per effort, for models that take a number. These are Google's numbers for the same
 * words.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_000, // The guide to extended thinking advises batches for longer thinking.
  max: 32_000,
};
const LEAST_BUDGET = 1024;

/** For a model that hides its thoughts. */
const SHOWN = { type: "adaptive", display: "summarized" };

/** Whether the client wants to see thoughts, and the model thinks unasked but hides them. */
const hidesWhatIsWanted = ({ reasoning_summary: wanted = "none" }: Settings, model: ClaudeModel): boolean =>
  wanted !== "none" && model.hidesThoughts === true && model.off !== "unset";

/**
 * Translates `reasoning_effort` for the model: into a budget below `max_tokens`, or into an effort level (the nearest
 * one not above the requested one) with adaptive thinking. The client's own `thinking` wins: it stands beside an effort
 * level but replaces a budget. With a budget no tool can be forced, and a turn with tool results can only continue if
 * the client has kept the thoughts.
 *
 * If the model hides its thoughts, a summary is requested, because `reasoning_content` shows them.
 */
export function planThinking({ settings, extra, messages }: Call, model: ClaudeModel): ThinkingPlan {
  const { reasoning_effort: effort, tool_choice, max_tokens = model.maxTokens } = settings;
  const native = extra.thinking !== undefined;
  if (effort === undefined) {
    return !native && hidesWhatIsWanted(settings, model) ? { config: SHOWN } : {};
  }
  if (effort === "none") {
    if (!model.thinking || model.off === "unset") return {};
    if (!model.off) return { effort: model.efforts![0], lost: true };
    return native ? { lost: true } : { config: model.off };
  }
  if (model.thinking === "adaptive") {
    const level = nearestEffort(effort, model.efforts!);
    if (native) return { effort: level };
    return {
      config: model.hidesThoughts ? SHOWN : { type: "adaptive" },
      effort: level,
    };
  }
  const wanted = Object.hasOwn(BUDGETS, effort) ? BUDGETS[effort] : undefined;
  const room = max_tokens > LEAST_BUDGET && !isForced(tool_choice) && !resumesUnthought(messages);
  if (!model.thinking || !wanted || native || !room) return { lost: true };
  // `max_tokens` counts thoughts and answer together. Of a small limit, half is left for the answer.
  const budget = Math.min(wanted, Math.max(LEAST_BUDGET, Math.floor(max_tokens / 2)));
  return { config: { type: "enabled", budget_tokens: budget } };
}

/**
 * Removes the client's own thinking budget if the conversation has lost the thoughts that its tool results must
 * continue from: "Expected `thinking`, but found `tool_use` … To avoid this requirement, disable `thinking`".
 */
export function withoutLostThinking(call: Call): Call {
  const { thinking } = call.extra;
  if (!isObject(thinking) || thinking.type !== "enabled" || !resumesUnthought(call.messages)) return call;
  const { thinking: _, ...extra } = call.extra;
  return { ...call, extra };
}

/**
 * Removes and names the earlier thoughts behind which the conversation is no longer the one in which they were written.
 * Newer models refuse them there: "Invalid `signature` in `thinking` block. The block is bound to a different
 * conversation." Such are thoughts with other tools than those that are offered (tools have joined since, or tools were
 * called and none is offered, as in a request for a summary), if they do not say what they are bound to, and those of whose
 * answer earlier pieces are missing.
 */
export function withoutUnboundThoughts(call: Call, model: ClaudeModel, dropped: string[]): Call {
  if (!model.bindsThoughts) return call;
  const { messages, settings, extra } = call;
  const isOffered = settings.tools?.length || extra.tools !== undefined;
  const areGone = !isOffered &&
    messages.some((message) => message.role === "assistant" && message.calls.length > 0);
  /** How many of an answer's thoughts are still bound to this conversation. */
  const bound = (message: MessageOf<"assistant">) =>
    (areGone || message.before === "tools") && message.thoughts.some(isLoose) ? 0 : thoughtsInPlace(message);
  let isChanged = false;
  const written = messages.map((message): Message => {
    if (message.role !== "assistant" || !message.thoughts.some(isSigned)) return message;
    const most = bound(message);
    const thoughts = message.thoughts.filter((thought, at) => at < most || !isSigned(thought));
    if (thoughts.length === message.thoughts.length) return message;
    isChanged = true;
    for (const thought of message.thoughts) if (!thoughts.includes(thought)) dropped.push(thought.path);
    return { ...message, thoughts };
  });
  return isChanged ? { ...call, messages: written } : call;
}

/** Whether it is not known what a proof is bound to. */
const isLoose = (thought: Thought) => isSigned(thought) && thought.bound === undefined;

export const isForced = (choice: Settings["tool_choice"]) =>
  choice === "required" || typeof choice === "object";

/**
 * Whether the last turn has tool results and its assistant turn does not begin with signed thinking. Text of the user
 * beside the results does not end that turn, and a message of which nothing is sent does not count.
 */
function resumesUnthought(messages: Message[]): boolean {
  let first: MessageOf<"assistant"> | undefined;
  let results = false;
  let words = false;
  for (const message of messages) {
    if (message.role === "tool") results = true;
    else if (message.role !== "assistant") words ||= message.parts.some(says);
    else if (message.calls.length > 0 || message.parts.some(says) || message.thoughts.some(isProof)) {
      if (words && !results) first = undefined;
      first ??= message;
      results = words = false;
    }
  }
  return results && !first?.thoughts.some(isSigned);
}

/** Whether a thought becomes a block. */
const isProof = ({ signature, redacted }: Thought) => signature !== undefined || redacted !== undefined;

/** Whether a part becomes a block. */
const says = (part: Part) =>
  part.type === "text" || part.type === "refusal"
    ? part.text.trim() !== ""
    : part.type !== "audio" && part.type !== "video";

/** The nearest level that the model accepts. An unknown word is returned unchanged, for the API to judge. */
function nearestEffort(effort: string, levels: readonly string[]): string {
  const rank = EFFORTS.indexOf(effort);
  return rank < 0 ? effort : levels.findLast((level) => EFFORTS.indexOf(level) <= rank) ?? levels[0];
}

/** Whether this call turns thinking on. The API then accepts fewer sampling values. */
export function thinks(call: Call, thinking: ThinkingPlan): boolean {
  const config = isObject(call.extra.thinking) ? call.extra.thinking : thinking.config;
  return config?.type === "enabled" || config?.type === "adaptive";
}

/** The call with a thinking budget in tokens; `undefined` if the model or this call accepts no number. */
export function withBudget(call: Call, model: ClaudeModel, tokens: number): Call | undefined {
  if (model.thinking !== "budget" || isForced(call.settings.tool_choice)) return undefined;
  const { max_tokens = model.maxTokens } = call.settings;
  const budget_tokens = Math.min(Math.max(LEAST_BUDGET, Math.floor(tokens)), max_tokens - 1);
  if (budget_tokens < LEAST_BUDGET) return undefined;
  return { ...call, extra: { ...call.extra, thinking: { type: "enabled", budget_tokens } } };
}
