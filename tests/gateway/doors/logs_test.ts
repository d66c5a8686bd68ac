import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import Cloudflare from "npm:cloudflare@7.3.0";
import { createGateway } from "../../../gateway/gateway.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import {
  ask,
  before,
  completion,
  events,
  message,
  nothing,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";

const ADMIN = "operator-0123456789";
const LOGS = "http://gateway.test/client/v4/accounts/acct/ai-gateway/gateways/gw/logs";

type Answer = Parameters<typeof before>[0];

/** A gateway that keeps rows, with Cloudflare's SDK as its client. */
function scene(answer: Answer = () => completion(), options: Options = {}) {
  const gateway = before(answer, { logs: true, adminToken: ADMIN, ...options });
  const cloudflare = new Cloudflare({
    apiToken: ADMIN,
    baseURL: "http://gateway.test/client/v4",
    maxRetries: 0,
    fetch: (url: unknown, init: unknown) => gateway.fetch(new Request(url as string, init as RequestInit)),
  });
  const admin = (path = "", init: RequestInit = {}) =>
    gateway.fetch(
      new Request(LOGS + path, {
        ...init,
        headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
      }),
    );
  const rows = async (path = "") => (await (await admin(path)).json()).result as Record<string, unknown>[];
  return { ...gateway, cloudflare, admin, rows };
}

const PLACE = { account_id: "acct", gateway_id: "gw" };

async function drain(response: Response): Promise<Headers> {
  await response.text();
  return response.headers;
}

Deno.test("a row can be read as soon as the answer ends, whole, streamed, translated and refused", async () => {
  const { fetch, rows } = scene(({ url, body }, at) =>
    at === 3
      ? refusal(429)
      : url.includes("anthropic")
      ? message()
      : body.includes('"stream":true')
      ? events(...STREAM)
      : completion()
  );
  const ids: string[] = [];
  for (
    const request of [
      ask("openai/gpt-4o"),
      ask("openai/gpt-4o", {}, { stream: true }),
      ask("anthropic/claude-opus-5-5"),
      ask("openai/gpt-4o"),
      post(`${ROOT}/compat/chat/completions`, "{"),
    ]
  ) {
    const headers = await drain(await fetch(request));
    ids.push(headers.get("cf-aig-log-id")!);
    const [newest] = await rows();
    assertEquals(newest.id, ids.at(-1));
  }
  const seen = (await rows("?order_by=created_at&order_by_direction=asc")).map((
    { id, provider, model, success, status_code, tokens_in, cost },
  ) => [ids.indexOf(id as string), provider, model, success, status_code, tokens_in, cost]);
  assertEquals(seen.toSorted(([a], [b]) => (a as number) - (b as number)), [
    [0, "openai", "gpt-4o", true, 200, 1, 0.0000125],
    [1, "openai", "gpt-4o", true, 200, null, null],
    [2, "anthropic", "claude-opus-5-5", true, 200, 1, 0.000024],
    [3, "openai", "gpt-4o", false, 429, null, null],
    [4, "", "", false, 400, null, null],
  ]);
});

Deno.test("the stock SDK lists, filters, gets, marks and deletes rows", async () => {
  const { fetch, cloudflare: { aiGateway: { logs } } } = scene((_, at) =>
    at === 1 ? refusal(500) : completion()
  );
  const metadata = { "cf-aig-metadata": '{"team":"a","n":1}' };
  const first = (await drain(await fetch(ask("openai/gpt-4o", metadata)))).get("cf-aig-log-id")!;
  await drain(await fetch(ask("groq/gpt-4o")));
  await drain(await fetch(ask("openai/gpt-4o-mini")));

  const list = async (query: object) => {
    const page = await logs.list("gw", { account_id: "acct", ...query });
    return page.result.map(({ model, provider }) => `${provider}/${model}`).toSorted();
  };
  const all = ["groq/gpt-4o", "openai/gpt-4o", "openai/gpt-4o-mini"];
  assertEquals(await list({}), all);
  assertEquals(await list({ success: false }), ["groq/gpt-4o"]);
  assertEquals(await list({ provider: "openai" }), all.slice(1));
  assertEquals(await list({ search: "MINI" }), ["openai/gpt-4o-mini"]);
  assertEquals(await list({ min_tokens_in: 0 }), all.slice(1));
  assertEquals(await list({ max_tokens_in: 1 }), []);
  assertEquals(await list({ per_page: 2, page: 2, order_by: "provider" }), ["groq/gpt-4o"]);

  const row = await logs.get(first, PLACE);
  assertEquals([row.id, row.model, row.tokens_in, row.metadata, row.success], [
    first,
    "gpt-4o",
    1,
    '{"team":"a","n":1}',
    true,
  ]);
  await logs.edit(first, { ...PLACE, feedback: 1, score: 0.5, metadata: { team: "b" } });
  const marked = await logs.get(first, PLACE) as unknown as Record<string, unknown>;
  assertEquals([marked.feedback, marked.score, marked.metadata], [1, 0.5, '{"team":"b"}']);
  assertEquals(await list({ feedback: 1 }), ["openai/gpt-4o"]);
  await logs.edit(first, { ...PLACE, feedback: null });
  assertEquals(await list({ feedback: 1 }), []);

  await assertRejects(
    () => logs.request(first, PLACE),
    Cloudflare.NotFoundError,
    "this gateway keeps no bodies",
  );
  await assertRejects(() => logs.response("no-such", PLACE), Cloudflare.NotFoundError, "no row");
  await assertRejects(() => logs.get("no-such", PLACE), Cloudflare.NotFoundError, "7002");
  await assertRejects(() => logs.edit("no-such", { ...PLACE, feedback: 1 }), Cloudflare.NotFoundError);

  await logs.delete("gw", {
    account_id: "acct",
    filters: [{ key: "provider", operator: "eq", value: ["openai"] }],
  });
  assertEquals(await list({}), ["groq/gpt-4o"]);
});

Deno.test("the filters of one parameter work with every operator", async () => {
  const { fetch, rows } = scene();
  for (const [model, team] of [["gpt-4o", "a"], ["gpt-4o-mini", "b"]]) {
    await drain(await fetch(ask(`openai/${model}`, { "cf-aig-metadata": `{"team":"${team}","on":true}` })));
  }
  const models = async (...filters: object[]) =>
    (await rows(`?filters=${encodeURIComponent(JSON.stringify(filters))}`)).map(({ model }) => model)
      .toSorted();
  const both = ["gpt-4o", "gpt-4o-mini"];
  const cases: [string, string, unknown[], string[]][] = [
    ["model", "eq", ["gpt-4o"], ["gpt-4o"]],
    ["model", "eq", ["gpt-4o", "gpt-4o-mini"], both],
    ["model", "neq", ["gpt-4o"], ["gpt-4o-mini"]],
    ["model", "contains", ["MINI"], ["gpt-4o-mini"]],
    ["tokens", "gt", [1], both],
    ["tokens", "gt", [2], []],
    ["tokens", "lt", [3], both],
    ["tokens_out", "eq", ["1"], both],
    ["success", "eq", [true], both],
    ["cached", "eq", [true], []],
    ["feedback", "eq", [null], both],
    ["created_at", "gt", ["2020-01-01T00:00:00Z"], both],
    ["created_at", "lt", ["2020-01-01T00:00:00Z"], []],
    ["metadata.value", "eq", ["b"], ["gpt-4o-mini"]],
    ["metadata.value", "eq", [true], both],
    ["metadata.key", "eq", ["team"], both],
    ["metadata.key", "neq", ["team"], []],
    ["cost", "lt", [1], both],
  ];
  for (const [key, operator, value, due] of cases) {
    assertEquals(await models({ key, operator, value }), due, `${key} ${operator} ${value}`);
  }
  const [a, b] = [{ key: "model", operator: "contains", value: ["gpt"] }, {
    key: "metadata.value",
    operator: "eq",
    value: ["a"],
  }];
  assertEquals(await models(a, b), ["gpt-4o"]);
});

/** All keys that the types of Cloudflare's SDK 7.3.0 have for a filter, and a value that the row below meets. */
const KEYS: [key: string, value: unknown][] = [
  ["authentication", true],
  ["cached", false],
  ["compatibilityMode", true],
  ["cost", 0.0000125],
  ["dlp_action", null],
  ["event_id", "ev"],
  ["feedback", -1],
  ["metadata.key", "team"],
  ["metadata.value", "a"],
  ["model", "gpt-4o"],
  ["model_type", null],
  ["provider", "openai"],
  ["request_content_type", "application/json"],
  ["request_type", "POST"],
  ["response_content_type", "application/json"],
  ["success", true],
  ["tokens", 2],
  ["tokens_in", 1],
  ["tokens_out", 1],
  ["user_agent", "test/1"],
  ["wholesale", false],
];

Deno.test("a filter takes each key that Cloudflare's SDK has, and the gateway's own", async () => {
  const { fetch, rows, admin } = scene(() => completion(), { tokens: [{ token: "tok", name: "team a" }] });
  const headers = {
    "cf-aig-authorization": "Bearer tok",
    "cf-aig-metadata": '{"team":"a"}',
    "cf-aig-event-id": "ev",
    "user-agent": "test/1",
  };
  const id = (await drain(await fetch(ask("openai/gpt-4o", headers)))).get("cf-aig-log-id")!;
  await admin(`/${id}`, { method: "PATCH", body: '{"feedback":-1}' });
  const own = [["id", id], ["token", "team a"], ["account", "acct"], ["gateway", "gw"], [
    "status_code",
    200,
  ]] as const;
  for (const [key, value] of [...KEYS, ...own]) {
    const found = async (operator: string) =>
      (await rows(`?filters=${encodeURIComponent(JSON.stringify([{ key, operator, value: [value] }]))}`))
        .length;
    assertEquals([await found("eq"), await found("neq")], [1, 0], key);
  }
  assertEquals([(await rows("?feedback=0")).length, (await rows("?feedback=1")).length], [1, 0]);
});

Deno.test("each older parameter is a filter of its own", async () => {
  // The clock stands still, so every row has a duration of 0.
  const { fetch, rows } = scene(() => completion(), { now: () => Date.UTC(2026, 10, 24) });
  await drain(await fetch(ask("openai/gpt-4o", { "cf-aig-custom-cost": '{"total_cost":5}' })));
  const cases: [met: string, unmet: string][] = [
    ["start_date=2026-11-23", "start_date=2026-11-25"],
    ["end_date=2026-11-25", "end_date=2026-11-23"],
    ["min_cost=4", "min_cost=6"],
    ["max_cost=6", "max_cost=4"],
    ["min_duration=-1", "min_duration=1"],
    ["max_duration=1", "max_duration=-1"],
    ["min_tokens_in=0", "min_tokens_in=2"],
    ["max_tokens_in=2", "max_tokens_in=0"],
    ["min_tokens_out=0", "min_tokens_out=2"],
    ["max_tokens_out=2", "max_tokens_out=0"],
    ["min_total_tokens=1", "min_total_tokens=3"],
    ["max_total_tokens=3", "max_total_tokens=1"],
    ["model=gpt-4o", "model=gpt"],
    ["provider=openai", "provider=open"],
    ["success=true", "success=false"],
    ["cached=false", "cached=true"],
    ["order_by=feedback", "feedback=1"],
  ];
  for (const [met, unmet] of cases) {
    assertEquals((await rows(`?${met}`)).length, 1, met);
    assertEquals((await rows(`?${unmet}`)).length, 0, unmet);
  }
});

Deno.test("a malformed query or change is 7001 with the path of its fault, and changes nothing", async () => {
  const { fetch, admin, rows } = scene();
  const id = (await drain(await fetch(ask("openai/gpt-4o")))).get("cf-aig-log-id")!;
  const queries = [
    "?per_page=51",
    "?per_page=0",
    "?page=x",
    "?order_by=secret",
    "?order_by_direction=up",
    "?filters=x",
    `?filters=${encodeURIComponent('[{"key":"model","operator":"eq","value":"gpt"}]')}`,
    `?filters=${encodeURIComponent('[{"key":"secret","operator":"eq","value":["gpt"]}]')}`,
    `?filters=${encodeURIComponent('[{"key":"model","operator":"like","value":["gpt"]}]')}`,
  ];
  for (const query of queries) {
    const answer = await admin(query);
    const { success, errors: [{ code, message }] } = await answer.json();
    assertEquals([answer.status, success, code], [400, false, 7001], query);
    assertStringIncludes(message, query.slice(1).split("=")[0].replace("filters", "filter"));
  }
  const bodies = [
    '{"feedback":2}',
    "[]",
    "{",
    '{"score":"x"}',
    '{"metadata":{"a":{}}}',
    '{"metadata":{"cf.a":1}}',
  ];
  for (const body of bodies) {
    const answer = await admin(`/${id}`, { method: "PATCH", body });
    assertEquals([answer.status, (await answer.json()).errors[0].code], [400, 7001], body);
  }
  const [row] = await rows();
  assertEquals([row.feedback, row.score, row.metadata], [null, null, null]);
});

Deno.test("a row has every kind of token, why the model stopped, and who asked", async () => {
  const { fetch, rows } = scene(() =>
    Response.json({
      id: "x",
      model: "gpt-4o",
      service_tier: "priority",
      choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "length" }],
      usage: {
        prompt_tokens: 30,
        completion_tokens: 20,
        prompt_tokens_details: { cached_tokens: 10, cache_write_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 8 },
      },
    })
  );
  await drain(
    await fetch(ask("openai/gpt-4o", { "user-agent": "test/1", "cf-aig-event-id": "ev" }, { top_k: 3 })),
  );
  const [{ sluice, event_id, user_agent, tokens_in, tokens_out, cost }] = await rows() as unknown as (
    & { sluice: LogEntry }
    & Record<string, unknown>
  )[];
  const { cacheReadTokens, cacheWriteTokens, reasoningTokens, finishReason } = sluice;
  assertEquals([tokens_in, tokens_out, cacheReadTokens, cacheWriteTokens, reasoningTokens], [
    30,
    20,
    10,
    5,
    8,
  ]);
  assertEquals([finishReason, event_id, user_agent], ["length", "ev", "test/1"]);
  // The tier priority costs 4.25 for a million tokens in, 2.125 from the cache and 17 out.
  assertEquals(Math.round((cost as number) * 1e9), 20 * 4250 + 10 * 2125 + 20 * 17_000);
});

Deno.test("rows are of one account and one gateway", async () => {
  const { fetch, admin } = scene();
  const chat = (path: string) =>
    fetch(
      post(`http://gateway.test${path}`, { model: "openai/m", messages: [{ role: "user", content: "x" }] }),
    );
  await drain(await chat("/v1/other/gw/compat/chat/completions"));
  await drain(await chat("/v1/acct/other/compat/chat/completions"));
  const id = (await drain(await chat("/v1/chat/completions"))).get("cf-aig-log-id")!;
  assertEquals((await (await admin()).json()).result_info.total_count, 0);
  assertEquals((await admin(`/${id}`)).status, 404);
  assertEquals((await admin("", { method: "DELETE" })).status, 200);
  const plain = LOGS.replace("acct", "-").replace("gw", "default");
  const answer = await fetch(
    new Request(`${plain}/${id}`, { headers: { authorization: `Bearer ${ADMIN}` } }),
  );
  assertEquals((await answer.json()).result.id, id);
});

Deno.test("only the operator reads rows, and the operator's token opens no model and reaches no provider", async () => {
  const { fetch, sent } = scene(() => completion(), {
    tokens: ["gateway-token-1"],
    keys: { openai: "sk-stored" },
  });
  const ids = (headers: Record<string, string>) => fetch(new Request(LOGS, { headers }));
  for (
    const headers of [{}, { authorization: "Bearer gateway-token-1" }, { authorization: "Bearer nobody" }]
  ) {
    const answer = await ids(headers as Record<string, string>);
    assertEquals(answer.status, 401);
    assertMatch((await answer.json()).errors[0].message, /operator's token/);
  }
  assertEquals((await ids({ authorization: `Bearer ${ADMIN}` })).status, 200);
  assertEquals((await ids({ authorization: ADMIN })).status, 200);
  for (const name of ["authorization", "x-api-key", "cf-aig-authorization"]) {
    const answer = await fetch(ask("openai/gpt-4o", { [name]: `Bearer ${ADMIN}` }));
    assertEquals(answer.status, 401, name);
    assertStringIncludes(await answer.text(), "opens no model");
  }
  const native = await fetch(post(`${ROOT}/openai/chat/completions?key=${ADMIN}`, {}));
  assertEquals(native.status, 401);
  assertEquals(sent.length, 0);
});

Deno.test("without an operator's token the paths are closed, and without rows they say so", async () => {
  const closed = createGateway({ fetch: nothing.fetch, logs: true });
  const answer = await closed.fetch(new Request(LOGS, { headers: { authorization: `Bearer ${ADMIN}` } }));
  assertEquals(answer.status, 404);
  assertStringIncludes(await answer.text(), "SLUICE_ADMIN_TOKEN");
  const none = createGateway({ fetch: nothing.fetch, adminToken: ADMIN });
  const kept = await none.fetch(new Request(LOGS, { headers: { authorization: `Bearer ${ADMIN}` } }));
  assertEquals([kept.status, (await kept.json()).errors[0].code], [404, 7002]);
});

Deno.test("the newest rows are kept, as many as the option says", async () => {
  const { fetch, rows } = scene(() => completion(), { logs: { rows: 2 } });
  for (const model of ["a", "b", "c"]) await drain(await fetch(ask(`openai/${model}`)));
  assertEquals((await rows()).map(({ model }) => model).toSorted(), ["b", "c"]);
});

Deno.test("a client may keep its request out of the rows, and requests about the gateway have no rows", async () => {
  const { fetch, rows } = scene();
  await drain(await fetch(ask("openai/m", { "cf-aig-collect-log": "false" })));
  await drain(await fetch(new Request("http://gateway.test/v1/models/x/y")));
  await drain(await fetch(new Request("http://gateway.test/")));
  assertEquals(await rows(), []);
  await drain(await fetch(ask("openai/m", { "cf-aig-collect-log": "true" })));
  assertEquals((await rows()).length, 1);
});

Deno.test("metadata of another form is left out and named, and never refused", async () => {
  const { fetch, rows } = scene();
  const long = "x".repeat(513);
  const cases: [string, unknown, string | null][] = [
    ['{"a":"b","n":1,"t":true}', '{"a":"b","n":1,"t":true}', null],
    ['{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', '{"a":1,"b":2,"c":3,"d":4,"e":5}', "cf-aig-metadata.f"],
    [
      '{"a":{},"b":[],"c":null,"d":"x"}',
      '{"d":"x"}',
      "cf-aig-metadata.a, cf-aig-metadata.b, cf-aig-metadata.c",
    ],
    ['{"cf.a":1,"x":1}', '{"x":1}', "cf-aig-metadata.cf.a"],
    [`{"a":"${long}"}`, null, "cf-aig-metadata.a"],
    ["not json", null, "cf-aig-metadata"],
    ["[1]", null, "cf-aig-metadata"],
    ["{}", null, null],
  ];
  for (const [written, kept, dropped] of cases) {
    const answer = await fetch(ask("openai/m", { "cf-aig-metadata": written }));
    assertEquals(answer.status, 200, written);
    const headers = await drain(answer);
    const [row] = await rows();
    assertEquals([row.metadata, headers.get("sluice-dropped")], [kept, dropped], written);
  }
});

Deno.test("the client's own prices win, and prices of another form are ignored", async () => {
  const { fetch, rows } = scene();
  const cases: [string, number | null, boolean][] = [
    ['{"per_token_in":0.5,"per_token_out":0.25}', 0.75, true],
    ['{"total_cost":7}', 7, true],
    ['{"per_token_in":"1","per_token_out":1}', 0.0000125, false],
    ['{"per_token_in":1}', 0.0000125, false],
    ['{"per_token_in":-1,"per_token_out":1}', 0.0000125, false],
    ["nonsense", 0.0000125, false],
  ];
  for (const [written, cost, custom] of cases) {
    await drain(await fetch(ask("openai/gpt-4o", { "cf-aig-custom-cost": written })));
    const [row] = await rows();
    assertEquals([row.cost, row.custom_cost], [cost, custom], written);
  }
});

Deno.test("getLog() and patchLog() of the gateway as an object read and mark a row", async () => {
  const { gateway } = scene();
  const binding = gateway("gw");
  const step = { provider: "openai", endpoint: "chat/completions", query: { model: "gpt-4o", messages: [] } };
  const answer = await binding.run(step, { gateway: { metadata: { team: "a" }, eventId: "e1" } });
  const id = (await drain(answer)).get("cf-aig-log-id")!;
  const row = await binding.getLog(id);
  assert(row.created_at instanceof Date);
  assertEquals([row.id, row.provider, row.model, row.tokens_in, row.cost, row.metadata, row.event_id], [
    id,
    "openai",
    "gpt-4o",
    1,
    0.0000125,
    { team: "a" },
    "e1",
  ]);
  assert(!("feedback" in row));
  await binding.patchLog(id, { feedback: -1, score: 3, metadata: null });
  const marked = await binding.getLog(id);
  assertEquals([marked.feedback, marked.score, marked.metadata], [-1, 3, undefined]);
  const missing = await assertRejects(() => binding.getLog("x"), Error);
  assertEquals(missing.name, "AiGatewayLogNotFound");
  await assertRejects(() => binding.patchLog(id, { feedback: 5 } as never), TypeError);
});
