/** What chat completions become as Converse. Each body is checked by the strict Converse. */
import { assert, assertEquals } from "@std/assert";
import { lab } from "../../acceptance/lab.ts";
import { strictConverse } from "../../acceptance/strict_converse.ts";
import { post } from "../../fakes.ts";
import { type Any, CLAUDE, fileOf, NOVA, picture, settings, talk, USER, WEATHER, write } from "./converse.ts";

const GPT = "openai.gpt-6.1-v1:0",
  OSS = "openai.gpt-oss-120b-1:0",
  LLAMA = "us.meta.llama3-1-70b-instruct-v1:0";
const MISTRAL = "mistral.mistral-large-2407-v1:0", R1 = "us.deepseek.r1-v1:0", GROK = "xai.grok-4-v1:0";
const NOVA_2 = "us.amazon.nova-2-lite-v1:0", OPUS = "global.anthropic.claude-opus-4-8-v1:0";

// ---------------------------------------------------------------- turns

Deno.test("converse merges neighbours, keeps instructions in place, and begins with the user", async () => {
  const { system, messages } = await write({
    messages: [
      { role: "system", content: "Be brief." },
      { role: "assistant", content: "Welcome." },
      { role: "user", content: "One" },
      { role: "user", content: "Two" },
      { role: "assistant", content: "Yes" },
      { role: "developer", content: "Rhyme." },
      { role: "user", content: "Go on" },
    ],
  });
  assertEquals(system, [{ text: "Be brief." }]);
  assertEquals(messages, [
    { role: "user", content: [{ text: "Begin." }] },
    { role: "assistant", content: [{ text: "Welcome." }] },
    { role: "user", content: [{ text: "One" }, { text: "Two" }] },
    { role: "assistant", content: [{ text: "Yes" }] },
    { role: "user", content: [{ text: "<system>\nRhyme.\n</system>" }, { text: "Go on" }] },
  ]);
});

Deno.test("converse leaves blank texts out, and fills an empty result", async () => {
  const content = [{ type: "text", text: " \n" }, { type: "text", text: "Hello" }, {
    type: "text",
    text: "",
  }];
  const messages = [{ role: "user", content }, ...talk("{}", " ").slice(1), { role: "user", content: " " }];
  const sent = await write({ messages, tools: [WEATHER] });
  assertEquals(sent.messages.map(({ content }: { content: unknown }) => content), [
    [{ text: "Hello" }],
    [{ toolUse: { toolUseId: "tooluse_1", name: "weather", input: {} } }],
    [{ toolResult: { toolUseId: "tooluse_1", content: [{ text: "(empty)" }] } }],
  ]);
});

Deno.test("converse refuses a conversation that ends with nothing said, with the path and the cure", async () => {
  const { post, asked } = lab(strictConverse([[]]).play);
  const messages = [USER, { role: "assistant", content: "Yes" }, { role: "user", content: " " }];
  const response = await post({ model: `aws-bedrock/us-east-1/${NOVA}`, messages });
  const { error } = await response.json();
  assertEquals([response.status, error.param, asked.length], [400, "messages[2].content", 0]);
});

Deno.test("converse trims the end of a begun answer, and leaves it out where the model cannot continue it", async () => {
  const messages = [USER, { role: "assistant", content: "Once \n" }];
  assertEquals((await write({ messages })).messages[1].content, [{ text: "Once" }]);
  const { messages: sent, dropped } = await write({ messages }, OPUS);
  assertEquals([sent.length, dropped], [1, ["messages[1]"]]);
});

Deno.test("converse puts all results of a turn first into one message, each once", async () => {
  const [user, assistant, result] = talk();
  const calls = [assistant, { ...assistant }].flatMap(({ tool_calls }: { tool_calls?: object[] }) =>
    tool_calls ?? []
  );
  const two = calls.map((call, at) => ({ ...call, id: `call_${at}` }));
  const { messages, dropped } = await write({
    tools: [WEATHER],
    messages: [
      user,
      { role: "assistant", content: "Let me see.", tool_calls: two },
      { ...result, tool_call_id: "call_1", content: "second" },
      { role: "system", content: "Now answer." },
      { ...result, tool_call_id: "call_0", content: "first" },
    ],
  });
  const said = (id: string, text: string) => ({ toolResult: { toolUseId: id, content: [{ text }] } });
  assertEquals(messages[2].content, [
    said("call_1", "second"),
    said("call_0", "first"),
    { text: "<system>\nNow answer.\n</system>" },
  ]);
  assertEquals(dropped, []);
});

// ---------------------------------------------------------------- tools

Deno.test("converse writes tools, with an object at the root of each schema", async () => {
  const bare = { type: "function", function: { name: "now", description: " " } };
  const { toolConfig, dropped } = await write({ tools: [WEATHER, bare], tool_choice: "required" }, NOVA);
  assertEquals(toolConfig, {
    tools: [
      { toolSpec: { name: "weather", inputSchema: { json: WEATHER.function.parameters } } },
      { toolSpec: { name: "now", inputSchema: { json: { type: "object" } } } },
    ],
    toolChoice: { any: {} },
  });
  assertEquals(dropped, []);
});

Deno.test("converse writes earlier calls as text if no tools are sent", async () => {
  for (const body of [{}, { tools: [WEATHER], tool_choice: "none" }]) {
    const { messages, toolConfig, dropped } = await write({ messages: talk(), ...body });
    assertEquals(toolConfig, undefined);
    assertEquals(messages.slice(1), [
      { role: "assistant", content: [{ text: '[called the tool weather (tooluse_1) with {"city":"Ulm"}]' }] },
      { role: "user", content: [{ text: "[the tool answered (tooluse_1)]\nRain" }] },
    ]);
    assertEquals(dropped, []);
  }
});

Deno.test("converse chooses tools as far as the family can be told", async () => {
  const chosen = { type: "function", function: { name: "weather" } };
  const clock = { type: "function", function: { name: "clock" } };
  const choose = async (tool_choice: unknown, model: string) => {
    const { toolConfig, dropped } = await write({ tools: [WEATHER, clock], tool_choice }, model);
    return [toolConfig.toolChoice, toolConfig.tools.length, dropped];
  };
  assertEquals(await choose("auto", CLAUDE), [undefined, 2, []]);
  assertEquals(await choose(chosen, CLAUDE), [{ tool: { name: "weather" } }, 2, []]);
  assertEquals(await choose(chosen, MISTRAL), [{ any: {} }, 1, []]);
  assertEquals(await choose("required", LLAMA), [undefined, 2, ["tool_choice"]]);
});

Deno.test("converse renames tools in spec, choice and history alike, and answers by the client's name", async () => {
  const name = "mcp.files/read file";
  const tool = { type: "function", function: { name, parameters: { type: "object", properties: {} } } };
  const { post, asked } = lab(
    strictConverse((asked) => {
      const { name } =
        (asked.body.toolConfig as { tools: { toolSpec: { name: string } }[] }).tools[0].toolSpec;
      return [{ toolUse: { toolUseId: "t2", name, input: {} } }];
    }).play,
  );
  const response = await post({
    model: `aws-bedrock/us-east-1/${NOVA}`,
    messages: talk("{}", "x", "t1", name),
    tools: [tool],
    tool_choice: { type: "function", function: { name } },
  });
  const { choices: [{ message }] } = await response.json();
  assertEquals(message.tool_calls[0].function.name, name);
  const { toolConfig, messages } = asked[0].body as never as { toolConfig: never; messages: never };
  const written = JSON.stringify([toolConfig, messages]).match(/mcp_files_read_file_[a-z0-9]{13}/g);
  assertEquals([written?.length, new Set(written).size], [3, 1]);
});

Deno.test("converse gives Mistral's models ids of nine letters and digits, the same in call and result", async () => {
  const { messages } = await write({ messages: talk(), tools: [WEATHER] }, MISTRAL);
  const [{ toolUse }] = messages[1].content, [{ toolResult }] = messages[2].content;
  assert(/^[a-zA-Z0-9]{9}$/.test(toolUse.toolUseId));
  assertEquals(toolResult.toolUseId, toolUse.toolUseId);
  const odd = await write({ messages: talk("{}", "x", "resp_1:call/0"), tools: [WEATHER] });
  assertEquals(
    odd.messages[2].content[0].toolResult.toolUseId,
    odd.messages[1].content[0].toolUse.toolUseId,
  );
});

Deno.test("converse puts input that is not an object into one", async () => {
  for (
    const [args, input] of [["[1]", { arguments: "[1]" }], ["", {}], ['{"a"', { arguments: '{"a"' }]] as const
  ) {
    const { messages } = await write({ messages: talk(args), tools: [WEATHER] });
    assertEquals(messages[1].content[0].toolUse.input, input);
  }
});

Deno.test("converse tells Claude and Nova that a tool failed, and shows them its pictures", async () => {
  const { gateway, asked } = lab(strictConverse([[{ text: "Hi" }]]).play);
  const failed = async (model: string): Promise<Any> => {
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: picture } };
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "f", input: {} }] },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "c1", is_error: true, content: [image] }],
      },
    ];
    const body = { model: `aws-bedrock/us-east-1/converse/${model}`, max_tokens: 99, tools, messages };
    const headers = { "content-type": "application/json", "x-api-key": "key" };
    const response = await gateway.fetch(
      new Request("http://gateway.test/v1/messages", { method: "POST", headers, body: JSON.stringify(body) }),
    );
    assertEquals(response.status, 200, await response.text());
    const { content } = (asked.at(-1)!.body.messages as { content: never[] }[])[2];
    return [content[0], response.headers.get("sluice-dropped")];
  };
  for (const model of [CLAUDE, NOVA]) {
    const image = { format: "png", source: { bytes: picture } };
    const toolResult = { toolUseId: "c1", content: [{ image }], status: "error" };
    assertEquals(await failed(model), [{ toolResult }, null]);
  }
  const [{ toolResult }, dropped] = await failed(GPT);
  assertEquals(toolResult, { toolUseId: "c1", content: [{ text: "(empty)" }] });
  assertEquals(dropped.split(", "), [
    "messages[2].content[0].content[0].source",
    "messages[2].content[0].is_error",
  ]);
});

Deno.test("converse forbids parallel calls for Claude, and names the wish elsewhere", async () => {
  const body = { tools: [WEATHER], parallel_tool_calls: false };
  const of = async (more: object, model?: string) => {
    const { additionalModelRequestFields: fields, dropped } = await settings({ ...body, ...more }, model);
    return [fields, dropped];
  };
  const none = { disable_parallel_tool_use: true };
  assertEquals(await of({}), [{ tool_choice: { type: "auto", ...none } }, []]);
  assertEquals(await of({ tool_choice: "required" }), [{ tool_choice: none }, []]);
  assertEquals(await of({}, NOVA), [undefined, ["parallel_tool_calls"]]);
});

// ---------------------------------------------------------------- media

Deno.test("converse writes documents with clean names, each once, and never without a text", async () => {
  const content = [
    fileOf("My report_(1).v2!.pdf"),
    fileOf("My report (1) v2 .pdf"),
    fileOf("日本.pdf"),
    fileOf("日本.pdf"),
  ];
  const { messages: [{ content: sent }], dropped } = await write({ messages: [{ role: "user", content }] });
  assertEquals(sent[0], { text: "(document)" });
  assertEquals(
    sent.slice(1).map((
      { document }: { document: { name: string; format: string } },
    ) => [document.name, document.format]),
    [["My report (1) v2", "pdf"], ["My report (1) v2 2", "pdf"], ["document", "pdf"], ["document 2", "pdf"]],
  );
  assertEquals(dropped, []);
});

Deno.test("converse writes media by their bytes, and names what it cannot take", async () => {
  const content = [
    { type: "text", text: "Look" },
    { type: "image_url", image_url: { url: `data:image/jpeg;base64,${picture}` } },
    { type: "image_url", image_url: { url: "https://pictures.example/cat.png" } },
    fileOf("a.csv", "text/csv", "YQ=="),
    fileOf("a.json", "application/json", "e30="),
    fileOf("a.zip", "application/zip", "UEsDBA=="),
    { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
  ];
  const { messages: [{ content: sent }], dropped } = await write({ messages: [{ role: "user", content }] });
  assertEquals(sent, [
    { text: "Look" },
    { image: { format: "png", source: { bytes: picture } } },
    { document: { format: "csv", name: "a", source: { bytes: "YQ==" } } },
    { document: { format: "txt", name: "a 2", source: { bytes: "e30=" } } },
  ]);
  assertEquals(dropped, [
    "messages[0].content[2].image_url",
    "messages[0].content[5].file",
    "messages[0].content[6].input_audio",
  ]);
});

Deno.test("converse writes addresses in Amazon's storage, for the kind that their ending tells", async () => {
  const at = (url: string) => ({ type: "image_url", image_url: { url } });
  const content = [
    { type: "text", text: "Look" },
    at("s3://b/a.jpg"),
    at("s3://b/a.mp4"),
    at("s3://b/a.pdf"),
    at("s3://b/a"),
  ];
  const { messages: [{ content: sent }], dropped } = await write(
    { messages: [{ role: "user", content }] },
    NOVA,
  );
  const source = (uri: string) => ({ s3Location: { uri } });
  assertEquals(sent.slice(1), [
    { image: { format: "jpeg", source: source("s3://b/a.jpg") } },
    { video: { format: "mp4", source: source("s3://b/a.mp4") } },
    { document: { format: "pdf", name: "document", source: source("s3://b/a.pdf") } },
  ]);
  assertEquals(dropped, ["messages[0].content[4].image_url"]);
});

// ---------------------------------------------------------------- cache marks

const marked = (ttl?: string) => ({ cache_control: { type: "ephemeral", ...(ttl && { ttl }) } });
const POINT = { cachePoint: { type: "default" } };

Deno.test("converse writes a cache point behind each marked tool, text and result", async () => {
  const [user, assistant, result] = talk();
  const { toolConfig, system, messages, dropped } = await write({
    tools: [{ ...WEATHER, ...marked() }],
    messages: [
      { role: "system", content: [{ type: "text", text: "Long", ...marked("1h") }] },
      user,
      assistant,
      { ...result, content: [{ type: "text", text: "Rain", ...marked() }] },
    ],
    guardrailConfig: { guardrailIdentifier: "g1", guardrailVersion: "1" },
  });
  assertEquals(toolConfig.tools[1], POINT);
  assertEquals(system, [{ text: "Long" }, { cachePoint: { type: "default", ttl: "1h" } }]);
  assertEquals(messages[2].content[1], POINT);
  assertEquals(dropped, []);
});

Deno.test("converse keeps the first cache mark and the last three, and names the others", async () => {
  const content = [1, 2, 3, 4, 5, 6].map((n) => ({ type: "text", text: `${n}`, ...marked() }));
  const { messages: [{ content: sent }], dropped } = await write({ messages: [{ role: "user", content }] });
  const texts = sent.map(({ text }: { text?: string }) => text ?? "|").join("");
  assertEquals(texts, "1|234|5|6|");
  assertEquals(dropped, ["messages[0].content[1].cache_control", "messages[0].content[2].cache_control"]);
});

Deno.test("converse names cache marks where the model or the place takes none", async () => {
  const content = [{ ...fileOf("a.txt", "text/plain", "YQ=="), ...marked() }, {
    type: "text",
    text: "x",
    ...marked("1h"),
  }];
  const body = { tools: [{ ...WEATHER, ...marked() }], messages: [{ role: "user", content }] };
  assertEquals((await write(body)).dropped, ["messages[0].content[0].cache_control"]);
  assertEquals((await write(body, NOVA)).dropped, [
    "tools[0].cache_control",
    "messages[0].content[0].cache_control",
    "messages[0].content[1].cache_control.ttl",
  ]);
  assertEquals((await write(body, GPT)).dropped.length, 3);
});

// ---------------------------------------------------------------- thoughts

Deno.test("converse hands Claude's signed and sealed thoughts back, and leaves unsigned ones out", async () => {
  const reasoning_details = [
    { type: "reasoning.text", text: "Hm.", signature: "c2ln", format: "anthropic-claude-v1", index: 0 },
    { type: "reasoning.encrypted", data: "EtkC+/=", format: "anthropic-claude-v1", index: 1 },
    { type: "reasoning.text", text: "Mine.", index: 2 },
  ];
  const messages = [USER, { role: "assistant", content: "Yes", reasoning_details }, USER];
  const { messages: sent, dropped } = await write({ messages });
  assertEquals(sent[1].content, [
    { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
    { reasoningContent: { redactedContent: btoa("EtkC+/=") } },
    { text: "Yes" },
  ]);
  assertEquals(dropped.length, 1);
  assertEquals((await write({ messages }, NOVA)).messages[1].content, [{ text: "Yes" }]);
});

Deno.test("converse writes the effort where each family has its place", async () => {
  const fields = async (body: object, model: string) => {
    const sent = await settings({ reasoning_effort: "high", ...body }, model);
    return [sent.additionalModelRequestFields, sent.dropped];
  };
  assertEquals(await fields({}, CLAUDE), [{ thinking: { type: "enabled", budget_tokens: 24_576 } }, []]);
  assertEquals(await fields({ max_tokens: 4000 }, CLAUDE), [{
    thinking: { type: "enabled", budget_tokens: 2000 },
  }, []]);
  assertEquals(await fields({}, OPUS), [
    { output_config: { effort: "high" }, thinking: { type: "adaptive", display: "summarized" } },
    [],
  ]);
  assertEquals(await fields({}, NOVA_2), [{
    reasoningConfig: { type: "enabled", maxReasoningEffort: "high" },
  }, []]);
  assertEquals(await fields({ reasoning_effort: "minimal" }, OSS), [{ reasoning_effort: "low" }, []]);
  for (const reasoning_effort of ["xhigh", "max"]) {
    assertEquals(await fields({ reasoning_effort }, OSS), [{ reasoning_effort: "high" }, []]);
  }
  // Nova 2 does not think unless it is told to.
  assertEquals(await fields({ reasoning_effort: "none" }, NOVA_2), [undefined, []]);
  assertEquals(await fields({}, GPT), [{ reasoning: { effort: "high" } }, []]);
  for (const model of [NOVA, R1, GROK]) {
    assertEquals(await fields({}, model), [undefined, ["reasoning_effort"]]);
  }
});

Deno.test("converse does not let Claude think where it would be refused", async () => {
  const body = { reasoning_effort: "high", tools: [WEATHER] };
  const forced = await settings({ ...body, tool_choice: "required" });
  assertEquals([forced.additionalModelRequestFields, forced.dropped], [undefined, ["reasoning_effort"]]);
  const resumed = await settings({ ...body, messages: talk() });
  assertEquals([resumed.additionalModelRequestFields, resumed.dropped], [undefined, ["reasoning_effort"]]);
  const own = { thinking: { type: "enabled", budget_tokens: 2000 } };
  assertEquals((await settings({ ...own })).additionalModelRequestFields, own);
  const lost = await settings({ ...own, tools: [WEATHER], messages: talk() });
  assertEquals([lost.additionalModelRequestFields, lost.dropped], [undefined, ["thinking"]]);
  const cool = await settings({ reasoning_effort: "low", temperature: 0.2 });
  assertEquals([cool.inferenceConfig, cool.dropped], [{}, ["temperature"]]);
});

// ---------------------------------------------------------------- settings

Deno.test("converse writes limits and sampling, as far as the family takes them", async () => {
  const body = { max_tokens: 7, temperature: 0.5, top_p: 0.9, stop: ["END", " "], top_k: 3 };
  const fields = { maxTokens: 7, temperature: 0.5, topP: 0.9, stopSequences: ["END"] };
  const nova = await settings(body, NOVA);
  assertEquals(nova.inferenceConfig, fields);
  assertEquals(nova.additionalModelRequestFields, { inferenceConfig: { topK: 3 } });
  assertEquals(nova.dropped, ["stop"]);
  const claude = await settings(body);
  const { topP: _, ...one } = fields;
  assertEquals([claude.inferenceConfig, claude.additionalModelRequestFields], [one, { top_k: 3 }]);
  assertEquals(claude.dropped.toSorted(), ["stop", "top_p"]);
  const gpt = await settings(body, GPT);
  assertEquals([gpt.inferenceConfig, gpt.dropped], [{ maxTokens: 16 }, [
    "temperature",
    "top_p",
    "stop",
    "top_k",
  ]]);
  assertEquals((await settings({ temperature: 1.5 }, NOVA)).dropped, ["temperature"]);
  assertEquals((await settings({ temperature: 0.5, top_p: 0.5 }, OPUS)).dropped, ["temperature", "top_p"]);
});

Deno.test("converse writes a schema closed and as text where it is enforced, else in words", async () => {
  const schema = {
    type: "object",
    properties: { a: { type: "object", properties: {} }, b: { enum: [{ properties: 1 }] } },
  };
  const response_format = { type: "json_schema", json_schema: { name: "x", schema } };
  const { outputConfig, dropped } = await write({ response_format });
  const { type, structure: { jsonSchema } } = outputConfig.textFormat;
  assertEquals([type, jsonSchema.name, dropped], ["json_schema", "x", []]);
  const closed = { additionalProperties: false };
  assertEquals(JSON.parse(jsonSchema.schema), {
    ...schema,
    properties: { ...schema.properties, a: { ...schema.properties.a, ...closed } },
    ...closed,
  });
  for (const model of [NOVA, OPUS]) {
    const words = await write({ response_format }, model);
    assertEquals([words.outputConfig, words.dropped], [undefined, ["response_format.json_schema.schema"]]);
    assert(words.system[0].text.includes(JSON.stringify(schema)));
  }
  const any = await write({ response_format: { type: "json_object" } });
  assertEquals(any.dropped, ["response_format"]);
});

Deno.test("converse sends Converse's own fields, and other fields to the model", async () => {
  const guardrailConfig = { guardrailIdentifier: "g1", guardrailVersion: "DRAFT", trace: "enabled" };
  const sent = await settings({
    guardrailConfig,
    performanceConfig: { latency: "optimized" },
    requestMetadata: { team: "a" },
    metadata: { job: "b", "bad key!": "c", user_id: "u" },
    service_tier: "priority",
    anthropic_beta: ["context-1m-2025-08-07"],
    output_config: { effort: "low" },
    additionalModelRequestFields: { top_k: 5 },
    provider: { order: ["x"] },
    seed: 1,
    user: "u",
  });
  assertEquals(sent, {
    guardrailConfig,
    performanceConfig: { latency: "optimized" },
    requestMetadata: { job: "b", team: "a" },
    serviceTier: { type: "priority" },
    additionalModelRequestFields: {
      anthropic_beta: ["context-1m-2025-08-07"],
      output_config: { effort: "low" },
      top_k: 5,
    },
    dropped: ["metadata.bad%20key!", "metadata.user_id", "seed", "user", "provider"],
  });
});

Deno.test("converse sends Amazon's own tools to Nova", async () => {
  const { toolConfig } = await write({ web_search_options: {} }, NOVA);
  assertEquals(toolConfig, { tools: [{ systemTool: { name: "nova_grounding" } }] });
  const native = { systemTool: { name: "nova_code_interpreter" } };
  assertEquals((await write({ tools: [native] }, NOVA_2)).toolConfig, { tools: [native] });
  assertEquals((await write({ web_search_options: {} })).dropped, ["web_search_options"]);
});

Deno.test("converse sends the provider's tools of another API as Amazon's own, where the model has them", async () => {
  const cases: [model: string, type: string, sent: string | undefined][] = [
    [NOVA, "web_search_20250305", "nova_grounding"],
    [NOVA_2, "code_execution_20250825", "nova_code_interpreter"],
    [NOVA, "code_execution_20250825", undefined],
    [LLAMA, "code_execution_20250825", undefined],
  ];
  for (const [model, type, name] of cases) {
    const { gateway: { fetch }, asked } = lab(strictConverse([[{ text: "Hi" }]]).play);
    const tools = [{ type, name: type.replace(/_\d+$/, "") }];
    const body = { model: `aws-bedrock/us-east-1/converse/${model}`, max_tokens: 9, tools, messages: [USER] };
    const response = await fetch(post("http://gateway.test/v1/messages", body, { "x-api-key": "key" }));
    const text = await response.text();
    assertEquals([response.status, asked.length], [200, 1], text);
    assertEquals(
      asked[0].body.toolConfig,
      name === undefined ? undefined : { tools: [{ systemTool: { name } }] },
    );
    const dropped = response.headers.get("sluice-dropped");
    assertEquals(dropped?.includes("tools[0]") ?? false, name === undefined, `${model} ${dropped}`);
  }
});

Deno.test("converse keeps the order of the client's keys, and puts the conversation last", async () => {
  const parameters = {
    type: "object",
    properties: { z: { type: "string" }, a: { type: "string" } },
    required: ["z"],
  };
  const tools = [{ type: "function", function: { name: "f", parameters } }];
  const { asked, post } = lab(strictConverse([[{ text: "Hi" }]]).play);
  const ask = (messages: unknown[]) =>
    post({ model: `aws-bedrock/us-east-1/${NOVA}`, max_tokens: 9, tools, messages });
  await ask(talk('{"z":1,"a":2}', "x", "t1", "f"));
  await ask([...talk('{"z":1,"a":2}', "x", "t1", "f"), { role: "assistant", content: "Yes" }, USER]);
  assert(
    asked[0].text.includes('"properties":{"z":{"type":"string"},"a":{"type":"string"}},"required":["z"]'),
  );
  assert(asked[0].text.includes('"input":{"z":1,"a":2}'));
  assert(asked[1].text.startsWith(asked[0].text.replace(/\]\}$/, "")));
});
