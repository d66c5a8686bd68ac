import { assert, assertEquals } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import {
  ask,
  before,
  chunk,
  clock,
  events,
  messages,
  post,
  refusal,
  ROOT,
  type Sent,
  STREAM,
} from "../../fakes.ts";

/** Tokens that are limited in tokens, in money, and in neither. */
const TOKENS = [
  { token: "token-limit", limits: { tpm: 1_000_000 } },
  { token: "budget-limit", budgets: [{ limitUsd: 1000, window: "day" }] },
  { token: "rate-limit", limits: { rpm: 1000, open: 1000 } },
  "free-token",
] satisfies Options["tokens"];
const METERED = ["token-limit", "budget-limit"], OTHERS = ["rate-limit", "free-token"];

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The usage of a stream, alone in its event as OpenAI sends it. */
const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const usageEvent = (more: object = {}) =>
  `data: ${
    JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [],
      usage: USAGE,
      ...more,
    })
  }\n\n`;

/** A provider that tells the usage if it is asked for it. */
function strict({ body }: Sent, cut?: (text: string) => string[]): Response {
  const { stream, stream_options } = JSON.parse(body);
  assert(stream === true);
  const asked = stream_options?.include_usage === true;
  const text = [...STREAM.slice(0, 3), ...asked ? [usageEvent()] : [], STREAM[3]].join("");
  return events(...cut?.(text) ?? [text]);
}

function metered(answer: Parameters<typeof before>[0] = (sent) => strict(sent), options: Options = {}) {
  const rows: LogEntry[] = [];
  const prices = { "openai/gpt-4.1": { input: 1, output: 1 }, "mistral/m": { input: 1, output: 1 } };
  const keys = { openai: "sk-stored", mistral: "stored-key", anthropic: "sk-ant-stored" };
  const log = (row: LogEntry) => void rows.push(row);
  return { ...before(answer, { keys, tokens: TOKENS, prices, log, ...clock().options, ...options }), rows };
}

const stream = (token: string, more: object = {}, model = "openai/gpt-4.1") =>
  ask(model, bearer(token), { stream: true, ...more });

/** The tokens of a row. */
const tokensOf = ({ inputTokens, outputTokens }: LogEntry) => [inputTokens, outputTokens];

const PLAIN = STREAM.join("");

for (const token of METERED) {
  Deno.test(`a stream is asked for its usage, which is counted and is not handed on: ${token}`, async () => {
    const { fetch, sent, rows } = metered();
    assertEquals(await (await fetch(stream(token))).text(), PLAIN);
    assertEquals(JSON.parse(sent[0].body).stream_options, { include_usage: true });
    assertEquals(tokensOf(rows[0]), [11, 7]);
  });

  Deno.test(`the client gets the bytes of a gateway without limits, wherever they are cut: ${token}`, async () => {
    const plain = metered();
    const wanted = await (await plain.fetch(stream("free-token"))).text();
    assertEquals(JSON.parse(plain.sent[0].body).stream_options, undefined);
    const length = [...STREAM.slice(0, 3), usageEvent(), STREAM[3]].join("").length;
    let cut = 0;
    const { fetch, rows } = metered((sent) =>
      strict(sent, (text) => [text.slice(0, cut), text.slice(cut)].filter(Boolean))
    );
    for (; cut <= length; cut++) {
      assertEquals(await (await fetch(stream(token))).text(), wanted, `cut at ${cut}`);
      assertEquals(tokensOf(rows[cut]), [11, 7], `cut at ${cut}`);
    }
  });
}

for (const token of OTHERS) {
  Deno.test(`no byte of a stream or of its request is changed: ${token}`, async () => {
    const text = [...STREAM.slice(0, 3), usageEvent(), STREAM[3]].join("");
    const { fetch, sent } = metered(() => events(text));
    const request = stream(token);
    const written = await request.clone().text();
    assertEquals(await (await fetch(request)).text(), text);
    assertEquals(sent[0].body, written.replace("openai/gpt-4.1", "gpt-4.1"));
  });
}

Deno.test("a client that asks for the usage itself gets it, and its request is not changed", async () => {
  const { fetch, sent, rows } = metered();
  const text = await (await fetch(stream("token-limit", { stream_options: { include_usage: true } }))).text();
  assertEquals(text, [...STREAM.slice(0, 3), usageEvent(), STREAM[3]].join(""));
  assertEquals(JSON.parse(sent[0].body).stream_options, { include_usage: true });
  assertEquals(tokensOf(rows[0]), [11, 7]);
});

const OPTIONS: Record<string, [written: string, sent: unknown]> = {
  "false": ['{"include_usage":false}', { include_usage: true }],
  "null within": ['{"include_usage":null}', { include_usage: true }],
  "null": ["null", { include_usage: true }],
  "other members": ['{"include_obfuscation":false}', { include_obfuscation: false, include_usage: true }],
};

for (const [name, [written, wanted]] of Object.entries(OPTIONS)) {
  Deno.test(`stream_options of the client are kept beside the gateway's: ${name}`, async () => {
    for (const end of ["", `,"user":"${"x".repeat(300_000)}"`]) {
      const { fetch, sent } = metered();
      const body =
        `{"model":"openai/gpt-4.1","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":${written}${end}}`;
      const url = `${ROOT}/compat/chat/completions`;
      assertEquals(await (await fetch(post(url, body, bearer("token-limit")))).text(), PLAIN);
      const { stream_options, model } = JSON.parse(sent[0].body);
      assertEquals([stream_options, model], [wanted, "gpt-4.1"]);
    }
  });
}

Deno.test("a member that is written twice is written once with the gateway's", async () => {
  const { fetch, sent } = metered();
  const twice = '"stream_options":{"include_usage":true},"stream_options":null';
  const body =
    `{"model":"openai/gpt-4.1","messages":[{"role":"user","content":"Hi"}],"stream":true,${twice}}`;
  const response = await fetch(post(`${ROOT}/compat/chat/completions`, body, bearer("token-limit")));
  assertEquals(await response.text(), PLAIN);
  assertEquals(JSON.parse(sent[0].body).stream_options, { include_usage: true });
});

Deno.test("a whole answer is not asked for its usage", async () => {
  const { fetch, sent } = metered(() =>
    Response.json({ id: "1", choices: [{ index: 0, message: {} }], usage: USAGE })
  );
  for (const more of [{}, { stream: false }]) {
    await (await fetch(ask("openai/gpt-4.1", bearer("token-limit"), more))).text();
  }
  assertEquals(sent.map(({ body }) => JSON.parse(body).stream_options), [undefined, undefined]);
});

Deno.test("a row that drops stream_options is not asked, and its usage in a last chunk with a choice passes", async () => {
  const last = `data: ${JSON.stringify({ ...JSON.parse(STREAM[2].slice(6)), usage: USAGE })}\n\n`;
  const text = STREAM[0] + STREAM[1] + last + STREAM[3];
  const { fetch, sent, rows } = metered(() => events(text));
  assertEquals(await (await fetch(stream("token-limit", {}, "mistral/m"))).text(), text);
  assertEquals("stream_options" in JSON.parse(sent[0].body), false);
  assertEquals(tokensOf(rows[0]), [11, 7]);
});

Deno.test("of several usages the last one counts, and no null", async () => {
  // xAI sends the sums so far beside each piece of content, OpenAI a null.
  const withUsage = (event: string, usage: unknown) =>
    `data: ${JSON.stringify({ ...JSON.parse(event.slice(6)), usage })}\n\n`;
  const passed = [
    withUsage(STREAM[0], { prompt_tokens: 1, completion_tokens: 1 }),
    withUsage(STREAM[1], USAGE),
    withUsage(STREAM[2], null),
  ];
  const { fetch, rows } = metered(() => events(...passed, STREAM[3]));
  assertEquals(await (await fetch(stream("token-limit"))).text(), passed.join("") + STREAM[3]);
  assertEquals(tokensOf(rows[0]), [11, 7]);
});

const OTHER_EVENTS: Record<string, string> = {
  "a first event with the prompt's filter results (Azure)": `data: ${
    JSON.stringify({ choices: [], prompt_filter_results: [], usage: null })
  }\n\n`,
  "an event of the content that mentions usage": chunk({ content: '{"choices":[],"usage":{}}' }),
  "a comment": ': "usage"\n\n',
};

for (const [name, event] of Object.entries(OTHER_EVENTS)) {
  Deno.test(`${name} passes`, async () => {
    const { fetch } = metered(() => events(event, ...STREAM.slice(0, 3), usageEvent(), STREAM[3]));
    assertEquals(await (await fetch(stream("token-limit"))).text(), event + PLAIN);
  });
}

Deno.test("an error in the event of the usage reaches the client", async () => {
  const event = usageEvent({ error: { message: "No" } });
  const { fetch } = metered(() => events(...STREAM.slice(0, 2), event));
  assertEquals(await (await fetch(stream("token-limit"))).text(), STREAM[0] + STREAM[1] + event);
});

Deno.test("a stream that breaks off after its usage breaks off for the client, and is counted", async () => {
  const { fetch, rows } = metered(() => events(...STREAM.slice(0, 3), usageEvent(), new TypeError("reset")));
  const response = await fetch(stream("token-limit"));
  await response.text().then(() => assert(false), () => {});
  assertEquals(tokensOf(rows[0]), [11, 7]);
});

Deno.test("a fallback is asked as its own wire is", async () => {
  const { fetch, sent, rows } = metered((sent, at) => at === 0 ? refusal(500) : strict(sent));
  const headers = { ...bearer("token-limit"), "sluice-fallback": "openai/gpt-4.1" };
  const request = ask("mistral/m", headers, { stream: true });
  assertEquals(await (await fetch(request)).text(), PLAIN);
  assertEquals(sent.map(({ body }) => JSON.parse(body).stream_options), [undefined, { include_usage: true }]);
  assertEquals(tokensOf(rows[0]), [11, 7]);
});

Deno.test("a stream that is held back loses its usage too", async () => {
  const { fetch, rows } = metered((sent, at) => at === 0 ? refusal(500) : strict(sent), {
    retries: { maxAttempts: 2, retryDelayMs: 1 },
  });
  assertEquals(await (await fetch(stream("token-limit"))).text(), PLAIN);
  assertEquals(tokensOf(rows[0]), [11, 7]);
});

Deno.test("a cached stream is sent again without the usage, to a metered token", async () => {
  const { fetch, sent } = metered(undefined, { cache: { ttl: 60 } });
  for (let n = 0; n < 2; n++) {
    assertEquals(await (await fetch(stream("token-limit"))).text(), PLAIN);
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(sent.length, 1);
});

const NATIVE: Record<string, (query: object) => Request> = {
  "native": (query) => post(`${ROOT}/openai/chat/completions`, query, bearer("token-limit")),
  "universal, in the provider's form": (query) =>
    post(ROOT, [{ provider: "openai", endpoint: "chat/completions", headers: {}, query }], {
      "cf-aig-authorization": "Bearer token-limit",
    }),
  "universal, compat": (query) =>
    post(ROOT, [{
      provider: "compat",
      endpoint: "chat/completions",
      headers: {},
      query: { ...query, model: "openai/gpt-4.1" },
    }], { "cf-aig-authorization": "Bearer token-limit" }),
};

for (const [door, request] of Object.entries(NATIVE)) {
  Deno.test(`the usage is asked for at the door ${door}`, async () => {
    for (const options of [undefined, { include_usage: false }]) {
      const { fetch, sent, rows } = metered();
      const query = { model: "gpt-4.1", messages, stream: true, stream_options: options };
      assertEquals(await (await fetch(request(query))).text(), PLAIN);
      assertEquals(JSON.parse(sent[0].body).stream_options, { include_usage: true });
      assertEquals(tokensOf(rows[0]), [11, 7]);
    }
    const { fetch } = metered();
    const asked = { model: "gpt-4.1", messages, stream: true, stream_options: { include_usage: true } };
    assertEquals(
      await (await fetch(request(asked))).text(),
      [...STREAM.slice(0, 3), usageEvent(), STREAM[3]].join(""),
    );
  });
}

const UNCHANGED: Record<string, [path: string, body: string, headers?: Record<string, string>]> = {
  "a body that is not JSON": ["openai/chat/completions", "stream"],
  "a body with a member that is written twice": [
    "openai/chat/completions",
    '{"model":"m","stream":true,"stream":true}',
  ],
  "another path": ["openai/completions", '{"model":"m","prompt":"Hi","stream":true}'],
  "a provider that drops the field": ["mistral/v1/chat/completions", '{"model":"m","stream":true}'],
  "a provider whose row has no chat completions": [
    "anthropic/v1/chat/completions",
    '{"model":"m","stream":true}',
  ],
  "a body that the client has signed": ["openai/chat/completions", '{"model":"m","stream":true}', {
    authorization: "AWS4-HMAC-SHA256 Credential=x",
  }],
};

for (const [name, [path, body, headers]] of Object.entries(UNCHANGED)) {
  Deno.test(`a request to a provider's own path is handed through byte for byte: ${name}`, async () => {
    const { fetch, sent } = metered(() => events(...STREAM.slice(0, 3), usageEvent(), STREAM[3]));
    const auth = { "cf-aig-authorization": "Bearer token-limit", ...headers };
    const text = await (await fetch(post(`${ROOT}/${path}`, body, auth))).text();
    assertEquals([text, sent[0].body], [[...STREAM.slice(0, 3), usageEvent(), STREAM[3]].join(""), body]);
  });
}
