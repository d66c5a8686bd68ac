/** A web search that is all that a request asks for: done by the target's own, or told as failed, and never guessed. */
import { assert, assertEquals } from "@std/assert";
import { completion } from "../fakes.ts";
import { events, type Json, lab, type Play, sse } from "./lab.ts";
import { validate } from "./messages_events.ts";
import { readResponseStream } from "./responses_events.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictResponses } from "./strict_responses.ts";

// deno-lint-ignore no-explicit-any -- Items of an answer.
type Any = any;

const SEARCH = { type: "web_search_20260318", name: "web_search", max_uses: 8 };
const ASKED = "Perform a web search for the query: deno";

function room(play: Play, options: Parameters<typeof lab>[1] = {}) {
  const one = lab(play, options);
  const send = (path: string, body: Json, headers: Record<string, string> = {}) =>
    one.gateway.fetch(
      new Request(`http://gateway.test/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key", ...headers },
        body: JSON.stringify(body),
      }),
    );
  return { ...one, send };
}

const messages = (model: string, more: Json = {}): Json => ({
  model,
  max_tokens: 100,
  messages: [{ role: "user", content: ASKED }],
  tools: [SEARCH],
  ...more,
});

/** Providers without a search, or whose model has none. */
const WITHOUT = ["deepinfra/llama-4", "cohere/command-a-03-2025", "workers-ai/@cf/meta/llama"];

for (const model of WITHOUT) {
  Deno.test(`a Messages client's lone search fails as Anthropic's does on ${model}`, async () => {
    const { send, asked } = room(() => completion(), { account: "a" });
    const whole = await send("messages", messages(model));
    assertEquals([whole.status, whole.headers.get("sluice-dropped")], [200, "tools[0]"]);
    const { content: [use, result, text], stop_reason, usage } = await whole.json();
    assertEquals([use.type, use.name, use.input], ["server_tool_use", "web_search", { query: ASKED }]);
    assertEquals(result.tool_use_id, use.id);
    assertEquals(result.content, { type: "web_search_tool_result_error", error_code: "unavailable" });
    assert(text.text.includes("unavailable"));
    assertEquals([stop_reason, usage.input_tokens, usage.output_tokens], ["end_turn", 0, 0]);
    const streamed = await send("messages", messages(model, { stream: true }));
    assertEquals(streamed.headers.get("content-type"), "text/event-stream");
    const events = await streamed.text();
    assertEquals(validate(events), "whole");
    assert(events.includes('"error_code":"unavailable"'));
    assertEquals(asked, []);
  });

  Deno.test(`a Responses client's lone search fails as OpenAI's does on ${model}`, async () => {
    const { send, asked } = room(() => completion(), { account: "a" });
    const body = { model, input: ASKED, tools: [{ type: "web_search" }] };
    const whole = await send("responses", body);
    assertEquals([whole.status, whole.headers.get("sluice-dropped")], [200, "tools[0]"]);
    const { output: [search, message], status } = await whole.json();
    assertEquals([search.type, search.status, search.action.query, status], [
      "web_search_call",
      "failed",
      ASKED,
      "completed",
    ]);
    assert(message.content[0].text.includes("unavailable"));
    const streamed = await send("responses", { ...body, stream: true });
    const { response } = readResponseStream(await streamed.text());
    assertEquals((response!.output as Json[]).map(({ type }) => type), ["web_search_call", "message"]);
    assertEquals(asked, []);
  });
}

Deno.test("a search beside other tools, or with a target that has one, is sent", async () => {
  const tools = [SEARCH, { name: "f", input_schema: { type: "object" } }];
  const plain = room(() => completion());
  const beside = await plain.send("messages", messages("deepinfra/llama-4", { tools }));
  assertEquals([beside.headers.get("sluice-dropped"), plain.asked.length], ["tools[0]", 1]);
  const google = room(strictGoogle([[{ text: "Found" }]]).play);
  assertEquals((await google.send("messages", messages("google/gemini-3.8-flash"))).status, 200);
  assertEquals((google.asked[0].body.tools as Json[])[0], { googleSearch: {} });
});

Deno.test("a Messages client's search runs on OpenAI's models of any generation, over Responses", async () => {
  for (const model of ["gpt-4o", "gpt-5.2", "gpt-5.6"]) {
    const { send, asked } = room(strictResponses([[{ search: "deno" }, { text: ["Found"] }]]).play);
    const response = await send("messages", messages(`openai/${model}`));
    assertEquals(response.status, 200, await response.clone().text());
    assertEquals([asked[0].url.pathname, (asked[0].body.tools as Json[])[0].type], [
      "/v1/responses",
      "web_search",
    ]);
    const { content } = await response.json();
    assert(content.some(({ type }: Json) => type === "web_search_tool_result"));
  }
});

Deno.test("with others to try, one that can search takes over; strict refuses", async () => {
  const found = { candidates: [{ content: { parts: [{ text: "Found" }] }, finishReason: "STOP" }] };
  const { send, asked } = room(() => Response.json(found));
  const headers = { "sluice-fallback": "cohere/command-a-03-2025, google/gemini-3.8-flash" };
  const response = await send("messages", messages("deepinfra/llama-4"), headers);
  assertEquals([response.status, asked.length], [200, 1]);
  const none = await send("messages", messages("deepinfra/llama-4"), {
    "sluice-fallback": "cohere/command-a-03-2025",
  });
  assertEquals((await none.json()).content[1].content.error_code, "unavailable");
  const strict = await send("messages", messages("deepinfra/llama-4"), { "sluice-strict": "true" });
  assertEquals([strict.status, (await strict.json()).error.message.includes("tools[0]")], [400, true]);
  assertEquals(asked.length, 1);
});

Deno.test("a chat client's search is named, and its model asked", async () => {
  const { send, asked } = room(() => completion());
  const response = await send("chat/completions", {
    model: "cohere/command-a-03-2025",
    messages: [{ role: "user", content: ASKED }],
    web_search_options: {},
  });
  await response.text();
  assertEquals(asked.length, 1);
});

Deno.test("sources of a provider that searches by itself are what the client's search found", async () => {
  const sources = [["https://deno.com", "Deno"], ["https://deno.com", "Deno again"], [
    "https://docs.deno.com",
    "Docs",
  ]];
  const annotations = sources.map(([url, title]) => ({
    type: "url_citation",
    url_citation: { url, title, start_index: 0, end_index: 5 },
  }));
  const head = { id: "chatcmpl-1", created: 1, model: "m" };
  const play: Play = ({ body }) => {
    const message = { role: "assistant", content: "Deno is.", annotations };
    if (!body.stream) {
      return Response.json({ ...head, choices: [{ index: 0, message, finish_reason: "stop" }] });
    }
    return events(sse([
      {
        ...head,
        choices: [{ index: 0, delta: { role: "assistant", content: "Deno is." }, finish_reason: null }],
      },
      { ...head, choices: [{ index: 0, delta: { annotations }, finish_reason: null }] },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      "[DONE]",
    ]));
  };
  const found = [{ url: "https://deno.com", title: "Deno" }, { url: "https://docs.deno.com", title: "Docs" }];
  const never = { providers: { openai: { responses: "never" as const } } };
  for (const stream of [false, true]) {
    const { send, asked } = room(play, never);
    const response = await send("messages", messages("openai/gpt-4o-search-preview", { stream }));
    const text = await response.text();
    assertEquals(asked[0].body.web_search_options, {});
    if (stream) {
      assertEquals(validate(text), "whole");
      for (const { url } of found) assert(text.includes(`"type":"web_search_result","url":"${url}"`), text);
    } else {
      const { content, usage } = JSON.parse(text);
      const result = content.find(({ type }: Json) => type === "web_search_tool_result");
      assertEquals(result.content.map(({ url, title }: Json) => ({ url, title })), found);
      assertEquals(usage.server_tool_use.web_search_requests, 1);
    }
    const body = {
      model: "openai/gpt-4o-search-preview",
      input: ASKED,
      tools: [{ type: "web_search" }],
      stream,
    };
    const other = room(play, { providers: { mine: { baseUrl: "https://mine.example/v1" } } });
    const told = await other.send("responses", { ...body, model: "mine/gpt-4o-search-preview" });
    const whole = stream ? readResponseStream(await told.text()).response : await told.json();
    const search = (whole.output as Json[]).find(({ type }) => type === "web_search_call") as Any;
    assertEquals(search.action.sources.map(({ url }: Json) => url), found.map(({ url }) => url));
  }
});
