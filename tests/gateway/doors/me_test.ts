import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { GatewayToken } from "../../../gateway/access/gateway_token.ts";
import { ask, before, clock, completion, events, STREAM } from "../../fakes.ts";

const MODEL = "openai/gpt-4.1";
const TEAM: GatewayToken = {
  token: "team-token",
  name: "team",
  gateways: ["prod"],
  providers: ["openai"],
  models: ["gpt-4*", "anthropic/*"],
  limits: { rpm: 10, tpm: 1000, open: 3 },
  budgets: [{ limitUsd: 2, window: "day", models: ["gpt-4*"] }, { limitUsd: 5, window: "month" }],
};

/** A token of an answer costs a cent. */
const prices = { [MODEL]: { input: 0, output: 10_000 } };

const me = (headers?: HeadersInit, init: RequestInit = {}) =>
  new Request("http://gateway.test/sluice/api/me", { headers, ...init });

function gateway(...tokens: (string | GatewayToken)[]) {
  const answer = (_: unknown, at: number) => at === 0 ? spent(40) : events(STREAM[0], new Promise(() => {}));
  return before(answer, { tokens, prices, keys: { openai: "sk-stored" }, ...clock().options });
}

const spent = (completion_tokens: number) =>
  completion().json().then((body) =>
    Response.json({ ...body, usage: { prompt_tokens: 10, completion_tokens } })
  );

Deno.test("me: a token's holder sees what it opens, and what is left", async () => {
  const { fetch } = gateway(TEAM, "other-token");
  const headers = { authorization: "Bearer team-token" };
  const url = "http://gateway.test/v1/acct/prod/compat/chat/completions";
  const send = (more: object) => fetch(new Request(url, ask(MODEL, headers, { max_tokens: 50, ...more })));
  await (await send({})).text();
  const running = await send({ stream: true });
  assertEquals(running.status, 200);
  const response = await fetch(me(headers));
  assertEquals(response.headers.get("cache-control"), "no-store");
  const used = { spentUsd: 0.4, heldUsd: 0.5 };
  assertEquals(await response.json(), {
    name: "team",
    gateways: ["prod"],
    providers: ["openai"],
    models: ["openai/gpt-4*", "anthropic/*"],
    limits: { rpm: { limit: 10, left: 8 }, tpm: { limit: 1000, left: 950 }, open: { limit: 3, left: 2 } },
    budgets: [
      {
        limitUsd: 2,
        window: "day",
        models: ["openai/gpt-4*"],
        ...used,
        leftUsd: 1.1,
        ends: "2026-11-25T00:00:00.000Z",
      },
      { limitUsd: 5, window: "month", ...used, leftUsd: 4.1, ends: "2026-12-01T00:00:00.000Z" },
    ],
  });
  await running.body!.cancel();
  // The question itself takes nothing.
  const { limits } = await (await fetch(me(headers))).json();
  assertEquals(limits.rpm.left, 8);
});

Deno.test("me: a token without limits, and nothing of another token", async () => {
  const { fetch, call } = gateway(TEAM, { token: "free-token", name: "free" }, "plain-token");
  const none = { gateways: null, providers: null, models: null, limits: {}, budgets: [] };
  for (const serve of [fetch, call]) {
    const free = await serve(me({ "x-api-key": "free-token" }));
    assertEquals(await free.json(), { name: "free", ...none });
  }
  const plain = await (await fetch(me({ "cf-aig-authorization": "Bearer plain-token" }))).json();
  assertEquals(plain, { name: plain.name, ...none });
  assert(/^[\da-f]{8}$/.test(plain.name));
});

Deno.test("me: without a token of the gateway it is 401, whether or not tokens are required", async () => {
  for (const tokenRequired of [true, false]) {
    const { fetch, call } = before(() => completion(), { tokens: [TEAM], tokenRequired });
    for (const headers of [undefined, { authorization: "Bearer nobody" }]) {
      for (const serve of [fetch, call]) {
        const response = await serve(me(headers));
        assertEquals(response.status, 401);
        assertStringIncludes(await response.text(), "needs a gateway token");
      }
    }
  }
  const { fetch } = before(() => completion(), { adminToken: "the-operators-token" });
  assertEquals((await fetch(me())).status, 401);
  assertEquals((await fetch(me({ authorization: "Bearer the-operators-token" }))).status, 401);
  const page = await fetch(me({ authorization: "Bearer team-token", origin: "https://evil.example" }));
  assertEquals(page.status, 403);
  const posted = await fetch(me({}, { method: "POST" }));
  assertEquals([posted.status, posted.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
});
