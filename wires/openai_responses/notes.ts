/** What the writers of input items share. */
import type { OpenAIModel } from "../shared/openai_models.ts";
import { shortId } from "../shared/tool_id.ts";

/** What is known while items are written. */
export interface Notes {
  model?: OpenAIModel;
  /** The format of the thoughts that may be sent. */
  maker: string;
  dropped: string[];
  /** Ids of the thoughts that were sent: OpenAI refuses one that comes twice. */
  thoughts: Set<string>;
}

/** Characters of a `call_id`. */
const MOST_ID = 64;

/** A call's id as OpenAI takes it, the same for the call and its result. */
export const callId = (id: string): string => shortId(id, MOST_ID);
