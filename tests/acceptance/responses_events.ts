/**
 * Reads a stream of OpenAI's Responses as strictly as all of its clients together: each rule is one on which some
 * client fails (`openai` 7.59, `@openai/agents` 0.20, Codex 0.171), or which Open Responses requires.
 */
import { assert, assertEquals } from "@std/assert";
import type { JsonObject } from "../../wires/types.ts";

/** The content of a stream. */
export interface ReadResponse {
  events: JsonObject[];
  /** The response of the last event. */
  response: JsonObject;
  /** The event before `response.failed`. */
  error?: JsonObject;
}

/** Reads and checks a whole stream. */
export function readResponseStream(text: string): ReadResponse {
  const events = parseEvents(text);
  assertEquals(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, at) => at),
    "sequence_number",
  );
  assertEquals(events.slice(0, 2).map(({ type }) => type), ["response.created", "response.in_progress"]);
  const first = events[0].response as JsonObject;
  for (const { response } of events.slice(0, 2)) {
    checkResponse(response as JsonObject);
    assertEquals((response as JsonObject).status, "in_progress");
    assertEquals((response as JsonObject).output, []);
  }
  const last = events.at(-1)!;
  const response = last.response as JsonObject;
  checkResponse(response);
  assertEquals(response.id, first.id, "one id for the response");
  const ends = ["response.completed", "response.incomplete", "response.failed"];
  assert(ends.includes(`${last.type}`), `the stream ends with ${last.type}`);
  assertEquals(response.status, `${last.type}`.slice("response.".length));
  const failed = last.type === "response.failed";
  const error = failed ? events.at(-2)! : undefined;
  if (failed) assertEquals(Object.keys(error!), ["type", "code", "message", "param", "sequence_number"]);
  assertEquals(events.filter(({ type }) => type === "error").length, failed ? 1 : 0);
  const output = readItems(events.slice(2, failed ? -2 : -1), failed);
  assertEquals(response.output, output, "the last response repeats the items");
  return { events, response, ...(error && { error }) };
}

/** The events as frames: a line `event:`, which repeats `type`, and a line of data. */
function parseEvents(text: string): JsonObject[] {
  assert(text.endsWith("\n\n"), "the stream ends with a whole event");
  assert(!text.includes("[DONE]"), "there is no [DONE]");
  return text.split("\n\n").slice(0, -1).filter((frame) => !frame.startsWith(":")).map((frame) => {
    const [, event, data] = /^event: ([^\n]+)\ndata: ([^\n]+)$/.exec(frame) ?? [];
    assert(data !== undefined, `not an event: ${frame.slice(0, 100)}`);
    const body = JSON.parse(data) as JsonObject;
    assertEquals(body.type, event);
    return body;
  }).filter(({ type }) => type !== "keepalive");
}

const DELTAS: Record<string, { done: string; member: string; part: boolean }> = {
  "response.output_text.delta": { done: "response.output_text.done", member: "text", part: true },
  "response.refusal.delta": { done: "response.refusal.done", member: "refusal", part: true },
  "response.reasoning_text.delta": { done: "response.reasoning_text.done", member: "text", part: true },
  "response.reasoning_summary_text.delta": {
    done: "response.reasoning_summary_text.done",
    member: "text",
    part: true,
  },
  "response.function_call_arguments.delta": {
    done: "response.function_call_arguments.done",
    member: "arguments",
    part: false,
  },
  "response.mcp_call_arguments.delta": {
    done: "response.mcp_call_arguments.done",
    member: "arguments",
    part: false,
  },
  "response.custom_tool_call_input.delta": {
    done: "response.custom_tool_call_input.done",
    member: "input",
    part: false,
  },
};
const DONE = new Map(Object.values(DELTAS).map(({ done, member }) => [done, member]));

const PREFIXES: Record<string, string> = {
  message: "msg_",
  reasoning: "rs_",
  function_call: "fc_",
  custom_tool_call: "ctc_",
  tool_search_call: "tsc_",
  web_search_call: "ws_",
  code_interpreter_call: "ci_",
  local_shell_call: "lsh_",
  shell_call: "sh_",
  apply_patch_call: "apc_",
  image_generation_call: "ig_",
  mcp_call: "mcp_",
  compaction: "cmp_",
};

/** @returns The items that were done, in order. */
function readItems(events: JsonObject[], failed: boolean): JsonObject[] {
  const output: JsonObject[] = [];
  const ids = new Set<unknown>();
  let open: { item: JsonObject; text: string; part?: string; told?: string } | undefined;
  for (const event of events) {
    const { type } = event;
    if (type === "response.output_item.added") {
      assertEquals(open, undefined, "one item at a time");
      assertEquals(event.output_index, output.length);
      const item = event.item as JsonObject;
      assert(`${item.id}`.startsWith(PREFIXES[`${item.type}`]), `id ${item.id} of ${item.type}`);
      assert(!ids.has(item.id), "ids are unique");
      ids.add(item.id);
      if (item.type === "message") assertEquals(item.content, []);
      open = { item, text: "" };
      continue;
    }
    assert(open, `${type} outside an item`);
    assertEquals(event.output_index, output.length, `${type}`);
    if (type === "response.output_item.done") {
      const item = event.item as JsonObject;
      assertEquals([item.id, item.type], [open.item.id, open.item.type]);
      assertEquals(open.part, undefined, "a part is open");
      if (item.type !== "compaction") {
        assert(["completed", "incomplete", "failed"].includes(`${item.status}`));
      }
      if (item.type === "function_call") assertEquals(open.told, item.arguments);
      if (item.type === "custom_tool_call") assertEquals(open.told, item.input);
      output.push(item);
      open = undefined;
      continue;
    }
    assertEquals(event.item_id, open.item.id, `${type}`);
    const delta = DELTAS[`${type}`];
    if (type === "response.content_part.added" || type === "response.reasoning_summary_part.added") {
      assertEquals(open.part, undefined);
      open.part = (event.part as JsonObject).type as string;
    } else if (delta) {
      assertEquals(delta.part, open.part !== undefined, `${type}`);
      assertEquals(typeof event.delta, "string");
      if (type === "response.output_text.delta") assert(Array.isArray(event.logprobs));
      open.text += event.delta;
    } else if (DONE.has(`${type}`)) {
      assertEquals(event[DONE.get(`${type}`)!], open.text, `${type}`);
      open.told = open.text;
    } else if (type === "response.content_part.done" || type === "response.reasoning_summary_part.done") {
      const part = event.part as JsonObject;
      assertEquals(part.type, open.part);
      assertEquals(part.text ?? part.refusal, open.told);
      open.part = undefined;
    } else {
      assert(
        /^response\.(output_text\.annotation\.added|(web_search|code_interpreter|mcp)_call\.\w+)$/.test(
          `${type}`,
        ),
        `unknown event ${type}`,
      );
    }
  }
  assert(failed || !open, "an item stays open");
  return output;
}

/** Members that the schema of Open Responses (2026-04-24) requires, with the types it gives them. */
const MEMBERS: Record<string, string> = {
  id: "string",
  object: "string",
  created_at: "number",
  completed_at: "number?",
  status: "string",
  incomplete_details: "object?",
  model: "string",
  previous_response_id: "string?",
  instructions: "string?",
  output: "list",
  error: "object?",
  tools: "list",
  tool_choice: "string|object",
  truncation: "string",
  parallel_tool_calls: "boolean",
  text: "object",
  top_p: "number",
  presence_penalty: "number",
  frequency_penalty: "number",
  top_logprobs: "number",
  temperature: "number",
  reasoning: "object?",
  usage: "object?",
  max_output_tokens: "number?",
  max_tool_calls: "number?",
  store: "boolean",
  background: "boolean",
  service_tier: "string",
  metadata: "object",
  safety_identifier: "string?",
  prompt_cache_key: "string?",
};

/** Checks one response. */
export function checkResponse(response: JsonObject): void {
  for (const [name, types] of Object.entries(MEMBERS)) {
    const value = response[name];
    assert(value !== undefined, `${name} is missing`);
    const type = value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
    const allowed = types.endsWith("?") ? [types.slice(0, -1), "null"] : types.split("|");
    assert(allowed.includes(type), `${name} is ${type}`);
  }
  assertEquals(response.object, "response");
  assert(`${response.id}`.startsWith("resp_"));
  assertEquals(response.store, false);
  assertEquals(response.status === "completed", response.completed_at !== null);
  assertEquals(response.status === "incomplete", response.incomplete_details !== null);
  assertEquals(response.status === "failed", response.error !== null);
  if (response.status === "completed" || response.status === "incomplete") {
    checkUsage(response.usage as JsonObject);
  }
}

function checkUsage(usage: JsonObject): void {
  assertEquals(Object.keys(usage), [
    "input_tokens",
    "input_tokens_details",
    "output_tokens",
    "output_tokens_details",
    "total_tokens",
  ]);
  assertEquals(usage.total_tokens, (usage.input_tokens as number) + (usage.output_tokens as number));
}
