/** Whatever becomes of a request, what it held is free again, and it counts once. */
import { assert, assertEquals } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { before, chunk, completion, events, messages, post, refusal, ROOT, type Sent } from "../../fakes.ts";
import { model, rate, start } from "../targets/routes/graphs.ts";

const TOKEN = { authorization: "Bearer spending-token" };
const MODEL = "openai/gpt-4.1";
/** A token costs a tenth of a cent. */
const RATES = { input: 1000, output: 1000 };
const NOW = Date.UTC(2026, 10, 24);

/** Requests that are answered with a stream, each at another door. */
const DOORS: Record<string, (model: string) => Request> = {
  chat: (model) =>
    post(`${ROOT}/compat/chat/completions`, { model, messages, max_tokens: 9, stream: true }, TOKEN),
  "chat with a fallback": (model) =>
    post(`${ROOT}/compat/chat/completions`, { model, messages, max_tokens: 9, stream: true }, {
      ...TOKEN,
      "sluice-fallback": "groq/llama",
      "cf-aig-max-attempts": "2",
    }),
  Messages: (model) =>
    post(`${ROOT}/compat/messages`, { model, messages, max_tokens: 9, stream: true }, TOKEN),
  Responses: (model) =>
    post(`${ROOT}/compat/responses`, { model, input: "Hi", max_output_tokens: 9, stream: true }, TOKEN),
  universal: (model) =>
    post(ROOT, [{
      provider: "compat",
      endpoint: "chat/completions",
      headers: {},
      query: { model, messages, max_tokens: 9, stream: true },
    }], TOKEN),
  "a route with a budget": () =>
    post(
      `${ROOT}/compat/chat/completions`,
      { model: "dynamic/r", messages, max_tokens: 9, stream: true },
      TOKEN,
    ),
  "a provider's own path": () =>
    post(
      `${ROOT}/openai/chat/completions`,
      { model: "gpt-4.1", messages, max_tokens: 9, stream: true },
      TOKEN,
    ),
};

const usage = `data: ${
  JSON.stringify({ choices: [], usage: { prompt_tokens: 2, completion_tokens: 3 } })
}\n\n`;
const call = (more: object) => chunk({ tool_calls: [{ index: 0, ...more }] });
const BEGUN = [
  chunk({ role: "assistant", content: "" }),
  chunk({ content: "Hi" }),
  call({ id: "call_1", type: "function", function: { name: "f", arguments: "" } }),
  call({ function: { arguments: '{"a"' } }),
];

/** A part of a stream that makes the client leave when it is waited for, and never comes. */
const leaves = (leave: () => void) => ({ then: leave }) as unknown as Promise<never>;

/** What becomes of the provider's answer. */
const ENDS: Record<string, (leave: () => void, sent: Sent) => Response | Promise<Response>> = {
  "it ends well": () => events(...BEGUN, chunk({}, "tool_calls"), usage, "data: [DONE]\n\n"),
  "it ends without a usage": () => events(...BEGUN, chunk({}, "tool_calls"), "data: [DONE]\n\n"),
  "the client leaves before its first byte": (leave) => events(leaves(leave)),
  "the client leaves before the answer's head": (leave, { signal }) => {
    queueMicrotask(leave);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  },
  "the client leaves in a tool call": (leave) => events(...BEGUN, leaves(leave)),
  "the client leaves after the usage": (leave) =>
    events(...BEGUN, chunk({}, "tool_calls"), usage, leaves(leave)),
  "it breaks in a tool call": () => events(...BEGUN, new TypeError("reset")),
  "it ends in a tool call": () => events(...BEGUN),
  "it breaks before its first byte": () => events(new TypeError("reset")),
  "it holds an error": () =>
    events(...BEGUN.slice(0, 2), `data: ${JSON.stringify({ error: { message: "no" } })}\n\n`),
  "it is refused": () => refusal(500),
  "it is refused for good": () => refusal(400),
  "there is none": () => Promise.reject(new TypeError("no route")),
  "it is a page": () => new Response("<html>", { headers: { "content-type": "text/html" } }),
  "it is whole": () => completion(),
};

for (const [door, request] of Object.entries(DOORS)) {
  for (const [end, answer] of Object.entries(ENDS)) {
    Deno.test(`${door}: if ${end}, nothing stays held, and the request counts once`, async () => {
      const kept = new Map<string, { value: number; until: number }>();
      const leaving = new AbortController();
      const left = new Promise<void>((resolve) => leaving.signal.addEventListener("abort", () => resolve()));
      const options: Options = {
        keys: { openai: "sk-stored", groq: "gsk-stored", mistral: "m-stored" },
        tokens: [{
          token: "spending-token",
          name: "t",
          limits: { rpm: 100, tpm: 100_000, open: 9 },
          budgets: [{ limitUsd: 1, window: "day" }],
        }],
        retries: { retryDelayMs: 0 },
        now: () => NOW,
        store: { counters: memoryCounters(() => NOW, kept) },
        routes: {
          r: [
            start("b"),
            rate("b", 1, "m1", "m2", { limitType: "cost" }),
            model("m1", MODEL, "m2"),
            model("m2", "groq/llama"),
          ],
        },
        prices: { [MODEL]: RATES, "groq/llama": RATES, "mistral/m": RATES },
      };
      const { fetch, sent } = before((sent) => answer(() => leaving.abort(), sent), options);
      const asked = request(door === "Responses" ? "mistral/m" : MODEL);
      const response = await fetch(new Request(asked, { signal: leaving.signal }));
      const reader = response.body?.getReader();
      const whole = (async () => {
        while (reader && !(await reader.read()).done);
      })().catch(() => {});
      await Promise.race([whole, left]);
      await reader?.cancel().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve));
      const sum = (part: RegExp) =>
        [...kept].reduce((sum, [key, { value }]) => part.test(key) ? sum + value : sum, 0);
      assertEquals([sum(/^open:/), sum(/^held:/), sum(/:held:/), sum(/^requests\//)], [0, 0, 0, 1]);
      const spent = sum(/^spent:/) / 1e6;
      assert(sent.length > 0 && spent <= 100, `${spent}`);
      if (end === "it ends well") assertEquals(spent, 5);
      // On a provider's own path any answer may be right.
      const isFailure = /refused|none/.test(end) || end === "it is a page" && !door.startsWith("a provider");
      if (isFailure) assertEquals(spent, 0);
    });
  }
}
