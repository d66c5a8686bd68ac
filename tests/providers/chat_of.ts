/** Finds the chat completions of a row. */
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import type { Provider, SpokenChat } from "../../providers/types.ts";

/** A provider's usual wire if it is chat completions, else `undefined`. */
export const chatOf = ({ wires: [first] }: Provider): SpokenChat | undefined =>
  first.wire === openaiChat ? first as SpokenChat : undefined;
