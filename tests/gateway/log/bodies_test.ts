import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import Cloudflare from "npm:cloudflare@7.3.0";
import type { Options } from "../../../gateway/setup/options.ts";
import { capture } from "../../../gateway/log/capture.ts";
import type { LogRow } from "../../../gateway/stores/store.ts";
import type { LogsOptions } from "../../../gateway/setup/logs_option.ts";
import {
  ask,
  before,
  completion,
  events,
  message,
  pieces,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";

const ADMIN = "operator-0123456789";
const LOGS = "http://gateway.test/client/v4/accounts/acct/ai-gateway/gateways/gw/logs";

/** The bodies of a row, as the page gets them. */
type Bodies = Record<
  string,
  { text?: string; why?: string; url?: string; bytes?: number; isCut?: boolean } | undefined
>;

/** A gateway that keeps bodies. */
function scene(
  answer: Parameters<typeof before>[0] = () => completion(),
  logs: LogsOptions = {},
  more: Options = {},
) {
  const gateway = before(answer, { logs: { bodies: "all", ...logs }, adminToken: ADMIN, ...more });
  const read = (url: string) =>
    gateway.fetch(new Request(url, { headers: { authorization: `Bearer ${ADMIN}` } }));
  const bodies = async (id: string, at = "acct/gw"): Promise<Bodies> =>
    await (await read(`http://gateway.test/sluice/api/bodies/${at}/${id}`)).json();
  /** Sends a request, reads its answer, and returns its bodies with the text that the client got. */
  async function send(request: Request) {
    const response = await gateway.fetch(request);
    const text = await response.text();
    const id = response.headers.get("cf-aig-log-id")!;
    return { id, text, bodies: await bodies(id) };
  }
  return { ...gateway, read, bodies, send };
}

const texts = (bodies: Bodies) =>
  Object.fromEntries(Object.entries(bodies).map(([side, one]) => [side, one?.text]));

Deno.test("bodies: what the client sent and got, and what each provider was sent, whole, streamed and translated", async () => {
  const { send, sent } = scene(({ url, body }, at) =>
    url.includes("anthropic")
      ? message()
      : body.includes('"stream":true')
      ? events(...STREAM)
      : at === 0
      ? refusal(503)
      : completion()
  );
  const retried = ask("openai/gpt-4o", { "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "1" });
  const sentByClient = await retried.clone().text();
  const first = await send(retried);
  assertEquals(texts(first.bodies), {
    request: sentByClient,
    response: first.text,
    try1: sent[0].body,
    try2: sent[1].body,
  });
  assertEquals(first.bodies.try1?.url, sent[0].url);
  for (const model of ["openai/gpt-4o", "anthropic/claude-opus-5-5"]) {
    for (const stream of [true, false]) {
      const { text, bodies } = await send(ask(model, {}, { stream }));
      const { request, response, try1 } = texts(bodies);
      assertEquals([JSON.parse(request!).model, response, try1], [model, text, sent.at(-1)!.body]);
      assert(text.includes("Hi"), model);
    }
  }
  const refused = await send(post(`${ROOT}/compat/chat/completions`, "{"));
  assertEquals(texts(refused.bodies), { request: "{", response: refused.text });
  const headers = { "content-length": "15" };
  const native = await send(post(`${ROOT}/openai/v1/files`, { purpose: "x" }, headers));
  assertEquals([native.bodies.request?.text, native.bodies.try1?.text], [
    '{"purpose":"x"}',
    '{"purpose":"x"}',
  ]);
  const upload = await send(post(`${ROOT}/openai/v1/files`, { purpose: "x" }));
  assertEquals([upload.bodies.request?.why, upload.bodies.try1?.text], [
    "the gateway did not read it",
    "[passed on while it arrived]",
  ]);
});

Deno.test("bodies: Cloudflare's paths and SDK return those of the client, or the reason why there is none", async () => {
  const { send, read, fetch } = scene(({ body }) =>
    body.includes('"stream":true') ? events(...STREAM) : completion()
  );
  const cloudflare = new Cloudflare({
    apiToken: ADMIN,
    baseURL: "http://gateway.test/client/v4",
    maxRetries: 0,
    fetch: (url: unknown, init: unknown) => fetch(new Request(url as string, init as RequestInit)),
  });
  const { id, text } = await send(ask("openai/gpt-4o"));
  const place = { account_id: "acct", gateway_id: "gw" };
  assertEquals(await cloudflare.aiGateway.logs.response(id, place), JSON.parse(text));
  assertEquals(
    (await cloudflare.aiGateway.logs.request(id, place) as { model: string }).model,
    "openai/gpt-4o",
  );
  const { headers } = await read(`${LOGS}/${id}/response`);
  assertEquals([headers.get("cache-control"), headers.get("x-content-type-options")], [
    "no-store",
    "nosniff",
  ]);
  assertEquals(headers.get("content-type"), "application/json");
  const long = await send(ask("openai/gpt-4o", {}, { user: "x ".repeat(200_000) }));
  const cut = await read(`${LOGS}/${long.id}/request`);
  assertEquals(cut.headers.get("content-type"), "text/plain; charset=utf-8");
  const stream = await send(ask("openai/gpt-4o", {}, { stream: true }));
  const sse = await read(`${LOGS}/${stream.id}/response`);
  assertEquals([sse.headers.get("content-type"), await sse.text()], [
    "text/plain; charset=utf-8",
    stream.text,
  ]);
  const other = await read(`${LOGS.replace("acct", "other")}/${id}/request`);
  assertEquals(other.status, 404);
});

Deno.test("bodies: which are kept is told by the option, and a client's headers may only keep less", async () => {
  const cases: [
    option: LogsOptions["bodies"],
    headers: Record<string, string>,
    fails: boolean,
    why?: string,
  ][] = [
    ["none", {}, false, "this gateway keeps no bodies"],
    [undefined, { "cf-aig-collect-log-payload": "true" }, false, "this gateway keeps no bodies"],
    ["errors", {}, false, "only those of failed requests are kept"],
    ["errors", { "cf-aig-collect-log-payload": "true" }, false, "only those of failed requests are kept"],
    ["errors", {}, true],
    ["all", {}, false],
    ["all", { "cf-aig-collect-log-payload": "false" }, false, "the client asked for that"],
    ["errors", { "cf-aig-collect-log-payload": "0" }, true, "the client asked for that"],
  ];
  for (const [bodies, headers, fails, why] of cases) {
    const { send, read } = scene(() => fails ? refusal(400) : completion(), { bodies });
    const seen = await send(ask("openai/gpt-4o", headers));
    const name = `${bodies} ${JSON.stringify(headers)}`;
    for (const side of ["request", "try1", "response"]) {
      const body = seen.bodies[side]!;
      if (why) assertStringIncludes(body.why!, why, name);
      else assert(body.text, name);
    }
    const answer = await read(`${LOGS}/${seen.id}/response`);
    assertEquals(answer.status, why ? 404 : 200);
    if (why) assertStringIncludes(await answer.text(), why);
    else await answer.text();
  }
  const { send } = scene();
  const none = await send(ask("openai/gpt-4o", { "cf-aig-collect-log": "false" }));
  assertStringIncludes(JSON.stringify(none.bodies), "there is no such row");
});

Deno.test("bodies: a stream that breaks, or whose client leaves, is kept as far as it came", async () => {
  const broken = scene(() => events(STREAM[0], STREAM[1], new Error("gone")), { bodies: "errors" });
  for (const model of ["openai/gpt-4o", "anthropic/claude-opus-5-5"]) {
    const response = await broken.fetch(ask(model, {}, { stream: true }));
    await response.text().catch(() => {});
    const { response: kept } = await broken.bodies(response.headers.get("cf-aig-log-id")!);
    assert(kept?.text, model);
  }
  const left = scene(() => events(STREAM[0], STREAM[1], new Promise(() => {})), { bodies: "errors" });
  const response = await left.fetch(ask("openai/gpt-4o", {}, { stream: true }));
  const reader = response.body!.getReader();
  while (!new TextDecoder().decode((await reader.read()).value).includes("Hi"));
  await reader.cancel();
  const { response: kept } = await left.bodies(response.headers.get("cf-aig-log-id")!);
  assertEquals(kept?.text, STREAM[0] + STREAM[1]);
});

/** Base64 of about so many bytes. */
const base64 = (beginning: string, bytes: number) => beginning + "aB3/".repeat(bytes / 3);

Deno.test("bodies: media are named and not kept, and long bodies are cut", async () => {
  const { send } = scene();
  const url = `data:image/webp;base64,${base64("x", 30_000)}`;
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url } },
    { type: "input_audio", input_audio: { data: base64("SUQz", 300_000), format: "mp3" } },
  ];
  const { bodies } = await send(ask("openai/gpt-4o", {}, { messages: [{ role: "user", content }] }));
  for (const side of ["request", "try1"]) {
    const [, image, audio] = JSON.parse(bodies[side]!.text!).messages[0].content;
    assertEquals(image.image_url.url, "[image/webp, 30 kB]");
    assertEquals(audio.input_audio.data, "[audio/mpeg, 300 kB]");
  }
  const big = await send(ask("openai/gpt-4o", {}, { user: base64("/9j/", 9_000_000) }));
  assertStringIncludes(big.bodies.request!.text!, "[image/jpeg, 1573 kB]… [cut: the body has 12000");

  const long = "é ".repeat(500_000);
  const cut = await send(ask("openai/gpt-4o", {}, { messages: [{ role: "user", content: long }] }));
  const { text, isCut, bytes } = cut.bodies.request!;
  assertEquals([isCut, new TextEncoder().encode(text).length <= 256 * 1024 + 100], [true, true]);
  assert(bytes! > 1_500_000 && text!.endsWith(`… [cut: the body has ${bytes} bytes]`), text!.slice(-80));

  // More than 256 KiB only if they are counted in bytes.
  const wide = await send(ask("openai/gpt-4o", {}, { user: "é".repeat(200_000) }));
  assertEquals(wide.bodies.request!.isCut, true);

  const form = new FormData();
  form.append("file", new Blob([new Uint8Array(2000)], { type: "audio/wav" }), "a.wav");
  const sent = new Response(form);
  const body = await sent.clone().arrayBuffer();
  const headers = {
    "content-type": sent.headers.get("content-type")!,
    "content-length": `${body.byteLength}`,
  };
  const upload = await send(
    new Request(`${ROOT}/openai/v1/audio/transcriptions`, { method: "POST", body, headers }),
  );
  assertStringIncludes(
    upload.bodies.request!.text ?? upload.bodies.request!.why!,
    "multipart/form-data, 2 kB",
  );
});

Deno.test("bodies: no header, member or text holds a credential", async () => {
  const token = "gateway-token-1", key = "sk-client-key-123456";
  const { send } = scene(
    () =>
      Response.json({ error: { message: `Incorrect API key: ${key}`, type: "x", code: null } }, {
        status: 401,
      }),
    { bodies: "all" },
    { tokens: [token], keys: { anthropic: "sk-ant-stored-key" } },
  );
  const request = ask("openai/gpt-4o", {
    authorization: `Bearer ${key}`,
    "cf-aig-authorization": `Bearer ${token}`,
    "x-api-key": "sk-header-key-123456",
    "openai-beta": "Bearer sk-beta-key-123456",
    "x-custom": "secret-custom",
    "user-agent": `me/${token}`,
    cookie: "session=secret-cookie",
  }, {
    user: token,
    messages: [{ role: "user", content: `my key is ${key}, {\\"api_key\\": \\"inner-secret-1\\"}` }],
    tools: [
      {
        type: "mcp",
        server_label: "a",
        server_url: "https://mcp.example",
        authorization: "mcp-secret-1",
        headers: { "x-team": "mcp-secret-2" },
      },
      {
        type: "function",
        function: { name: "f", parameters: { properties: { password: { type: "string" } } } },
      },
    ],
    metadata: { api_key: 'mcp-secret-3"quoted' },
  });
  const { bodies } = await send(request);
  const all = JSON.stringify(bodies);
  for (
    const secret of [
      token,
      key,
      "sk-header",
      "sk-beta",
      "secret-cookie",
      "secret-custom",
      "mcp-secret",
      "quoted",
      "inner-secret",
    ]
  ) {
    assert(!all.includes(secret), `${secret} in ${all}`);
  }
  // What is no credential stays.
  assertStringIncludes(all, "https://mcp.example");
  assertStringIncludes(bodies.request!.text!, '"password":{"type":"string"}');
  assertStringIncludes(bodies.response!.text!, "Incorrect API key: ***");
  const stored = await send(post(`${ROOT}/anthropic/v1/messages`, { model: "m", max_tokens: 1 }, {
    "cf-aig-authorization": `Bearer ${token}`,
  }));
  assert(!JSON.stringify(stored.bodies).includes("sk-ant-stored-key"));
});

Deno.test("bodies: redact changes each text, and a body for which it fails is not kept", async () => {
  const { send } = scene(() => completion(), { redact: (text) => text.replaceAll("Hello", "[name]") });
  const { bodies, text } = await send(ask("openai/gpt-4o"));
  assertStringIncludes(bodies.request!.text!, "[name]");
  assertStringIncludes(bodies.try1!.text!, "[name]");
  assertEquals(bodies.response!.text, text);
  const failing = scene(() => completion(), {
    redact(text) {
      throw new Error(text);
    },
  });
  assertEquals(texts((await failing.send(ask("openai/gpt-4o"))).bodies), {
    request: "[not kept: the function logs.redact has failed]",
    response: "[not kept: the function logs.redact has failed]",
    try1: "[not kept: the function logs.redact has failed]",
  });
});

Deno.test("bodies: the oldest are removed when all have too many bytes, and the row says so", async () => {
  const { send, bodies } = scene(() => completion(), { bodyBytes: 1000 });
  const first = await send(ask("openai/gpt-4o"));
  assert(first.bodies.request?.text);
  for (let at = 0; at < 4; at++) await send(ask("openai/gpt-4o"));
  const { request } = await bodies(first.id);
  assertStringIncludes(request!.why!, "it was removed");
  assert((await send(ask("openai/gpt-4o"))).bodies.request?.text);
});

Deno.test("bodies: those of running requests have a limit together, and are let go", async () => {
  const most = 64 * 2 ** 20;
  const budget = { bytes: most - 1000 };
  const row = { account: "a", gateway: "g", id: "i", level: "info" } as LogRow;
  const one = () => capture({ which: "all", mask: (text) => text, budget });
  const running = one();
  const headers = new Headers({ "content-type": "text/plain" });
  running.request(headers, new Uint8Array(600).fill(97));
  running.attempt("https://a.example/x?key=secret", { body: "b".repeat(300), headers });
  const parts = pieces("c".repeat(80), "d".repeat(80), "e");
  const response = await running.answer(
    new Response(parts, { headers }),
    new AbortController().signal,
    false,
  );
  const other = one();
  other.request(headers, new Uint8Array(600));
  assertEquals((await response.text()).length, 161);
  const kept = running.end(row).map(({ side, text, isCut, url }) => [side, text.slice(0, 90), isCut, url]);
  assertEquals(kept, [
    ["request", "a".repeat(90), false, undefined],
    ["try1", "b".repeat(90), false, "https://a.example/x"],
    ["response", "c".repeat(80) + "… [cut: th", true, undefined],
  ]);
  assertEquals(other.end(row).map(({ text }) => text), ["[too many bodies were held at once]"]);
  const many = one();
  for (let at = 0; at < 25; at++) many.attempt("https://a.example/x", { body: "b" });
  assertEquals(many.end(row).length, 20);
  assertEquals(budget.bytes, most - 1000);
});
