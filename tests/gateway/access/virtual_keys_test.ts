/** Where virtual keys are found, and that no provider gets them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { holdsKey, isSecret, withKeys } from "../../../gateway/access/key_texts.ts";
import { makeSecret } from "../../../gateway/access/virtual_keys.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import { ask, before, completion, messages, post, ROOT, type Sent } from "../../fakes.ts";
import { assertLinear } from "../../growth.ts";

const ADMIN = "operator-0123456789";

/** A gateway with a virtual key. */
async function keyed(options: Options = {}, answer: (sent: Sent) => Response = () => completion()) {
  const rows: LogEntry[] = [];
  const gateway = before(answer, {
    adminToken: ADMIN,
    keys: { openai: "sk-stored", "google-ai-studio": "g-stored" },
    log: (row) => void rows.push(row),
    ...options,
  });
  const made = await gateway.call(post("http://gateway.test/sluice/api/keys", { name: "team" }));
  const { secret, id } = await made.json();
  return { ...gateway, secret: secret as string, id: id as string, rows };
}

const encoded = (text: string) => btoa(text);

const PLACES: Record<string, (secret: string) => Request> = {
  "authorization": (key) => ask("openai/gpt-4.1", { authorization: `Bearer ${key}` }),
  "authorization without a scheme": (key) => ask("openai/gpt-4.1", { authorization: key }),
  "x-api-key": (key) => ask("openai/gpt-4.1", { "x-api-key": key }),
  "x-goog-api-key": (key) => ask("openai/gpt-4.1", { "x-goog-api-key": key }),
  "api-key": (key) => ask("openai/gpt-4.1", { "api-key": key }),
  "cf-aig-authorization": (key) => ask("openai/gpt-4.1", { "cf-aig-authorization": `Bearer ${key}` }),
  "the password of Basic": (key) => ask("openai/gpt-4.1", { authorization: `Basic ${encoded(`me:${key}`)}` }),
  "the user of Basic": (key) => ask("openai/gpt-4.1", { authorization: `Basic ${encoded(`${key}:`)}` }),
  "a subprotocol": (key) =>
    ask("openai/gpt-4.1", { "sec-websocket-protocol": `realtime, cf-aig-authorization.${key}` }),
  "the query": (key) =>
    post(`${ROOT}/google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent?key=${key}&alt=json`, {
      contents: [],
    }),
  "the query, as api_key": (key) =>
    post(`${ROOT}/openai/chat/completions?api_key=${key}`, { model: "m", messages }),
  "a universal request": (key) =>
    post(ROOT, [{
      provider: "openai",
      endpoint: "chat/completions",
      headers: {},
      query: { model: "m", messages },
    }], {
      "cf-aig-authorization": `Bearer ${key}`,
    }),
  "a native path": (key) =>
    post(`${ROOT}/openai/chat/completions`, { model: "m", messages }, { authorization: `Bearer ${key}` }),
};

const sentText = ({ url, headers, body }: Sent) => JSON.stringify([url, [...headers], body]);

for (const [place, request] of Object.entries(PLACES)) {
  Deno.test(`a virtual key is found in ${place}, and no provider gets it`, async () => {
    for (const tokens of [undefined, ["other-token"]]) {
      const { fetch, secret, sent, rows } = await keyed({ tokens });
      const response = await fetch(request(secret));
      assertEquals(response.status, 200, await response.text());
      assertEquals(rows.at(-1)?.token, "team");
      assert(!sentText(sent[0]).includes(secret));
      assertStringIncludes(sentText(sent[0]), "-stored");
      const wrong = await fetch(request(makeSecret()));
      assertEquals(wrong.status, 401);
      assertStringIncludes(await wrong.text(), "there is no such virtual key");
      assertEquals(sent.length, 1);
    }
  });
}

Deno.test("a virtual key beside the provider's own key is parted from it", async () => {
  const { fetch, secret, sent } = await keyed();
  for (
    const headers of [
      { authorization: "Bearer sk-own", "cf-aig-authorization": `Bearer ${secret}` },
      { authorization: "Bearer sk-own", "x-api-key": secret },
      { authorization: `Bearer ${secret}, Bearer sk-own` },
    ] as Record<string, string>[]
  ) {
    assertEquals((await fetch(ask("openai/gpt-4.1", headers))).status, 200);
    const { headers: told } = sent.at(-1)!;
    assertEquals(told.get("authorization"), "Bearer sk-own");
    assert(!sentText(sent.at(-1)!).includes(secret));
  }
});

Deno.test("a header or parameter that holds a virtual key is sent to no provider", async () => {
  const { fetch, secret, sent } = await keyed();
  const auth = { authorization: `Bearer ${secret}` };
  const forms = [
    secret,
    `prefix ${secret} suffix`,
    secret.replace("sl-", "%73l%2d"),
    secret.replace("sl-", "%2573l-"),
    encoded(secret),
    encoded(`a:${secret}`),
    encoded(`ab:${secret}:c`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
    `Basic ${encoded(`me:${secret}`)}`,
  ];
  for (const form of forms) {
    await fetch(ask("openai/gpt-4.1", { ...auth, "x-odd": form, "x-kept": "kept" }));
    const { headers } = sent.at(-1)!;
    assertEquals([headers.get("x-odd"), headers.get("x-kept")], [null, "kept"], form);
    const query = `?odd=${encodeURIComponent(form)}&kept=1`;
    await fetch(post(`${ROOT}/openai/chat/completions${query}`, { model: "m", messages }, auth));
    assert(sent.at(-1)!.url.endsWith("/chat/completions?kept=1"), sent.at(-1)!.url);
  }
});

Deno.test("a key of another gateway, or of one that was started again, is not taken for a provider's", async () => {
  const secret = makeSecret();
  for (const place of ["authorization", "x-api-key", "api-key"]) {
    const { fetch, sent } = before(() => completion());
    const response = await fetch(ask("openai/gpt-4.1", { [place]: secret }));
    assertEquals([response.status, sent.length], [401, 0]);
    // A provider's key of another form is the provider's.
    for (const key of [`${secret}x`, `x${secret}`, "sl-short"]) {
      assertEquals((await fetch(ask("openai/gpt-4.1", { authorization: `Bearer ${key}` }))).status, 200);
      assertEquals(sent.at(-1)!.headers.get("authorization"), `Bearer ${key}`);
    }
  }
});

Deno.test("a virtual key that a provider repeats in an error is masked, and rows do not hold it", async () => {
  const echo = ({ body }: Sent) =>
    Response.json({ error: { message: `cannot read: ${JSON.parse(body).messages[0].content}` } }, {
      status: 400,
    });
  const { fetch, call, secret, rows } = await keyed({ logs: { bodies: "all" } }, echo);
  const auth = { authorization: `Bearer ${secret}` };
  const content = `my key is ${secret}`;
  const asked = { messages: [{ role: "user", content }] };
  for (
    const request of [
      ask("openai/gpt-4.1", auth, asked),
      post(`${ROOT}/openai/chat/completions`, { model: "m", ...asked }, auth),
      // Some clients write a token where a path has the account.
      post(
        `http://gateway.test/v1/${secret}/gw/compat/chat/completions`,
        { model: "openai/m", ...asked },
        auth,
      ),
    ]
  ) {
    const response = await fetch(request);
    const text = await response.text();
    assertEquals(response.status, 400);
    assertStringIncludes(text, "my key is ***");
    assert(!text.includes(secret));
  }
  // The first row is about the making of the key.
  rows.shift();
  assertEquals(rows.map(({ account }) => account), ["acct", "acct", "***"]);
  assertStringIncludes(rows[2].path, "/v1/***/gw/");
  assert(!JSON.stringify(rows).includes(secret));
  const bodies =
    await (await call(new Request(`http://gateway.test/sluice/api/bodies/acct/gw/${rows[0].id}`))).json();
  assert(JSON.stringify(bodies).includes("my key is ***"));
  assert(!JSON.stringify(bodies).includes(secret));
});

Deno.test("isSecret() and holdsKey() know a key by its form alone", () => {
  const secret = makeSecret();
  assertEquals([isSecret(secret), isSecret(`${secret} `), isSecret("sl-x"), isSecret("")], [
    true,
    false,
    false,
    false,
  ]);
  assertEquals(new Set(Array.from({ length: 100 }, makeSecret)).size, 100);
  for (const text of [secret, `"${secret}"`, `key=${secret}&x`, `_${secret}`, `/${secret}/`]) {
    assert(holdsKey(text), text);
  }
  const slug = "certificate-for-the-house-of-the-rising-sun-and-more";
  for (const text of ["", "sl-", `ssl-${slug}`, `tesl-${slug}`, "x".repeat(70), encoded("x".repeat(70))]) {
    assert(!holdsKey(text), text);
  }
});

Deno.test("holdsKey() takes time that grows as the text does", async () => {
  for (const piece of ["sl-", "c2wt", "sl-aaaa", "%73", "basic QUJD ", "NsL/"]) {
    await assertLinear(piece, 20_000, (size) => holdsKey(piece.repeat(size)));
  }
});

Deno.test("withKeys() masks a key wherever the bytes are cut", () => {
  const secret = makeSecret();
  const text = `a ${secret} b ${secret},${secret} sl-short ü ${secret}`;
  const bytes = new TextEncoder().encode(text);
  const due = text.replaceAll(secret, "***");
  const decode = (parts: Uint8Array[]) =>
    new TextDecoder().decode(new Uint8Array(parts.flatMap((part) => [...part])));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const mask = withKeys(undefined).bytes();
    const parts = [mask.push(bytes.subarray(0, cut)), mask.push(bytes.subarray(cut)), mask.end()];
    assertEquals(decode(parts), due, `cut at ${cut}`);
  }
  const mask = withKeys(undefined);
  assertEquals(decode([mask.whole(bytes)]), due);
  assertEquals(mask.text(text), due);
  assertEquals(mask.object({ a: [secret] }), { a: ["***"] });
  const none = { a: "b" };
  assertEquals(mask.object(none) === none, true);
});
