/** Limits as a list: windows of any length, and limits for some models. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { LimitRule } from "../../../gateway/policies/token_limits.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import {
  ask,
  before,
  clock,
  completion,
  events,
  message,
  messages,
  nothing,
  post,
  ROOT,
  STREAM,
} from "../../fakes.ts";

const TOKEN = { authorization: "Bearer metered-token" };
const GPT = "openai/gpt-4.1", MINI = "openai/gpt-4.1-mini", CLAUDE = "anthropic/claude-sonnet-4-5";

/** A gateway with one token that has these limits. The clock begins at midnight. */
function limited(limits: readonly LimitRule[], answer?: Parameters<typeof before>[0], more: Options = {}) {
  const time = clock();
  const made = before(answer ?? (({ url }) => url.includes("anthropic") ? message() : completion()), {
    keys: { openai: "sk-stored", anthropic: "sk-ant-stored" },
    tokens: [{ token: "metered-token", name: "team", limits }],
    ...time.options,
    ...more,
  });
  const send = async (model: string, body: object = {}, headers: Record<string, string> = {}) => {
    const response = await made.fetch(ask(model, { ...TOKEN, ...headers }, body));
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const statuses = async (...models: string[]) => {
    const all = [];
    for (const model of models) all.push((await send(model)).status);
    return all;
  };
  const me = async () =>
    await (await made.fetch(new Request("http://gateway.test/sluice/api/me", { headers: TOKEN }))).json();
  return { ...made, pass: time.pass, send, statuses, me };
}

const HOUR = 3_600_000;

Deno.test("a fixed window begins anew with the clock", async () => {
  const { statuses, send, pass } = limited([{ requests: 2, seconds: 3600, technique: "fixed" }]);
  pass(HOUR - 60_000);
  const first = await send(GPT);
  assertEquals(first.headers.get("ratelimit-policy"), '"requests-1";q=2;w=3600');
  assertEquals(first.headers.get("ratelimit"), '"requests-1";r=1;t=60');
  assertEquals(await statuses(GPT), [200]);
  const refused = await send(GPT);
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "60"]);
  assertStringIncludes(refused.text, "its gateway token may send 2 requests in an hour; try again in 60 s");
  pass(59_999);
  assertEquals(await statuses(GPT), [429]);
  pass(1);
  assertEquals(await statuses(GPT, GPT, GPT), [200, 200, 429]);
});

Deno.test("a window slides if nothing else is said, whatever its length", async () => {
  const { statuses, send, pass } = limited([{ requests: 4, seconds: 600 }]);
  assertEquals(await statuses(GPT, GPT, GPT, GPT), [200, 200, 200, 200]);
  pass(600_000 + 300_000);
  // Half of the window before still counts.
  assertEquals(await statuses(GPT, GPT), [200, 200]);
  const refused = await send(GPT);
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "150"]);
  assertStringIncludes(refused.text, "may send 4 requests in 600 s");
  pass(149_000);
  assertEquals(await statuses(GPT), [429]);
  pass(1000);
  assertEquals(await statuses(GPT), [200]);
});

Deno.test("limits of one kind with windows of their own hold beside each other, and the longest wait is told", async () => {
  const { statuses, send, pass, me } = limited([
    { requests: 2 },
    { requests: 3, seconds: 86_400, technique: "fixed" },
  ]);
  assertEquals(await statuses(GPT, GPT, GPT), [200, 200, 429]);
  pass(120_000);
  assertEquals(await statuses(GPT), [200]);
  const refused = await send(GPT);
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, `${86_400 - 120}`]);
  assertStringIncludes(refused.text, "may send 3 requests in a day");
  assertEquals((await me()).limits, [
    { requests: 2, left: 1 },
    { requests: 3, seconds: 86_400, technique: "fixed", left: 0 },
  ]);
});

Deno.test("a limit for models counts their requests alone", async () => {
  const { statuses, send, sent } = limited([
    { requests: 1, models: ["openai/gpt-4.1"] },
    { requests: 2, providers: ["anthropic"] },
  ]);
  assertEquals(await statuses(GPT, MINI, CLAUDE, MINI, CLAUDE), [200, 200, 200, 200, 200]);
  const first = await send(GPT);
  assertEquals(first.status, 429);
  assertStringIncludes(first.text, "may send 1 requests in a minute for openai/gpt-4.1;");
  assertStringIncludes((await send(CLAUDE)).text, "may send 2 requests in a minute for anthropic;");
  assertEquals((await send(MINI)).headers.get("ratelimit"), null);
  assertEquals(sent.length, 6);
});

Deno.test("a limit for a model holds for a request that may come to it by a fallback", async () => {
  const { send, statuses } = limited([{ requests: 1, providers: ["anthropic"] }]);
  const fallback = { "sluice-fallback": CLAUDE };
  assertEquals([(await send(GPT, {}, fallback)).status, (await send(GPT, {}, fallback)).status], [200, 429]);
  assertEquals(await statuses(GPT), [200]);
});

Deno.test("tokens count at the limits for the model that has answered", async () => {
  const { statuses, me, send } = limited([
    { tokens: 1, seconds: 86_400, models: ["openai/*"] },
    { tokens: 1, seconds: 86_400, models: ["anthropic/*"] },
    { tokens: 1000, seconds: 86_400 },
  ], ({ url }) => url.includes("anthropic") ? message() : Response.json({ error: {} }, { status: 500 }));
  const answered = await send(GPT, {}, { "sluice-fallback": CLAUDE });
  assertEquals(answered.status, 200);
  const [openai, anthropic, all] = (await me()).limits;
  assertEquals([openai.left, anthropic.left === 0, all.left < 1000], [1, true, true]);
  const refused = await send(CLAUDE);
  assertEquals(refused.status, 429);
  assertStringIncludes(refused.text, "may use 1 tokens in a day for anthropic/*");
  assertEquals(await statuses(GPT), [500]);
});

Deno.test("requests at once are limited for a provider", async () => {
  const { promise: later, resolve: end } = Promise.withResolvers<void>();
  const { fetch, statuses } = limited(
    [{ open: 1, providers: ["openai"] }],
    ({ url }) =>
      url.includes("anthropic") ? message() : events(...STREAM.slice(0, 2), later, ...STREAM.slice(2)),
  );
  const first = await fetch(ask(GPT, TOKEN, { stream: true }));
  const second = await fetch(ask(GPT, TOKEN, { stream: true }));
  assertEquals([first.status, second.status], [200, 429]);
  assertStringIncludes(await second.text(), "may have 1 requests at once for openai;");
  assertEquals(await statuses(CLAUDE), [200]);
  end();
  await first.text();
  const third = await fetch(ask(GPT, TOKEN, { stream: true }));
  assertEquals(third.status, 200);
  await third.text();
});

Deno.test("two limits for the same count a request once", async () => {
  const { me, statuses } = limited([{ requests: 10 }, { requests: 20, technique: "fixed" }]);
  assertEquals(await statuses(GPT), [200]);
  assertEquals((await me()).limits.map(({ left }: { left: number }) => left), [9, 19]);
});

Deno.test("on a provider's own path the model of the body counts, and a request that names none counts at each limit", async () => {
  const { fetch } = limited([{ requests: 1, models: ["openai/gpt-4.1"] }]);
  const native = async (body: object, path = "chat/completions") => {
    const { status, body: answer } = await fetch(post(`${ROOT}/openai/${path}`, body, TOKEN));
    await answer?.cancel();
    return status;
  };
  assertEquals(await native({ model: "gpt-4.1-mini", messages }), 200);
  assertEquals(await native({ model: "gpt-4.1", messages }), 200);
  assertEquals(await native({ model: "gpt-4.1-mini", messages }), 200);
  assertEquals(await native({ model: "gpt-4.1", messages }), 429);
  assertEquals(await native({ x: 1 }, "files"), 429);
});

const FAULTS: [limits: unknown, path: string, says: string][] = [
  [[{}], "gateways.prod.limits.0", "must have one of requests, tokens and open"],
  [[{ requests: 1, tokens: 1 }], "gateways.prod.limits.0", "must have one of requests, tokens and open"],
  [[{ requests: 1 }, { requests: 0 }], "gateways.prod.limits.1.requests", "at least 1"],
  [[{ requests: 1, seconds: 0 }], "gateways.prod.limits.0.seconds", "at least 1"],
  [[{ requests: 1, seconds: 2_678_401 }], "gateways.prod.limits.0.seconds", "at most 2678400"],
  [[{ open: 1, seconds: 60 }], "gateways.prod.limits.0", "must not have seconds or technique beside open"],
  [
    [{ open: 1, technique: "fixed" }],
    "gateways.prod.limits.0",
    "must not have seconds or technique beside open",
  ],
  [[{ requests: 1, technique: "bucket" }], "gateways.prod.limits.0.technique", "must be"],
  [[{ requests: 1, providers: ["nobody"] }], "gateways.prod.limits.0.providers", 'no provider "nobody"'],
  [[{ requests: 1, models: ["gpt"] }], "gateways.prod.limits.0.models", "gpt"],
  [[{ requests: 1, second: 1 }], "gateways.prod.limits.0.second", "did you mean seconds?"],
  [Array(21).fill({ requests: 1 }), "gateways.prod.limits", "must hold 20 limits at most"],
  [{ rpm: 0 }, "gateways.prod.limits.rpm", "at least 1"],
  [7, "gateways.prod.limits", "must be"],
];

for (const [limits, path, says] of FAULTS) {
  Deno.test(`limits of ${JSON.stringify(limits).slice(0, 60)} end the start, with the path of the fault`, () => {
    const gateways = { prod: { limits: limits as LimitRule[] } };
    const error = assertThrows(() => createGateway({ gateways, fetch: nothing.fetch }), TypeError);
    assertStringIncludes(error.message, `option ${path}`);
    assertStringIncludes(error.message, says);
  });
}
