/** Cohere's chat API, the provider's half: reads answers and streams into deltas. */
import { parseShallow } from "../shared/depth.ts";
import { errorType, GatewayError } from "../errors.ts";
import { count, text } from "../shared/json.ts";
import { isOverflow } from "../shared/overflow.ts";
import type { Emit, JsonObject, StopReason, StreamReader, WireError } from "../types.ts";

/** The members that the reader uses. Any member may be missing or of another type. */
interface StreamEvent {
  type?: string;
  id?: unknown;
  index?: number;
  delta?: {
    message?: { content?: Block; tool_plan?: unknown; tool_calls?: CohereCall; citations?: unknown };
    finish_reason?: unknown;
    usage?: unknown;
    error?: unknown;
    error_type?: unknown;
  };
  logprobs?: unknown;
  /** The message of an error that comes in place of an event. */
  message?: unknown;
}

interface Block {
  text?: unknown;
  thinking?: unknown;
}

interface CohereCall {
  id?: unknown;
  function?: { name?: unknown; arguments?: unknown };
}

interface CohereCitation {
  start?: unknown;
  end?: unknown;
  text?: unknown;
  sources?: unknown;
  content_index?: unknown;
  type?: unknown;
}

/** Stands for the block number of the tool plan, which has none. */
const PLAN = -1;

/** Makes a reader for the pieces that whole and streamed answers have in common. */
function pieces(emit: Emit) {
  /** The whole text so far. Citations point into it. */
  let said = "";
  /** The start of each text block in `said`, by Cohere's number of the block. */
  const starts = new Map<unknown, number>();
  let textBlock: unknown;
  let thoughtBlock: unknown;
  let thoughts = -1;
  let calls = 0;

  function thought(block: unknown, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    if (thoughts < 0 || block !== thoughtBlock) thoughts++;
    thoughtBlock = block;
    emit({ type: "thought", choice: 0, block: thoughts, text });
  }

  return {
    thought,
    content(block: unknown, content: Block | undefined | null, logprobs?: unknown): void {
      const text = content?.text;
      if (typeof text === "string" && text !== "") {
        if (block !== textBlock || said === "") starts.set(textBlock = block, said.length);
        said += text;
        if (logprobs) emit({ type: "text", choice: 0, text, logprobs: readLogprobs(logprobs) });
        else emit({ type: "text", choice: 0, text });
      }
      thought(block, content?.thinking);
    },
    /** @returns Our index of the tool call. */
    call(call: CohereCall | undefined | null): number {
      const { name, arguments: args } = call?.function ?? {};
      const index = calls++;
      emit({ type: "tool", choice: 0, index, id: text(call?.id) ?? `call_${index}`, name: text(name) ?? "" });
      if (typeof args === "string" && args) emit({ type: "args", choice: 0, index, text: args });
      return index;
    },
    citations(list: unknown): void {
      for (const citation of Array.isArray(list) ? list : [list]) {
        if (citation && typeof citation === "object") cite(citation, said, starts, emit);
      }
    },
  };
}

/** Reads a whole answer, see `AnswerFormat`. */
export function readAnswer(body: JsonObject, emit: Emit): void {
  const { id, finish_reason, usage, logprobs } = body;
  const message = body.message as JsonObject | string | null | undefined;
  if (typeof message === "string") return emit({ type: "error", error: readError(502, body) });
  if (!message) return emit({ type: "error", error: badAnswer("Cannot read Cohere's answer: no message") });
  const read = pieces(emit);
  emit(typeof id === "string" ? { type: "start", id } : { type: "start" });
  read.thought(PLAN, message.tool_plan);
  const blocks = message.content;
  if (typeof blocks === "string") read.content(0, { text: blocks }, logprobs);
  if (Array.isArray(blocks)) {
    // The list covers the whole text, so it is passed on with the first piece of it.
    const first = blocks.find((block) => block?.text);
    blocks.forEach((block, index) => read.content(index, block, block === first ? logprobs : undefined));
  }
  if (Array.isArray(message.tool_calls)) message.tool_calls.forEach((call) => read.call(call));
  if (message.citations) read.citations(message.citations);
  readUsage(usage, emit);
  readFinish(finish_reason, body, emit);
}

/** Reads one stream, see `AnswerFormat`. */
export function readStream(emit: Emit): StreamReader {
  const read = pieces(emit);
  /** Our index of each tool call, by Cohere's index. */
  const calls = new Map<unknown, number>();
  let ended = false;

  function fail(error: WireError): void {
    ended = true;
    emit({ type: "error", error });
  }

  return {
    frame(data: string): void {
      if (ended || data === "[DONE]") return;
      let event: StreamEvent | null;
      try {
        event = parseShallow(data) as StreamEvent | null;
      } catch (cause) {
        return fail(badAnswer("Cannot read Cohere's stream: an event is not JSON", cause));
      }
      switch (event?.type) {
        case "content-delta":
        case "content-start":
          return read.content(event.index, event.delta?.message?.content, event.logprobs);
        case "tool-plan-delta":
          return read.thought(PLAN, event.delta?.message?.tool_plan);
        case "tool-call-start":
          calls.set(event.index, read.call(event.delta?.message?.tool_calls));
          return;
        case "tool-call-delta": {
          const text = event.delta?.message?.tool_calls?.function?.arguments;
          const index = calls.get(event.index);
          if (index === undefined || typeof text !== "string") return;
          return emit({ type: "args", choice: 0, index, text });
        }
        case "citation-start":
          return read.citations(event.delta?.message?.citations);
        case "message-start":
          return emit(typeof event.id === "string" ? { type: "start", id: event.id } : { type: "start" });
        case "message-end":
          ended = true;
          readUsage(event.delta?.usage, emit);
          return readFinish(event.delta?.finish_reason, event.delta ?? {}, emit);
        case undefined:
          if (typeof event?.message === "string") fail(readError(502, event));
      }
    },
    end(): void {
      if (!ended) fail(badAnswer("Cohere's stream broke off: it ended without a message-end event"));
    },
  };
}

/** Emits one citation per source: OpenAI's form has one annotation for each source of a passage. */
function cite(citation: CohereCitation, said: string, starts: Map<unknown, number>, emit: Emit): void {
  const { type } = citation;
  // Citations of the thinking and of the plan point into text outside the answer, so their range is empty.
  const inText = type === undefined || type === "TEXT_CONTENT";
  const from = starts.get(citation.content_index) ?? 0;
  const { start, end } = inText ? range(said.slice(from), citation) : { start: 0, end: 0 };
  const sources = Array.isArray(citation.sources) && citation.sources.length > 0 ? citation.sources : [{}];
  for (const source of sources as (JsonObject | null)[]) {
    const about = (source?.document ?? source?.tool_output ?? {}) as JsonObject;
    const extra: JsonObject = { text: citation.text, source };
    if (!inText) Object.assign(extra, { type, start: citation.start, end: citation.end });
    emit({
      type: "citation",
      choice: 0,
      citation: {
        url: text(about.url) ?? "",
        title: text(about.title) ?? text(source?.id) ?? "",
        start: inText ? from + start : 0,
        end: inText ? from + end : 0,
        extra,
      },
    });
  }
}

/**
 * The cited range within its block, in UTF-16 units. Cohere does not document its unit. If UTF-16 units do not yield
 * the cited text, the offsets are tried as characters.
 */
function range(block: string, { start, end, text }: CohereCitation): { start: number; end: number } {
  if (typeof start !== "number" || typeof end !== "number") return { start: 0, end: 0 };
  if (block.slice(start, end) !== text) {
    const characters = [...block];
    const cited = characters.slice(start, end).join("");
    if (cited === text) {
      const before = characters.slice(0, start).join("").length;
      return { start: before, end: before + cited.length };
    }
  }
  return { start, end };
}

/**
 * Reads log probabilities. Cohere gives a chunk of text with the log probabilities of its tokens; their sum is the
 * chunk's.
 */
function readLogprobs(items: unknown): JsonObject {
  const content = (Array.isArray(items) ? items : [items]).map((item) => ({
    token: text(item?.text) ?? "",
    logprob: Array.isArray(item?.logprobs)
      ? item.logprobs.reduce((sum: number, one: unknown) => typeof one === "number" ? sum + one : sum, 0)
      : 0,
    bytes: null,
    top_logprobs: [],
  }));
  return { content, refusal: null };
}

/**
 * Reads the usage. `tokens` counts what the model read and wrote. `billed_units` counts what is paid for, which
 * excludes Cohere's own prompt.
 */
function readUsage(value: unknown, emit: Emit): void {
  const usage = value as { tokens?: unknown; billed_units?: unknown; cached_tokens?: unknown } | undefined;
  const tokens = (usage?.tokens ?? usage?.billed_units) as JsonObject | undefined;
  if (!tokens || typeof tokens !== "object") return;
  const input = count(tokens.input_tokens);
  const output = count(tokens.output_tokens);
  const cacheRead = Math.min(count(usage?.cached_tokens), input);
  const reasoning = Math.min(count(tokens.reasoning_tokens), output);
  emit({
    type: "usage",
    usage: {
      input: input - cacheRead,
      cacheRead,
      cacheWrite: 0,
      audioIn: 0,
      output: output - reasoning,
      reasoning,
      audioOut: 0,
    },
  });
}

const STOP_REASONS: ReadonlyMap<unknown, StopReason> = new Map([
  ["COMPLETE", "stop"],
  ["STOP_SEQUENCE", "stop"],
  ["MAX_TOKENS", "length"],
  ["TOOL_CALL", "tool_calls"],
  ["ERROR_TOXIC", "content_filter"],
]);

/** Finish reasons of failed answers, and the HTTP status that each means. Cohere sends them with status 200. */
const FAILURES: ReadonlyMap<unknown, number> = new Map([
  ["ERROR", 502],
  ["ERROR_LIMIT", 502],
  ["TIMEOUT", 504],
  ["USER_CANCEL", 502],
]);

/** @param about The object with `error` and `error_type`, if Cohere says what went wrong. */
function readFinish(reason: unknown, about: { error?: unknown; error_type?: unknown }, emit: Emit): void {
  const status = FAILURES.get(reason);
  if (status === undefined) {
    return emit({ type: "stop", choice: 0, reason: STOP_REASONS.get(reason) ?? "stop" });
  }
  const { error, error_type } = about;
  emit({
    type: "error",
    error: {
      message: text(error) ?? `Cohere did not finish its answer: ${reason}`,
      type: errorType(status),
      code: text(error_type) ?? null,
      status,
      metadata: { original: { finish_reason: reason, error, error_type } },
    },
  });
}

/** Reads the body of an error: `{id, message}`. */
export function readError(status: number, body: unknown): WireError {
  const said = body && typeof body === "object" ? (body as JsonObject).message : body;
  const message = (typeof said === "string" && said.trim()) || `Cohere answered with status ${status}`;
  return {
    message,
    type: errorType(status),
    code: isOverflow(message) ? "context_length_exceeded" : null,
    status,
    metadata: { original: body },
  };
}

const badAnswer = (message: string, cause?: unknown) =>
  new GatewayError("bad_upstream_answer", message, { cause }).toWireError();
