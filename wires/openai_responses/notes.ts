import type { OpenAIModel } from "../shared/openai_models.ts";
import { shortId } from "../shared/tool_id.ts";

/** What the writers of input items need and record. */
export interface Notes {
  model?: OpenAIModel;
  /** The format name of the thoughts that may be sent. */
  maker: string;
  dropped: string[];
  /** The ids of the thoughts that were written: OpenAI refuses an id that comes twice. */
  thoughts: Set<string>;
}

/** The most characters of a `call_id`. */
const MOST_ID = 64;

/** Fits the id of a tool call to OpenAI's limit. It is the same for the tool call and its result. */
export const callId = (id: string): string => shortId(id, MOST_ID);
