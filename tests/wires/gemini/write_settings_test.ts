import { assertEquals } from "@std/assert";
import { gemini } from "../../../wires/gemini/mod.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { JsonObject } from "../../../wires/types.ts";

/** The request without its conversation. */
function terms(fields: JsonObject, model = "gemini-3.8-flash"): { terms: JsonObject; dropped: string[] } {
  const call = readCall({ messages: [{ role: "user", content: "Hi" }], ...fields }, model);
  const { body: { contents: _, ...rest }, dropped } = gemini.writeCall(call);
  return { terms: rest, dropped };
}

const config = (fields: JsonObject, model?: string) => terms(fields, model).terms.generationConfig;

Deno.test("writeTerms() adds nothing to a bare call", () => {
  assertEquals(terms({}), { terms: {}, dropped: [] });
});

Deno.test("writeTerms() writes what shapes sampling", () => {
  const fields = {
    max_completion_tokens: 100,
    temperature: 0,
    top_p: 0.5,
    top_k: 40,
    stop: "END",
    seed: 7,
    frequency_penalty: 0.1,
    presence_penalty: -0.1,
    n: 2,
    logprobs: true,
    top_logprobs: 3,
    modalities: ["text", "image"],
  };
  assertEquals(terms(fields, "gemini-2.0-flash"), {
    terms: {
      generationConfig: {
        maxOutputTokens: 100,
        temperature: 0,
        topP: 0.5,
        topK: 40,
        stopSequences: ["END"],
        seed: 7,
        frequencyPenalty: 0.1,
        presencePenalty: -0.1,
        candidateCount: 2,
        responseLogprobs: true,
        logprobs: 3,
        responseModalities: ["TEXT", "IMAGE"],
      },
    },
    dropped: [],
  });
});

Deno.test("writeTerms() names the settings that a generation refuses or ignores", () => {
  const fields = {
    temperature: 0,
    top_p: 0.5,
    top_k: 40,
    frequency_penalty: 0.1,
    presence_penalty: -0.1,
    n: 2,
  };
  const dropped = (model: string) => terms(fields, model).dropped;
  const penalties = ["frequency_penalty", "presence_penalty"];
  assertEquals(dropped("gemini-2.0-flash"), []);
  assertEquals(dropped("gemini-2.5-flash"), penalties);
  assertEquals(dropped("gemini-3.5-flash"), [...penalties, "n"]);
  assertEquals(dropped("gemini-3.6-flash"), Object.keys(fields));
  assertEquals(terms(fields, "gemini-3.6-flash").terms, {});
  // A default value is not named.
  const idle = { temperature: 1, frequency_penalty: 0, presence_penalty: 0, n: 1 };
  assertEquals(terms(idle), { terms: {}, dropped: [] });
  assertEquals(config(idle, "gemini-2.0-flash"), {
    temperature: 1,
    frequencyPenalty: 0,
    presencePenalty: 0,
    candidateCount: 1,
  });
});

Deno.test("writeTerms() names what Gemini cannot do, in the client's order and words", () => {
  const fields = {
    user: "u1",
    logit_bias: { "50256": -100 },
    verbosity: "low",
    prediction: { type: "content", content: "x" },
    parallel_tool_calls: false,
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
    metadata: { Title: "Not A Label!" },
    seed: 2 ** 31,
  };
  assertEquals(terms(fields), { terms: {}, dropped: Object.keys(fields) });
  assertEquals(terms({ parallel_tool_calls: true }), { terms: {}, dropped: [] });
  const seed = 2 ** 31 - 1;
  assertEquals(terms({ seed }), { terms: { generationConfig: { seed } }, dropped: [] });
});

Deno.test("writeTerms() writes tier, labels and storing", () => {
  assertEquals(terms({ service_tier: "flex", store: false, metadata: { team: "blue-1" } }).terms, {
    serviceTier: "flex",
    store: false,
    labels: { team: "blue-1" },
  });
  assertEquals(terms({ service_tier: "default" }).terms, { serviceTier: "standard" });
  assertEquals(terms({ service_tier: "auto" }), { terms: {}, dropped: [] });
});

Deno.test("writeTerms() gives a voice, and names a sound format that Gemini does not make", () => {
  const speechConfig = { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } };
  assertEquals(terms({ audio: { voice: "Kore", format: "pcm16" } }), {
    terms: { generationConfig: { speechConfig } },
    dropped: [],
  });
  assertEquals(terms({ audio: { voice: { id: "v1" }, format: "mp3" } }), {
    terms: {},
    dropped: ["audio.format", "audio.voice"],
  });
});

// ---------------------------------------------------------------- tools

const PARAMETERS = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: { to: { anyOf: [{ type: "string", format: "date" }, { $ref: "#/$defs/list" }] } },
  $defs: { list: { type: "array", items: { enum: [1] }, maxItems: 3 } },
  additionalProperties: false,
};
const tool = (name: string, more: JsonObject = {}) => ({ type: "function", function: { name, ...more } });

Deno.test("writeTerms() declares functions in order with their schema unchanged", () => {
  const tools = [
    tool("send", { description: "Sends", parameters: PARAMETERS, behavior: "BLOCKING" }),
    { ...tool("now"), cache_control: { type: "ephemeral" } },
  ];
  assertEquals(terms({ tools }), {
    terms: {
      tools: [{
        functionDeclarations: [
          { name: "send", description: "Sends", parametersJsonSchema: PARAMETERS, behavior: "BLOCKING" },
          { name: "now" },
        ],
      }],
    },
    dropped: ["tools[1].cache_control"],
  });
});

Deno.test("writeTerms() takes the legacy functions", () => {
  assertEquals(terms({ functions: [{ name: "f" }], function_call: { name: "f" } }).terms, {
    tools: [{ functionDeclarations: [{ name: "f" }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
  });
});

Deno.test("writeTerms() chooses tools", () => {
  const mode = (tool_choice: unknown, strict?: boolean) =>
    terms({ tools: [tool("f", { strict })], ...(tool_choice !== undefined && { tool_choice }) }).terms
      .toolConfig;
  assertEquals(mode(undefined), undefined);
  assertEquals(mode("none"), { functionCallingConfig: { mode: "NONE" } });
  assertEquals(mode("auto"), { functionCallingConfig: { mode: "AUTO" } });
  assertEquals(mode("required"), { functionCallingConfig: { mode: "ANY" } });
  assertEquals(mode({ type: "function", function: { name: "f" } }), {
    functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] },
  });
  const allow = (wanted: string) =>
    mode({ type: "allowed_tools", allowed_tools: { mode: wanted, tools: [{ function: { name: "f" } }] } });
  assertEquals(allow("required"), { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } });
  assertEquals(allow("auto"), { functionCallingConfig: { mode: "VALIDATED", allowedFunctionNames: ["f"] } });
  for (const wanted of ["auto", "required"]) {
    assertEquals(mode({ type: "allowed_tools", allowed_tools: { mode: wanted, tools: [] } }), {
      functionCallingConfig: { mode: "NONE" },
    });
  }
  assertEquals(mode(undefined, true), { functionCallingConfig: { mode: "VALIDATED" } });
  assertEquals(mode("auto", true), { functionCallingConfig: { mode: "VALIDATED" } });
  assertEquals(mode("required", true), { functionCallingConfig: { mode: "ANY" } });
});

Deno.test("writeTerms() writes no tool choice without functions", () => {
  const search = { tools: [{ googleSearch: {} }] };
  const choose = (tool_choice: string) => terms({ ...search, tool_choice });
  assertEquals(choose("auto"), { terms: search, dropped: [] });
  for (const choice of ["none", "required"]) {
    assertEquals(choose(choice), { terms: search, dropped: ["tool_choice"] });
  }
  const native = { tools: [{ functionDeclarations: [{ name: "f" }] }], tool_choice: "required" };
  assertEquals(terms(native).terms.toolConfig, { functionCallingConfig: { mode: "ANY" } });
});

Deno.test("writeTerms() reads Google's own tools in every spelling, and drops unknown ones", () => {
  const tools = [
    { googleSearch: {} },
    { code_execution: {} },
    { type: "url_context" },
    { type: "file_search", fileSearchStoreNames: ["fileSearchStores/a"] },
    { type: "web_search", search_context_size: "low" },
    { type: "image_generation" },
  ];
  assertEquals(terms({ tools }), {
    terms: {
      tools: [
        { googleSearch: {} },
        { code_execution: {} },
        { urlContext: {} },
        { fileSearch: { fileSearchStoreNames: ["fileSearchStores/a"] } },
        { googleSearch: {} },
      ],
    },
    dropped: ["tools[4].search_context_size", "tools[5]"],
  });
});

Deno.test("writeTerms() knows each of Google's own tools by its type", () => {
  const tools: Record<string, string> = {
    code_execution: "codeExecution",
    code_interpreter: "codeExecution",
    computer_use: "computerUse",
    file_search: "fileSearch",
    google_maps: "googleMaps",
    google_search: "googleSearch",
    url_context: "urlContext",
    web_search: "googleSearch",
    web_search_preview: "googleSearch",
  };
  for (const [type, name] of Object.entries(tools)) {
    assertEquals(terms({ tools: [{ type }] }), { terms: { tools: [{ [name]: {} }] }, dropped: [] }, type);
  }
  assertEquals(terms({ tools: [{ type: "google_search", timeRangeFilter: 1 }] }).terms, {
    tools: [{ googleSearch: { timeRangeFilter: 1 } }],
  });
});

Deno.test("writeTerms() writes web search, and lets Gemini 3 report it beside functions", () => {
  const fields = { tools: [tool("f")], web_search_options: { search_context_size: "low" } };
  const tools = [{ functionDeclarations: [{ name: "f" }] }, { googleSearch: {} }];
  assertEquals(terms(fields), {
    terms: { tools, toolConfig: { includeServerSideToolInvocations: true } },
    dropped: ["web_search_options.search_context_size"],
  });
  assertEquals(terms(fields, "gemini-2.5-pro").terms, { tools });
  const computer = [{ computerUse: {} }, tool("f")];
  assertEquals(terms({ tools: computer }).terms.toolConfig, undefined);
  assertEquals(terms({ web_search_options: {} }), { terms: { tools: [{ googleSearch: {} }] }, dropped: [] });
});

// ---------------------------------------------------------------- structured output

Deno.test("writeTerms() asks for JSON, by schema unchanged", () => {
  assertEquals(config({ response_format: { type: "json_object" } }), {
    responseMimeType: "application/json",
  });
  const json_schema = { name: "mail", description: "A mail", schema: PARAMETERS, strict: true };
  assertEquals(terms({ response_format: { type: "json_schema", json_schema } }), {
    terms: { generationConfig: { responseMimeType: "application/json", responseJsonSchema: PARAMETERS } },
    dropped: ["response_format.json_schema.description"],
  });
  assertEquals(terms({ response_format: { type: "text" } }), { terms: {}, dropped: [] });
  // Only Gemini 3 and later accept it beside functions.
  const both = { tools: [tool("f")], response_format: { type: "json_object" } };
  assertEquals(terms(both).dropped, []);
  assertEquals(terms(both, "gemini-2.5-flash").dropped, ["response_format"]);
  assertEquals(terms({ ...both, tools: [{ googleSearch: {} }] }, "gemini-2.5-flash").dropped, []);
});

// ---------------------------------------------------------------- thinking

Deno.test("writeTerms() turns the effort into what each generation accepts", () => {
  const level = (thinkingLevel: string) => ({ thinkingLevel, includeThoughts: true });
  const budget = (thinkingBudget: number) => ({ thinkingBudget, includeThoughts: true });
  const cases: [string, string, unknown][] = [
    ["gemini-3.8-flash", "low", level("LOW")],
    ["gemini-3.8-flash", "minimal", level("LOW")],
    ["gemini-3.6-flash", "minimal", level("MINIMAL")],
    ["gemini-3-flash-preview", "none", { thinkingLevel: "MINIMAL" }],
    ["gemini-3.1-flash-lite", "medium", level("MEDIUM")],
    ["gemini-3.1-pro-preview", "none", { thinkingLevel: "LOW" }],
    ["gemini-4-argon", "high", level("HIGH")],
    ["gemini-4-argon", "xhigh", level("HIGH")],
    ["gemini-flash-latest", "minimal", level("LOW")],
    ["gemini-2.5-flash", "none", { thinkingBudget: 0 }],
    ["gemini-2.5-flash-lite", "minimal", budget(1024)],
    ["gemini-2.5-flash", "medium", budget(8192)],
    ["gemini-2.5-flash", "max", budget(24576)],
    ["gemini-2.5-pro", "none", { thinkingBudget: 128 }],
    ["gemini-2.5-pro", "high", budget(24576)],
    ["models/gemini-2.5-pro", "max", budget(32768)],
    ["gemini-robotics-er-1.6-preview", "low", budget(1024)],
  ];
  for (const [model, reasoning_effort, thinkingConfig] of cases) {
    assertEquals(config({ reasoning_effort }, model), { thinkingConfig }, `${model} ${reasoning_effort}`);
  }
});

Deno.test("writeTerms() names an effort that the model does not have", () => {
  assertEquals(terms({ reasoning_effort: "high" }, "gemini-2.0-flash"), {
    terms: {},
    dropped: ["reasoning_effort"],
  });
  assertEquals(terms({ reasoning_effort: "none" }, "gemini-2.0-flash"), { terms: {}, dropped: [] });
  assertEquals(terms({ reasoning_effort: "heroic" }), { terms: {}, dropped: ["reasoning_effort"] });
});

// ---------------------------------------------------------------- the client's own Gemini fields

Deno.test("writeTerms() forwards Gemini's own fields, which win over derived ones", () => {
  const safetySettings = [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }];
  const fields = {
    temperature: 1,
    max_tokens: 10,
    tools: [tool("f")],
    tool_choice: "required",
    safetySettings,
    cached_content: "cachedContents/a",
    generationConfig: { temperature: 0.2, mediaResolution: "MEDIA_RESOLUTION_LOW" },
    imageConfig: { aspectRatio: "16:9" },
    tool_config: { retrieval_config: { languageCode: "de" } },
    someday: { new: true },
  };
  assertEquals(terms(fields), {
    terms: {
      tools: [{ functionDeclarations: [{ name: "f" }] }],
      toolConfig: {
        functionCallingConfig: { mode: "ANY" },
        retrievalConfig: { languageCode: "de" },
      },
      generationConfig: {
        temperature: 0.2,
        maxOutputTokens: 10,
        mediaResolution: "MEDIA_RESOLUTION_LOW",
        imageConfig: { aspectRatio: "16:9" },
      },
      safetySettings,
      cached_content: "cachedContents/a",
      someday: { new: true },
    },
    dropped: [],
  });
});

Deno.test("writeTerms() moves the client's fields of generationConfig there, in either spelling", () => {
  const names = [
    ["audioTranscriptionConfig", "audio_transcription_config"],
    ["candidateCount", "candidate_count"],
    ["enableEnhancedCivicAnswers", "enable_enhanced_civic_answers"],
    ["imageConfig", "image_config"],
    ["maxOutputTokens", "max_output_tokens"],
    ["mediaResolution", "media_resolution"],
    ["responseJsonSchema", "response_json_schema"],
    ["responseLogprobs", "response_logprobs"],
    ["responseMimeType", "response_mime_type"],
    ["responseModalities", "response_modalities"],
    ["responseSchema", "response_schema"],
    ["speechConfig", "speech_config"],
    ["stopSequences", "stop_sequences"],
    ["thinkingConfig", "thinking_config"],
    ["topK"],
    ["topP"],
  ];
  for (const [name, ...others] of names) {
    for (const spelling of [name, ...others]) {
      const wanted = { generationConfig: { [name]: { a: 1 } } };
      assertEquals(terms({ [spelling]: { a: 1 } }), { terms: wanted, dropped: [] }, spelling);
      assertEquals(terms({ generation_config: { [spelling]: { a: 1 } } }).terms, wanted, spelling);
    }
  }
  assertEquals(terms({ xtopK: 1 }).terms, { xtopK: 1 });
});

Deno.test("writeTerms() merges the client's thinking, which may not have both a level and a budget", () => {
  const effort = { reasoning_effort: "high" };
  const wanted = { thinkingLevel: "low", includeThoughts: false };
  const spellings = [
    { thinkingConfig: wanted },
    { generation_config: { thinking_config: { thinking_level: "low", include_thoughts: false } } },
    { google: { thinking_config: wanted } },
    { extra_body: { google: { thinkingConfig: wanted } } },
  ];
  for (const fields of spellings) {
    assertEquals(config({ ...effort, ...fields }), { thinkingConfig: wanted });
  }
  assertEquals(config({ ...effort, thinkingConfig: { thinkingBudget: 5 } }), {
    thinkingConfig: { includeThoughts: true, thinkingBudget: 5 },
  });
  assertEquals(config({ ...effort, thinkingConfig: { includeThoughts: false } }), {
    thinkingConfig: { thinkingLevel: "HIGH", includeThoughts: false },
  });
});

/** Fields that clients of other gateways send beside OpenAI's. */
const GATEWAYS = {
  provider: { order: ["google"] },
  transforms: ["middle-out"],
  route: "fallback",
  plugins: [{ id: "web" }],
  usage: { include: true },
  models: ["google/gemini-3.8-flash"],
  preset: "p",
  session_id: "s",
  trace: {},
  top_a: 0,
  min_p: 0.1,
  repetition_penalty: 1,
  include_reasoning: true,
  stop_server_tools_when: [],
  prompt_cache_options: {},
  providerOptions: { gateway: { order: ["vertex"] } },
  num_retries: 2,
  fallbacks: ["openai/gpt"],
  litellm_metadata: {},
  moderation: {},
};

Deno.test("writeTerms() names the fields of other gateways, and sends none", () => {
  assertEquals(terms(GATEWAYS), { terms: {}, dropped: Object.keys(GATEWAYS) });
  // Google's own fields are sent for Google to judge.
  assertEquals(terms({ safetySettings: [], unheard_of: 1 }).terms, { safetySettings: [], unheard_of: 1 });
});

Deno.test("writeTerms() reads OpenRouter's reasoning", () => {
  const thinking = (reasoning: unknown, model?: string, more: JsonObject = {}) => {
    const { terms: { generationConfig, ...rest }, dropped } = terms({ reasoning, ...more }, model);
    assertEquals(rest, {});
    return [(generationConfig as JsonObject | undefined)?.thinkingConfig, dropped];
  };
  const level = (thinkingLevel: string) => ({ thinkingLevel, includeThoughts: true });
  const budget = (thinkingBudget: number) => ({ thinkingBudget, includeThoughts: true });
  assertEquals(thinking({ effort: "high" }), [level("HIGH"), []]);
  assertEquals(thinking({ max_tokens: 1000 }), [level("LOW"), []]);
  assertEquals(thinking({ max_tokens: 5000.5 }, "gemini-2.5-flash"), [budget(5000), []]);
  assertEquals(thinking({ max_tokens: 1 }, "gemini-2.5-pro"), [budget(128), []]);
  assertEquals(thinking({ max_tokens: 1e9 }, "gemini-2.5-pro"), [budget(32768), []]);
  assertEquals(thinking({ enabled: false }, "gemini-2.5-flash"), [{ thinkingBudget: 0 }, []]);
  assertEquals(thinking({ effort: "low", exclude: true }, "gemini-2.5-flash"), [budget(1024), [
    "reasoning.exclude",
  ]]);
  assertEquals(thinking({ effort: "high" }, "gemini-2.0-flash"), [undefined, ["reasoning.effort"]]);
  assertEquals(thinking({ effort: "high" }, undefined, { reasoning_effort: "low" }), [level("LOW"), [
    "reasoning.effort",
  ]]);
  assertEquals(thinking("high"), [undefined, ["reasoning"]]);
  // The client's own setting in Google's form wins.
  assertEquals(
    thinking({ max_tokens: 5000 }, "gemini-2.5-flash", { thinkingConfig: { thinkingBudget: 7 } })[0],
    { thinkingBudget: 7 },
  );
});

Deno.test("writeTerms() reads Anthropic's thinking", () => {
  const thinking = (thinking: unknown, model?: string, more: JsonObject = {}) => {
    const { terms: { generationConfig, ...rest }, dropped } = terms({ thinking, ...more }, model);
    assertEquals(rest, {});
    return [(generationConfig as JsonObject | undefined)?.thinkingConfig, dropped];
  };
  const budget = { type: "enabled", budget_tokens: 5000 };
  assertEquals(thinking(budget, "gemini-2.5-flash"), [{ thinkingBudget: 5000, includeThoughts: true }, []]);
  assertEquals(thinking(budget), [{ thinkingLevel: "MEDIUM", includeThoughts: true }, []]);
  assertEquals(thinking(budget, "gemini-2.0-flash"), [undefined, ["thinking"]]);
  assertEquals(thinking({ type: "disabled" }, "gemini-2.5-flash"), [{ thinkingBudget: 0 }, []]);
  assertEquals(thinking({ type: "adaptive" }), [undefined, ["thinking"]]);
  assertEquals(thinking("on"), [undefined, ["thinking"]]);
  assertEquals(thinking(budget, undefined, { reasoning_effort: "low" }), [
    { thinkingLevel: "LOW", includeThoughts: true },
    ["thinking"],
  ]);
});
