/**
 * Fits messages to OpenAI-compatible providers that refuse what clients return of other providers' answers: ids of
 * another form, reasoning, signatures.
 */
import { isObject, list } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";
import { ownDetails } from "./own_details.ts";

/** The members of messages that have ids of tool calls. */
export const TOOL_MEMBERS = ["tool_calls", "tool_call_id"];
/** The member of messages that has proofs of thoughts. */
export const PROOFS = "reasoning_details";

/** What a provider accepts in messages, if that is less than OpenAI accepts. */
export interface MessageRules {
  /**
   * By role: the members of messages that the provider accepts, beside `role` and `content`. Messages of other roles
   * stay unchanged. If this is set, a tool call is sent with `id`, `type`, `function` and `index` only.
   */
  members?: Readonly<Record<string, readonly string[]>>;
  /** Roles that must be renamed: from, to. Example: `developer` to `system`. */
  roles?: Readonly<Record<string, string>>;
  /** The provider accepts content only as one text. A list of text parts is joined with line breaks. */
  texts?: boolean;
  /** Turns the id of a tool call into one that the provider accepts. */
  toolId?: (id: string) => string;
  /** The provider passes proofs of thoughts on to their makers, so no other entries may stand among them. */
  proofs?: boolean;
}

/**
 * Fits messages to the rules.
 *
 * @param messages The client's messages, of any shape.
 * @param dropped Takes the client's paths of what is left out and not empty.
 * @returns `undefined` if nothing has to change.
 */
export function fitMessages(
  messages: unknown,
  rules: MessageRules,
  dropped: string[],
): unknown[] | undefined {
  const given = list(messages);
  const fitted = given.map((message, at) =>
    isObject(message) ? fitMessage(message, `messages[${at}]`, rules, dropped) : message
  );
  return fitted.some((message, at) => message !== given[at]) ? fitted : undefined;
}

/** Fits one message. Returns the same object if nothing has to change. */
function fitMessage(message: JsonObject, path: string, rules: MessageRules, dropped: string[]): JsonObject {
  const { members, roles = {}, texts = false, toolId = same, proofs = false } = rules;
  const { role } = message;
  const taken = members && typeof role === "string" && Object.hasOwn(members, role)
    ? members[role]
    : undefined;
  let out = taken ? keep(message, [...ANY, ...taken], path, dropped) : message;
  if (texts) out = joinTexts(out, path, dropped);
  const details = proofs ? ownDetails(out[PROOFS], `${path}.${PROOFS}`, dropped) : undefined;
  if (details) out = { ...out, [PROOFS]: details };
  const { tool_call_id: id, tool_calls: calls } = out;
  if (typeof role === "string" && Object.hasOwn(roles, role)) out = { ...out, role: roles[role] };
  if (typeof id === "string" && toolId(id) !== id) out = { ...out, tool_call_id: toolId(id) };
  if (!Array.isArray(calls)) return out;
  const fitted = calls.map((call, at) => {
    if (!isObject(call)) return call;
    const kept = members ? keep(call, CALL, `${path}.tool_calls[${at}]`, dropped) : call;
    return typeof kept.id === "string" && toolId(kept.id) !== kept.id
      ? { ...kept, id: toolId(kept.id) }
      : kept;
  });
  return fitted.some((call, at) => call !== calls[at]) ? { ...out, tool_calls: fitted } : out;
}

/** Joins the content of a message into one text if it is a list of text parts only. */
function joinTexts(message: JsonObject, path: string, dropped: string[]): JsonObject {
  const { content } = message;
  if (!Array.isArray(content) || !content.every((part) => isObject(part) && isTextPart(part))) return message;
  const parts = content.map((part, at) => keep(part, ["text", "type"], `${path}.content[${at}]`, dropped));
  return { ...message, content: parts.map(({ text }) => text).join("\n") };
}

const isTextPart = ({ type, text }: JsonObject) => type === "text" && typeof text === "string";

const ANY = ["content", "role"];
const CALL = ["function", "id", "index", "type"];

const same = (id: string) => id;

function keep(holder: JsonObject, members: readonly string[], path: string, dropped: string[]): JsonObject {
  const others = Object.keys(holder).filter((name) => !members.includes(name));
  if (others.length === 0) return holder;
  for (const name of others) if (!isNothing(holder[name])) dropped.push(`${path}.${name}`);
  return Object.fromEntries(Object.entries(holder).filter(([name]) => members.includes(name)));
}

/** Whether a value is one that SDKs write for an absent member: `refusal: null`, `annotations: []`. */
const isNothing = (value: unknown) =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0);
