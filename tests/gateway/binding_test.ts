/** The gateway as an object, which programs and Workers call in place of a URL. */
import { assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { configured } from "../../gateway/serve/configured.ts";
import { createGateway, gateway, type GatewayBinding, remoteGateway } from "../../mod.ts";

const STEP = {
  provider: "compat",
  endpoint: "chat/completions",
  headers: { Authorization: "Bearer sk-1", "Content-Type": "application/json" },
  query: { model: "demo/echo", messages: [{ role: "user", content: "Grüße, 世界" }] },
};

const JSON_TYPE = { "content-type": "application/json" };

const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
};

const MODEL = (model: string) => ({ ...STEP, query: { ...STEP.query, model } });

/** A gateway that keeps what it sends, and answers each request with the next of these. */
function recording(answers: (() => Response)[], options: Parameters<typeof createGateway>[0] = {}) {
  const sent: { url: string; headers: Headers; body: unknown }[] = [];
  const { gateway, fetch } = createGateway({
    wait: () => Promise.resolve(),
    async fetch(url, init) {
      sent.push({ url, headers: new Headers(init.headers), body: await new Response(init.body).json() });
      return (answers.shift() ?? (() => Response.json(ANSWER)))();
    },
    ...options,
  });
  return { binding: gateway("default"), fetch, sent };
}

async function content(response: Response): Promise<string> {
  return (await response.json()).choices[0].message.content;
}

// ---------------------------------------------------------------- run

Deno.test("run() takes one step or several, and answers as the universal endpoint does", async () => {
  for (const data of [STEP, [STEP], [MODEL("demo/status-404"), STEP]]) {
    const response = await gateway("default").run(data);
    assertEquals(response.status, 200);
    assertEquals(await content(response), "Grüße, 世界");
    assertEquals(response.headers.get("cf-aig-step"), String([data].flat().length - 1));
  }
});

Deno.test("run() answers with a stream as it arrives", async () => {
  const response = await gateway("default").run({ ...STEP, query: { ...STEP.query, stream: true } });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const events = (await response.text()).split("\n\n").filter(Boolean);
  assertEquals(events.at(-1), "data: [DONE]");
});

Deno.test("run() answers malformed steps with the path of the fault", async () => {
  for (
    const [data, param] of [
      [{ ...STEP, provider: 7 }, "[0].provider"],
      [[STEP, { provider: "openai" }], "[1].endpoint"],
      [null, "[0]"],
      ["openai", "[0]"],
    ] as const
  ) {
    const response = await gateway("default").run(data as never);
    assertEquals(response.status, 400);
    const body = await response.json();
    assertEquals([body.success, body.param], [false, param]);
  }
});

Deno.test("run() needs no token and may use stored keys, where fetch() is refused", async () => {
  const { binding, fetch, sent } = recording([], { tokens: ["tok"], keys: { openai: "sk-stored" } });
  const { headers: _, ...step } = MODEL("openai/m");
  assertEquals((await binding.run(step)).status, 200);
  assertEquals(sent[0].headers.get("authorization"), "Bearer sk-stored");
  const refused = await fetch(
    new Request("http://localhost/v1/a/default", { method: "POST", body: JSON.stringify(step) }),
  );
  assertEquals(refused.status, 401);
  await binding.run(MODEL("openai/m"));
  assertEquals(sent[1].headers.get("authorization"), "Bearer sk-1");
});

Deno.test("run() applies the settings of its options", async () => {
  const busy = () => Response.json({ error: { message: "busy" } }, { status: 503 });
  const { binding, sent } = recording([busy, busy], {
    keys: { openai: { default: "sk-a", team: "sk-b" } },
  });
  const { headers: _, ...step } = MODEL("openai/m");
  const response = await binding.run(step, {
    gateway: { retries: { maxAttempts: 3, retryDelayMs: 1 }, eventId: "mine", byokAlias: "team" },
  });
  assertEquals(await content(response), "Hi");
  assertEquals(sent.map(({ headers }) => headers.get("authorization")), Array(3).fill("Bearer sk-b"));
  assertEquals(response.headers.get("cf-aig-event-id"), "mine");
});

Deno.test("run() echoes the event id of the step that answered", async () => {
  const named = (id: string, model: string) => ({ ...MODEL(model), headers: { "cf-aig-event-id": id } });
  const steps = [named("first", "demo/status-500"), named("second", "demo/echo")];
  const response = await gateway("default").run(steps, { gateway: { eventId: "all" } });
  assertEquals(response.headers.get("cf-aig-event-id"), "second");
});

Deno.test("run() writes options and headers of every type as texts", async () => {
  let request: Request | undefined;
  const { run } = remoteGateway({
    url: "https://sluice.test/",
    token: "tok",
    fetch: (one) => {
      request = one;
      return Promise.resolve(new Response());
    },
  });
  const big = 2n ** 64n;
  const headers = new Headers({ authorization: "Bearer sk-1" });
  const metadata = { user: "世界", n: big, paid: true, none: null };
  const steps = [
    { ...STEP, headers },
    { ...STEP, headers: { "cf-aig-metadata": metadata, "cf-aig-cache-ttl": 60, "x-none": undefined } },
  ];
  await run(steps, {
    gateway: {
      id: "other",
      cacheKey: "key",
      cacheTtl: 3600,
      skipCache: false,
      metadata,
      collectLog: true,
      eventId: "event",
      requestTimeoutMs: 1000,
      retries: { maxAttempts: 2, retryDelayMs: 0, backoff: "linear" },
      byokAlias: "team",
      zdr: true,
    },
    extraHeaders: { "x-own": 7, "CF-AIG-Cache-TTL": "60" },
  });
  assertEquals(request!.url, "https://sluice.test/v1/-/default/");
  assertEquals(Object.fromEntries(request!.headers), {
    "cf-aig-authorization": "Bearer tok",
    "cf-aig-backoff": "linear",
    "cf-aig-byok-alias": "team",
    "cf-aig-cache-key": "key",
    "cf-aig-cache-ttl": "60",
    "cf-aig-collect-log": "true",
    "cf-aig-event-id": "event",
    "cf-aig-max-attempts": "2",
    "cf-aig-metadata": '{"user":"\\u4e16\\u754c","n":"18446744073709551616","paid":true,"none":null}',
    "cf-aig-request-timeout": "1000",
    "cf-aig-retry-delay": "0",
    "cf-aig-skip-cache": "false",
    "cf-aig-zdr": "true",
    "content-type": "application/json",
    "x-own": "7",
  });
  const body = await request!.json();
  assertEquals(body[0], { ...STEP, headers: { authorization: "Bearer sk-1" } });
  assertEquals(body[1].headers, {
    "cf-aig-cache-ttl": "60",
    "cf-aig-metadata": request!.headers.get("cf-aig-metadata"),
  });
});

// ---------------------------------------------------------------- signal

/** A provider's stream whose last event comes again and again until it is cancelled. */
function endless(events: string[]) {
  const cancelled = Promise.withResolvers<unknown>();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) =>
      controller.enqueue(new TextEncoder().encode(events.length > 1 ? events.shift() : events[0])),
    cancel: (reason) => cancelled.resolve(reason),
  }, { highWaterMark: 0 });
  const response = () => new Response(body, { headers: { "content-type": "text/event-stream" } });
  return { response, cancelled: cancelled.promise };
}

Deno.test("run() sends nothing when its signal has aborted before", async () => {
  const { binding, sent } = recording([]);
  const error = await assertRejects(() => binding.run(STEP, { signal: AbortSignal.abort() }), DOMException);
  assertEquals([error.name, sent.length], ["AbortError", 0]);
});

Deno.test("run() rejects with the signal's reason while the provider is silent, and ends the request", async () => {
  const controller = new AbortController();
  let upstream: AbortSignal | undefined;
  const { gateway } = createGateway({
    fetch: (_, { signal }) => {
      upstream = signal!;
      queueMicrotask(() => controller.abort("enough"));
      return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
    },
  });
  const reason = await gateway("default").run(MODEL("openai/m"), { signal: controller.signal })
    .then(() => "none", (reason) => reason);
  assertEquals([reason, upstream!.aborted], ["enough", true]);
});

const ANTHROPIC_TEXT = [
  {
    type: "message_start",
    message: { id: "msg_1", model: "m", usage: { input_tokens: 1, output_tokens: 1 } },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x" } },
];

const STREAMS = {
  "openai/m": [`data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n`],
  "anthropic/m": ANTHROPIC_TEXT.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
};

for (const [model, events] of Object.entries(STREAMS)) {
  Deno.test(`run() ends the stream of ${model} with the signal's reason`, async () => {
    const { response, cancelled } = endless([...events]);
    const { binding } = recording([response]);
    const controller = new AbortController();
    const query = { ...STEP.query, model, stream: true };
    const answer = await binding.run({ ...STEP, query }, { signal: controller.signal });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text: string | undefined = "";
    while (!text?.includes('"content":"x"')) text = (await reader.read()).value;
    const reason = new Error("enough");
    controller.abort(reason);
    const error = await reader.closed.catch((error) => error);
    assertStrictEquals(error, reason);
    await cancelled;
  });
}

// ---------------------------------------------------------------- places

Deno.test("getUrl() is where HTTP clients find the gateway, or a provider below it", async () => {
  const { gateway } = createGateway({ url: "https://sluice.test/", account: "acct" });
  assertEquals(await gateway("g w").getUrl(), "https://sluice.test/v1/acct/g%20w/");
  assertEquals(await gateway("g").getUrl("openai"), "https://sluice.test/v1/acct/g/openai");
  const remote = remoteGateway({ url: "https://sluice.test", account: "acct", gateway: "g" });
  assertEquals(await remote.getUrl("openai"), "https://sluice.test/v1/acct/g/openai");
  await assertRejects(() => createGateway().gateway("g").getUrl(), TypeError, "SLUICE_URL");
});

Deno.test("configured() reads the URL and the account id of the environment", async () => {
  const env = (SLUICE_URL: string): Record<string, string> => ({ SLUICE_URL, CLOUDFLARE_ACCOUNT_ID: "acct" });
  const { gateway } = configured((name) => env("https://sluice.test")[name]).gateway;
  assertEquals(await gateway("g").getUrl(), "https://sluice.test/v1/acct/g/");
  assertThrows(() => configured((name) => env("sluice.test")[name]), TypeError, "SLUICE_URL");
});

Deno.test("gateway() refuses an empty id, and remoteGateway() a URL that is not http or https", () => {
  assertThrows(() => gateway(""), TypeError, "id");
  for (
    const url of [
      "sluice.test",
      "xhttp://sluice.test",
      "ftp://sluice.test",
      "https://",
      "https:///x",
      "https://?x",
      "",
    ]
  ) {
    assertThrows(() => remoteGateway({ url }), TypeError, JSON.stringify(url));
  }
});

Deno.test("remoteGateway() follows no redirect, which would take its token elsewhere", async () => {
  const seen: Request[] = [];
  const send = (request: Request) => {
    seen.push(request);
    return Promise.resolve(
      new Response(null, { status: 307, headers: { location: "https://elsewhere.test" } }),
    );
  };
  const binding = remoteGateway({ url: "https://sluice.test", token: "tok", fetch: send });
  for (const options of [undefined, { signal: new AbortController().signal }]) {
    assertEquals((await binding.run(STEP, options)).status, 307);
  }
  assertEquals(seen.map(({ redirect }) => redirect), ["manual", "manual"]);
  // The same over the network.
  const followed: string[] = [];
  const quiet = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const other = Deno.serve(quiet, ({ headers }) => {
    followed.push(headers.get("cf-aig-authorization") ?? "none");
    return new Response("{}");
  });
  const location = `http://127.0.0.1:${other.addr.port}/`;
  const first = Deno.serve(quiet, () => new Response(null, { status: 307, headers: { location } }));
  const response = await remoteGateway({ url: `http://127.0.0.1:${first.addr.port}`, token: "tok" }).run(
    STEP,
  );
  await response.body?.cancel();
  assertEquals([response.status, followed], [307, []]);
  await Promise.all([first.shutdown(), other.shutdown()]);
});

Deno.test("remoteGateway() asks a served gateway by URL and token", async () => {
  const { fetch } = createGateway({ tokens: [{ token: "tok", gateways: ["mine"] }] });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, fetch);
  const url = `http://127.0.0.1:${server.addr.port}`;
  const asked = async (binding: GatewayBinding) => {
    const response = await binding.run(STEP);
    return response.ok ? await content(response) : (await response.json()).internalCode;
  };
  assertEquals(await asked(remoteGateway({ url, token: "tok", gateway: "mine" })), "Grüße, 世界");
  assertEquals(await asked(remoteGateway({ url, token: "tok" })), 2009);
  assertEquals(await asked(remoteGateway({ url })), 2009);
  await server.shutdown();
});

Deno.test("an account id is the path's, or else the option's", async () => {
  const { sent, fetch, binding } = recording([], { account: "own" });
  const ask = (path: string) => {
    const body = JSON.stringify({ ...STEP.query, model: "@cf/meta/m" });
    return fetch(new Request(`http://localhost${path}`, { method: "POST", headers: JSON_TYPE, body }));
  };
  await ask("/v1/theirs/default/compat/chat/completions");
  await ask("/v1/-/default/compat/chat/completions");
  await ask("/v1/chat/completions");
  await binding.run(MODEL("workers-ai/@cf/meta/m"));
  const accounts = sent.map(({ url }) => /accounts\/([^/]+)\/ai\/v1\/chat\/completions$/.exec(url)?.[1]);
  assertEquals(accounts, ["theirs", "own", "own", "own"]);
  const response = await gateway("default").run(MODEL("workers-ai/@cf/meta/m"));
  assertMatch((await response.json()).message, /account id/);
});

// ---------------------------------------------------------------- call

Deno.test("call() serves any path without a token", async () => {
  const gateway = createGateway({ tokens: ["tok"] });
  const request = () =>
    new Request("http://sluice/v1/chat/completions", {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify(STEP.query),
    });
  assertEquals((await gateway.fetch(request())).status, 401);
  assertEquals(await content(await gateway.call(request())), "Grüße, 世界");
});
