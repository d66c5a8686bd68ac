/**
 * Messages for those OpenAI-compatible providers that refuse what clients hand back of other providers' answers, our own
 * among them: ids in another form, reasoning, signatures.
 */
import { isObject, list } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";

/** The members of messages that hold ids of calls. */
export const TOOL_MEMBERS = ["tool_calls", "tool_call_id"];

/** What a provider takes in messages, where that is less than OpenAI takes. */
export interface MessageRules {
  /**
   * Members of messages that it takes, beside `role` and `content`, by role; messages of other roles are left alone. Of
   * tool calls it gets `id`, `type`, `function` and `index` then.
   */
  members?: Readonly<Record<string, readonly string[]>>;
  /** Roles that it knows by another name, e.g. `developer` as `system`. */
  roles?: Readonly<Record<string, string>>;
  /** It takes content as text alone: a list that holds only text is sent as one text, with line breaks between its parts. */
  texts?: boolean;
  /** Writes a call's id as one that it takes. */
  toolId?: (id: string) => string;
}

/**
 * Brings messages within the rules.
 *
 * @param messages As the client wrote them, of any shape.
 * @param dropped Takes the paths of what is left out and said something.
 * @returns Nothing if they are so already.
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

/** The same object, if nothing has to change. */
function fitMessage(message: JsonObject, path: string, rules: MessageRules, dropped: string[]): JsonObject {
  const { members, roles = {}, texts = false, toolId = same } = rules;
  const { role } = message;
  const taken = members && typeof role === "string" && Object.hasOwn(members, role)
    ? members[role]
    : undefined;
  let out = taken ? keep(message, [...ANY, ...taken], path, dropped) : message;
  if (texts) out = joinTexts(out, path, dropped);
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

/** A message whose content is a list of text parts alone, with one text in place of it. */
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

/** What SDKs write where there is nothing: `refusal: null`, `annotations: []`. */
const isNothing = (value: unknown) =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0);
