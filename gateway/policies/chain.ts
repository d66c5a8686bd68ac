/** The policies around each attempt. */
import { type Policy, type Send, sendStep } from "./attempt.ts";
import { begun } from "./begun.ts";
import { breaker } from "./breaker.ts";
import { cache } from "./cache.ts";
import { fallback } from "./fallback.ts";
import { limit } from "./limit.ts";
import { retry } from "./retry.ts";
import { timeout } from "./timeout.ts";

/**
 * The policies, outermost first. A new policy is a file beside these and a line here. A policy above `fallback` is called
 * once for each request, one below `retry` once for each attempt.
 */
export const POLICIES: readonly Policy[] = [
  cache,
  limit,
  fallback,
  breaker,
  retry,
  timeout,
  begun,
];

/** Composes policies around `send`. Called once for each gateway. */
export function chain(policies: readonly Policy[] = POLICIES, send: Send = sendStep): Send {
  return policies.reduceRight<Send>((next, policy) => policy(next), send);
}
