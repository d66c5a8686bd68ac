import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, completion, events, post, refusal, STREAM } from "../../fakes.ts";

const ADMIN = "operator-0123456789";
const TOKEN = "gateway-token-1";
const NOON = Date.UTC(2026, 10, 28, 12, 30, 30);

function scene(answer: Parameters<typeof before>[0] = () => completion(), options: Options = {}) {
  const gateway = before(answer, {
    logs: true,
    adminToken: ADMIN,
    tokens: [{ token: TOKEN, name: "team a" }],
    tokenRequired: false,
    keys: { openai: "sk-secret-1" },
    now: () => NOON,
    ...options,
  });
  const get = (path: string, token = ADMIN, headers: Record<string, string> = {}) =>
    gateway.fetch(
      new Request(`http://gateway.test/sluice/api/${path}`, {
        headers: { authorization: `Bearer ${token}`, ...headers },
      }),
    );
  const json = async (path: string) => (await get(path)).json();
  return { ...gateway, get, json };
}

const asked = { "cf-aig-authorization": `Bearer ${TOKEN}` };

Deno.test("the operator's paths open only for the operator's token, and forbid caching", async () => {
  const { get, fetch } = scene();
  for (const path of ["logs", "stats", "providers"]) {
    const answer = await get(path);
    assertEquals([answer.status, answer.headers.get("cache-control")], [200, "no-store"], path);
    for (const token of [TOKEN, "nobody", "", `${ADMIN}x`]) {
      assertEquals((await get(path, token)).status, 401, `${path} with ${token}`);
    }
    const posted = await fetch(
      post(`http://gateway.test/sluice/api/${path}`, {}, { authorization: `Bearer ${ADMIN}` }),
    );
    assertEquals(posted.status, 405, path);
  }
  const closed = scene(undefined, { adminToken: undefined });
  assertEquals((await closed.get("logs")).status, 404);
});

Deno.test("the page's paths have no CORS headers, not even for an origin that may call the gateway", async () => {
  const { get, fetch } = scene(undefined, { origins: ["https://app.example"] });
  const headers = { origin: "https://app.example" };
  const allow = "access-control-allow-origin";
  const answer = await get("logs", ADMIN, headers);
  assertEquals([answer.status, answer.headers.get(allow)], [200, null]);
  const preflight = await fetch(
    new Request("http://gateway.test/sluice/api/logs", {
      method: "OPTIONS",
      headers: {
        ...headers,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
      },
    }),
  );
  assertEquals([preflight.headers.get(allow), preflight.headers.get("access-control-allow-headers")], [
    null,
    null,
  ]);
  const models = await fetch(new Request("http://gateway.test/v1/models", { headers }));
  assertEquals(models.headers.get(allow), "https://app.example");
});

Deno.test("the page's models and chats need a gateway token like other paths, and never accept the operator's", async () => {
  const { get, fetch } = scene(() => events(...STREAM), { tokenRequired: true, keys: {} });
  assertEquals((await get("models", TOKEN)).status, 200);
  assertEquals((await get("models")).status, 401);
  const chat = (token: string) =>
    fetch(
      post("http://gateway.test/sluice/api/chat/completions", {
        model: "demo/echo",
        stream: true,
        messages: [{ role: "user", content: "Hello there" }],
      }, { authorization: `Bearer ${token}` }),
    );
  assertStringIncludes(await (await chat(TOKEN)).text(), "data: [DONE]");
  assertEquals([(await chat(ADMIN)).status, (await chat("nobody")).status], [401, 401]);
});

Deno.test("logs returns the newest rows of all gateways, and those after a row", async () => {
  const { fetch, json, get } = scene();
  for (const model of ["a", "b", "c"]) await (await fetch(ask(`openai/${model}`, asked))).text();
  await (await fetch(
    post("http://gateway.test/v1/chat/completions", { model: "openai/d", messages: [] }, asked),
  )).text();
  const { rows } = await json("logs");
  assertEquals(rows.map(({ model }: { model: string }) => model), ["d", "c", "b", "a"]);
  assertEquals([rows[0].gateway, rows[1].gateway, rows[0].token], ["default", "gw", "team a"]);
  const models = async (query: string) =>
    (await json(`logs?${query}`)).rows.map(({ model }: { model: string }) => model);
  assertEquals(await models(`after=${rows[2].id}`), ["d", "c"]);
  assertEquals(await models(`after=${rows[0].id}`), []);
  assertEquals(await models("limit=1"), ["d"]);
  for (const limit of ["0", "1001", "x", "-1"]) {
    assertEquals((await get(`logs?limit=${limit}`)).status, 400, limit);
  }
});

Deno.test("stats tells how many requests were answered from the cache", async () => {
  const { fetch, json } = scene(undefined, { cache: { ttl: 60 } });
  for (const model of ["openai/gpt-4o", "openai/gpt-4o", "openai/gpt-4o", "openai/other"]) {
    await (await fetch(ask(model, asked))).text();
  }
  const { totals, points, models } = await json("stats");
  assertEquals([totals.requests, totals.cached, points.at(-1).cached, points[0].cached], [4, 2, 2, 0]);
  assertEquals(models.map(({ name, cached }: { name: string; cached: number }) => [name, cached]), [
    ["openai/gpt-4o", 2],
    ["openai/other", 0],
  ]);
});

Deno.test("stats returns a column for each step of the span, and totals by model, provider, token and gateway", async () => {
  const { fetch, json, get } = scene((_, at) => at === 2 ? refusal(500) : completion());
  for (const model of ["openai/gpt-4o", "openai/gpt-4o", "openai/unknown", "groq/unknown"]) {
    await (await fetch(ask(model, asked))).text();
  }
  for (
    const [span, columns, at] of [["1h", 60, "12:30"], ["24h", 24, "12:00"], ["30d", 30, "00:00"]] as const
  ) {
    const { points, totals } = await json(`stats?span=${span}`);
    assertEquals([points.length, points.at(-1).at], [columns, `2026-11-28T${at}:00.000Z`]);
    assertEquals([points.at(-1).requests, points[0].requests, totals.requests], [4, 0, 4]);
  }
  const { totals, models, providers, tokens, gateways } = await json("stats");
  const { requests, errors, inputTokens, outputTokens, unpriced } = totals;
  assertEquals([requests, errors, inputTokens, outputTokens, unpriced], [4, 1, 3, 3, 1]);
  assertEquals(totals.cost, 0.000025);
  const names = (list: { name: string; requests: number }[]) =>
    list.map(({ name, requests }) => [name, requests]);
  assertEquals(names(models), [["openai/gpt-4o", 2], ["openai/unknown", 1], ["groq/unknown", 1]]);
  assertEquals(names(providers), [["openai", 3], ["groq", 1]]);
  assertEquals([names(tokens), names(gateways)], [[["team a", 4]], [["acct/gw", 4]]]);
  assertEquals((await json("stats?account=nobody")).totals.requests, 0);
  assertEquals((await get("stats?span=1y")).status, 400);
});

Deno.test("providers tells which providers have keys, but no key", async () => {
  const { json } = scene();
  const { providers } = await json("providers");
  const find = (name: string) => providers.find((row: { name: string }) => row.name === name);
  assertEquals([find("openai").key, find("anthropic").key, find("demo").key], [
    "stored",
    "none",
    "none is needed",
  ]);
  assertEquals(find("anthropic").variables, ["ANTHROPIC_API_KEY"]);
  assert(!JSON.stringify(providers).includes("sk-secret"));
});

Deno.test("without rows the operator's views tell how to keep them", async () => {
  const { get } = scene(undefined, { logs: false });
  for (const path of ["logs", "stats"]) {
    const answer = await get(path);
    assertEquals(answer.status, 404);
    assertStringIncludes(await answer.text(), "SLUICE_LOGS");
  }
});
