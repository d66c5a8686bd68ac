/** Conversations that the gateway keeps, and items that are named by their ids. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Options } from "../../../mod.ts";
import { openSql } from "../stores/opened.ts";
import { before, events, message, post } from "../../fakes.ts";

const HOST = "http://gateway.test";
const CLAUDE = "anthropic/claude-sonnet-4-5";
const OPTIONS: Options = {
  responses: { store: true },
  tokens: [{ token: "token-a", name: "a" }, { token: "token-b", name: "b" }],
  tokenRequired: false,
  keys: { anthropic: "k", openai: "k" },
};

type Fetch = (request: Request) => Promise<Response>;

const bearer = (token?: string): Record<string, string> => token ? { authorization: `Bearer ${token}` } : {};

const claude = (options: Options = {}) => before(() => message("Hi"), { ...OPTIONS, ...options });

/** Sends a request, with a body if there is one. */
async function send(
  fetch: Fetch,
  method: string,
  path: string,
  body?: unknown,
  token: string | undefined = "token-a",
) {
  const headers = { ...bearer(token), ...(body !== undefined && { "content-type": "application/json" }) };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(new Request(`${HOST}/v1/${path}`, { method, headers, body: text }));
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

const ask = (fetch: Fetch, body: object, token?: string) =>
  send(fetch, "POST", "responses", { model: CLAUDE, input: "Hello", ...body }, token);

const make = async (fetch: Fetch, body: object = {}) =>
  (await send(fetch, "POST", "conversations", body)).body.id;

const list = async (fetch: Fetch, id: string) =>
  (await send(fetch, "GET", `conversations/${id}/items?order=asc&limit=100`)).body.data as Record<
    string,
    unknown
  >[];

// deno-lint-ignore no-explicit-any -- Any provider's body.
const sentMessages = (body: string): any[] => JSON.parse(body).messages;

Deno.test("each answer joins its conversation with its input, and a failed or cancelled one does not", async () => {
  const wait = Promise.withResolvers<void>();
  const start = [
    `data: ${
      JSON.stringify({ type: "message_start", message: { id: "m", model: "c", content: [], usage: {} } })
    }\n\n`,
    `data: ${
      JSON.stringify({ type: "content_block_start", index: 0, content_block: { type: "text", text: "Hm" } })
    }\n\n`,
  ];
  const { fetch, sent } = before(
    (_, at) => at === 1 ? events(...start) : at === 2 ? events(...start, wait.promise) : message("Hi"),
    OPTIONS,
  );
  const conversation = await make(fetch);
  const { body: first } = await ask(fetch, { conversation });
  assertEquals([first.conversation, first.previous_response_id], [{ id: conversation }, null]);
  const streaming = () =>
    fetch(
      post(
        `${HOST}/v1/responses`,
        { model: CLAUDE, input: "Lost", conversation, stream: true },
        bearer("token-a"),
      ),
    );
  await (await streaming()).text();
  const reader = (await streaming()).body!.getReader();
  await reader.read();
  await reader.cancel();
  wait.resolve();
  assertEquals((await list(fetch, conversation)).map(({ role }) => role), ["user", "assistant"]);
  await ask(fetch, { conversation: { id: conversation }, input: "More", store: false });
  assertEquals(sentMessages(sent.at(-1)!.body).map(({ role }) => role), ["user", "assistant", "user"]);
  const items = await list(fetch, conversation);
  assertEquals(items.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
  assertEquals(items[1].id, first.output[0].id);
  assertEquals(new Set(items.map(({ id }) => id)).size, 4);
});

Deno.test("a conversation may begin with items, and an answer needs no input then", async () => {
  const { fetch, sent } = claude();
  const items = [{ role: "developer", content: "Be brief" }, { role: "user", content: "Hello" }];
  const conversation = await make(fetch, { items, metadata: { a: "b" } });
  const { status } = await ask(fetch, { conversation, input: undefined });
  assertEquals([status, JSON.parse(sent[0].body).messages.at(-1).content[0].text], [200, "Hello"]);
  assertStringIncludes(sent[0].body, "Be brief");
});

Deno.test("another tenant's conversation is as one that does not exist", async () => {
  const { fetch, sent } = claude();
  const id = await make(fetch, { items: [{ role: "user", content: "Secret" }] });
  const [item] = await list(fetch, id);
  const unknown = id.replace(/.{4}$/, (end: string) => end === "0000" ? "1111" : "0000");
  const paths: [string, string, unknown?][] = [
    ["GET", ""],
    ["POST", "", { metadata: {} }],
    ["DELETE", ""],
    ["GET", "/items"],
    ["POST", "/items", { items: [] }],
    ["GET", `/items/${item.id}`],
    ["DELETE", `/items/${item.id}`],
  ];
  for (const [method, path, body] of paths) {
    const theirs = await send(fetch, method, `conversations/${id}${path}`, body, "token-b");
    const nobodys = await send(fetch, method, `conversations/${unknown}${path}`, body);
    assertEquals([theirs.status, nobodys.status], [404, 404], method + path);
    assertEquals(theirs.body.error.message.replaceAll(id, unknown), nobodys.body.error.message);
  }
  const theirs = await ask(fetch, { conversation: id }, "token-b");
  const nobodys = await ask(fetch, { conversation: unknown });
  assertEquals([theirs.status, nobodys.status, sent.length], [404, 404, 0]);
  assertEquals(theirs.body.error.message.replace(id, unknown), nobodys.body.error.message);
  assertEquals(theirs.body.error.param, "conversation");
  assertEquals((await list(fetch, id)).length, 1);
});

Deno.test("a caller without a token has no conversations", async () => {
  const { fetch } = claude();
  const id = await make(fetch);
  const anonymous = (method: string, path: string, body?: object) =>
    fetch(
      new Request(`${HOST}/v1/${path}`, {
        method,
        ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      }),
    );
  const made = await anonymous("POST", "conversations", {});
  assertEquals(made.status, 401);
  assertStringIncludes((await made.json()).error.message, "gateway token");
  const read = await anonymous("GET", `conversations/${id}`);
  assertEquals(read.status, 404);
  await read.body?.cancel();
});

Deno.test("without the option, conversations are told as a path that is not served", async () => {
  const { fetch } = claude({ responses: undefined });
  for (const path of ["conversations", "conversations/conv_1", "conversations/conv_1/items"]) {
    const { status, body } = await send(fetch, "POST", path, {});
    assertEquals(status, 400);
    assertStringIncludes(body.error.message, "openai/conversations");
  }
});

Deno.test("bodies of conversations are checked, each fault with its path", async () => {
  const { fetch } = claude();
  const id = await make(fetch);
  const pairs = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, "v"]));
  const cases: [string, string, unknown, string?][] = [
    ["POST", "conversations", [], undefined],
    ["POST", "conversations", { metadata: { a: 1 } }, "metadata.a"],
    ["POST", "conversations", { metadata: pairs }, "metadata"],
    ["POST", "conversations", { metadata: { a: "x".repeat(513) } }, "metadata.a"],
    ["POST", "conversations", { items: "x" }, "items"],
    ["POST", "conversations", { items: ["x"] }, "items[0]"],
    ["POST", `conversations/${id}`, { metadata: "x" }, "metadata"],
    ["POST", `conversations/${id}/items`, {}, "items"],
    ["POST", `conversations/${id}/items`, { items: [{}] }, "items[0].type"],
    ["GET", `conversations/${id}/items?limit=1000`, undefined, "limit"],
    ["GET", `conversations/${id}/items?after=nobody`, undefined, "after"],
    ["GET", `conversations/${id}/items?after=${id}`, undefined, "after"],
  ];
  for (const [method, path, body, param] of cases) {
    const { status, body: { error } } = await send(fetch, method, path, body);
    assertEquals(
      [status, error.param ?? undefined],
      [400, param],
      `${path} ${JSON.stringify(body)}: ${error.message}`,
    );
  }
  assertEquals((await list(fetch, id)).length, 0);
});

Deno.test("hostile ids of conversations and items are 404, and methods that a path does not take 405", async () => {
  const { fetch } = claude();
  const id = await make(fetch, { items: [{ role: "user", content: "Hello" }] });
  const ids = [
    "__proto__",
    "conv_1",
    `${id}x`,
    "%00",
    "' or 1=1 --",
    "a".repeat(3000),
    "..%2f..",
    "constructor",
  ];
  for (const one of ids) {
    for (
      const path of [`conversations/${one}`, `conversations/${one}/items`, `conversations/${id}/items/${one}`]
    ) {
      const { status, body } = await send(fetch, "GET", path);
      assertEquals(status, 404, path);
      assert(JSON.stringify(body).length < 1200);
    }
  }
  for (
    const path of [
      `conversations/${id}/items/${id}`,
      `conversations/${id}/nothing`,
      `conversations/${id}/items/a/b`,
    ]
  ) {
    for (const method of ["GET", "DELETE"]) assertEquals((await send(fetch, method, path)).status, 404, path);
  }
  for (
    const [method, path] of [["GET", "conversations"], ["PUT", `conversations/${id}`], [
      "DELETE",
      `conversations/${id}/items`,
    ], ["POST", `conversations/${id}/items/x`]]
  ) {
    const { status, headers } = await send(
      fetch,
      method,
      path,
      method === "GET" || method === "DELETE" ? undefined : {},
    );
    assertEquals([status, headers.has("allow")], [405, true], path);
  }
  assertEquals((await list(fetch, id)).length, 1);
});

Deno.test("an id that a conversation has already gets another one, so that nothing is lost", async () => {
  const answer = (text: string) => ({
    id: "resp_1",
    object: "response",
    status: "completed",
    output: [{
      id: "msg_1",
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text, annotations: [] }],
    }],
  });
  const { fetch } = before((_, at) => Response.json(answer(`Answer ${at}`)), OPTIONS);
  const conversation = await make(fetch, {
    items: [{ id: "mine", role: "user", content: "a" }, { id: "mine", role: "user", content: "b" }],
  });
  for (let at = 0; at < 2; at++) await ask(fetch, { model: "openai/gpt-6-luna", conversation });
  await send(fetch, "POST", `conversations/${conversation}/items`, {
    items: [{ id: "msg_1", role: "user", content: "c" }, { id: conversation, role: "user", content: "d" }],
  });
  const items = await list(fetch, conversation);
  const texts = items.map(({ content }) => (content as { text: string }[])[0].text);
  assertEquals(texts, ["a", "b", "Hello", "Answer 0", "Hello", "Answer 1", "c", "d"]);
  assertEquals(new Set(items.map(({ id }) => id)).size, 8);
  assertEquals([items[0].id, items[3].id], ["mine", "msg_1"]);
});

Deno.test("ids of both a response and a conversation are refused, as a conversation in the background is", async () => {
  const { fetch, sent } = claude();
  const conversation = await make(fetch);
  const { body: { id } } = await ask(fetch, {});
  const cases = [
    { conversation, previous_response_id: id },
    { conversation, previous_response_id: "resp_theirs" },
    { conversation: "conv_theirs", previous_response_id: id },
    { conversation, background: true },
  ];
  for (const fields of cases) {
    const { status, body: { error } } = await ask(fetch, fields);
    assertEquals([status, sent.length], [400, 1], JSON.stringify(fields));
    assertEquals(error.param, "background" in fields ? "background" : "conversation");
  }
});

Deno.test("a conversation that is deleted while an answer runs gets nothing more", async () => {
  const asked = Promise.withResolvers<void>(), gate = Promise.withResolvers<void>();
  const store = await openSql("sqlite::memory:");
  const { fetch } = before(async () => {
    asked.resolve();
    await gate.promise;
    return message("Hi");
  }, { ...OPTIONS, store });
  const conversation = await make(fetch, { items: [{ role: "user", content: "Hello" }] });
  const running = ask(fetch, { conversation });
  await asked.promise;
  assertEquals((await send(fetch, "DELETE", `conversations/${conversation}`)).status, 200);
  gate.resolve();
  const { status, body } = await running;
  assertEquals([status, body.store], [200, true]);
  assertEquals((await send(fetch, "GET", `conversations/${conversation}`)).status, 404);
  assertEquals((await send(fetch, "GET", `responses/${body.id}`)).status, 200);
  assertEquals(await store.all("select * from sluice_documents where unit = ?", [conversation]), []);
  await store.close!();
});

Deno.test("a conversation that grows too long is refused before it is sent", async () => {
  const { fetch, sent } = claude({ limits: { maxBodyBytes: 20_000 } });
  const conversation = await make(fetch);
  for (let at = 0; at < 3; at++) {
    const items = [{ role: "user", content: "x".repeat(9000) }];
    assertEquals((await send(fetch, "POST", `conversations/${conversation}/items`, { items })).status, 200);
  }
  const { status, body: { error } } = await ask(fetch, { conversation });
  assertEquals([status, error.code, error.param, sent.length], [413, "body_too_large", "conversation", 0]);
});

Deno.test("a store that fails is 503 for each path of a conversation", async () => {
  const sql = await openSql("sqlite::memory:");
  let fails = false;
  const broken = () => Promise.reject(new Error("password"));
  const store = {
    ...sql,
    all: (...args: Parameters<typeof sql.all>) => fails ? broken() : sql.all(...args),
    batch: (...args: Parameters<typeof sql.batch>) => fails ? broken() : sql.batch(...args),
  };
  const { error } = console;
  console.error = () => {};
  try {
    const { fetch, sent } = claude({ store, logs: false });
    const id = await make(fetch);
    fails = true;
    const paths: [string, string, unknown?][] = [
      ["POST", "conversations", {}],
      ["GET", `conversations/${id}`],
      ["POST", `conversations/${id}`, { metadata: {} }],
      ["DELETE", `conversations/${id}`],
      ["GET", `conversations/${id}/items`],
      ["POST", `conversations/${id}/items`, { items: [{ role: "user", content: "x" }] }],
      ["POST", "responses", { model: CLAUDE, input: "x", conversation: id }],
    ];
    for (const [method, path, body] of paths) {
      const answer = await send(fetch, method, path, body);
      assertEquals(answer.status, 503, path);
      assert(!JSON.stringify(answer.body).includes("password"));
    }
    assertEquals(sent.length, 0);
  } finally {
    console.error = error;
    await sql.close?.();
  }
});

// ---------------------------------------------------------------- items by their ids

const OUTPUT = {
  id: "msg_0123456789abcdef0123456789abcdef",
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: "From GPT", annotations: [] }],
};

Deno.test("items of kept responses are found by their ids, whoever made these, by their tenant alone", async () => {
  const theirs = { id: "resp_1", object: "response", status: "completed", output: [OUTPUT] };
  const { fetch, sent } = before(
    ({ url }) => url.includes("openai") ? Response.json(theirs) : message("From Claude"),
    OPTIONS,
  );
  const { body: claude } = await ask(fetch, {});
  await ask(fetch, { model: "openai/gpt-6-luna" });
  const input = [
    { role: "user", content: "Hello" },
    { type: "item_reference", id: claude.output[0].id },
    { role: "user", content: "And?" },
    { id: OUTPUT.id },
    { role: "user", content: "So?" },
  ];
  const { status, body } = await ask(fetch, { input });
  const texts = sentMessages(sent.at(-1)!.body).map(({ content }) => content[0].text);
  assertEquals([status, texts], [200, ["Hello", "From Claude", "And?", "From GPT", "So?"]]);
  const listed = await send(fetch, "GET", `responses/${body.id}/input_items?order=asc`);
  assertEquals(
    listed.body.data.map(({ id }: { id: string }) => id).filter((id: string) => !id.includes("_i")),
    [claude.output[0].id, OUTPUT.id],
  );
  const count = sent.length;
  const other = await ask(fetch, { input }, "token-b");
  assertEquals([other.status, other.body.error.code, sent.length], [
    400,
    "previous_response_not_found",
    count,
  ]);
  const gone = await ask(fetch, {
    input: [{ type: "item_reference", id: "msg_sluice_00000000000000000000000000000000_0" }],
  });
  assertEquals([gone.status, gone.body.error.param], [400, "input[0]"]);
});

Deno.test("a request that names an item of a provider goes to that provider as it is", async () => {
  const { fetch, sent } = before(
    () => Response.json({ id: "resp_1", object: "response", output: [] }),
    OPTIONS,
  );
  const input = [{ type: "item_reference", id: "msg_68a1" }, { role: "user", content: "Hello" }];
  const { body } = await ask(fetch, { model: "openai/gpt-6-luna", input });
  assertEquals([JSON.parse(sent[0].body), body.id], [{ model: "gpt-6-luna", input }, "resp_1"]);
});
