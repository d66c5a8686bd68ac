/** The option `breaker`: its schema, and the memory of targets that it asks for. */
import * as v from "npm:valibot@1.5.0";
import { type Breaker, breakerOf, type BreakerSettings } from "../policies/target_states.ts";

const ms = v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(86_400_000)));

/** The schema of the option. */
export const breakerOption = v.strictObject({
  failures: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000))),
  share: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  windowMs: ms,
  openMs: ms,
});

const USUAL: BreakerSettings = { failures: 5, share: 0.5, windowMs: 60_000, openMs: 30_000 };

/** The memory of targets; `undefined` without the option. */
export function breakerFor(
  option: v.InferOutput<typeof breakerOption> | undefined,
  timer: () => number,
): Breaker | undefined {
  if (!option) return undefined;
  const given = Object.entries(option).filter(([, value]) => value !== undefined);
  return breakerOf({ ...USUAL, ...Object.fromEntries(given) }, timer);
}
