/** Amazon's Converse: tells Claude how much to think, in the fields that its own API has for that. */
import type { ClaudeModel } from "../shared/claude_models.ts";
import { isObject } from "../shared/json.ts";
import type { Call, Message } from "../types.ts";
import type { Draft } from "./draft.ts";
import { SIGNED } from "./write_turns.ts";

/** The thinking budget in tokens for each effort, for models that take a number. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_000,
  max: 32_000,
};
const LEAST_BUDGET = 1024;
const EFFORTS = ["minimal", "low", "medium", "high", "xhigh", "max"];

/**
 * Writes the effort of a call, or fits the client's own `thinking`, which wins. With a budget no tool can be forced, and
 * the results of tools can only be continued from if the client has kept the signed thoughts before them.
 */
export function writeThinking(call: Call, model: ClaudeModel, draft: Draft): void {
  const { settings, sent, extra, messages } = call;
  const { reasoning_effort: effort, max_tokens = model.maxTokens } = settings;
  const { more, body, dropped } = draft;
  const field = sent.get("reasoning_effort");
  const lose = () => void (field && dropped.push(field));
  const own = isObject(extra.thinking) ? extra.thinking.type : undefined;
  const fits = !isForced(body.toolConfig) && !resumesUnthought(messages);
  if (own === "enabled" && !fits) {
    delete extra.thinking;
    dropped.push("thinking");
  }
  if (effort === undefined) return;
  if (effort === "none") {
    if (!model.thinking || model.off === "unset") return;
    if (!model.off || own) return lose();
    more.thinking = model.off;
  } else if (model.thinking === "adaptive") {
    const rank = EFFORTS.indexOf(effort);
    const level = model.efforts!.findLast((one) => EFFORTS.indexOf(one) <= rank) ?? model.efforts![0];
    more.output_config = { effort: level };
    if (!own) more.thinking = { type: "adaptive", ...(model.hidesThoughts && { display: "summarized" }) };
  } else {
    const wanted = Object.hasOwn(BUDGETS, effort) ? BUDGETS[effort] : 0;
    if (!model.thinking || !wanted || own || !fits || max_tokens <= LEAST_BUDGET) return lose();
    const budget = Math.min(wanted, Math.max(LEAST_BUDGET, Math.floor(max_tokens / 2)));
    more.thinking = { type: "enabled", budget_tokens: budget };
  }
  // While it thinks, Claude takes only its defaults of these.
  const config = isObject(body.inferenceConfig) ? body.inferenceConfig : {};
  for (const [member, name] of [["temperature", "temperature"], ["topP", "top_p"]] as const) {
    if (more.thinking === model.off || config[member] === undefined || config[member] === 1) continue;
    delete config[member];
    dropped.push(sent.get(name)!);
  }
}

const isForced = (config: unknown) => isObject(config) && config.toolChoice !== undefined;

/** Whether the last turn has results of tools that were called without a signed thought. */
function resumesUnthought(messages: Message[]): boolean {
  if (messages.at(-1)?.role !== "tool") return false;
  const last = messages.findLast((message) => message.role === "assistant");
  return last?.role === "assistant" &&
    !last.thoughts.some(({ signature, redacted, format }) =>
      (signature || redacted) && (format === undefined || format === SIGNED)
    );
}
