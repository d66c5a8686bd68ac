/** Translates a stream for a program that calls the provider itself. */
import { nearestNames } from "../providers/nearest_names.ts";
import { type WireName, WIRES } from "../providers/kinds.ts";
import type { Call } from "../wires/types.ts";
import { brokenOff } from "../wires/streams/broken_off.ts";
import { translator } from "../wires/streams/translate.ts";
import { LIMITS } from "./setup/limits.ts";

/**
 * Options of `translateStream`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { translateStream, type TranslateStreamOptions } from "../mod.ts";
 *
 * const options: TranslateStreamOptions = { from: "anthropic", to: "openai", id: "chatcmpl-1", created: 0, model: "m" };
 * const events = new Blob(['data: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}\n\n'])
 *   .stream().pipeThrough(translateStream(options));
 * const [, error] = /"message":"(.*?)"/.exec(await new Response(events).text())!;
 * assertEquals(error, "Busy");
 * ```
 */
export interface TranslateStreamOptions {
  /** The format of the provider's stream. */
  from: WireName;
  /**
   * The format to write: `openai` for OpenAI's chat completion chunks, `responses` for the events of OpenAI's Responses,
   * `anthropic` for those of Anthropic's Messages.
   */
  to: "openai" | "responses" | "anthropic";
  /**
   * The answer's id. For `openai` the stream's own id wins. Default: `chatcmpl-`, `resp_` or `msg_`, and a random UUID.
   */
  id?: string;
  /** The answer's time in seconds since 1970, if the provider's stream has none. Default: now. */
  created?: number;
  /** The model's name, if the provider's stream has none. Default `unknown`. */
  model?: string;
  /**
   * Whether the last chunk holds the usage, as with OpenAI's `stream_options.include_usage`. Default false. The other formats
   * always hold it.
   */
  includeUsage?: boolean;
}

/** The type of each option's value. */
const TYPES: Readonly<Record<keyof TranslateStreamOptions, "string" | "number" | "boolean">> = {
  from: "string",
  to: "string",
  id: "string",
  created: "number",
  model: "string",
  includeUsage: "boolean",
};

/**
 * Translates a provider's event stream into that of a client's format, as UTF-8:
 *
 * - `openai`: `data: {…}` events of `chat.completion.chunk` objects, and a last `data: [DONE]`;
 * - `responses`: named events from `response.created` to `response.completed` or `response.incomplete`;
 * - `anthropic`: named events from `message_start` to `message_stop`.
 *
 * Each chunk of bytes becomes at most one chunk, and chunks may be cut anywhere. At most one chunk is read ahead of the
 * reader. When the reader cancels, the source is cancelled. If the source breaks, ends before its answer is finished or
 * holds an error of the provider, the stream ends with it and without its usual end: `{"error": {"message", "type", "param",
 * "code", "metadata"}}` for `openai`, an event `error` and then `response.failed` for `responses`, an event `error` for
 * `anthropic`. An event may be 32 MiB long.
 *
 * @throws TypeError for an unknown option or format, or an option of the wrong type.
 *
 * @example A stream of Anthropic's Messages API
 * ```ts
 * import { translateStream } from "../mod.ts";
 *
 * // As `(await fetch("https://api.anthropic.com/v1/messages", …)).body`.
 * const body = new Blob([
 *   'data: {"type":"message_start","message":{"id":"msg_1","model":"claude-sonnet-5-5"}}\n\n',
 *   'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
 *   'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}\n\n',
 *   'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
 *   'data: {"type":"message_stop"}\n\n',
 * ]).stream();
 *
 * const events = body.pipeThrough(translateStream({ from: "anthropic", to: "openai" }));
 * const text = await new Response(events).text();
 * if (!text.includes('"content":"Hello"') || !text.endsWith("data: [DONE]\n\n")) throw new Error(text);
 * ```
 */
export function translateStream(
  options: TranslateStreamOptions,
): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  checkOptions(options);
  const { from, to, id, created, model = "unknown", includeUsage = false } = options;
  const wire = WIRES[to];
  const defaults = {
    id: id ?? wire.idPrefix + randomId(to),
    created: created ?? Math.floor(Date.now() / 1000),
    model,
  };
  return translator({
    reader: (emit) => WIRES[from].readStream(emit),
    writer: wire.writer(callFor(to, model, includeUsage), defaults),
    failure: (cause) => brokenOff(from, cause),
    tell: (error) => ({ ...error, metadata: { ...error.metadata, provider: from } }),
    maxEventSize: LIMITS.maxLineBytes,
  });
}

/** A UUID; without hyphens for formats whose ids have none. */
function randomId(to: TranslateStreamOptions["to"]): string {
  const id = crypto.randomUUID();
  return to === "openai" ? id : id.replaceAll("-", "");
}

/** A call for the writer, with the model and the wish for usage. The rest of the call is not known here. */
const callFor = (wire: TranslateStreamOptions["to"], model: string, includeUsage: boolean): Call => ({
  wire,
  model,
  stream: true,
  includeUsage,
  messages: [],
  settings: {},
  sent: new Map(),
  dropped: [],
  extra: {},
});

function checkOptions(options: TranslateStreamOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(TYPES, name)) {
      throw new TypeError(
        `Cannot use option ${name}: it is not known${didYouMean(name, Object.keys(TYPES))}`,
      );
    }
    const type = TYPES[name as keyof TranslateStreamOptions];
    if (value !== undefined && typeof value !== type) {
      throw new TypeError(`Cannot use option ${name}: it must be a ${type}`);
    }
  }
  const { from, to } = options;
  checkFormat("from", from, Object.keys(WIRES));
  checkFormat("to", to, ["openai", "responses", "anthropic"]);
}

function checkFormat(option: string, name: string | undefined, known: string[]): void {
  if (name !== undefined && known.includes(name)) return;
  const due = known.map((one) => `"${one}"`).join(" or ");
  const near = name === undefined ? "" : didYouMean(name, known);
  throw new TypeError(`Cannot use option ${option}: it must be ${due}${near}`);
}

function didYouMean(name: string, known: string[]): string {
  const [near] = nearestNames(name, known, 1);
  return near === undefined ? "" : `; did you mean ${near}?`;
}
