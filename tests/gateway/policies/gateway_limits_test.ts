/** Limits and budgets of whole gateways. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { before, clock, completion, messages, nothing, post } from "../../fakes.ts";

const MODEL = "openai/gpt-4.1";
/** A token of an answer costs a cent. */
const prices = { [MODEL]: { input: 0, output: 10_000 } };
const OWN_KEY = { authorization: "Bearer sk-of-the-client" };

const spent = (completion_tokens: number) =>
  completion().json().then((body) =>
    Response.json({ ...body, usage: { prompt_tokens: 0, completion_tokens } })
  );

function gateway(gateways: Options["gateways"], more: Options = {}) {
  const { options: timing, pass } = clock();
  const made = before(() => spent(10), { gateways, prices, ...timing, ...more });
  const send = async (id: string, headers: Record<string, string> = OWN_KEY, body: object = {}) => {
    const url = `http://gateway.test/v1/acct/${id}/compat/chat/completions`;
    const response = await made.fetch(
      post(url, { model: MODEL, messages, max_tokens: 10, ...body }, headers),
    );
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return { ...made, pass, send };
}

Deno.test("a gateway's limits hold for all its requests together, with and without a token", async () => {
  const { send, sent, gateway: binding } = gateway({ prod: { limits: { rpm: 3 } } }, {
    tokens: [{ token: "token-of-a", name: "a", limits: { rpm: 2 } }],
    tokenRequired: false,
    keys: { openai: "sk-stored" },
  });
  const token = { authorization: "Bearer token-of-a" };
  const first = await send("prod", token);
  assertEquals(first.headers.get("ratelimit-policy"), '"rpm";q=2;w=60, "gateway-rpm";q=3;w=60');
  assertEquals(first.headers.get("ratelimit"), '"rpm";r=1;t=60, "gateway-rpm";r=2;t=60');
  const anonymous = await send("prod");
  assertEquals([anonymous.status, anonymous.headers.get("ratelimit-policy")], [
    200,
    '"gateway-rpm";q=3;w=60',
  ]);
  // The program's own requests count too.
  const step = { provider: "openai", endpoint: "chat/completions", query: { model: "gpt-4.1", messages } };
  assertEquals((await binding("prod").run(step)).status, 200);
  for (const headers of [token, OWN_KEY]) {
    const refused = await send("prod", headers);
    assertEquals(refused.status, 429);
    assertStringIncludes(refused.text, "the gateway may send 3 requests in a minute; try again in 80 s");
    assertEquals(JSON.parse(refused.text).error.code, "2003");
  }
  assertEquals((await binding("prod").run(step)).status, 429);
  assertEquals(sent.length, 3);
  const other = await send("other");
  assertEquals([other.status, other.headers.get("ratelimit")], [200, null]);
});

Deno.test("paths without a gateway are those of the gateway default", async () => {
  const { send, fetch } = gateway({ default: { limits: { rpm: 1 } } });
  assertEquals((await send("default")).status, 200);
  const response = await fetch(
    post("http://gateway.test/v1/chat/completions", { model: MODEL, messages }, OWN_KEY),
  );
  assertEquals(response.status, 429);
  await response.text();
});

Deno.test("gateways without limits of their own share those of *, as clients choose ids", async () => {
  const { send } = gateway({ prod: { limits: { rpm: 1 } }, "*": { limits: { rpm: 2 } } });
  const statuses = [];
  for (const id of ["prod", "one", "two", "three", "prod"]) statuses.push((await send(id)).status);
  assertEquals(statuses, [200, 200, 200, 429, 429]);
  assertStringIncludes(
    (await send("four")).text,
    "the gateway, with others, may send 2 requests in a minute",
  );
});

Deno.test("a request is admitted by its gateway, its team and its token, or by none", async () => {
  const { send, fetch } = gateway({ prod: { limits: { rpm: 1 } } }, {
    teams: { growth: { limits: { rpm: 5 } } },
    tokens: [{ token: "token-of-a", name: "a", team: "growth", limits: { rpm: 5 } }],
    keys: { openai: "sk-stored" },
  });
  const token = { authorization: "Bearer token-of-a" };
  assertEquals([(await send("prod", token)).status, (await send("prod", token)).status], [200, 429]);
  const me = await (await fetch(new Request("http://gateway.test/sluice/api/me", { headers: token }))).json();
  assertEquals([me.limits.rpm.left, me.also[0].limits.rpm.left, me.also.length], [4, 4, 1]);
});

Deno.test("a gateway's budget holds for callers without a token, on native paths too", async () => {
  const { send, fetch, sent, pass } = gateway({ prod: { budgets: [{ limitUsd: 0.25, window: "day" }] } });
  assertEquals([(await send("prod")).status, (await send("prod")).status], [200, 200]);
  const refused = await send("prod");
  assertEquals([refused.status, JSON.parse(refused.text).error.code], [429, "2045"]);
  assertStringIncludes(refused.text, "the gateway may spend 0.25 US dollars in a day and has 0.05 left");
  const native = (body: object) =>
    fetch(post("http://gateway.test/v1/acct/prod/openai/chat/completions", body, OWN_KEY));
  const over = await native({ model: "gpt-4.1", messages, max_tokens: 10 });
  const unpriced = await native({ model: "gpt-unpriced", messages });
  assertEquals([over.status, unpriced.status], [429, 403]);
  await over.text();
  assertStringIncludes(await unpriced.text(), "the gateway has a budget, and the price of the request to");
  assertEquals(sent.length, 2);
  pass(86_400_000);
  assertEquals((await send("prod")).status, 200);
});

Deno.test("unknownPrice of a gateway is for its own budgets alone, and that of a token is not for them", async () => {
  const budgets = [{ limitUsd: 1, window: "day" as const }];
  const body = { model: "openai/gpt-unpriced" };
  const open = gateway({ prod: { budgets, unknownPrice: "allow" } }, {
    tokens: [{ token: "token-of-a", budgets }],
    tokenRequired: false,
    keys: { openai: "sk-stored" },
  });
  assertEquals((await open.send("prod", OWN_KEY, body)).status, 200);
  const refused = await open.send("prod", { authorization: "Bearer token-of-a" }, body);
  assertEquals(refused.status, 403);
  assertStringIncludes(refused.text, "its gateway token has a budget");
  const strict = gateway({ prod: { budgets } }, {
    tokens: [{ token: "token-of-a", unknownPrice: "allow" }],
    keys: { openai: "sk-stored" },
  });
  const closed = await strict.send("prod", { authorization: "Bearer token-of-a" }, body);
  assertEquals(closed.status, 403);
  assertStringIncludes(closed.text, "the gateway has a budget");
});

Deno.test("of 200 requests at once on a gateway's dollar, it pays for 1 dollar at most", async () => {
  const { send, sent } = gateway({ default: { budgets: [{ limitUsd: 1, window: "month" }] } });
  const all = await Promise.all(Array.from({ length: 200 }, () => send("default")));
  assertEquals([all.filter(({ status }) => status === 200).length, sent.length], [10, 10]);
});

Deno.test("limits for each user hold beside those of the gateway, also where a body names the user", async () => {
  const { fetch } = gateway({ default: { limits: { rpm: 2 } } }, {
    tokens: [{ token: "token-of-a", each: { metadata: "user", limits: { rpm: 1 } } }],
    keys: { openai: "sk-stored" },
  });
  const run = async (user: string) => {
    const request = post("http://gateway.test/client/v4/accounts/acct/ai/run", {
      model: MODEL,
      input: { messages },
      options: { gateway: { metadata: { user } } },
    }, { authorization: "Bearer token-of-a", "cf-aig-metadata": '{"user":"nobody"}' });
    const response = await fetch(request);
    return [response.status, await response.text()] as const;
  };
  assertEquals((await run("ann"))[0], 200);
  assertStringIncludes((await run("ann"))[1], "each user may send 1 requests");
  assertEquals((await run("bob"))[0], 200);
  assertStringIncludes((await run("eve"))[1], "the gateway may send 2 requests");
});

Deno.test("refused requests have rows, and explanations tell the gateway's limits", async () => {
  const rows: LogEntry[] = [];
  const { send } = gateway({ prod: { limits: [{ requests: 1, seconds: 3600 }] } }, {
    log: (row) => void rows.push(row),
  });
  await send("prod");
  const explained = JSON.parse((await send("prod", { ...OWN_KEY, "sluice-explain": "true" })).text);
  assertEquals(explained.caller.limits, null);
  assertEquals(explained.caller.also, [{
    of: "the gateway",
    limits: [{ requests: 1, seconds: 3600 }],
    budgets: null,
  }]);
  await send("prod");
  assertEquals(rows.map(({ status }) => status), [200, 200, 429]);
});

Deno.test("SLUICE_GATEWAYS and the file take the option, and faults name their path", () => {
  for (
    const [gateways, path] of [
      [{ prod: { limits: { rpm: 0 } } }, "gateways.prod.limits.rpm"],
      [{ prod: { budgets: [] } }, "gateways.prod.budgets"],
      [
        { prod: { budgets: [{ limitUsd: 1, window: "day", providers: ["nobody"] }] } },
        "gateways.prod.budgets.0.providers",
      ],
      [{ prod: { limits: [{ open: 1, models: ["x"] }] } }, "gateways.prod.limits.0.models"],
      [{ prod: { tokens: [] } }, "gateways.prod.tokens"],
      [{ "": {} }, "gateways."],
    ] as [Options["gateways"], string][]
  ) {
    const error = assertThrows(() => createGateway({ gateways, fetch: nothing.fetch }), TypeError);
    assert(error.message.startsWith(`Cannot use option ${path}`), error.message);
  }
});
