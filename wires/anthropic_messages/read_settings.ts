/**
 * Anthropic Messages, the client's half: what a request sets beside the conversation.
 *
 * Fields that are not here mean something to Anthropic alone (containers, skills, fallbacks, where to infer …): they are left
 * out and named.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0, with its betas and what earlier versions had (`temperature`, `output_format`).
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { GatewayError } from "../errors.ts";
import { fault, needObject } from "../shared/faults.ts";
import { isObject, objects, parseObject, text } from "../shared/json.ts";
import type { Call, Format, JsonObject, Settings } from "../types.ts";
import { readToolChoice, readTools } from "./read_tools.ts";
import type { ReadTurns } from "./read_turns.ts";
import { effortOf } from "../shared/gateway_fields.ts";
import { digest, hash } from "../shared/hash.ts";

/** A call's settings while they are read. */
interface Draft {
  settings: Settings;
  sent: Call["sent"];
  dropped: string[];
  turns: ReadTurns;
}

type FieldReader = (value: unknown, draft: Draft, body: JsonObject) => void;

/** Sets a setting, and notes the client's path of it. */
function set<Name extends keyof Settings>(
  { settings, sent }: Draft,
  name: Name,
  value: Settings[Name],
  path: string = name,
): void {
  settings[name] = value;
  sent.set(name, path);
}

/** Fields that say nothing to another maker at any value. */
const SILENT: FieldReader = () => {};

const FIELDS: Readonly<Record<string, FieldReader>> = {
  messages: SILENT,
  model: SILENT,
  stream: SILENT,
  system: SILENT,
  // The list of betas travels in a header.
  betas: SILENT,
  /** None is what warms a cache: no other API has it, and one token is nearest. */
  max_tokens: (value, draft) => set(draft, "max_tokens", Math.max(1, value as number)),
  temperature: (value, draft) => set(draft, "temperature", value as number),
  top_p: (value, draft) => set(draft, "top_p", value as number),
  top_k: (value, draft) => set(draft, "top_k", value as number),
  stop_sequences(value, draft) {
    if ((value as string[]).length > 0) set(draft, "stop", value as string[], "stop_sequences");
  },
  tools(value, draft) {
    const tools = readTools(value as JsonObject[], draft.turns.loaded, draft.dropped);
    if (tools.length > 0) set(draft, "tools", tools);
  },
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
      // Every thought is kept here anyway.
      if (!keepsAll(edit)) dropped.push(`context_management.edits[${at}]`);
    });
  },
};

const keepsAll = ({ type, keep }: JsonObject) =>
  typeof type === "string" && type.startsWith("clear_thinking") &&
  (keep === "all" || isObject(keep) && keep.type === "all");

/** Reads the settings of a body whose types were checked. */
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
  // The effort of the last message that names one counts, and thinking that is off stays off.
  if (turns.effort && draft.settings.reasoning_effort !== "none") {
    set(draft, "reasoning_effort", turns.effort.value, turns.effort.path);
    delete draft.settings.reasoning_budget;
  }
  const { tool_choice: choice, tools } = draft.settings;
  if (typeof choice === "object" && !tools?.some((tool) => "name" in tool && tool.name === choice.name)) {
    // A tool that the provider runs, or one that is not offered: other APIs refuse the choice of it.
    delete draft.settings.tool_choice;
    draft.sent.delete("tool_choice");
    dropped.push("tool_choice.name");
  }
  return { settings: draft.settings, sent: draft.sent };
}

/**
 * Refuses what only the server that holds it can go on with: an answer without it would be an answer to another question. A
 * thread that begins here is not kept, and its next turn is told so in the words after which Anthropic's SDKs send the whole
 * conversation.
 *
 * @throws GatewayError `not_found`, `invalid_request`
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

/** A budget is told as a number to those who take one, and as the effort that it comes to to all others. */
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
    // Others ask for a name.
    name: "answer",
    schema: needObject(format.schema, `${path}.schema`),
    path,
  };
  set(draft, "response_format", schema, path);
}

/**
 * `user_id` as an opaque name of the user, and the session as what caches may go by. Claude Code writes JSON into it:
 * `{device_id, account_uuid, session_id}`. Device and account stay here.
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
