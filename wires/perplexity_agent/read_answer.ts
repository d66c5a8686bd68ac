/** Perplexity's Agent API, the provider's half: reads answers and streams into deltas. */
import { parseShallow } from "../shared/depth.ts";
import { GatewayError } from "../errors.ts";
import { count, list, object, objects, text } from "../shared/json.ts";
import { readCompatibleError } from "../shared/compatible_error.ts";
import { toldCost } from "../shared/told_cost.ts";
import type { Emit, JsonObject, StopReason, StreamReader } from "../types.ts";

/** The members that the reader uses. Any member may be missing or of another type. */
interface Response {
  id?: unknown;
  model?: unknown;
  created_at?: unknown;
  status?: unknown;
  output?: unknown;
  usage?: unknown;
  error?: unknown;
  incomplete_details?: { reason?: unknown } | null;
}

interface Item {
  type?: unknown;
  content?: unknown;
  results?: unknown;
  queries?: unknown;
  contents?: unknown;
  call_id?: unknown;
  name?: unknown;
  arguments?: unknown;
  thought_signature?: unknown;
}

interface Source {
  id?: unknown;
  url?: unknown;
  title?: unknown;
}

interface StreamEvent {
  type?: unknown;
  delta?: unknown;
  thought?: unknown;
  item?: unknown;
  response?: unknown;
  error?: unknown;
}

/** Reads a whole answer, see `AnswerFormat`. */
export function readAnswer(body: JsonObject, emit: Emit): void {
  const read = pieces(emit);
  if (!Array.isArray(body.output) && body.error === undefined) {
    return emit({ type: "error", error: failure("Cannot read Perplexity's answer: no output", undefined) });
  }
  read.start(body);
  read.end(body);
}

/** Reads one stream, see `AnswerFormat`. */
export function readStream(emit: Emit): StreamReader {
  const read = pieces(emit);
  let ended = false;

  function fail(message: string, about: unknown): void {
    ended = true;
    emit({ type: "error", error: failure(message, about) });
  }

  return {
    frame(data) {
      if (ended || data === "[DONE]") return;
      let event: StreamEvent | null;
      try {
        event = parseShallow(data) as StreamEvent | null;
      } catch {
        return fail("Cannot read Perplexity's stream: an event is not JSON", undefined);
      }
      switch (event?.type) {
        case "response.output_text.delta":
          return read.say(event.delta);
        case "response.reasoning.started":
        case "response.reasoning.stopped":
        case "response.reasoning.search_queries":
        case "response.reasoning.search_results":
        case "response.reasoning.fetch_url_queries":
        case "response.reasoning.fetch_url_results":
          return read.thought(event.thought);
        case "response.output_item.added":
        case "response.output_item.done":
          return read.item(object(event.item) ?? {});
        case "response.created":
          return read.start(object(event.response) ?? {});
        case "response.completed":
        case "response.incomplete":
          ended = true;
          return read.end(object(event.response) ?? {});
        case "response.failed":
        case "response.cancelled":
        case "error": {
          const about = event.error ?? object(event.response)?.error ?? event;
          return fail(`Perplexity did not finish its answer: ${event.type}`, about);
        }
      }
    },
    end() {
      if (!ended) fail("Perplexity's stream broke off: it ended without a terminal event", undefined);
    },
  };
}

/** Makes a reader for the pieces that whole and streamed answers have in common. */
function pieces(emit: Emit) {
  let said = "";
  let thoughts = 0;
  let started = false;
  const calls: { id: string; argued: boolean }[] = [];

  function say(value: unknown): void {
    if (typeof value !== "string" || value === "") return;
    said += value;
    emit({ type: "text", choice: 0, text: value });
  }

  /**
   * Reads a tool call. It comes when its item is added and again when the item is done; only then it may have
   * arguments.
   */
  function item({ type, call_id, name, arguments: args, thought_signature }: Item): void {
    if (type !== "function_call") return;
    const id = text(call_id) ?? `call_${calls.length}`;
    let index = calls.findIndex((call) => call.id === id);
    if (index < 0) {
      index = calls.push({ id, argued: false }) - 1;
      const signature = text(thought_signature);
      emit({ type: "tool", choice: 0, index, id, name: text(name) ?? "", ...(signature && { signature }) });
    }
    if (calls[index].argued || typeof args !== "string" || args === "") return;
    calls[index].argued = true;
    emit({ type: "args", choice: 0, index, text: args });
  }

  return {
    say,
    item,
    thought(value: unknown): void {
      if (typeof value === "string" && value) {
        emit({ type: "thought", choice: 0, block: thoughts++, text: value, summary: true });
      }
    },
    start({ id, model, created_at }: Response): void {
      if (started) return;
      started = true;
      emit({
        type: "start",
        id: text(id),
        model: text(model),
        created: typeof created_at === "number" ? created_at : undefined,
      });
    },
    /**
     * Reads the finished response: the text and tool calls that no event has had yet, then sources, usage and the
     * finish reason.
     */
    end(response: Response): void {
      const { output, status, error, usage, incomplete_details } = response;
      const items: Item[] = objects(output);
      const parts = items.flatMap(({ type, content }) => type === "message" ? objects(content) : []);
      const whole = parts.map((part) => text(part.text) ?? "").join("");
      if (whole.startsWith(said)) say(whole.slice(said.length));
      items.forEach(item);
      cite(said, items, parts, emit);
      for (const item of items) readServerCall(item, emit);
      readUsage(usage, emit);
      if (UNFINISHED.has(status) || (error && !output)) {
        return emit({
          type: "error",
          error: failure(`Perplexity did not finish its answer: ${status}`, error ?? response),
        });
      }
      const reason = STOPS.get(incomplete_details?.reason) ?? (status === "incomplete" ? "length" : "stop");
      emit({ type: "stop", choice: 0, reason });
    },
  };
}

/**
 * Statuses of unfinished answers. A call with `background: true` gets `queued` or `in_progress`, and its answer must be
 * fetched later.
 */
const UNFINISHED: ReadonlySet<unknown> = new Set(["cancelled", "failed", "in_progress", "queued"]);

const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["max_output_tokens", "length"],
  ["content_filter", "content_filter"],
]);

/**
 * Emits the sources. Marks in the text refer to the list of sources; a source without a mark is cited at the end of the
 * text.
 */
function cite(said: string, items: Item[], parts: JsonObject[], emit: Emit): void {
  const cited = new Set<unknown>();
  for (const { annotations } of parts) {
    for (const note of objects(annotations)) {
      if (typeof note.url !== "string") continue;
      cited.add(note.url);
      const { url, start_index, end_index } = note;
      emit({
        type: "citation",
        choice: 0,
        citation: { url, title: text(note.title) ?? "", start: count(start_index), end: count(end_index) },
      });
    }
  }
  const sources: Source[] = items.flatMap(({ type, results }) =>
    type === "search_results" ? objects(results) : []
  );
  if (sources.length === 0) return;
  const marks = cited.size > 0 ? [] : [...said.matchAll(/\[(\d{1,4})\]/g)];
  for (const source of sources) {
    const { id, url, title, ...extra } = source;
    if (typeof url !== "string" || cited.has(url)) continue;
    cited.add(url);
    const places = marks.filter((mark) => Number(mark[1]) === id)
      .map((mark) => ({ start: mark.index, end: mark.index + mark[0].length }));
    for (const range of places.length > 0 ? places : [{ start: said.length, end: said.length }]) {
      emit({ type: "citation", choice: 0, citation: { url, title: text(title) ?? "", ...range, extra } });
    }
  }
}

/** Emits searches and fetched pages as calls of the provider's own tools. */
function readServerCall({ type, queries, results, contents }: Item, emit: Emit): void {
  const isSearch = type === "search_results";
  if (!isSearch && type !== "fetch_url_results") return;
  const found = objects(isSearch ? results : contents).flatMap(({ url, title }) =>
    text(url) ? [{ url: String(url), title: text(title) ?? "" }] : []
  );
  const asked = list(queries).filter((query) => text(query));
  const input: JsonObject = isSearch ? { query: asked[0] ?? "" } : { url: found[0]?.url ?? "" };
  if (asked.length > 1) input.queries = asked;
  const kind = isSearch ? "web_search" : "web_fetch";
  emit({ type: "server_tool", choice: 0, serverCall: { kind, input, results: found } });
}

function readUsage(value: unknown, emit: Emit): void {
  const usage = object(value);
  if (usage?.input_tokens === undefined) return;
  const details = object(usage.input_tokens_details) ?? {};
  const cacheRead = count(details.cache_read_input_tokens);
  const cacheWrite = count(details.cache_creation_input_tokens);
  const output = count(usage.output_tokens);
  // It depends on the model whether the input count includes cached tokens. The total tells.
  const prompt = Math.max(count(usage.input_tokens), count(usage.total_tokens) - output);
  const input = Math.max(0, prompt - cacheRead - cacheWrite);
  emit({
    type: "usage",
    usage: {
      input,
      cacheRead,
      cacheWrite,
      audioIn: 0,
      output,
      reasoning: 0,
      audioOut: 0,
      ...toldCost(usage),
    },
  });
}

function failure(message: string, about: unknown) {
  if (about === undefined) return new GatewayError("bad_upstream_answer", message).toWireError();
  const error = readCompatibleError(502, { error: about });
  return { ...error, message: text(object(about)?.message) ?? text(about) ?? message };
}
