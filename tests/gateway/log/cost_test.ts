import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, chunk, completion, events, message, pieces, post, refusal, ROOT } from "../../fakes.ts";

type Answer = Parameters<typeof before>[0];

/** A gateway with the option `log`, whose rows are in `rows`. */
function scene(answer: Answer, options: Options = {}) {
  const rows: LogEntry[] = [];
  return { ...before(answer, { logs: true, log: (row) => void rows.push(row), ...options }), rows };
}

const withUsage = (usage: object, more: object = {}) =>
  Response.json({
    id: "x",
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, ...usage },
    ...more,
  });

Deno.test("sluice-cost has the estimate for a whole answer on any wire, and is unknown without a price", async () => {
  const { fetch } = scene(({ url }) => url.includes("anthropic") ? message() : completion());
  const cost = async (request: Request) => (await fetch(request)).headers.get("sluice-cost");
  assertEquals(await cost(ask("openai/gpt-4o")), "0.0000125; estimate; price=table");
  assertEquals(await cost(ask("anthropic/claude-opus-5-5")), "0.000024; estimate; price=table");
  assertEquals(await cost(ask("openai/no-such-model")), "unknown");
  assertEquals(
    await cost(ask("openai/gpt-4o", { "cf-aig-custom-cost": '{"total_cost":10}' })),
    "10; estimate; price=header",
  );
  assertEquals(
    await cost(ask("openai/gpt-4o", { "cf-aig-collect-log": "false" })),
    "0.0000125; estimate; price=table",
  );
  const native = scene(() => withUsage({}, { model: "gpt-4o" }));
  const answer = await native.fetch(
    post(`${ROOT}/openai/chat/completions`, { model: "gpt-4o", messages: [] }),
  );
  assertEquals(answer.headers.get("sluice-cost"), "0.0000125; estimate; price=table");
});

Deno.test("sluice-cost is absent for a stream, an error, or a gateway without prices", async () => {
  const { fetch } = scene((_, at) =>
    at === 0 ? events(chunk({ content: "Hi" }), "data: [DONE]\n\n") : refusal(500)
  );
  assertEquals((await fetch(ask("openai/gpt-4o", {}, { stream: true }))).headers.get("sluice-cost"), null);
  assertEquals((await fetch(ask("openai/gpt-4o"))).headers.get("sluice-cost"), null);
  const plain = before(() => completion(), { log: () => {} });
  assertEquals((await plain.fetch(ask("openai/gpt-4o"))).headers.get("sluice-cost"), null);
});

Deno.test("an answer that begins with blanks, or is long, is passed on as it comes, without its cost", async () => {
  const text = await completion().text();
  let go = () => {};
  const gate = new Promise<void>((resolve) => go = resolve);
  const slow = scene(() =>
    new Response(pieces("\n", gate, text), {
      headers: { "content-type": "application/json", "content-length": `${text.length + 1}` },
    })
  );
  const answer = await slow.fetch(ask("openai/gpt-4o"));
  go();
  assertEquals(answer.headers.get("sluice-cost"), null);
  assertEquals((await answer.json()).choices[0].message.content, "Hi");
  assertEquals(slow.rows[0].cost, 0.0000125);

  const long = "x".repeat(2 ** 20);
  const { fetch } = scene(() => completion(long));
  const whole = await fetch(ask("openai/gpt-4o"));
  assertEquals(whole.headers.get("sluice-cost"), null);
  assertEquals((await whole.json()).choices[0].message.content, long);
});

Deno.test("an answer that breaks while its cost is waited for breaks for the client too", async () => {
  const headers = { "content-type": "application/json", "content-length": "600" };
  const { fetch, rows } = scene(() =>
    new Response(pieces('{"id":"x","choices":[', new Error("cut")), { headers })
  );
  const answer = await fetch(ask("openai/gpt-4o"));
  await assertRejects(() => answer.text());
  assertEquals([rows.length, rows[0].level], [1, "error"]);
});

Deno.test("the provider's own cost wins over the estimate, and the row names the source", async () => {
  const cases: [usage: object, cost: number, price: string][] = [
    [{ cost: 0.0025 }, 0.0025, "provider"],
    [{ cost: 0 }, 0, "provider"],
    [{ cost: 0.95, is_byok: true, cost_details: { upstream_inference_cost: 19 } }, 19.95, "provider"],
    [{ cost: 0.95, is_byok: false, cost_details: { upstream_inference_cost: 0.95 } }, 0.95, "provider"],
    [{ cost: { request_cost: 0.005, total_cost: 0.0051 } }, 0.0051, "provider"],
    [{ cost: { currency: "EUR", total_cost: 1 } }, 0.0000125, "table"],
    [{ cost_in_usd_ticks: 1615400 }, 0.00016154, "provider"],
    [{ estimated_cost: 0.5 }, 0.5, "provider"],
    [{ cost: "0.5" }, 0.0000125, "table"],
    [{ cost: -1 }, 0.0000125, "table"],
    [{ cost: null }, 0.0000125, "table"],
    [{}, 0.0000125, "table"],
  ];
  for (const [usage, cost, price] of cases) {
    const { fetch, rows } = scene(() => withUsage(usage));
    const answer = await fetch(ask("openai/gpt-4o"));
    await answer.text();
    assertEquals([rows[0].cost, rows[0].price], [cost, price], JSON.stringify(usage));
    assertEquals(answer.headers.get("sluice-cost")!.includes("estimate"), price !== "provider");
  }
  const custom = scene(() => withUsage({ cost: 3 }));
  await (await custom.fetch(ask("openai/gpt-4o", { "cf-aig-custom-cost": '{"total_cost":7}' }))).text();
  assertEquals([custom.rows[0].cost, custom.rows[0].price], [7, "header"]);
});

Deno.test("a stream, Responses and embeddings tell the provider's cost too", async () => {
  const usage = { input_tokens: 4, output_tokens: 1, total_tokens: 5, cost: 0.002196, is_byok: false };
  const { fetch, rows } = scene(({ url, body }) =>
    url.endsWith("/embeddings")
      ? Response.json({
        data: [{ embedding: [0], index: 0 }],
        model: "m",
        usage: { prompt_tokens: 3, total_tokens: 3, cost: { currency: "USD", total_cost: 1.2e-8 } },
      })
      : url.endsWith("/responses")
      ? Response.json({ id: "r", object: "response", status: "completed", model: "m", output: [], usage })
      : body.includes("stream")
      ? events(
        chunk({ content: "Hi" }, "stop"),
        `data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.5}}\n\n`,
        "data: [DONE]\n\n",
      )
      : completion()
  );
  for (
    const request of [
      ask("openrouter/a/b", {}, { stream: true }),
      post(`${ROOT}/compat/responses`, { model: "openrouter/a/b", input: "Hi" }),
      post(`${ROOT}/compat/embeddings`, { model: "openrouter/a/b", input: "Hi" }),
    ]
  ) await (await fetch(request)).text();
  assertEquals(rows.map(({ cost, price }) => [cost, price]), [
    [0.5, "provider"],
    [0.002196, "provider"],
    [1.2e-8, "provider"],
  ]);
});

Deno.test("a row has the name of the gateway token, never the token itself", async () => {
  const tokens = ["secret-token-1", { token: "secret-token-2", name: "team a" }, "secret-token-3"];
  const { fetch, rows } = scene(() => completion(), { tokens, keys: { openai: "sk-1" } });
  for (const token of ["secret-token-1", "secret-token-2", "secret-token-1", "secret-token-3", "wrong"]) {
    await (await fetch(ask("openai/gpt-4o", { "cf-aig-authorization": `Bearer ${token}` }))).text();
  }
  const [first, second, again, third, wrong] = rows.map(({ token }) => token);
  assert(/^[0-9a-f]{8}$/.test(first!));
  assertEquals([second, again, wrong], ["team a", first, undefined]);
  assert(third !== first);
  assert(!JSON.stringify(rows).includes("secret-token"));
});

Deno.test("a token's name that holds a token, or is another token's, is refused at start", () => {
  const start = (...tokens: Options["tokens"] & object) => () => before(() => completion(), { tokens });
  const cases: [Options["tokens"] & object, string][] = [
    [["abc", { token: "def", name: "my abc" }], "tokens.1.name: it holds a token"],
    [
      [{ token: "abc", name: "x" }, { token: "def", name: "x" }],
      "tokens.1.name: tokens.0 has the same name",
    ],
    [[{ token: "abc", name: "a\nb" }], "tokens.0.name"],
  ];
  for (const [tokens, message] of cases) {
    let told = "";
    try {
      start(...tokens)();
    } catch (error) {
      told = (error as Error).message;
    }
    assertStringIncludes(told, message);
  }
});

Deno.test("a row has each attempt with its status, and says if the client wants no bodies kept", async () => {
  const { fetch, rows } = scene((_, at) => at === 0 ? refusal(500) : completion(), {
    models: { best: ["openai/gpt-4o", "groq/llama"] },
  });
  await (await fetch(ask("best", { "cf-aig-collect-log-payload": "false" }))).text();
  const [{ attempts, payload, tries, requestType, responseType }] = rows;
  assertEquals(attempts?.map(({ provider, model, status }) => [provider, model, status]), [
    ["openai", "gpt-4o", 500],
    ["groq", "llama", 200],
  ]);
  assertEquals([payload, tries, requestType, responseType], [
    false,
    2,
    "application/json",
    "application/json",
  ]);
});

Deno.test("names of metadata with characters that headers cannot hold do not fail the request", async () => {
  const { fetch } = scene(() => completion());
  const header = '{"\\u65e5\\n":{},"a":1}';
  const answer = await fetch(ask("openai/gpt-4o", { "cf-aig-metadata": header }));
  assertEquals([answer.status, answer.headers.get("sluice-dropped")], [200, "cf-aig-metadata.%E6%97%A5%0A"]);
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`n${at}`, {}])));
  const dropped = (await fetch(ask("openai/gpt-4o", { "cf-aig-metadata": many }))).headers.get(
    "sluice-dropped",
  )!;
  assert(dropped.length < 2200);
  assertStringIncludes(dropped, "more");
});

Deno.test("a clock that jumps changes no duration, and no row is lost", async () => {
  let at = Date.UTC(2026, 10, 28);
  const real = Date.now;
  // Not the option `now`: with it, durations would use the same clock. `Date.now` is read when the gateway is made.
  Date.now = () => at;
  const { fetch, rows } = scene(() => completion());
  Date.now = real;
  for (const jump of [0, -86_400_000, 2 * 86_400_000]) {
    at += jump;
    await (await fetch(ask("openai/gpt-4o"))).text();
  }
  assertEquals(rows.map(({ time }) => time.slice(0, 10)), ["2026-11-28", "2026-11-27", "2026-11-29"]);
  assertEquals(new Set(rows.map(({ id }) => id)).size, 3);
  for (const { durationMs } of rows) assert(durationMs >= 0 && durationMs < 60_000);
});
