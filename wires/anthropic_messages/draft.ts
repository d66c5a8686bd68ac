/** Anthropic Messages, the provider's half: a request that is being written. */
import type { JsonObject } from "../types.ts";
import type { ClaudeModel } from "../shared/claude_models.ts";
import type { Enforced } from "./strict_limits.ts";
import type { Notes } from "./write_parts.ts";
import type { ThinkingPlan } from "./write_thinking.ts";
/** A body while it is written, and the state that its writers share. */
export interface Draft extends Notes {
  body: JsonObject;
  model: ClaudeModel;
  thinking: ThinkingPlan;
  /** What the API is asked to enforce. */
  enforced: Enforced;
  /** Instructions in words, for what the API has no field for. */
  words: string[];
  /** Servers of tools that other wires' clients named. */
  servers: JsonObject[];
}
