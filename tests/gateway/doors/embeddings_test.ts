import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PROVIDERS } from "../../../providers/table.ts";
import { answerStrictly, vectorFor } from "../../acceptance/strict_embeddings.ts";
import { before, clock, post, type Sent } from "../../fakes.ts";

const URL_OF = "http://gateway.test/v1/embeddings";

const ask = (body: unknown, headers: Record<string, string> = { authorization: "Bearer key" }) =>
  post(URL_OF, body, headers);

/** A list in OpenAI's format, with one vector for each input. */
function vectors({ body }: Sent): Response {
  const { input } = JSON.parse(body);
  const data = [input].flat().map((text: string, index: number) => ({
    object: "embedding",
    index,
    embedding: vectorFor(text),
  }));
  return Response.json({ object: "list", data, model: "m", usage: { prompt_tokens: 5, total_tokens: 5 } });
}

// ---------------------------------------------------------------- the rows

/** `name | path | most inputs | tokens | dropped | renamed` of the rows that differ, from the providers' references. */
const LINES = `
alibaba | /embeddings | 10 | text, floats | - | -
cohere | - | 96 | text | - | -
deepinfra | /embeddings | 1024 | tokens, floats | - | -
google-ai-studio | - | 100 | text | - | -
mistral | /v1/embeddings | 256 | text | input_type user | dimensions>output_dimension
ollama | /embeddings | - | text | - | -
aws-bedrock | - | by the model | text | - | -
google-vertex-ai | - | by the model | text | - | -
azure-openai | /embeddings | 2048 | tokens | input_type | -
openai | /embeddings | 2048 | tokens | input_type | -
siliconflow | /embeddings | 32 | text | - | -
upstage | /embeddings | 100 | text | - | -
voyage | /embeddings | 1000 | text | - | -
workers-ai | /embeddings | 100 | text, floats | dimensions | -
zai | /embeddings | 64 | text | - | -`.trim().split("\n");

/** Rows without embeddings. */
const WITHOUT = "anthropic cartesia deepgram elevenlabs fal ideogram perplexity-agent " +
  "replicate writer";

Deno.test("every row's embeddings are as in its line; a row without a line has them beside its chat completions", () => {
  const known = new Map(LINES.map((line) => [line.split(" | ", 1)[0], line]));
  const without: string[] = [];
  for (const { name, embeddings, version } of PROVIDERS.values()) {
    if (!embeddings) {
      without.push(name);
      continue;
    }
    const { path = "-", most = "-", tokens, base64, drop = [], rename = {} } = embeddings;
    const kinds = (tokens === false ? "text" : "tokens") + (base64 === false ? ", floats" : "");
    const list = (all: readonly string[]) => all.join(" ") || "-";
    const renamed = Object.entries(rename).map(([from, to]) => `${from}>${to}`);
    const line = [
      name,
      path,
      typeof most === "function" ? "by the model" : most,
      kinds,
      list(drop),
      list(renamed),
    ].join(
      " | ",
    );
    const usual = version === "v1"
      ? "/v1/embeddings"
      : name === "parallel"
      ? "/v1beta/embeddings"
      : "/embeddings";
    assertEquals(line, known.get(name) ?? `${name} | ${usual} | - | tokens | - | -`);
  }
  assertEquals(without, WITHOUT.split(" "));
});

// ---------------------------------------------------------------- handed through

Deno.test("a request for embeddings on OpenAI's format changes in nothing but the model, and its answer in nothing", async () => {
  const answer =
    `{"object": "list",\n "data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}], "x": 1.50,"model":"m"}`;
  for (const provider of ["openai", "together", "fireworks", "openrouter", "vllm", "lmstudio"]) {
    const { fetch, sent } = before(() =>
      new Response(answer, { headers: { "content-type": "application/json" } })
    );
    const rest = `, "input":["a\\u00e9", "b"] , "encoding_format":"base64","x_field": {"a":[1.50]}}`;
    const response = await fetch(ask(`{ "model" : "${provider}/org/m"${rest}`));
    assertEquals(sent[0].body, `{ "model" : "org/m"${rest}`, provider);
    assertEquals(sent[0].headers.get("authorization"), "Bearer key");
    assertEquals(await response.text(), answer, provider);
    assertEquals(response.headers.get("cf-aig-provider"), provider);
    assertEquals(response.headers.get("cf-aig-model"), "org/m");
  }
});

Deno.test("a body that is too long to be parsed is handed through as well", async () => {
  const { fetch, sent } = before(vectors);
  const input = [`${"x".repeat(400_000)}`];
  for (const model of ["together/m", "openai/m"]) {
    const response = await fetch(ask({ model, input, user: "u" }));
    assertEquals((await response.json()).data.length, 1, model);
    assertEquals(JSON.parse(sent.at(-1)!.body), { model: "m", input, user: "u" });
  }
});

Deno.test("floats in place of base64 are encoded, whichever letters stand between, and base64 is left alone", async () => {
  const bodies = [
    `{"data":[{"embedding": [1, 0.5],"index":0}]}`,
    `{"data":[\n{"index":0,"embedding"  :\n[1,0.5]}],"object":"list"}`,
  ];
  for (const body of bodies) {
    const { fetch } = before(() => new Response(body, { headers: { "content-type": "application/json" } }));
    const answer = await fetch(ask({ model: "ollama/m", input: "x", encoding_format: "base64" }));
    assertEquals((await answer.json()).data, [{ index: 0, embedding: "AACAPwAAAD8=" }]);
    const floats = await fetch(ask({ model: "ollama/m", input: "x" }));
    assertEquals(await floats.text(), body);
  }
});

// ---------------------------------------------------------------- requests to providers

const translated: [model: string, body: object, sent: object, dropped: string | null][] = [
  ["cohere/m", {}, { texts: ["x"], input_type: "search_document", embedding_types: ["float"] }, null],
  ["cohere/m", { input_type: "query" }, {
    texts: ["x"],
    input_type: "search_query",
    embedding_types: ["float"],
  }, null],
  ["cohere/m", { input_type: "clustering", truncate: "END", user: "u" }, {
    truncate: "END",
    texts: ["x"],
    input_type: "clustering",
    embedding_types: ["float"],
  }, "user"],
  ["cohere/m", { embedding_types: ["int8"], dimensions: 256 }, {
    texts: ["x"],
    input_type: "search_document",
    embedding_types: ["float"],
    output_dimension: 256,
  }, "embedding_types"],
  ["voyage/m", {}, { input: ["x"] }, null],
  ["voyage/m", { input_type: "search_query", dimensions: 512, truncation: false }, {
    truncation: false,
    input: ["x"],
    input_type: "query",
    output_dimension: 512,
  }, null],
  [
    "voyage/m",
    { input_type: "clustering", encoding_format: "float", user: "u" },
    { input: ["x"] },
    "input_type, user",
  ],
  ["mistral/m", { dimensions: 8, user: "u", input_type: "query", encoding_format: "float" }, {
    input: "x",
    output_dimension: 8,
    encoding_format: "float",
  }, "input_type, user"],
  ["openai/m", { input_type: "query", dimensions: null }, { input: "x", dimensions: null }, "input_type"],
  ["nvidia/m", { input_type: "query" }, { input: "x", input_type: "query" }, null],
  ["workers-ai/@cf/m", { dimensions: 8 }, { input: "x" }, "dimensions"],
];

for (const [model, asked, wanted, dropped] of translated) {
  Deno.test(`${model} is asked for ${JSON.stringify(asked)} in its own words`, async () => {
    const { fetch, sent } = before(
      (one) => one.url.includes("cohere") ? Response.json({ embeddings: { float: [[1]] } }) : vectors(one),
      { account: "acct" },
    );
    const response = await fetch(ask({ model, input: "x", ...asked }));
    assertEquals(response.status, 200);
    const { model: _, ...body } = JSON.parse(sent[0].body);
    assertEquals(body, wanted);
    assertEquals(response.headers.get("sluice-dropped"), dropped);
    const strict = await fetch(ask({ model, input: "x", ...asked }, { "sluice-strict": "true" }));
    assertEquals(strict.status, dropped === null ? 200 : 400);
  });
}

Deno.test("Gemini is asked with a task type where the model has them", async () => {
  const { fetch, sent } = before(answerStrictly);
  const about = async (model: string, more: object) => {
    const response = await fetch(ask({ model: `gemini/${model}`, input: ["x", "y"], ...more }));
    const { requests } = JSON.parse(sent.at(-1)!.body);
    const { content: _, ...rest } = requests[1];
    return [requests.length, rest, response.headers.get("sluice-dropped")];
  };
  const old = "models/gemini-embedding-001", now = "models/gemini-embedding-2";
  assertEquals(await about("gemini-embedding-001", {}), [2, { model: old }, null]);
  assertEquals(
    await about("gemini-embedding-001", { input_type: "search_query", dimensions: 8, title: "T" }),
    [2, {
      title: "T",
      model: old,
      taskType: "RETRIEVAL_QUERY",
      outputDimensionality: 8,
    }, null],
  );
  const similar = { model: old, taskType: "SEMANTIC_SIMILARITY" };
  assertEquals(await about("gemini-embedding-001", { input_type: "semantic_similarity", user: "u" }), [
    2,
    similar,
    "user",
  ]);
  assertEquals(await about("gemini-embedding-2", { input_type: "query" }), [2, { model: now }, "input_type"]);
});

Deno.test("a body that is not a request for embeddings is one clear 400 with its path, and nothing is sent", async () => {
  const { fetch, sent } = before(vectors);
  const cases: [model: string, body: object, param: string, words: string][] = [
    ["openai/m", {}, "input", "input must be a text, a list of texts, or tokens"],
    ["openai/m", { input: null }, "input", "must be"],
    ["openai/m", { input: { a: 1 } }, "input", "must be"],
    ["openai/m", { input: [] }, "input", "input must have at least one entry"],
    ["together/m", { input: 7 }, "input", "must be"],
    ["cohere/m", { input: "" }, "input", "input must not be empty"],
    ["cohere/m", { input: ["a", ""] }, "input[1]", "input[1] must not be empty"],
    ["cohere/m", { input: ["a", 1] }, "input[1]", "input[1] must be a text"],
    ["cohere/m", { input: ["a", ["b"]] }, "input[1]", "input[1] must be a text"],
    ["cohere/m", { input: [1, 2] }, "input", "Cannot send tokens to cohere: it takes only texts"],
    ["gemini/m", { input: [[1, 2]] }, "input", "Cannot send tokens to google-ai-studio"],
    ["mistral/m", { input: [[1, 2]] }, "input", "Cannot send tokens to mistral"],
    ["ollama/m", { input: [1] }, "input", "Cannot send tokens to ollama"],
    ["voyage/m", { input: "a", dimensions: 0 }, "dimensions", "dimensions must be a whole number"],
    ["voyage/m", { input: "a", dimensions: "8" }, "dimensions", "dimensions must be"],
    ["voyage/m", { input: "a", encoding_format: "int8" }, "encoding_format", 'must be "float" or "base64"'],
    ["voyage/m", { input: "a", input_type: 7 }, "input_type", "input_type must be a text"],
    ["voyage/m", { input: "a", user: {} }, "user", "user must be a text"],
    ["anthropic/m", { input: "a" }, "model", "anthropic has no embeddings here"],
    [
      "alibaba/m",
      { input: Array(2561).fill("a") },
      "input",
      "Cannot send 2561 inputs to alibaba in one request: send at most 2560",
    ],
    ["demo/embed", { input: [[1], [-1]] }, "input[1][0]", "input[1][0] must be a token"],
    ["demo/embed", { input: [[1], []] }, "input[1]", "input[1] must have at least one token"],
    ["demo/embed", { input: [1, "a"] }, "input[1]", "must be a token"],
    ["demo/embed", { input: "a", dimensions: 5000 }, "dimensions", "at most 4096"],
  ];
  for (const [model, body, param, words] of cases) {
    const response = await fetch(ask({ model, ...body }));
    const { error } = await response.json();
    assertEquals([response.status, error.param], [400, param], JSON.stringify([model, body]));
    assertStringIncludes(error.message, words);
    assertEquals(Object.keys(error), ["message", "type", "param", "code"]);
  }
  for (
    const body of ["", "[]", "nope", `{"model":"cohere/m","input":${"[".repeat(5000)}${"]".repeat(5000)}}`]
  ) {
    assertEquals((await fetch(ask(body))).status, 400, body.slice(0, 20));
  }
  assertEquals((await fetch(new Request(URL_OF))).status, 405);
  assertEquals(sent, []);
});

Deno.test("tokens go to a provider that takes them", async () => {
  const { fetch, sent } = before(answerStrictly);
  for (const input of [[1, 2, 3], [[1, 2], [3]]]) {
    const response = await fetch(ask({ model: "openai/m", input }));
    const { data } = await response.json();
    assertEquals(data.length, typeof input[0] === "number" ? 1 : 2);
    assertEquals(JSON.parse(sent.at(-1)!.body).input, input);
  }
  // A long list of tokens is one input, and not many.
  const one = await fetch(ask({ model: "openai/m", input: Array(5000).fill(7) }));
  assertEquals([(await one.json()).data.length, sent.length], [1, 3]);
  const many = await fetch(ask({ model: "openai/m", input: Array(2049).fill([7, 8]) }));
  assertEquals([(await many.json()).data.length, sent.length], [2049, 5]);
});

// ---------------------------------------------------------------- parts

const hundred = (count: number) => Array.from({ length: count }, (_, at) => `text ${at}`);

Deno.test("at most four parts are sent at once, and their answers may come in any order", async () => {
  let running = 0, most = 0;
  const waiting: (() => void)[] = [];
  const { fetch, sent } = before(async (one) => {
    most = Math.max(most, ++running);
    // The last of the four is answered first.
    if (waiting.length < 3 && sent.length < 10) await new Promise<void>((resolve) => waiting.push(resolve));
    else waiting.pop()?.();
    running--;
    return answerStrictly(one);
  });
  const input = hundred(960);
  const pending = fetch(ask({ model: "cohere/m", input }));
  const { data, usage } = await (async () => {
    for (;;) {
      const done = await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 5))]);
      if (done) return await (done as Response).json();
      waiting.pop()?.();
    }
  })();
  assertEquals([most, sent.length], [4, 10]);
  assertEquals(
    data.map((one: { embedding: number[] }) => one.embedding[0]),
    input.map(({ length }) => length),
  );
  assertEquals(usage, { prompt_tokens: input.join("").length, total_tokens: input.join("").length });
});

Deno.test("embeddings that are written anew are JSON, whatever the provider calls its own", async () => {
  const { fetch } = before(() =>
    new Response(JSON.stringify({ embeddings: [{ values: [1, 0.5] }] }), {
      headers: { "content-type": "text/plain" },
    })
  );
  const response = await fetch(ask({ model: "google/gemini-embedding-001", input: "a" }));
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  assertEquals((await response.json()).data[0].embedding, [1, 0.5]);
});

Deno.test("the failure of one part is the failure of the call, in OpenAI's words, and the others are ended", async () => {
  const signals: AbortSignal[] = [];
  const { fetch, sent } = before((one) => {
    signals.push(one.signal);
    if (one.body.includes('"text 100"')) {
      return Response.json({ message: "too many" }, { status: 429, headers: { "retry-after": "7" } });
    }
    return new Promise<Response>((_, reject) =>
      one.signal.addEventListener("abort", () => reject(one.signal.reason))
    );
  });
  const response = await fetch(ask({ model: "cohere/m", input: hundred(1000) }));
  const { error } = await response.json();
  assertEquals([response.status, error.message, error.type], [429, "too many", "rate_limit_error"]);
  assertEquals(response.headers.get("retry-after"), "7");
  assertEquals(error.metadata.provider, "cohere");
  assertEquals(sent.length, 4);
  assert(signals[0].aborted && signals[2].aborted && signals[3].aborted);
});

Deno.test("a retry asks for the parts that failed and for no other", async () => {
  const { options, waits } = clock();
  const failed = new Set<string>();
  const { fetch, sent } = before((one) => {
    const [first] = JSON.parse(one.body).texts;
    if (first !== "text 192" || failed.has(first)) return answerStrictly(one);
    failed.add(first);
    return Response.json({ message: "busy" }, { status: 503 });
  }, options);
  const input = hundred(288);
  const response = await fetch(ask({ model: "cohere/m", input }, { "cf-aig-max-attempts": "3" }));
  const { data, usage } = await response.json();
  assertEquals([response.status, data.length, usage.total_tokens], [200, 288, input.join("").length]);
  assertEquals(waits.length, 1);
  const firsts = sent.map(({ body }) => JSON.parse(body).texts[0]);
  assertEquals(firsts, ["text 0", "text 96", "text 192", "text 192"]);
});

Deno.test("a client that leaves ends all parts", async () => {
  const signals: AbortSignal[] = [];
  const { fetch } = before((one) => {
    signals.push(one.signal);
    return new Promise<Response>((_, reject) =>
      one.signal.addEventListener("abort", () => reject(one.signal.reason))
    );
  });
  const leaving = new AbortController();
  const request = post(URL_OF, { model: "cohere/m", input: hundred(200) }, {}, { signal: leaving.signal });
  const pending = fetch(request);
  await new Promise((resolve) => setTimeout(resolve, 20));
  leaving.abort();
  assertEquals((await pending).status, 499);
  assert(signals.length === 3 && signals.every(({ aborted }) => aborted));
});

// ---------------------------------------------------------------- bad answers

Deno.test("an answer that has no vector for each input is 502", async () => {
  const answers: [string, string][] = [
    [`{"embeddings":{"float":[[1]]}}`, "cohere answered 2 inputs with 1 embeddings"],
    [`{"embeddings":{"float":[[1],["a"]]}}`, "not a list of numbers"],
    [`{"embeddings":{"float":[[1],[]]}}`, "not a list of numbers"],
    [`{"embeddings":{"float":[[1],null]}}`, "not a list of numbers"],
    [`{"embeddings":{}}`, "cohere answered 2 inputs with 0 embeddings"],
    [`{}`, "0 embeddings"],
    [`[1]`, "not JSON"],
    [`<html>`, "not JSON"],
    [``, "not JSON"],
  ];
  for (const [answer, words] of answers) {
    const { fetch } = before(() => new Response(answer, { headers: { "content-type": "application/json" } }));
    const response = await fetch(ask({ model: "cohere/m", input: ["a", "b"] }));
    assertEquals(response.status, 502, answer);
    assertStringIncludes((await response.json()).error.message, words);
  }
  const { fetch } = before(() => Response.json({ error: { message: "quota is spent", code: 429 } }));
  const failed = await fetch(ask({ model: "voyage/m", input: "a" }));
  assertEquals([failed.status, (await failed.json()).error.message], [502, "quota is spent"]);
  for (const nothing of ["", "{}", "null"]) {
    const { fetch } = before(() =>
      new Response(nothing, { headers: { "content-type": "application/json" } })
    );
    assertEquals((await fetch(ask({ model: "openai/m", input: "a" }))).status, 502, nothing);
  }
});

Deno.test("answers that are together longer than the limit are 502", async () => {
  const { fetch } = before(answerStrictly, { limits: { maxAnswerBytes: 30_000 } });
  const ok = await fetch(ask({ model: "cohere/m", input: hundred(96) }));
  assertEquals(ok.status, 200);
  const tooLong = await fetch(ask({ model: "cohere/m", input: hundred(960) }));
  assertEquals(tooLong.status, 502);
  assertStringIncludes((await tooLong.json()).error.message, "together longer than 30000 bytes");
});

Deno.test("a redirect of an embeddings provider is not followed", async () => {
  for (const model of ["openai/m", "cohere/m"]) {
    const { fetch } = before(() =>
      new Response(null, { status: 302, headers: { location: "https://x.test" } })
    );
    assertEquals((await fetch(ask({ model, input: "a" }))).status, 502, model);
  }
});

// ---------------------------------------------------------------- keys, policies, the log

Deno.test("stored keys serve embeddings in turn, each rests when it is refused, and no answer repeats one", async () => {
  const tokens = ["gateway-token"];
  const { fetch, sent } = before(
    (one) =>
      one.headers.get("authorization") === "Bearer bad-key-of-cohere"
        ? Response.json({ message: "invalid key bad-key-of-cohere" }, { status: 401 })
        : answerStrictly(one),
    { keys: { cohere: ["bad-key-of-cohere", "good-key-of-cohere"] }, tokens },
  );
  const headers = { authorization: "Bearer gateway-token" };
  const refused = await fetch(ask({ model: "cohere/m", input: "a" }, headers));
  const text = await refused.text();
  assertEquals(refused.status, 401);
  assert(!text.includes("bad-key-of-cohere"), text);
  const again = await fetch(ask({ model: "cohere/m", input: hundred(200) }, headers));
  assertEquals(again.status, 200);
  assertEquals(sent.map((one) => one.headers.get("authorization")), [
    "Bearer bad-key-of-cohere",
    ...Array(3).fill("Bearer good-key-of-cohere"),
  ]);
  for (const { headers, body } of sent) {
    assert(
      ![...headers].some(([, value]) => value.includes("gateway-token")) && !body.includes("gateway-token"),
    );
  }
  assertEquals((await fetch(ask({ model: "cohere/m", input: "a" }))).status, 401);
});

Deno.test("a token that is not for a provider has no embeddings of it", async () => {
  const tokens = [{ token: "gateway-token", providers: ["openai"] }];
  const { fetch, sent } = before(answerStrictly, { tokens });
  const response = await fetch(
    ask({ model: "cohere/m", input: "a" }, { authorization: "Bearer gateway-token" }),
  );
  assertEquals([response.status, sent.length], [401, 0]);
});

Deno.test("a client's key goes to the provider that it was meant for, and to no other", async () => {
  const { fetch, sent } = before((one) =>
    one.url.includes("openai.com")
      ? Response.json({ error: { message: "no" } }, { status: 500 })
      : answerStrictly(one)
  );
  const response = await fetch(ask({ model: "openai/m", models: ["cohere/m"], input: "a" }));
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("cf-aig-step"), "1");
  assertEquals(sent.map(({ headers }) => headers.get("authorization")), ["Bearer key", null]);
});

Deno.test("after an error with a status of success the next model is tried", async () => {
  const { fetch } = before((one) =>
    one.url.includes("openai.com") ? Response.json({ error: { message: "no" } }) : answerStrictly(one)
  );
  const response = await fetch(ask({ model: "openai/m", models: ["cohere/m"], input: "abc" }));
  assertEquals((await response.json()).data[0].embedding[0], 3);
});

Deno.test("the log has a row about embeddings, with their tokens, also of an answer that is too long to be read", async () => {
  const rows: object[] = [];
  const { fetch } = before(answerStrictly, {
    log: ({ provider, model, inputTokens, outputTokens, status, tries }) =>
      void rows.push({ provider, model, inputTokens, outputTokens, status, tries }),
  });
  await (await fetch(ask({ model: "cohere/m", input: ["ab", "c"] }))).text();
  await (await fetch(ask({ model: "openai/m", input: ["ab", "c"] }))).text();
  await (await fetch(ask({ model: "openai/m", input: Array(2000).fill("ab"), dimensions: 200 }))).text();
  await (await fetch(ask({ model: "cohere/m", input: hundred(100) }))).text();
  const said = { outputTokens: 0, status: 200 };
  assertEquals(rows, [
    { provider: "cohere", model: "m", inputTokens: 3, tries: 1, ...said },
    { provider: "openai", model: "m", inputTokens: 3, tries: 1, ...said },
    { provider: "openai", model: "m", inputTokens: 4000, tries: 1, ...said },
    { provider: "cohere", model: "m", inputTokens: hundred(100).join("").length, tries: 2, ...said },
  ]);
});

Deno.test("embeddings of a universal step go to the provider's own path, as before", async () => {
  const { fetch, sent } = before(vectors);
  const step = { provider: "openai", endpoint: "embeddings", query: { model: "m", input: "x" } };
  assertEquals((await fetch(post("http://gateway.test/v1/acct/gw", [step]))).status, 200);
  assertEquals(sent[0].url, "https://api.openai.com/v1/embeddings");
});
