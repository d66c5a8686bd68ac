/**
 * OpenAI's Responses, the client's half: writes the items of an answer, for a whole response and for the `done` events
 * of a stream.
 */
import { seal } from "../shared/envelope.ts";
import { list, object, objects, parseObject, text } from "../shared/json.ts";
import { mediaUrl } from "../shared/parts.ts";
import { packToolId } from "../shared/tool_id.ts";
import { readInput } from "../shared/tools.ts";
import type { AnswerCall, Citation, Item, JsonObject, Media, ServerCall, Thought } from "../types.ts";
import type { Form, Offer } from "./form.ts";
import { mcpItem } from "./mcp.ts";
import { LOCATION } from "./read_content.ts";
import { SUMMARY } from "./read_input.ts";

type Status = "completed" | "incomplete";

/** How the ids of items begin. OpenAI refuses ids of another form when they come back. */
const PREFIXES = {
  message: "msg_",
  reasoning: "rs_",
  function: "fc_",
  custom: "ctc_",
  tool_search: "tsc_",
  local_shell: "lsh_",
  shell: "sh_",
  apply_patch: "apc_",
  web_search: "ws_",
  web_fetch: "ws_",
  code_execution: "ci_",
  mcp: "mcp_",
  image: "ig_",
  compaction: "cmp_",
} as const;

/** Makes a function that makes the ids of one response's items. */
export const itemIds = (responseId: string) => (kind: keyof typeof PREFIXES, index: number): string =>
  `${PREFIXES[kind]}${responseId.slice(responseId.indexOf("_") + 1)}_${index}`;

/** Writes a message with one part. */
export const messageItem = (id: string, part: JsonObject, status: Status): JsonObject => ({
  id,
  type: "message",
  status,
  role: "assistant",
  content: [part],
});

/**
 * Writes a text part.
 *
 * @param base The UTF-16 units of text before this one: the offsets of sources count within their own text.
 */
export const textPart = (
  said: string,
  citations: Citation[],
  base: number,
  logprobs: unknown[] = [],
): JsonObject => ({
  type: "output_text",
  text: said,
  annotations: citations.map((citation) => annotation(citation, base)),
  logprobs,
});

/** With what its maker said of it beside: Claude wants that back. */
export const annotation = (
  { url, title, start, end, extra: { type, ...more } = {} }: Citation,
  base: number,
): JsonObject => ({
  ...more,
  ...(type !== undefined && { [LOCATION]: type }),
  type: "url_citation",
  start_index: Math.max(0, start - base),
  end_index: Math.max(0, end - base),
  url,
  title,
});

/** Writes the log probabilities of chat completions in the form of Responses. */
export const writeLogprobs = (record: unknown): unknown[] =>
  objects(object(record)?.content).map(({ token, bytes, logprob, top_logprobs }) => ({
    token,
    bytes: list(bytes),
    logprob,
    top_logprobs: list(top_logprobs),
  }));

/**
 * Writes reasoning. Its proof travels in an envelope, which clients return unchanged.
 *
 * @param isSummary Whether the text is written as a summary, see `isSummary()`.
 */
export function reasoningItem(id: string, thought: Thought, isSummary: boolean, status: Status): JsonObject {
  const { text: said = "" } = thought;
  const item: JsonObject = { id, type: "reasoning", status, summary: [] };
  if (said !== "" && isSummary) item.summary = [{ type: "summary_text", text: said }];
  if (said !== "" && !isSummary) item.content = [{ type: "reasoning_text", text: said }];
  // The AI SDK (`@ai-sdk/openai` 4.0) returns the summary and leaves the content out.
  item.encrypted_content = seal(thought, { withText: said !== "" && !isSummary });
  return item;
}

/** Writes the signature of the answer itself, which no other item can hold. */
export const signatureItem = (id: string, signature: string): JsonObject => ({
  id,
  type: "reasoning",
  status: "completed",
  summary: [],
  encrypted_content: seal({ signature, format: "google-gemini-v1" }, { ofAnswer: true }),
});

/** Writes a summary that replaces the conversation. */
export const compactionItem = (id: string, summary: string): JsonObject => ({
  id,
  type: "compaction",
  encrypted_content: seal({ redacted: summary, format: SUMMARY }),
});

// ---------------------------------------------------------------- tool calls

/**
 * Finds how the client offered a called tool. A tool that was not offered, which a model may call too, counts as a
 * function.
 */
export function offerOf(name: string, { offers }: Form): Offer {
  const known = offers.get(name);
  if (known) return known;
  // The model made up a tool within a namespace.
  for (const { namespace } of offers.values()) {
    if (namespace !== undefined && name.startsWith(`${namespace}__`)) {
      return { kind: "function", namespace, name: name.slice(namespace.length + 2) };
    }
  }
  return { kind: "function", name };
}

/** Writes a tool call without its arguments. */
export function begunCall(id: string, call: AnswerCall, offer: Offer): JsonObject {
  const { name, namespace } = offer;
  const named = { name, ...(namespace !== undefined && { namespace }) };
  const callId = packToolId(call.id, call.signature);
  return offer.kind === "custom"
    ? { id, type: "custom_tool_call", status: "in_progress", call_id: callId, ...named, input: "" }
    : { id, type: "function_call", status: "in_progress", call_id: callId, ...named, arguments: "" };
}

/** Writes a tool call with its arguments, in the kind that the client offered. */
export function callItem(id: string, call: AnswerCall, offer: Offer, status: Status): JsonObject {
  const callId = packToolId(call.id, call.signature);
  switch (offer.kind) {
    case "function":
      return { ...begunCall(id, call, offer), status, arguments: call.arguments || "{}" };
    case "custom": {
      const input = call.custom ? call.arguments : readInput(call.arguments);
      return { ...begunCall(id, call, offer), status, input };
    }
    case "tool_search": {
      const wanted = parseObject(call.arguments) ?? { query: call.arguments };
      return {
        id,
        type: "tool_search_call",
        status,
        call_id: callId,
        execution: "client",
        arguments: wanted,
      };
    }
    case "local_shell": {
      const { command, ...rest } = parseObject(call.arguments) ?? { command: [call.arguments] };
      const action = { env: {}, ...rest, type: "exec", command: commandList(command) };
      return { id, type: "local_shell_call", status, call_id: callId, action };
    }
    case "shell": {
      const { commands, timeout_ms, max_output_length } = parseObject(call.arguments) ??
        { commands: [call.arguments] } as JsonObject;
      const action = {
        commands: commandList(commands),
        timeout_ms: timeout_ms ?? null,
        max_output_length: max_output_length ?? null,
      };
      return { id, type: "shell_call", status, call_id: callId, action, environment: { type: "local" } };
    }
    case "apply_patch": {
      const whole = parseObject(call.arguments);
      const operation = object(whole?.operation) ?? whole ??
        { type: "update_file", path: "", diff: call.arguments };
      return { id, type: "apply_patch_call", status: "completed", call_id: callId, operation };
    }
  }
}

const commandList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : typeof value === "string" ? [value] : [];

// ---------------------------------------------------------------- what the provider ran, and pictures

export function serverItem(id: string, serverCall: ServerCall): JsonObject {
  const { kind, input, results = [], output, error } = serverCall;
  if (kind === "mcp") return mcpItem(id, serverCall);
  const status = error === undefined ? "completed" : "failed";
  if (kind === "code_execution") {
    return {
      id,
      type: "code_interpreter_call",
      status,
      code: text(input.code) ?? "",
      container_id: "",
      outputs: output === undefined ? null : [{ type: "logs", logs: output }],
    };
  }
  const sources = results.map(({ url }) => ({ type: "url", url }));
  const query = text(input.query) ?? "";
  const action = kind === "web_fetch"
    ? { type: "open_page", url: text(input.url) ?? null }
    : { type: "search", query, queries: query === "" ? [] : [query], sources };
  return { id, type: "web_search_call", status, action };
}

/** Writes a picture by value. */
export function imageItem(id: string, { mime, data }: Extract<Media, { data: string }>): JsonObject {
  const format = mime.startsWith("image/") ? mime.slice("image/".length) : "png";
  return { id, type: "image_generation_call", status: "completed", result: data, output_format: format };
}

/** Writes a picture that has only a URL as text. */
export const addressText = (media: Media): string =>
  `![image](${"id" in media ? media.id : mediaUrl(media)})`;

/** A function that makes an id from the kind of an item and its index in the output. */
export type ItemIds = ReturnType<typeof itemIds>;

/** Whether an item has content. An empty thought only signals that the answer has begun. */
export function says(item: Item): boolean {
  if (item.type === "text" || item.type === "refusal") return item.text !== "";
  if (item.type !== "thought") return true;
  const { text: said, signature, redacted } = item.thought;
  return Boolean(said || signature || redacted);
}
