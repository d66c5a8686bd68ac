import { assert, assertEquals } from "@std/assert";
import { collector } from "../gathered.ts";
import { perplexityAgent } from "../../../wires/perplexity_agent/mod.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { Delta, JsonObject } from "../../../wires/types.ts";
import { ask, before } from "../../fakes.ts";

const user = { role: "user", content: "Who won?" };

function write(model: string, body: JsonObject = {}) {
  // Compared as JSON, because members without a value are not sent.
  const { body: written, ...rest } = perplexityAgent.writeCall(
    readCall({ messages: [user], ...body }, model),
  );
  return { ...rest, body: JSON.parse(JSON.stringify(written)) };
}

function read(body: JsonObject): Delta[] {
  const deltas: Delta[] = [];
  perplexityAgent.readAnswer(body, (delta) => deltas.push(delta));
  return deltas;
}

function readEvents(...events: unknown[]): Delta[] {
  const deltas: Delta[] = [];
  const reader = perplexityAgent.readStream((delta) => deltas.push(delta));
  for (const event of events) reader.frame(typeof event === "string" ? event : JSON.stringify(event), "");
  reader.end();
  return deltas;
}

const collect = (deltas: Delta[]) => {
  const { emit, answer } = collector();
  deltas.forEach(emit);
  return answer;
};

Deno.test("perplexityAgent.writeCall() translates Sonar's models for the Agent API, and keeps other names", () => {
  const input = [{ type: "message", role: "user", content: "Who won?" }];
  const expected: Record<string, JsonObject> = {
    "sonar": { model: "perplexity/sonar", tools: [{ type: "web_search" }] },
    "sonar-pro": { preset: "low" },
    "sonar-reasoning-pro": { preset: "low" },
    "sonar-deep-research": { preset: "medium" },
    "fast": { preset: "fast" },
    "perplexity/sonar": { model: "perplexity/sonar" },
    "openai/gpt-5.1": { model: "openai/gpt-5.1" },
  };
  for (const [model, body] of Object.entries(expected)) {
    const written = write(model);
    assertEquals(written.path, "/v1/agent");
    assertEquals(written.body, { ...body, input }, model);
    assertEquals(written.dropped, []);
  }
});

Deno.test("perplexityAgent.writeCall() writes settings under Perplexity's names, and names the rest", () => {
  const { body, dropped } = write("perplexity/sonar", {
    max_completion_tokens: 100,
    temperature: 0.5,
    top_p: 0.9,
    reasoning_effort: "high",
    parallel_tool_calls: false,
    metadata: { a: "b" },
    store: false,
    n: 1,
    stream: true,
    stream_options: { include_usage: true },
    seed: 1,
    stop: "x",
    logit_bias: {},
    frequency_penalty: 1,
    user: "u",
    response_format: {
      type: "json_schema",
      json_schema: { name: "a", strict: true, schema: { type: "object" } },
    },
    x_new: 1,
  });
  const { input: _, ...rest } = body;
  assertEquals(rest, {
    model: "perplexity/sonar",
    max_output_tokens: 100,
    temperature: 0.5,
    top_p: 0.9,
    reasoning: { effort: "high" },
    parallel_tool_calls: false,
    metadata: { a: "b" },
    store: false,
    response_format: {
      type: "json_schema",
      json_schema: { name: "a", schema: { type: "object" }, strict: true },
    },
    stream: true,
    x_new: 1,
  });
  assertEquals(dropped, ["seed", "stop", "logit_bias", "frequency_penalty", "user"]);
  assertEquals(
    write("m/x", { response_format: { type: "json_object" }, reasoning_effort: "none", n: 2 }).dropped,
    ["response_format", "reasoning_effort", "n"],
  );
});

Deno.test("perplexityAgent.writeCall() moves Sonar's search fields into the search tool", () => {
  const { body, dropped } = write("sonar", {
    search_domain_filter: ["example.com"],
    search_recency_filter: "week",
    num_search_results: 5,
    web_search_options: {
      search_context_size: "low",
      user_location: {
        type: "approximate",
        approximate: { country: "NO", city: "Oslo", timezone: "Europe/Oslo" },
      },
    },
    tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
  });
  assertEquals(body.tools, [
    { type: "function", name: "f", parameters: { type: "object" } },
    {
      type: "web_search",
      search_context_size: "low",
      user_location: { country: "NO", city: "Oslo" },
      filters: { search_domain_filter: ["example.com"], search_recency_filter: "week" },
      max_results: 5,
    },
  ]);
  assertEquals(Object.keys(body), ["model", "input", "tools"]);
  assertEquals(dropped, []);
  assertEquals(write("sonar", { disable_search: true }).body.tools, undefined);
  const own = { type: "web_search", max_results: 1 };
  assertEquals(write("sonar", { tools: [own], num_search_results: 9 }).body.tools, [own]);
});

Deno.test("perplexityAgent.writeCall() writes a conversation with tools and images", () => {
  const image = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  const audio = { type: "input_audio", input_audio: { data: "AA==", format: "wav" } };
  const { body, dropped } = write("perplexity/sonar", {
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", name: "ada", content: [{ type: "text", text: "See" }, image, audio] },
      {
        role: "assistant",
        content: null,
        reasoning_content: "hm",
        tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "" } }],
      },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "42" }] },
      { role: "assistant", content: "It is 42." },
    ],
  });
  assertEquals(body.input, [
    { type: "message", role: "system", content: "Be brief." },
    {
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "See" },
        { type: "input_image", image_url: "https://example.com/a.png" },
      ],
    },
    { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: "42" },
    { type: "message", role: "assistant", content: "It is 42." },
  ]);
  assertEquals(dropped, [
    "messages[1].name",
    "messages[1].content[2].input_audio",
    "messages[2].reasoning_content",
  ]);
});

Deno.test("perplexityAgent.writeCall() sends a tool that is a list unchanged, beside the search tool of Sonar", () => {
  const { body } = write("sonar", { tools: [[null]] });
  assertEquals(body.tools, [[null], { type: "web_search" }]);
});

Deno.test("perplexityAgent.writeCall() writes tool_choice", () => {
  const tools = [{ type: "function", function: { name: "f" } }];
  for (const choice of ["none", "auto", "required"]) {
    assertEquals(write("a/b", { tools, tool_choice: choice }).body.tool_choice, choice);
  }
  const named = { type: "function", function: { name: "f" } };
  assertEquals(write("a/b", { tools, tool_choice: named }).body.tool_choice, { name: "f" });
});

const SOURCES = {
  type: "search_results",
  queries: ["who won"],
  results: [
    { id: 1, url: "https://example.com/1", title: "One", snippet: "s", date: "2026-11-01" },
    { id: 2, url: "https://example.com/2", title: "Two", snippet: "s" },
  ],
};

const said = (text: string, annotations: unknown[] = []) => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text, annotations }],
});

Deno.test("perplexityAgent.readAnswer() ties sources to the marks in the text", () => {
  const { choices: [choice], usage } = collect(read({
    id: "resp_1",
    status: "completed",
    output: [SOURCES, said("Ada[1] won, says[1] all.")],
    usage: {
      input_tokens: 10,
      output_tokens: 4,
      total_tokens: 14,
      input_tokens_details: { cache_read_input_tokens: 6 },
    },
  }));
  assertEquals(choice.text, "Ada[1] won, says[1] all.");
  const extra = { snippet: "s", date: "2026-11-01" };
  assertEquals(choice.citations, [
    { url: "https://example.com/1", title: "One", start: 3, end: 6, extra },
    { url: "https://example.com/1", title: "One", start: 16, end: 19, extra },
    // A source without a mark is cited at the end.
    { url: "https://example.com/2", title: "Two", start: 24, end: 24, extra: { snippet: "s" } },
  ]);
  assertEquals(usage, {
    input: 4,
    cacheRead: 6,
    cacheWrite: 0,
    audioIn: 0,
    output: 4,
    reasoning: 0,
    audioOut: 0,
  });
});

Deno.test("perplexityAgent.readAnswer() prefers the answer's own annotations to marks", () => {
  const note = {
    type: "url_citation",
    url: "https://example.com/1",
    title: "One",
    start_index: 0,
    end_index: 3,
  };
  const { choices: [choice] } = collect(
    read({ status: "completed", output: [SOURCES, said("Ada[1]", [note])] }),
  );
  assertEquals(choice.citations.map(({ url, start, end }) => [url, start, end]), [
    ["https://example.com/1", 0, 3],
    ["https://example.com/2", 6, 6],
  ]);
});

Deno.test("perplexityAgent.writeCall() writes every known effort, and accepts text as the only modality", () => {
  for (const reasoning_effort of ["minimal", "low", "medium", "high", "xhigh", "max"]) {
    const { body, dropped } = write("perplexity/sonar", { reasoning_effort });
    assertEquals([body.reasoning, dropped], [{ effort: reasoning_effort }, []]);
  }
  for (const reasoning_effort of ["none", "heroic", "maximum"]) {
    const { body, dropped } = write("perplexity/sonar", { reasoning_effort });
    assertEquals([body.reasoning, dropped], [undefined, ["reasoning_effort"]]);
  }
  assertEquals(write("perplexity/sonar", { modalities: ["text"] }).dropped, []);
  assertEquals(write("perplexity/sonar", { modalities: ["text", "audio"] }).dropped, ["modalities"]);
  assertEquals(write("perplexity/sonar", { n: 1 }).dropped, []);
  assertEquals(write("perplexity/sonar", { n: 2 }).dropped, ["n"]);
});

Deno.test("perplexityAgent.writeCall() writes parts in Perplexity's format, and names those that it does not have", () => {
  const own = { type: "input_image", image_url: "https://a.example/a.png" };
  const unread = [
    { type: "file", file: { file_id: "file-1" } },
    { type: "input_audio", input_audio: { data: "UklGRg==" } },
    { type: "video_url", video_url: { url: "https://a.example/a.mp4" } },
  ];
  const { body, dropped } = write("perplexity/sonar", {
    messages: [{ role: "user", content: [{ type: "text", text: "See" }, own, ...unread] }],
  });
  assertEquals(body.input[0].content, [{ type: "input_text", text: "See" }, own]);
  assertEquals(dropped, [
    "messages[0].content[2].file",
    "messages[0].content[3].input_audio",
    "messages[0].content[4].video_url",
  ]);
});

Deno.test("perplexityAgent.readAnswer() keeps the whole answer of a failure that names no error", () => {
  const body = { status: "in_progress", output: [], id: "r1" };
  const last = read(body).at(-1)!;
  assert(last.type === "error");
  assertEquals(last.error.metadata, { original: { error: body } });
});

Deno.test("perplexityAgent.readAnswer() reports a failure under status 200", () => {
  for (const status of ["failed", "cancelled"]) {
    const body = { status, output: [], error: { message: "model fell over", type: "internal_error" } };
    const last = read(body).at(-1)!;
    assert(last.type === "error", status);
    assertEquals([last.error.message, last.error.status], ["model fell over", 502]);
  }
  for (const body of [{}, { status: "queued", output: [] }, { output: "x" }]) {
    assertEquals(read(body).at(-1)!.type, "error", JSON.stringify(body));
  }
});

Deno.test("perplexityAgent.readStream() reads text that only the last event has", () => {
  const deltas = readEvents(
    { type: "response.output_text.delta", delta: "Ada " },
    { type: "response.completed", response: { status: "completed", output: [said("Ada won.")] } },
  );
  assertEquals(
    deltas.filter(({ type }) => type === "text").map((delta) => (delta as { text: string }).text),
    [
      "Ada ",
      "won.",
    ],
  );
  assertEquals(deltas.at(-1), { type: "stop", choice: 0, reason: "stop" });
});

Deno.test("perplexityAgent.readStream() reads a tool call's arguments when they come, once", () => {
  const call = (args: string) => ({
    type: "function_call",
    call_id: "c1",
    name: "f",
    arguments: args,
    thought_signature: "s",
  });
  const deltas = readEvents(
    { type: "response.output_item.added", item: call("") },
    { type: "response.output_item.done", item: call('{"a":1}') },
    { type: "response.completed", response: { status: "completed", output: [call('{"a":1}')] } },
  );
  assertEquals(deltas, [
    { type: "tool", choice: 0, index: 0, id: "c1", name: "f", signature: "s" },
    { type: "args", choice: 0, index: 0, text: '{"a":1}' },
    { type: "stop", choice: 0, reason: "stop" },
  ]);
});

Deno.test("perplexityAgent.readStream() survives anything", () => {
  const types = [
    "response.created",
    "response.completed",
    "response.output_item.added",
    "response.output_text.delta",
  ];
  for (const type of [...types, "response.reasoning.started", "response.failed", "error", "x", 5, null]) {
    for (
      const junk of [null, 1, "x", [], [null], {}, {
        output: [null, 1, { type: "message", content: [null] }],
      }]
    ) {
      const deltas = readEvents({
        type,
        delta: junk,
        item: junk,
        response: junk,
        error: junk,
        thought: junk,
      });
      assert(["stop", "error"].includes(deltas.at(-1)!.type));
    }
  }
  for (const text of ["null", "1", "[]", "{"]) assertEquals(readEvents(text).at(-1)!.type, "error", text);
});

Deno.test("perplexityAgent answers a client through the gateway, sources as annotations", async () => {
  const { fetch, sent } = before(() =>
    Response.json({ id: "r", status: "completed", output: [SOURCES, said("Ada[1]")] })
  );
  const response = await fetch(ask("perplexity-agent/sonar", {}, { messages: [user], seed: 1 }));
  assertEquals(sent[0].url, "https://api.perplexity.ai/v1/agent");
  assertEquals(response.headers.get("sluice-dropped"), "seed");
  const { choices } = await response.json();
  assertEquals(choices[0].message.annotations[0].url_citation.url, "https://example.com/1");
});
