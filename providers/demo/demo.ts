/**
 * The built-in provider: deterministic, instant, no network and no key. Speaks OpenAI chat completions.
 *
 * - `echo` says the last user message again, or what a tool returned. A token is four characters, the last one of a text
 *   at most four; a prompt counts the texts of its messages.
 * - `status-429` answers with that status, any from 400 to 599.
 * - `slow-2000` is `echo` after that many milliseconds, at most ten minutes.
 * - `cut` breaks the connection in the middle of its answer.
 * - `error` sends an error event in the middle of its stream; a whole answer is a 500.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { collector } from "../../wires/collect.ts";
import { errorType, GatewayError } from "../../wires/errors.ts";
import { chunkWriter, writeAnswer, writeError } from "../../wires/openai_chat_answer.ts";
import { checkCall, readCall } from "../../wires/openai_chat_call.ts";
import type { Call, Delta, JsonObject, Message, Tool, WireError } from "../../wires/types.ts";
import { exampleOf, firstChars } from "./example.ts";

/** The models that lists name; `status-` and `slow-` take other numbers too. */
const MODELS = ["cut", "echo", "error", "slow-2000", "status-429"];

/** 2026-01-01T00:00:00Z: the same request gets the same answer, byte for byte. */
const CREATED = 1767225600;

const MAX_SLOW_MS = 600_000;

const CHARS_PER_TOKEN = 4;

/** Longest text copied into a tool's argument or a structured answer, in characters. */
const MAX_ARGUMENT = 64;

/** A stream says one token per chunk, or more of them when there would be more chunks than this. */
const MAX_CHUNKS = 256;

/** OpenAI's error codes, for those who test what their app does about them. */
const STATUS_CODES: ReadonlyMap<number, string> = new Map([
  [401, "invalid_api_key"],
  [404, "model_not_found"],
  [429, "rate_limit_exceeded"],
]);

/** Seconds to wait, sent with the statuses that ask for it. */
const RETRY_AFTER: ReadonlyMap<number, string> = new Map([[429, "1"], [503, "1"]]);

/**
 * Answers in place of `fetch`: `GET …/models` and `POST …/chat/completions`.
 *
 * @throws The reason of `request.signal` when it is aborted while `slow-…` waits.
 */
export async function serveDemo(request: Request): Promise<Response> {
  try {
    const { pathname } = new URL(request.url);
    if (request.method === "GET" && pathname.endsWith("/models")) return listModels();
    if (request.method === "POST" && pathname.endsWith("/chat/completions")) return await complete(request);
    return fail({ message: `There is no ${request.method} ${pathname}`, status: 404 });
  } catch (error) {
    if (error instanceof GatewayError) return fail(error.toWireError());
    throw error;
  }
}

function listModels(): Response {
  const data = MODELS.map((id) => ({ id, object: "model", created: CREATED, owned_by: "sluice" }));
  return Response.json({ object: "list", data });
}

async function complete(request: Request): Promise<Response> {
  const bytes = await request.arrayBuffer();
  const body = parse(new TextDecoder().decode(bytes));
  const model = String(body.model);
  const [, kind, number] = /^(status|slow)-(\d{1,6})$/.exec(model) ?? [];
  const status = kind === "status" ? Number(number) : 0;
  const slowMs = kind === "slow" ? Number(number) : 0;
  const known = MODELS.includes(model) || (status >= 400 && status <= 599) ||
    (slowMs > 0 && slowMs <= MAX_SLOW_MS);
  if (!known) {
    return fail({
      message: `The model ${JSON.stringify(model)} does not exist: demo has echo, status-{400 to 599}, ` +
        `slow-{1 to ${MAX_SLOW_MS} milliseconds}, cut and error`,
      param: "model",
      code: "model_not_found",
      status: 404,
    });
  }
  if (status) {
    return fail({
      message: `The model demo/${model} answers with this status`,
      code: STATUS_CODES.get(status),
      status,
    });
  }

  checkCall(body);
  const call = readCall(body, model);
  const id = await digest(bytes);
  const deltas = answer(call, body, id);
  if (slowMs) await wait(slowMs, request.signal);
  const defaults = { id: `chatcmpl-${id}`, created: CREATED, model };
  const form = { includeUsage: call.includeUsage, legacyFunctions: Array.isArray(body.functions) };
  if (call.stream) {
    return new Response(stream(deltas, chunkWriter(defaults, form), BREAKS.get(model)), {
      headers: { "content-type": "text/event-stream" },
    });
  }
  if (model === "error") return fail({ ...BROKEN, status: 500 });
  const { emit, answer: whole } = collector();
  deltas.forEach(emit);
  const text = JSON.stringify(writeAnswer(whole, defaults, form));
  return new Response(model === "cut" ? cut(text) : text, {
    headers: { "content-type": "application/json" },
  });
}

// ---------------------------------------------------------------- what it says

/** What `echo` says to a call. All choices say the same. */
function answer(call: Call, body: JsonObject, id: string): Delta[] {
  const { settings } = call;
  const limit = positive(settings.max_tokens, call.sent.get("max_tokens"), Infinity);
  const choices = positive(settings.n, "n", 128);
  const tool = forcedTool(call, body);
  const whole = tool ? toolArguments(tool, call) : untilStop(plainAnswer(call), settings.stop ?? []);
  const said = limit === Infinity ? whole : firstChars(whole, limit * CHARS_PER_TOKEN);
  const count = countTokens(said);

  const deltas: Delta[] = [{ type: "start" }];
  const each = (write: (choice: number) => Delta) => {
    for (let choice = 0; choice < choices; choice++) deltas.push(write(choice));
  };
  if (tool) {
    each((choice) => ({
      type: "tool",
      choice,
      index: 0,
      id: `call_${id.slice(0, 16)}_${choice}`,
      name: tool.name,
    }));
  }
  for (const text of pieces(said, Math.ceil(count / MAX_CHUNKS))) {
    each((choice) =>
      tool ? { type: "args", choice, index: 0, text } : {
        type: "text",
        choice,
        text,
        ...(settings.logprobs && { logprobs: certain(text, settings.top_logprobs ?? 0) }),
      }
    );
  }
  each((choice) => ({ type: "stop", choice, reason: said.length < whole.length ? "length" : "stop" }));
  const prompt = call.messages.reduce((sum, message) => sum + countTokens(textOf(message)), 0);
  const none = { cacheRead: 0, cacheWrite: 0, audioIn: 0, reasoning: 0, audioOut: 0 };
  deltas.push({ type: "usage", usage: { input: prompt, output: count * choices, ...none } });
  return deltas;
}

/** The function that `tool_choice` forces, unless the last word is a tool's. */
function forcedTool(call: Call, body: JsonObject): Extract<Tool, { type: "function" }> | undefined {
  const choice = call.settings.tool_choice;
  if (choice === undefined || choice === "auto" || choice === "none") return undefined;
  const functions = (call.settings.tools ?? []).filter((tool) => tool.type === "function");
  const names = typeof choice === "object"
    ? [choice.name]
    : allowedNames(body) ?? functions.map((tool) => tool.name);
  const tool = functions.find((tool) => tool.name === names[0]);
  if (!tool) {
    throw new GatewayError(
      "invalid_request",
      `Cannot call ${
        names.length > 0 ? `the tool ${JSON.stringify(names[0])}` : "a tool"
      }: tools has no such function`,
      { param: call.sent.get("tool_choice") },
    );
  }
  return call.messages.at(-1)!.role === "tool" ? undefined : tool;
}

/** The names of `tool_choice: {type: "allowed_tools"}`, which has no neutral term. */
function allowedNames(body: JsonObject): string[] | undefined {
  const choice = body.tool_choice as
    | { allowed_tools?: { tools?: { function?: { name?: string } }[] } }
    | undefined;
  return choice?.allowed_tools?.tools?.map((tool) => tool.function?.name ?? "");
}

function toolArguments(tool: Extract<Tool, { type: "function" }>, call: Call): string {
  const at = call.sent.get("tools") === "functions" ? "" : ".function";
  return write(tool.parameters ?? { type: "object" }, call, `${tool.path}${at}.parameters`);
}

function plainAnswer(call: Call): string {
  const format = call.settings.response_format;
  if (format?.type === "json_schema") return write(format.schema, call, "response_format.json_schema.schema");
  const text = spoken(call.messages);
  return format ? JSON.stringify({ echo: text }) : text;
}

/** JSON that the schema accepts, its texts taken from the conversation. */
function write(schema: JsonObject, call: Call, param: string): string {
  const value = exampleOf(schema, firstChars(spoken(call.messages), MAX_ARGUMENT));
  if (value !== undefined) return JSON.stringify(value);
  throw new GatewayError(
    "invalid_request",
    `Cannot write JSON for the schema in ${param}: found no value that it accepts`,
    {
      param,
    },
  );
}

/** What is echoed: tool results that end the conversation, else the last user message, else the last message. */
function spoken(messages: Message[]): string {
  const last = messages.at(-1)!;
  if (last.role !== "tool") return textOf(messages.findLast((message) => message.role === "user") ?? last);
  const first = messages.findLastIndex((message) => message.role !== "tool") + 1;
  return messages.slice(first).map((message) => `${toolName(messages, message)} returned: ${textOf(message)}`)
    .join("\n");
}

function toolName(messages: Message[], result: Message): string {
  for (const message of messages) {
    if (message.role !== "assistant" || result.role !== "tool") continue;
    const call = message.calls.find((call) => call.id === result.callId);
    if (call) return call.name;
  }
  return "The tool";
}

/** A message's text; other parts show as their type, e.g. `[image]`. */
function textOf(message: Message): string {
  return message.parts.map((part) => "text" in part ? part.text : `[${part.type}]`).join("\n");
}

function untilStop(text: string, stops: string[]): string {
  let end = text.length;
  for (const stop of stops) {
    const at = stop === "" ? -1 : text.indexOf(stop);
    if (at >= 0 && at < end) end = at;
  }
  return text.slice(0, end);
}

function countTokens(text: string): number {
  let chars = text.length;
  for (let i = 0; i < text.length; i++) if (text.codePointAt(i)! > 0xffff) chars--;
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

/** The text in pieces of so many tokens, never half a character. */
function pieces(text: string, tokensEach: number): string[] {
  const out: string[] = [];
  for (let start = 0; start < text.length; start += out.at(-1)!.length) {
    const longest = text.slice(start, start + 2 * CHARS_PER_TOKEN * tokensEach);
    out.push(firstChars(longest, CHARS_PER_TOKEN * tokensEach));
  }
  return out;
}

/** Log probabilities of a text that could not have been another. */
function certain(text: string, top: number): unknown {
  const content = pieces(text, 1).map((token) => {
    const entry = { token, logprob: 0, bytes: [...new TextEncoder().encode(token)] };
    return { ...entry, top_logprobs: top > 0 ? [entry] : [] };
  });
  return { content, refusal: null };
}

function positive(value: number | undefined, field: string | undefined, most: number): number {
  if (value === undefined) return field === "n" ? 1 : most;
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  const range = most === Infinity ? "of at least 1" : `from 1 to ${most}`;
  throw new GatewayError(
    "invalid_request",
    `Cannot answer: ${field} must be an integer ${range}, and is ${value}`,
    {
      param: field,
    },
  );
}

// ---------------------------------------------------------------- how it goes wrong

const BROKEN: WireError = {
  message: "The model demo/error fails in the middle of its answer",
  type: "server_error",
};

/** What ends a stream half-way: a dead connection or an error event. */
const BREAKS: ReadonlyMap<string, WireError | "cut"> = new Map<string, WireError | "cut">([
  ["cut", "cut"],
  ["error", BROKEN],
]);

function stream(
  deltas: Delta[],
  writer: ReturnType<typeof chunkWriter>,
  broken: WireError | "cut" | undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  // Past the middle, so that at least the role chunk and one piece of content have gone out.
  const last = broken ? Math.floor(deltas.length / 2) : deltas.length - 1;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      let text = "";
      while (text === "" && at <= last) text = writer.delta(deltas[at++]);
      if (text === "") {
        if (broken === "cut") return controller.error(new Error("The model demo/cut broke the connection"));
        if (broken) text = writer.delta({ type: "error", error: broken });
        text += writer.end();
        controller.enqueue(encoder.encode(text));
        return controller.close();
      }
      controller.enqueue(encoder.encode(text));
    },
  }, { highWaterMark: 0 });
}

/** The first half of a text, then a dead connection. */
function cut(text: string): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return controller.error(new Error("The model demo/cut broke the connection"));
      sent = true;
      controller.enqueue(new TextEncoder().encode(text.slice(0, text.length / 2)));
    },
  }, { highWaterMark: 0 });
}

function fail(error: WireError): Response {
  const status = error.status ?? 400;
  const headers = new Headers();
  const retryAfter = RETRY_AFTER.get(status);
  if (retryAfter) headers.set("retry-after", retryAfter);
  return Response.json(writeError({ ...error, type: error.type ?? errorType(status) }), { status, headers });
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal.addEventListener("abort", leave, { once: true });
  });
}

// ---------------------------------------------------------------- helpers

function parse(text: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new GatewayError("invalid_request", "Cannot read the request: the body is not JSON", { cause });
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as JsonObject;
  throw new GatewayError("invalid_request", "Cannot read the request: the body is not a JSON object");
}

/** 24 hexadecimal digits that the request alone decides. */
async function digest(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
