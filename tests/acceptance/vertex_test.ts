/** Vertex AI: how requests are signed, where they go for each publisher, and what is refused before anything is sent. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../gateway/gateway.ts";
import { readEnv } from "../../gateway/setup/env.ts";
import type { Options } from "../../gateway/setup/options.ts";
import { before, clock, post } from "../fakes.ts";
import { type Account, account, googleCloud, PERSON, tokenEndpoint } from "./strict_vertex.ts";

// deno-lint-ignore no-explicit-any -- Bodies of several forms.
type Any = any;

const TOKEN = "token-of-the-gateway";
const ONE = await account("one"), OTHER = await account("other", "other-project");
const CHAT = "http://gateway.test/v1/chat/completions";
const messages = [{ role: "user", content: "Hi" }];
const GEMINI = { model: "google-vertex-ai/google/gemini-3.5-flash", messages };

/** A gateway before Google Cloud. `calls` are the requests to Vertex AI. */
function room(
  options: Options = {},
  { life = 3600, accounts = [ONE, OTHER] as Account[], client = "" } = {},
) {
  const time = clock();
  const endpoint = tokenEndpoint(accounts, time.options.now, life);
  const cloud = googleCloud(endpoint, (token) => token === client);
  const gateway = before(cloud, { ...time.options, tokens: [TOKEN], ...options });
  const calls = () => gateway.sent.filter(({ url }) => url.includes("aiplatform"));
  const ask = (body: object, headers: Record<string, string> = {}) =>
    gateway.fetch(post(CHAT, body, { authorization: `Bearer ${TOKEN}`, ...headers }));
  return { ...gateway, time, endpoint, calls, ask };
}

const stored = (key: unknown, more: Options = {}): Options => ({
  keys: { "google-vertex-ai": key as Any },
  ...more,
});

async function ok(response: Response): Promise<Any> {
  const body = await response.json();
  assertEquals([response.status, body.error?.message], [200, undefined]);
  return body;
}

async function fault(response: Response): Promise<string> {
  const { error } = await response.json();
  return `${response.status} ${error.message}`;
}

// ---------------------------------------------------------------- tokens

Deno.test("a service account is JSON, base64 or an object, and gets one token for many requests, until five minutes before its end", async () => {
  const json = JSON.stringify(ONE.file, null, 2);
  const literal = { ...ONE.file, private_key: ONE.file.private_key.replaceAll("\n", "\\n") };
  for (const key of [json, btoa(json), btoa(JSON.stringify(ONE.file)), ONE.file, literal]) {
    const { ask, endpoint, time, calls } = room(stored(key));
    const all = await Promise.all(Array.from({ length: 5 }, () => ask(GEMINI)));
    for (const response of all) await ok(response);
    assertEquals([endpoint.minted.length, calls().length], [1, 5], "one flight");
    time.pass(3290_000);
    await ok(await ask(GEMINI));
    assertEquals(endpoint.minted.length, 1);
    time.pass(20_000);
    await ok(await ask(GEMINI));
    assertEquals(endpoint.minted.length, 2, "renewed before its end");
  }
});

Deno.test("a token of a short life is used for half of it", async () => {
  const { ask, endpoint, time } = room(stored(ONE.file), { life: 60 });
  await ok(await ask(GEMINI));
  time.pass(29_000);
  await ok(await ask(GEMINI));
  assertEquals(endpoint.minted.length, 1);
  time.pass(2_000);
  await ok(await ask(GEMINI));
  assertEquals(endpoint.minted.length, 2);
});

Deno.test("a token that Vertex AI refuses is asked for again, once a request", async () => {
  const { ask, endpoint, calls } = room(stored(ONE.file));
  await ok(await ask(GEMINI));
  endpoint.revoke();
  await ok(await ask(GEMINI));
  assertEquals([endpoint.minted.length, calls().length], [2, 3]);
  const deaf = room(stored(ONE.file));
  deaf.endpoint.mint = () =>
    Promise.resolve(Response.json({ access_token: "ya29.of-no-use", expires_in: 3600 }));
  assertStringIncludes(await fault(await deaf.ask(GEMINI)), "401 ");
  assertEquals(deaf.calls().length, 2);
});

Deno.test("each account has its own token and project, and the file's own token_uri is never asked", async () => {
  const { ask, calls, sent } = room(stored([JSON.stringify(ONE.file), JSON.stringify(OTHER.file)]));
  for (let at = 0; at < 4; at++) await ok(await ask(GEMINI));
  assertEquals(
    calls().map(({ url, headers }) => [/projects\/([^/]+)/.exec(url)![1], headers.get("authorization")]),
    [
      ["my-project", "Bearer ya29.minted-token-1"],
      ["other-project", "Bearer ya29.minted-token-2"],
      ["my-project", "Bearer ya29.minted-token-1"],
      ["other-project", "Bearer ya29.minted-token-2"],
    ],
  );
  assert(sent.every(({ url }) => /^https:\/\/(?:oauth2|aiplatform)\.googleapis\.com\//.test(url)));
});

Deno.test("a person's sign-in by gcloud gets tokens for the operator's project, and counts for its quota project", async () => {
  const providers = { "google-vertex-ai": { project: "my-project" } };
  for (const key of [PERSON, JSON.stringify(PERSON, null, 2)]) {
    const { ask, endpoint, calls, time } = room(stored(key, { providers }));
    await ok(await ask(GEMINI));
    await ok(await ask(GEMINI));
    assertEquals(endpoint.minted.length, 1);
    assertEquals(
      calls().map(({ headers }) => headers.get("x-goog-user-project")),
      Array(2).fill("quota-project"),
    );
    time.pass(3_400_000);
    await ok(await ask(GEMINI));
    assertEquals(endpoint.minted.length, 2);
    endpoint.revoke();
    await ok(await ask(GEMINI, { "x-goog-user-project": "of-the-client" }));
    assertEquals([endpoint.minted.length, calls().at(-1)!.headers.get("x-goog-user-project")], [
      3,
      "of-the-client",
    ]);
  }
});

Deno.test("a person's sign-in that Google refuses, or without a project, is told with the cure and without its secrets", async () => {
  const providers = { "google-vertex-ai": { project: "my-project" } };
  const refused = room(stored({ ...PERSON, refresh_token: "1//another-refresh-token" }, { providers }));
  const message = await fault(await refused.ask(GEMINI));
  assertEquals(
    message,
    "401 Cannot sign in to google-vertex-ai: Google refuses the authorized user (invalid_grant); " +
      "sign in anew with gcloud auth application-default login",
  );
  const lost = room(stored(PERSON));
  assertStringIncludes(await fault(await lost.ask(GEMINI)), "it needs a project. Set GOOGLE_CLOUD_PROJECT");
  assertEquals(lost.sent.length, 0);
  assertThrows(
    () => createGateway(stored(JSON.stringify({ ...PERSON, client_secret: "" }))),
    TypeError,
    "it has no client_secret: a set needs client_id and client_secret and refresh_token",
  );
});

Deno.test("a client's set must be a whole one, and of a kind for clients: no person's sign-in, and nothing is sent", async () => {
  const { private_key: _, ...half } = ONE.file;
  const cases: [key: string, words: string][] = [
    [JSON.stringify(PERSON), "it has no client_email"],
    [btoa(JSON.stringify(PERSON)), "it has no client_email"],
    [JSON.stringify(half), "it has no private_key"],
    ['{"client_email": 1}', "it must be one key, or JSON of texts"],
    ['{"type":"external_account"}', "it has no client_email"],
  ];
  for (const [key, words] of cases) {
    for (
      const url of [
        CHAT,
        "http://gateway.test/v1/acct/gw/google-vertex-ai/v1/projects/p/locations/us/publishers/google/models/m:x",
      ]
    ) {
      const { fetch, sent } = room(stored(ONE.file));
      const headers = { "cf-aig-authorization": `Bearer ${TOKEN}`, authorization: `Bearer ${key}` };
      const response = await fetch(post(url, GEMINI, headers));
      const text = await response.text();
      assertEquals([response.status, sent.length], [400, 0], text);
      assert(text.includes(words) && !text.includes("refresh-token"), text);
    }
  }
});

Deno.test("a client brings its own account, access token or API key, and stored ones stay unused", async () => {
  const own = room(stored(ONE.file));
  const bearer = (key: string) => ({
    authorization: `Bearer ${key}`,
    "cf-aig-authorization": `Bearer ${TOKEN}`,
  });
  for (const key of [JSON.stringify(OTHER.file), btoa(JSON.stringify(OTHER.file))]) {
    await ok(await own.ask(GEMINI, bearer(key)));
  }
  assertEquals(own.endpoint.minted.length, 2);
  assert(own.calls().every(({ url }) => url.includes("/projects/other-project/")));
  const project = { providers: { vertex: { project: "p-1" } } };
  const token = room(stored(ONE.file, project), { client: "ya29.own" });
  await ok(await token.ask(GEMINI, bearer("ya29.own")));
  assertEquals([token.sent.length, token.calls()[0].headers.get("authorization")], [1, "Bearer ya29.own"]);
  const express = room(
    stored(ONE.file, { providers: { vertex: { project: "p-1", location: "europe-west4" } } }),
  );
  await ok(await express.ask(GEMINI, bearer("AIza-express")));
  const url =
    "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-3.5-flash:generateContent";
  assertEquals(express.sent.map((one) => one.url), [url]);
  assertStringIncludes(
    await fault(await express.ask({ ...GEMINI, model: "vertex/claude-sonnet-4-5" }, bearer("AIza-express"))),
    "400 Cannot send the request to google-vertex-ai: an API key serves only Google's own models",
  );
});

Deno.test("an explanation mints nothing and shows no credential", async () => {
  const { ask, sent } = room(stored(ONE.file));
  const told = await (await ask(GEMINI, { "sluice-explain": "true" })).text();
  assertEquals(sent.length, 0);
  const [request] = JSON.parse(told).targets[0].requests;
  assertStringIncludes(request.url, "/projects/my-project/locations/global/");
  assert(request.hiddenHeaders.includes("authorization"));
  assert(!told.includes("PRIVATE KEY") && !told.includes("iam.gserviceaccount"));
});

Deno.test("an answer that repeats the token or the private key is masked", async () => {
  const secret = ONE.file.private_key.slice(40, 90);
  const { fetch } = before(
    ({ url, headers }) =>
      url.includes("oauth2")
        ? Response.json({ access_token: "ya29.secret-token", expires_in: 3600 })
        : Response.json(
          { error: { code: 400, message: `got ${headers.get("authorization")}`, status: "X" } },
          {
            status: 400,
          },
        ),
    { tokens: [TOKEN], ...stored(ONE.file) },
  );
  for (let at = 0; at < 2; at++) {
    const response = await fetch(post(CHAT, GEMINI, { authorization: `Bearer ${TOKEN}` }));
    const text = await response.text();
    assertEquals(response.status, 400);
    assert(!text.includes("secret-token") && !text.includes(secret), text);
  }
});

Deno.test("an endpoint that gives no token is told without the credential, and asked again by the next request", async () => {
  const { ask, sent, endpoint } = room(stored({ ...ONE.file, private_key: OTHER.file.private_key }));
  const told = await fault(await ask(GEMINI));
  assertStringIncludes(
    told,
    "401 Cannot sign in to google-vertex-ai: Google refuses the service account (invalid_grant)",
  );
  assert(!told.includes("iam.gserviceaccount") && !told.includes("PRIVATE"));
  await fault(await ask(GEMINI));
  assertEquals([sent.length, endpoint.minted.length], [2, 0]);
  const broken = room(
    stored({ ...ONE.file, private_key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" }),
  );
  assertStringIncludes(await fault(await broken.ask(GEMINI)), "GOOGLE_PRIVATE_KEY");
  assertEquals(broken.sent.length, 0);
});

Deno.test("a client's account leads to no other host, and a redirect of the token endpoint is not followed", async () => {
  const own = (file: object) => ({
    authorization: `Bearer ${JSON.stringify(file)}`,
    "cf-aig-authorization": `Bearer ${TOKEN}`,
  });
  const { ask, calls } = room();
  for (const region of ["evil.example/", "evil.example#", "x@evil.example", "global.evil"]) {
    await ok(await ask(GEMINI, own({ ...ONE.file, region })));
    assertEquals(new URL(calls().at(-1)!.url).host, "aiplatform.googleapis.com");
  }
  const asked: RequestInit[] = [];
  const gateway = createGateway({
    tokens: [TOKEN],
    fetch(_, init) {
      asked.push(init);
      return Promise.resolve(
        new Response(null, { status: 307, headers: { location: "https://evil.example" } }),
      );
    },
  });
  const told = await fault(await gateway.fetch(post(CHAT, GEMINI, own(ONE.file))));
  assertStringIncludes(told, "502 Cannot sign in to google-vertex-ai: Google's token endpoint answered 307");
  assertEquals(asked.map(({ redirect }) => redirect), ["manual"]);
});

// ---------------------------------------------------------------- the ways

Deno.test("each model goes to its publisher's way, under all the names that clients write", async () => {
  const cases: [model: string, path: string, sent?: string][] = [
    [
      "google-vertex-ai/google/gemini-3.5-flash",
      "v1beta1/P/publishers/google/models/gemini-3.5-flash:generateContent",
    ],
    ["vertex/gemini-2.5-pro", "v1beta1/P/publishers/google/models/gemini-2.5-pro:generateContent"],
    [
      "vertex/publishers/google/models/gemini-2.5-pro",
      "v1beta1/P/publishers/google/models/gemini-2.5-pro:generateContent",
    ],
    ["vertex/endpoints/123", "v1beta1/P/endpoints/123:generateContent"],
    [
      "google-vertex-anthropic/claude-sonnet-4-5@20250929",
      "v1/P/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict",
    ],
    [
      "vertex_ai/anthropic/claude-sonnet-4-5",
      "v1/P/publishers/anthropic/models/claude-sonnet-4-5:rawPredict",
    ],
    [
      "vertex/mistral-medium-3",
      "v1/P/publishers/mistralai/models/mistral-medium-3:rawPredict",
      "mistral-medium-3",
    ],
    [
      "vertex/ai21/jamba-1.5-large",
      "v1/P/publishers/ai21/models/jamba-1.5-large:rawPredict",
      "jamba-1.5-large",
    ],
    ["google-vertex/meta/llama-4", "v1/P/endpoints/openapi/chat/completions", "meta/llama-4"],
    [
      "vertex_ai/deepseek-ai/deepseek-v3.2",
      "v1/P/endpoints/openapi/chat/completions",
      "deepseek-ai/deepseek-v3.2",
    ],
    ["vertex/openai/gpt-oss-120b", "v1/P/endpoints/openapi/chat/completions", "openai/gpt-oss-120b"],
  ];
  for (const [model, path, named] of cases) {
    const { ask, calls } = room(stored(ONE.file));
    const answer = await ok(await ask({ model, messages }));
    assertEquals(answer.choices[0].message.content, "Hi", model);
    const [{ url, body }] = calls();
    assertEquals(
      url,
      `https://aiplatform.googleapis.com/${path.replace("P", "projects/my-project/locations/global")}`,
    );
    if (named) assertEquals(JSON.parse(body).model, named);
  }
});

Deno.test("OpenAI's own models are asked by its Responses there, its open ones by chat completions", async () => {
  const place = "projects/p/locations/us-east5";
  const providers = { vertex: { project: "p", location: "us-east5" } };
  const cases: [model: string, path: string, name: string][] = [
    ["openai/gpt-6.1-sol", "publishers/openai/v1/responses", "gpt-6.1-sol"],
    ["publishers/openai/models/gpt-6.1-sol", "publishers/openai/v1/responses", "gpt-6.1-sol"],
    ["openai/gpt-oss-120b-maas", "endpoints/openapi/chat/completions", "openai/gpt-oss-120b-maas"],
  ];
  for (const [model, path, name] of cases) {
    const { fetch, sent } = before(() => Response.json({ error: { message: "No." } }, { status: 400 }), {
      providers,
    });
    const headers = { authorization: "Bearer ya29.own" };
    await (await fetch(post(CHAT, { model: `vertex/${model}`, messages }, headers))).text();
    assertEquals(sent[0].url, `https://us-east5-aiplatform.googleapis.com/v1/${place}/${path}`);
    assertEquals(JSON.parse(String(sent[0].body)).model, name);
  }
});

Deno.test("a client's labels go to Claude in their header", async () => {
  const { ask, calls } = room(stored(ONE.file));
  const labels = { "x-vertex-ai-labels": btoa('{"team":"a"}') };
  await ok(await ask({ model: "vertex/claude-sonnet-4-5", messages }, labels));
  assertEquals(calls()[0].headers.get("x-vertex-ai-labels"), labels["x-vertex-ai-labels"]);
});

Deno.test("streams have verbs of their own", async () => {
  for (
    const [model, verb] of [["gemini-3.5-flash", ":streamGenerateContent?alt=sse"], [
      "claude-sonnet-4-5",
      ":streamRawPredict",
    ]]
  ) {
    const { ask, calls } = room(stored(ONE.file));
    const response = await ask({ model: `vertex/${model}`, messages, stream: true });
    assertStringIncludes(await response.text(), '"content":"Hi"');
    assert(calls()[0].url.endsWith(verb), calls()[0].url);
  }
});

Deno.test("a location is global, us, eu or a region, and options win over a service account", async () => {
  for (
    const [location, host] of [
      ["global", "aiplatform.googleapis.com"],
      ["eu", "aiplatform.eu.rep.googleapis.com"],
      ["us", "aiplatform.us.rep.googleapis.com"],
      ["europe-west4", "europe-west4-aiplatform.googleapis.com"],
    ]
  ) {
    const { ask, calls } = room(stored(ONE.file, { providers: { vertex: { location, project: "p-1" } } }));
    for (const model of ["vertex/gemini-3.5-flash", "vertex/claude-sonnet-4-5", "vertex/meta/llama-4"]) {
      await ok(await ask({ model, messages }));
      const { url } = calls().at(-1)!;
      assertEquals(new URL(url).host, host);
      assertStringIncludes(url, `/projects/p-1/locations/${location}/`);
    }
  }
  const both = room(
    stored({ ...ONE.file, region: "us-east5" }, { providers: { vertex: { location: "global" } } }),
  );
  await ok(await both.ask(GEMINI));
  assertStringIncludes(both.calls()[0].url, "https://aiplatform.googleapis.com/v1beta1/projects/my-project/");
  const { ask, calls } = room(stored({ ...ONE.file, region: "us-east5" }));
  await ok(await ask(GEMINI));
  assertStringIncludes(
    calls()[0].url,
    "https://us-east5-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-east5/",
  );
});

Deno.test("Gemini's function ids are sent to generation 3 alone, and fields of AI Studio are left out and named", async () => {
  const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const turns = [...messages, { role: "assistant", content: null, tool_calls: [call] }, {
    role: "tool",
    tool_call_id: "call_1",
    content: "1",
  }];
  for (const [model, isThird] of [["gemini-2.5-flash", false], ["gemini-3.5-flash", true]] as const) {
    const { ask, calls } = room(stored(ONE.file));
    const body = { model: `vertex/${model}`, messages: turns, tools, store: true };
    const response = await ask(body);
    assertEquals(response.headers.get("sluice-dropped"), "store");
    await ok(response);
    const sent = JSON.parse(calls()[0].body);
    assertEquals(sent.contents[1].parts[0].functionCall.id, isThird ? "call_1" : undefined);
    assertEquals(sent.contents[2].parts[0].functionResponse.id, isThird ? "call_1" : undefined);
  }
  const { ask } = room(stored(ONE.file));
  const content = [
    { type: "text", text: "Hi" },
    { type: "tool_response", toolResponse: { id: "1" } },
    {
      type: "picture",
      inlineData: { mimeType: "image/png", data: "AAAA" },
      partMetadata: { a: 1 },
      mediaProcessing: {},
    },
  ];
  const odd = [{ role: "user", content }];
  const more = [...tools, { type: "google_search" }, {
    type: "file_search",
    fileSearchStoreNames: ["fileSearchStores/a"],
  }];
  const response = await ask({
    model: "vertex/gemini-3.5-flash",
    messages: odd,
    tools: more,
    enableEnhancedCivicAnswers: true,
  });
  assertEquals(
    response.headers.get("sluice-dropped"),
    "messages[0].content[1], messages[0].content[2].partMetadata, messages[0].content[2].mediaProcessing, enableEnhancedCivicAnswers, tools.file_search",
  );
  await ok(response);
});

Deno.test("willContinue of a function's response is left out and named", async () => {
  const { ask, sent } = room(stored(ONE.file));
  const part = { type: "result", functionResponse: { name: "f", response: {}, willContinue: true } };
  const response = await ask({ ...GEMINI, messages: [{ role: "user", content: [part] }] });
  assertEquals(
    response.headers.get("sluice-dropped"),
    "messages[0].content[0].functionResponse.willContinue",
  );
  await response.body?.cancel();
  const [{ parts }] = JSON.parse(sent.at(-1)!.body).contents;
  assertEquals(parts, [{ functionResponse: { name: "f", response: {} } }]);
});

Deno.test("Claude's betas go into the body, those that Vertex AI does not know are left out, and errors of both forms are read", async () => {
  const { fetch, calls } = room(stored(ONE.file, { wait: () => new Promise(() => {}) }));
  const ask = (more: object = {}) =>
    fetch(post("http://gateway.test/v1/messages", {
      model: "vertex/claude-sonnet-4-5",
      max_tokens: 9,
      messages,
      ...more,
    }, {
      authorization: `Bearer ${TOKEN}`,
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,context-1m-2025-08-07,advanced-tool-use-2025-11-20",
    }));
  const response = await ask();
  assertEquals((await response.json()).content[0].text, "Hi");
  const [{ headers, body }] = calls();
  assertEquals(headers.get("anthropic-beta"), null);
  assertEquals(JSON.parse(body).anthropic_beta, ["context-1m-2025-08-07", "tool-search-tool-2025-10-19"]);
  const foreign = await ask({ container: "c_1", mcp_servers: [] });
  assertEquals([foreign.status, foreign.headers.get("sluice-dropped")], [200, "container, mcp_servers"]);
  await foreign.body?.cancel();
  const refused = await ask({ max_tokens: 9, temperature: 7 });
  assertEquals([refused.status, (await refused.json()).type], [400, "error"]);
  const count = await fetch(post("http://gateway.test/v1/messages/count_tokens", {
    model: "vertex/claude-sonnet-4-5",
    messages,
  }, { authorization: `Bearer ${TOKEN}` }));
  assertEquals(await count.json(), { input_tokens: 20 });
  assert(calls().at(-1)!.url.endsWith("/publishers/anthropic/models/count-tokens:rawPredict"));
});

Deno.test("embeddings go to :predict, and to :embedContent one by one since Gemini's second generation", async () => {
  const embed = async (model: string, input: string[]) => {
    const { fetch, calls } = room(stored(ONE.file));
    const url = "http://gateway.test/v1/embeddings";
    const { data, usage } = await ok(
      await fetch(post(url, { model, input, dimensions: 2 }, { authorization: `Bearer ${TOKEN}` })),
    );
    return [
      calls().length,
      data.map(({ embedding }: Any) => embedding),
      usage.prompt_tokens,
      calls()[0].body,
    ];
  };
  assertEquals(await embed("vertex/text-embedding-005", ["a", "bc"]), [
    1,
    [[1, 1], [2, 1]],
    6,
    '{"instances":[{"content":"a"},{"content":"bc"}],"parameters":{"outputDimensionality":2}}',
  ]);
  assertEquals((await embed("vertex/gemini-embedding-001", ["a", "bc"]))[0], 2);
  assertEquals(await embed("vertex/google/gemini-embedding-2", ["a", "bc"]), [
    2,
    [[7, 7], [7, 7]],
    8,
    '{"outputDimensionality":2,"content":{"parts":[{"text":"a"}]}}',
  ]);
});

Deno.test("a streamed body on a native path cannot be sent again after 401: the client is told to, and the next request has a new token", async () => {
  const { fetch, endpoint, calls } = room(stored(ONE.file));
  const url =
    "http://gateway.test/v1/acct/gw/google-vertex-ai/v1beta1/projects/my-project/locations/global/" +
    "publishers/google/models/gemini-3.5-flash:generateContent";
  const body = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "Hi" }] }] });
  const upload = () =>
    fetch(
      new Request(url, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
        body: new Blob([body]).stream(),
      }),
    );
  assertEquals((await upload()).status, 200);
  endpoint.revoke();
  const told = await upload();
  const text = await told.text();
  assertEquals([told.status, calls().length], [502, 2], text);
  assert(
    text.includes("refused the gateway's token with 401") && text.includes("send the request again"),
    text,
  );
  assertEquals([(await upload()).status, endpoint.minted.length], [200, 2]);
  // A body whose length is told is read first, and sent once more.
  endpoint.revoke();
  const length = { "content-length": `${body.length}` };
  const short = await fetch(post(url, JSON.parse(body), { authorization: `Bearer ${TOKEN}`, ...length }));
  assertEquals([short.status, endpoint.minted.length], [200, 3], await short.text());
});

Deno.test("native paths are signed with the stored account if the client brought nothing", async () => {
  const { fetch, calls, endpoint } = room(stored(ONE.file), { client: "ya29.own" });
  const path =
    "v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-3.5-flash:generateContent";
  const body = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "Hi" }] }] });
  const ask = (headers: Record<string, string>) =>
    fetch(
      post(`http://gateway.test/v1/account/default/google-vertex-ai/${path}`, body, {
        "content-length": `${body.length}`,
        ...headers,
      }),
    );
  const response = await ask({ "cf-aig-authorization": `Bearer ${TOKEN}` });
  assertEquals((await response.json()).candidates[0].content.parts, [{ text: "Hi" }]);
  endpoint.revoke();
  assertEquals((await ask({ "cf-aig-authorization": `Bearer ${TOKEN}` })).status, 200);
  assertEquals([endpoint.minted.length, calls().length], [2, 3]);
  await ask({ "cf-aig-authorization": `Bearer ${TOKEN}`, authorization: "Bearer ya29.own" });
  assertEquals(calls().at(-1)!.headers.get("authorization"), "Bearer ya29.own");
  assertEquals(calls().at(-1)!.url, `https://europe-west4-aiplatform.googleapis.com/${path}`);
});

// ---------------------------------------------------------------- bad input

Deno.test("a missing project and an unknown publisher are told, and nothing is sent", async () => {
  const { project_id: _, ...file } = ONE.file;
  const { ask, sent } = room(stored(file));
  const project = await fault(await ask(GEMINI));
  for (const cure of ["400 ", "GOOGLE_CLOUD_PROJECT", "providers.google-vertex-ai.project"]) {
    assertStringIncludes(project, cure);
  }
  for (const model of ["vertex/nobody/model", "vertex/what-is-this", "vertex/constructor/x"]) {
    assertStringIncludes(
      await fault(await ask({ model, messages })),
      "publishers are google, anthropic, mistralai",
    );
  }
  const evil = { ...file, project_id: "p/../../evil" };
  assertStringIncludes(
    await fault(
      await ask(GEMINI, {
        authorization: `Bearer ${JSON.stringify(evil)}`,
        "cf-aig-authorization": `Bearer ${TOKEN}`,
      }),
    ),
    "it needs a project",
  );
  assertEquals(sent.length, 0);
  const keyless = room({ providers: { vertex: { project: "p-1" } } });
  assertStringIncludes(await fault(await keyless.ask(GEMINI)), "401 ");
});

Deno.test("variables of Google's tools set the account, the project and the location; a half pair and another file end the start", () => {
  const env = (values: Record<string, string>) => readEnv((name) => values[name]);
  const json = JSON.stringify(ONE.file);
  const { options } = env({
    GOOGLE_APPLICATION_CREDENTIALS_JSON: json,
    VERTEXAI_PROJECT: "p-1",
    CLOUD_ML_REGION: "eu",
  });
  assertEquals(options.keys, { "google-vertex-ai": json });
  assertEquals(options.providers, { "google-vertex-ai": { location: "eu", project: "p-1" } });
  const { client_email, private_key } = ONE.file;
  const pair = env({ GOOGLE_CLIENT_EMAIL: client_email, GOOGLE_PRIVATE_KEY: private_key });
  assertEquals(pair.options.keys, {
    "google-vertex-ai": JSON.stringify({ client_email, private_key: private_key.trim() }),
  });
  assertEquals(env({ VERTEXAI_CREDENTIALS: btoa(json) }).options.keys, { "google-vertex-ai": [btoa(json)] });
  // Other programs read these variables too.
  const odd = env({ GOOGLE_CLOUD_PROJECT: "Not a project!", CLOUD_ML_REGION: "nowhere" });
  assertEquals([odd.options.providers, odd.warnings.length], [undefined, 2]);
  const faults: [Record<string, string>, string][] = [
    [{ GOOGLE_CLIENT_EMAIL: "a@b" }, "Cannot use GOOGLE_CLIENT_EMAIL: GOOGLE_PRIVATE_KEY is not set"],
    [{ GOOGLE_PRIVATE_KEY: "x" }, "Cannot use GOOGLE_PRIVATE_KEY: GOOGLE_CLIENT_EMAIL is not set"],
    [
      { GOOGLE_APPLICATION_CREDENTIALS_JSON: '{"type":"authorized_user","refresh_token":"hush"}' },
      "it has no client_id",
    ],
    [{ GOOGLE_APPLICATION_CREDENTIALS_JSON: '{"type":"external_account"}' }, "it has no client_email"],
    [
      { GOOGLE_APPLICATION_CREDENTIALS_JSON: "{" },
      "it must be one key, or JSON of texts: client_email, private_key",
    ],
  ];
  for (const [values, message] of faults) {
    const { message: told } = assertThrows(() => env(values), TypeError);
    assertStringIncludes(told, message);
    assert(!told.includes("hush"));
  }
});
