/**
 * OpenAI's Responses as far as they refuse requests, in OpenAI's words where they are known, and the streams that they send.
 *
 * Words from OpenAI's errors as quoted in openai/codex#8119 (sealed reasoning), vercel/ai#7099 (what must follow reasoning) and
 * #7883 (twice), maximhq/bifrost#5410 (items that are not stored), continuedev/continue#10092 (results without a call),
 * openai/codex#33176 (ids), earendil-works/pi#6265 (limits), jeremychone/rust-genai#119 (content of the assistant),
 * BerriAI/litellm#16032 (summaries), docker/docker-agent#313 and openai/codex#6647 (models).
 */
import { type Asked, events, type Json, type Script, scripted, sse } from "./lab.ts";
import { notes, type Piece, streamOf } from "./responses_stream.ts";
import { type ModelRules, modelRules } from "./strict_openai.ts";

export interface Refusal {
  message: string;
  param: string | null;
  code: string | null;
  status?: number;
}

const no = (message: string, param: string | null = null, code: string | null = null): Refusal => ({
  message,
  param,
  code,
});

/** The fields that a request may have. */
const PARAMETERS: ReadonlySet<string> = new Set(
  ("access_programs background background_options client_metadata context_management conversation image include input instructions " +
    "max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt " +
    "prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream " +
    "stream_options temperature text tool_choice tools top_logprobs top_p truncation user").split(" "),
);

/** The members of each kind of item. */
const ITEMS: Readonly<Record<string, readonly string[]>> = {
  message: ["content", "id", "phase", "role", "status", "type"],
  reasoning: ["content", "encrypted_content", "id", "status", "summary", "type"],
  function_call: ["arguments", "call_id", "id", "name", "namespace", "status", "type"],
  function_call_output: ["call_id", "id", "output", "status", "type"],
  custom_tool_call: ["call_id", "id", "input", "name", "status", "type"],
  custom_tool_call_output: ["call_id", "id", "output", "type"],
  web_search_call: ["action", "id", "status", "type"],
  mcp_call: [
    ...[
      "approval_request_id",
      "arguments",
      "error",
      "id",
      "name",
      "output",
      "server_label",
      "status",
      "type",
    ],
  ],
  mcp_list_tools: ["error", "id", "server_label", "tools", "type"],
};

const PREFIXES: Readonly<Record<string, string>> = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  custom_tool_call: "ctc",
  web_search_call: "ws",
  mcp_call: "mcp",
  mcp_list_tools: "mcpl",
};

/** Members of each kind of part. */
const PART_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  input_text: ["prompt_cache_breakpoint", "text", "type"],
  input_image: ["detail", "file_id", "image_url", "prompt_cache_breakpoint", "type"],
  input_file: ["detail", "file_data", "file_id", "file_url", "filename", "prompt_cache_breakpoint", "type"],
  output_text: ["annotations", "logprobs", "text", "type"],
  refusal: ["refusal", "type"],
};

const PARTS: Readonly<Record<string, readonly string[]>> = {
  assistant: ["output_text", "refusal"],
  other: ["input_text", "input_image", "input_file"],
};

interface Options {
  /** Whether the organisation may have summaries. Default: yes. */
  verified?: boolean;
}

/** A strict provider that answers with these turns, one after another. */
export function strictResponses(turns: Script<Piece[]>, { verified = true }: Options = {}) {
  const next = scripted(turns);
  let turn = 0;
  let count = 0;
  /** What was sealed here, and the item to which it led. */
  const sealed = new Map<string, { id: string; next: string | undefined }>();

  /** The items of an answer, with ids and seals. */
  function items(pieces: Piece[]): Json[] {
    const made = pieces.map((piece): Json => {
      const id = `${++count}`.padStart(8, "0");
      if ("think" in piece) {
        const summary = (piece.summary ?? []).map((text) => ({ type: "summary_text", text }));
        return {
          id: `rs_${id}`,
          type: "reasoning",
          summary,
          encrypted_content: `gAAAAAB${btoa(`${id} sealed`)}`,
        };
      }
      if ("call" in piece) {
        const { call: name, id: call_id, args } = piece;
        return {
          id: `fc_${id}`,
          type: "function_call",
          status: "completed",
          arguments: args.join(""),
          call_id,
          name,
        };
      }
      if ("custom" in piece) {
        const { custom: name, id: call_id, input } = piece;
        return {
          id: `ctc_${id}`,
          type: "custom_tool_call",
          status: "completed",
          call_id,
          input: input.join(""),
          name,
        };
      }
      if ("search" in piece) {
        const action = { type: "search", query: piece.search };
        return { id: `ws_${id}`, type: "web_search_call", status: "completed", action };
      }
      if ("served" in piece) {
        const { served: name, server: server_label, args, output } = piece;
        const done = { status: "completed", approval_request_id: null, output, error: null };
        return { id: `mcp_${id}`, type: "mcp_call", server_label, name, arguments: args, ...done };
      }
      const part = "refusal" in piece
        ? { type: "refusal", refusal: piece.refusal.join("") }
        : { type: "output_text", annotations: notes(piece), logprobs: [], text: piece.text.join("") };
      const phase = "phase" in piece && piece.phase ? { phase: piece.phase } : {};
      return {
        id: `msg_${id}`,
        type: "message",
        status: "completed",
        content: [part],
        ...phase,
        role: "assistant",
      };
    });
    seal(made);
    return made;
  }

  /** Knows the reasoning of these items again, and what it led to. */
  function seal(items: readonly Json[]): void {
    items.forEach((item, at) => {
      if (item.type === "reasoning") {
        sealed.set(item.encrypted_content as string, { id: item.id as string, next: name(items[at + 1]) });
      }
    });
  }

  /** How an item is recognized when it comes back, as it may have no id. */
  const name = (item: Json | undefined): string | undefined => {
    if (item === undefined) return undefined;
    const { type, id, name, content } = item;
    return type === "message" ? `message ${textOf(content)}` : `${type} ${name ?? id}`;
  };

  function check({ body }: Pick<Asked, "body">): Refusal | undefined {
    const stray = Object.keys(body).find((parameter) => !PARAMETERS.has(parameter));
    if (stray) return no(`Unknown parameter: '${stray}'.`, stray, "unknown_parameter");
    return checkSettings(body, modelRules(body.model as string), verified) ?? checkTools(body) ??
      checkInput(body.input as Json[], modelRules(body.model as string)?.breakpoints === true);
  }

  function checkInput(input: Json[], takesMarks: boolean): Refusal | undefined {
    const seen = new Set<unknown>();
    for (const [at, item] of input.entries()) {
      const fault = checkItem(item, `input[${at}]`) ?? checkMarks(item, `input[${at}]`, takesMarks);
      if (fault) return fault;
      if (item.id !== undefined && seen.has(item.id)) {
        return no(
          `Duplicate item found with id ${item.id}. Remove duplicate items from your input and try again.`,
          "input",
        );
      }
      seen.add(item.id);
      if (item.type === "reasoning") {
        const refused = checkReasoning(item, input[at + 1]);
        if (refused) return refused;
      }
    }
    return checkPairs(input);
  }

  function checkReasoning(
    { id, encrypted_content: seal }: Json,
    next: Json | undefined,
  ): Refusal | undefined {
    if (typeof seal !== "string") {
      return no(
        `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with ` +
          "`store` set to true, or remove this item from your input.",
        "input",
      );
    }
    const known = sealed.get(seal);
    if (!known || id !== undefined && id !== known.id) {
      return no(
        `The encrypted content for item ${id} could not be verified. Reason: Encrypted content could not be ` +
          "decrypted or parsed.",
        null,
        "invalid_encrypted_content",
      );
    }
    if (known.next === undefined || name(next) !== known.next) {
      return no(
        `Item '${id}' of type 'reasoning' was provided without its required following item.`,
        "input",
      );
    }
  }

  const play = (asked: Asked): Response => {
    const refusal =
      asked.url.pathname === "/v1/responses" || asked.url.pathname.endsWith("/openai/v1/responses")
        ? check(asked)
        : { ...no(`Invalid URL (POST ${asked.url.pathname})`), status: 404 };
    if (refusal) {
      const { status = 400, ...error } = refusal;
      return Response.json({ error: { type: "invalid_request_error", ...error } }, { status });
    }
    const pieces = next(asked);
    if (pieces instanceof Response) return pieces;
    turn++;
    const output = items(pieces);
    const response = responseOf(asked.body, output, turn);
    return asked.body.stream ? events(sse(streamOf(pieces, response), true)) : Response.json(response);
  };
  return { play, check, seal };
}

const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : (content as Json[]).map(({ text, refusal }) => text ?? refusal).join("");

function responseOf(body: Json, output: Json[], turn: number): Json {
  return {
    id: `resp_${turn}`,
    object: "response",
    created_at: 1_700_000_000,
    status: "completed",
    error: null,
    incomplete_details: null,
    model: body.model,
    output,
    service_tier: "default",
    store: false,
    usage: {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
      output_tokens: 30,
      output_tokens_details: { reasoning_tokens: 20 },
      total_tokens: 130,
    },
  };
}

// ---------------------------------------------------------------- what is refused

const sampling = (name: string) =>
  no(`Unsupported parameter: '${name}' is not supported with this model.`, name, "unsupported_parameter");

function checkSettings(body: Json, rules: ModelRules | undefined, verified: boolean): Refusal | undefined {
  const { max_output_tokens: limit, reasoning, include = [], text } = body;
  if (typeof limit === "number" && limit < 16) {
    return no(
      `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${limit} instead.`,
      "max_output_tokens",
      "integer_below_min_value",
    );
  }
  const { effort, summary, ...others } = (reasoning ?? {}) as Json;
  const stray = Object.keys(others).find((member) => !["context", "mode"].includes(member));
  if (stray) return no(`Unknown parameter: 'reasoning.${stray}'.`, `reasoning.${stray}`, "unknown_parameter");
  if (summary !== undefined && !verified) {
    return no(
      "Your organization must be verified to generate reasoning summaries.",
      "reasoning.summary",
      "unsupported_value",
    );
  }
  if (rules) {
    const efforts = [...rules.efforts, ...rules.responsesEffort ? [rules.responsesEffort] : []];
    if (effort !== undefined && !efforts.includes(effort as string)) {
      return no(
        `Unsupported value: '${effort}' is not supported with the '${body.model}' model. Supported values are: ${
          efforts.map((one) => `'${one}'`).join(", ")
        }.`,
        "reasoning.effort",
        "unsupported_value",
      );
    }
    const wantsSeals = (include as string[]).includes("reasoning.encrypted_content");
    if (wantsSeals && !rules.reasons) {
      return no("Encrypted content is not supported with this model.", "include");
    }
    const isSampled = !rules.reasons || rules.sampling && (effort ?? rules.effort) === "none";
    for (const name of ["temperature", "top_p"]) {
      if (!isSampled && name in body && body[name] !== 1) return sampling(name);
    }
    if (!isSampled && "top_logprobs" in body) return sampling("top_logprobs");
    if (!isSampled && (include as string[]).includes("message.output_text.logprobs")) {
      return sampling("include");
    }
    const { verbosity = "medium" } = (text ?? {}) as Json;
    if (!rules.verbosity && verbosity !== "medium") {
      return no(
        `Unsupported value: '${verbosity}' is not supported with the '${body.model}' model. Supported values are: 'medium'.`,
        "text.verbosity",
        "unsupported_value",
      );
    }
    if ("parallel_tool_calls" in body && !rules.parallel) return sampling("parallel_tool_calls");
    if ("prompt_cache_retention" in body && !rules.retention) return sampling("prompt_cache_retention");
  }
  const { format } = (text ?? {}) as { format?: Json };
  if (format?.type === "json_object" && !/json/i.test(JSON.stringify(body.input))) {
    return no(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      "input",
    );
  }
  if (format?.type === "json_schema") {
    if (format.json_schema !== undefined || typeof format.schema !== "object") {
      return no(
        "Missing required parameter: 'text.format.schema'.",
        "text.format.schema",
        "missing_required_parameter",
      );
    }
    if (!/^[\w-]{1,64}$/.test(`${format.name}`)) return no("Invalid 'text.format.name'", "text.format.name");
  }
}

function checkTools({ tools = [], tool_choice: choice }: Json): Refusal | undefined {
  const names = new Map<unknown, unknown>();
  for (const [at, tool] of (tools as Json[]).entries()) {
    const here = `tools[${at}]`;
    if (tool.type !== "function" && tool.type !== "custom") continue;
    if (typeof tool.name !== "string") {
      return no(`Missing required parameter: '${here}.name'.`, `${here}.name`, "missing_required_parameter");
    }
    names.set(tool.name, tool.type);
    if (tool.type === "custom") continue;
    const { parameters, strict = true } = tool as { parameters?: Json; strict?: boolean };
    if (parameters === undefined) {
      return no(`Missing required parameter: '${here}.parameters'.`, `${here}.parameters`);
    }
    if (strict && parameters?.additionalProperties !== false) {
      return no(
        `Invalid schema for function '${tool.name}': In context=(), 'additionalProperties' is required to be ` +
          "supplied and to be false.",
        `${here}.parameters`,
        "invalid_function_parameters",
      );
    }
  }
  const named = typeof choice !== "object" || choice === null
    ? []
    : (choice as Json).type === "allowed_tools"
    ? (choice as { tools: Json[] }).tools
    : [choice as Json];
  for (const { type, name } of named) {
    if (names.get(name) !== type) {
      return no(`Tool choice '${type}' not found in 'tools' parameter.`, "tool_choice");
    }
  }
}

function checkItem(item: Json, here: string): Refusal | undefined {
  const { type = "message", id, call_id, role, content } = item as { [name: string]: string };
  const members = ITEMS[type];
  if (!members) return no(`Invalid value: '${type}'.`, here, "invalid_value");
  const stray = Object.keys(item).find((member) => !members.includes(member));
  if (stray) return no(`Unknown parameter: '${here}.${stray}'.`, `${here}.${stray}`, "unknown_parameter");
  const prefix = PREFIXES[type];
  if (id !== undefined && prefix && !id.startsWith(prefix)) {
    return no(
      `Invalid '${here}.id': '${id}'. Expected an ID that begins with '${prefix}'.`,
      `${here}.id`,
      "invalid_value",
    );
  }
  if (call_id !== undefined && call_id.length > 64) {
    return no(
      `Invalid '${here}.call_id': string too long. Expected a string with maximum length 64, but got a string with ` +
        `length ${call_id.length} instead.`,
      `${here}.call_id`,
      "string_above_max_length",
    );
  }
  if (type !== "message") return undefined;
  if (!["system", "developer", "user", "assistant"].includes(role)) {
    return no(`Invalid value: '${role}'.`, `${here}.role`, "invalid_value");
  }
  return checkParts(content, `${here}.content`, PARTS[role] ?? PARTS.other);
}

function checkParts(content: unknown, here: string, types: readonly string[]): Refusal | undefined {
  if (typeof content === "string") return undefined;
  for (const [at, part] of (content as Json[]).entries()) {
    if (types.includes(part.type as string)) continue;
    return no(
      `Invalid value: '${part.type}'. Supported values are: ${types.map((one) => `'${one}'`).join(", ")}.`,
      `${here}[${at}]`,
      "invalid_value",
    );
  }
}

/** Marks for the prompt's cache: GPT-5.6 and later have them, and of half an hour alone. */
function checkMarks({ content, output }: Json, here: string, taken: boolean): Refusal | undefined {
  for (const [name, list] of Object.entries({ content, output })) {
    for (const [at, part] of (Array.isArray(list) ? list as Json[] : []).entries()) {
      const path = `${here}.${name}[${at}]`;
      const members = PART_MEMBERS[part.type as string] ?? [];
      const stray = Object.keys(part).find((member) =>
        !members.includes(member) || member === "prompt_cache_breakpoint" && !taken
      );
      if (stray) return no(`Unknown parameter: '${path}.${stray}'.`, `${path}.${stray}`, "unknown_parameter");
      const mark = part.prompt_cache_breakpoint as Json | undefined;
      if (mark && mark.mode !== "explicit") {
        return no(`Invalid value: '${mark.mode}'.`, path, "invalid_value");
      }
      if (mark?.ttl !== undefined) return no(`Invalid value: '${mark.ttl}'.`, path, "invalid_value");
    }
  }
}

/** Each call needs its result, and each result its call before it. */
function checkPairs(input: Json[]): Refusal | undefined {
  const open = new Map<unknown, string>();
  for (const [at, { type, call_id, output }] of input.entries()) {
    if (type === "function_call" || type === "custom_tool_call") open.set(call_id, `${type}_output`);
    if (type !== "function_call_output" && type !== "custom_tool_call_output") continue;
    const kind = type === "function_call_output" ? "function call" : "custom tool call";
    if (open.get(call_id) !== type) {
      return no(`No tool call found for ${kind} output with call_id ${call_id}.`, "input");
    }
    open.delete(call_id);
    const refused = checkParts(output, `input[${at}].output`, PARTS.other);
    if (refused) return refused;
  }
  for (const [call_id, type] of open) {
    const kind = type === "function_call_output" ? "function call" : "custom tool call";
    return no(`No tool output found for ${kind} ${call_id}.`, "input");
  }
}
