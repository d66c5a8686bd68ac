/** The ways to Bedrock's models: which path, which form, and what comes back. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import { AnthropicBedrock } from "npm:@anthropic-ai/bedrock-sdk@1.1.3";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from "npm:@aws-sdk/client-bedrock-runtime@3.1164.0";
import { FAKES, streamed, TEXT } from "../wires/shared.ts";
import { type Asked, type Json, lab, readEvents } from "./lab.ts";
import { awsError, framed, strictConverse } from "./strict_converse.ts";
import { strictInvoke } from "./strict_invoke.ts";
import { type Pair, signatureFault } from "./strict_sigv4.ts";

// deno-lint-ignore no-explicit-any -- Bodies and SDKs of several forms.
type Any = any;

const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const ARN = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/ab12";
const messages = [{ role: "user" as const, content: "Hi" }];
const anthropic = FAKES.find(({ provider }) => provider === "anthropic")!;
const fake = FAKES.find(({ name }) => name === "aws-bedrock's Invoke")!;
const SAID = TEXT.text!.join("");

/** Bedrock's Claude, in whichever of both forms it is asked. */
function claude(asked: Asked): Response | Promise<Response> {
  if (!asked.url.pathname.includes("/invoke")) return strictConverse([[{ text: SAID }]]).play(asked);
  return strictInvoke([[{ type: "text", text: SAID }]]).play(asked).then(async (answer) => {
    if (!answer.ok || !asked.url.pathname.endsWith("-stream")) return answer;
    await answer.body?.cancel();
    return streamed(fake, fake.stream(TEXT));
  });
}

/** A client of Messages before a provider. */
function messagesOf(play: (asked: Asked) => Response | Promise<Response>, options: object = {}) {
  const room = lab(play, options);
  const client = new Anthropic({
    apiKey: "key",
    baseURL: "http://gateway.test",
    maxRetries: 0,
    fetch: (input: Any, init: Any) => room.gateway.fetch(new Request(input, init)),
  });
  return { ...room, client };
}

// ---------------------------------------------------------------- the ways

Deno.test("a model of Bedrock is spoken to in the way of its maker, or in the way that its name forces", async () => {
  const cases: [model: string, body: object, path: string][] = [
    [CLAUDE, {}, `/model/${encodeURIComponent(CLAUDE)}/invoke`],
    [CLAUDE, { stream: true }, `/model/${encodeURIComponent(CLAUDE)}/invoke-with-response-stream`],
    [`arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku`, {}, "/invoke"],
    [`converse/${CLAUDE}`, {}, "/converse"],
    ["invoke/some-model", {}, "/model/some-model/invoke"],
    [`messages/${CLAUDE}`, {}, "/anthropic/v1/messages"],
    ["amazon.nova-pro-v1:0", {}, "/converse"],
    ["openai.gpt-oss-120b-1:0", {}, "/converse"],
    ["xai.grok-4-v1:0", {}, "/openai/v1/chat/completions"],
    ["openai.gpt-6.1-sol", {}, "/openai/v1/chat/completions"],
    ["openai.gpt-6.1-sol", { tools: [] }, "/openai/v1/chat/completions"],
    ["openai.gpt-6.1-sol", { tools: [{ type: "function", function: { name: "f" } }] }, "/converse"],
    [
      "openai.gpt-5.6",
      { tools: [{ type: "function", function: { name: "f" } }], reasoning_effort: "none" },
      "/openai/v1/chat/completions",
    ],
    [
      "openai.gpt-6.1-sol",
      { tools: [{ type: "function", function: { name: "f" } }], reasoning_effort: "none" },
      "/converse",
    ],
    ["openai.gpt-5.5", {}, "/converse"],
    [ARN, {}, "/converse"],
  ];
  for (const [model, body, path] of cases) {
    const { post, asked } = lab(() => awsError(400, "ValidationException", "No."));
    await (await post({ model: `aws-bedrock/us-east-1/${model}`, messages, ...body })).text();
    assert(asked[0].url.pathname.endsWith(path), `${model}: ${asked[0].url.pathname}`);
  }
});

Deno.test("the option baseModels tells the model behind a profile: its way, and what its generation takes", async () => {
  const base = (model: string) => ({ providers: { "aws-bedrock": { baseModels: { [ARN]: model } } } });
  const sent = async (model: string, options: object) => {
    const { post, asked } = lab(claude, options);
    const response = await post({ model, messages, reasoning_effort: "high", temperature: 0.5 });
    assertEquals(response.status, 200, await response.clone().text());
    await response.text();
    return asked[0];
  };
  const id = encodeURIComponent(ARN);
  const opus = await sent(`bedrock/${ARN}`, base("anthropic.claude-opus-4-8-v1:0"));
  assertEquals(opus.url.pathname, `/model/${id}/invoke`);
  assertEquals([opus.body.thinking, opus.body.temperature], [
    { type: "adaptive", display: "summarized" },
    undefined,
  ]);
  const forced = await sent(`bedrock/converse/${ARN}`, base("anthropic.claude-sonnet-4-5"));
  assertEquals(forced.url.pathname, `/model/${id}/converse`);
  assertEquals((forced.body.additionalModelRequestFields as Any).thinking.type, "enabled");
  const nova = await sent(`bedrock/${ARN}`, base("amazon.nova-2-lite-v1:0"));
  assertEquals((nova.body.additionalModelRequestFields as Any).reasoningConfig.maxReasoningEffort, "high");
  const { post } = lab(claude, base("constructor"));
  assertEquals((await post({ model: "bedrock/us-east-1/constructor", messages })).status, 200);
});

Deno.test("options of the row change all its ways", async () => {
  const sent = async (providers: object, model = CLAUDE) => {
    const { post, asked } = lab(() => awsError(400, "ValidationException", "No."), { providers } as object);
    const response = await post({ model: `bedrock/us-east-1/${model}`, messages, top_k: 5, top_p: 1 });
    await response.text();
    return [asked[0].url.pathname, asked[0].body.top_k, response.headers.get("sluice-dropped")];
  };
  const id = encodeURIComponent(CLAUDE);
  assertEquals(await sent({ bedrock: { drop: ["top_k"] } }), [`/model/${id}/invoke`, undefined, "top_k"]);
  const local = { bedrock: { baseUrl: "http://127.0.0.1:1" } };
  assertEquals(await sent(local), [`/model/${id}/invoke`, 5, null]);
});

// ---------------------------------------------------------------- Claude by Invoke

Deno.test("a client of Messages gets Claude's own answer and stream from Invoke, byte for byte but the frames", async () => {
  const { client, gateway, asked } = messagesOf(claude);
  const body = { model: `aws-bedrock/us-east-1/${CLAUDE}`, max_tokens: 99, messages };
  const { content, stop_reason } = await client.messages.create(body);
  assertEquals([content[0], stop_reason], [{ type: "text", text: SAID } as Any, "end_turn"]);
  const stream = await client.messages.stream(body).finalMessage();
  assertEquals((stream.content[0] as Any).text, SAID);
  const response = await gateway.fetch(
    new Request("http://gateway.test/v1/messages", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify({ ...body, stream: true }),
    }),
  );
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const events = anthropic.stream(TEXT).map(({ event, data }) =>
    `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
  );
  assertEquals(await response.text(), events.join(""));
  const members = ["anthropic_version", "max_tokens", "messages"];
  assertEquals(asked.map(({ body }) => Object.keys(body)), [members, members, members]);
});

Deno.test("a body of Messages keeps its bytes on its way to Invoke, wherever model and stream stand", async () => {
  const head = '"anthropic_version":"bedrock-2023-05-31"';
  const cases: [from: (model: string) => string, to: string][] = [
    [
      (model) =>
        `{"model":"${model}","max_tokens":9,"messages":[{"role":"user","content":"h\\u00e9"}],"stream":false}`,
      `{${head},"max_tokens":9,"messages":[{"role":"user","content":"h\\u00e9"}]}`,
    ],
    [
      (model) =>
        ` { "messages" : [{"role":"user","content":"Hi"}] , "max_tokens":1.0e1,\n"model" : "${model}" }`,
      ` {${head}, "messages" : [{"role":"user","content":"Hi"}] , "max_tokens":1.0e1 }`,
    ],
    [
      (model) =>
        `{"anthropic_version":"x","model":"${model}","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`,
      `{${head},"max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`,
    ],
  ];
  const { gateway, asked } = lab(claude);
  for (const [from, to] of cases) {
    const response = await gateway.fetch(
      new Request("http://gateway.test/v1/messages", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: from(`bedrock/us-east-1/${CLAUDE}`),
      }),
    );
    assertEquals([response.status, asked.at(-1)!.text], [200, to], await response.text());
  }
});

Deno.test("betas go to Invoke in the body: those that it knows, by its names, beside the client's own", async () => {
  const { gateway, asked } = lab(claude);
  const betas =
    "claude-code-20250219,context-1m-2025-08-07, advanced-tool-use-2025-11-20,prompt-caching-scope-2026-01-05";
  const headers = {
    "content-type": "application/json",
    authorization: "Bearer key",
    "anthropic-beta": betas,
  };
  const send = async (path: string, body: Json) => {
    const url = `http://gateway.test${path}`;
    const response = await gateway.fetch(
      new Request(url, { method: "POST", headers, body: JSON.stringify(body) }),
    );
    assertEquals(response.status, 200, await response.text());
    return asked.at(-1)!;
  };
  const body = { model: `bedrock/us-east-1/${CLAUDE}`, max_tokens: 9, messages };
  const known = ["context-1m-2025-08-07", "tool-search-tool-2025-10-19"];
  for (const path of ["/v1/messages?beta=true", "/v1/chat/completions"]) {
    const { body: sent, headers, url } = await send(path, body);
    assertEquals([sent.anthropic_beta, headers.get("anthropic-beta"), url.search], [known, null, ""]);
  }
  const { body: sent } = await send("/v1/messages", { ...body, anthropic_beta: ["effort-2025-11-24"] });
  assertEquals(sent.anthropic_beta, ["effort-2025-11-24", ...known]);
});

Deno.test("what only Anthropic itself serves is left out on the way to Invoke, and named", async () => {
  const { gateway } = lab(claude);
  const body = {
    model: `bedrock/us-east-1/${CLAUDE}`,
    max_tokens: 9,
    messages,
    mcp_servers: [{ type: "url", url: "https://mcp.example", name: "m" }],
    service_tier: "auto",
  };
  const response = await gateway.fetch(
    new Request("http://gateway.test/v1/messages", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify(body),
    }),
  );
  assertEquals([response.status, response.headers.get("sluice-dropped")], [200, "mcp_servers, service_tier"]);
});

Deno.test("a guardrail, a latency and a tier of Converse are headers on the way to Invoke, whichever client writes them", async () => {
  const own = {
    guardrailConfig: {
      guardrailIdentifier: "gr-1",
      guardrailVersion: "2",
      trace: "enabled",
      streamProcessingMode: "async",
    },
    performanceConfig: { latency: "optimized" },
    serviceTier: { type: "priority" },
  };
  const { gateway, asked } = lab(claude);
  const send = async (path: string, more: Record<string, string> = {}) => {
    const response = await gateway.fetch(
      new Request(`http://gateway.test${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key", ...more },
        body: JSON.stringify({ model: `bedrock/us-east-1/${CLAUDE}`, max_tokens: 9, messages, ...own }),
      }),
    );
    const lost = response.headers.get("sluice-dropped");
    assertEquals(
      [response.status, lost],
      [200, "guardrailConfig.streamProcessingMode"],
      await response.text(),
    );
    const { headers, body } = asked.at(-1)!;
    assertEquals(Object.keys(body).filter((member) => /Config|Tier/.test(member)), []);
    return [...headers].filter(([name]) => name.startsWith("x-amzn-bedrock-"));
  };
  const due = [
    ["x-amzn-bedrock-guardrailidentifier", "gr-1"],
    ["x-amzn-bedrock-guardrailversion", "2"],
    ["x-amzn-bedrock-performanceconfig-latency", "optimized"],
    ["x-amzn-bedrock-service-tier", "priority"],
    ["x-amzn-bedrock-trace", "ENABLED"],
  ];
  for (const path of ["/v1/chat/completions", "/v1/messages"]) assertEquals(await send(path), due);
  const [[, first]] = await send("/v1/messages", { "x-amzn-bedrock-guardrailidentifier": "of-the-header" });
  assertEquals(first, "of-the-header");
  const strict = await gateway.fetch(
    new Request("http://gateway.test/v1/messages", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key", "sluice-strict": "true" },
      body: JSON.stringify({ model: `bedrock/us-east-1/${CLAUDE}`, max_tokens: 9, messages, ...own }),
    }),
  );
  assert(strict.status === 400 && (await strict.text()).includes("guardrailConfig.streamProcessingMode"));
});

Deno.test("tools that only Anthropic runs are left out of other clients' calls of Invoke, and the others stay", async () => {
  const { gateway, asked } = lab(claude);
  const own = { type: "function", name: "f", parameters: { type: "object", properties: {} } };
  const search = { type: "web_search" };
  for (const tools of [[search, own], [own, search]]) {
    const body = { model: `bedrock/us-east-1/${CLAUDE}`, input: "Hi", tools };
    const response = await gateway.fetch(
      new Request("http://gateway.test/v1/responses", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify(body),
      }),
    );
    const place = `tools[${tools.indexOf(search as never)}]`;
    assertEquals(
      [response.status, response.headers.get("sluice-dropped")],
      [200, place],
      await response.text(),
    );
    assertEquals((asked.at(-1)!.body.tools as Json[]).map(({ name }) => name), ["f"]);
  }
});

Deno.test("an exception or a broken stream of Invoke ends in Anthropic's error event for its clients", async () => {
  const begun = fake.stream(TEXT).slice(0, 3);
  const bytes = fake.framed!.bytes(begun);
  const cases: [Response, string][] = [
    [
      streamed(fake, [...begun, { event: "throttlingException", data: { message: "Too many tokens" } }]),
      "Too many tokens",
    ],
    [new Response(bytes.slice(0, -5), { headers: { "content-type": fake.framed!.type } }), "broke off"],
  ];
  for (const [answer, words] of cases) {
    const { client } = messagesOf(() => answer);
    const stream = client.messages.stream({ model: `bedrock/us-east-1/${CLAUDE}`, max_tokens: 9, messages });
    const error = await assertRejects(() => stream.finalMessage(), Anthropic.APIError);
    assert(error.message.includes(words), error.message);
  }
});

Deno.test("errors of Invoke are told in each client's form, with Amazon's words", async () => {
  const said = "Invocation of model ID x with on-demand throughput isn’t supported.";
  const { client, openai } = messagesOf(() => awsError(400, "ValidationException", said));
  const model = `bedrock/us-east-1/${CLAUDE}`;
  const ours = await assertRejects(
    () => client.messages.create({ model, max_tokens: 9, messages }),
    Anthropic.APIError,
  );
  assert(ours.status === 400 && ours.message.includes(said) && ours.message.includes("us."), ours.message);
  const theirs: Any = await assertRejects(() => openai.chat.completions.create({ model, messages }));
  assert(theirs.status === 400 && theirs.message.includes(said), theirs.message);
});

Deno.test("Claude by Amazon's Messages endpoint is handed through, with the key where that endpoint takes it", async () => {
  const { client, asked } = messagesOf(() => Response.json(anthropic.whole(TEXT)));
  await client.messages.create({ model: `bedrock/us-east-1/messages/${CLAUDE}`, max_tokens: 9, messages });
  const [{ url, headers, body }] = asked;
  assertEquals(url.href, "https://bedrock-runtime.us-east-1.amazonaws.com/anthropic/v1/messages");
  assertEquals([headers.get("x-api-key"), headers.get("authorization"), body.model], ["key", null, CLAUDE]);
  assert(headers.get("anthropic-version"));
});

Deno.test("Grok and GPT by Amazon's chat completions have their ids and lose what they refuse", async () => {
  const { post, asked } = lab(() => Response.json(FAKES[0].whole(TEXT)));
  const ask = { messages, max_tokens: 9, frequency_penalty: 1 };
  const grok = await post({ ...ask, model: "bedrock/us-east-1/xai.grok-4-v1:0" });
  assertEquals([asked[0].body.model, grok.headers.get("sluice-dropped")], [
    "xai.grok-4-v1:0",
    "frequency_penalty",
  ]);
  const still = { messages, model: "bedrock/us-east-1/xai.grok-4-v1:0", reasoning_effort: "none" };
  assertEquals((await post(still)).headers.get("sluice-dropped"), "reasoning_effort");
  assertEquals(Object.keys(asked.pop()!.body), ["messages", "model"]);
  await post({ ...still, reasoning_effort: "low" });
  assertEquals(asked.pop()!.body.reasoning_effort, "low");
  await post({ ...ask, model: "bedrock/us-east-1/openai.gpt-6.1-sol" });
  assertEquals([asked[1].body.model, asked[1].body.max_completion_tokens], ["openai.gpt-6.1-sol", 9]);
});

// ---------------------------------------------------------------- official clients at native paths

const PAIR: Pair = { accessKeyId: "AKIASTORED", secretAccessKey: "stored/secret+key" };
const TOKEN = "token-of-the-gateway";
const BASE = "http://gateway.test/v1/acct/gw/aws-bedrock/bedrock-runtime/us-east-1";

/** A gateway with a stored pair, before a Bedrock that checks signatures. */
const native = (play: (asked: Asked) => Response | Promise<Response>) =>
  lab(async (asked) => {
    const { method, url, headers, text } = asked;
    const scope = { service: "bedrock", region: "us-east-1" };
    const arrived = { method, url: url.href, headers, body: text };
    const fault = await signatureFault(arrived, [PAIR], scope, Date.now());
    return fault ? awsError(403, fault.split(":")[0], fault) : await play(asked);
  }, { tokens: [TOKEN], keys: { "aws-bedrock": PAIR as never } });

Deno.test("Amazon's SDK works through native paths with a gateway token in place of its keys", async () => {
  const { gateway } = native((asked) =>
    asked.url.pathname.endsWith("/invoke")
      ? Response.json({ completion: "raw" })
      : strictConverse([[{ text: SAID }]]).play(asked)
  );
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: BASE,
    token: { token: TOKEN },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: {
      async handle({ method, protocol, hostname, path, headers, body }: Any) {
        const { host: _, "content-length": __, ...sent } = headers;
        const request = new Request(`${protocol}//${hostname}${path}`, { method, headers: sent, body });
        const response = await gateway.fetch(request);
        return {
          response: {
            statusCode: response.status,
            headers: Object.fromEntries(response.headers),
            body: response.body,
          },
        };
      },
    } as Any,
  });
  const input: Any = { modelId: ARN, messages: [{ role: "user", content: [{ text: "Hi" }] }] };
  const { output } = await client.send(new ConverseCommand(input));
  assertEquals((output as Any).message.content, [{ text: SAID }]);
  const { stream } = await client.send(new ConverseStreamCommand(input));
  let text = "";
  for await (const { contentBlockDelta } of stream!) text += contentBlockDelta?.delta?.text ?? "";
  assertEquals(text, SAID);
  const { body } = await client.send(
    new InvokeModelCommand({ modelId: "m", body: "{}", contentType: "application/json" }),
  );
  assertEquals(JSON.parse(new TextDecoder().decode(body)), { completion: "raw" });
});

Deno.test("Anthropic's SDK for Bedrock works through native paths, whole and streamed", async () => {
  const { gateway } = native((asked) => {
    // The SDK writes the version of its header.
    assert(asked.body.anthropic_version);
    return claude({ ...asked, body: { ...asked.body, anthropic_version: "bedrock-2023-05-31" } });
  });
  const client = new AnthropicBedrock({
    awsRegion: "us-east-1",
    baseURL: BASE,
    skipAuth: true,
    maxRetries: 0,
    defaultHeaders: { "cf-aig-authorization": `Bearer ${TOKEN}` },
    fetch: ((input: Any, init: Any) => gateway.fetch(new Request(input, init))) as Any,
  });
  const body = { model: CLAUDE, max_tokens: 9, messages };
  assertEquals((await client.messages.create(body)).content[0] as Any, { type: "text", text: SAID });
  assertEquals((await client.messages.stream(body).finalMessage()).content[0] as Any, {
    type: "text",
    text: SAID,
  });
});

Deno.test("a stream of Converse that comes without its content type is not taken for an answer", async () => {
  const { post } = lab(() => {
    const { body } = framed([["messageStart", { role: "assistant" }]]);
    return new Response(body, { headers: { "content-type": "text/plain" } });
  });
  const response = await post({ model: "bedrock/us-east-1/amazon.nova-pro-v1:0", messages, stream: true });
  assert(response.status >= 500 || (await readEvents(response)).chunks.some(({ error }) => error));
});

Deno.test("rows of the log have the tokens and the cost of Bedrock's answers, on every way", async () => {
  const price = { cost: { input: 1, output: 2 } };
  const table = { "amazon-bedrock": { models: { [CLAUDE]: price, "amazon.nova-pro-v1:0": price } } };
  const options = { priceTable: () => Promise.resolve(JSON.stringify(table)) };
  const native = "/v1/acct/gw/aws-bedrock/bedrock-runtime/us-east-1/model";
  const cases: [path: string, model: string | undefined, stream: boolean][] = [
    ["/v1/messages", `us-east-1/${CLAUDE}`, false],
    ["/v1/messages", `us-east-1/invoke/${CLAUDE}`, true],
    ["/v1/chat/completions", `us-east-1/${CLAUDE}`, true],
    ["/v1/chat/completions", "us-east-1/amazon.nova-pro-v1:0", true],
    [`${native}/${CLAUDE}/invoke`, undefined, false],
    [`${native}/amazon.nova-pro-v1%3A0/converse`, undefined, false],
  ];
  const converse = FAKES.find(({ name }) => name === "aws-bedrock's Converse")!;
  for (const [path, model, stream] of cases) {
    const { gateway, logged } = lab(({ url }) => {
      const own = url.pathname.includes("/invoke") ? fake : converse;
      return stream ? streamed(own, own.stream(TEXT)) : Response.json(own.whole(TEXT));
    }, options);
    const body = { max_tokens: 9, messages, ...(model && { model: `bedrock/${model}`, stream }) };
    const response = await gateway.fetch(
      new Request(`http://gateway.test${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify(body),
      }),
    );
    assertEquals(response.status, 200);
    await response.text();
    await new Promise((resolve) => setTimeout(resolve));
    const [{ inputTokens, outputTokens, cost }] = logged as Any[];
    assertEquals([path, inputTokens, outputTokens, cost > 0], [path, 20, 5, true]);
  }
});
