/** Reads the settings of a call that a span tells: numbers and words, never content. */
import { isObject } from "../../wires/shared/json.ts";

/** The settings in a call's body. */
export interface Asked {
  stream?: true;
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  seed?: number;
  choices?: number;
  reasoning?: string;
  conversation?: string;
  previousResponse?: string;
}

const LONGEST = 200;

const number = (value: unknown) => typeof value === "number" && Number.isFinite(value) ? value : undefined;

const whole = (value: unknown) => Number.isSafeInteger(value) ? value as number : undefined;

const word = (value: unknown) => typeof value === "string" && value ? value.slice(0, LONGEST) : undefined;

/**
 * The settings of a call in any of the clients' formats.
 *
 * @param get Returns a member of the body; may throw for one that is not valid JSON.
 */
export function askedOf(get: (field: string) => unknown): Asked {
  const read = (field: string) => {
    try {
      return get(field);
    } catch {
      return undefined;
    }
  };
  const member = (field: string, name: string) => {
    const value = read(field);
    return isObject(value) ? value[name] : undefined;
  };
  const choices = whole(read("n"));
  return {
    stream: read("stream") === true || undefined,
    maxTokens: whole(read("max_completion_tokens")) ?? whole(read("max_tokens")) ??
      whole(read("max_output_tokens")),
    temperature: number(read("temperature")),
    topP: number(read("top_p")),
    topK: whole(read("top_k")),
    frequencyPenalty: number(read("frequency_penalty")),
    presencePenalty: number(read("presence_penalty")),
    seed: whole(read("seed")),
    choices: choices === 1 ? undefined : choices,
    reasoning: word(read("reasoning_effort")) ?? word(member("reasoning", "effort")) ??
      word(member("output_config", "effort")),
    conversation: word(read("conversation")) ?? word(member("conversation", "id")),
    previousResponse: word(read("previous_response_id")),
  };
}
