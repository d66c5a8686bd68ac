/** How a row speaks chat completions. */
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import type { Provider, SpokenChat } from "../../providers/types.ts";

/** Chat completions as a provider's usual wire; `undefined` for a provider whose usual wire is another. */
export const chatOf = ({ wires: [first] }: Provider): SpokenChat | undefined =>
  first.wire === openaiChat ? first as SpokenChat : undefined;
