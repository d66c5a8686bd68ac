/**
 * OpenAI chat completions, the client's half: writes neutral deltas as chunks.
 *
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 */
import {
  attach,
  attachments,
  type Growing,
  hasContent,
  writeAttachments,
  writeDetails,
  writeRest,
} from "./attachments.ts";
import { writeCompatibleError } from "../shared/compatible_error.ts";
import { members } from "../shared/json.ts";
import type { Call, Defaults, Delta, JsonObject, StopReason, StreamWriter, Usage } from "../types.ts";
import { finishReason, formOf, writeEnvelopeExtras, writeUsage } from "./write_answer.ts";
import { toolCallWriter, type ToolState } from "./write_tool_calls.ts";

/**
 * Writes deltas as `chat.completion.chunk` events. Each choice has one role chunk, `reasoning_details` if it begins
 * with thoughts, its content (a tool's name before its arguments), one chunk with what is complete only at the end
 * (`annotations`, `images`), and one finish chunk. Then come the usage, if the client asked for it, and `[DONE]`.
 *
 * Lists of whole blocks are sent once and complete: clients that join chunks by appending, by index or by overwriting
 * all get the same list. `reasoning_details` is sent before the content, because OpenRouter's provider for the AI SDK
 * accepts no thinking after a text. If more of a thought comes after the content, the whole list is sent again at the end:
 * complete for clients that overwrite, and under new indexes for clients that join by index. `AGAIN` stands before it, so that
 * `readThoughts` reads one list.
 */
export function chunkWriter(call: Call, defaults: Defaults): StreamWriter {
  const form = formOf(call);
  // The constant start of each chunk, made once: only the rest is serialised for each chunk.
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

  const toolCalls = toolCallWriter(form, chunk);

  /** Writes the role chunk, if the choice has not begun. */
  function open(index: number): string {
    if (choices[index]) return "";
    if (!head) start(undefined);
    choices[index] = newChoice();
    return chunk(index, `"role":"assistant","content":""`);
  }

  /** Writes the thoughts so far. Called when the content of the choice begins. */
  function begin(index: number): string {
    const choice = choices[index]!;
    choice.begun = true;
    if (choice.thoughts.length === 0) return "";
    choice.told = writeDetails(choice, call);
    return choice.told.length === 0 ? "" : chunk(index, members({ reasoning_details: choice.told }));
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
        choices[delta.choice]!.thinksOn ||= choices[delta.choice]!.begun;
        return delta.text ? chunk(delta.choice, `"reasoning_content":${JSON.stringify(delta.text)}`) : "";
      case "citation":
      case "image":
      case "signature":
        attach(choices[delta.choice]!, delta);
        return "";
      case "tool":
        return toolCalls.open(delta, choices[delta.choice]!.tools);
      case "args":
        return toolCalls.fill(delta, choices[delta.choice]!.tools);
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
    let out = toolCalls.close(index, choice.tools);
    const isFirst = choice.told.length === 0;
    const rest = members(isFirst ? writeAttachments(choice, call, {}) : writeRest(choice, call));
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
          return `data: ${JSON.stringify(writeCompatibleError(delta.error))}\n\n`;
        default: {
          const role = choices[delta.choice] ? "" : open(delta.choice);
          choices[delta.choice]!.spoken ||= hasContent(delta);
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
    keepAlive: () => failed ? "" : ": keep-alive\n\n",
  };
}

/** The types of deltas that thoughts must precede, see `chunkWriter`. */
const CONTENT: ReadonlySet<Delta["type"]> = new Set(["refusal", "text", "tool"]);

interface ChoiceState extends Growing {
  /** Content was sent. */
  begun: boolean;
  /** Thoughts came after the content. */
  thinksOn: boolean;
  /** The thoughts that were sent before the content. */
  told: JsonObject[];
  /** By the index of the tool call. */
  tools: ToolState[];
  stop?: StopReason;
}

const newChoice = (): ChoiceState => ({
  ...attachments(),
  blocks: [],
  tools: [],
  begun: false,
  spoken: false,
  thinksOn: false,
  told: [],
});
