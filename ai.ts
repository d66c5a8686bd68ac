/**
 * `env.AI` in a Worker whose service binding leads to Sluice:
 *
 * ```ts
 * import { ai } from "./sluice/ai.ts";
 *
 * const AI = ai(env.AI);
 * ```
 *
 * It needs no package and no other part of Sluice.
 *
 * @module
 */
export { type Ai, ai, type AiRunOptions, type AiService } from "./gateway/ai.ts";
export type { GatewayBinding, RunOptions, RunSettings, UniversalStep } from "./gateway/binding.ts";
