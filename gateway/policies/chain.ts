/** The policies around each attempt. */
import { type Policy, type Send, sendStep } from "./attempt.ts";
import { begun } from "./begun.ts";
import { fallback } from "./fallback.ts";
import { retry } from "./retry.ts";
import { timeout } from "./timeout.ts";

/** Outermost first. A new policy is a file beside these and a line here: above `fallback` it sees a request once. */
export const POLICIES: readonly Policy[] = [
  fallback,
  retry,
  timeout,
  begun,
];

/** Composes policies around `send`. Called once for each gateway. */
export function chain(policies: readonly Policy[] = POLICIES, send: Send = sendStep): Send {
  return policies.reduceRight<Send>((next, policy) => policy(next), send);
}
