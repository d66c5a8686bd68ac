/**
 * Anthropic Messages, the client's half: writes neutral deltas as events.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming (2026-11)
 */
import { estimateCall } from "../shared/estimate.ts";
import { addThought } from "../streams/collect.ts";
import { itemSteps, type ItemWriter } from "../streams/items.ts";
import type {
  Call,
  Defaults,
  Delta,
  JsonObject,
  StopReason,
  StreamWriter,
  Thought,
  Usage,
} from "../types.ts";
import { writeError } from "./write_client_error.ts";
import {
  type AnswerForm,
  countSearch,
  estimatedUsage,
  formOf,
  NO_SEARCHES,
  proofOf,
  stopDetails,
  writeCitation,
  writeDeltaUsage,
  writeImage,
  writeServerTool,
  writeStop,
  writeToolUse,
  writeUsage,
} from "./write_message.ts";

/** The most UTF-16 units of a hidden thought that are kept for its maker. */
const MOST_HIDDEN = 2 ** 20;

/** Characters per token, for an answer whose provider reports no usage. */
const CHARS_PER_TOKEN = 3.5;

/** Writes one event. Its `event:` line repeats `type`. */
const event = (type: string, members: string) => `event: ${type}\ndata: {"type":"${type}",${members}}\n\n`;

const PING = `event: ping\ndata: {"type":"ping"}\n\n`;

/**
 * Writes deltas as Anthropic's events: `message_start`; the start, pieces and stop of each block, one block at a time
 * and numbered without gaps; `message_delta` with the whole usage; `message_stop`. Nothing follows an error.
 */
export function eventWriter(call: Call, defaults: Defaults): StreamWriter {
  const blocks = blockWriter(formOf(call));
  const items = itemSteps(blocks);
  let begun: Extract<Delta, { type: "start" }> | undefined;
  let isStarted = false;
  let isFailed = false;
  let usage: Usage | undefined;
  let stop: StopReason | undefined;
  let sequence: string | undefined;
  let input = 0;

  /** Writes `message_start`, unless it was written before. */
  function start(): string {
    if (isStarted) return "";
    isStarted = true;
    input = estimateCall(call);
    const message = {
      id: defaults.id,
      type: "message",
      role: "assistant",
      model: begun?.model ?? defaults.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
      // Providers report the counts last. `message_delta` has the true ones.
      usage: writeUsage(usage ?? estimatedUsage(input, 1), begun?.service_tier, NO_SEARCHES),
    };
    return event("message_start", `"message":${JSON.stringify(message)}`);
  }

  function finish(): string {
    const { hasCalls, isRefused, searches, units } = blocks.seen;
    const end = writeStop(stop, { hasCalls, isRefused, sequence });
    const delta = {
      stop_reason: end.reason,
      stop_sequence: end.sequence,
      stop_details: stopDetails(end.reason),
      container: null,
    };
    const counted = writeDeltaUsage(
      usage ?? estimatedUsage(input, Math.ceil(units / CHARS_PER_TOKEN)),
      searches,
    );
    return event("message_delta", `"delta":${JSON.stringify(delta)},"usage":${JSON.stringify(counted)}`) +
      `event: message_stop\ndata: {"type":"message_stop"}\n\n`;
  }

  return {
    delta(delta) {
      if (isFailed) return "";
      switch (delta.type) {
        case "start":
          if (isStarted) return "";
          begun ??= delta;
          return start();
        case "usage":
          usage = delta.usage;
          return "";
        case "stop":
          stop ??= delta.reason;
          sequence ??= delta.sequence;
          return "";
        case "error":
          isFailed = true;
          return `event: error\ndata: ${JSON.stringify(writeError(delta.error, { call }))}\n\n`;
        default:
          return start() + items.delta(delta);
      }
    },
    end() {
      if (isFailed) return "";
      return start() + items.end() + finish();
    },
    keepAlive: () => isFailed ? "" : start() + PING,
  };
}

/** What was written, as far as the end of the message needs it. */
interface Written {
  hasCalls: boolean;
  isRefused: boolean;
  searches: { web_search: number; web_fetch: number };
  /** The UTF-16 units of text, thoughts and arguments. */
  units: number;
}

/** The open block, as far as its pieces and its end need it. */
type Open =
  | { type: "thinking"; thought: Thought }
  | { type: "tool"; custom: boolean; said: boolean }
  | { type: "other" };

function blockWriter(
  { hidesThoughts }: AnswerForm,
): ItemWriter & { seen: Written } {
  const seen: Written = { hasCalls: false, isRefused: false, searches: { ...NO_SEARCHES }, units: 0 };
  let index = 0;
  let open: Open = { type: "other" };
  /** The start of each piece of the open block. */
  let head = "";

  function begin(block: JsonObject, kind: Open = { type: "other" }): string {
    open = kind;
    head = `"index":${index},"delta":`;
    return event("content_block_start", `"index":${index},"content_block":${JSON.stringify(block)}`);
  }

  const end = () => event("content_block_stop", `"index":${index++}`);

  function piece(type: string, member: string, text: string): string {
    seen.units += text.length;
    return event("content_block_delta", `${head}{"type":"${type}","${member}":${JSON.stringify(text)}}`);
  }

  const argue = (json: string) => piece("input_json_delta", "partial_json", json);

  function think(thought: Thought, delta: Thought): string {
    const { text, ...proof } = delta;
    addThought(thought, proof);
    if (text === undefined || text === "") return "";
    if (!hidesThoughts) return piece("thinking_delta", "thinking", text);
    const kept = (thought.text ?? "") + text;
    // A text over the limit is not kept at all: only its beginning would mislead its maker.
    thought.text = kept.length <= MOST_HIDDEN ? kept : undefined;
    return "";
  }

  return {
    seen,
    open(first) {
      switch (first.type) {
        case "tool":
          seen.hasCalls = true;
          return begin({ ...writeToolUse(first), input: {} }, {
            type: "tool",
            custom: first.custom === true,
            said: false,
          });
        case "thought":
          return first.redacted !== undefined && first.text === undefined
            ? begin({ type: "redacted_thinking", data: proofOf(first, false) })
            : begin({ type: "thinking", thinking: "", signature: "" }, { type: "thinking", thought: {} });
        case "server_tool": {
          const { serverCall } = first;
          countSearch(serverCall, seen.searches);
          const [use, result] = writeServerTool(serverCall);
          return begin({ ...use, input: {} }) + argue(JSON.stringify(use.input)) + end() + begin(result);
        }
        case "image":
          return begin(writeImage(first));
        default:
          seen.isRefused ||= first.type === "refusal";
          return begin({ type: "text", text: "", citations: null });
      }
    },
    piece(delta) {
      switch (delta.type) {
        case "text":
        case "refusal":
          return piece("text_delta", "text", delta.text);
        case "citation": {
          const citation = JSON.stringify(writeCitation(delta.citation));
          return event("content_block_delta", `${head}{"type":"citations_delta","citation":${citation}}`);
        }
        case "thought":
          return open.type === "thinking" ? think(open.thought, delta) : "";
        case "args": {
          if (open.type !== "tool") return "";
          const { custom, said } = open;
          open.said = true;
          if (!custom) return argue(delta.text);
          return argue((said ? "" : '{"input":"') + JSON.stringify(delta.text).slice(1, -1));
        }
      }
    },
    close() {
      switch (open.type) {
        case "thinking": {
          const signature = proofOf(open.thought, hidesThoughts && open.thought.text !== undefined);
          return piece("signature_delta", "signature", signature) + end();
        }
        case "tool": {
          const rest = open.custom ? (open.said ? '"}' : '{"input":""}') : open.said ? "" : "{}";
          return (rest === "" ? "" : argue(rest)) + end();
        }
        default:
          return end();
      }
    },
  };
}
