/**
 * OpenAI chat completions, the client's half: writes a whole answer as a completion.
 *
 * Beside OpenAI's own members a message may have members that are common elsewhere: `reasoning_content` (DeepSeek),
 * `reasoning_details` (OpenRouter; signed blocks only), `images` (OpenRouter), `extra_content.google` (Google).
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
import { attachmentsOf, googleContent, writeAttachments } from "./attachments.ts";
import { packToolId } from "../shared/tool_id.ts";
import { customNames, readInput } from "../shared/tools.ts";
import type {
  Answer,
  AnswerCall,
  Call,
  Choice,
  Defaults,
  Delta,
  JsonObject,
  StopReason,
  Usage,
} from "../types.ts";
import { answerTokens, promptTokens } from "../shared/usage.ts";

/** The client's wishes that change the form of the answer. */
export interface AnswerForm {
  /** `stream_options.include_usage`. */
  includeUsage: boolean;
  /** The client offered `functions`, so a tool call is written as `function_call`. */
  legacyFunctions: boolean;
  /** The tools that the client offered as `custom`; their calls come back as such. */
  customs?: ReadonlySet<string>;
}

export const formOf = (call: Call): AnswerForm => ({
  includeUsage: call.includeUsage,
  legacyFunctions: call.sent.get("tools") === "functions",
  customs: customNames(call),
});

/** Writes OpenAI's usage, with the sums that `Usage` describes. */
export function writeUsage(usage: Usage): JsonObject {
  const prompt = promptTokens(usage);
  const completion = answerTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: usage.cacheRead,
      cache_write_tokens: usage.cacheWrite,
      audio_tokens: usage.audioIn,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: usage.audioOut },
  };
}

/** Writes a whole answer as a `chat.completion`. */
export function writeAnswer(answer: Answer, call: Call, defaults: Defaults): JsonObject {
  const { start, usage } = answer;
  const form = formOf(call);
  const choices = answer.choices.length > 0 ? answer.choices : [{ items: [], logprobs: [] }];
  const out: JsonObject = {
    id: start.id ?? defaults.id,
    object: "chat.completion",
    created: start.created ?? defaults.created,
    model: start.model ?? defaults.model,
    // `Object.entries`, and not a loop to `length`: the indexes are the provider's and may have gaps.
    choices: Object.entries(choices).map(([index, choice]) =>
      writeChoice(Number(index), choice, call, defaults, form)
    ),
  };
  if (usage) out.usage = writeUsage(usage);
  return writeEnvelopeExtras(start, out);
}

/** Joins the items of a choice into the members that OpenAI has for them. */
function gather(
  { items }: Choice,
): { text: string; refusal: string; reasoning: string; calls: AnswerCall[] } {
  const gathered = { text: "", refusal: "", reasoning: "", calls: [] as AnswerCall[] };
  for (const item of items) {
    if (item.type === "text") gathered.text += item.text;
    else if (item.type === "refusal") gathered.refusal += item.text;
    else if (item.type === "thought") gathered.reasoning += item.thought.text ?? "";
    else if (item.type === "tool") gathered.calls.push(item.call);
  }
  return gathered;
}

function writeChoice(
  index: number,
  choice: Choice,
  call: Call,
  defaults: Defaults,
  form: AnswerForm,
): JsonObject {
  const { audio } = choice;
  const { text, refusal, reasoning, calls } = gather(choice);
  const bare = text === "" && (calls.length > 0 || refusal !== "" || audio !== undefined);
  const message: JsonObject = { role: "assistant", content: bare ? null : text, refusal: refusal || null };
  if (reasoning) message.reasoning_content = reasoning;
  writeAttachments(attachmentsOf(choice), call, message);
  if (audio) {
    const { id, data, transcript, expires_at } = audio;
    message.audio = {
      id: id ?? `audio_${defaults.id}`,
      data,
      transcript,
      expires_at: expires_at ?? defaults.created,
    };
  }
  if (calls.length > 0) {
    if (form.legacyFunctions) message.function_call = writeFunction(calls[0]);
    else message.tool_calls = calls.map((call) => writeToolCall(call, form));
  }
  return {
    index,
    message,
    logprobs: joinLogprobs(choice.logprobs),
    finish_reason: finishReason(choice.stop, calls.length > 0, form),
  };
}

const writeFunction = (call: AnswerCall) => ({ name: call.name, arguments: call.arguments || "{}" });

/** Writes a tool call in the kind in which the client offered the tool. */
function writeToolCall(call: AnswerCall, { customs }: AnswerForm): JsonObject {
  const { name, arguments: text, custom, signature } = call;
  const id = packToolId(call.id, signature);
  if (custom || customs?.has(name)) {
    const input = custom ? text : readInput(text);
    return { id, type: "custom", custom: { name, input }, ...googleContent(signature) };
  }
  return { id, type: "function", function: writeFunction(call), ...googleContent(signature) };
}

/**
 * The finish reason: `tool_calls` if the answer ended normally with tool calls. A cut-off or filtered answer says so
 * even with tool calls.
 */
export function finishReason(stop: StopReason | undefined, calls: boolean, form: AnswerForm): string {
  if (calls && (stop === undefined || stop === "stop" || stop === "tool_calls")) {
    return form.legacyFunctions ? "function_call" : "tool_calls";
  }
  return stop === undefined || stop === "tool_calls" ? "stop" : stop;
}

export function writeEnvelopeExtras(
  { service_tier, fingerprint }: Extract<Delta, { type: "start" }>,
  out: JsonObject,
): JsonObject {
  if (service_tier !== undefined) out.service_tier = service_tier;
  if (fingerprint !== undefined) out.system_fingerprint = fingerprint;
  return out;
}

/** Joins OpenAI's log probabilities, `{content: […], refusal: […]}`, into one object. */
function joinLogprobs(records: unknown[]): JsonObject | null {
  if (records.length === 0) return null;
  const join = (member: "content" | "refusal") => {
    const lists = records.map((record) => (record as JsonObject | null)?.[member]).filter(Array.isArray);
    return lists.length > 0 ? lists.flat() : null;
  };
  return { content: join("content"), refusal: join("refusal") };
}
