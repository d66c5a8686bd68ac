/** Limits and budgets of teams, and for each value of an entry of metadata. */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import type { GatewayToken } from "../../../gateway/access/gateway_token.ts";
import { meter } from "../../../gateway/access/metered.ts";
import { readMetadata } from "../../../gateway/log/metadata.ts";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, clock, completion, events, messages, post, ROOT, STREAM } from "../../fakes.ts";

const MODEL = "openai/gpt-4.1";
/** A token of an answer costs a cent. */
const prices = { [MODEL]: { input: 0, output: 10_000 } };

const spent = (completion_tokens: number) =>
  completion().json().then((body) =>
    Response.json({ ...body, usage: { prompt_tokens: 0, completion_tokens } })
  );

function gateway(options: Options) {
  const { options: timing, pass } = clock();
  const made = before(() => spent(10), { prices, keys: { openai: "sk-stored" }, ...timing, ...options });
  const send = async (token: string, user?: unknown, more: object = { max_tokens: 10 }) => {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (user !== undefined) headers["cf-aig-metadata"] = JSON.stringify({ user });
    const response = await made.fetch(ask(MODEL, headers, more));
    const text = await response.text();
    return { status: response.status, text, headers: response.headers };
  };
  const me = async (token: string, user?: string) => {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (user) headers["cf-aig-metadata"] = JSON.stringify({ user });
    return await (await made.fetch(new Request("http://gateway.test/sluice/api/me", { headers }))).json();
  };
  return { ...made, send, me, pass };
}

const token = (name: string, more: Partial<GatewayToken>): GatewayToken => ({
  token: `token-${name}`,
  name,
  ...more,
});

Deno.test("a team's limits hold for all its tokens together, beside their own", async () => {
  const { send, me, pass, sent } = gateway({
    teams: { growth: { limits: { rpm: 3 } }, ops: { limits: { rpm: 100 } } },
    tokens: [
      token("a", { team: "growth", limits: { rpm: 2 } }),
      token("b", { team: "growth" }),
      token("c", { team: "ops" }),
      token("d", {}),
    ],
  });
  assertEquals([(await send("token-a")).status, (await send("token-a")).status], [200, 200]);
  const own = await send("token-a");
  assertEquals(own.status, 429);
  assertStringIncludes(own.text, "its gateway token may send 2 requests in a minute");
  // What was refused counts for neither.
  const last = await send("token-b");
  assertEquals(last.status, 200);
  assertEquals(last.headers.get("ratelimit-policy"), '"team-rpm";q=3;w=60');
  assertEquals(last.headers.get("ratelimit"), '"team-rpm";r=0;t=60');
  const refused = await send("token-b");
  assertStringIncludes(refused.text, "its team growth may send 3 requests in a minute");
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "80"]);
  assertEquals([(await send("token-c")).status, (await send("token-d")).status], [200, 200]);
  assertEquals(await me("token-a"), {
    name: "a",
    gateways: null,
    providers: null,
    models: null,
    limits: { rpm: { limit: 2, left: 0 } },
    budgets: [],
    also: [{ of: "its team growth", limits: { rpm: { limit: 3, left: 0 } }, budgets: [] }],
  });
  assertEquals(sent.length, 5);
  pass(120_000);
  assertEquals((await send("token-b")).status, 200);
});

Deno.test("a team's requests at once and tokens in a minute are counted for all its tokens", async () => {
  const open = before(() => events(STREAM[0], new Promise(() => {})), {
    teams: { growth: { limits: { open: 2 } } },
    tokens: [token("a", { team: "growth" }), token("b", { team: "growth" })],
    keys: { openai: "sk-stored" },
  });
  const stream = (name: string) =>
    open.fetch(ask(MODEL, { authorization: `Bearer token-${name}` }, { stream: true }));
  const [first, second] = [await stream("a"), await stream("b")];
  assertEquals([first.status, second.status, (await stream("a")).status], [200, 200, 429]);
  await first.body!.cancel();
  const third = await stream("b");
  assertEquals(third.status, 200);
  await Promise.all([second, third].map(({ body }) => body!.cancel()));

  const { send } = gateway({
    teams: { growth: { limits: { tpm: 15 } } },
    tokens: [token("a", { team: "growth" }), token("b", { team: "growth" })],
  });
  assertEquals([(await send("token-a")).status, (await send("token-b")).status], [200, 200]);
  assertStringIncludes((await send("token-a")).text, "its team growth may use 15 tokens in a minute");
});

Deno.test("of a team's budget and a token's each holds, and both are charged", async () => {
  const { send, me, sent } = gateway({
    teams: { growth: { budgets: [{ limitUsd: 0.25, window: "day" }] } },
    tokens: [
      token("a", { team: "growth", budgets: [{ limitUsd: 0.15, window: "day" }] }),
      token("b", { team: "growth" }),
    ],
  });
  assertEquals((await send("token-a")).status, 200);
  const own = await send("token-a");
  assertStringIncludes(own.text, "its gateway token may spend 0.15 US dollars in a day and has 0.05 left");
  assertEquals((await send("token-b")).status, 200);
  const refused = await send("token-b");
  assertEquals(refused.status, 429);
  assertStringIncludes(refused.text, "its team growth may spend 0.25 US dollars in a day and has 0.05 left");
  assertMatch(refused.text, /2045/);
  const { budgets, also } = await me("token-a");
  assertEquals([budgets[0].spentUsd, budgets[0].heldUsd], [0.1, 0]);
  assertEquals([also[0].budgets[0].spentUsd, also[0].budgets[0].heldUsd], [0.2, 0]);
  assertEquals(sent.length, 2);
});

Deno.test("two hundred requests at once never spend more than the team may", async () => {
  const { fetch, me } = gateway({
    teams: { growth: { budgets: [{ limitUsd: 1, window: "day" }] } },
    tokens: Array.from({ length: 10 }, (_, at) => token(`t${at}`, { team: "growth" })),
  });
  const statuses = await Promise.all(Array.from({ length: 200 }, async (_, at) => {
    const response = await fetch(
      ask(MODEL, { authorization: `Bearer token-t${at % 10}` }, { max_tokens: 10 }),
    );
    await response.body?.cancel();
    return response.status;
  }));
  assertEquals(statuses.filter((status) => status === 200).length, 10);
  assertEquals((await me("token-t3")).also[0].budgets[0].heldUsd, 0);
});

Deno.test("a price that is not known is refused for a team's budget too, also on a provider's own path", async () => {
  const { fetch } = gateway({
    teams: { growth: { budgets: [{ limitUsd: 1, window: "day" }] } },
    tokens: [token("a", { team: "growth" }), token("b", { team: "growth", unknownPrice: "allow" })],
  });
  const status = async (name: string, path: string, body: object) => {
    const response = await fetch(post(`${ROOT}/${path}`, body, { authorization: `Bearer token-${name}` }));
    await response.body?.cancel();
    return response.status;
  };
  for (
    const [path, body] of [
      ["compat/chat/completions", { model: "openai/unheard-of", messages }],
      ["openai/chat/completions", { model: "unheard-of", messages }],
      ["openai/images/generations", { model: "gpt-4.1", prompt: "x" }],
    ] as const
  ) {
    assertEquals([await status("a", path, body), await status("b", path, body)], [403, 200], path);
  }
});

Deno.test("limits for each value of metadata hold for each of them alone", async () => {
  const { send, me, pass, sent } = gateway({
    tokens: [
      token("a", {
        limits: { rpm: 5 },
        each: { metadata: "user", limits: { rpm: 2 }, budgets: [{ limitUsd: 0.35, window: "day" }] },
      }),
      token("b", { each: { metadata: "user", limits: { rpm: 2 } } }),
    ],
  });
  assertEquals([(await send("token-a", "ann")).status, (await send("token-a", "ann")).status], [200, 200]);
  const refused = await send("token-a", "ann");
  assertEquals(refused.status, 429);
  assertStringIncludes(refused.text, "each user may send 2 requests in a minute");
  assertEquals(refused.headers.get("ratelimit-policy"), '"rpm";q=5;w=60, "each-rpm";q=2;w=60');
  // A number is not the text of its digits, and another token has counters of its own.
  for (const user of ["bob", 7, "7"]) assertEquals((await send("token-a", user)).status, 200);
  assertStringIncludes((await send("token-a", "eve")).text, "its gateway token may send 5 requests");
  assertEquals((await send("token-b", "ann")).status, 200);
  pass(120_000);
  assertEquals((await send("token-a", "ann", { max_tokens: 20 })).status, 429);
  const left = await me("token-a", "ann");
  assertEquals(left.also[0].of, "each user");
  assertEquals([left.also[0].budgets[0].spentUsd, left.also[0].limits.rpm], [0.2, { limit: 2, left: 2 }]);
  assertEquals((await me("token-a")).also, undefined);
  assertEquals(sent.length, 6);
});

Deno.test("a request that does not name the value is 400, and is not sent", async () => {
  const { send, fetch, sent } = gateway({
    tokens: [token("a", { each: { metadata: "user", limits: { rpm: 2 } } })],
  });
  for (const user of [undefined, null, { a: 1 }]) {
    const { status, text } = await send("token-a", user);
    assertEquals(status, 400);
    assertStringIncludes(
      text,
      'has limits for each user; name it in the header cf-aig-metadata, as {\\"user\\": \\"…\\"}',
    );
  }
  const auth = { authorization: "Bearer token-a" };
  for (
    const request of [
      post(`${ROOT}/openai/chat/completions`, { model: "gpt-4.1", messages: [] }, auth),
      post(ROOT, [{ provider: "openai", endpoint: "x", headers: {}, query: {} }], {
        "cf-aig-authorization": "Bearer token-a",
      }),
    ]
  ) {
    assertEquals((await fetch(request)).status, 400);
  }
  assertEquals(sent.length, 0);
  // What costs nothing needs no value.
  assertEquals((await fetch(new Request("http://gateway.test/v1/models", { headers: auth }))).status, 200);
  // Cloudflare's REST names it in the body.
  const run = (metadata?: object) =>
    fetch(post("http://gateway.test/client/v4/accounts/acct/ai/run", {
      model: MODEL,
      input: { messages: [{ role: "user", content: "Hi" }] },
      ...(metadata && { options: { gateway: { metadata } } }),
    }, auth));
  assertEquals([(await run()).status, (await run({ user: "ann" })).status], [400, 200]);
});

Deno.test("the operator's entry of a virtual key names the value, whatever the client says", async () => {
  const { call, send, me } = gateway({ adminToken: "operator-0123456789" });
  const made = await call(post("http://gateway.test/sluice/api/keys", {
    name: "a",
    metadata: { user: "ann" },
    each: { metadata: "user", limits: { rpm: 1 } },
  }));
  const { secret, each } = await made.json();
  assertEquals([made.status, each], [201, { metadata: "user", limits: { rpm: 1 } }]);
  assertEquals([(await send(secret, "bob")).status, (await send(secret, "eve")).status], [200, 429]);
  assertEquals((await me(secret, "x")).also[0].limits.rpm.left, 0);
});

Deno.test("a token is used for ten thousand values in a day", () => {
  let now = 1e12;
  const find = meter(new Map(), () => now, readMetadata);
  const of = (user: string, name = "a") =>
    find({ name, each: { metadata: "user" } }, new Headers({ "cf-aig-metadata": JSON.stringify({ user }) }))!;
  for (let at = 0; at < 10_000; at++) assertEquals(of(`u${at}`).fault, undefined);
  const { fault } = of("one more");
  assertEquals([fault?.code, fault?.details.headers], ["rate_limited", { "x-should-retry": "false" }]);
  assertStringIncludes(fault!.message, "was used for 10000 values of user today");
  assertEquals([of("u5").fault, of("one more", "b").fault], [undefined, undefined]);
  // The day is the same one.
  now += 3_600_000;
  assertEquals(of("one more").fault?.code, "rate_limited");
  now += 86_400_000;
  assertEquals(of("one more").fault, undefined);
});

Deno.test("a virtual key's team must be one of the option, if there are any", async () => {
  const teams = { growth: { limits: { rpm: 1 } } };
  const make = async (options: Options, team: string) => {
    const { call } = createGateway({ adminToken: "operator-0123456789", ...options });
    const response = await call(post("http://gateway.test/sluice/api/keys", { name: "a", team }));
    return { status: response.status, body: await response.json() };
  };
  const refused = await make({ teams }, "grwth");
  assertEquals([refused.status, refused.body.error.param], [400, "team"]);
  assertStringIncludes(refused.body.error.message, 'the option teams has no "grwth"');
  const { body } = await make({ teams }, "growth");
  assertEquals(body.effective, {
    limits: {},
    budgets: [],
    also: [{ of: "its team growth", limits: { rpm: { limit: 1, left: 1 } }, budgets: [] }],
  });
  assertEquals((await make({}, "a label")).status, 201);
  for (
    const [options, path] of [
      [{ teams, tokens: [{ token: "t-0123456789", team: "grwth" }] }, "tokens.0.team"],
      [
        { teams: { a: { budgets: [{ limitUsd: 1, window: "day", providers: ["x"] }] } } },
        "teams.a.budgets.0.providers",
      ],
      [{ teams: { a: { limits: { rpm: 0 } } } }, "teams.a.limits.rpm"],
      [{ tokens: [{ token: "t-0123456789", each: { limits: { rpm: 1 } } }] }, "tokens.0"],
      [{
        tokens: [{
          token: "t-0123456789",
          each: { metadata: "u", budgets: [{ limitUsd: 1, window: "day", models: ["x/y"] }] },
        }],
      }, "tokens.0.each.budgets.0.models.0"],
    ] as [Options, string][]
  ) assertThrows(() => createGateway(options), TypeError, `Cannot use option ${path}: `);
});
