/** OpenAI's own row against a strict fake of OpenAI. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Asked, type Json, lab } from "./lab.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";

const talk = (role = "user") => [{ role, content: "Hello" }, { role: "user", content: "Go" }];
const FUNCTION = {
  type: "function",
  function: { name: "f", parameters: { type: "object", properties: {} } },
};

/** Each setting with a value that a model may refuse. */
const SETTINGS: Json = {
  max_tokens: 50,
  temperature: 0.2,
  top_p: 0.9,
  frequency_penalty: 0.5,
  presence_penalty: -1,
  logprobs: true,
  top_logprobs: 3,
  logit_bias: { "50256": -100 },
  stop: ["END"],
  parallel_tool_calls: false,
  prediction: { type: "content", content: "x" },
  audio: { voice: "alloy", format: "mp3" },
  modalities: ["text", "audio"],
  web_search_options: { search_context_size: "low" },
  verbosity: "low",
  prompt_cache_retention: "24h",
};

const SAMPLING = ["temperature", "top_p", "logprobs", "top_logprobs"];
const NEVER = [
  "frequency_penalty",
  "presence_penalty",
  "logit_bias",
  "prediction",
  "audio",
  "modalities",
  "web_search_options",
];
const GPT_5 = [...SAMPLING, ...NEVER, "stop"];
const O1 = [...SAMPLING, ...NEVER, "parallel_tool_calls", "verbosity"];
const SEARCH = [
  ...SAMPLING,
  "frequency_penalty",
  "presence_penalty",
  "logit_bias",
  "stop",
  "parallel_tool_calls",
  "prediction",
];

/** By model: which of these settings are named if no effort is sent. */
const REFUSED: Record<string, string[]> = {
  "gpt-3.5-turbo": ["verbosity"],
  "gpt-4-turbo": ["verbosity"],
  "gpt-4o": ["verbosity"],
  "gpt-4o-mini-2024-07-18": ["verbosity"],
  "ft:gpt-4o-mini-2024-07-18:org::o1": ["verbosity"],
  "gpt-4.1": ["verbosity"],
  "gpt-4.5-preview": ["verbosity"],
  "gpt-5-chat-latest": ["verbosity"],
  "gpt-4o-search-preview": SEARCH,
  "gpt-4o-mini-search-preview-2025-03-11": SEARCH,
  "gpt-5-search-api": SEARCH,
  "gpt-5": GPT_5,
  "gpt-5-mini": GPT_5,
  "gpt-5-nano-2025-08-07": GPT_5,
  "ft:gpt-5-mini:org::id": GPT_5,
  "gpt-5.1-chat-latest": GPT_5,
  "gpt-5.3-chat-latest": GPT_5,
  "gpt-5.1": [...NEVER, "stop"],
  "gpt-5.1-2025-11-13": [...NEVER, "stop"],
  "gpt-5.2": [...NEVER, "stop"],
  "gpt-5.4": [...NEVER, "stop"],
  "gpt-5.4-mini-2026-03-17": [...NEVER, "stop"],
  "gpt-5.5": GPT_5,
  "gpt-5.6": GPT_5,
  "gpt-5.6-sol": GPT_5,
  "gpt-6-astra": [...GPT_5, "prompt_cache_retention"],
  "gpt-6.2-astra": [...GPT_5, "prompt_cache_retention"],
  "gpt-6.1-sol": [...GPT_5, "prompt_cache_retention"],
  "gpt-6.2-sol": [...GPT_5, "prompt_cache_retention"],
  "gpt-6-sol": [...GPT_5, "prompt_cache_retention"],
  "gpt-6-luna": [...GPT_5, "prompt_cache_retention"],
  "gpt-6.1-terra": [...GPT_5, "prompt_cache_retention"],
  "o1": O1,
  "o1-2024-12-17": O1,
  "o1-mini": O1,
  "o1-preview-2024-09-12": O1,
  "o3-mini": O1,
  "o3": [...O1, "stop"],
  "o4-mini": [...O1, "stop"],
  "ft:o4-mini-2025-04-16:org::id": [...O1, "stop"],
};

const KEEPS_OLD_LIMIT = /gpt-(3|4|5-chat)/;

/** @param responses The option `responses` of the row. */
function strict(responses?: "never") {
  const chat = strictOpenAI([{ text: "Yes" }]);
  const other = strictResponses([[{ text: ["Yes"] }]]);
  const play = (asked: Asked) => (asked.url.pathname === "/v1/responses" ? other : chat).play(asked);
  return lab(play, responses && { providers: { openai: { responses } } });
}

const named = (response: Response) => (response.headers.get("sluice-dropped") ?? "").split(", ").sort();

Deno.test("openai: each model gets the settings that it accepts, and the rest is named", async () => {
  const { post, asked } = strict();
  for (const [model, refused] of Object.entries(REFUSED)) {
    const response = await post({ model: `openai/${model}`, messages: talk(), ...SETTINGS });
    assertEquals(response.status, 200, `${model}: ${await response.clone().text()}`);
    assertEquals(named(response), [...refused].sort(), model);
    const { body } = asked.at(-1)!;
    for (const [name, value] of Object.entries(SETTINGS)) {
      if (refused.includes(name)) assert(!(name in body), `${model}: ${name}`);
      else if (name !== "max_tokens") assertEquals(body[name], value, `${model}: ${name}`);
    }
    const limit = KEEPS_OLD_LIMIT.test(model) ? "max_tokens" : "max_completion_tokens";
    assertEquals([body.max_tokens, body.max_completion_tokens].filter(Boolean), [50], model);
    assertEquals(body[limit], 50, model);
    assertEquals(body.messages, talk(), model);
  }
});

Deno.test("openai: each model accepts each single setting, or it is left out and named", async () => {
  const { post } = strict();
  for (const model of Object.keys(REFUSED)) {
    for (const [name, value] of Object.entries(SETTINGS)) {
      const response = await post({ model: `openai/${model}`, [name]: value, messages: talk() });
      assertEquals(response.status, 200, `${model}: ${name}: ${await response.clone().text()}`);
      const dropped = response.headers.get("sluice-dropped");
      const expected = REFUSED[model].includes(name) ? name : null;
      assertEquals(dropped, expected, `${model}: ${name}`);
    }
  }
});

Deno.test("openai: default values and empty ones are never named", async () => {
  const defaults = {
    temperature: 1,
    top_p: 1,
    frequency_penalty: 0,
    presence_penalty: 0,
    logprobs: false,
    n: 1,
    modalities: ["text"],
    verbosity: "medium",
    parallel_tool_calls: true,
    logit_bias: {},
    stop: null,
    top_logprobs: null,
    reasoning_effort: null,
    max_tokens: null,
  };
  const { post } = strict();
  for (const model of Object.keys(REFUSED)) {
    const response = await post({ model: `openai/${model}`, ...defaults, messages: talk() });
    assertEquals(response.status, 200, `${model}: ${await response.clone().text()}`);
    assertEquals(response.headers.get("sluice-dropped"), null, model);
  }
});

/** By model: the efforts that it accepts on chat completions. */
const EFFORTS: Record<string, string[]> = {
  "gpt-4o": [],
  "gpt-5": ["minimal", "low", "medium", "high"],
  "gpt-5-mini": ["minimal", "low", "medium", "high"],
  "gpt-5.1": ["none", "low", "medium", "high"],
  "gpt-5.1-chat-latest": ["medium"],
  "gpt-5.2": ["none", "low", "medium", "high", "xhigh"],
  "gpt-5.4": ["none", "low", "medium", "high", "xhigh"],
  "gpt-5.5": ["none", "low", "medium", "high", "xhigh"],
  "gpt-5.6": ["none", "low", "medium", "high", "xhigh"],
  "gpt-6-astra": ["low", "medium", "high", "xhigh"],
  "gpt-6.1-sol": ["low", "medium", "high", "xhigh"],
  "gpt-6-sol": ["none", "low", "medium", "high", "xhigh"],
  "gpt-6-luna": ["none", "low", "medium", "high", "xhigh"],
  "gpt-6.1-terra": ["none", "low", "medium", "high", "xhigh"],
  "o1": ["low", "medium", "high"],
  "o1-mini": [],
  "o3": ["low", "medium", "high"],
  "o4-mini": ["low", "medium", "high"],
};
const WORDS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

Deno.test("openai: an effort that a model does not know is left out and named", async () => {
  const { post, asked } = strict();
  for (const [model, efforts] of Object.entries(EFFORTS)) {
    for (const effort of WORDS) {
      const response = await post({ model: `openai/${model}`, reasoning_effort: effort, messages: talk() });
      assertEquals(response.status, 200, `${model}: ${effort}: ${await response.clone().text()}`);
      // Efforts that a model only accepts on Responses are sent there.
      const elsewhere = effort === "max" && /gpt-(?:5\.6|6)/.test(model);
      assertEquals(asked.at(-1)!.url.pathname, elsewhere ? "/v1/responses" : "/v1/chat/completions");
      if (elsewhere) {
        assertEquals(asked.at(-1)!.body.reasoning, { effort: "max" });
        continue;
      }
      const taken = efforts.includes(effort);
      assertEquals(asked.at(-1)!.body.reasoning_effort, taken ? effort : undefined, `${model}: ${effort}`);
      // The model's default is not a loss.
      const same = model === "gpt-4o" && effort === "none" || model === "o1-mini" && effort === "medium";
      const expected = taken || same ? null : "reasoning_effort";
      assertEquals(response.headers.get("sluice-dropped"), expected, `${model}: ${effort}`);
    }
  }
});

Deno.test("openai: sampling settings are sent if the effort is none, as sent or by default", async () => {
  const { post, asked } = strict();
  const cases: [model: string, effort: string | undefined, taken: boolean][] = [
    ["gpt-5.1", undefined, true],
    ["gpt-5.1", "none", true],
    ["gpt-5.1", "low", false],
    ["gpt-5.1", "minimal", true], // The effort is refused, so the default applies.
    ["gpt-5.4-mini", undefined, true],
    ["gpt-5.5", undefined, false],
    ["gpt-5.5", "none", true],
    ["gpt-5.6-luna", "none", true],
    ["gpt-5.6-luna", "high", false],
    ["gpt-6-sol", "none", true],
    ["gpt-6-astra", "none", false],
    ["gpt-5", "none", false],
    ["gpt-5", "minimal", false],
  ];
  for (const [model, effort, taken] of cases) {
    const sampling = { temperature: 0, top_p: 0.5, logprobs: true, top_logprobs: 2 };
    const body = { model: `openai/${model}`, reasoning_effort: effort, ...sampling, messages: talk() };
    const response = await post(body);
    assertEquals(response.status, 200, `${model} ${effort}: ${await response.clone().text()}`);
    const sent = asked.at(-1)!.body;
    assertEquals(SAMPLING.map((name) => name in sent), Array(4).fill(taken), `${model} ${effort}`);
  }
});

Deno.test("openai: the newer of both token limits wins, and nothing is named", async () => {
  const { post, asked } = strict();
  const limits: [Json, number | undefined][] = [
    [{ max_tokens: 1, max_completion_tokens: 2 }, 2],
    [{ max_completion_tokens: 2, max_tokens: 1 }, 2],
    [{ max_completion_tokens: null, max_tokens: 1 }, 1],
    [{ max_tokens: 1, max_completion_tokens: null }, 1],
    [{ max_tokens: null, max_completion_tokens: 2 }, 2],
    [{ max_tokens: null }, undefined],
    [{ max_completion_tokens: 2 }, 2],
  ];
  for (const model of ["gpt-5-mini", "o3", "gpt-6-astra"]) {
    for (const [limit, expected] of limits) {
      const response = await post({ ...limit, model: `openai/${model}`, messages: talk() });
      assertEquals(response.status, 200, JSON.stringify(limit));
      assertEquals(asked.at(-1)!.body.max_completion_tokens, expected, JSON.stringify(limit));
      assert(!("max_tokens" in asked.at(-1)!.body));
      assertEquals(response.headers.get("sluice-dropped"), null);
    }
  }
});

Deno.test("openai: the first o1 models get system messages as the user's", async () => {
  const { post, asked } = strict();
  for (const model of ["o1-mini", "o1-preview"]) {
    for (const role of ["system", "developer"]) {
      const response = await post({ model: `openai/${model}`, messages: talk(role) });
      assertEquals(response.status, 200);
      assertEquals(asked.at(-1)!.body.messages, talk("user"));
    }
  }
  for (const model of ["o1", "o3-mini", "gpt-5"]) {
    await post({ model: `openai/${model}`, messages: talk("system") });
    assertEquals(asked.at(-1)!.body.messages, talk("system"), model);
  }
});

Deno.test("openai: without Responses the effort is dropped beside function tools on GPT-5.4 and 5.5", async () => {
  const { post, asked } = strict("never");
  for (const model of ["gpt-5.4", "gpt-5.4-nano", "gpt-5.5"]) {
    for (const tools of [{ tools: [FUNCTION] }, { functions: [FUNCTION.function] }]) {
      const body = { model: `openai/${model}`, messages: talk(), reasoning_effort: "high", ...tools };
      const response = await post(body);
      assertEquals(response.status, 200, await response.clone().text());
      assertEquals(response.headers.get("sluice-dropped"), "reasoning_effort");
      const { reasoning_effort, ...rest } = asked.at(-1)!.body;
      assertEquals([reasoning_effort, rest.tools ?? rest.functions], [undefined, Object.values(tools)[0]]);
      await post({ ...body, reasoning_effort: "none" });
      assertEquals(asked.at(-1)!.body.reasoning_effort, "none");
    }
    await post({ model: `openai/${model}`, messages: talk(), reasoning_effort: "high", tools: [] });
    assertEquals(asked.at(-1)!.body.reasoning_effort, "high");
  }
});

Deno.test("openai: without Responses function tools that a model only accepts there are refused with the reason", async () => {
  const { post, asked } = strict("never");
  const refused: [string, string | undefined][] = [
    ["gpt-5.6", undefined],
    ["gpt-5.6-terra", "low"],
    ["gpt-6-sol", undefined],
    ["gpt-6-astra", undefined],
    ["gpt-6-astra", "none"],
  ];
  for (const [model, effort] of refused) {
    for (const tools of [{ tools: [FUNCTION] }, { functions: [FUNCTION.function] }]) {
      const response = await post({
        model: `openai/${model}`,
        messages: talk(),
        reasoning_effort: effort,
        ...tools,
      });
      assertEquals(response.status, 400, model);
      const { error } = await response.json();
      assertEquals(error.param, "tools");
      assertStringIncludes(error.message, "/v1/-/default/openai/responses");
      assertEquals(error.message.includes('reasoning_effort to "none"'), !model.includes("astra"), model);
    }
  }
  assertEquals(asked, []);
  for (const model of ["gpt-5.6", "gpt-6-sol"]) {
    const body = { model: `openai/${model}`, messages: talk(), tools: [FUNCTION], reasoning_effort: "none" };
    assertEquals((await post(body)).status, 200);
  }
});

Deno.test("openai: a model that cannot take the tools is skipped if there are other targets", async () => {
  const { post, asked } = strict("never");
  const models = ["openai/gpt-5.6", "openai/gpt-5"];
  const response = await post({ models, messages: talk(), tools: [FUNCTION] });
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("cf-aig-step"), "1");
  assertEquals(asked.map(({ body }) => body.model), ["gpt-5"]);
  const first = await post({ models: models.toReversed(), messages: talk(), tools: [FUNCTION] });
  assertEquals([first.status, first.headers.get("cf-aig-step")], [200, "0"]);
});

Deno.test("openai: strict refuses settings that would be left out", async () => {
  const { post, asked } = strict();
  const body = { model: "openai/gpt-5-mini", messages: talk(), temperature: 0 };
  const response = await post(body, { "sluice-strict": "true" });
  assertEquals(response.status, 400);
  assertStringIncludes((await response.json()).error.message, "temperature");
  assertEquals(asked, []);
  const limit = { model: "openai/gpt-5-mini", messages: talk(), max_tokens: 5, temperature: 1 };
  assertEquals((await post(limit, { "sluice-strict": "true" })).status, 200);
});

Deno.test("openai: a universal step for compat is fitted too", async () => {
  const { gateway, asked } = strict();
  const query = { model: "openai/gpt-5-mini", messages: talk(), max_tokens: 50, temperature: 0.1 };
  const response = await gateway.fetch(
    new Request("http://gateway.test/v1/acct/gw", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([{ provider: "compat", endpoint: "chat/completions", headers: {}, query }]),
    }),
  );
  assertEquals([response.status, response.headers.get("sluice-dropped")], [200, "temperature"]);
  assertEquals(
    asked[0].text,
    JSON.stringify({ model: "gpt-5-mini", messages: talk(), max_completion_tokens: 50 }),
  );
});

Deno.test("openai: a universal step whose model cannot take the tools is skipped", async () => {
  const { gateway, asked } = strict("never");
  const step = (model: string) => ({
    provider: "compat",
    endpoint: "chat/completions",
    query: { model, messages: talk(), tools: [FUNCTION], max_tokens: 50 },
  });
  const ask = (steps: unknown) =>
    gateway.fetch(
      new Request("http://gateway.test/v1/acct/gw", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(steps),
      }),
    );
  const response = await ask([step("openai/gpt-5.6"), step("openai/gpt-5")]);
  assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "1"]);
  assertEquals(asked.map(({ body }) => [body.model, body.max_completion_tokens]), [["gpt-5", 50]]);
  assertEquals((await ask([step("openai/gpt-5.6")])).status, 400);
});

/** A client of Responses, which knows what `gpt-5-mini` refuses and nothing of `openai/gpt-5-mini`. */
function respond({ gateway }: ReturnType<typeof strict>, body: Json | string): Promise<Response> {
  return gateway.fetch(
    new Request("http://gateway.test/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  );
}

const INPUT = [{ role: "user", content: "Hello" }];

/** By model: what is named of a request of Responses with all these settings. */
const REFUSED_BY_RESPONSES: Record<string, string[]> = {
  "gpt-4o": ["reasoning.effort", "text.verbosity"],
  "gpt-4.1-mini": ["reasoning.effort", "text.verbosity"],
  "gpt-5-mini": ["temperature", "top_p", "top_logprobs", "include[0]"],
  "gpt-5.1": ["temperature", "top_p", "top_logprobs", "include[0]"],
  "gpt-5.6": ["temperature", "top_p", "top_logprobs", "include[0]"],
  "gpt-6-astra": ["prompt_cache_retention", "temperature", "top_p", "top_logprobs", "include[0]"],
  "o4-mini": [
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "top_logprobs",
    "text.verbosity",
    "include[0]",
  ],
  "my-own-model": [],
};

Deno.test("openai: a client of Responses gets what each model takes, and the rest is named", async () => {
  const settings = {
    temperature: 0,
    top_p: 0.9,
    top_logprobs: 2,
    parallel_tool_calls: false,
    prompt_cache_retention: "24h",
    reasoning: { effort: "low", summary: "auto" },
    text: { verbosity: "low", format: { type: "text" } },
    include: ["message.output_text.logprobs", "reasoning.encrypted_content"],
  };
  for (const stream of [false, true]) {
    for (const [model, refused] of Object.entries(REFUSED_BY_RESPONSES)) {
      const lab = strict();
      const response = await respond(lab, { model: `openai/${model}`, input: INPUT, stream, ...settings });
      assertEquals(response.status, 200, `${model}: ${await response.clone().text()}`);
      await response.body?.cancel();
      const names = (response.headers.get("sluice-dropped") ?? "").split(", ").filter(Boolean);
      assertEquals(names.sort(), [...refused].sort(), model);
      const sent = lab.asked[0].body;
      for (const [name, value] of Object.entries(settings)) {
        if (/^(reasoning|text|include)$/.test(name)) continue;
        assertEquals(sent[name], refused.includes(name) ? undefined : value, `${model}: ${name}`);
      }
      const isPlain = model.startsWith("gpt-4");
      assertEquals(sent.reasoning, isPlain ? { summary: "auto" } : settings.reasoning, model);
      const { text, include } = sent as { text: Json; include: string[] };
      assertEquals(text.format, settings.text.format, model);
      assertEquals(text.verbosity, refused.includes("text.verbosity") ? undefined : "low", model);
      const kept = model === "my-own-model" ? settings.include : [settings.include[isPlain ? 0 : 1]];
      assertEquals(include, kept, model);
    }
  }
});

Deno.test("openai: what a client of Responses sends by default, or a model takes, goes byte for byte", async () => {
  const defaults = `"temperature":1.0,"top_p":1,"parallel_tool_calls":true,"text":{"verbosity":"medium"}`;
  const cases: [model: string, more: string][] = [
    ["gpt-5-mini", defaults],
    ["gpt-5-mini", `"reasoning":{"effort":"minimal"},"text":{"verbosity":"low"}`],
    ["gpt-5.1", `"temperature":0.5,"top_logprobs":2,"include":["message.output_text.logprobs"]`],
    ["gpt-5.6", `"reasoning":{"effort":"max"},"include":["reasoning.encrypted_content"]`],
    ["gpt-4o", `"temperature":0.5,"top_p":0.1,"parallel_tool_calls":false`],
  ];
  for (const [model, more] of cases) {
    const lab = strict();
    const body = `{ "model": "openai/${model}", "input": [{"role": "user", "content": "Hello"}], ${more} }`;
    const response = await respond(lab, body);
    assertEquals([response.status, response.headers.get("sluice-dropped")], [200, null], model);
    assertEquals(lab.asked[0].text, body.replace("openai/", ""), model);
    await response.body?.cancel();
  }
  // A default that is refused all the same, in a long body, and an effort that changes nothing.
  const lab = strict();
  const long = "x".repeat(300_000);
  const first = {
    model: "openai/o4-mini",
    input: [{ role: "user", content: long }],
    parallel_tool_calls: true,
  };
  const second = { model: "openai/gpt-5-pro", input: INPUT, reasoning: { effort: "high" }, top_logprobs: 0 };
  for (const body of [first, second]) {
    const response = await respond(lab, body);
    assertEquals([response.status, response.headers.get("sluice-dropped")], [200, null]);
    await response.body?.cancel();
  }
  assertEquals(lab.asked.map(({ body }) => Object.keys(body)), [["model", "input"], [
    "model",
    "input",
    "reasoning",
  ]]);
  // With sluice-strict it is said.
  const refused = await lab.gateway.fetch(
    new Request("http://gateway.test/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", "sluice-strict": "1" },
      body: JSON.stringify({ model: "openai/gpt-5-mini", input: INPUT, temperature: 0 }),
    }),
  );
  assertEquals([refused.status, (await refused.json()).error.param, lab.asked.length], [
    400,
    "temperature",
    2,
  ]);
});
