import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, clock, completion, message, messages, post, refusal, ROOT } from "../../fakes.ts";

const TOKEN = "sluice-token-1";
const STORED = {
  tokens: [TOKEN],
  keys: { openai: "sk-stored", anthropic: "sk-ant-stored" },
} satisfies Options;

const answer = ({ url }: { url: string }) => url.includes("anthropic") ? message() : completion();

// ---------------------------------------------------------------- where a token may stand

const POSITIONS: [string, string][] = [
  ["cf-aig-authorization", `Bearer ${TOKEN}`],
  ["cf-aig-authorization", TOKEN],
  ["authorization", `Bearer ${TOKEN}`],
  ["authorization", `bearer  ${TOKEN}`],
  ["authorization", `Key ${TOKEN}`],
  ["authorization", `Token ${TOKEN}`],
  ["authorization", `Basic ${btoa(`${TOKEN}:`)}`],
  ["authorization", `basic ${btoa(`user:${TOKEN}`)}`],
  ["x-api-key", TOKEN],
  ["x-goog-api-key", TOKEN],
  ["api-key", TOKEN],
  ["xi-api-key", TOKEN],
  ["sec-websocket-protocol", `realtime, cf-aig-authorization.${TOKEN}`],
];

for (const [name, value] of POSITIONS) {
  Deno.test(`a token in ${name}: ${value} opens the gateway and its stored keys, and is not sent on`, async () => {
    const { fetch, sent } = before(answer, STORED);
    for (
      const request of [
        ask("anthropic/claude-x", { [name]: value }),
        post(`${ROOT}/anthropic/v1/messages`, {}, { [name]: value }),
      ]
    ) {
      assertEquals((await fetch(request)).status, 200);
    }
    assertEquals(sent.length, 2);
    for (const { headers } of sent) {
      assertEquals(headers.get("x-api-key"), "sk-ant-stored");
      assert(![...headers.values()].some((value) => value.includes(TOKEN)), "the token was sent on");
    }
  });
}

Deno.test("a token of a provider's own header position is recognised and kept back", async () => {
  const providers = { mine: { baseUrl: "https://mine.test", auth: { header: "X-Mine", prefix: "" } } };
  const { fetch, sent } = before(answer, { tokens: [TOKEN], keys: { mine: "stored" }, providers });
  assertEquals((await fetch(ask("mine/m", { "x-mine": TOKEN }))).status, 200);
  assertEquals(sent[0].headers.get("x-mine"), "stored");
  await fetch(ask("mine/m", { "cf-aig-authorization": TOKEN, "x-mine": "own" }));
  assertEquals(sent[1].headers.get("x-mine"), "own");
});

Deno.test("a token in a header that comes twice is recognised beside the other, and kept back", async () => {
  for (const values of [[`Bearer ${TOKEN}`, "Bearer sk-own"], ["Bearer sk-own", TOKEN]]) {
    const headers = values.map((value) => ["authorization", value] as [string, string]);
    for (const path of ["/compat/chat/completions", "/openai/chat/completions"]) {
      const { fetch, sent } = before(answer, STORED);
      const body = JSON.stringify({ model: "openai/gpt", messages });
      const type: [string, string] = ["content-type", "application/json"];
      const response = await fetch(
        new Request(ROOT + path, { method: "POST", headers: [type, ...headers], body }),
      );
      assertEquals([response.status, sent[0].headers.get("authorization")], [200, "Bearer sk-own"]);
    }
  }
  // The commas of other credentials are kept.
  const signature = "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x-amz-date, Signature=c";
  const { fetch, sent } = before(answer, STORED);
  await fetch(post(`${ROOT}/openai/x`, {}, { "cf-aig-authorization": TOKEN, authorization: signature }));
  assertEquals(sent[0].headers.get("authorization"), signature);
});

Deno.test("a key in a provider's own header position goes to that provider only", async () => {
  const providers = { mine: { baseUrl: "https://mine.test", auth: { header: "X-Mine", prefix: "" } } };
  const { fetch, sent } = before(({ url }) => url.includes("mine") ? refusal(500) : completion(), {
    providers,
  });
  await fetch(ask("mine/m", { "x-mine": "own", "sluice-fallback": "openai/gpt" }));
  assertEquals(sent.map(({ headers }) => headers.get("x-mine")), ["own", null]);
});

Deno.test("a token in the query of a provider's path opens the gateway, and is not sent on", async () => {
  const token = "t%/+1";
  const written = encodeURIComponent(token);
  const options = { tokens: [token, "other"], keys: { "google-ai-studio": "stored" } };
  const cases: [query: string, sent: string, key: string | null][] = [
    [`?key=${written}`, "", "stored"],
    [`?key=${token}`, "", "stored"],
    [`?api_key=${written}`, "", "stored"],
    [`?key=${written}&alt=sse`, "?alt=sse", "stored"],
    [`?alt=sse&key=${written}&x=%2F`, "?alt=sse&x=%2F", "stored"],
    [`?key=${written}&key=other`, "", "stored"],
    [`?key=${written}&key=mine`, "?key=mine", null],
  ];
  for (const [query, rest, key] of cases) {
    const { fetch, sent } = before(answer, options);
    const path = "v1beta/models/g:generateContent";
    const step = [{ provider: "google-ai-studio", endpoint: path + query, query: {} }];
    for (
      const request of [
        post(`${ROOT}/google-ai-studio/${path}${query}`, {}),
        post(ROOT, step, { "cf-aig-authorization": token }),
      ]
    ) {
      assertEquals((await fetch(request)).status, 200, query);
      const { url, headers } = sent.at(-1)!;
      assertEquals(url, `https://generativelanguage.googleapis.com/${path}${rest}`);
      assertEquals(headers.get("x-goog-api-key"), key, query);
    }
  }
  const { fetch, sent } = before(answer, options);
  for (const query of ["?key=mine", "?key=%", "?akey=other", "?key=", `?${"key=x&".repeat(9)}key=other`]) {
    assertEquals((await fetch(post(`${ROOT}/google-ai-studio/v1/models${query}`, {}))).status, 401, query);
  }
  assertEquals(sent.length, 0);
});

/** A request to each door that costs money at a provider. */
const doors = (headers: Record<string, string>, query = ""): [door: string, Request][] => {
  const step = { provider: "openai", endpoint: "chat/completions", query: {} };
  return [
    ["chat", post(`${ROOT}/compat/chat/completions${query}`, { model: "openai/gpt", messages }, headers)],
    [
      "translated",
      post(`http://g.test/v1/chat/completions${query}`, { model: "anthropic/c", messages }, headers),
    ],
    ["native", post(`${ROOT}/openai/chat/completions${query}`, {}, headers)],
    ["universal", post(`${ROOT}${query}`, [step], headers)],
    [
      "compat step",
      post(ROOT + query, {
        ...step,
        provider: "compat",
        query: { model: "openai/gpt", messages },
      }, headers),
    ],
  ];
};

const told = async (response: Response): Promise<string> => {
  const { error, message } = await response.json();
  return message ?? error.message;
};

Deno.test("a wrong token gets another error than no token at every door, with its place and the cure", async () => {
  const wrong: [place: string, headers: Record<string, string>, query?: string][] = [
    ["cf-aig-authorization", { "cf-aig-authorization": "Bearer wrong" }],
    ["cf-aig-authorization", { "cf-aig-authorization": "wrong", authorization: "Bearer sk-own" }],
    ["authorization", { authorization: "Bearer wrong" }],
    ["authorization", { authorization: "wrong" }],
    ["authorization", { authorization: `Basic ${btoa("wrong:")}` }],
    ["authorization", { authorization: `Basic ${btoa("user:wrong")}` }],
    ["authorization", { authorization: "Bearer wrong, Bearer wrong too" }],
    ["x-api-key", { "x-api-key": "wrong" }],
    ["x-goog-api-key", { "x-goog-api-key": "wrong" }],
    ["api-key", { "api-key": "wrong" }],
    ["xi-api-key", { "xi-api-key": "wrong" }],
    ["sec-websocket-protocol", { "sec-websocket-protocol": "realtime, cf-aig-authorization.wrong" }],
    ["the query", {}, "?key=wrong"],
    ["the query", {}, "?alt=sse&api_key=wrong"],
  ];
  const { fetch, sent } = before(answer, STORED);
  for (const [place, headers, query] of wrong) {
    const models = new Request(`${ROOT}/compat/models${query ?? ""}`, { headers });
    for (const [door, request] of [...doors(headers, query), ["models", models] as [string, Request]]) {
      const response = await fetch(request);
      assertEquals(response.status, 401, door);
      const text = await told(response);
      assertStringIncludes(text, `there is no such gateway token as the one in ${place}; send`, door);
      assert(place === "cf-aig-authorization" || text.includes("cf-aig-authorization: Bearer TOKEN"), text);
      assert(!text.includes("wrong"), "a secret that is nearly right is one too");
    }
  }
  const missing: Record<string, string>[] = [{}, { authorization: "Bearer undefined" }, { "x-api-key": "" }];
  for (const headers of missing) {
    for (const [door, request] of doors(headers)) {
      assertStringIncludes(
        await told(await fetch(request)),
        "it needs a gateway token, in the place of an API key or",
        door,
      );
    }
  }
  assertEquals(sent.length, 0);
});

Deno.test("a missing or wrong token for a stored key is an error of the gateway, not of the provider", async () => {
  const optional = { ...STORED, tokenRequired: false };
  const cases: [Options, Record<string, string>, string][] = [
    [optional, {}, "or as cf-aig-authorization: Bearer TOKEN, for the stored key of "],
    [optional, { authorization: "Bearer undefined" }, "it needs a gateway token"],
    [
      optional,
      { "cf-aig-authorization": "wrong" },
      "there is no such gateway token as the one in cf-aig-authorization",
    ],
    [optional, { authorization: "" }, "it needs a gateway token"],
    [{ keys: STORED.keys }, {}, "the gateway has none: set the option tokens, or SLUICE_TOKENS"],
    [{ keys: STORED.keys }, { "cf-aig-authorization": "any" }, "the gateway has none"],
    // A request without a token is refused also if the provider has no key with the usual alias.
    [{ keys: { openai: { team: "sk-1" }, anthropic: { team: "sk-2" } } }, {}, "the gateway has none"],
  ];
  for (const [options, headers, words] of cases) {
    const { fetch, sent } = before(answer, options);
    for (const [door, request] of doors({ ...headers, "cf-aig-max-attempts": "3" })) {
      const response = await fetch(request);
      assertEquals(response.status, 401, door);
      const body = await response.clone().json();
      assertEquals(Number(body.error.code ?? body.error[0].code), 2009);
      assertStringIncludes(await told(response), words, door);
    }
    assertEquals(sent.length, 0);
  }
  // In a chat call a Basic credential is for a proxy before the gateway.
  const { fetch, sent } = before(answer, optional);
  const basic = await fetch(ask("openai/gpt", { authorization: `Basic ${btoa("user:wrong")}` }));
  assertEquals([basic.status, sent.length], [401, 0]);
  assertStringIncludes(await told(basic), "as the one in authorization");
});

Deno.test("where tokens are optional a client's own key passes at every door, also beside a wrong token", async () => {
  for (const options of [{ ...STORED, tokenRequired: false }, { keys: STORED.keys }, {}]) {
    for (const more of [{}, { "cf-aig-authorization": "Bearer wrong" }] as Record<string, string>[]) {
      const { fetch, sent } = before(answer, options);
      const own = { ...more, authorization: "Bearer sk-own" };
      const [chat, translated, native] = doors(own);
      const step = {
        provider: "openai",
        endpoint: "chat/completions",
        authorization: "Bearer sk-own",
        query: {},
      };
      for (const request of [chat[1], translated[1], native[1], post(ROOT, [step], more)]) {
        assertEquals((await fetch(request)).status, 200);
      }
      const google = `${ROOT}/google-ai-studio/v1beta/models/g:generateContent?key=own`;
      assertEquals((await fetch(post(google, {}, more))).status, 200);
      assertEquals(sent.map(({ headers }) => headers.get("authorization") ?? headers.get("x-api-key")), [
        "Bearer sk-own",
        "sk-own",
        "Bearer sk-own",
        "Bearer sk-own",
        null,
      ]);
    }
  }
});

Deno.test("without a token the answer is 401 with 2009, in the shape of the door, and nothing is sent", async () => {
  const { fetch, sent } = before(answer, STORED);
  const wrong = { authorization: "Bearer sk-mine", "cf-aig-authorization": "Bearer wrong" };
  const all: Record<string, string>[] = [{}, wrong, { "cf-aig-authorization": "Bearer undefined" }];
  for (const headers of all) {
    const compat = await fetch(ask("openai/gpt", headers));
    assertEquals(compat.status, 401);
    const { error } = await compat.json();
    assertEquals([error.code, error.type], ["2009", "authentication_error"]);
    for (const path of ["", "/", "/openai/chat/completions"]) {
      const response = await fetch(post(ROOT + path, [], headers));
      assertEquals(response.status, 401);
      const body = await response.json();
      assertEquals([body.success, body.error[0].code, body.name], [false, 2009, "AiGatewayError"]);
      assertStringIncludes(body.message, "token");
    }
    assertEquals((await fetch(new Request(`${ROOT}/compat/models`, { headers }))).status, 401);
  }
  assertEquals(sent.length, 0);
  assertEquals((await fetch(new Request("http://gateway.test/health"))).status, 200);
});

Deno.test("a request with a token and a provider's key sends the provider its key, and the token to nobody", async () => {
  const { fetch, sent } = before(answer, STORED);
  await fetch(
    ask("openai/gpt", { "cf-aig-authorization": `Bearer ${TOKEN}`, authorization: "Bearer sk-mine" }),
  );
  await fetch(ask("anthropic/c", { authorization: `Bearer ${TOKEN}`, "x-api-key": "sk-mine" }));
  // Some clients send the token in both places. The second one is not the provider's key.
  await fetch(ask("openai/gpt", { "cf-aig-authorization": TOKEN, authorization: `Bearer ${TOKEN}` }));
  const keys = sent.map(({ headers }) => headers.get("authorization") ?? headers.get("x-api-key"));
  assertEquals(keys, ["Bearer sk-mine", "sk-mine", "Bearer sk-stored"]);
  assert(sent.every(({ headers }) => ![...headers.values()].some((value) => value.includes(TOKEN))));
});

const PLACEHOLDERS = [
  ["authorization", "Bearer CF_TEMP_TOKEN"],
  ["x-api-key", "CF_TEMP_TOKEN"],
  ["xi-api-key", "key-CF_TEMP_TOKEN-1"],
  ["x-goog-api-key", "CF_TEMP_TOKEN"],
  ["authorization", ""],
  ["authorization", "Bearer"],
  ["authorization", "Bearer "],
  ["authorization", "Bearer undefined"],
  ["authorization", "Bearer null"],
  ["x-api-key", ""],
  ["x-api-key", "undefined"],
] as const;

for (const [name, value] of PLACEHOLDERS) {
  Deno.test(`${name}: ${JSON.stringify(value)} is not a key, so the stored one is used`, async () => {
    const { fetch, sent } = before(answer, STORED);
    const headers = { "cf-aig-authorization": `Bearer ${TOKEN}`, [name]: value };
    await fetch(ask("openai/gpt", headers));
    await fetch(post(`${ROOT}/openai/chat/completions`, {}, headers));
    await fetch(
      post(ROOT, [{
        provider: "openai",
        endpoint: "chat/completions",
        headers: { [name]: value },
        query: {},
      }], {
        "cf-aig-authorization": TOKEN,
      }),
    );
    assertEquals(sent.map(({ headers }) => headers.get("authorization")), Array(3).fill("Bearer sk-stored"));
    assertEquals(sent.map(({ headers }) => headers.get("x-api-key")), [null, null, null]);
  });
}

Deno.test("a placeholder is nobody's key where no key is stored: the provider's own 401 comes back", async () => {
  const { fetch, sent } = before(() => refusal(401));
  const response = await fetch(ask("openai/gpt", { authorization: "Bearer CF_TEMP_TOKEN" }));
  assertEquals([response.status, sent[0].headers.get("authorization")], [401, null]);
  assertEquals((await response.json()).error.code, "no_401");
});

// ---------------------------------------------------------------- where a provider's key goes

Deno.test("a credential of several words is for a proxy before the gateway, and is not sent as a provider's key in a chat call", async () => {
  const many = [
    `Basic ${btoa("user:pass")}`,
    "basic dXNlcjpwYXNz",
    'Digest username="x"',
    "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c",
    "Negotiate YII",
    "Bearer sk-1 sk-2",
  ];
  for (const authorization of many) {
    const open = before(answer);
    await open.fetch(ask("openai/gpt", { authorization }));
    await open.fetch(ask("anthropic/c", { authorization }));
    // Another key beside it is sent to the provider.
    await open.fetch(ask("openai/gpt", { authorization, "x-api-key": "sk-own" }));
    const sent = open.sent.map(({ headers }) => headers.get("authorization") ?? headers.get("x-api-key"));
    assertEquals(sent, [null, null, "Bearer sk-own"], authorization);
    const guarded = before(answer, STORED);
    await guarded.fetch(ask("openai/gpt", { authorization, "cf-aig-authorization": TOKEN }));
    assertEquals(guarded.sent[0].headers.get("authorization"), "Bearer sk-stored", authorization);
  }
});

Deno.test("Anthropic's keys and OAuth tokens go into the header that takes each, whichever the client used", async () => {
  const api = "sk-ant-api03-abc", oauth = "sk-ant-oat01-abc", other = "some-key";
  const cases: [Record<string, string>, (string | null)[], (string | null)[]][] = [
    // The client's headers, then `x-api-key` and `authorization` that Anthropic gets in a chat call and on a native path.
    [{ authorization: `Bearer ${api}` }, [api, null], [api, null]],
    [{ authorization: api }, [api, null], [api, null]],
    [{ "x-api-key": api }, [api, null], [api, null]],
    [{ authorization: `Bearer ${oauth}` }, [null, `Bearer ${oauth}`], [null, `Bearer ${oauth}`]],
    [{ "x-api-key": oauth }, [null, `Bearer ${oauth}`], [null, `Bearer ${oauth}`]],
    [{ authorization: `Bearer ${other}` }, [other, null], [null, `Bearer ${other}`]],
    [{ "x-api-key": other }, [other, null], [other, null]],
    [{ authorization: `Bearer x${api}` }, [`x${api}`, null], [null, `Bearer x${api}`]],
  ];
  for (const [headers, chat, native] of cases) {
    const { fetch, sent } = before(() => message());
    const authorization = headers.authorization;
    const step = { provider: "anthropic", endpoint: "v1/messages", query: {} };
    const requests: [Request, (string | null)[]][] = [
      [ask("anthropic/c", headers), chat],
      [post(`${ROOT}/anthropic/v1/messages`, {}, headers), native],
      [post(ROOT, { ...step, headers }), native],
    ];
    if (authorization) requests.push([post(ROOT, { ...step, authorization }), native]);
    for (const [request, due] of requests) {
      await fetch(request);
      const { headers: got } = sent.at(-1)!;
      assertEquals([got.get("x-api-key"), got.get("authorization")], due, JSON.stringify(headers));
    }
  }
  // The same for stored keys, and for an operator's own row of Anthropic's wire, unless the row sets `auth`.
  const mine = { baseUrl: "https://mine.test", wire: "anthropic" as const };
  const auth = { header: "x-mine", prefix: "" };
  const { fetch, sent } = before(() => message(), {
    tokens: [TOKEN],
    keys: { anthropic: oauth, mine: oauth, theirs: oauth, openai: api },
    providers: { mine, theirs: { ...mine, auth } },
  });
  for (const model of ["anthropic/c", "mine/c", "theirs/c", "openai/c"]) {
    await fetch(ask(model, { authorization: TOKEN }));
  }
  assertEquals(sent.map(({ headers }) => headers.get("authorization")), [
    `Bearer ${oauth}`,
    `Bearer ${oauth}`,
    null,
    `Bearer ${api}`,
  ]);
  assertEquals(sent[2].headers.get("x-mine"), oauth);
  const changed = before(() => message(), { providers: { anthropic: { auth } } });
  await changed.fetch(ask("anthropic/c", { authorization: `Bearer ${oauth}` }));
  assertEquals(changed.sent[0].headers.get("x-mine"), oauth);
});

// ---------------------------------------------------------------- limits of a token

const LIMITED: Options = {
  tokens: [
    { token: "only-gw", gateways: ["gw"] },
    { token: "only-openai", providers: ["openai"] },
    { token: "only-google", providers: ["gemini", "custom-mine"] },
  ],
  keys: { openai: "sk-stored", "google-ai-studio": "g-stored", mine: "m-stored" },
  providers: { mine: { baseUrl: "https://mine.test" } },
};

Deno.test("a token may be limited to gateways", async () => {
  const { fetch, sent } = before(answer, LIMITED);
  const headers = { "cf-aig-authorization": "only-gw", "content-type": "application/json" };
  const body = JSON.stringify({ model: "openai/gpt", messages });
  const statuses = [];
  for (const gateway of ["/v1/acct/gw/compat", "/v1/acct/other/compat", "/v1", "/compat"]) {
    const url = `http://gateway.test${gateway}/chat/completions`;
    statuses.push((await fetch(new Request(url, { method: "POST", headers, body }))).status);
  }
  assertEquals(statuses, [200, 401, 401, 401]);
  assertEquals(sent.length, 1);
});

Deno.test("a token may be limited to providers, by any of their names and at every door", async () => {
  const { fetch, sent } = before(answer, LIMITED);
  const headers = { "cf-aig-authorization": "only-openai" };
  const step = (provider: string) => ({ provider, endpoint: "chat/completions", query: {} });
  const compat = { provider: "compat", endpoint: "chat/completions", query: { model: "groq/x", messages } };
  const refused = [
    ask("groq/x", headers),
    ask("openai/gpt", headers, { models: ["groq/x"] }),
    ask("openai/gpt", { ...headers, "sluice-fallback": "groq/x" }),
    post(`${ROOT}/groq/chat/completions`, {}, headers),
    post(ROOT, [step("openai"), step("groq")], headers),
    post(ROOT, [step("openai"), compat], headers),
  ];
  for (const request of refused) {
    const response = await fetch(request);
    assertEquals(response.status, 401, request.url);
    const body = await response.json();
    assertEquals(Number(body.error.code ?? body.error[0].code), 2009);
  }
  assertEquals(sent.length, 0);
  assertEquals((await fetch(ask("openai/gpt", headers))).status, 200);
  const google = { "cf-aig-authorization": "only-google" };
  assertEquals(
    (await fetch(post(`${ROOT}/google-ai-studio/v1/models/g:generateContent`, {}, google))).status,
    200,
  );
  assertEquals((await fetch(ask("mine/m", google))).status, 200);
  assertEquals((await fetch(ask("openai/gpt", google))).status, 401);
});

// ---------------------------------------------------------------- stored keys

Deno.test("stored keys are never used without a token", async () => {
  const { fetch, sent } = before(answer, { keys: { groq: "gsk-stored" } });
  for (const headers of [{}, { "cf-aig-authorization": "Bearer anything" }] as Record<string, string>[]) {
    for (const [, request] of doors(headers)) await fetch(request);
  }
  assertEquals(sent.length, 10, "providers without a stored key are asked as before");
  assert(sent.every(({ headers }) => ![...headers.values()].some((value) => value.includes("stored"))));
});

Deno.test("with tokenRequired: false a request without a token is served, but without stored keys", async () => {
  const { fetch, sent } = before(answer, { ...STORED, tokenRequired: false });
  await fetch(ask("openai/gpt"));
  await fetch(ask("groq/x"));
  await fetch(ask("openai/gpt", { authorization: "Bearer sk-mine" }));
  await fetch(ask("openai/gpt", { authorization: `Bearer ${TOKEN}` }));
  assertEquals(sent.map(({ headers }) => headers.get("authorization")), [
    null,
    "Bearer sk-mine",
    "Bearer sk-stored",
  ]);
});

Deno.test("tokenRequired without any token is refused at start", () => {
  assertThrows(() => createGateway({ tokenRequired: true }), TypeError, "tokenRequired");
});

Deno.test("an empty list of tokens is refused at start", () => {
  for (const more of [{}, { tokenRequired: true }, { tokenRequired: false }]) {
    assertThrows(
      () => createGateway({ tokens: [], ...more }),
      TypeError,
      "option tokens: it must hold a token",
    );
  }
});

Deno.test("a token with marks of a list or of JSON, or that is not a secret, is refused at start", () => {
  const bad = [
    "a,b",
    '"a"',
    '{"token":"a"}',
    "a}",
    "[a",
    "a]",
    "a b",
    "",
    " ",
    "null",
    "undefined",
    "true",
    "0",
  ];
  for (const token of bad) {
    for (const tokens of [[token], ["good", token], [{ token, providers: ["openai"] }]]) {
      const { message } = assertThrows(() => createGateway({ tokens }), TypeError);
      assertStringIncludes(message, `Cannot use option tokens.${tokens.length - 1}`);
    }
  }
  // All other characters that a header can hold, without blanks.
  const rest = "!#$%&'()*+-./0123456789:;<=>?@ABCXYZ\\^_`abcxyz|~";
  createGateway({ tokens: [...rest].filter((one) => !/[01]/.test(one)).concat(rest) });
});

Deno.test("the same token twice is refused at start, because its limits would be unclear", () => {
  for (const tokens of [["a", "b", "a"], ["a", "b", { token: " a ", gateways: ["g"] }]]) {
    const { message } = assertThrows(() => createGateway({ tokens }), TypeError);
    assertEquals(message, "Cannot use option tokens.2: it is the same as tokens.0");
  }
});

Deno.test("cf-aig-byok-alias picks a key, of the request or of a step; an unknown one is 400 with 2040", async () => {
  const keys = { openai: { default: "sk-default", team: "sk-team" }, anthropic: "sk-ant" };
  const { fetch, sent } = before(answer, { tokens: [TOKEN], keys });
  const own = { "cf-aig-authorization": TOKEN };
  const alias = { ...own, "cf-aig-byok-alias": "team" };
  const step = { provider: "openai", endpoint: "chat/completions", query: {} };
  await fetch(ask("openai/gpt", own));
  await fetch(ask("openai/gpt", alias));
  await fetch(post(`${ROOT}/openai/chat/completions`, {}, alias));
  await fetch(post(ROOT, step, alias));
  await fetch(post(ROOT, { ...step, headers: { "cf-aig-byok-alias": "default" } }, alias));
  assertEquals(sent.map(({ headers }) => headers.get("authorization")), [
    "Bearer sk-default",
    ...Array(3).fill("Bearer sk-team"),
    "Bearer sk-default",
  ]);
  for (
    const request of [
      ask("openai/gpt", { ...alias, "cf-aig-byok-alias": "nope" }),
      ask("anthropic/claude", alias),
      post(`${ROOT}/openai/x`, {}, { ...alias, "cf-aig-byok-alias": "constructor" }),
      post(ROOT, [step, { ...step, headers: { "cf-aig-byok-alias": "nope" } }], own),
      ask("openai/gpt", { ...alias, "cf-aig-max-attempts": "5" }, { models: ["anthropic/claude"] }),
    ]
  ) {
    const response = await fetch(request);
    assertEquals(response.status, 400);
    const text = await response.text();
    assertStringIncludes(text, "2040");
    assert(!text.includes("default") && !/sk-/.test(text), "neither the aliases that there are nor keys");
  }
  assertEquals(sent.length, 5, "nothing is sent for an alias that one of the steps lacks");
});

Deno.test("a client's own key wins over a stored one, whatever alias it names", async () => {
  const { fetch, sent } = before(answer, STORED);
  const headers = {
    "cf-aig-authorization": TOKEN,
    authorization: "Bearer sk-mine",
    "cf-aig-byok-alias": "nope",
  };
  assertEquals((await fetch(ask("openai/gpt", headers))).status, 200);
  assertEquals(sent[0].headers.get("authorization"), "Bearer sk-mine");
});

Deno.test("an alias is ignored by a provider that needs no key", async () => {
  const { fetch } = before(() => refusal(500), STORED);
  const headers = { "cf-aig-authorization": TOKEN, "cf-aig-byok-alias": "default" };
  assertEquals((await fetch(ask("openai/gpt", headers, { models: ["demo/echo"] }))).status, 200);
});

Deno.test("several keys take turns, and one that answers 401 or 429 rests as long as the provider asks", async () => {
  const time = clock();
  const bad = new Map([["Bearer b", refusal.bind(null, 429, { "retry-after": "600" })], [
    "Bearer c",
    refusal.bind(null, 401, undefined),
  ]]);
  const { fetch, sent } = before(
    ({ headers }) => bad.get(headers.get("authorization")!)?.() ?? completion(),
    {
      tokens: [TOKEN],
      keys: { openai: ["a", "b", "c"] },
      ...time.options,
    },
  );
  const used = async (times: number) => {
    const from = sent.length;
    for (let at = 0; at < times; at++) await fetch(ask("openai/gpt", { "cf-aig-authorization": TOKEN }));
    return sent.slice(from).map(({ headers }) => headers.get("authorization")!.slice(-1)).join("");
  };
  assertEquals(await used(6), "abcaaa");
  time.pass(60_001);
  assertEquals(await used(4), "caaa", "c is tried again after a minute, b rests for its ten");
  time.pass(600_000);
  assertEquals(await used(4), "bcaa");
});

Deno.test("a key rests for at most an hour, and for a minute if the provider's retry-after cannot be read", async () => {
  const hour = 3_600_000, minute = 60_000;
  const cases: [Record<string, string>, number][] = [
    [{ "retry-after": "3599" }, 3_599_000],
    [{ "retry-after": "86400" }, hour],
    [{ "retry-after": "9".repeat(400) }, hour],
    [{ "retry-after-ms": "9".repeat(30) }, hour],
    [{ "retry-after": "Fri, 01 Jan 2100 00:00:00 GMT" }, hour],
    [{ "retry-after": "Infinity" }, minute],
    [{ "retry-after": "-5" }, minute],
    [{ "retry-after": "1e9" }, minute],
    [{ "retry-after": "soon" }, minute],
    [{ "retry-after": "" }, minute],
  ];
  for (const [headers, rest] of cases) {
    const time = clock();
    const { fetch, sent } = before(
      (_, at) => at === 0 ? refusal(429, headers) : completion(),
      { tokens: [TOKEN], keys: { openai: ["a", "b"] }, ...time.options },
    );
    const used = async (times: number) => {
      const from = sent.length;
      for (let at = 0; at < times; at++) await fetch(ask("openai/gpt", { "cf-aig-authorization": TOKEN }));
      return sent.slice(from).map(({ headers }) => headers.get("authorization")!.slice(-1)).join("");
    };
    assertEquals(await used(3), "abb", JSON.stringify(headers));
    time.pass(rest - 1);
    assertEquals(await used(2), "bb", JSON.stringify(headers));
    time.pass(1);
    assertEquals(await used(2), "ab", JSON.stringify(headers));
  }
});

Deno.test("when all keys rest, the one whose rest ends first is used", async () => {
  const time = clock();
  const seconds: Record<string, string> = { a: "300", b: "100", c: "200" };
  const { fetch, sent } = before(
    ({ headers }) => refusal(429, { "retry-after": seconds[headers.get("authorization")!.slice(-1)] }),
    { tokens: [TOKEN], keys: { openai: ["a", "b", "c"] }, ...time.options },
  );
  for (let at = 0; at < 4; at++) await fetch(ask("openai/gpt", { "cf-aig-authorization": TOKEN }));
  assertEquals(sent.map(({ headers }) => headers.get("authorization")!.slice(-1)).join(""), "abcb");
});

for (const door of ["compat", "native"]) {
  Deno.test(`${door}: another attempt takes the next key at once, whatever retry-after the refused one got`, async () => {
    const headers = { "cf-aig-authorization": TOKEN, "cf-aig-max-attempts": "3" };
    const request = () =>
      door === "compat" ? ask("openai/gpt", headers) : post(`${ROOT}/openai/chat/completions`, {}, headers);
    for (
      const refused of [
        () => refusal(429),
        () => refusal(429, { "retry-after": "30" }),
        () => refusal(429, { "retry-after": "3600" }),
        () => refusal(401),
      ]
    ) {
      const time = clock();
      const keys = { openai: ["a", "b"] };
      const { fetch, sent } = before(
        ({ headers }) => headers.get("authorization") === "Bearer a" ? refused() : completion(),
        { tokens: [TOKEN], keys, ...time.options },
      );
      assertEquals((await fetch(request())).status, 200);
      assertEquals([sent.length, time.waits], [2, []]);
    }
    // If all keys are refused, it waits or gives up, as with one key.
    const time = clock();
    const { fetch, sent } = before(() => refusal(429, { "retry-after": "5" }), {
      tokens: [TOKEN],
      keys: { openai: ["a", "b"] },
      ...time.options,
    });
    assertEquals((await fetch(request())).status, 429);
    assertEquals([sent.length, time.waits], [3, [5000]]);
    const bad = before(() => refusal(401), {
      tokens: [TOKEN],
      keys: { openai: ["a", "b"] },
      ...time.options,
    });
    assertEquals((await bad.fetch(request())).status, 401);
    assertEquals(bad.sent.length, 2);
  });
}

// ---------------------------------------------------------------- secrets in output

Deno.test("keys and tokens are in no URL, no log and no answer", async () => {
  const secrets = [TOKEN, "sk-stored", "sk-ant-stored", "sk-mine"];
  const logged: LogEntry[] = [];
  const failures: ((sent: { url: string; headers: Headers }) => Response)[] = [
    () => refusal(401),
    () => {
      throw new TypeError("error sending request with key sk-stored to https://api.openai.com/v1?k=sk-mine");
    },
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    () => new Response(null, { status: 302, headers: { location: "https://elsewhere.test" } }),
    () => completion(),
  ];
  for (const fail of failures) {
    const { fetch, sent } = before(fail, { ...STORED, log: (entry) => logged.push(entry) });
    const own = { "cf-aig-authorization": TOKEN };
    for (
      const request of [
        ask("openai/gpt", own),
        ask("anthropic/c", { ...own, "x-api-key": "sk-mine" }),
        post(`${ROOT}/openai/chat/completions`, {}, own),
        post(ROOT, [{ provider: "openai", endpoint: "x", query: {}, authorization: "Bearer sk-mine" }], own),
        ask("nobody/x", own),
        post("https://gateway.test/v1/-/g/workers-ai/run/x?key=sk-mine", {}, own),
      ]
    ) {
      const response = await fetch(request);
      const seen = [...response.headers].join("\n") + await response.text();
      for (const secret of secrets) assert(!seen.includes(secret), `${secret} in the answer`);
    }
    for (const { url } of sent) for (const secret of secrets) assert(!url.includes(secret));
  }
  assert(logged.length > 0);
  for (const secret of secrets) assert(!JSON.stringify(logged).includes(secret), `${secret} in the log`);
});

Deno.test("an option that is a secret is not quoted when it is refused", () => {
  const bad: Options[] = [
    { tokens: ["secret\nvalue"] },
    { tokens: [{ token: "" }] },
    { tokens: ["geheim-ü"] },
    // deno-lint-ignore no-explicit-any
    { tokens: [987654 as any] },
    // deno-lint-ignore no-explicit-any
    { tokens: [{ token: "t", providers: 987654 as any }] },
    { tokens: [{ token: "t", providers: ["nobody"] }] },
    { keys: { openai: "secret\r\nvalue" } },
    { keys: { openai: [] } },
    { keys: { openai: { default: "secret\nvalue" } } },
    // deno-lint-ignore no-explicit-any
    { keys: { openai: 987654 as any } },
    { keys: { nobody: "secret" } },
    { providers: { openai: { headers: { authorization: "secret\n" + "value" } } } },
    // deno-lint-ignore no-explicit-any
    { providers: { openai: { headers: { authorization: 987654 as any } } } },
  ];
  for (const options of bad) {
    const error = assertThrows(() => createGateway(options), TypeError) as Error;
    const [name] = Object.keys(options);
    assertStringIncludes(error.message, `option ${name}`);
    assert(!/secret|geheim|987654/.test(error.message), error.message);
  }
});

Deno.test("a credential is read in one pass, however many blanks it has", async () => {
  const { fetch } = before(answer, STORED);
  const blanks = " ".repeat(200_000);
  // A regular expression that tries every way to split the blanks would take a minute for each.
  for (const value of [`bearer${blanks}x`, `x${blanks}x`, `undefined${blanks}x`, "bearer ".repeat(30_000)]) {
    const response = await fetch(ask("openai/gpt", { authorization: value, "cf-aig-authorization": value }));
    assertEquals(response.status, 401);
  }
});
