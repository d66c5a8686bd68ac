/**
 * Anthropic Messages, the client's half: reads a request's body into a neutral call.
 *
 * Reads what Anthropic's reference allows and what Claude Code sends beyond it. Other fields are left out and named.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import * as v from "npm:valibot@1.5.0";
import { check } from "../shared/faults.ts";
import type { Call, JsonObject } from "../types.ts";
import { readSettings } from "./read_settings.ts";
import { isPlainTalk, MESSAGES, readTurns, SYSTEM } from "./read_turns.ts";

const optional = <const S extends v.GenericSchema>(schema: S) => v.nullish(schema);
const object = v.looseObject({});
/** JavaScript reads `1e999` as Infinity, which JSON would write as `null`. */
const number = v.pipe(v.number(), v.finite());

/** What every request must have, whichever wire it is sent to. */
export const DOOR = v.looseObject({ messages: MESSAGES, stream: optional(v.boolean()) });

/** The types of the fields that are read. Every other field is left out and named. */
export const BODY = v.looseObject({
  context_management: optional(object),
  max_tokens: optional(number),
  metadata: optional(object),
  output_config: optional(object),
  output_format: optional(object),
  service_tier: optional(v.string()),
  stop_sequences: optional(v.array(v.string())),
  system: optional(SYSTEM),
  temperature: optional(number),
  thinking: optional(object),
  tool_choice: optional(object),
  tools: optional(v.array(object)),
  top_k: optional(number),
  top_p: optional(number),
});

/**
 * Checks what every request must have: a conversation, and a boolean `stream` if there is one.
 *
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault, e.g. `messages[2].content`.
 */
export function checkCall(body: JsonObject): void {
  const { messages, stream } = body;
  if (isPlainTalk(messages) && (stream === undefined || typeof stream === "boolean")) return;
  check(DOOR, body);
}

/**
 * Checks the fields that were sent, one by one: checking with the whole schema would visit all its fields and copy the
 * body.
 */
function checkFields(body: JsonObject): void {
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(BODY.entries, field)) continue;
    // Checks again, because this throws the error with the path of the fault.
    if (!v.is(BODY.entries[field as keyof typeof BODY.entries], body[field])) check(BODY, body);
  }
}

/**
 * Reads a body that has passed `checkCall`.
 *
 * @param model The provider's name for the model.
 * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
 */
export function readCall(body: JsonObject, model: string): Call {
  const dropped: string[] = [];
  checkFields(body);
  const turns = readTurns(body, { dropped });
  const { settings, sent } = readSettings(body, turns, dropped);
  return {
    wire: "anthropic",
    model,
    stream: body.stream === true,
    includeUsage: true,
    messages: turns.messages,
    settings,
    sent,
    dropped,
    extra: {},
  };
}
