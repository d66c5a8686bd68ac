import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { type Counters, memoryCounters } from "../../../gateway/stores/counters.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import type { TokenLimits } from "../../../gateway/policies/token_limits.ts";
import {
  ask,
  before,
  chunk,
  clock,
  completion,
  events,
  message,
  messages,
  network,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";

const TOKEN = { authorization: "Bearer metered-token" };
const KEYS = { openai: "sk-stored", anthropic: "sk-ant-stored" };

/** A gateway with one token that has limits, and one without. */
function limited(
  limits: TokenLimits,
  answer: Parameters<typeof before>[0] = () => completion(),
  more: Options = {},
) {
  const time = clock();
  const tokens = [{ token: "metered-token", name: "team", limits }, "free-token"];
  return { ...before(answer, { keys: KEYS, tokens, ...time.options, ...more }), pass: time.pass };
}

const usage = (tokens: number) =>
  completion().json().then((body) =>
    Response.json({ ...body, usage: { prompt_tokens: tokens, completion_tokens: 0 } })
  );

async function status(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

Deno.test("rpm: the request over the limit is refused, with the wait, and is not sent", async () => {
  const { fetch, sent } = limited({ rpm: 2 });
  const first = await fetch(ask("openai/gpt-4.1", TOKEN));
  assertEquals(first.headers.get("ratelimit-policy"), '"rpm";q=2;w=60');
  assertEquals(first.headers.get("ratelimit"), '"rpm";r=1;t=60');
  await first.text();
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN))), 200);
  const third = await fetch(ask("openai/gpt-4.1", TOKEN));
  assertEquals(third.status, 429);
  assertEquals(third.headers.get("ratelimit"), '"rpm";r=0;t=60');
  assertEquals(third.headers.get("retry-after"), "90");
  const { error } = await third.json();
  assertEquals(error.code, "2003");
  assertEquals(error.type, "rate_limit_error");
  assertStringIncludes(error.message, "its gateway token may send 2 requests in a minute; try again in 90 s");
  assertEquals(sent.length, 2);
  assertEquals(await status(fetch(ask("openai/gpt-4.1", { authorization: "Bearer free-token" }))), 200);
});

Deno.test("rpm: the minute slides, and the wait that is told is the least that helps", async () => {
  const { fetch, pass } = limited({ rpm: 4 });
  const send = () => status(fetch(ask("openai/gpt-4.1", TOKEN)));
  for (let n = 0; n < 4; n++) assertEquals(await send(), 200);
  // Half a minute into the next minute, two of the four still count.
  pass(60_000 + 30_000);
  assertEquals([await send(), await send()], [200, 200]);
  const refused = await fetch(ask("openai/gpt-4.1", TOKEN));
  assertEquals(refused.status, 429);
  await refused.text();
  const wait = Number(refused.headers.get("retry-after"));
  assertEquals(wait, 15);
  pass((wait - 1) * 1000);
  assertEquals(await send(), 429);
  pass(1000);
  assertEquals(await send(), 200);
});

Deno.test("a request counts once, whatever is tried for it", async () => {
  let failures = 3;
  const { fetch, sent } = limited({ rpm: 2 }, () => failures-- > 0 ? refusal(503) : completion(), {
    retries: { maxAttempts: 4, retryDelayMs: 1 },
  });
  const headers = { ...TOKEN, "sluice-fallback": "anthropic/claude-sonnet-4-5" };
  assertEquals(await status(fetch(ask("openai/gpt-4.1", headers))), 200);
  assertEquals(sent.length, 4);
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN))), 200);
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN))), 429);
});

const DOORS: Record<string, () => Request> = {
  "chat": () => ask("openai/gpt-4.1", TOKEN),
  "Messages": () =>
    post(`${ROOT}/compat/messages`, { model: "openai/gpt-4.1", max_tokens: 9, messages }, TOKEN),
  "Responses": () =>
    post(`${ROOT}/compat/responses`, { model: "anthropic/claude-sonnet-4-5", input: "Hi" }, TOKEN),
  "embeddings": () =>
    post(`${ROOT}/compat/embeddings`, { model: "openai/text-embedding-3-small", input: "Hi" }, TOKEN),
  "universal": () =>
    post(ROOT, [{
      provider: "openai",
      endpoint: "chat/completions",
      headers: {},
      query: { model: "m", messages },
    }], {
      "cf-aig-authorization": "Bearer metered-token",
    }),
  "native": () => post(`${ROOT}/openai/chat/completions`, { model: "m", messages }, TOKEN),
  "native, another path": () => new Request(`${ROOT}/openai/models`, { headers: TOKEN }),
  "completions": () => post("http://gateway.test/v1/completions", { model: "openai/m", prompt: "Hi" }, TOKEN),
};

for (const [door, request] of Object.entries(DOORS)) {
  Deno.test(`limits hold at the door ${door}`, async () => {
    const { fetch, sent } = limited(
      { rpm: 1 },
      ({ url }) => url.includes("anthropic") ? message() : completion(),
    );
    await status(fetch(ask("openai/gpt-4.1", TOKEN)));
    const response = await fetch(request());
    assertEquals(response.status, 429);
    assert(Number(response.headers.get("retry-after")) > 0);
    const text = await response.text();
    assertStringIncludes(text, "may send 1 requests in a minute");
    assertEquals(sent.length, 1);
  });
}

Deno.test("open: requests at once are limited, and each frees its place when it ends", async () => {
  const { promise: later, resolve: end } = Promise.withResolvers<void>();
  const { fetch } = limited({ open: 2 }, () => events(...STREAM.slice(0, 2), later, ...STREAM.slice(2)));
  const first = await fetch(ask("openai/gpt-4.1", TOKEN, { stream: true }));
  const second = await fetch(ask("openai/gpt-4.1", TOKEN, { stream: true }));
  const third = await fetch(ask("openai/gpt-4.1", TOKEN, { stream: true }));
  assertEquals([first.status, second.status, third.status], [200, 200, 429]);
  assertStringIncludes(await third.text(), "may have 2 requests at once");
  assertEquals(third.headers.get("retry-after"), "1");
  assertEquals(third.headers.get("ratelimit"), null);
  // A client that leaves frees its place as one whose answer ends.
  await second.body!.cancel();
  const fourth = await fetch(ask("openai/gpt-4.1", TOKEN, { stream: true }));
  assertEquals(fourth.status, 200);
  end();
  await Promise.all([first.text(), fourth.text()]);
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN))), 200);
});

Deno.test("open: a request that fails frees its place", async () => {
  const { fetch } = limited({ open: 1 }, (_, at) => {
    if (at === 0) throw new TypeError("no route");
    return at === 1 ? refusal(400) : completion();
  });
  const send = () => status(fetch(ask("openai/gpt-4.1", TOKEN)));
  assertEquals([await send(), await send(), await send(), await send()], [502, 400, 200, 200]);
  assertEquals(await status(fetch(ask("openai/", TOKEN))), 400);
  assertEquals(await send(), 200);
});

Deno.test("open: places that nobody freed are free again after half an hour", async () => {
  const { fetch, pass } = limited({ open: 1 }, () => events(...STREAM.slice(0, 2), new Promise(() => {})));
  const lost = await fetch(ask("openai/gpt-4.1", TOKEN, { stream: true }));
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN))), 429);
  pass(30 * 60_000);
  const next = await fetch(ask("openai/gpt-4.1", TOKEN, { stream: true }));
  assertEquals(next.status, 200);
  await Promise.all([lost.body!.cancel(), next.body!.cancel()]);
});

Deno.test("tpm: tokens count when an answer ends, and a request waits until one is left", async () => {
  const { fetch, pass } = limited({ tpm: 100 }, (_, at) => usage(at === 0 ? 60 : 50));
  const first = await fetch(ask("openai/gpt-4.1", TOKEN));
  assertEquals(first.headers.get("ratelimit-policy"), '"tpm";q=100;w=60');
  await first.text();
  const second = await fetch(ask("openai/gpt-4.1", TOKEN));
  assertEquals(second.headers.get("ratelimit"), '"tpm";r=40;t=60');
  await second.text();
  const third = await fetch(ask("openai/gpt-4.1", TOKEN));
  assertEquals(third.status, 429);
  assertStringIncludes(await third.text(), "may use 100 tokens in a minute");
  // 110 tokens were used; with 99 of them a request is admitted again, which is 6 s into the next minute.
  assertEquals(third.headers.get("retry-after"), "66");
  pass(66_000);
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN))), 200);
});

Deno.test("tpm: an answer that tells no usage is estimated", async () => {
  const { fetch } = limited(
    { tpm: 1000 },
    () => events(chunk({ content: "x".repeat(4000) }), ...STREAM.slice(1)),
  );
  const { fetch: translated } = limited({ tpm: 1000 }, async () => {
    const { usage: _, ...body } = await message("x".repeat(4000)).json();
    return Response.json(body);
  });
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN, { stream: true })).then(read)), 200);
  assertEquals(await status(fetch(ask("openai/gpt-4.1", TOKEN))), 429);
  assertEquals(await status(translated(ask("anthropic/claude-sonnet-4-5", TOKEN)).then(read)), 200);
  assertEquals(await status(translated(ask("anthropic/claude-sonnet-4-5", TOKEN))), 429);
});

const read = async (response: Response) => new Response(await response.text(), response);

Deno.test("tpm: a refused request takes no tokens", async () => {
  const { fetch } = limited({ tpm: 1 }, (_, at) => at < 3 ? refusal(500) : completion());
  const send = () => status(fetch(ask("openai/gpt-4.1", TOKEN)));
  assertEquals([await send(), await send(), await send(), await send(), await send()], [
    500,
    500,
    500,
    200,
    429,
  ]);
});

Deno.test("of 120 requests at once against a limit of 100, 100 are admitted", async () => {
  const { fetch, sent } = limited({ rpm: 100, tpm: 1_000_000, open: 500 });
  const all = await Promise.all(
    Array.from({ length: 120 }, () => status(fetch(ask("openai/gpt-4.1", TOKEN)))),
  );
  assertEquals([all.filter((one) => one === 200).length, all.filter((one) => one === 429).length], [100, 20]);
  assertEquals(sent.length, 100);
});

Deno.test("a refused request has a row, with the token's name", async () => {
  const rows: LogEntry[] = [];
  const { fetch } = limited({ rpm: 1 }, undefined, { log: (row) => void rows.push(row) });
  await status(fetch(ask("openai/gpt-4.1", TOKEN)));
  await status(fetch(ask("openai/gpt-4.1", TOKEN)));
  const refused = rows.find(({ status }) => status === 429)!;
  assertEquals([refused.token, refused.provider, refused.tries], ["team", "openai", 0]);
});

Deno.test("requests of the program itself, and of tokens without limits, are not limited", async () => {
  const { call } = limited({ rpm: 1 });
  for (let n = 0; n < 3; n++) assertEquals(await status(call(ask("openai/gpt-4.1"))), 200);
});

for (const [name, value] of Object.entries({ rpm: 0, tpm: 1.5, open: -1, tps: 5 })) {
  Deno.test(`limits of {${name}: ${value}} end the start, with the path of the fault`, () => {
    const tokens = [{ token: "metered-token", limits: { [name]: value } }];
    const error = assertThrows(
      () => createGateway({ tokens, fetch: network(() => completion()).fetch }),
      TypeError,
    );
    assertStringIncludes(error.message, "tokens.0");
  });
}

Deno.test("a request that a store refuses, though its sums are below the limits, waits a second and is counted", async () => {
  const counters: Counters = { take: (_, rules = []) => ({ ok: false, sums: rules.map(() => 0) }) };
  const adminToken = "operator-0123456789";
  const { fetch, sent } = limited({ rpm: 2, open: 1 }, undefined, { store: { counters }, adminToken });
  const response = await fetch(ask("openai/gpt-4.1", TOKEN));
  assertStringIncludes(await response.text(), "has just reached one of its limits; try again in 1 s");
  assertEquals([response.status, response.headers.get("retry-after"), sent.length], [429, "1", 0]);
  const headers = { authorization: `Bearer ${adminToken}` };
  const metrics = await fetch(new Request("http://gateway.test/metrics", { headers }));
  assertStringIncludes(await metrics.text(), 'sluice_limited_total{rule="rpm"} 1');
});

Deno.test("of several limits that are reached the one is told that must be waited for longest", async () => {
  for (
    const [limits, wait, says] of [
      [{ rpm: 2, open: 2 }, "90", "may send 2 requests in a minute"],
      [{ rpm: 2, tpm: 150 }, "90", "may send 2 requests in a minute"],
      [{ rpm: 2, tpm: 10 }, "118", "may use 10 tokens in a minute"],
    ] as const
  ) {
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const counted = new Map<string, { value: number; until: number }>();
    const counters = memoryCounters(clock().options.now, counted);
    const answer = async () => {
      await end;
      return await usage(100);
    };
    const { fetch } = limited(limits, answer, { store: { counters } });
    const running = [1, 2].map(async () => await (await fetch(ask("openai/gpt-4.1", TOKEN))).text());
    if ("tpm" in limits) {
      resolve();
      await Promise.all(running);
    }
    // Both requests have been counted, or both with their tokens.
    const sum = "tpm" in limits ? 200 : 2;
    const isCounted = () => [...counted.values()].some(({ value }) => value === sum);
    for (let turn = 0; turn < 1000 && !isCounted(); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const response = await fetch(ask("openai/gpt-4.1", TOKEN));
    assertStringIncludes(await response.text(), says);
    assertEquals([response.status, response.headers.get("retry-after")], [429, wait]);
    resolve();
    await Promise.all(running);
  }
});
