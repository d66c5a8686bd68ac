/**
 * Holds a stream of chat completions to what OpenAI documents and its SDKs read: one id and model in every chunk, one role, one
 * finish for each choice with nothing behind it, tool calls numbered from 0 with id and name in their first piece alone, usage
 * last in a chunk without choices, and one end: `[DONE]`, or an error.
 *
 * @see https://platform.openai.com/docs/api-reference/chat-streaming (2026-11)
 */
import { assert, assertEquals } from "@std/assert";

// deno-lint-ignore no-explicit-any -- Chunks are checked member by member.
type Any = any;

/** What is known of one choice. */
interface Choice {
  finished: boolean;
  /** By index: whether it has begun. */
  calls: number;
}

/**
 * Checks a stream.
 *
 * @returns How it ended.
 */
export function validateChat(text: string): "whole" | "error" {
  assert(text.endsWith("\n\n"), "the stream ends with a whole event");
  const events = text.split("\n\n").slice(0, -1).filter((event) => !event.startsWith(":"));
  const choices = new Map<number, Choice>();
  let head: string | undefined;
  let ended: "whole" | "error" | "usage" | undefined;
  for (const event of events) {
    assert(event.startsWith("data: ") && !event.includes("\n"), `not an event: ${event}`);
    assert(ended === undefined || ended === "usage" && event === "data: [DONE]", `after the end: ${event}`);
    if (event === "data: [DONE]") {
      ended = "whole";
      continue;
    }
    const chunk: Any = JSON.parse(event.slice(6));
    if (chunk.error) {
      assertEquals(typeof chunk.error.message, "string");
      assert([...choices.values()].every(({ finished }) => !finished), "an error comes before any finish");
      ended = "error";
      continue;
    }
    assertEquals(chunk.object, "chat.completion.chunk");
    const { id, model, created } = chunk;
    assert(typeof id === "string" && typeof model === "string" && Number.isInteger(created), event);
    head ??= JSON.stringify([id, model, created]);
    assertEquals(JSON.stringify([id, model, created]), head, "one head");
    if (chunk.choices.length === 0) {
      assert(chunk.usage, event);
      ended = "usage";
      continue;
    }
    for (const choice of chunk.choices) checkChoice(choice, choices);
  }
  assert(ended === "whole" || ended === "error", `the stream ends with ${events.at(-1)}`);
  if (ended === "whole") {
    assert([...choices.values()].every(({ finished }) => finished), "each choice is finished");
  }
  return ended;
}

const MEMBERS = [
  "annotations",
  "audio",
  "content",
  "extra_content",
  "images",
  "reasoning_content",
  "reasoning_details",
  "refusal",
  "role",
  "tool_calls",
];

function checkChoice({ index, delta, finish_reason }: Any, choices: Map<number, Choice>): void {
  assert(Number.isInteger(index));
  const isFirst = !choices.has(index);
  const known = choices.get(index) ?? { finished: false, calls: 0 };
  choices.set(index, known);
  assert(!known.finished, "nothing follows the finish of a choice");
  assertEquals(delta.role === "assistant", isFirst, "the role, once");
  for (const member of Object.keys(delta)) assert(MEMBERS.includes(member), `a delta has no ${member}`);
  for (const name of ["content", "refusal", "reasoning_content"]) {
    assert(delta[name] === undefined || delta[name] === null || typeof delta[name] === "string", name);
  }
  for (const call of delta.tool_calls ?? []) {
    const begins = call.index === known.calls;
    assert(begins || call.index < known.calls, `tool call ${call.index} is out of order`);
    if (begins) known.calls++;
    assertEquals([typeof call.id, call.type].join(), begins ? `string,${call.type}` : "undefined,");
    const { name, arguments: args } = call.function ??
      { name: call.custom.name, arguments: call.custom.input };
    assertEquals(typeof name, begins ? "string" : "undefined");
    assertEquals(typeof args, "string");
  }
  if (finish_reason === null) return;
  assert(["stop", "length", "tool_calls", "content_filter", "function_call"].includes(finish_reason));
  known.finished = true;
}
