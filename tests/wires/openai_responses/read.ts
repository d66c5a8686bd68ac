/** What `readCall()` reads of a request of Responses. */
import { openaiResponses } from "../../../wires/openai_responses/mod.ts";
import type { Call, JsonObject } from "../../../wires/types.ts";

export function read(body: JsonObject): Call {
  openaiResponses.checkCall(body);
  return openaiResponses.readCall(body, "m");
}

/** Messages without their paths. */
export const bare = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, member) => /[pP]ath$/.test(key) ? undefined : member));

export const text = (said: string) => ({ type: "text", text: said });

export const said = (...parts: unknown[]) => ({ role: "assistant", parts, thoughts: [], calls: [] });
