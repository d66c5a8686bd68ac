/**
 * What a client may ask for: one entry for each method of each path. `deno task documents` makes the OpenAPI document from it, and
 * takes the body and the errors from the doors. A test holds this list against them.
 */
import { MODEL_OPERATIONS } from "./model_operations.ts";
import type { Operation } from "./operation.ts";
import { MANAGEMENT_OPERATIONS } from "./management_operations.ts";
import { OWN_OPERATIONS } from "./own_operations.ts";

export { type Operation, TAGS } from "./operation.ts";

export const OPERATIONS: readonly Operation[] = [
  ...MODEL_OPERATIONS,
  ...OWN_OPERATIONS,
  ...MANAGEMENT_OPERATIONS,
];

/** A header that a client may send beside the body. */
export interface Header {
  does: string;
  /** What it may hold: a text, `true` or `false`, or a whole number from `least` to `most`. */
  is: "text" | "switch" | { least: number; most: number };
}

export const HEADERS: Readonly<Record<string, Header>> = {
  "cf-aig-authorization": {
    does: "Bearer TOKEN: the gateway's token, beside a provider's own key.",
    is: "text",
  },
  "cf-aig-cache-ttl": { does: "Seconds for which the answer is kept.", is: { least: 60, most: 2_678_400 } },
  "cf-aig-cache-key": { does: "The request's key in the cache, in place of its body.", is: "text" },
  "cf-aig-skip-cache": { does: "The answer is neither read from the cache nor kept.", is: "switch" },
  "cf-aig-metadata": { does: "JSON: up to five values that the row of the request keeps.", is: "text" },
  "cf-aig-request-timeout": {
    does: "Milliseconds within which the first part of the answer must come.",
    is: { least: 1, most: 2_147_483_647 },
  },
  "cf-aig-max-attempts": { does: "Attempts in all.", is: { least: 1, most: 5 } },
  "sluice-strict": { does: "A field that the target does not have is an error.", is: "switch" },
  "sluice-explain": { does: "Tells what would be sent, without a call.", is: "switch" },
};
