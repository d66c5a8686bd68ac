/** The cache at every door: what takes part there, and what is replayed. */
import { assertEquals } from "@std/assert";
import { before, completion, message, messages, post, ROOT, STREAM } from "../../fakes.ts";
import { cacheStatus, read, twice } from "../../caches.ts";
import { CLIENTS } from "../../wires/matrix/clients.ts";
import { COLUMNS } from "../../wires/matrix/providers.ts";
import { rowOf } from "../../wires/matrix/scenarios.ts";
import { bytesOf, TEXT, typeOf } from "../../wires/shared.ts";

type Answer = Parameters<typeof before>[0];

const TTL = { cache: { ttl: 3600 } };
const REST = "http://gateway.test/client/v4/accounts/acct/ai";

// ---------------------------------------------------------------- client wires

for (const client of CLIENTS) {
  for (const { name, model, fake } of COLUMNS) {
    // OpenAI answers Responses itself.
    if (client.wire === "responses" && name === "OpenAI chat") continue;
    Deno.test(`${client.name} from ${name}: a cached answer has the same bytes and is read alike, whole and streamed`, async () => {
      for (const stream of [true, false]) {
        const { fetch, sent } = before(
          () =>
            stream
              ? new Response(bytesOf(fake, fake.stream(TEXT)), { headers: { "content-type": typeOf(fake) } })
              : Response.json(fake.whole(TEXT)),
          TTL,
        );
        const bodies: string[] = [];
        const statuses: unknown[] = [];
        const through = async (request: Request) => {
          const answer = await fetch(request);
          statuses.push(cacheStatus(answer));
          const text = await answer.text();
          bodies.push(text);
          return new Response(text, answer);
        };
        const body = client.body(model, rowOf("text").ask, []);
        const seen = [await client.send(through, body, stream), await client.send(through, body, stream)];
        assertEquals(statuses, ["MISS", "HIT"]);
        assertEquals(bodies[1], bodies[0]);
        assertEquals(seen[1], seen[0]);
        assertEquals(sent.length, 1);
      }
    });
  }
}

// ---------------------------------------------------------------- other doors

const embedding = () =>
  Response.json({
    object: "list",
    model: "text-embedding-3-small",
    data: [{ object: "embedding", index: 0, embedding: [0.5] }],
    usage: { prompt_tokens: 1, total_tokens: 1 },
  });

const STEP = {
  provider: "openai",
  endpoint: "chat/completions",
  headers: { authorization: "Bearer sk-1" },
  query: { model: "gpt-4.1", messages },
};

const EMBED = { model: "openai/text-embedding-3-small", input: "Hello" };

/** Requests that take part at doors other than those of the client wires, each with its answer. */
const DOORS: Record<string, [() => Request, Answer]> = {
  "embeddings": [() => post(`${ROOT}/compat/embeddings`, EMBED), embedding],
  "embeddings that are translated": [
    () => post(`${ROOT}/compat/embeddings`, { model: "google-ai-studio/gemini-embedding-001", input: "a" }),
    () => Response.json({ embeddings: [{ values: [0.5] }] }),
  ],
  "completions": [
    () => post("http://gateway.test/v1/completions", { model: "openai/gpt-3.5-turbo-instruct", prompt: "a" }),
    () =>
      Response.json({ id: "c", object: "text_completion", choices: [{ text: "b", finish_reason: "stop" }] }),
  ],
  "rerank": [
    () =>
      post("http://gateway.test/v1/rerank", { model: "cohere/rerank-v3.5", query: "a", documents: ["b"] }),
    () => Response.json({ results: [{ index: 0, relevance_score: 1 }] }),
  ],
  "run": [
    () => post(`${REST}/run`, { model: "openai/gpt-4.1", input: { messages } }),
    () => completion(),
  ],
  "run of Workers AI": [
    () => post(`${REST}/run`, { model: "@cf/meta/llama-3.1-8b-instruct", input: { prompt: "a" } }),
    () => Response.json({ result: { response: "b" }, success: true, errors: [], messages: [] }),
  ],
  "universal": [() => post(ROOT, [STEP]), () => completion()],
  "universal, one step": [() => post(ROOT, STEP), () => completion()],
  "universal, compat": [
    () =>
      post(ROOT, [{
        provider: "compat",
        endpoint: "chat/completions",
        query: { model: "groq/m", messages },
      }]),
    () => completion(),
  ],
  "universal, compat embeddings": [
    () => post(ROOT, [{ provider: "compat", endpoint: "embeddings", query: EMBED }]),
    embedding,
  ],
  "native chat": [
    () => post(`${ROOT}/openai/chat/completions`, { model: "m", messages }),
    () => completion(),
  ],
  "native Messages": [
    () => post(`${ROOT}/anthropic/v1/messages`, { model: "m", max_tokens: 5, messages }),
    () => message(),
  ],
  "native embeddings": [() => post(`${ROOT}/openai/embeddings`, { model: "m", input: "a" }), embedding],
  "native speech": [
    () => post(`${ROOT}/openai/audio/speech`, { model: "tts-1", input: "a", voice: "alloy" }),
    () => new Response(new Uint8Array([255, 0, 200]), { headers: { "content-type": "audio/mpeg" } }),
  ],
  "native Workers AI": [
    () => post(`${ROOT}/workers-ai/@cf/meta/llama-3.1-8b-instruct`, { prompt: "a" }),
    () => Response.json({ result: { response: "b" }, success: true, errors: [], messages: [] }),
  ],
  "a Workers AI stream in its own form": [
    () => post(`${ROOT}/workers-ai/run/@cf/meta/llama-3.1-8b-instruct`, { prompt: "a", stream: true }),
    () =>
      new Response('data: {"response":"b"}\n\ndata: [DONE]\n\n', {
        headers: { "content-type": "text/event-stream" },
      }),
  ],
  "native, a long body": [
    () => post(`${ROOT}/openai/chat/completions`, { model: "m", messages, user: "x".repeat(300_000) }),
    () => completion(),
  ],
  "native stream": [
    () => post(`${ROOT}/openai/chat/completions`, { model: "m", messages, stream: true }),
    () => new Response(STREAM.join(""), { headers: { "content-type": "text/event-stream" } }),
  ],
};

for (const [door, [request, answer]] of Object.entries(DOORS)) {
  Deno.test(`${door}: an equal request gets the same bytes from the cache`, async () => {
    const { fetch, sent } = before(answer, TTL);
    const bodies: Uint8Array[] = [];
    const answers: Response[] = [];
    for (let at = 0; at < 2; at++) {
      const response = await fetch(request());
      answers.push(response);
      bodies.push(new Uint8Array(await response.arrayBuffer()));
    }
    assertEquals([answers.map(({ status }) => status), answers.map(cacheStatus)], [[200, 200], [
      "MISS",
      "HIT",
    ]]);
    assertEquals(bodies[1], bodies[0]);
    for (const name of ["content-type", "x-content-type-options"]) {
      assertEquals(answers[1].headers.get(name), answers[0].headers.get(name), name);
    }
    assertEquals(sent.length, 1);
  });
}

/** Requests that never take part, each with the status of its answer. */
const NEVER: Record<string, [() => Request, Answer?]> = {
  "a GET": [() => new Request(`${ROOT}/openai/models/gpt-4.1`)],
  "a GET with a key": [
    () => new Request(`${ROOT}/openai/chat/completions/c1`, { headers: { "cf-aig-cache-key": "k" } }),
  ],
  "a PUT with a key": [
    () =>
      new Request(`${ROOT}/openai/vector_stores/v`, {
        method: "PUT",
        headers: { "cf-aig-cache-key": "k" },
        body: "{}",
      }),
  ],
  "a stored response": [
    () => post("http://gateway.test/v1/responses", { model: "openai/m", input: "a", store: true }),
  ],
  "a stored response on the native path": [
    () => post(`${ROOT}/openai/responses`, { model: "m", input: "a", store: true }),
  ],
  "a response in the background": [
    () => post(`${ROOT}/openai/responses`, { model: "m", input: "a", background: true }),
  ],
  "a response that continues another": [
    () => post(`${ROOT}/openai/responses`, { model: "m", input: "a", previous_response_id: "resp_1" }),
  ],
  "a response in a conversation": [
    () => post(`${ROOT}/openai/responses`, { model: "m", input: "a", conversation: "conv_1" }),
  ],
  "a stored response in a universal step": [
    () => post(ROOT, [{ provider: "openai", endpoint: "responses", query: { model: "m", store: true } }]),
  ],
  "a batch": [() => post(`${ROOT}/openai/batches`, { input_file_id: "f" })],
  "a file": [() => new Request(`${ROOT}/openai/files`, { method: "POST", body: new FormData() })],
  "a message of a thread": [() => post(`${ROOT}/openai/threads/t/messages`, { role: "user", content: "a" })],
  "a prediction": [() => post(`${ROOT}/replicate/predictions`, { input: {} })],
};

for (const [what, [request]] of Object.entries(NEVER)) {
  Deno.test(`${what} takes no part in caching`, async () => {
    const { fetch, sent } = before(({ url }) => url.endsWith("/responses") ? answered() : completion(), TTL);
    const answers = await twice(fetch, request);
    assertEquals(answers.map(cacheStatus), [null, null]);
    assertEquals(sent.length, 2);
  });
}

const answered = () =>
  Response.json({
    id: "resp_1",
    object: "response",
    created_at: 1,
    model: "m",
    status: "completed",
    output: [{
      id: "msg_1",
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: "Hi", annotations: [] }],
    }],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  });

Deno.test("with a key of its own any POST to a provider's path takes part, but GETs never do", async () => {
  const { fetch, sent } = before(() => Response.json({ id: "x" }), {});
  const answers = await twice(
    fetch,
    () => post(`${ROOT}/openai/images/edits`, "not JSON", { "cf-aig-cache-key": "k", "content-type": "x/y" }),
  );
  assertEquals([answers.map(cacheStatus), sent.length], [["MISS", "HIT"], 1]);
});

Deno.test("on a provider's path a key keeps streams and whole answers apart, and the query too", async () => {
  const { fetch, sent } = before(
    ({ body }) =>
      body.includes('"stream":true')
        ? new Response(STREAM.join(""), { headers: { "content-type": "text/event-stream" } })
        : completion(),
    {},
  );
  const key = { "cf-aig-cache-key": "k" };
  const path = `${ROOT}/openai/chat/completions`;
  await read(fetch(post(path, { model: "m", messages }, key)));
  for (
    const other of [post(path, { model: "m", messages, stream: true }, key), post(`${path}?a=1`, {}, key)]
  ) {
    const answer = await fetch(other);
    await answer.text();
    assertEquals(cacheStatus(answer), "MISS");
  }
  assertEquals(sent.length, 3);
});

// ---------------------------------------------------------------- universal steps

Deno.test("a universal step's own headers say how it takes part, and win over the request's", async () => {
  const cases: [Record<string, string>, Record<string, unknown>, (string | null)[]][] = [
    [{}, { "cf-aig-cache-key": "k" }, ["MISS", "HIT"]],
    [{ "cf-aig-cache-key": "k" }, {}, ["MISS", "HIT"]],
    [{ "cf-aig-cache-key": "k" }, { "CF-AIG-Skip-Cache": true }, [null, null]],
    [{ "cf-aig-cache-key": "k" }, { "cf-aig-cache-ttl": 0 }, [null, null]],
    [{}, { "cf-aig-cache-ttl": 600 }, [null, null]],
  ];
  for (const [headers, own, statuses] of cases) {
    const { fetch } = before(() => completion());
    const answers = await twice(
      fetch,
      () => post(ROOT, [{ ...STEP, headers: { ...STEP.headers, ...own } }], headers),
    );
    assertEquals(answers.map(cacheStatus), statuses, JSON.stringify([headers, own]));
  }
});

Deno.test("metadata, ids, timeouts and the written form of a universal request are no part of its key", async () => {
  const { fetch, sent } = before(() => completion(), TTL);
  await read(
    fetch(post(ROOT, [{ ...STEP, headers: { ...STEP.headers, "cf-aig-metadata": { user: "a" } } }])),
  );
  const other = {
    config: { requestTimeout: 5000, maxAttempts: 2 },
    ...STEP,
    headers: { Authorization: "Bearer sk-1", "cf-aig-metadata": { user: "b" }, "cf-aig-event-id": "e2" },
  };
  const answer = await fetch(post(ROOT, other));
  await answer.text();
  assertEquals([cacheStatus(answer), answer.headers.get("cf-aig-event-id"), sent.length], ["HIT", "e2", 1]);
});

Deno.test("two keys in steps, or two second steps, are two requests", async () => {
  const { fetch } = before(() => completion(), TTL);
  const second = { ...STEP, provider: "groq" };
  const requests = [
    [STEP],
    [{ ...STEP, headers: { authorization: "Bearer sk-2" } }],
    [{ ...STEP, authorization: "Bearer sk-3", headers: {} }],
    [STEP, second],
    [STEP, { ...second, query: { ...second.query, temperature: 1 } }],
    [STEP, { ...second, headers: { authorization: "Bearer sk-2" } }],
  ];
  for (const steps of requests) {
    const answer = await fetch(post(ROOT, steps));
    await answer.text();
    assertEquals(cacheStatus(answer), "MISS", JSON.stringify(steps));
  }
});

Deno.test("the answer of a step that takes no part is not kept", async () => {
  const { fetch, sent } = before(
    ({ url }) => url.includes("groq") ? completion() : Response.json({}, { status: 500 }),
    TTL,
  );
  const steps = [STEP, { ...STEP, provider: "groq", headers: { "cf-aig-skip-cache": true } }];
  const answers = await twice(fetch, () => post(ROOT, steps));
  assertEquals([answers.map(cacheStatus), sent.length], [["MISS", "MISS"], 4]);
});

Deno.test("the step with the shorter time decides how long an answer is kept", async () => {
  let at = Date.UTC(2026, 10, 24);
  const { fetch } = before(
    ({ url }) => url.includes("groq") ? completion() : Response.json({}, { status: 500 }),
    {
      now: () => at,
    },
  );
  const key = (ttl: number) => ({ "cf-aig-cache-key": "k", "cf-aig-cache-ttl": ttl });
  for (const [one, other] of [[60, 600], [600, 60]]) {
    const steps = [{ ...STEP, headers: key(one) }, { ...STEP, provider: "groq", headers: key(other) }];
    const answers = await twice(fetch, () => post(ROOT, steps));
    assertEquals(answers.map(cacheStatus), ["MISS", "HIT"]);
    at += 60_000;
    const late = await fetch(post(ROOT, steps));
    await late.text();
    assertEquals(cacheStatus(late), "MISS");
    at += 600_000;
  }
});
