/** Short ways to write routes in tests. */
import type { RouteElement } from "../../../../gateway/setup/routes_option.ts";

/** Outputs by name, each with the id of the next element. */
const outputs = (to: Record<string, string>): RouteElement["outputs"] =>
  Object.fromEntries(Object.entries(to).map(([name, elementId]) => [name, { elementId }]));

export const start = (next: string): RouteElement => ({
  id: "start",
  type: "start",
  outputs: outputs({ next }),
});

export const end: RouteElement = { id: "end", type: "end", outputs: {} };

/** A model, named as `{provider}/{model}`. */
export function model(id: string, name: string, fallback?: string, more: object = {}): RouteElement {
  const slash = name.indexOf("/");
  const properties = { provider: name.slice(0, slash), model: name.slice(slash + 1), ...more };
  return { id, type: "model", properties, outputs: outputs(fallback === undefined ? {} : { fallback }) };
}

export const conditional = (id: string, conditions: unknown, yes: string, no: string): RouteElement => ({
  id,
  type: "conditional",
  properties: { conditions },
  outputs: outputs({ true: yes, false: no }),
});

export const percentage = (id: string, shares: Record<string, string>): RouteElement => ({
  id,
  type: "percentage",
  outputs: outputs(shares),
});

/** A limit on requests, or with more properties on cost. */
export const rate = (
  id: string,
  limit: number,
  success: string,
  fallback?: string,
  more: object = {},
): RouteElement => ({
  id,
  type: "rate",
  properties: { limitType: "count", key: "metadata.user_id", limit, window: 3600, ...more },
  outputs: outputs(fallback === undefined ? { success } : { success, fallback }),
});

/** Cloudflare's example of a whole route, with other models. */
export const SUPPORT: RouteElement[] = [
  start("c1"),
  conditional("c1", { "metadata.plan": { $eq: "paid" } }, "r1", "p1"),
  percentage("p1", { "90%": "m1", "10%": "m2" }),
  rate("r1", 2, "m2", "m1"),
  {
    ...model("m1", "groq/llama", "end", { timeout: 30000, retries: 0 }),
    outputs: outputs({ success: "end", fallback: "end" }),
  },
  {
    ...model("m2", "openai/gpt-6", "m1", { timeout: 0, retries: 2 }),
    outputs: outputs({ success: "end", fallback: "m1" }),
  },
  end,
];
