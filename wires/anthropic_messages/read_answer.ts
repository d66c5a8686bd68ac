/**
 * Anthropic Messages, the provider's half: reads answers into neutral deltas.
 *
 * A message is a list of typed blocks. A stream opens, fills and closes one block after another; a whole message is
 * read the same way, with each block filled in one step. Tool calls are counted here, because the block numbers also
 * count thinking and server tools. What OpenAI's form cannot hold and the next turn needs travels as sealed thoughts,
 * see `write_answered.ts`.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
import { type Envelope, neededLayout, SIGNED, writeEnvelope } from "./write_answered.ts";
import { readError } from "./read_error.ts";
import { digest, hash } from "../shared/hash.ts";
import { mcpCallReader } from "./mcp.ts";
import { serverCallReader } from "./server_tools.ts";
import { isObject, object, objects, parseObject, text } from "../shared/json.ts";
import { textCounter } from "../shared/layout.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import type {
  Citation,
  Emit,
  JsonObject,
  ServerCall,
  StopReason,
  StreamReader,
  WireError,
} from "../types.ts";

// ---------------------------------------------------------------- answers

const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
  // The turn continues when the message is sent back; `stop` would mean that it is finished.
  ["pause_turn", "length"],
  ["compaction", "length"],
]);

export function readAnswer(body: JsonObject, emit: Emit): void {
  if (body.type === "error" || !Array.isArray(body.content)) {
    return emit({ type: "error", error: readError(200, body) });
  }
  const message = messageReader(emit);
  message.start(body);
  body.content.forEach((block, index) => {
    if (!isObject(block)) return;
    message.open(index, block);
    message.close(index);
  });
  message.finish(body, body.usage);
  message.end();
}

export function readStream(emit: Emit): StreamReader {
  const message = messageReader(emit);
  let done = false;

  function fail(error: WireError): void {
    done = true;
    emit({ type: "error", error });
  }

  return {
    frame(data, event) {
      if (done || event === "ping") return;
      const frame = parseObject(data);
      if (!frame) {
        return fail(badEvent());
      }
      switch (frame.type) {
        case "content_block_delta":
          if (isObject(frame.delta)) message.fill(frame.index, frame.delta);
          return;
        case "content_block_start":
          if (isObject(frame.content_block)) message.open(frame.index, frame.content_block);
          return;
        case "content_block_stop":
          return message.close(frame.index);
        case "message_start":
          return message.start(object(frame.message) ?? {});
        case "message_delta":
          return message.finish(object(frame.delta) ?? {}, frame.usage);
        case "message_stop":
          message.end();
          done = true;
          return;
        case "error":
          return fail(readError(200, frame));
      }
    },
    end() {
      if (done) return;
      if (message.isFinished()) message.end();
      else fail(cutOff());
    },
  };
}

type Block =
  | { type: "text"; start: number; citations: JsonObject[] }
  | { type: "thought"; block: number; signed: boolean }
  /** `given` is the input in the block itself. In a whole message it is complete. */
  | { type: "tool"; index: number; given: unknown; filled: boolean }
  | { type: "other"; value: JsonObject; input: string };

/** Reads the parts of one message, in the order of a stream. */
function messageReader(emit: Emit) {
  const open = new Map<unknown, Block>();
  const usage = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  let thoughts = 0;
  let tools = 0;
  const said = textCounter();
  /** The order of the blocks, see `Envelope`. */
  let order = "";
  let calls: Envelope["calls"];
  let container: JsonObject | undefined;
  /** A hash of the answer's id, signatures and tool calls. It differs between answers. */
  let nonce = 0;
  let stop: StopReason | undefined;
  let counted = false;
  const tell = (serverCall: ServerCall) => emit({ type: "server_tool", choice: 0, serverCall });
  const readServerCall = serverCallReader(tell), readMcpCall = mcpCallReader(tell);

  function say(text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    said.add(text);
    emit({ type: "text", choice: 0, text });
  }

  function think(block: number, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    emit({ type: "thought", choice: 0, block, text, format: SIGNED });
  }

  function sign(to: { block: number; signed: boolean }, signature: unknown): void {
    if (typeof signature !== "string" || signature === "") return;
    to.signed = true;
    nonce = hash(signature, nonce);
    emit({ type: "thought", choice: 0, block: to.block, signature, format: SIGNED });
  }

  function argue(to: { index: number; filled: boolean }, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    to.filled = true;
    emit({ type: "args", choice: 0, index: to.index, text });
  }

  function readUsage(from: unknown): void {
    if (!isObject(from)) return;
    counted = true;
    // Each event has the counts of the whole message. A count that is absent or null is unchanged.
    usage.input = count(from.input_tokens) ?? usage.input;
    usage.cacheRead = count(from.cache_read_input_tokens) ?? usage.cacheRead;
    usage.cacheWrite = count(from.cache_creation_input_tokens) ?? usage.cacheWrite;
    usage.output = count(from.output_tokens) ?? usage.output;
    const details = object(from.output_tokens_details) ?? {};
    usage.reasoning = count(details.thinking_tokens) ?? usage.reasoning;
  }

  function close(index: unknown): void {
    const block = open.get(index);
    open.delete(index);
    switch (block?.type) {
      case "text":
        // Citations come before the text that they belong to, so their end is known only here.
        for (const citation of block.citations) {
          emit({ type: "citation", choice: 0, citation: readCitation(citation, block.start, said.length()) });
        }
        if (said.length() > block.start) order += `x${said.length() - block.start}`;
        return;
      case "thought":
        if (block.signed) order += "b";
        return;
      case "tool":
        if (!block.filled) argue(block, JSON.stringify(block.given ?? {}));
        order += "u";
        return;
      case "other": {
        const input = block.input === "" ? undefined : parseObject(block.input);
        const value = input ? { ...block.value, input } : block.value;
        order += "b";
        emit({
          type: "thought",
          choice: 0,
          block: thoughts++,
          redacted: JSON.stringify(value),
          format: SIGNED,
        });
        readServerCall(value);
        readMcpCall(value);
      }
    }
  }

  /** Emits what OpenAI's form cannot hold. Called when the answer is complete. */
  function seal(): void {
    const layout = neededLayout(order);
    const envelope: Envelope = { layout, calls, container };
    const ends = said.ends();
    if (layout !== "" && ends) envelope.ends = ends;
    const redacted = writeEnvelope(envelope, digest(nonce));
    if (redacted) emit({ type: "thought", choice: 0, block: thoughts, redacted, format: SIGNED });
  }

  return {
    start(message: JsonObject): void {
      readUsage(message.usage);
      nonce = hash(text(message.id) ?? "", nonce);
      const tier = isObject(message.usage) ? message.usage.service_tier : undefined;
      emit({
        type: "start",
        id: text(message.id),
        model: text(message.model),
        service_tier: tier === "standard" ? "default" : text(tier),
      });
    },

    open(index: unknown, block: JsonObject): void {
      switch (block.type) {
        case "text":
          open.set(index, { type: "text", start: said.length(), citations: objects(block.citations) });
          return say(block.text);
        case "thinking": {
          const opened: Block = { type: "thought", block: thoughts++, signed: false };
          open.set(index, opened);
          think(opened.block, block.thinking);
          return sign(opened, block.signature);
        }
        case "redacted_thinking": {
          const redacted = text(block.data);
          const opened: Block = { type: "thought", block: thoughts++, signed: redacted !== undefined };
          open.set(index, opened);
          if (redacted) emit({ type: "thought", choice: 0, block: opened.block, redacted, format: SIGNED });
          return;
        }
        case "tool_use": {
          open.set(index, { type: "tool", index: tools, given: block.input, filled: false });
          const id = text(block.id) ?? `toolu_${tools + 1}`;
          nonce = hash(id, nonce);
          const extras = readExtras(block);
          if (extras) calls = { ...calls, [id]: extras };
          emit({ type: "tool", choice: 0, index: tools++, id, name: text(block.name) ?? "" });
          return;
        }
        default:
          open.set(index, { type: "other", value: block, input: "" });
      }
    },

    fill(index: unknown, delta: JsonObject): void {
      const block = open.get(index);
      switch (block?.type) {
        case "text":
          if (delta.type === "text_delta") say(delta.text);
          else if (delta.type === "citations_delta") block.citations.push(...objects([delta.citation]));
          return;
        case "thought":
          if (delta.type === "thinking_delta") think(block.block, delta.thinking);
          else if (delta.type === "signature_delta") sign(block, delta.signature);
          return;
        case "tool":
          if (delta.type === "input_json_delta") argue(block, delta.partial_json);
          return;
        case "other":
          if (delta.type === "input_json_delta") block.input += text(delta.partial_json) ?? "";
          else {
            // The block's final values, from `compaction_delta` and event types that may follow it.
            const { type: _, ...values } = delta;
            block.value = { ...block.value, ...values };
          }
      }
    },

    close,

    /** @param delta The object with `stop_reason`: the message, or the delta of a `message_delta`. */
    finish(delta: JsonObject, counts: unknown): void {
      readUsage(counts);
      const { id, expires_at } = object(delta.container) ?? {};
      if (text(id)) container = { id, expires_at };
      if (typeof delta.stop_reason !== "string") return;
      stop = STOPS.get(delta.stop_reason) ?? "stop";
      const details = object(delta.stop_details) ?? {};
      const explanation = text(details.explanation);
      if (explanation) emit({ type: "refusal", choice: 0, text: explanation });
    },

    isFinished: () => stop !== undefined,

    end(): void {
      for (const index of open.keys()) close(index);
      seal();
      const { input, cacheRead, cacheWrite, output, reasoning } = usage;
      const rest = Math.max(0, output - reasoning);
      if (counted) {
        emit({
          type: "usage",
          usage: { input, cacheRead, cacheWrite, audioIn: 0, output: rest, reasoning, audioOut: 0 },
        });
      }
      emit({ type: "stop", choice: 0, reason: stop ?? "stop" });
    },
  };
}

/** The members of a tool call beside id, name and input. The usual caller, `direct`, is left out. */
function readExtras({ caller, toolset_name }: JsonObject): JsonObject | undefined {
  const extras: JsonObject = {};
  if (isObject(caller) && caller.type !== "direct") extras.caller = caller;
  if (typeof toolset_name === "string") extras.toolset_name = toolset_name;
  return Object.keys(extras).length > 0 ? extras : undefined;
}

/** Reads a citation. A place in a document has no URL: the URL is then empty, and `extra` holds the place. */
function readCitation(citation: JsonObject, start: number, end: number): Citation {
  const { url, title, ...extra } = citation;
  return {
    url: text(url) ?? text(extra.source) ?? "",
    title: text(title) ?? text(extra.document_title) ?? "",
    start,
    end,
    extra,
  };
}

// ---------------------------------------------------------------- helpers

const count = (value: unknown) => typeof value === "number" && value >= 0 ? value : undefined;
