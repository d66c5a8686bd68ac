/** Responses that the gateway keeps: who finds them, what is kept, and what happens in trouble. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { createGateway, type Options } from "../../../mod.ts";
import { openSql } from "../stores/opened.ts";
import { before, clock, events, message, nothing, post } from "../../fakes.ts";

const HOST = "http://gateway.test";
const TOKENS = [{ token: "token-a", name: "a" }, { token: "token-b", name: "b" }, "token-without-a-name"];
const CLAUDE = "anthropic/claude-sonnet-4-5";
const OPTIONS: Options = {
  responses: { store: true },
  tokens: TOKENS,
  tokenRequired: false,
  keys: { anthropic: "k", openai: "k", openrouter: "k", groq: "k" },
};

type Fetch = (request: Request) => Promise<Response>;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const sdk = (fetch: Fetch, apiKey = "token-a", base = "/v1") =>
  new OpenAI({
    apiKey,
    baseURL: HOST + base,
    maxRetries: 0,
    fetch: (input, init) => fetch(new Request(input as string, init as RequestInit)),
  });

/** What a request is answered with. */
async function ask(
  fetch: Fetch,
  body: object,
  headers: Record<string, string> = bearer("token-a"),
  path = "/v1/responses",
) {
  const answer = await fetch(post(HOST + path, { model: CLAUDE, input: "Hello", ...body }, headers));
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: JSON.parse(text) };
}

async function get(fetch: Fetch, path: string, token = "token-a", method = "GET") {
  const answer = await fetch(new Request(`${HOST}/v1/${path}`, { method, headers: bearer(token) }));
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

const claude = (options: Options = {}) => before(() => message("Hi"), { ...OPTIONS, ...options });

const messagesOf = (body: string) => JSON.parse(body).messages.map(({ role }: { role: string }) => role);

// ---------------------------------------------------------------- the SDK

Deno.test("the SDK reads, lists and deletes what is kept", async () => {
  const { fetch } = claude();
  const client = sdk(fetch);
  const first = await client.responses.create({ model: CLAUDE, input: "Hello", metadata: { a: "1" } });
  const second = await client.responses.create({
    model: CLAUDE,
    input: [{ role: "user", content: "More" }],
    previous_response_id: first.id,
  });
  assertEquals(await client.responses.retrieve(second.id), second);
  assertEquals((await client.responses.retrieve(first.id)).metadata, { a: "1" });
  const items = [];
  for await (const item of client.responses.inputItems.list(second.id, { limit: 1, order: "asc" })) {
    items.push(item);
  }
  const texts = items.map((item) => "content" in item && (item.content![0] as { text: string }).text);
  assertEquals(texts, ["Hello", "Hi", "More"]);
  assertEquals(new Set(items.map(({ id }) => id)).size, 3);
  const [newest] = (await client.responses.inputItems.list(second.id)).data;
  assertEquals(newest, items.at(-1));
  const cancelled = await assertRejects(() => client.responses.cancel(second.id), OpenAI.BadRequestError);
  assertStringIncludes(cancelled.message, "not answered in the background");
  const streamed = await assertRejects(
    async () => await client.responses.retrieve(second.id, { stream: true }),
    OpenAI.BadRequestError,
  );
  assertEquals(streamed.param, "stream");
  await client.responses.delete(second.id);
  await assertRejects(() => client.responses.retrieve(second.id), OpenAI.NotFoundError);
  await assertRejects(() => client.responses.delete(second.id), OpenAI.NotFoundError);
  await client.responses.retrieve(first.id);
});

Deno.test("a list of items is paged in both orders, and its query is checked", async () => {
  const { fetch } = claude();
  const input = Array.from(
    { length: 5 },
    (_, at) => ({ role: "user", content: `n${at}`, id: at === 2 ? "mine" : undefined }),
  );
  const { body: { id } } = await ask(fetch, { input });
  const list = async (query: string) => (await get(fetch, `responses/${id}/input_items${query}`)).body;
  const textsOf = ({ data }: { data: { content: { text: string }[] }[] }) =>
    data.map(({ content }) => content[0].text);
  const all = await list("?order=asc");
  assertEquals([textsOf(all), all.has_more, all.object], [["n0", "n1", "n2", "n3", "n4"], false, "list"]);
  assertEquals([all.first_id, all.last_id], [all.data[0].id, all.data[4].id]);
  assertEquals(all.data[2].id, "mine");
  const page = await list("?limit=2");
  assertEquals([textsOf(page), page.has_more], [["n4", "n3"], true]);
  assertEquals(textsOf(await list(`?limit=2&after=${page.last_id}`)), ["n2", "n1"]);
  assertEquals(textsOf(await list(`?order=asc&limit=3&after=mine`)), ["n3", "n4"]);
  for (const query of ["limit=0", "limit=101", "limit=x", "order=up", "after=nobody"]) {
    const answer = await get(fetch, `responses/${id}/input_items?${query}`);
    assertEquals([answer.status, answer.body.error.param], [400, query.split("=")[0]], query);
  }
});

Deno.test("instructions and tools of an earlier response are not inherited", async () => {
  const { fetch, sent } = claude();
  const tools = [{ type: "function", name: "f", parameters: { type: "object", properties: {} } }];
  const { body: { id } } = await ask(fetch, { instructions: "Be brief.", tools });
  await ask(fetch, { previous_response_id: id, instructions: "Be long." });
  await ask(fetch, { previous_response_id: id });
  const [, second, third] = sent.map(({ body }) => JSON.parse(body));
  assertStringIncludes(JSON.stringify(second.system), "Be long.");
  assert(!JSON.stringify(second).includes("Be brief."));
  assertEquals([second.tools, third.system], [undefined, undefined]);
});

Deno.test("faults and left-out fields are named by their places in the client's own request", async () => {
  const { fetch } = claude();
  const { body: { id } } = await ask(fetch, {
    input: [{ role: "user", content: "Hello" }, { type: "unknown" }],
  });
  const from = (input: unknown, more = {}, headers = {}) =>
    ask(fetch, { previous_response_id: id, input, ...more }, { ...bearer("token-a"), ...headers });
  const user = { role: "user", content: "More" };
  const faulty: [unknown, string][] = [
    [[user, { role: "someone" }], "input[1].role"],
    [[{ role: "user", content: [{ type: "input_text" }] }], "input[0].content[0].text"],
    ["", "input"],
  ];
  for (const [input, param] of faulty) {
    const { status, body: { error } } = await from(input);
    assertEquals([status, error.param], [400, param], error.message);
    assertStringIncludes(error.message, param);
  }
  const dropped = await from([user, { type: "unknown" }]);
  assertEquals(dropped.headers.get("sluice-dropped"), "previous_response_id[1], input[1]");
  const strict = await from([user], {}, { "sluice-strict": "true" });
  assertEquals([strict.status, strict.body.error.param], [400, "previous_response_id[1]"]);
});

// ---------------------------------------------------------------- what is kept

Deno.test("without the option nothing is kept, and the answer says so", async () => {
  const { fetch } = claude({ responses: undefined });
  const { body, headers } = await ask(fetch, { store: true });
  assertEquals([body.store, headers.get("sluice-dropped")], [false, "store"]);
  assertEquals((await get(fetch, `responses/${body.id}`)).status, 404);
  assertEquals((await ask(fetch, { previous_response_id: body.id })).status, 400);
});

Deno.test("store decides what is kept: true as at OpenAI, asked for those that say so", async () => {
  const cases: [Options["responses"], store: unknown, isKept: boolean][] = [
    [{ store: true }, undefined, true],
    [{ store: true }, null, true],
    [{ store: true }, true, true],
    [{ store: true }, false, false],
    [{ store: "asked" }, undefined, false],
    [{ store: "asked" }, null, false],
    [{ store: "asked" }, true, true],
    [{ store: false }, true, false],
    [{}, true, false],
  ];
  for (const [responses, store, isKept] of cases) {
    const { fetch } = claude({ responses });
    const { body } = await ask(fetch, { store });
    const told = JSON.stringify([responses, store]);
    assertEquals(body.store, isKept, told);
    assertEquals((await get(fetch, `responses/${body.id}`)).status, isKept ? 200 : 404, told);
  }
});

Deno.test("a request with store: false goes on from a kept response, and is not kept", async () => {
  const { fetch, sent } = claude();
  const { body: { id } } = await ask(fetch, {});
  const { body, headers } = await ask(fetch, { previous_response_id: id, store: false });
  assertEquals([body.store, body.previous_response_id, headers.get("sluice-dropped")], [false, id, null]);
  assertEquals(messagesOf(sent[1].body), ["user", "assistant", "user"]);
  assertEquals((await get(fetch, `responses/${body.id}`)).status, 404);
});

Deno.test("nothing is kept for a caller without a token: served, and named as dropped", async () => {
  const { fetch, sent } = claude();
  const { body: { id } } = await ask(fetch, {});
  const own = { "x-api-key": "sk-ant-own" };
  for (const headers of [own, { authorization: "Bearer sk-or-other" }]) {
    const { status, body, headers: told } = await ask(fetch, { store: true }, headers);
    assertEquals([status, body.store, told.get("sluice-dropped")], [200, false, "store"]);
    const unsaid = await ask(fetch, {}, headers);
    assertEquals([unsaid.body.store, unsaid.headers.get("sluice-dropped")], [false, null]);
    const strict = await ask(fetch, { store: true }, { ...headers, "sluice-strict": "true" });
    assertEquals([strict.status, strict.body.error.code], [400, "dropped_fields"]);
    const count = sent.length;
    const from = await ask(fetch, { previous_response_id: id }, headers);
    assertEquals([from.status, from.body.error.code, sent.length], [
      400,
      "previous_response_not_found",
      count,
    ]);
  }
  const read = await fetch(new Request(`${HOST}/v1/responses/${id}`));
  assertEquals(read.status, 404);
  await read.body?.cancel();
});

Deno.test("the program that made the gateway keeps responses of its own", async () => {
  const { call, fetch } = claude();
  const { body } = await ask(call, {}, {});
  assertEquals(body.store, true);
  const read = (serve: Fetch) =>
    serve(new Request(`${HOST}/v1/responses/${body.id}`, { headers: bearer("token-a") }));
  assertEquals((await read(fetch)).status, 404);
  assertEquals((await call(new Request(`${HOST}/v1/responses/${body.id}`))).status, 200);
});

// ---------------------------------------------------------------- tenants and paths

Deno.test("another tenant's response is as one that does not exist, in each gateway and account", async () => {
  const { fetch, sent } = claude();
  const { body: { id } } = await ask(fetch, {});
  const unknown = id.replace(/.{4}$/, (end: string) => end === "0000" ? "1111" : "0000");
  const count = sent.length;
  for (const token of ["token-b", "token-without-a-name"]) {
    for (
      const [path, method] of [["", "GET"], ["", "DELETE"], ["/input_items", "GET"], ["/cancel", "POST"]]
    ) {
      const theirs = await get(fetch, `responses/${id}${path}`, token, method);
      const nobodys = await get(fetch, `responses/${unknown}${path}`, token, method);
      assertEquals([theirs.status, nobodys.status], [404, 404]);
      assertStringIncludes(nobodys.body.error.message, "there is no such response");
      assertEquals(theirs.body.error.message.replace(id, unknown), nobodys.body.error.message);
    }
    const from = (previous_response_id: string) => ask(fetch, { previous_response_id }, bearer(token));
    const [theirs, nobodys] = [await from(id), await from(unknown)];
    assertEquals([theirs.status, theirs.text.replace(id, unknown)], [400, nobodys.text]);
  }
  for (
    const path of [
      "/v1/acct/gw/compat/responses",
      "/v1/-/gw/compat/responses",
      "/v1/acct/default/compat/responses",
    ]
  ) {
    assertEquals((await ask(fetch, { previous_response_id: id }, bearer("token-a"), path)).status, 400, path);
  }
  assertEquals(sent.length, count);
  assertEquals((await get(fetch, `responses/${id}`)).status, 200);
});

Deno.test("a key finds what it has kept also after its rotation, and another key does not", async () => {
  const { fetch } = claude({ adminToken: "operator-0123456789" });
  const rest = async (path: string, body: object) => {
    const headers = bearer("operator-0123456789");
    return await (await fetch(post(`${HOST}/sluice/api/keys${path}`, body, headers))).json();
  };
  const key = await rest("", { name: "key-a" }), other = await rest("", { name: "key-b" });
  const { body: { id, store } } = await ask(fetch, {}, bearer(key.secret));
  assertEquals(store, true);
  const { secret } = await rest(`/${key.id}/rotate`, {});
  assertEquals((await get(fetch, `responses/${id}`, secret)).status, 200);
  assertEquals((await ask(fetch, { previous_response_id: id }, bearer(secret))).status, 200);
  assertEquals((await get(fetch, `responses/${id}`, other.secret)).status, 404);
});

Deno.test("each path of Responses keeps and finds", async () => {
  const bases = [
    "/v1",
    "",
    "/compat",
    "/compat/v1",
    "/v1/compat",
    "/v1/acct/gw/compat",
    "/v1/acct/gw/compat/v1",
    "/client/v4/accounts/acct/ai/v1",
  ];
  for (const base of bases) {
    const { fetch } = claude();
    const client = sdk(fetch, "token-a", base);
    const { id } = await client.responses.create({ model: CLAUDE, input: "Hello" });
    const more = await client.responses.create({ model: CLAUDE, input: "More", previous_response_id: id });
    assertEquals((await client.responses.retrieve(more.id)).id, more.id, base);
    assertEquals((await client.responses.inputItems.list(more.id)).data.length, 3, base);
    await client.responses.delete(id);
  }
});

Deno.test("hostile ids are 404 or 400, and reach neither the store nor a provider", async () => {
  const { fetch, sent } = claude();
  const { body: { id } } = await ask(fetch, {});
  const ids = [
    "__proto__",
    "constructor",
    "resp_1",
    `${id}x`,
    `${id}%2f..`,
    `x${id}`,
    id.toUpperCase(),
    "resp_sluice_",
    "resp_sluice_' or 1=1 --",
    "%00",
    "..%2f..",
    "a".repeat(5000),
    "%F0%9F%92%A9",
  ];
  for (const one of ids) {
    for (const method of ["GET", "DELETE"]) {
      const answer = await get(fetch, `responses/${one}`, "token-a", method);
      assertEquals(answer.status, 404, one);
      assert(JSON.stringify(answer.body).length < 1200, one);
    }
  }
  const count = sent.length;
  for (const one of [...ids, 7, {}, [], true, ""]) {
    const { status, body: { error } } = await ask(fetch, { previous_response_id: one });
    assertEquals(
      [status, error.param, sent.length],
      [400, "previous_response_id", count],
      JSON.stringify(one),
    );
  }
  assertEquals((await get(fetch, `responses/${id}`)).status, 200);
});

Deno.test("methods that a path does not take are 405 with those that it takes", async () => {
  const { fetch } = claude();
  const { body: { id } } = await ask(fetch, {});
  const cases: [string, string, string][] = [
    ["POST", `responses/${id}`, "GET, DELETE, OPTIONS"],
    ["DELETE", `responses/${id}/input_items`, "GET, OPTIONS"],
    ["GET", `responses/${id}/cancel`, "POST, OPTIONS"],
  ];
  for (const [method, path, allow] of cases) {
    const { status, headers } = await get(fetch, path, "token-a", method);
    assertEquals([status, headers.get("allow")], [405, allow], path);
  }
  for (const path of [`responses/${id}/nothing`, `responses/${id}/input_items/1`]) {
    assertEquals((await get(fetch, path)).status, 404, path);
  }
});

// ---------------------------------------------------------------- providers that speak Responses

const THEIRS = {
  id: "resp_theirs",
  object: "response",
  status: "completed",
  model: "m",
  store: false,
  output: [{
    id: "msg_1",
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: "Hi", annotations: [] }],
  }],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
};

const event = (type: string, more: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const STREAM = [
  event("response.created", { response: { ...THEIRS, status: "in_progress", output: [] } }),
  ": keep alive\n\n",
  event("response.output_text.delta", { item_id: "msg_1", delta: 'says "response": {} ü', output_index: 0 }),
  event("response.output_item.done", { item: THEIRS.output[0], output_index: 0 }),
];
const COMPLETED = event("response.completed", { response: THEIRS });

Deno.test("a provider that speaks Responses stores nothing, and its answer is kept under an id of the gateway", async () => {
  const { fetch, sent } = before(() => Response.json(THEIRS), OPTIONS);
  const first = await ask(fetch, { model: "openai/gpt-6-luna", include: ["x"] });
  const second = await ask(fetch, { model: "openrouter/m", previous_response_id: first.body.id });
  await ask(fetch, { model: "groq/m", previous_response_id: second.body.id });
  const [one, two, three] = sent.map(({ body }) => JSON.parse(body));
  assertEquals([one.store, one.include], [false, ["x", "reasoning.encrypted_content"]]);
  assertEquals([two.store, two.previous_response_id, two.input.length], [false, undefined, 3]);
  // Groq takes neither field, and nothing is named that the client has not sent.
  assertEquals([three.store, three.include, three.input.length], [undefined, undefined, 5]);
  assertEquals(second.headers.get("sluice-dropped"), null);
  assertMatch(first.body.id, /^resp_sluice_/);
  assertEquals([second.body.store, second.body.previous_response_id], [true, first.body.id]);
  assertEquals((await get(fetch, `responses/${second.body.id}`)).body, second.body);
});

Deno.test("a stream that is handed through keeps its bytes but for the responses in its events", async () => {
  for (const cut of [1, 7, 64, 100_000]) {
    for (const lineEnd of ["\n", "\r\n"]) {
      const text = [...STREAM, COMPLETED].join("").replaceAll("\n", lineEnd);
      const parts = Array.from(
        { length: Math.ceil(text.length / cut) },
        (_, at) => text.slice(at * cut, (at + 1) * cut),
      );
      const { fetch } = before(() => events(...parts), OPTIONS);
      const answer = await fetch(
        post(
          `${HOST}/v1/responses`,
          { model: "openai/gpt-6-luna", input: "Hello", stream: true },
          bearer("token-a"),
        ),
      );
      const told = await answer.text();
      const id = /resp_sluice_[0-9a-f]{32}/.exec(told)![0];
      assert(!told.includes("resp_theirs"));
      for (const piece of STREAM.slice(1)) assertStringIncludes(told, piece.replaceAll("\n", lineEnd));
      const { body } = await get(fetch, `responses/${id}`);
      assertEquals([body.status, body.store, body.output], ["completed", true, THEIRS.output]);
      assertEquals(told.split(id).length, 3);
    }
  }
});

Deno.test("the items of a stream are kept if its last event does not repeat them", async () => {
  const last = event("response.completed", { response: { ...THEIRS, output: [] } });
  // Without a blank line behind it, as some servers end.
  const { fetch } = before(() => events(...STREAM, last.trimEnd()), OPTIONS);
  const told = await (await streaming(fetch, { model: "openai/gpt-6-luna" })).text();
  const { body } = await get(fetch, `responses/${idIn(told)}`);
  assertEquals([body.status, body.output], ["completed", THEIRS.output]);
});

Deno.test("what only a provider has goes to that provider as it is", async () => {
  const { fetch, sent } = before(() => Response.json(THEIRS), OPTIONS);
  const { body: own } = await ask(fetch, { model: "openai/gpt-6-luna" });
  const cases = [
    { previous_response_id: "resp_68a1" },
    { conversation: "conv_68a1" },
    { conversation: { id: "conv_68a1" } },
    { background: true },
  ];
  for (const fields of cases) {
    const { body } = await ask(fetch, { model: "openai/gpt-6-luna", store: true, ...fields });
    assertEquals(body, THEIRS);
    assertEquals(JSON.parse(sent.at(-1)!.body), {
      model: "gpt-6-luna",
      input: "Hello",
      store: true,
      ...fields,
    });
    assertEquals((await get(fetch, `responses/${body.id}`)).status, 404);
  }
  const { status, body: { error } } = await ask(fetch, { previous_response_id: own.id, background: true });
  assertEquals([status, error.param], [400, "background"]);
  const translated = await ask(fetch, { previous_response_id: "resp_68a1" });
  assertEquals([translated.status, translated.body.error.code], [400, "previous_response_not_found"]);
});

// ---------------------------------------------------------------- ends

const sse = (...list: object[]) =>
  list.map((data) => `event: ${(data as { type: string }).type}\ndata: ${JSON.stringify(data)}\n\n`);
const START = sse(
  { type: "message_start", message: { id: "m", model: "c", content: [], usage: {} } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "First." } },
  { type: "content_block_stop", index: 0 },
  {
    type: "content_block_start",
    index: 1,
    content_block: { type: "tool_use", id: "toolu_1", name: "f", input: {} },
  },
);
const ENDING = (stop_reason: string) =>
  sse(
    { type: "content_block_stop", index: 1 },
    { type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 1 } },
    { type: "message_stop" },
  );

const streaming = (fetch: Fetch, body: object = {}) =>
  fetch(
    post(`${HOST}/v1/responses`, { model: CLAUDE, input: "Hello", stream: true, ...body }, bearer("token-a")),
  );

const idIn = (text: string) => /resp_sluice_[0-9a-f]{32}/.exec(text)![0];

Deno.test("an answer that is cut short is kept as incomplete, and one that breaks as failed", async () => {
  const error = sse({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } });
  const cases: [(string | Error)[], status: string, goesOn: boolean][] = [
    [[...START, ...ENDING("tool_use")], "completed", true],
    [[...START, ...ENDING("max_tokens")], "incomplete", true],
    [[...START, ...error], "failed", false],
    [[...START], "failed", false],
    [[...START, new Error("cut")], "failed", false],
  ];
  for (const [parts, status, goesOn] of cases) {
    const { fetch } = before((_, at) => at === 0 ? events(...parts) : message("Hi"), OPTIONS);
    const told = await (await streaming(fetch)).text();
    const id = idIn(told);
    const { body } = await get(fetch, `responses/${id}`);
    assertEquals([body.id, body.status], [id, status]);
    assertEquals(body.output[0].content[0].text, "First.");
    const next = await ask(fetch, {
      previous_response_id: id,
      input: [{ type: "function_call_output", call_id: "toolu_1", output: "r" }],
    });
    assertEquals(next.status, goesOn ? 200 : 400, `${status}: ${next.text}`);
    if (!goesOn) assertStringIncludes(next.body.error.message, "go on from the one before it");
  }
});

Deno.test("an answer whose client leaves is kept as cancelled, with the items that were whole", async () => {
  for (const own of [false, true]) {
    const wait = Promise.withResolvers<void>();
    const { fetch } = own
      ? before(() => events(...STREAM, wait.promise), OPTIONS)
      : before(() => events(...START, wait.promise), OPTIONS);
    const answer = await streaming(fetch, own ? { model: "openai/gpt-6-luna" } : {});
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let told = "";
    while (!told.includes("output_item.done")) told += (await reader.read()).value;
    await reader.cancel();
    wait.resolve();
    const { status, body } = await get(fetch, `responses/${idIn(told)}`);
    assertEquals([status, body.status, body.output.length], [200, "cancelled", 1]);
    const next = await ask(fetch, { previous_response_id: idIn(told) });
    assertEquals(next.status, 400);
  }
});

Deno.test("a handed-through stream that is cut is kept as failed", async () => {
  for (const end of [[], [new Error("cut")]]) {
    const { fetch } = before(() => events(...STREAM, ...end), OPTIONS);
    const answer = await streaming(fetch, { model: "openai/gpt-6-luna" });
    let told = "";
    try {
      for await (const text of answer.body!.pipeThrough(new TextDecoderStream())) told += text;
    } catch { /* It breaks for the client too. */ }
    const { body } = await get(fetch, `responses/${idIn(told)}`);
    assertEquals([body.status, body.error.code, body.output], ["failed", "server_error", THEIRS.output]);
  }
});

Deno.test("an error of the provider is passed on, and nothing is kept", async () => {
  const store = await openSql("sqlite::memory:");
  const { fetch } = before(
    () =>
      Response.json({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, {
        status: 529,
      }),
    { ...OPTIONS, store },
  );
  const { status, body } = await ask(fetch, {});
  assertEquals([status, body.error.message], [529, "Overloaded"]);
  const [{ count }] = await store.all("select count(*) as count from sluice_documents").catch(
    () => [{ count: 0 }],
  );
  assertEquals(count, 0);
  await store.close?.();
});

// ---------------------------------------------------------------- limits

Deno.test("what is kept is removed after its days, unless it is used", async () => {
  for (const inStore of [false, true]) {
    const { options, pass } = clock();
    const store = inStore ? await openSql("sqlite::memory:") : undefined;
    const { fetch } = claude({ ...options, store, responses: { store: true, days: 3 } });
    const day = 86_400_000;
    const { body: { id: used } } = await ask(fetch, {});
    const { body: { id: unused } } = await ask(fetch, {});
    pass(2 * day);
    const { body: { id: last } } = await ask(fetch, { previous_response_id: used });
    pass(2 * day);
    assertEquals((await get(fetch, `responses/${unused}`)).status, 404);
    // It is part of a conversation that goes on.
    assertEquals((await ask(fetch, { previous_response_id: last })).status, 200);
    pass(3 * day);
    for (const id of [used, last]) assertEquals((await get(fetch, `responses/${id}`)).status, 404);
    await store?.close?.();
  }
});

Deno.test("the oldest are removed when there are too many bytes, and a chain with a gap is refused", async () => {
  for (const inStore of [false, true]) {
    const store = inStore ? await openSql("sqlite::memory:") : undefined;
    const { fetch, sent } = claude({ store, responses: { store: true, maxBytes: 40_000 } });
    const ids: string[] = [];
    let previous_response_id: string | undefined;
    for (let turn = 0; turn < 8; turn++) {
      const { body } = await ask(fetch, {
        input: "x".repeat(6000),
        store: true,
        ...(turn > 0 && turn < 4 && { previous_response_id }),
      });
      previous_response_id = body.id;
      ids.push(body.id);
    }
    const found = await Promise.all(ids.map(async (id) => (await get(fetch, `responses/${id}`)).status));
    assertEquals(found[0], 404);
    assertEquals(found.slice(-3), [200, 200, 200]);
    const count = sent.length;
    const alive = ids[found.indexOf(200)];
    const gap = await ask(fetch, { previous_response_id: alive });
    if (found.indexOf(200) < 4) {
      assertEquals([gap.status, sent.length], [400, count]);
      assertStringIncludes(gap.body.error.message, "was removed");
      assertEquals((await get(fetch, `responses/${alive}/input_items`)).status, 404);
    }
    await store?.close?.();
  }
});

Deno.test("a response that is too long for the store reaches its client, and says that it is not stored", async () => {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  try {
    const { fetch } = claude({ responses: { store: true, maxBytes: 3000 } });
    const { status, body } = await ask(fetch, { input: "x".repeat(4000) });
    assertEquals([status, body.store], [200, false]);
    assertEquals((await get(fetch, `responses/${body.id}`)).status, 404);
    assertEquals(lines, ["Warning: the store of responses failed once: a response is too long to be stored"]);
  } finally {
    console.error = error;
  }
});

Deno.test("a stream that is too long for the store is passed on whole, and is not kept", async () => {
  const { error } = console;
  console.error = () => {};
  try {
    const item = {
      ...THEIRS.output[0],
      content: [{ type: "output_text", text: "x".repeat(2000), annotations: [] }],
    };
    const done = Array.from(
      { length: 3 },
      (_, output_index) => event("response.output_item.done", { item, output_index }),
    );
    const ends = [[], [event("response.completed", { response: { ...THEIRS, output: [item, item, item] } })]];
    for (const end of ends) {
      const parts = [STREAM[0], ...done, ...end];
      const { fetch } = before(() => events(...parts), {
        ...OPTIONS,
        responses: { store: true, maxBytes: 5000 },
      });
      const told = await (await streaming(fetch, { model: "openai/gpt-6-luna" })).text();
      for (const part of done) assertStringIncludes(told, part);
      assertEquals((await get(fetch, `responses/${idIn(told)}`)).status, 404);
      if (end.length > 0) {
        assertStringIncludes(told.slice(told.indexOf("response.completed")), '"store":false');
      }
    }
  } finally {
    console.error = error;
  }
});

Deno.test("a conversation that grows longer than a body may be is refused before it is sent", async () => {
  const { fetch, sent } = claude({ limits: { maxBodyBytes: 20_000 } });
  const input = "x".repeat(9000);
  const { body: first } = await ask(fetch, { input });
  const second = await ask(fetch, { input, previous_response_id: first.id });
  assertEquals(second.status, 200);
  for (const more of ["y".repeat(5000), "y"]) {
    const third = await ask(fetch, { input: more, previous_response_id: second.body.id });
    assertEquals([third.status, third.body.error.code], [413, "body_too_large"], third.text);
  }
  assertEquals(sent.length, 2);
});

Deno.test("the whole conversation counts for a budget", async () => {
  const { fetch, sent } = claude({
    tokens: [{ token: "token-a", name: "a", budgets: [{ limitUsd: 0.07, window: "day" }] }],
    prices: { [CLAUDE]: { input: 10, output: 1 } },
  });
  // Ten thousand characters are some 3000 tokens, so 3 cents.
  const input = "x ".repeat(5000);
  const { body: first } = await ask(fetch, { input, max_output_tokens: 10 });
  const { body: second } = await ask(fetch, { input, max_output_tokens: 10, previous_response_id: first.id });
  const third = await ask(fetch, { input, max_output_tokens: 10, previous_response_id: second.id });
  assertEquals([third.status, sent.length], [429, 2], third.text);
});

Deno.test("answers that are kept take no part in caching", async () => {
  const { fetch, sent } = claude({ cache: { ttl: 60 } });
  const ids = new Set<string>();
  for (let at = 0; at < 2; at++) {
    const { body, headers } = await ask(fetch, {});
    ids.add(body.id);
    assertEquals(headers.get("cf-aig-cache-status"), null);
  }
  assertEquals([ids.size, sent.length], [2, 2]);
});

// ---------------------------------------------------------------- trouble

/** A database that can fail, and whose writing can wait. */
async function breakable() {
  const sql = await openSql("sqlite::memory:");
  const state = { fails: false, waits: undefined as Promise<void> | undefined };
  const through = async <T>(work: () => Promise<T>, waits?: Promise<void>): Promise<T> => {
    if (state.fails) throw new Error("postgres://user:password@host refused");
    await waits;
    return await work();
  };
  return {
    state,
    sql: {
      ...sql,
      all: (...args: Parameters<typeof sql.all>) => through(() => sql.all(...args)),
      batch: (...args: Parameters<typeof sql.batch>) => through(() => sql.batch(...args), state.waits),
    },
  };
}

Deno.test("a store that fails: reading is 503, an answer reaches its client unstored, and both are told without its words", async () => {
  const { sql, state } = await breakable();
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  try {
    const { options, pass } = clock();
    const { fetch, sent } = claude({
      ...options,
      store: sql,
      logs: false,
      adminToken: "operator-0123456789",
    });
    const { body: { id } } = await ask(fetch, {});
    state.fails = true;
    for (const [path, method] of [["", "GET"], ["", "DELETE"], ["/input_items", "GET"]]) {
      const { status, body, headers } = await get(fetch, `responses/${id}${path}`, "token-a", method);
      assertEquals([status, headers.get("retry-after")], [503, "1"]);
      assert(!JSON.stringify(body).includes("password"));
    }
    const next = await ask(fetch, { previous_response_id: id });
    assertEquals([next.status, sent.length], [503, 1]);
    const whole = await ask(fetch, {});
    assertEquals([whole.status, whole.body.store], [200, false]);
    const metrics = await fetch(new Request(`${HOST}/metrics`, { headers: bearer("operator-0123456789") }));
    // The store is not asked a fourth time before the answer is kept.
    assertStringIncludes(await metrics.text(), "sluice_store_errors_total 4");
    assertEquals(lines.filter((line) => line.includes("store of responses")).length, 1, lines.join("\n"));
    assert(!lines.join().includes("password"), lines.join());
    state.fails = false;
    pass(1000);
    assertEquals((await get(fetch, `responses/${id}`)).status, 200);
  } finally {
    console.error = error;
    await sql.close?.();
  }
});

Deno.test("what is stored and malformed is one clear error, and quotes nothing", async () => {
  const store = await openSql("sqlite::memory:");
  const { fetch, sent } = claude({ store });
  const { body: { id } } = await ask(fetch, {});
  for (const body of ['{"input": [{"secret', "[]", ""]) {
    await store.batch([["update sluice_documents set body = ?", [body]]]);
    for (
      const answer of [await get(fetch, `responses/${id}`), await ask(fetch, { previous_response_id: id })]
    ) {
      assertEquals([answer.status, answer.body.error.message], [
        500,
        "Cannot read what is stored: it is malformed",
      ]);
    }
  }
  assertEquals(sent.length, 1);
  await store.close?.();
});

Deno.test("accounts and gateways of any characters keep their own", async () => {
  const store = await openSql("sqlite::memory:");
  const { fetch } = claude({ store });
  for (const name of ["%00", "%F0%9F%92%A9", "a'b", "x".repeat(3000)]) {
    const path = `/v1/${name}/${name}/compat/responses`;
    const first = await ask(fetch, {}, bearer("token-a"), path);
    assertEquals([first.status, first.body.store], [200, true], name);
    const second = await ask(fetch, { previous_response_id: first.body.id }, bearer("token-a"), path);
    assertEquals(second.status, 200, name);
    assertEquals((await get(fetch, `responses/${first.body.id}`)).status, 404);
  }
  await store.close?.();
});

Deno.test("a stream is passed on while the store is slow, and the next turn waits for what is being stored", async () => {
  const { sql, state } = await breakable();
  const { fetch, sent } = before(
    (_, at) => at === 1 ? events(...START, ...ENDING("end_turn")) : message("Hi"),
    { ...OPTIONS, store: sql, logs: false },
  );
  const { body: { id: first } } = await ask(fetch, {});
  const gate = Promise.withResolvers<void>();
  state.waits = gate.promise;
  const told = await (await streaming(fetch)).text();
  assertStringIncludes(told, "response.completed");
  const next = ask(fetch, {
    previous_response_id: idIn(told),
    input: [{ type: "function_call_output", call_id: "toolu_1", output: "r" }],
  });
  // Reading does not wait.
  assertEquals((await get(fetch, `responses/${first}`)).status, 200);
  gate.resolve();
  assertEquals([(await next).status, sent.length], [200, 3]);
  await sql.close?.();
});

Deno.test("what is in a file is found after a restart", async () => {
  const path = await Deno.makeTempFile({ suffix: ".db" });
  try {
    const one = await openSql(`sqlite:${path}`);
    const first = claude({ store: one });
    const { body: { id } } = await ask(first.fetch, {});
    await first.close();
    const two = await openSql(`sqlite:${path}`);
    const second = claude({ store: two });
    const { status } = await ask(second.fetch, { previous_response_id: id });
    assertEquals([status, messagesOf(second.sent[0].body)], [200, ["user", "assistant", "user"]]);
    await second.close();
  } finally {
    await Deno.remove(path);
  }
});

// ---------------------------------------------------------------- other doors

Deno.test("OpenAI's own counts and summaries get the whole conversation, and no field that they do not have", async () => {
  const { fetch, sent } = before(() => Response.json(THEIRS), OPTIONS);
  const { body: { id } } = await ask(fetch, { model: "openai/gpt-6-luna" });
  for (const path of ["input_tokens", "compact"]) {
    const body = { model: "openai/gpt-6-luna", input: "More", previous_response_id: id };
    await ask(fetch, body, bearer("token-a"), `/v1/responses/${path}`);
    const { input, ...others } = JSON.parse(sent.at(-1)!.body);
    assertEquals([input.length, others], [3, { model: "gpt-6-luna" }]);
  }
});

Deno.test("a count and a summary are of the whole conversation", async () => {
  const { fetch, sent } = before(
    ({ url }) => url.includes("count_tokens") ? Response.json({ input_tokens: 9 }) : message("Hi"),
    OPTIONS,
  );
  const { body: { id } } = await ask(fetch, {});
  const count = await ask(
    fetch,
    { previous_response_id: id },
    bearer("token-a"),
    "/v1/responses/input_tokens",
  );
  assertEquals([count.body.input_tokens, messagesOf(sent[1].body)], [9, ["user", "assistant", "user"]]);
  const summary = await ask(
    fetch,
    { previous_response_id: id, input: "More" },
    bearer("token-a"),
    "/v1/responses/compact",
  );
  assertEquals([summary.body.object, messagesOf(sent[2].body).length >= 3], ["response.compaction", true]);
  const explained = await ask(fetch, { previous_response_id: id }, {
    ...bearer("token-a"),
    "sluice-explain": "true",
  });
  assertEquals([messagesOf(JSON.stringify(explained.body.targets[0].requests[0].body)), sent.length], [[
    "user",
    "assistant",
    "user",
  ], 3]);
});

Deno.test("options of responses are checked", () => {
  const faulty: [unknown, string][] = [
    [{ store: "yes" }, "responses.store"],
    [{ days: 0 }, "responses.days"],
    [{ days: 1.5 }, "responses.days"],
    [{ maxBytes: 0 }, "responses.maxBytes"],
    [{ kept: true }, "responses.kept"],
  ];
  for (const [responses, option] of faulty) {
    let told = "";
    try {
      createGateway({ fetch: nothing.fetch, responses: responses as never });
    } catch (error) {
      told = (error as Error).message;
    }
    assertStringIncludes(told, option);
  }
});

Deno.test("the whole conversation counts as held while its answer runs, and no longer", async () => {
  const { fetch, sent } = claude({ limits: { maxInFlightBytes: 7000 } });
  const input = "x".repeat(3000);
  const first = await ask(fetch, { input });
  const second = await ask(fetch, { input, previous_response_id: first.body.id });
  assertEquals([first.status, second.status], [200, 200]);
  const third = await ask(fetch, { input, previous_response_id: second.body.id });
  assertEquals([third.status, third.headers.get("retry-after"), sent.length], [503, "1", 2]);
  assertStringIncludes(third.body.error.message, "holds as many bytes of other requests' bodies as it may");
  assertEquals((await ask(fetch, { input, previous_response_id: first.body.id })).status, 200);
});

Deno.test("a response that the gateway cannot have is told so, by what it keeps", async () => {
  const { body: own } = await get(claude().fetch, "responses/resp_1");
  assertStringIncludes(own.error.message, "the gateway stores nothing of this name");
  const { body: none } = await get(claude({ responses: undefined }).fetch, "responses/resp_1");
  assertStringIncludes(none.error.message, "the gateway stores no responses");
});
