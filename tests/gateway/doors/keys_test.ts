/** The REST of virtual keys, and what keys open. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { Options } from "../../../gateway/setup/options.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { ask, before, clock, completion, events, network, post, STREAM } from "../../fakes.ts";

const ADMIN = "operator-0123456789";
const KEYS = "http://gateway.test/sluice/api/keys";
const SECRET = /^sl-[\w-]{43}$/;

// deno-lint-ignore no-explicit-any
type Body = any;

/** A gateway whose virtual keys are managed by `rest`. */
function keyed(options: Options = {}) {
  const rows: LogEntry[] = [];
  const gateway = before(() => completion(), {
    adminToken: ADMIN,
    keys: { openai: "sk-stored", anthropic: "sk-ant-stored" },
    log: (row) => void rows.push(row),
    ...options,
  });
  const rest = async (method: string, path = "", body?: unknown, status?: number): Promise<Body> => {
    const response = await gateway.fetch(
      new Request(KEYS + path, {
        method,
        headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
        body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
    const answer = await response.json();
    assertEquals(
      response.status,
      status ?? (method === "POST" && path === "" ? 201 : 200),
      JSON.stringify(answer),
    );
    assertEquals(response.headers.get("cache-control"), status === undefined ? "no-store" : null);
    return answer;
  };
  /** The status of a request with a key. */
  const use = async (
    secret: string,
    request = ask("openai/gpt-4.1", { authorization: `Bearer ${secret}` }),
  ) => {
    const response = await gateway.fetch(request);
    await response.text();
    return response.status;
  };
  const fault = async (method: string, path: string, body?: unknown, status = 400) =>
    (await rest(method, path, body, status)).error;
  return { ...gateway, rest, use, fault, rows };
}

/** A database that gateways share. It may fail. */
function database() {
  const open = new DatabaseSync(":memory:");
  const state = { fault: undefined as Error | undefined, asked: [] as string[] };
  const run = <T>(text: string, work: () => T): Promise<T> => {
    if (text.includes("sluice_keys")) state.asked.push(text);
    return state.fault ? Promise.reject(state.fault) : Promise.resolve(work());
  };
  const store: Sql = {
    dialect: "sqlite",
    all: (text, params = []) => run(text, () => open.prepare(text).all(...params)),
    batch: (statements) =>
      run("", () => statements.map(([text, params]) => open.prepare(text).all(...params))),
  };
  return { store, state };
}

Deno.test("a key is made, used, shown and removed, and its secret is told once", async () => {
  const { rest, use, fault, sent, rows } = keyed(clock().options);
  const { secret, ...made } = await rest("POST", "", { name: "ci" });
  assertMatch(secret, SECRET);
  assertMatch(made.id, /^k_[\da-f]{32}$/);
  const due = {
    id: made.id,
    source: "store",
    name: "ci",
    team: null,
    expires: null,
    disabled: false,
    gateways: null,
    providers: null,
    models: null,
    limits: null,
    budgets: null,
    each: null,
    unknownPrice: "refuse",
    metadata: null,
    created: "2026-11-24T00:00:00.000Z",
    formerUntil: null,
    effective: { limits: {}, budgets: [] },
  };
  assertEquals(made, due);
  assertEquals(await rest("GET", `/${made.id}`), due);
  assertEquals(await rest("GET"), { keys: [due], next: null });
  assertEquals(await use(secret), 200);
  assertEquals([sent[0].headers.get("authorization"), rows.at(-1)?.token], ["Bearer sk-stored", "ci"]);
  assertEquals(await rest("DELETE", `/${made.id}`), { id: made.id, deleted: true });
  assertEquals(await use(secret), 401);
  assertEquals(
    (await fault("GET", `/${made.id}`, undefined, 404)).message,
    `There is no virtual key "${made.id}"`,
  );
  for (const [method, path] of [["DELETE", ""], ["POST", "/rotate"]]) {
    await fault(method, `/${made.id}${path}`, undefined, 404);
  }
  await fault("PATCH", `/${made.id}`, { disabled: true }, 404);
  assertEquals(sent.length, 1);
});

Deno.test("a key opens what it is for, and every fact of it can be changed", async () => {
  const { rest, use } = keyed();
  const { id, secret } = await rest("POST", "", {
    name: "team a",
    gateways: ["gw"],
    providers: ["openai", "gemini"],
    models: ["gpt-4*", "anthropic/*"],
    limits: { rpm: 3, open: 2 },
    budgets: [{ limitUsd: 50, window: "month", models: ["gpt-4.1"], providers: ["openai"] }],
    unknownPrice: "allow",
    metadata: { cost_center: "7", n: 1, on: true },
    expires: "2126-01-31",
  });
  const key = await rest("GET", `/${id}`);
  assertEquals([key.providers, key.models], [["openai", "google-ai-studio"], [
    "openai/gpt-4*",
    "anthropic/*",
  ]]);
  assertEquals(key.budgets[0].models, ["openai/gpt-4.1"]);
  assertEquals([key.expires, key.metadata], ["2126-01-31T00:00:00.000Z", {
    cost_center: "7",
    n: 1,
    on: true,
  }]);
  const bearer = { authorization: `Bearer ${secret}` };
  assertEquals(await use(secret), 200);
  assertEquals(await use(secret, ask("openai/gpt-5", bearer)), 403);
  assertEquals(await use(secret, ask("groq/x", bearer)), 401);
  assertEquals(
    await use(secret, post("http://gateway.test/v1/acct/other/compat/chat/completions", {}, bearer)),
    401,
  );
  assertEquals([await use(secret), await use(secret), await use(secret)], [200, 200, 429]);
  const changed = await rest("PATCH", `/${id}`, {
    name: "team b",
    gateways: null,
    providers: null,
    models: ["openai/*"],
    limits: { rpm: 5 },
    budgets: null,
    unknownPrice: "refuse",
    metadata: null,
    expires: null,
    team: "growth",
  });
  const { effective, created, ...rest2 } = changed;
  assertEquals(rest2, {
    id,
    source: "store",
    name: "team b",
    team: "growth",
    expires: null,
    disabled: false,
    gateways: null,
    providers: null,
    models: ["openai/*"],
    limits: { rpm: 5 },
    budgets: null,
    each: null,
    unknownPrice: "refuse",
    metadata: null,
    formerUntil: null,
  });
  assertEquals(created, key.created);
  // What was counted under the old name still counts.
  assertEquals(effective.limits, { rpm: { limit: 5, left: 2 } });
  assertEquals(await use(secret, ask("openai/gpt-5", bearer)), 200);
  await rest("PATCH", `/${id}`, { disabled: true });
  assertEquals(await use(secret), 401);
  await rest("PATCH", `/${id}`, { disabled: null });
  assertEquals(await use(secret), 200);
  assertEquals(await rest("PATCH", `/${id}`, {}), await rest("GET", `/${id}`));
});

Deno.test("a change of one fact of a key leaves each other fact as it was", async () => {
  const { rest } = keyed();
  const facts = {
    name: "full",
    team: "growth",
    gateways: ["gw"],
    providers: ["openai"],
    models: ["openai/gpt-4*"],
    limits: { rpm: 3 },
    budgets: [{ limitUsd: 50, window: "month", models: ["openai/gpt-4.1"] }],
    each: { metadata: "user_id", limits: { rpm: 1 } },
    unknownPrice: "allow",
    metadata: { cost_center: "7" },
    expires: "2126-01-31T00:00:00.000Z",
    disabled: true,
  };
  const { secret: _, id } = await rest("POST", "", facts);
  const { effective: _before, ...before } = await rest("GET", `/${id}`);
  for (const [fact, value] of Object.entries(facts)) {
    const { effective: _after, ...after } = await rest("PATCH", `/${id}`, { [fact]: value });
    assertEquals(after, before, fact);
  }
  for (const fact of Object.keys(facts).slice(1)) {
    const { id } = await rest("POST", "", { ...facts, name: `without ${fact}` });
    const { effective: _after, ...after } = await rest("PATCH", `/${id}`, { [fact]: null });
    const usual = { disabled: false, unknownPrice: "refuse" }[fact] ?? null;
    const { name, created } = after;
    assertEquals(after, { ...before, id, name, created, [fact]: usual });
  }
});

Deno.test("a key that is disabled, has expired or is gone is 401 with its reason, also where no token is required", async () => {
  const { options, pass } = clock();
  for (const tokenRequired of [undefined, false, true]) {
    const { rest, fetch, sent } = keyed({ ...options, tokenRequired });
    const reason = async (secret: string) => {
      const response = await fetch(ask("openai/gpt-4.1", { authorization: `Bearer ${secret}` }));
      return [response.status, (await response.json()).error?.message];
    };
    const told = (why: string) => [
      401,
      `Cannot serve the request: ${why}; ask the gateway's operator for another`,
    ];
    const { id, secret } = await rest("POST", "", { name: "a", disabled: true });
    assertEquals(await reason(secret), told("its virtual key is disabled"));
    const expires = new Date(options.now() + 1000).toISOString();
    await rest("PATCH", `/${id}`, { disabled: false, expires });
    assertEquals((await reason(secret))[0], 200);
    pass(1000);
    assertEquals(await reason(secret), told("its virtual key has expired"));
    await rest("DELETE", `/${id}`);
    assertEquals(await reason(secret), told("there is no such virtual key"));
    assertEquals(await reason(`sl-${"x".repeat(43)}`), told("there is no such virtual key"));
    assertEquals(sent.length, 1);
  }
});

Deno.test("rotation gives a new secret, and the old one ends after its grace", async () => {
  const { options, pass } = clock();
  const { rest, use, fault } = keyed(options);
  const { id, secret: first } = await rest("POST", "", { name: "a", limits: { rpm: 100 } });
  const rotated = await rest("POST", `/${id}/rotate`);
  assertMatch(rotated.secret, SECRET);
  assertEquals([rotated.id, rotated.formerUntil], [id, "2026-11-25T00:00:00.000Z"]);
  assertEquals([await use(first), await use(rotated.secret)], [200, 200]);
  // Both are one key.
  assertEquals((await rest("GET", `/${id}`)).effective.limits.rpm.left, 98);
  const { secret: third } = await rest("POST", `/${id}/rotate`, { graceSeconds: 60 });
  assertEquals([await use(first), await use(rotated.secret), await use(third)], [401, 200, 200]);
  pass(60_000);
  assertEquals([await use(rotated.secret), await use(third)], [401, 200]);
  assertEquals((await rest("GET", `/${id}`)).formerUntil, null);
  const { secret: fourth } = await rest("POST", `/${id}/rotate`, { graceSeconds: 0 });
  assertEquals([await use(third), await use(fourth)], [401, 200]);
  for (const graceSeconds of [-1, 1.5, 2_592_001, "60", null]) {
    assertEquals((await fault("POST", `/${id}/rotate`, { graceSeconds })).param, "graceSeconds");
  }
  assertEquals((await fault("POST", `/${id}/rotate`, { grace: 1 })).param, "grace");
  for (const body of ["{", "60", "null", "[]"]) await fault("POST", `/${id}/rotate`, body);
  assertEquals(await use(fourth), 200);
});

Deno.test("faults of a key name their path, and nothing is saved", async () => {
  const { options, pass } = clock();
  const tokens = [{ token: "token-of-the-options", name: "taken" }];
  const { rest, fault } = keyed({ ...options, tokens });
  const { id } = await rest("POST", "", { name: "a" });
  pass(1); // Keys of one millisecond have no order.
  await rest("POST", "", { name: "b" });
  const cases: [body: unknown, param: string | null, says: string][] = [
    [{}, "name", "is missing"],
    [{ name: "" }, "name", "1 to 64 characters"],
    [{ name: "a" }, "name", "a key has this name"],
    [{ name: "taken" }, "name", "a key has this name"],
    [{ name: "b" }, "name", "a key has this name"],
    [{ name: "my token-of-the-options" }, "name", "must hold no token"],
    [{ name: `sl-${"x".repeat(43)}` }, "name", "must hold no token"],
    [{ name: "c", limit: {} }, "limit", "did you mean limits?"],
    [{ name: "c", id: "k_1" }, "id", "is not known"],
    [{ name: "c", limits: { rpm: 0 } }, "limits.rpm", "must be at least 1"],
    [{ name: "c", limits: { rpm: "5" } }, "limits.rpm", "must be a number"],
    [{ name: "c", budgets: [{ limitUsd: 1, window: "year" }] }, "budgets.0.window", '"hour"'],
    [{ name: "c", budgets: [] }, "budgets", "must hold a budget"],
    [{ name: "c", models: ["openai/gpt-4", "nobody/x"] }, "models.1", "must be a known provider"],
    [
      { name: "c", budgets: [{ limitUsd: 1, window: "day", providers: ["nobody"] }] },
      "budgets.0.providers",
      "no provider",
    ],
    [{ name: "c", providers: ["nobody"] }, "providers", 'no provider "nobody"'],
    [{ name: "c", gateways: "gw" }, "gateways", "must be a list"],
    [{ name: "c", expires: "soon" }, "expires", "must be a date"],
    [{ name: "c", disabled: "yes" }, "disabled", "must be true or false"],
    [{ name: "c", metadata: { a: {} } }, "metadata.a", "must be"],
    [{ name: "c", metadata: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 } }, "metadata.f", "five entries"],
    [{ name: "c", metadata: { "cf.x": 1 } }, "metadata.cf.x", "cannot be kept"],
    [{ name: "c", gateways: ["x".repeat(20_000)] }, null, "at most 16384 characters"],
    [[], null, "must be a JSON object"],
    ["{", null, "JSON"],
    ["null", null, "must be a JSON object"],
  ];
  for (const [body, param, says] of cases) {
    for (const [method, path] of [["POST", ""], ["PATCH", `/${id}`]]) {
      const isFree = method === "PATCH" &&
        (param === "name" && says === "is missing" || (body as Body).name === "a");
      if (isFree) continue;
      const error = await fault(method, path, body);
      assertEquals([error.param, error.code], [param, "invalid_request"], JSON.stringify(body));
      assertStringIncludes(error.message, says);
    }
  }
  for (const fact of ["name", "id", "secret", "constructor", "__proto__"]) {
    assertEquals((await fault("PATCH", `/${id}`, { [fact]: null })).param, fact);
  }
  const { keys } = await rest("GET");
  assertEquals(keys.map(({ name }: Body) => name), ["taken", "b", "a"]);
});

Deno.test("the tokens of the options are listed first, and cannot be changed", async () => {
  const token = { token: "token-of-the-options", name: "ops", limits: { rpm: 5 }, models: ["openai/*"] };
  const { rest, fault, use } = keyed({ tokens: [token, "plain-token"] });
  await rest("POST", "", { name: "made" });
  assertEquals(await use("token-of-the-options"), 200);
  const { keys } = await rest("GET");
  assertEquals(keys.map(({ source }: Body) => source), ["options", "options", "store"]);
  const [ops] = keys;
  assertEquals([ops.id, ops.name, ops.models, ops.created], ["t_ops", "ops", ["openai/*"], null]);
  assertEquals(ops.effective.limits, { rpm: { limit: 5, left: 4 } });
  assertEquals(await rest("GET", "/t_ops"), ops);
  assert(!JSON.stringify(keys).includes("token-of-the-options"));
  assertEquals((await rest("GET", "?search=OPS")).keys.map(({ id }: Body) => id), ["t_ops"]);
  for (const [method, path] of [["PATCH", ""], ["DELETE", ""], ["POST", "/rotate"]]) {
    const { message } = await fault(method, `/t_ops${path}`, method === "DELETE" ? undefined : {});
    assertStringIncludes(message, "the option tokens");
  }
  await fault("GET", "/t_nobody", undefined, 404);
});

Deno.test("a key's limits may be a list, which is shown as it was written, with what is left", async () => {
  const { rest, use } = keyed();
  const limits = [{ requests: 2, seconds: 3600, models: ["openai/gpt-4*"] }, { open: 3 }];
  const { id, secret } = await rest("POST", "", { name: "a", limits });
  assertEquals([await use(secret), await use(secret), await use(secret)], [200, 200, 429]);
  const shown = await rest("GET", `/${id}`);
  assertEquals(shown.limits, limits);
  assertEquals(shown.effective.limits, [{ ...limits[0], left: 0 }, { open: 3, left: 3 }]);
  assertEquals((await rest("PATCH", `/${id}`, { limits: { rpm: 1 } })).effective.limits, {
    rpm: { limit: 1, left: 1 },
  });
  assertEquals((await rest("PATCH", `/${id}`, { limits: null })).effective.limits, {});
});

Deno.test("keys are listed in pages", async () => {
  const { rest, fault } = keyed({ tokens: ["plain-token"] });
  for (let at = 0; at < 5; at++) await rest("POST", "", { name: `key ${at}`, team: at % 2 ? "odd" : "even" });
  const names: string[] = [];
  let after = "";
  do {
    const { keys, next } = await rest("GET", `?limit=2${after && `&after=${after}`}`);
    names.push(...keys.filter(({ source }: Body) => source === "store").map(({ name }: Body) => name));
    assertEquals(keys.some(({ source }: Body) => source === "options"), after === "");
    after = next;
  } while (after);
  assertEquals(names.toSorted(), [0, 1, 2, 3, 4].map((at) => `key ${at}`));
  const { keys } = await rest("GET", "?search=ODD");
  assertEquals(keys.map(({ team }: Body) => team), ["odd", "odd"]);
  assertEquals((await rest("GET", "?limit=1000")).keys.length, 6);
  for (const limit of ["0", "1001", "x", ""]) {
    assertEquals((await fault("GET", `?limit=${limit}`)).param, "limit");
  }
});

Deno.test("only the operator sees and changes keys", async () => {
  const { rest, fetch, call } = keyed({ tokens: ["plain-token"] });
  const { id, secret } = await rest("POST", "", { name: "a" });
  const requests: [string, string][] = [["GET", ""], ["POST", ""], ["GET", `/${id}`], ["PATCH", `/${id}`], [
    "DELETE",
    `/${id}`,
  ], [
    "POST",
    `/${id}/rotate`,
  ]];
  for (const [method, path] of requests) {
    const request = (token?: string) =>
      new Request(KEYS + path, {
        method,
        headers: token ? { authorization: `Bearer ${token}` } : {},
        body: method === "POST" || method === "PATCH" ? "{}" : undefined,
      });
    for (const token of [undefined, "plain-token", secret, "operator-012345678"]) {
      const response = await fetch(request(token));
      assertEquals(response.status, 401, `${method} ${path}`);
      assert(!(await response.text()).includes(id));
    }
  }
  // The program that made the gateway is its operator.
  assertEquals((await call(new Request(KEYS))).status, 200);
  const closed = before(() => completion(), { tokens: ["plain-token"] });
  assertEquals((await closed.fetch(new Request(KEYS))).status, 404);
});

Deno.test("once a key was made, requests without a token or key are refused, also when it is gone", async () => {
  const own = { authorization: "Bearer sk-own" };
  const { rest, use } = keyed();
  assertEquals(await use("", ask("openai/gpt-4.1", own)), 200);
  const { id } = await rest("POST", "", { name: "a" });
  for (let round = 0; round < 2; round++) {
    assertEquals(await use("", ask("openai/gpt-4.1", own)), 401);
    assertEquals(await use("", ask("openai/gpt-4.1")), 401);
    assertEquals(await use("", new Request("http://gateway.test/v1/models")), 401);
    if (round === 0) await rest("DELETE", `/${id}`);
  }
  const open = keyed({ tokenRequired: false });
  await open.rest("POST", "", { name: "a" });
  assertEquals(await open.use("", ask("openai/gpt-4.1", own)), 200);
  assertEquals(await open.use("", ask("openai/gpt-4.1")), 401);
  const closed = keyed({ tokenRequired: true });
  assertEquals(await closed.use("", ask("openai/gpt-4.1", own)), 401);
  const { secret } = await closed.rest("POST", "", { name: "a" });
  assertEquals(await closed.use(secret), 200);
});

Deno.test("two gateways on one store agree within 10 s", async () => {
  const { store } = database();
  const { options, pass } = clock();
  const [one, other] = [keyed({ ...options, store }), keyed({ ...options, store })];
  const anybody = () => ask("openai/gpt-4.1", { authorization: "Bearer sk-own" });
  assertEquals([await one.use("", anybody()), await other.use("", anybody())], [200, 200]);
  const { id, secret } = await one.rest("POST", "", { name: "a" });
  assertEquals(await one.use("", anybody()), 401);
  // A key is good at once everywhere.
  assertEquals([await one.use(secret), await other.use(secret)], [200, 200]);
  pass(10_000);
  assertEquals(await other.use("", anybody()), 401);
  assertEquals((await other.rest("GET", `/${id}`)).name, "a");
  await other.rest("PATCH", `/${id}`, { disabled: true });
  assertEquals(await other.use(secret), 401);
  pass(10_000);
  assertEquals(await one.use(secret), 401);
  await one.rest("PATCH", `/${id}`, { disabled: false });
  const { secret: next } = await one.rest("POST", `/${id}/rotate`, { graceSeconds: 0 });
  assertEquals(await other.use(next), 200);
  await one.rest("DELETE", `/${id}`);
  assertEquals(await one.use(next), 401);
  pass(10_000);
  assertEquals(await other.use(next), 401);
  // A gateway that is started later is closed too.
  assertEquals(await keyed({ ...options, store }).use("", anybody()), 401);
});

Deno.test("a store that fails is 503 for keys, and opens nothing", async () => {
  const { store, state } = database();
  const { options, pass } = clock();
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  try {
    const first = keyed({ ...options, store });
    const { secret } = await first.rest("POST", "", { name: "a" });
    state.fault = new Error("connection refused to db.internal");
    const anybody = () => ask("openai/gpt-4.1", { authorization: "Bearer sk-own" });
    // It does not know whether there are keys.
    const fresh = keyed({ ...options, store, logs: false });
    const response = await fresh.fetch(anybody());
    const text = await response.text();
    assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
    assertStringIncludes(text, "the store of virtual keys does not answer");
    assert(!text.includes("db.internal"));
    assertEquals(await fresh.use(secret), 503);
    assertEquals([await first.use("", anybody()), await first.use(secret)], [401, 503]);
    await first.rest("GET", "", undefined, 503);
    // The program's own requests, and where no token is required those with a provider's key, need no store.
    assertEquals((await fresh.call(anybody())).status, 200);
    fresh.sent.pop();
    const open = keyed({ ...options, store, logs: false, tokenRequired: false });
    assertEquals([await open.use("", anybody()), await open.use("")], [200, 401]);
    assertEquals(first.sent.length + fresh.sent.length, 0);
    // One line of each of the three gateways.
    const [asks, finds] = ["tell whether there are keys", "find a key"].map((what) =>
      `Warning: the store of virtual keys failed once: cannot ${what} (StoreError)`
    );
    assertEquals(lines, [asks, finds, asks]);
    pass(1000);
    state.fault = undefined;
    assertEquals([await fresh.use(secret), await fresh.use("", anybody())], [200, 401]);
  } finally {
    console.error = error;
  }
});

Deno.test("after a thousand unknown keys in ten seconds another one is 503, with the reason", async () => {
  const { store } = database();
  const { options, pass } = clock();
  const { rest, fetch, use } = keyed({ ...options, store });
  const { secret } = await rest("POST", "", { name: "a" });
  assertEquals(await use(secret), 200);
  const wrong = (n: number) => `sl-${`${n}`.padStart(43, "x")}`;
  // The first look-up of the key that there is counts too.
  for (let n = 0; n < 999; n++) assertEquals(await use(wrong(n)), 401);
  const refused = await fetch(ask("openai/gpt-4.1", { authorization: `Bearer ${wrong(1000)}` }));
  assertEquals([refused.status, refused.headers.get("retry-after")], [503, "10"]);
  assertStringIncludes(await refused.text(), "too many unknown keys were sent");
  assertEquals([await use(wrong(7)), await use(secret)], [401, 200]);
  pass(10_000);
  assertEquals(await use(wrong(1000)), 401);
});

/** A stream that waits in its middle, and what the counters of its gateway hold. */
function midStream() {
  const { promise: later, resolve: end } = Promise.withResolvers<void>();
  const usage = { prompt_tokens: 0, completion_tokens: 10 };
  const told = `data: ${JSON.stringify({ choices: [], usage })}\n\n`;
  const stream = () => events(...STREAM.slice(0, 3), later, told, "data: [DONE]\n\n");
  const counted = new Map<string, { value: number; until: number }>();
  const now = () => Date.UTC(2026, 10, 24);
  const options: Options = {
    fetch: network(stream).fetch,
    now,
    store: { counters: memoryCounters(now, counted) },
    // A token of an answer costs a cent.
    prices: { "openai/gpt-4.1": { input: 0, output: 10_000 } },
  };
  /** The sums of the counters of a kind, e.g. `open`. */
  const sum = (kind: string) =>
    [...counted].filter(([key]) => key.startsWith(`${kind}:`)).reduce((sum, [, { value }]) => sum + value, 0);
  return {
    options,
    end,
    sums: () => ["open", "held", "spent"].map((kind) => sum(kind) / (kind === "open" ? 1 : 1e7)),
  };
}

const METERED = { name: "a", limits: { open: 1 }, budgets: [{ limitUsd: 1, window: "day" }] };

/** Changes of a key while its stream runs, and the status of a request with its secret after that. */
const CHANGES: [what: string, change: [method: string, path: string, body?: object], status: number][] = [
  ["removed", ["DELETE", ""], 401],
  ["disabled", ["PATCH", "", { disabled: true }], 401],
  ["replaced at once", ["POST", "/rotate", { graceSeconds: 0 }], 401],
  // Its budget stays, and a request that does not limit its answer may cost more.
  ["renamed", ["PATCH", "", { name: "b" }], 429],
  ["left without limits", ["PATCH", "", { limits: null, budgets: null }], 200],
  ["limited to another model", ["PATCH", "", { models: ["anthropic/*"] }], 403],
];

for (const [what, [method, path, body], after] of CHANGES) {
  Deno.test(`a stream whose key is ${what} ends whole, is paid for, and frees what it held`, async () => {
    const { options, end, sums } = midStream();
    const { rest, use, fetch, rows } = keyed(options);
    const { id, secret } = await rest("POST", "", METERED);
    const request = ask("openai/gpt-4.1", { authorization: `Bearer ${secret}` }, {
      stream: true,
      max_tokens: 60,
    });
    const response = await fetch(request);
    assertEquals([response.status, ...sums()], [200, 1, 60, 0]);
    await rest(method, `/${id}${path}`, body);
    end();
    assertStringIncludes(await response.text(), "[DONE]");
    assertEquals(sums(), [0, 0, 10]);
    const row = rows.find(({ token }) => token === "a");
    assertEquals([row?.status, row?.cost], [200, 0.1]);
    assertEquals(await use(secret), after);
  });
}

Deno.test("a key's entries are in the rows of its requests, and win over the client's", async () => {
  const { rest, fetch, rows } = keyed();
  const { secret } = await rest("POST", "", { name: "a", metadata: { team: "growth", n: 7 } });
  const headers = { authorization: `Bearer ${secret}` };
  await (await fetch(ask("openai/gpt-4.1", headers))).text();
  assertEquals(rows.at(-1)?.metadata, { team: "growth", n: 7 });
  const metadata = JSON.stringify({ team: "mine", user: "u" });
  await (await fetch(ask("openai/gpt-4.1", { ...headers, "cf-aig-metadata": metadata }))).text();
  assertEquals(rows.at(-1)?.metadata, { team: "growth", user: "u", n: 7 });
});

Deno.test("me: the holder of a key sees its id and what is left", async () => {
  const { rest, fetch } = keyed();
  const { id, secret } = await rest("POST", "", { name: "a", limits: { rpm: 5 } });
  const request = new Request("http://gateway.test/sluice/api/me", { headers: { "x-api-key": secret } });
  assertEquals(await (await fetch(request)).json(), {
    name: "a",
    id,
    gateways: null,
    providers: null,
    models: null,
    limits: { rpm: { limit: 5, left: 5 } },
    budgets: [],
  });
});

Deno.test("keys are seen and changed while the store of counts is down, and what is left is not known", async () => {
  const { error } = console;
  console.error = () => {};
  const counters = { take: () => Promise.reject(new Error("down")) };
  const tokens = [{ token: "token-of-the-options", name: "fixed", limits: { rpm: 1 } }];
  const { rest } = keyed({ store: { counters }, tokens, ...clock().options });
  const made = await rest("POST", "", { name: "a", limits: { rpm: 5 } });
  const { keys } = await rest("GET");
  const one = await rest("PATCH", `/${made.id}`, { limits: { rpm: 6 } });
  console.error = error;
  assertEquals([made.effective, one.effective, one.limits], [null, null, { rpm: 6 }]);
  assertEquals(keys.map(({ name, effective }: Body) => [name, effective]), [["fixed", null], ["a", null]]);
});

Deno.test("of two keys in a request the one in cf-aig-authorization counts, and one that opens nothing is no hindrance", async () => {
  const { rest, fetch, rows } = keyed({ tokens: [{ token: "token-of-the-options", name: "fixed" }] });
  const { secret: first } = await rest("POST", "", { name: "a" });
  const { secret: second, id } = await rest("POST", "", { name: "b" });
  const send = async (own: string, other: string) => {
    const headers = { "cf-aig-authorization": `Bearer ${own}`, authorization: `Bearer ${other}` };
    const response = await fetch(ask("openai/gpt-4.1", headers));
    await response.text();
    return [response.status, rows.at(-1)?.token];
  };
  assertEquals(await send(first, second), [200, "a"]);
  assertEquals(await send(second, first), [200, "b"]);
  assertEquals(await send("token-of-the-options", first), [200, "fixed"]);
  assertEquals(await send(first, "token-of-the-options"), [200, "a"]);
  await rest("DELETE", `/${id}`);
  assertEquals([await send(first, second), await send(second, first)], [[200, "a"], [200, "a"]]);
});

Deno.test("of two keys that are made or renamed at once with one name, one gets it", async () => {
  const { call } = keyed();
  const headers = { "content-type": "application/json" };
  const send = (method: string, path: string, name: string) =>
    call(new Request(KEYS + path, { method, headers, body: JSON.stringify({ name }) }));
  const outcome = async (...all: Promise<Response>[]) => {
    const answers = await Promise.all(all);
    const bodies: Body[] = await Promise.all(answers.map((answer) => answer.json()));
    return bodies.map(({ name, error }) => error?.param ?? name).sort();
  };
  assertEquals(await outcome(send("POST", "", "a"), send("POST", "", "a")), ["a", "name"]);
  const [one, other] = [
    await (await send("POST", "", "b")).json(),
    await (await send("POST", "", "c")).json(),
  ];
  const renamed = outcome(send("PATCH", `/${one.id}`, "d"), send("PATCH", `/${other.id}`, "d"));
  assertEquals(await renamed, ["d", "name"]);
  const { keys } = await (await call(new Request(KEYS))).json();
  assertEquals(keys.length, 3);
});
