/**
 * Anthropic Messages, the client's half: reads the settings of a request.
 *
 * Fields that are not listed here only mean something to Anthropic (containers, skills, fallbacks, the region of
 * inference …). They are left out and named.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0, its betas, and fields of earlier versions (`temperature`,
 * `output_format`).
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { GatewayError } from "../errors.ts";
import { fault, needObject } from "../shared/faults.ts";
import { isObject, objects, parseObject, text } from "../shared/json.ts";
import type { Call, Format, JsonObject, Settings, Tool } from "../types.ts";
import { readServers } from "./mcp.ts";
import { readToolChoice, readTools } from "./read_tools.ts";
import type { ReadTurns } from "./read_turns.ts";
import { effortOf } from "../shared/gateway_fields.ts";
import { digest, hash } from "../shared/hash.ts";

interface Draft {
  settings: Settings;
  sent: Call["sent"];
  dropped: string[];
  turns: ReadTurns;
}

type FieldReader = (value: unknown, draft: Draft, body: JsonObject) => void;

/** Sets a setting and records its path in the client's body. */
function set<Name extends keyof Settings>(
  { settings, sent }: Draft,
  name: Name,
  value: Settings[Name],
  path: string = name,
): void {
  settings[name] = value;
  sent.set(name, path);
}

/** For fields that are read elsewhere or mean nothing to other providers. */
const SILENT: FieldReader = () => {};

const FIELDS: Readonly<Record<string, FieldReader>> = {
  messages: SILENT,
  model: SILENT,
  stream: SILENT,
  system: SILENT,
  // The list of betas is sent as a header.
  betas: SILENT,
  /** 0 warms a cache at Anthropic. No other API has that, so the nearest value is 1. */
  max_tokens: (value, draft) => set(draft, "max_tokens", Math.max(1, value as number)),
  temperature: (value, draft) => set(draft, "temperature", value as number),
  top_p: (value, draft) => set(draft, "top_p", value as number),
  top_k: (value, draft) => set(draft, "top_k", value as number),
  stop_sequences(value, draft) {
    if ((value as string[]).length > 0) set(draft, "stop", value as string[], "stop_sequences");
  },
  tools(value, draft, body) {
    const tools = readTools(value as JsonObject[], draft.turns.loaded, body.mcp_servers, draft.dropped);
    addTools(tools, draft);
  },
  mcp_servers: (value, draft, body) => addTools(readServers(value, body.tools, draft.dropped), draft),
  tool_choice: readChoice,
  thinking: readThinking,
  output_config: readOutputConfig,
  output_format(value, draft, body) {
    if (isObject(body.output_config) && body.output_config.format != null) {
      draft.dropped.push("output_format");
    } else readFormat(value, "output_format", draft);
  },
  metadata: readMetadata,
  service_tier(value, draft) {
    set(draft, "service_tier", value === "standard_only" ? "default" : value as string);
  },
  speed(value, { dropped }) {
    if (value !== "standard") dropped.push("speed");
  },
  context_management(value, { dropped }) {
    objects((value as JsonObject).edits).forEach((edit, at) => {
      // Sluice keeps every thought anyway.
      if (!keepsAll(edit)) dropped.push(`context_management.edits[${at}]`);
    });
  },
};

function addTools(tools: Tool[], draft: Draft): void {
  if (tools.length > 0) set(draft, "tools", [...draft.settings.tools ?? [], ...tools]);
}

const keepsAll = ({ type, keep }: JsonObject) =>
  typeof type === "string" && type.startsWith("clear_thinking") &&
  (keep === "all" || isObject(keep) && keep.type === "all");

/** Reads the settings of a body whose field types were checked. */
export function readSettings(
  body: JsonObject,
  turns: ReadTurns,
  dropped: string[],
): Pick<Call, "settings" | "sent"> {
  refuseState(body);
  const draft: Draft = { settings: {}, sent: new Map(), dropped, turns };
  for (const field in body) {
    const value = body[field];
    if (value === null || value === undefined) continue;
    if (Object.hasOwn(FIELDS, field)) FIELDS[field](value, draft, body);
    else dropped.push(field);
  }
  // The effort of the last message that sets one wins. Thinking that is turned off stays off.
  if (turns.effort && draft.settings.reasoning_effort !== "none") {
    set(draft, "reasoning_effort", turns.effort.value, turns.effort.path);
    delete draft.settings.reasoning_budget;
  }
  const { tool_choice: choice, tools } = draft.settings;
  if (typeof choice === "object" && !tools?.some((tool) => "name" in tool && tool.name === choice.name)) {
    // The chosen tool is run by the provider or is not offered: other APIs refuse such a choice.
    delete draft.settings.tool_choice;
    draft.sent.delete("tool_choice");
    dropped.push("tool_choice.name");
  }
  return { settings: draft.settings, sent: draft.sent };
}

/**
 * Refuses a request that depends on state at Anthropic. An answer without that state would answer another question.
 *
 * A thread cannot be continued, because threads are not kept here. The error tells the client so in the words after
 * which Anthropic's SDKs send the whole conversation.
 *
 * @throws GatewayError `not_found` for a thread, `invalid_request` for a `compaction`.
 */
function refuseState({ thread, compaction }: JsonObject): void {
  if (isObject(thread) && thread.type === "continue") {
    throw new GatewayError(
      "not_found",
      "Cannot continue the thread: only Anthropic keeps threads; send the whole conversation in messages",
      { param: "thread", metadata: { error_code: "thread_not_found" } },
    );
  }
  if (!isObject(compaction)) return;
  throw new GatewayError(
    "invalid_request",
    "Cannot send the request: only Anthropic's own models take compaction; let the client shorten the conversation",
    { param: "compaction" },
  );
}

// ---------------------------------------------------------------- one by one

function readChoice(value: unknown, draft: Draft): void {
  const choice = value as JsonObject;
  set(draft, "tool_choice", readToolChoice(choice));
  const { disable_parallel_tool_use: alone } = choice;
  if (alone === true) set(draft, "parallel_tool_calls", false, "tool_choice.disable_parallel_tool_use");
}

/**
 * Reads a thinking budget as a number, for models that accept one, and as the effort that it stands for, for all
 * others.
 */
function readThinking(value: unknown, draft: Draft): void {
  const { type, budget_tokens: budget, display } = value as JsonObject;
  const { settings } = draft;
  if (type === "disabled") set(draft, "reasoning_effort", "none", "thinking");
  else if (type === "enabled" && typeof budget === "number" && settings.reasoning_effort === undefined) {
    set(draft, "reasoning_effort", effortOf(budget), "thinking.budget_tokens");
    settings.reasoning_budget = budget;
  }
  if (type === "disabled") return;
  if (display === "omitted") settings.reasoning_summary = "none";
  else if (type === "enabled" || display === "summarized") settings.reasoning_summary = "auto";
}

function readOutputConfig(value: unknown, draft: Draft): void {
  for (const [member, given] of Object.entries(value as JsonObject)) {
    if (given === null) continue;
    const path = `output_config.${member}`;
    if (member === "format") readFormat(given, path, draft);
    else if (member !== "effort" || typeof given !== "string") draft.dropped.push(path);
    else if (draft.settings.reasoning_effort !== "none") {
      set(draft, "reasoning_effort", given, path);
      delete draft.settings.reasoning_budget;
    }
  }
}

function readFormat(value: unknown, path: string, draft: Draft): void {
  const format = needObject(value, path);
  if (format.type !== "json_schema") throw fault(`${path}.type`, '"json_schema"', format.type);
  const schema: Format = {
    type: "json_schema",
    // Anthropic's formats have no name; other APIs require one.
    name: "answer",
    schema: needObject(format.schema, `${path}.schema`),
    path,
  };
  set(draft, "response_format", schema, path);
}

/**
 * Reads `user_id`: the user becomes an opaque id, and the session becomes the key for prompt caches. Claude Code writes
 * JSON into `user_id`: `{device_id, account_uuid, session_id}`. The ids of device and account are hashed and never
 * sent.
 */
function readMetadata(value: unknown, draft: Draft): void {
  for (const [member, given] of Object.entries(value as JsonObject)) {
    if (given === null) continue;
    if (member !== "user_id" || typeof given !== "string") {
      draft.dropped.push(`metadata.${member}`);
      continue;
    }
    const parts = parseObject(given) ?? {};
    const who = text(parts.account_uuid) ?? text(parts.device_id) ?? given;
    const path = "metadata.user_id";
    set(draft, "safety_identifier", `user_${digest(hash(who))}${digest(hash(who, 1))}`, path);
    const session = text(parts.session_id);
    if (session !== undefined) set(draft, "prompt_cache_key", session.slice(0, 64), path);
  }
}
