/**
 * OpenAI's Responses, a request that is handed through: removes what other providers' models left in earlier turns.
 *
 * Providers refuse what they have not sealed. Sluice marks what it seals for other providers (`shared/envelope.ts`) and
 * removes it here, so that a conversation can move to OpenAI's models at any turn.
 */
import { isEnvelope, unseal } from "../shared/envelope.ts";
import { isObject, objects } from "../shared/json.ts";
import { unpackToolId } from "../shared/tool_id.ts";
import type { JsonObject, Receiver } from "../types.ts";
import { SUMMARY, summaryText } from "./read_input.ts";

/**
 * The new values of the fields that must change, by name. Reasoning of other providers is removed, for OpenAI including
 * its text, because OpenAI looks for a stored item with that id. A summary becomes text of the user.
 *
 * @param get Reads a field of the body.
 */
export function withoutForeign(
  get: (field: string) => unknown,
  { isAuthor }: Receiver,
): Map<string, unknown> {
  const input = get("input");
  if (!Array.isArray(input)) return new Map();
  let isChanged = false;
  const kept = input.flatMap((item): unknown[] => {
    if (!isObject(item)) return [item];
    const own = keepItem(item, isAuthor);
    if (own.length !== 1 || own[0] !== item) isChanged = true;
    return own;
  });
  return isChanged ? new Map([["input", kept]]) : new Map();
}

function keepItem(item: JsonObject, isAuthor: boolean): JsonObject[] {
  const { call_id: callId, encrypted_content: sealed } = item;
  if (typeof callId === "string") {
    // An id that carries a signature is longer than OpenAI accepts.
    const { id } = unpackToolId(callId);
    return id === callId ? [item] : [{ ...item, call_id: id }];
  }
  if (!isEnvelope(sealed)) return [item];
  if (item.type === "reasoning") {
    const says = objects(item.content).length + objects(item.summary).length > 0;
    const { encrypted_content: _, ...rest } = item;
    return isAuthor || !says ? [] : [rest];
  }
  const thought = unseal(sealed)?.thought;
  if (thought?.format !== SUMMARY) return [item];
  const text = summaryText(thought.redacted ?? "");
  return [{ type: "message", role: "user", content: [{ type: "input_text", text }] }];
}
