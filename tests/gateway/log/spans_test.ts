import { assert, assertEquals, assertMatch } from "@std/assert";
import { providerName } from "../../../gateway/log/gen_ai_names.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import { ask, before, chunk, completion, events, message, post, refusal, ROOT } from "../../fakes.ts";
import { readSpans, type Span } from "../../otlp.ts";

const COLLECTOR = "http://collector.test:4318/v1/traces";
const NOON = Date.UTC(2026, 10, 28, 12);

type Answer = Parameters<typeof before>[0];

/** A gateway before providers and a collector. The clock passes 100 ms with each request to a provider. */
function scene(answer: Answer = () => completion(), options: Options = {}) {
  let at = NOON, turn = 0;
  const bodies: string[] = [];
  const gateway = before((sent) => {
    if (sent.url !== COLLECTOR) {
      at += 100;
      return answer(sent, turn++);
    }
    bodies.push(sent.body);
    return Response.json({});
  }, { otel: { url: COLLECTOR }, now: () => at, wait: () => Promise.resolve(), ...options });
  return {
    ...gateway,
    bodies,
    pass: (ms: number) => void (at += ms),
    /** The spans of one request, sent and read. */
    async spans(request: Request): Promise<{ spans: Span[]; response: Response; resource: object }> {
      const response = await gateway.fetch(request);
      await response.text();
      await new Promise((resolve) => setTimeout(resolve, 0));
      await gateway.close();
      const read = bodies.splice(0).map(readSpans);
      return { response, resource: read[0]?.resource, spans: read.flatMap(({ spans }) => spans) };
    },
  };
}

Deno.test("a request has a span with the names of the convention, and each attempt a span below it", async () => {
  const usage = {
    prompt_tokens: 1000,
    completion_tokens: 50,
    total_tokens: 1050,
    prompt_tokens_details: { cached_tokens: 400, audio_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 20 },
  };
  const { spans } = scene(() =>
    events(
      chunk({ content: "Hi" }),
      chunk({}, "length"),
      `data: ${JSON.stringify({ id: "chatcmpl-1", model: "m", choices: [], usage })}\n\n`,
      "data: [DONE]\n\n",
    ), {
    tokens: [{ token: "secret-token", name: "team a" }],
    prices: { "openai/gpt": { input: 1, output: 2 } },
  });
  const headers = {
    "cf-aig-authorization": "secret-token",
    authorization: "Bearer sk-1",
    "cf-aig-metadata": '{"langfuse.user.id": "u-1", "trial": true, "weight": 0.5, "count": 3}',
    "cf-aig-event-id": "event-1",
    "user-agent": "test/1",
  };
  const asked = {
    stream: true,
    max_completion_tokens: 99,
    temperature: 1,
    top_p: 0.5,
    seed: 7,
    n: 2,
    reasoning_effort: "low",
    stop: ["prompt"],
  };
  const { spans: [span, attempt, ...more], response, resource } = await spans(
    ask("openai/gpt", headers, asked),
  );
  assertEquals([resource, more], [{ "service.name": "sluice" }, []]);
  const id = response.headers.get("cf-aig-log-id")!;
  const { attributes, ...about } = span;
  assertEquals(about, {
    traceId: id.replaceAll("-", ""),
    spanId: id.replaceAll("-", "").slice(16),
    name: "chat gpt",
    kind: 3,
    startTimeUnixNano: `${NOON}000000`,
    endTimeUnixNano: `${NOON + 100}000000`,
    status: {},
  });
  assertEquals(attributes, {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt",
    "gen_ai.request.stream": true,
    "gen_ai.request.max_tokens": 99,
    "gen_ai.request.temperature": 1,
    "gen_ai.request.top_p": 0.5,
    "gen_ai.request.seed": 7,
    "gen_ai.request.choice.count": 2,
    "gen_ai.request.reasoning.level": "low",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "m",
    "gen_ai.response.finish_reasons": ["length"],
    "gen_ai.response.time_to_first_chunk": 0.1,
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 400,
    "gen_ai.usage.reasoning.output_tokens": 20,
    "gen_ai.usage.audio.input_tokens": 5,
    "gen_ai.usage.cost": 0.0011,
    "sluice.cost.source": "option",
    "sluice.log.id": id,
    "sluice.account": "acct",
    "sluice.gateway": "gw",
    "sluice.token": "team a",
    "sluice.event.id": "event-1",
    "sluice.tries": 1,
    "http.response.status_code": 200,
    "server.address": "api.openai.com",
    "server.port": 443,
    "url.path": "/v1/acct/gw/compat/chat/completions",
    "user_agent.original": "test/1",
    "langfuse.user.id": "u-1",
    trial: true,
    weight: 0.5,
    count: 3,
  });
  assertMatch(attempt.spanId, /^[\da-f]{16}$/);
  assertEquals({ ...attempt, spanId: "" }, {
    traceId: span.traceId,
    spanId: "",
    parentSpanId: span.spanId,
    name: "POST",
    kind: 3,
    startTimeUnixNano: `${NOON}000000`,
    endTimeUnixNano: `${NOON + 100}000000`,
    attributes: {
      "http.request.method": "POST",
      "http.response.status_code": 200,
      "server.address": "api.openai.com",
      "server.port": 443,
      "sluice.provider": "openai",
      "sluice.model": "gpt",
    },
    status: {},
  });
});

Deno.test("each attempt tells its status, its error and its time; the request tells the last one's", async () => {
  const { spans } = scene(({ url }, turn) => {
    if (url.includes("localhost")) return completion();
    if (turn === 1) throw new TypeError("connection refused");
    return refusal(503);
  }, {
    retries: { maxAttempts: 2, retryDelayMs: 1 },
    providers: { groq: { baseUrl: "http://localhost:1234" } },
  });
  const request = ask("openai/gpt", {}, { models: ["openai/gpt", "groq/llama"] });
  const { spans: [span, first, second, third] } = await spans(request);
  const told = [first, second, third].map(({ attributes, status, startTimeUnixNano, endTimeUnixNano }) => [
    attributes["http.response.status_code"],
    attributes["error.type"],
    attributes["http.request.resend_count"],
    attributes["server.address"],
    status.code,
    Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6,
  ]);
  assertEquals(told.slice(0, 2), [
    [503, "503", undefined, "api.openai.com", 2, 100],
    [undefined, "upstream_unreachable", 1, "api.openai.com", 2, 100],
  ]);
  assertEquals(third.attributes["server.port"], 1234);
  assertEquals([span.attributes["server.address"], span.attributes["sluice.tries"]], ["localhost", 3]);
});

Deno.test("a failed request's span has an error, with the gateway's own message or the provider's status", async () => {
  const refused = scene(() => refusal(429));
  const { spans: [theirs] } = await refused.spans(ask("openai/gpt"));
  assertEquals([theirs.status, theirs.attributes["error.type"]], [{ code: 2 }, "429"]);
  const { spans: [ours, ...none] } = await refused.spans(ask("nobody/gpt"));
  assertEquals([ours.status.code, ours.attributes["error.type"], none], [2, "unknown_provider", []]);
  assert(ours.status.message?.includes("nobody"));
  const late = scene(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    {
      requestTimeoutMs: 5,
    },
  );
  const { spans: [, attempt] } = await late.spans(ask("openai/gpt"));
  assertEquals(attempt.attributes["error.type"], "upstream_timeout");
});

Deno.test("a stream that breaks, or whose client leaves, has a span with that error", async () => {
  const broken = scene(() => events(chunk({ content: "Hi" }), new Error("gone")));
  const response = await broken.fetch(ask("openai/gpt", {}, { stream: true }));
  await response.text().catch(() => {});
  await broken.close();
  const { spans } = readSpans(broken.bodies[0]);
  assertEquals(spans.map(({ attributes, status }) => [attributes["error.type"], status.code]), [
    ["upstream_broke_off", 2],
    ["upstream_broke_off", 2],
  ]);
  const left = scene(() => events(chunk({ content: "Hi" }), new Promise(() => {})));
  const reader = (await left.fetch(ask("openai/gpt", {}, { stream: true }))).body!.getReader();
  await reader.read();
  await reader.cancel();
  await left.close();
  const [gone] = readSpans(left.bodies[0]).spans;
  assertEquals(gone.attributes["error.type"], "client_left");
});

Deno.test("spans hold no prompt, no answer, no key, no query, and nothing of a provider's message", async () => {
  const { fetch, close, bodies } = scene((_, at) => at === 0 ? completion("the answer") : refusal(400), {
    tokens: ["secret-token"],
    tokenRequired: false,
    keys: { "google-ai-studio": "AIza-stored" },
  });
  const own = { "cf-aig-authorization": "secret-token", authorization: "Bearer sk-client" };
  const secret = { messages: [{ role: "user", content: "the prompt" }], stop: "the stop", user: "the user" };
  await (await fetch(ask("openai/gpt", own, secret))).text();
  await (await fetch(ask("openai/gpt", own, secret))).text();
  const path = `${ROOT}/google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent?key=AIza-client`;
  await (await fetch(post(path, secret))).text();
  await (await fetch(post(path.replace(/\?.*/, ""), secret, { "cf-aig-authorization": "secret-token" })))
    .text();
  await close();
  const text = bodies.join("");
  assertEquals(bodies.flatMap((body) => readSpans(body).spans).length, 8);
  for (
    const word of [
      "the prompt",
      "the answer",
      "the stop",
      "the user",
      "secret-token",
      "sk-client",
      "AIza",
      "No: ",
    ]
  ) {
    assert(!text.includes(word), word);
  }
});

Deno.test("a client's metadata neither replaces an attribute nor takes a name of the convention", async () => {
  const { spans } = scene();
  const metadata = {
    "error.type": "x",
    "gen_ai.usage.cost": 9,
    "sluice.token": "y",
    "server.port": 1,
    team: "z",
  };
  const { spans: [span] } = await spans(ask("openai/gpt", { "cf-aig-metadata": JSON.stringify(metadata) }));
  assertEquals(Object.keys(metadata).map((name) => span.attributes[name]), [
    undefined,
    undefined,
    undefined,
    443,
    "z",
  ]);
});

Deno.test("odd values of metadata are told as the schema asks, and an empty header is not told", async () => {
  const { spans } = scene();
  const metadata = '{"a\\ud800": "b\\udfff", "huge": 1e300, "empty": "", "half": 0.5}';
  const { spans: [span] } = await spans(
    ask("openai/gpt", { "cf-aig-metadata": metadata, "user-agent": "", "cf-aig-event-id": "" }),
  );
  const { huge, empty, half } = span.attributes;
  assertEquals([span.attributes["a\ufffd"], huge, empty, half], ["b\ufffd", 1e300, "", 0.5]);
  assertEquals([span.attributes["user_agent.original"], span.attributes["sluice.event.id"]], [
    undefined,
    undefined,
  ]);
});

Deno.test("times have fractions of milliseconds, and the last attempt ends with the request", async () => {
  const slow = scene(
    () => {
      slow.pass(0.25);
      const late = Promise.resolve().then(() => slow.pass(50));
      return events(chunk({ content: "Hi" }), late, chunk({}, "stop"), "data: [DONE]\n\n");
    },
    { providers: { openai: { baseUrl: "http://127.0.0.1" } } },
  );
  const native = post(`${ROOT}/openai/chat/completions`, { model: "gpt", stream: true, messages: [] });
  const { spans: [span, attempt] } = await slow.spans(native);
  assertEquals(span.endTimeUnixNano, `${NOON + 150}250000`);
  assertEquals(attempt.endTimeUnixNano, span.endTimeUnixNano);
  assertEquals([attempt.attributes["server.port"], span.attributes["gen_ai.request.stream"]], [80, true]);
});

Deno.test("a long setting is cut, and a member that is not JSON does not stop a long body", async () => {
  const { spans } = scene();
  const { spans: [span] } = await spans(ask("openai/gpt", {}, { reasoning_effort: "x".repeat(1000) }));
  assertEquals(span.attributes["gen_ai.request.reasoning.level"], "x".repeat(200));
  const content = "x".repeat(300_000);
  const body =
    `{"model":"openai/gpt","temperature":1.2.3,"messages":[{"role":"user","content":"${content}"}]}`;
  const { response, spans: [long] } = await spans(post(`${ROOT}/compat/chat/completions`, body));
  assertEquals([response.status, long.attributes["gen_ai.request.temperature"]], [200, undefined]);
});

Deno.test("settings of a wrong type are not told, and do not stop a request", async () => {
  const { spans } = scene();
  const strange = { temperature: "hot", top_p: null, seed: 1.5, n: 1, reasoning: 5, max_tokens: 1e300 };
  const { spans: [span], response } = await spans(ask("openai/gpt", {}, strange));
  assertEquals(response.status, 200);
  const names = Object.keys(span.attributes).filter((name) => name.startsWith("gen_ai.request."));
  assertEquals(names, ["gen_ai.request.model"]);
});

Deno.test("the settings of Messages and of Responses are told too", async () => {
  const messages = scene(() => message());
  const claude = { model: "anthropic/claude", max_tokens: 64, messages: [{ role: "user", content: "Hi" }] };
  const { spans: [one] } = await messages.spans(
    post("http://gateway.test/v1/messages", { ...claude, top_k: 3, output_config: { effort: "high" } }),
  );
  assertEquals([
    one.attributes["gen_ai.request.max_tokens"],
    one.attributes["gen_ai.request.top_k"],
    one.attributes["gen_ai.request.reasoning.level"],
  ], [64, 3, "high"]);
  const responses = scene(() => refusal(400));
  const asked = {
    model: "openai/gpt",
    input: "Hi",
    max_output_tokens: 32,
    reasoning: { effort: "low" },
    conversation: { id: "conv_1" },
  };
  const { spans: [two] } = await responses.spans(post("http://gateway.test/v1/responses", asked));
  assertEquals([
    two.attributes["gen_ai.request.max_tokens"],
    two.attributes["gen_ai.request.reasoning.level"],
    two.attributes["gen_ai.conversation.id"],
  ], [32, "low", "conv_1"]);
});

Deno.test("only requests for models have spans, and only if their client does not forbid rows", async () => {
  const { spans } = scene();
  assertEquals((await spans(new Request("http://gateway.test/v1/models"))).spans, []);
  assertEquals((await spans(ask("openai/gpt", { "cf-aig-collect-log": "false" }))).spans, []);
  assertEquals((await spans(ask("openai/gpt", { "sluice-explain": "true" }))).spans, []);
  assertEquals((await spans(ask("openai/gpt"))).spans.length, 2);
});

Deno.test("a trace has at most twenty attempts", async () => {
  const { spans } = scene(() => refusal(500), { retries: { maxAttempts: 2, retryDelayMs: 1 } });
  const models = Array.from({ length: 20 }, (_, at) => `openai/m-${at}`);
  const { spans: all } = await spans(ask("openai/m-0", {}, { models }));
  assertEquals([all.length, Number(all[0].attributes["sluice.tries"]) > 20], [21, true]);
});

Deno.test("embeddings are told as such", async () => {
  const { spans } = scene(({ body }) => {
    const { input } = JSON.parse(body);
    const data = input.map((_: string, index: number) => ({ object: "embedding", index, embedding: [0] }));
    return Response.json({ object: "list", model: "e", data, usage: { prompt_tokens: 1, total_tokens: 1 } });
  });
  const input = ["a", "b"];
  const { spans: all } = await spans(
    post("http://gateway.test/v1/embeddings", { model: "cohere/embed-v4.0", input }),
  );
  assertEquals(all[0].attributes["gen_ai.operation.name"], "embeddings");
});

Deno.test("the convention's names of providers belong to rows", () => {
  const renamed = [...PROVIDERS.keys()].filter((name) => providerName(name) !== name);
  assertEquals(renamed.length, 10);
  assertEquals(providerName("azure-ai"), "azure.ai.inference");
  assertEquals(providerName("google-ai-studio"), "gcp.gemini");
});
