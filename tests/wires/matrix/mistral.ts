/**
 * Mistral's models that reason, as they answer on chat completions: with a list of thoughts and texts in `content`.
 *
 * @see https://docs.mistral.ai/capabilities/reasoning/ (recorded 2026-07)
 */
import { type FakeProvider, FAKES } from "../shared.ts";

// deno-lint-ignore no-explicit-any -- OpenAI's form is changed into Mistral's.
type Any = any;

const openai = FAKES.find(({ provider, name }) => provider === "openai" && !name)!;
const thinking = (text: string) => ({ type: "thinking", thinking: [{ type: "text", text }] });

/** The same message with its thoughts in `content`. */
function inLists({ reasoning_content: thought, refusal: _, ...message }: Any): Any {
  if (thought === undefined) return message;
  const texts = message.content ? [{ type: "text", text: message.content }] : [];
  return { ...message, content: [thinking(thought), ...texts] };
}

export const mistral: FakeProvider = {
  ...openai,
  name: "mistral",
  provider: "mistral",
  model: "mistral-large-latest",
  same: undefined,
  whole(scenario) {
    const { choices: [{ message, ...choice }], ...answer } = openai.whole(scenario) as Any;
    return { ...answer, choices: [{ ...choice, message: inLists(message) }] };
  },
  stream: (scenario) =>
    openai.stream(scenario).map(({ data }: Any) => {
      if (typeof data === "string" || data.choices.length === 0) return { data };
      const [{ delta, ...choice }] = data.choices;
      return { data: { ...data, choices: [{ ...choice, delta: inLists(delta) }] } };
    }),
};
