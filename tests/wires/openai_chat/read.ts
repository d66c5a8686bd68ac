/** What `readCall()` reads of a chat request. */
import { checkCall, readCall } from "../../../wires/openai_chat/read_call.ts";
import type { Call, JsonObject } from "../../../wires/types.ts";

export const USER = { role: "user", content: "Hello" };

/** The call of a body with these fields. */
export function read(fields: JsonObject): Call {
  const body = { model: "p/m", messages: [USER], ...fields };
  checkCall(body);
  return readCall(body, "m");
}

/** The messages without members that are `undefined`, to compare them. */
export const bare = <T>(value: T): T => JSON.parse(JSON.stringify(value));
