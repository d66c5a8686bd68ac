import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { PACKED } from "../../providers/prices/data.ts";
import { type Cost, costOf, findModel, isCost, readPrices } from "../../providers/prices/table.ts";
import { unpack } from "../../providers/prices/unpack.ts";
import { PROVIDERS } from "../../providers/table.ts";
import type { Usage } from "../../wires/types.ts";
import { moduleOf, tableOf } from "../prices.ts";

const NONE: Usage = {
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  audioIn: 0,
  output: 0,
  reasoning: 0,
  audioOut: 0,
};
const COST: Cost = {
  input: 2,
  output: 10,
  cache_read: 0.2,
  cache_write: 2.5,
  cache_write_1h: 4,
  reasoning: 12,
  input_audio: 32,
  output_audio: 64,
  above: { context: 1000, input: 4, output: 15 },
  priority: { input: 4, output: 20 },
  flex: { input: 1, output: 5 },
  batch: { input: 1, output: 5 },
};
const of = (usage: Partial<Usage>, cost: Cost = COST, tier?: string) =>
  Math.round(costOf({ ...NONE, ...usage }, cost, tier) * 1e9);

Deno.test("costOf() takes each kind of token at its own rate", () => {
  assertEquals(of({ input: 100 }), 200_000);
  assertEquals(of({ cacheRead: 100 }), 20_000);
  assertEquals(of({ cacheWrite: 100 }), 250_000);
  assertEquals(of({ cacheWrite: 100, cacheWriteHour: 40 }), 150_000 + 160_000);
  assertEquals(of({ audioIn: 100 }), 3_200_000);
  assertEquals(of({ output: 100 }), 1_000_000);
  assertEquals(of({ reasoning: 100 }), 1_200_000);
  assertEquals(of({ audioOut: 100 }), 6_400_000);
  assertEquals(of({ input: 1, output: 1, reasoning: 1 }), 2_000 + 10_000 + 12_000);
});

Deno.test("costOf() takes the usual rate for a kind of token without a rate", () => {
  const plain: Cost = { input: 2, output: 10 };
  const all = { input: 1, cacheRead: 1, cacheWrite: 2, cacheWriteHour: 1, audioIn: 1 };
  assertEquals(of(all, plain), 5 * 2000);
  assertEquals(of({ output: 1, reasoning: 1, audioOut: 1 }, plain), 3 * 10_000);
  assertEquals(of({ cacheWrite: 2, cacheWriteHour: 1 }, { ...plain, cache_write: 3 }), 2 * 3000);
});

Deno.test("costOf() takes the rates of a long prompt for the whole request, and those of a tier", () => {
  assertEquals(of({ input: 1000, output: 1 }), 2_000_000 + 10_000);
  assertEquals(of({ input: 900, cacheRead: 101, output: 1 }), 3_600_000 + 20_200 + 15_000);
  assertEquals(of({ input: 1, output: 1 }, COST, "priority"), 4_000 + 20_000);
  assertEquals(of({ input: 1, output: 1 }, COST, "flex"), 1_000 + 5_000);
  assertEquals(of({ input: 1, output: 1 }, COST, "batch"), 1_000 + 5_000);
  assertEquals(of({ input: 1, output: 1 }, COST, "default"), 2_000 + 10_000);
  assertEquals(of({ input: 1, output: 1 }, { input: 2, output: 10 }, "priority"), 12_000);
});

Deno.test("findModel() finds a model by its exact name, else without the date behind it", () => {
  const other = { cost: { input: 1, output: 1 } };
  const table = new Map([["openai", new Map([["gpt-x", { cost: COST }], ["gpt-x-2026-01-01", other]])]]);
  assertEquals(findModel(table, "openai", "gpt-x"), { cost: COST });
  assertEquals(findModel(table, "openai", "gpt-x-2026-01-01"), other);
  for (const name of ["gpt-x-2026-03-05", "gpt-x-20260305", "gpt-x@20260305", "gpt-x-latest"]) {
    assertEquals(findModel(table, "openai", name), { cost: COST }, name);
  }
  for (const name of ["gpt-x-mini", "gpt", "gpt-x-2026-3-5", "constructor", "x-20260305"]) {
    assertEquals(findModel(table, "openai", name), undefined, name);
  }
  assertEquals(findModel(table, "constructor", "name"), undefined);
});

Deno.test("readPrices() refuses a faulty table and tells the fault", () => {
  const wrong: [string, string][] = [
    ["<html>", "it is not JSON"],
    ["", "it is not JSON"],
    ["[]", 'it must be {"provider"'],
    ['{"openai":{}}', 'it must be {"provider"'],
    ["null", 'it must be {"provider"'],
    ['{"openai":{"models":{}}}', 'it must be {"provider"'],
    ['{"openai":{"models":{"m":{"cost":{"input":"1","output":1}}}}}', 'it must be {"provider"'],
    [" ".repeat(8 * 1024 * 1024 + 1), "it is longer than"],
  ];
  for (const [text, message] of wrong) {
    assertStringIncludes(assertThrows(() => readPrices(text), TypeError).message, message);
  }
});

Deno.test("readPrices() reads models.dev's api.json by its own ids, and keeps what is reckoned with", () => {
  const cost = { input: 1, output: 2 };
  const about = { id: "m", name: "M", description: "long", modalities: {}, cost };
  const row = (model: object) => ({
    id: "x",
    env: [],
    npm: "y",
    models: { m: model, free: { name: "no cost" } },
  });
  const table = readPrices(JSON.stringify({
    a: 1,
    "amazon-bedrock": row(about),
    google: row({
      ...about,
      limit: { context: 5 },
      cost: { ...cost, context_over_200k: { input: 3, output: 4 } },
    }),
    gemini: row({ cost: { input: 9, output: 9 } }),
    xai: row(about),
    "my-own": row(about),
    constructor: row(about),
  }));
  const plain = { cost };
  const long = { cost: { ...cost, above: { context: 200_000, input: 3, output: 4 } }, limit: { context: 5 } };
  assertEquals([...table].map(([name, models]) => [name, ...models]), [
    ["aws-bedrock", ["m", plain]],
    ["google-ai-studio", ["m", long]],
    ["grok", ["m", plain]],
    ["my-own", ["m", plain]],
    ["constructor", ["m", plain]],
  ]);
});

Deno.test("isCost() accepts costs with valid rates", () => {
  for (const cost of [{ input: 0, output: 0 }, COST]) assert(isCost(cost));
  for (
    const cost of [null, [], {}, { input: 1 }, { input: "1", output: 1 }, { input: -1, output: 1 }, {
      input: 1,
      output: Infinity,
    }]
  ) {
    assert(!isCost(cost), JSON.stringify(cost));
  }
});

Deno.test("the table that comes with the gateway has the names of its rows, and each cost in it is valid", async () => {
  const table = readPrices(await unpack(PACKED));
  let models = 0;
  for (const [row, known] of table) {
    // The table may have prices of a provider that is not a row yet.
    assert(PROVIDERS.has(row) || row === "voyage", row);
    for (const [id, { cost, limit }] of known) {
      models++;
      assert(isCost(cost), `${row}/${id}`);
      assert(cost.input <= 1000 && cost.output <= 2000, `${row}/${id} costs ${cost.input}, ${cost.output}`);
      assert(limit?.context === undefined || limit.context > 0, `${row}/${id}`);
    }
  }
  assert(models > 2000, `${models}`);
  // From the providers' own pages, November 2026.
  assertEquals(findModel(table, "openai", "gpt-4o")?.cost?.input, 2.5);
  assertEquals(findModel(table, "anthropic", "claude-opus-5-5")?.cost?.output, 20);
  assertEquals(findModel(table, "google-ai-studio", "gemini-2.5-pro")?.cost?.above?.context, 200_000);
});

Deno.test("tableOf() reads a list by its fields, under the names of our rows and of the providers' models", () => {
  const rates = { input_cost_per_token: 1e-6, output_cost_per_token: 3e-6 };
  const chat = { ...rates, mode: "chat" };
  const table = tableOf({
    "gemini/g-1": { ...chat, litellm_provider: "gemini", max_input_tokens: 5, max_output_tokens: 3 },
    "g-latest": { alias_of: "gemini/g-1" },
    "x": { ...chat, litellm_provider: "openai", output_cost_per_reasoning_token: 3e-6 },
    "y": {
      ...chat,
      litellm_provider: "openai",
      cache_read_input_token_cost: 1e-7,
      input_cost_per_token_above_272k_tokens: 2e-6,
      output_cost_per_token_above_272k_tokens: 5e-6,
      input_cost_per_token_batches: 5e-7,
      input_cost_per_token_priority: 2e-6,
    },
    "us-east-1/y": { ...chat, litellm_provider: "bedrock" },
    "1024-x-1024/z": { ...chat, litellm_provider: "openai" },
    "picture": { ...chat, mode: "image_generation", litellm_provider: "openai" },
    "free": { mode: "chat", litellm_provider: "openai" },
    "other": { ...chat, litellm_provider: "nobody" },
  });
  assertEquals(table, {
    "google-ai-studio": {
      models: {
        "g-1": { cost: { input: 1, output: 3 }, limit: { context: 5, output: 3 } },
        "g-latest": { cost: { input: 1, output: 3 }, limit: { context: 5, output: 3 } },
      },
    },
    openai: {
      models: {
        x: { cost: { input: 1, output: 3 } },
        y: {
          cost: {
            input: 1,
            output: 3,
            cache_read: 0.1,
            above: { context: 272_000, input: 2, output: 5 },
            batch: { input: 0.5 },
            priority: { input: 2 },
          },
        },
      },
    },
  });
});

Deno.test("moduleOf() writes a module that holds the table", async () => {
  const table = { openai: { models: { "it's": { cost: COST } } } };
  const url = URL.createObjectURL(new Blob([await moduleOf(table)], { type: "text/typescript" }));
  const { PACKED } = await import(url);
  URL.revokeObjectURL(url);
  assertEquals(JSON.parse(await unpack(PACKED)), table);
});
