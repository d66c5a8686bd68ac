/**
 * `env.AI` for a Worker with a service binding to Sluice:
 *
 * ```ts
 * import { ai } from "./sluice/ai.ts";
 *
 * const AI = ai(env.AI);
 * ```
 *
 * It needs no package. Copy this file with `gateway/ai.ts` and `gateway/binding.ts`.
 *
 * @module
 */
export { type Ai, ai, type AiRunOptions, type AiService } from "./gateway/ai.ts";
export type { GatewayBinding, RunOptions, RunSettings, UniversalStep } from "./gateway/binding.ts";
