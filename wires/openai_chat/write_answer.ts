/**
 * OpenAI chat completions, the client's half: neutral deltas into a completion or its chunks.
 *
 * Beside OpenAI's own members a message may carry what the field has agreed on elsewhere: `reasoning_content` (DeepSeek),
 * `reasoning_details` (OpenRouter; signed blocks only), `images` (OpenRouter), `extra_content.google` (Google).
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
import {
  type Answer,
  attach,
  type Attachments,
  attachments,
  type Choice,
  collector,
} from "../streams/collect.ts";
import { googleContent, writeAttachments, writeDetails, writeRest } from "./attachments.ts";
import { packToolId } from "../shared/tool_id.ts";
import type { Delta, JsonObject, StopReason, StreamWriter, Usage, WireError } from "../types.ts";

/** What the answer's envelope needs when the provider gives none. */
export interface AnswerDefaults {
  /** Completion id, e.g. `chatcmpl-…`. */
  id: string;
  /** Unix time in seconds. */
  created: number;
  /** The model that was asked for. */
  model: string;
}

/** What the client asked for that changes the form of the answer. */
export interface AnswerForm {
  /** `stream_options.include_usage`. */
  includeUsage: boolean;
  /** The client offered `functions`, so a call is a `function_call`. */
  legacyFunctions: boolean;
}

/** OpenAI's usage record; the sums are those that `Usage` states. */
export function writeUsage(usage: Usage): JsonObject {
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite + usage.audioIn;
  const completion = usage.output + usage.reasoning + usage.audioOut;
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

/** An OpenAI error body. */
export function writeError(error: WireError): JsonObject {
  const { message, type, param, code, metadata } = error;
  const body = {
    message,
    type: type ?? "server_error",
    param: param ?? null,
    // Text in OpenAI's description: clients in strict languages fail to read an error whose code is a number.
    code: code === undefined || code === null ? null : String(code),
  };
  return { error: metadata ? { ...body, metadata } : body };
}

/** A whole answer as a `chat.completion`. */
export function writeAnswer(answer: Answer, defaults: AnswerDefaults, form: AnswerForm): JsonObject {
  const { start, usage } = answer;
  const collected = answer.choices.length > 0 ? answer.choices : collectedNothing();
  const out: JsonObject = {
    id: start.id ?? defaults.id,
    object: "chat.completion",
    created: start.created ?? defaults.created,
    model: start.model ?? defaults.model,
    // Entries, and not a loop up to the length: indexes are the provider's.
    choices: Object.entries(collected).map(([index, choice]) =>
      writeChoice(Number(index), choice, defaults, form)
    ),
  };
  if (usage) out.usage = writeUsage(usage);
  return writeEnvelopeExtras(start, out);
}

function writeChoice(
  index: number,
  choice: Choice,
  defaults: AnswerDefaults,
  form: AnswerForm,
): JsonObject {
  const { text, refusal, calls, audio } = choice;
  const bare = text === "" && (calls.length > 0 || refusal !== "" || audio !== undefined);
  const message: JsonObject = { role: "assistant", content: bare ? null : text, refusal: refusal || null };
  if (choice.reasoning) message.reasoning_content = choice.reasoning;
  writeAttachments(choice, message);
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
    const written = calls.filter(Boolean).map((call) => ({
      id: packToolId(call.id, call.signature),
      type: "function",
      function: { name: call.name, arguments: call.arguments || "{}" },
      ...googleContent(call.signature),
    }));
    if (form.legacyFunctions) message.function_call = written[0].function;
    else message.tool_calls = written;
  }
  return {
    index,
    message,
    logprobs: joinLogprobs(choice.logprobs),
    finish_reason: finishReason(choice.stop, calls.length > 0, form),
  };
}

/**
 * Writes deltas as `chat.completion.chunk` events: per choice one role chunk, `reasoning_details` if it begins with any,
 * content, a tool's name before its arguments, what is complete only at the end (`annotations`, `images`) in one chunk,
 * one finish chunk; then the usage if it was asked for, and `[DONE]`.
 *
 * Lists of whole blocks go out once, in full: clients that gather chunks by appending, by index or by overwriting all
 * end with the same list. `reasoning_details` goes out before the content, as OpenRouter's provider for the AI SDK takes no
 * thinking behind a text. Where more thoughts come behind the content, the list goes out once more at the end: in full,
 * for clients that overwrite, and under new indexes, for those that gather by index. `readThoughts` takes each once.
 */
export function chunkWriter(defaults: AnswerDefaults, form: AnswerForm): StreamWriter {
  // Written once: only what changes is serialised for each chunk.
  let head = "";
  let envelope = "";
  const tail = form.includeUsage ? `}],"usage":null}\n\n` : "}]}\n\n";
  const choices: (ChoiceState | undefined)[] = [];
  let usage: Usage | undefined;
  let failed = false;

  function start(delta: Extract<Delta, { type: "start" }> | undefined): void {
    const id = JSON.stringify(delta?.id ?? defaults.id);
    const model = JSON.stringify(delta?.model ?? defaults.model);
    const created = delta?.created ?? defaults.created;
    const extras = delta ? members(writeEnvelopeExtras(delta, {})) : "";
    envelope = `data: {"id":${id},"object":"chat.completion.chunk","created":${created},"model":${model},${
      extras && `${extras},`
    }"choices":[`;
    head = `${envelope}{"index":`;
  }

  const chunk = (index: number, delta: string, finish = "null") =>
    `${head}${index},"delta":{${delta}},"finish_reason":${finish}${tail}`;

  /** The role chunk, when this is the first that the choice says. */
  function open(index: number): string {
    if (choices[index]) return "";
    if (!head) start(undefined);
    choices[index] = { ...attachments(), tools: [], begun: false, told: [] };
    return chunk(index, `"role":"assistant","content":""`);
  }

  /** The thoughts so far, when the choice's content begins. */
  function begin(index: number): string {
    const choice = choices[index]!;
    choice.begun = true;
    if (choice.thoughts.length === 0) return "";
    choice.told = writeDetails(choice.thoughts);
    return choice.told.length === 0 ? "" : chunk(index, members({ reasoning_details: choice.told }));
  }

  function tool(delta: Extract<Delta, { type: "tool" }>): string {
    const { choice: index, id, name, signature } = delta;
    const choice = choices[index]!;
    choice.tools[delta.index] = "named";
    if (form.legacyFunctions) {
      // There is room for one, and clients join the names of two.
      return delta.index > 0
        ? ""
        : chunk(index, `"function_call":{"name":${JSON.stringify(name)},"arguments":""}`);
    }
    const extra = signature ? `,${members(googleContent(signature))}` : "";
    return chunk(
      index,
      `"tool_calls":[{"index":${delta.index},"id":${
        JSON.stringify(packToolId(id, signature))
      },"type":"function",` +
        `"function":{"name":${JSON.stringify(name)},"arguments":""}${extra}}]`,
    );
  }

  function args(choice: number, index: number, text: string): string {
    const written = JSON.stringify(text);
    if (!form.legacyFunctions) {
      return chunk(choice, `"tool_calls":[{"index":${index},"function":{"arguments":${written}}}]`);
    }
    return index > 0 ? "" : chunk(choice, `"function_call":{"arguments":${written}}`);
  }

  function content(delta: Delta): string {
    switch (delta.type) {
      case "text":
        if (delta.logprobs !== undefined) {
          return `${head}${delta.choice},"delta":{"content":${JSON.stringify(delta.text)}},"logprobs":${
            JSON.stringify(delta.logprobs)
          },"finish_reason":null${tail}`;
        }
        return delta.text === "" ? "" : chunk(delta.choice, `"content":${JSON.stringify(delta.text)}`);
      case "refusal":
        return chunk(delta.choice, `"refusal":${JSON.stringify(delta.text)}`);
      case "thought":
        attach(choices[delta.choice]!, delta);
        return delta.text ? chunk(delta.choice, `"reasoning_content":${JSON.stringify(delta.text)}`) : "";
      case "citation":
      case "image":
      case "signature":
        attach(choices[delta.choice]!, delta);
        return "";
      case "tool":
        return tool(delta);
      case "args":
        if (delta.text === "") return "";
        choices[delta.choice]!.tools[delta.index] = "argued";
        return args(delta.choice, delta.index, delta.text);
      case "audio": {
        const { id, data, transcript, expires_at } = delta;
        return chunk(delta.choice, `"audio":${JSON.stringify({ id, data, transcript, expires_at })}`);
      }
      case "stop":
        choices[delta.choice]!.stop = delta.reason;
        return "";
      default:
        return "";
    }
  }

  function close(index: number): string {
    const choice = choices[index]!;
    let out = "";
    choice.tools.forEach((state, tool) => {
      if (state === "named") out += args(index, tool, "{}");
    });
    const rest = members(choice.told.length === 0 ? writeAttachments(choice, {}) : writeRest(choice));
    if (rest) out += chunk(index, rest);
    return out + chunk(index, "", JSON.stringify(finishReason(choice.stop, choice.tools.length > 0, form)));
  }

  return {
    delta(delta) {
      if (failed) return "";
      switch (delta.type) {
        case "start":
          if (head) return "";
          start(delta);
          return open(delta.choice ?? 0);
        case "usage":
          usage = delta.usage;
          return "";
        case "error":
          failed = true;
          return `data: ${JSON.stringify(writeError(delta.error))}\n\n`;
        default: {
          const role = choices[delta.choice] ? "" : open(delta.choice);
          if (choices[delta.choice]!.begun || !CONTENT.has(delta.type)) return role + content(delta);
          return role + begin(delta.choice) + content(delta);
        }
      }
    },
    end() {
      if (failed) return "";
      let out = choices.length === 0 ? open(0) : "";
      for (const index of Object.keys(choices)) out += close(Number(index));
      if (form.includeUsage && usage) out += `${envelope}],"usage":${JSON.stringify(writeUsage(usage))}}\n\n`;
      return `${out}data: [DONE]\n\n`;
    },
  };
}

/** Deltas that thoughts must stand before, see `chunkWriter`. */
const CONTENT: ReadonlySet<Delta["type"]> = new Set(["refusal", "text", "tool"]);

interface ChoiceState extends Attachments {
  /** Whether any content was sent. */
  begun: boolean;
  /** The thoughts that were sent before it. */
  told: JsonObject[];
  /** By the tool's index: whether any argument text was sent. */
  tools: ("named" | "argued")[];
  stop?: StopReason;
}

const collectedNothing = () => {
  const { emit, answer } = collector();
  emit({ type: "text", choice: 0, text: "" });
  return answer.choices;
};

/** `tool_calls` whenever the answer ended normally with calls; a cut-off or filtered answer says so even with calls. */
function finishReason(stop: StopReason | undefined, calls: boolean, form: AnswerForm): string {
  if (calls && (stop === undefined || stop === "stop" || stop === "tool_calls")) {
    return form.legacyFunctions ? "function_call" : "tool_calls";
  }
  return stop === undefined || stop === "tool_calls" ? "stop" : stop;
}

function writeEnvelopeExtras(
  { service_tier, fingerprint }: Extract<Delta, { type: "start" }>,
  out: JsonObject,
): JsonObject {
  if (service_tier !== undefined) out.service_tier = service_tier;
  if (fingerprint !== undefined) out.system_fingerprint = fingerprint;
  return out;
}

/** OpenAI's `{content: […], refusal: […]}` records joined into one. */
function joinLogprobs(records: unknown[]): JsonObject | null {
  if (records.length === 0) return null;
  const join = (member: "content" | "refusal") => {
    const lists = records.map((record) => (record as JsonObject | null)?.[member]).filter(Array.isArray);
    return lists.length > 0 ? lists.flat() : null;
  };
  return { content: join("content"), refusal: join("refusal") };
}

/** An object's members as JSON, without its braces. */
const members = (object: JsonObject) => JSON.stringify(object).slice(1, -1);
