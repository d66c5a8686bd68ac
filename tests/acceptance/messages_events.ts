/**
 * Strictly checks the order of events that clients of Anthropic's Messages depend on: the SDKs and Claude Code can read
 * a stream that passes.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming (2026-11)
 */
import { assert, assertEquals } from "@std/assert";

type Json = Record<string, unknown>;

/** One event: its name, and its data. */
export interface MessagesEvent {
  event: string;
  data: Json;
}

/** Cuts a stream into its events. Comments are left out. */
export function eventsOf(text: string): MessagesEvent[] {
  assert(text === "" || text.endsWith("\n\n"), "the last event ends with an empty line");
  return text.split("\n\n").filter((block) => block !== "" && !block.startsWith(":")).map((block) => {
    const lines = block.split("\n");
    assertEquals(lines.length, 2, block);
    const [event, data] = lines;
    assert(event.startsWith("event: ") && data.startsWith("data: "), block);
    return { event: event.slice(7), data: JSON.parse(data.slice(6)) };
  });
}

/** The deltas that each type of block accepts, and their members. */
const DELTAS: Record<string, Record<string, string>> = {
  text: { text_delta: "text", citations_delta: "citation" },
  thinking: { thinking_delta: "thinking", signature_delta: "signature" },
  tool_use: { input_json_delta: "partial_json" },
  server_tool_use: { input_json_delta: "partial_json" },
  mcp_tool_use: { input_json_delta: "partial_json" },
};

const STOPS = ["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"];

const has = (value: unknown, ...members: string[]) => {
  const object = value as Json;
  assert(typeof object === "object" && object !== null);
  for (const member of members) {
    assert(object[member] !== undefined, `${member} in ${JSON.stringify(object)}`);
  }
};

const isCount = (value: unknown) =>
  assert(Number.isInteger(value) && (value as number) >= 0, `a count: ${value}`);

/**
 * Checks a stream of events.
 *
 * @returns How it ended: with `message_stop`, or with an `error`.
 */
export function validate(text: string): "whole" | "error" {
  const events = eventsOf(text);
  let phase: "before" | "between" | "block" | "ending" | "stopped" | "error" = "before";
  let next = 0;
  let open: Json | undefined;
  let isSigned = false;
  for (const { event, data } of events) {
    assertEquals(event, data.type, "the event's name is its type");
    assert(phase !== "stopped" && phase !== "error", `nothing follows the end: ${event}`);
    switch (event) {
      case "ping":
        assertEquals(data, { type: "ping" });
        break;
      case "message_start": {
        assertEquals(phase, "before");
        phase = "between";
        const message = data.message as Json;
        has(message, "id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage");
        assertEquals([message.type, message.role, message.content], ["message", "assistant", []]);
        assert(/^msg_\w+$/.test(String(message.id)), String(message.id));
        const usage = message.usage as Json;
        isCount(usage.input_tokens);
        isCount(usage.output_tokens);
        break;
      }
      case "content_block_start": {
        assertEquals(phase, "between", "one block at a time");
        assertEquals(data.index, next, "numbered from 0 without gaps");
        phase = "block";
        open = data.content_block as Json;
        isSigned = false;
        checkStart(open);
        break;
      }
      case "content_block_delta": {
        assertEquals([phase, data.index], ["block", next], "of the open block");
        const delta = data.delta as Json;
        const members = DELTAS[open!.type as string];
        const member = members?.[delta.type as string];
        assert(member !== undefined, `${delta.type} is no delta of a ${open!.type} block`);
        has(delta, member);
        assert(!isSigned, "the signature comes last");
        isSigned = delta.type === "signature_delta";
        if (isSigned) assert(delta.signature !== "", "a signature is never empty");
        break;
      }
      case "content_block_stop":
        assertEquals([phase, data.index], ["block", next]);
        if (open!.type === "thinking") assert(isSigned, "thinking is signed");
        phase = "between";
        next++;
        break;
      case "message_delta": {
        assertEquals(phase, "between", "every block is closed");
        phase = "ending";
        const { stop_reason: reason, stop_sequence: sequence } = data.delta as Json;
        assert(STOPS.includes(reason as string), String(reason));
        assertEquals(typeof sequence === "string", reason === "stop_sequence");
        isCount((data.usage as Json).output_tokens);
        isCount((data.usage as Json).input_tokens);
        break;
      }
      case "message_stop":
        assertEquals(phase, "ending");
        phase = "stopped";
        break;
      case "error": {
        phase = "error";
        const error = data.error as Json;
        assert(typeof error.message === "string" && error.message !== "");
        assert(/^[a-z_]+_error$|^request_too_large$/.test(String(error.type)), String(error.type));
        break;
      }
      default:
        throw new Error(`an unknown event: ${event}`);
    }
  }
  assert(phase === "stopped" || phase === "error", `the stream ends ${phase}`);
  return phase === "stopped" ? "whole" : "error";
}

/** How each block begins: empty if pieces follow, complete if not. */
function checkStart(block: Json): void {
  switch (block.type) {
    case "text":
      return assertEquals(block.text, "");
    case "thinking":
      return assertEquals([block.thinking, block.signature], ["", ""]);
    case "redacted_thinking":
      return assert(typeof block.data === "string" && block.data !== "");
    case "tool_use":
      assertEquals(block.input, {});
      has(block, "name");
      return assert(/^[a-zA-Z0-9_-]+$/.test(String(block.id)), String(block.id));
    case "server_tool_use":
      return assert(/^srvtoolu_\w+$/.test(String(block.id)), String(block.id));
    case "mcp_tool_use":
      assertEquals(block.input, {});
      assertEquals([typeof block.name, typeof block.server_name], ["string", "string"]);
      return assert(/^mcptoolu_\w+$/.test(String(block.id)), String(block.id));
    default:
      assert(
        /^(mcp|web_search|web_fetch|code_execution)_tool_result$|^image$/.test(String(block.type)),
        `${block.type}`,
      );
  }
}
