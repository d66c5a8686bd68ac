/** Keys that functions of the operator's get. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { MakeKey } from "../../../gateway/access/made_keys.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { awsError } from "../../acceptance/strict_converse.ts";
import { signatureFault } from "../../acceptance/strict_sigv4.ts";
import { before, clock, completion, nothing, post, refusal, ROOT, type Sent } from "../../fakes.ts";

const CHAT = "http://gateway.test/v1/chat/completions";
const TOKEN = "token-of-the-gateway";
const AUTH = { authorization: `Bearer ${TOKEN}` };
const messages = [{ role: "user", content: "Hi" }];
const OPENAI = { model: "openai/gpt-4o-mini", messages };
const NOW = Date.UTC(2026, 10, 24);

/** A gateway whose key of a provider is made, with its clock. */
function made(
  make: unknown,
  provider = "openai",
  answer: (sent: Sent, at: number) => Response | Promise<Response> = () => completion(),
  options: Options = {},
) {
  const time = clock(NOW);
  const keys = { [provider]: make as MakeKey };
  return { ...before(answer, { ...time.options, tokens: [TOKEN], keys, ...options }), time };
}

const sentKeys = (sent: Sent[]) => sent.map(({ headers }) => headers.get("authorization"));

Deno.test("a function's key is asked for once for many requests, and anew before its end", async () => {
  let calls = 0;
  const gateway = made(async () => {
    await Promise.resolve();
    return { token: `key-${++calls}`, expiresOnTimestamp: NOW + 3_600_000 };
  });
  const ask = () => gateway.fetch(post(CHAT, OPENAI, AUTH));
  await Promise.all([ask(), ask(), ask()]);
  gateway.time.pass(3_600_000 - 301_000);
  await ask();
  gateway.time.pass(2000);
  await ask();
  assertEquals(sentKeys(gateway.sent), [...Array(4).fill("Bearer key-1"), "Bearer key-2"]);
});

Deno.test("a key that does not tell its end is used for five minutes, and one that is a JWT until its end", async () => {
  const claims = btoa(JSON.stringify({ exp: NOW / 1000 + 3600 })).replaceAll("=", "");
  for (
    const [key, ms] of [["plain-key", 300_000], [`eyJhbGciOiJIUzI1NiJ9.${claims}.sig`, 3_300_000]] as const
  ) {
    let calls = 0;
    const gateway = made(() => (calls++, key));
    const ask = async () => {
      await gateway.fetch(post(CHAT, OPENAI, AUTH));
      return calls;
    };
    assertEquals([await ask(), await ask()], [1, 1]);
    gateway.time.pass(ms - 1);
    assertEquals(await ask(), 1);
    gateway.time.pass(1);
    assertEquals(await ask(), 2);
  }
});

Deno.test("a function that gives Amazon's pair signs with it, with its session token and its region, on chat and native paths", async () => {
  const pair = { accessKeyId: "ASIAMADE", secretAccessKey: "made/secret+key", sessionToken: "session" };
  // As the providers of Amazon's SDK give it, with more than a signature needs.
  const give = () =>
    Promise.resolve({ ...pair, region: "eu-west-1", accountId: "1", expiration: new Date(NOW + 9e6) });
  const paths = [[CHAT, { model: "bedrock/m", messages }], [
    `${ROOT}/aws-bedrock/bedrock-runtime/eu-west-1/model/m/converse`,
    {},
  ]] as const;
  for (const [url, body] of paths) {
    const { fetch } = made(give, "aws-bedrock", async ({ method, url, headers, body }) => {
      const scope = { service: "bedrock", region: "eu-west-1" };
      const fault = await signatureFault({ method, url, headers, body }, [pair], scope, NOW);
      if (fault) return awsError(403, fault.split(":")[0], fault);
      return Response.json({ output: { message: { content: [{ text: "Hi" }] } }, stopReason: "end_turn" });
    });
    const response = await fetch(post(url, body, AUTH));
    assertEquals(response.status, 200, await response.text());
  }
});

Deno.test("a function may give an access token of Google's or Entra's, by alias too, and lists of models are asked with its key", async () => {
  const cases: [provider: string, model: string, key: string, sent: string][] = [
    ["google-vertex-ai", "vertex/gemini-3.8-flash", "ya29.made", "Bearer ya29.made"],
    ["azure-openai", "azure/res/dep", "eyJhbGciOiJIUzI1NiJ9.e30.sig", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.sig"],
  ];
  for (const [provider, model, key, authorization] of cases) {
    const options = { providers: { "google-vertex-ai": { project: "p" } } };
    const { fetch, sent } = made({ team: () => key }, provider, () => completion(), options);
    await (await fetch(post(CHAT, { model, messages }, { ...AUTH, "cf-aig-byok-alias": "team" }))).text();
    assertEquals(sentKeys(sent), [authorization]);
  }
  const { fetch, sent } = before(() => Response.json({ data: [] }), {
    tokens: [TOKEN],
    keys: { openai: () => "key-of-openai" },
  });
  await (await fetch(new Request("http://gateway.test/v1/models", { headers: AUTH }))).text();
  assertEquals(sentKeys(sent), ["Bearer key-of-openai"]);
});

Deno.test("a made key that is answered 401 is not used again, and another try gets a new one", async () => {
  let calls = 0;
  const answer = ({ headers }: Sent) =>
    headers.get("authorization") === "Bearer key-1" ? refusal(401) : completion();
  const gateway = made(() => `key-${++calls}`, "openai", answer);
  assertEquals((await gateway.fetch(post(CHAT, OPENAI, AUTH))).status, 401);
  assertEquals((await gateway.fetch(post(CHAT, OPENAI, AUTH))).status, 200);
  calls = 0;
  const tried = made(() => `key-${++calls}`, "openai", answer);
  const headers = { ...AUTH, "cf-aig-max-attempts": "2" };
  assertEquals((await tried.fetch(post(CHAT, OPENAI, headers))).status, 200);
  assertEquals(sentKeys(tried.sent), ["Bearer key-1", "Bearer key-2"]);
});

Deno.test("a function that fails or gives no key is told without its words, nothing is sent, and the next request asks again", async () => {
  let calls = 0;
  const gives: [give: () => unknown, words: string, provider?: string][] = [
    [() => Promise.reject(new Error("vault says SECRET")), "failed"],
    [() => {
      throw new Error("SECRET");
    }, "failed"],
    [() => undefined, "gave no key"],
    [() => "SECRET\r\nx: y", "gave no key"],
    [() => ({}), "gave no key"],
    [() => ({ token: 1 }), "gave no key"],
    [() => ({ accessKeyId: "SECRET" }), "gave no key"],
    [() => ({ accessKeyId: "SECRET" }), "it has no secretAccessKey", "aws-bedrock"],
  ];
  for (const [give, words, provider = "openai"] of gives) {
    const gateway = made(() => (calls++, give()), provider);
    const model = provider === "openai" ? OPENAI.model : "bedrock/us-east-1/m";
    for (let round = 0; round < 2; round++) {
      const response = await gateway.fetch(post(CHAT, { model, messages }, AUTH));
      const text = await response.text();
      assertEquals(response.status, 502, text);
      assert(text.includes(`Cannot sign in to ${provider}: the function in the option keys`), text);
      assert(text.includes(words) && !text.includes("SECRET"), text);
    }
    assertEquals(gateway.sent.length, 0);
  }
  assertEquals(calls, 2 * gives.length);
});

Deno.test("a made key serves nobody without a gateway token, a client's own key wins, and an explanation asks nobody", async () => {
  const never = () => {
    throw new Error("asked");
  };
  const open = made(never, "openai", () => completion(), { tokenRequired: false });
  assertEquals((await open.fetch(post(CHAT, OPENAI))).status, 401);
  assertEquals((await open.fetch(post(CHAT, OPENAI, { authorization: "Bearer sk-own" }))).status, 200);
  assertEquals(sentKeys(open.sent), ["Bearer sk-own"]);
  const { fetch } = before(nothing.fetch as never, { tokens: [TOKEN], keys: { openai: never as never } });
  const response = await fetch(post(CHAT, OPENAI, { ...AUTH, "sluice-explain": "true" }));
  assertEquals([response.status, (await response.json()).targets[0].requests[0].key], [200, "gateway"]);
});

Deno.test("a made key that a provider repeats is masked, also the newest of very many", async () => {
  let calls = 0;
  const gateway = made(
    () => `made-secret-key-${++calls}`,
    "openai",
    ({ headers }) =>
      Response.json({ error: { message: `Incorrect API key: ${headers.get("authorization")}` } }, {
        status: 401,
      }),
  );
  for (let round = 0; round < 1100; round++) {
    const text = await (await gateway.fetch(post(CHAT, OPENAI, AUTH))).text();
    if (text.includes("made-secret")) throw new Error(text);
  }
  assertEquals(calls, 1100);
});

Deno.test("a client that leaves while a key is made sends nothing", async () => {
  let give = (_: string) => {};
  const gateway = made(() => new Promise<string>((resolve) => give = resolve));
  const leaving = new AbortController();
  const answer = gateway.fetch(post(CHAT, OPENAI, AUTH, { signal: leaving.signal }));
  await new Promise((resolve) => setTimeout(resolve));
  leaving.abort();
  await answer.then((response) => response.text(), () => {});
  give("late");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(gateway.sent.length, 0);
});

Deno.test("keys may be functions or texts, and nothing else", () => {
  for (const keys of [{ openai: 1 }, { openai: [() => "x"] }, { openai: { a: { b: "c" } } }]) {
    assertThrows(() => createGateway({ keys: keys as never }), TypeError, "Cannot use option keys.openai");
  }
  createGateway({ keys: { openai: () => "x", "aws-bedrock": { default: () => "y", two: "z" } } });
});

Deno.test("an end of a made key that is no time is as none", async () => {
  const pair = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret-of-the-pair" };
  const cases: [provider: string, made: object, model: string][] = [
    ["openai", { token: "key", expiresOnTimestamp: NaN }, "openai/gpt-4o-mini"],
    ["openai", { token: "key", expiresOnTimestamp: "soon" }, "openai/gpt-4o-mini"],
    ["aws-bedrock", { ...pair, region: "eu-west-1", expiration: new Date("soon") }, "aws-bedrock/m"],
  ];
  for (const [provider, key, model] of cases) {
    let calls = 0;
    const gateway = made(() => (calls++, key), provider);
    const ask = () => gateway.fetch(post(CHAT, { ...OPENAI, model }, AUTH));
    await ask();
    gateway.time.pass(299_000);
    await ask();
    assertEquals([calls, gateway.sent.length], [1, 2], JSON.stringify(key));
    gateway.time.pass(1000);
    await ask();
    assertEquals(calls, 2);
  }
});
