/**
 * Anthropic Messages, the client's half: writes a whole answer as a message.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { estimateCall, estimateText } from "../shared/estimate.ts";
import { ENVELOPE, seal } from "../shared/envelope.ts";
import { object, parseExact } from "../shared/json.ts";
import { packToolId } from "../shared/tool_id.ts";
import type {
  Answer,
  AnswerCall,
  Call,
  Choice,
  Citation,
  Defaults,
  Item,
  JsonObject,
  Media,
  ServerCall,
  ServerToolKind,
  StopReason,
  Thought,
  Usage,
} from "../types.ts";
import { writeMcpCall } from "./mcp.ts";
import { packedId } from "./packed_ids.ts";
import { SIGNED } from "./write_answered.ts";
import { answerTokens, NO_TOKENS } from "../shared/usage.ts";

/**
 * Writes a whole answer as a `message`. Its id is always made by Sluice: Claude Code takes turns with the same id for
 * one turn.
 *
 * A signature of the answer itself (Gemini 3 signs its last text) is left out. Gemini requires signatures only on tool
 * calls and pictures, and Claude Code shows nothing of an answer that ends with a block other than text (2.1.197,
 * observed 2026-11).
 */
export function writeMessage(answer: Answer, call: Call, defaults: Defaults): JsonObject {
  const choice: Choice = answer.choices.find((choice) => choice !== undefined) ?? { items: [], logprobs: [] };
  const form = formOf(call);
  const content = choice.items.flatMap((item) => writeItem(item, form));
  const { start, usage } = answer;
  const isRefused = choice.items.some(({ type }) => type === "refusal");
  const hasCalls = choice.items.some(({ type }) => type === "tool");
  const { reason, sequence } = writeStop(choice.stop, { hasCalls, isRefused, sequence: choice.sequence });
  return {
    id: defaults.id,
    type: "message",
    role: "assistant",
    model: start.model ?? defaults.model,
    content,
    stop_reason: reason,
    stop_sequence: sequence,
    stop_details: stopDetails(reason),
    container: null,
    diagnostics: null,
    usage: writeUsage(usage ?? estimated(call, content), start.service_tier, searchesIn(choice.items)),
  };
}

/** The client's wishes that change the form of the answer. */
export interface AnswerForm {
  /** `thinking.display` is `omitted`: the client wants the proofs of thoughts but not their texts. */
  hidesThoughts: boolean;
}

export const formOf = ({ settings }: Call): AnswerForm => ({
  hidesThoughts: settings.reasoning_summary === "none",
});

// ---------------------------------------------------------------- blocks

function writeItem(item: Item, form: AnswerForm): JsonObject[] {
  switch (item.type) {
    case "text": {
      const citations = item.citations.length > 0 ? item.citations.map(writeCitation) : null;
      return item.text === "" && !citations ? [] : [{ type: "text", text: item.text, citations }];
    }
    case "refusal":
      return [{ type: "text", text: item.text, citations: null }];
    case "thought":
      return [writeThought(item.thought, form)];
    case "tool":
      return [{ ...writeToolUse(item.call), input: readInput(item.call) }];
    case "server_tool":
      return writeServerTool(item.serverCall);
    case "image":
      return [writeImage(item)];
  }
}

/** Writes a tool call without its input. */
export const writeToolUse = ({ id, name, signature }: Omit<AnswerCall, "arguments">): JsonObject => ({
  type: "tool_use",
  id: packedId(packToolId(id, signature)),
  name,
  caller: DIRECT,
});

const DIRECT = { type: "direct" };

function readInput({ arguments: text, custom }: AnswerCall): unknown {
  if (custom) return { input: text };
  if (text.trim() === "") return {};
  const input = parseExact(text);
  if (input === null) return {};
  return object(input) ?? { INVALID_JSON: text };
}

/** Writes a thought with its proof: Anthropic's own proof unchanged, any other in an envelope. */
export function writeThought(thought: Thought, { hidesThoughts }: AnswerForm): JsonObject {
  if (thought.redacted !== undefined && thought.text === undefined) {
    return { type: "redacted_thinking", data: proofOf(thought, false) };
  }
  const isHidden = hidesThoughts && thought.text !== undefined;
  return {
    type: "thinking",
    thinking: isHidden ? "" : thought.text ?? "",
    signature: proofOf(thought, isHidden),
  };
}

/**
 * The value of `signature` or `data`. It is never empty, because some clients drop thinking that is not signed.
 *
 * @param isHidden The client is not shown the text. A provider without proofs then wants the text back, so it is
 * sealed.
 */
export function proofOf(thought: Thought, isHidden: boolean): string {
  const { signature, redacted, format } = thought;
  const proof = signature ?? redacted;
  if (format === SIGNED && proof !== undefined) return proof;
  return seal(thought, { withText: isHidden && proof === undefined });
}

export const writeImage = ({ media, signature }: { media: Media; signature?: string }): JsonObject => ({
  type: "image",
  source: "mime" in media
    ? { type: "base64", media_type: media.mime, data: media.data }
    : "url" in media
    ? { type: "url", url: media.url }
    : { type: "file", file_id: media.id },
  ...(signature && { signature }),
});

/** Stands in place of Anthropic's seal on the results of its tools. Anthropic only accepts its own seals. */
const FOREIGN = `${ENVELOPE}found`;

/** Writes a citation as one of Anthropic's search. A citation that Anthropic made is restored. */
export function writeCitation({ url, title, extra = {} }: Citation): JsonObject {
  if (typeof extra.type === "string" && extra.type.endsWith("_location")) return { ...extra, url, title };
  const cited = typeof extra.cited_text === "string" ? extra.cited_text : "";
  return {
    type: "web_search_result_location",
    cited_text: cited,
    encrypted_index: FOREIGN,
    title: title || null,
    url,
  };
}

// ---------------------------------------------------------------- what the provider ran itself

/** Writes a call of a provider's own tool as two blocks: the call and its result. */
export function writeServerTool(serverCall: ServerCall): [use: JsonObject, result: JsonObject] {
  const { kind, id, input } = serverCall;
  if (kind === "mcp") return writeMcpCall(serverCall);
  const useId = serverId(id ?? JSON.stringify(input));
  return [
    { type: "server_tool_use", id: useId, name: kind, input, caller: DIRECT },
    {
      type: `${kind}_tool_result`,
      tool_use_id: useId,
      content: writeResult(kind, serverCall),
      caller: DIRECT,
    },
  ];
}

/** Anthropic's ids of server tools are `srvtoolu_` and letters, digits and `_`. */
const serverId = (id: string) =>
  /^srvtoolu_\w+$/.test(id) ? id : `srvtoolu_${id.replace(/\W/g, "").slice(0, 48) || "1"}`;

function writeResult(kind: ServerToolKind, { input, results = [], output, error }: ServerCall): unknown {
  if (error !== undefined) return { type: `${kind}_tool_result_error`, error_code: error };
  switch (kind) {
    case "web_search":
      return results.map(({ url, title }) => ({
        type: "web_search_result",
        url,
        title,
        encrypted_content: FOREIGN,
        page_age: null,
      }));
    case "web_fetch": {
      const [{ url, title }] = [...results, { url: String(input.url ?? ""), title: "" }];
      const source = { type: "text", media_type: "text/plain", data: output ?? "" };
      const document = { type: "document", source, title: title || null, citations: null };
      return { type: "web_fetch_result", url, content: document, retrieved_at: null, sealed: FOREIGN };
    }
    case "code_execution":
      return {
        type: "code_execution_result",
        stdout: output ?? "",
        stderr: "",
        return_code: 0,
        content: [],
        sealed: FOREIGN,
      };
  }
}

/** The number of the provider's searches and fetches. */
export interface Searches {
  web_search: number;
  web_fetch: number;
}

export const NO_SEARCHES: Searches = { web_search: 0, web_fetch: 0 };

/** Counts what is charged by the search. */
export function countSearch({ kind }: ServerCall, searches: Searches): void {
  if (kind === "web_search" || kind === "web_fetch") searches[kind]++;
}

function searchesIn(items: readonly Item[]): Searches {
  const searches = { ...NO_SEARCHES };
  for (const item of items) {
    if (item.type === "server_tool") countSearch(item.serverCall, searches);
  }
  return searches;
}

// ---------------------------------------------------------------- how it ended

/** Why the answer ended, in Anthropic's terms. */
export function writeStop(
  stop: StopReason | undefined,
  { hasCalls, isRefused, sequence }: { hasCalls: boolean; isRefused: boolean; sequence?: string },
): { reason: string; sequence: string | null } {
  const reason = stop === "length"
    ? "max_tokens"
    : stop === "content_filter" || isRefused
    ? "refusal"
    : hasCalls
    ? "tool_use"
    : sequence !== undefined
    ? "stop_sequence"
    : "end_turn";
  return { reason, sequence: reason === "stop_sequence" ? sequence! : null };
}

export const stopDetails = (reason: string): JsonObject | null =>
  reason === "refusal" ? { type: "refusal", category: null, explanation: null } : null;

// ---------------------------------------------------------------- usage

/** Estimates the usage of an answer without one: clients decide by it when to shorten a conversation. */
const estimated = (call: Call, content: unknown): Usage =>
  estimatedUsage(estimateCall(call), Math.ceil(estimateText(content)));

/** A usage that has only estimates of the request and the answer. */
export const estimatedUsage = (input: number, output: number): Usage => ({ ...NO_TOKENS, input, output });

/** Writes Anthropic's usage. `input_tokens` are the tokens that were neither read from nor written to a cache. */
export function writeUsage(usage: Usage, tier: string | undefined, searches: Searches): JsonObject {
  const { cacheWrite, cacheWriteHour = 0 } = usage;
  return {
    ...writeDeltaUsage(usage, searches),
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite - cacheWriteHour,
      ephemeral_1h_input_tokens: cacheWriteHour,
    },
    service_tier: tier === "priority" || tier === "batch" ? tier : "standard",
    inference_geo: null,
    speed: null,
  };
}

/** Writes the counts that the end of a stream has. */
export function writeDeltaUsage(usage: Usage, { web_search, web_fetch }: Searches): JsonObject {
  return {
    input_tokens: usage.input + usage.audioIn,
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: answerTokens(usage),
    output_tokens_details: { thinking_tokens: usage.reasoning },
    server_tool_use: web_search + web_fetch > 0
      ? { web_search_requests: web_search, web_fetch_requests: web_fetch }
      : null,
  };
}
