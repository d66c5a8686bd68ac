/** The limits of routes, while the store of counts is down. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { RouteElement } from "../../../gateway/setup/routes_option.ts";
import { ask, before, clock, completion } from "../../fakes.ts";
import { model, rate, start } from "../targets/routes/graphs.ts";

const COST = { limitType: "cost", limit: 0.05, window: 60 };
const FIRST = model("m1", "openai/gpt-6"), SECOND = model("m2", "groq/llama");

/** Sends a request by a route, and tells which model has answered. */
async function send(...elements: RouteElement[]) {
  const { error } = console;
  console.error = () => {};
  const { fetch, sent } = before(() => completion(), {
    keys: { openai: "sk-stored", groq: "gsk-stored" },
    store: { counters: { take: () => Promise.reject(new Error("password")) } },
    tokens: ["gateway-token"],
    routes: { r: [start("b"), ...elements] },
    logs: false,
    ...clock().options,
  });
  const response = await fetch(ask("dynamic/r", { authorization: "Bearer gateway-token" }));
  const text = await response.text();
  console.error = error;
  const { status, headers } = response;
  return { status, model: headers.get("cf-aig-model"), wait: headers.get("retry-after"), text, sent };
}

Deno.test("while the store of counts is down, a limit on requests lets them pass", async () => {
  assertEquals((await send(rate("b", 0, "m1", "m2"), FIRST, SECOND)).model, "gpt-6");
  assertEquals((await send(rate("b", 0, "m1"), FIRST)).model, "gpt-6");
});

Deno.test("while the store of counts is down, nothing passes a limit on cost", async () => {
  assertEquals((await send(rate("b", 0, "m1", "m2", COST), FIRST, SECOND)).model, "llama");
  const { status, wait, text, sent } = await send(rate("b", 0, "m1", undefined, COST), FIRST);
  assertEquals([status, wait, sent.length], [503, "1", 0]);
  assertStringIncludes(text, 'the store that counts at \\"b\\" of its route failed');
  assertEquals(text.includes("password"), false);
});
