/** Reads the content of a choice as a whole, whatever the order of its items. */
import { attachmentsOf } from "../../wires/openai_chat/attachments.ts";
import { collector as items } from "../../wires/streams/collect.ts";
import type { Answer, AnswerCall, Call, Choice, Emit } from "../../wires/types.ts";

/** A choice with its items joined by kind. */
export interface Gathered extends Choice, Omit<ReturnType<typeof attachmentsOf>, "signature"> {
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  readonly calls: AnswerCall[];
}

/** An answer whose choices can be read by kind. */
export type GatheredAnswer = Omit<Answer, "choices"> & { choices: Gathered[] };

const VIEWS: Record<string, (choice: Choice) => unknown> = {
  text: ({ items }) => items.map((item) => item.type === "text" ? item.text : "").join(""),
  refusal: ({ items }) => items.map((item) => item.type === "refusal" ? item.text : "").join(""),
  reasoning: ({ items }) =>
    items.map((item) => item.type === "thought" ? item.thought.text ?? "" : "").join(""),
  calls: ({ items }) => items.flatMap((item) => item.type === "tool" ? [item.call] : []),
  thoughts: (choice) => attachmentsOf(choice).thoughts,
  citations: (choice) => attachmentsOf(choice).citations,
  images: (choice) => attachmentsOf(choice).images,
};

/** Like the real one, with choices that can be read by kind. */
export function collector(): { emit: Emit; answer: GatheredAnswer } {
  const { emit, answer } = items();
  return {
    answer: answer as GatheredAnswer,
    emit(delta) {
      emit(delta);
      for (const choice of Object.values(answer.choices)) {
        if (Object.hasOwn(choice, "calls")) continue;
        for (const [name, view] of Object.entries(VIEWS)) {
          Object.defineProperty(choice, name, { get: () => view(choice), enumerable: true });
        }
      }
    },
  };
}

/** A call with only the members that change the form of its answer. */
export const callOf = (
  { includeUsage = false, legacyFunctions = false, model = "m", stream = true } = {},
): Call => ({
  wire: "openai",
  model,
  stream,
  includeUsage,
  messages: [],
  settings: {},
  sent: new Map(legacyFunctions ? [["tools", "functions"]] : []),
  dropped: [],
  extra: {},
});
