/**
 * OpenAI's Responses, the client's half: reads a request's body into a neutral call.
 *
 * A call has no state: if the gateway keeps responses, its door has put the conversation into `input` already. A reference to
 * anything stored is refused with the cure, and `store: true` is answered with `store: false`. Settings that only OpenAI has are
 * named as dropped.
 *
 * Checked against `openai` 7.59 types, 2026-11.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../errors.ts";
import { check, fault, needObject } from "../shared/faults.ts";
import { isObject, list, object } from "../shared/json.ts";
import type { Call, Format, JsonObject, Settings } from "../types.ts";
import type { Form } from "./form.ts";
import { notStored, readInput } from "./read_input.ts";
import { readToolChoice, type ReadTools, toolList } from "./read_tools.ts";
import { echoOf } from "./echo.ts";

// ---------------------------------------------------------------- the door

const optional = <const S extends v.GenericSchema>(schema: S) => v.nullish(schema);
const anyObject = v.looseObject({});
/** JavaScript reads `1e999` as Infinity, which JSON would write as `null`. */
const number = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.integer(), v.minValue(1));

/** What every request must have, whichever wire it is sent to. */
export const DOOR = v.looseObject({
  input: optional(v.union([v.string(), v.array(anyObject)])),
  stream: optional(v.boolean()),
});

/** The types of the settings that are read. */
export const BODY = v.looseObject({
  background: optional(v.boolean()),
  include: optional(v.array(v.string())),
  instructions: optional(v.string()),
  max_output_tokens: optional(count),
  max_tool_calls: optional(number),
  metadata: optional(anyObject),
  parallel_tool_calls: optional(v.boolean()),
  prompt_cache_key: optional(v.string()),
  prompt_cache_retention: optional(v.string()),
  reasoning: optional(anyObject),
  safety_identifier: optional(v.string()),
  service_tier: optional(v.string()),
  store: optional(v.boolean()),
  temperature: optional(number),
  text: optional(v.looseObject({ format: optional(v.looseObject({ type: v.string() })) })),
  tool_choice: optional(v.union([v.string(), anyObject])),
  tools: optional(v.array(anyObject)),
  top_logprobs: optional(number),
  top_p: optional(number),
  truncation: optional(v.string()),
  user: optional(v.string()),
});

/**
 * Checks what every request must have: an `input` of the right type, if there is one, and a boolean `stream`.
 *
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault, e.g. `input`.
 */
export function checkCall(body: JsonObject): void {
  const { input, stream } = body;
  if (typeof input !== "string" || stream !== undefined && typeof stream !== "boolean") check(DOOR, body);
}

/**
 * Reads a body that has passed `checkCall`.
 *
 * @param model The provider's name for the model.
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault; `previous_response_not_found` for a
 * reference to something stored.
 */
export const readCall = (body: JsonObject, model: string): Call => read(body, model, false);

/** Reads a request for a compaction, as `readCall` does. Its answer is never streamed. */
export const readCompaction = (body: JsonObject, model: string): Call => ({
  ...read(body, model, true),
  stream: false,
});

/** The error for an input without anything to send. */
function nothingIn(input: unknown, dropped: string[]): GatewayError {
  if (!Array.isArray(input) || input.length === 0) {
    return fault("input", "a text or at least one item", input ?? undefined);
  }
  const unread = dropped.filter((path) => path.startsWith("input[")).slice(0, 3).join(", ");
  const state = "input holds only items that cannot be sent" + (unread && ` (${unread})`);
  return new GatewayError("invalid_request", `Cannot read the request: ${state}; add a message`, {
    param: "input",
  });
}

/** @param asks Whether the request asks for a summary by its path. An item of the input may ask for one too. */
function read(body: JsonObject, model: string, asks: boolean): Call {
  refuseStored(body);
  checkSettings(body);
  const dropped: string[] = [];
  const settings: Settings = {};
  const sent: Call["sent"] = new Map();
  const tools = toolList(dropped);
  tools.add(body.tools, "tools");
  const instructions = typeof body.instructions === "string" ? body.instructions : undefined;
  const { messages, updates, triggered } = readInput(body.input, instructions, tools, dropped);
  const compacts = asks || triggered;
  if (messages.length === 0) throw nothingIn(body.input, dropped);

  const set = <Name extends keyof Settings>(name: Name, value: Settings[Name] | null, path: string) => {
    if (value === undefined || value === null) return;
    settings[name] = value;
    sent.set(name, path);
  };
  for (const name of SAME) set(name, body[name] as undefined, name);
  set("max_tokens", body.max_output_tokens as number | null, "max_output_tokens");
  readReasoning(object(body.reasoning) ?? {}, set, dropped);
  readText(object(body.text) ?? {}, set, dropped);
  readLogprobs(body, set, dropped);
  if (updates.effort) set("reasoning_effort", updates.effort.value, updates.effort.path);
  if (updates.format) setFormat(updates.format.value, updates.format.path, settings, sent);
  if (!compacts && tools.tools.length > 0) {
    set("tools", tools.tools, "tools");
    setChoice(body.tool_choice, tools, set, dropped);
    set("parallel_tool_calls", body.parallel_tool_calls as boolean | null, "parallel_tool_calls");
  }
  nameRest(body, dropped);
  if (compacts) askForSummary(messages, settings, sent);
  const form: Form = { echo: echoOf(body), offers: tools.offers, compacts };
  return {
    wire: "responses",
    model,
    stream: body.stream === true,
    includeUsage: true,
    messages,
    settings,
    sent,
    dropped,
    extra: {},
    form,
  };
}

/**
 * Checks the settings that were sent, one by one: checking with the whole schema would visit all its fields and copy
 * the body.
 */
function checkSettings(body: JsonObject): void {
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(BODY.entries, field)) continue;
    // Checks again, because this throws the error with the path of the fault.
    if (!v.is(BODY.entries[field as keyof typeof BODY.entries], body[field])) check(BODY, body);
  }
}

/**
 * Refuses a request that refers to stored state, which a translated call does not have.
 *
 * @throws GatewayError `previous_response_not_found` or `invalid_request`, with the cure.
 */
function refuseStored(body: JsonObject): void {
  if (body.previous_response_id != null) {
    throw notStored(
      "previous_response_id",
      "previous_response_id refers to an earlier response",
      "send the whole conversation in input, with the output items of earlier responses",
    );
  }
  if (body.conversation != null) {
    throw notStored(
      "conversation",
      "conversation refers to a stored conversation",
      "send the whole conversation in input, with the output items of earlier responses",
    );
  }
  if (body.background === true) {
    throw refused(
      "background",
      "this model cannot answer in the background; leave background out, and stream",
    );
  }
  if (body.prompt != null) {
    throw refused(
      "prompt",
      "prompt names a template that only OpenAI has; write it out in instructions and input",
    );
  }
}

const refused = (param: string, state: string) =>
  new GatewayError("invalid_request", `Cannot send the request: ${state}`, { param });

// ---------------------------------------------------------------- settings

type Set = <Name extends keyof Settings>(name: Name, value: Settings[Name] | null, path: string) => void;

/** Settings with the same name and values as in chat completions. */
const SAME = [
  "metadata",
  "prompt_cache_key",
  "prompt_cache_retention",
  "safety_identifier",
  "service_tier",
  "temperature",
  "top_p",
  "user",
] as const;

function readReasoning(
  { effort, summary, generate_summary, ...rest }: JsonObject,
  set: Set,
  dropped: string[],
): void {
  if (typeof effort === "string") set("reasoning_effort", effort, "reasoning.effort");
  const wanted = summary ?? generate_summary;
  const path = summary == null ? "reasoning.generate_summary" : "reasoning.summary";
  if (typeof wanted === "string") set("reasoning_summary", wanted, path);
  for (const name in rest) if (rest[name] !== null) dropped.push(`reasoning.${name}`);
}

function readText({ format, verbosity, ...rest }: JsonObject, set: Set, dropped: string[]): void {
  if (typeof verbosity === "string") set("verbosity", verbosity, "text.verbosity");
  if (isObject(format)) set("response_format", readFormat(format, "text.format"), "text.format");
  for (const name in rest) if (rest[name] !== null) dropped.push(`text.${name}`);
}

function setFormat(format: JsonObject, path: string, settings: Settings, sent: Call["sent"]): void {
  const read = readFormat(format, path);
  settings.response_format = read;
  if (read) sent.set("response_format", path);
  else sent.delete("response_format");
}

function readFormat(format: JsonObject, path: string): Format | undefined {
  switch (format.type) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json_object" };
    case "json_schema": {
      const { name, description, schema, strict } = format;
      return {
        type: "json_schema",
        name: typeof name === "string" ? name : undefined,
        description: typeof description === "string" ? description : undefined,
        schema: needObject(schema, `${path}.schema`),
        strict: typeof strict === "boolean" ? strict : undefined,
        path,
      };
    }
    default:
      throw fault(`${path}.type`, '"text", "json_object" or "json_schema"', format.type);
  }
}

/**
 * Values of `include` that need no action: reasoning is always sealed into the answer, and a search always reports its
 * sources.
 */
const ALWAYS_INCLUDED: ReadonlySet<unknown> = new Set([
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
  "web_search_call.action.sources",
]);

function readLogprobs(body: JsonObject, set: Set, dropped: string[]): void {
  let wanted = false;
  for (const [at, name] of list(body.include).entries()) {
    if (name === "message.output_text.logprobs") wanted = true;
    else if (!ALWAYS_INCLUDED.has(name)) dropped.push(`include[${at}]`);
  }
  const most = body.top_logprobs;
  if (typeof most === "number" && most > 0) {
    set("logprobs", true, "top_logprobs");
    set("top_logprobs", most, "top_logprobs");
  } else if (wanted) set("logprobs", true, "include");
}

function setChoice(value: unknown, tools: ReadTools, set: Set, dropped: string[]): void {
  if (value == null) return;
  const { choice, allowed } = readToolChoice(value, tools, dropped);
  set("tool_choice", choice, "tool_choice");
  set("allowed_tools", allowed, "tool_choice.tools");
}

/** Fields that are read, that ask for something that is done anyway, or that mean nothing to a model. */
const KNOWN: ReadonlySet<string> = new Set([
  ...SAME,
  ...[
    "background",
    "client_metadata",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
  ],
  ...[
    "model",
    "models",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "reasoning",
    "store",
    "stream",
  ],
  ...["stream_options", "text", "tool_choice", "tools", "top_logprobs", "truncation"],
]);

function nameRest(body: JsonObject, dropped: string[]): void {
  for (const field in body) {
    if (!KNOWN.has(field) && body[field] !== null) dropped.push(field);
  }
  if (body.store === true) dropped.push("store");
  if (body.truncation === "auto") dropped.push("truncation");
}

// ---------------------------------------------------------------- summaries

const ASK =
  "Summarise this conversation, so that it can go on from your summary alone. Keep: the task and the user's " +
  "wishes in their own words, what was done and found out, decisions and their reasons, names of files and commands that " +
  "matter, and what is to be done next. Answer with the summary and nothing else.";

/** Turns a request for a compaction into a request for a summary: without tools and thoughts, answered with text only. */
function askForSummary(messages: Call["messages"], settings: Settings, sent: Call["sent"]): void {
  // Newer Claudes accept a thought only behind the tools that it was written with, and a summary has none.
  for (const message of messages) if (message.role === "assistant") message.thoughts = [];
  messages.push({ role: "user", path: "input", parts: [{ type: "text", text: ASK, path: "input" }] });
  for (const name of ["response_format", "verbosity"] as const) {
    delete settings[name];
    sent.delete(name);
  }
}
