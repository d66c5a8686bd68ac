/** Azure's credentials: keys, tokens of Entra ID, and an app's secret that gets such tokens. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createGateway } from "../../../mod.ts";
import { readEnv } from "../../../gateway/setup/env.ts";
import { type App, strictEntra } from "../../acceptance/strict_entra.ts";
import { post } from "../../fakes.ts";

const APP: App = { tenantId: "contoso.test", clientId: "app-1", clientSecret: "secret~of.the-app" };
const OTHER: App = { ...APP, clientId: "app-2", clientSecret: "secret~of.another" };
const TOKEN = "gateway-token-1";
const CHAT = "http://gateway.test/v1/chat/completions";
const ask = (model = "azure/r/d") => ({ model, messages: [{ role: "user", content: "Hi" }] });
/** A client's own key, beside the gateway's token. */
const by = (key: string) => ({ "cf-aig-authorization": `Bearer ${TOKEN}`, authorization: `Bearer ${key}` });
const done = {
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
};

/** A gateway before a resource that takes tokens of Entra ID alone, with a clock of the test's. */
function room(keys: object, { seconds = 3599, more = {} }: { seconds?: number; more?: object } = {}) {
  const clock = { now: 1_700_000_000_000 };
  const entra = strictEntra([APP, OTHER], () => clock.now, seconds);
  const asked: { url: string; headers: Headers; body: string }[] = [];
  const answer = { body: () => Response.json(done) };
  const gateway = createGateway({
    now: () => clock.now,
    tokens: [TOKEN],
    keys: keys as never,
    async fetch(url, init) {
      const minted = await entra.play(url, init);
      if (minted) return minted;
      const headers = new Headers(init.headers);
      asked.push({ url, headers, body: `${init.body}` });
      if (headers.has("api-key") || headers.has("x-api-key") || !entra.takes(headers.get("authorization"))) {
        return Response.json({ error: { code: "401", message: "Access denied." } }, { status: 401 });
      }
      return answer.body();
    },
    ...more,
  });
  const call = (
    body: object = ask(),
    headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
  ) => gateway.fetch(post(CHAT, body, headers));
  return { clock, entra, asked, answer, gateway, call };
}

Deno.test("an app's token is asked for once, for many calls at once, and serves until five minutes before its end", async () => {
  const { entra, clock, call, asked } = room({ azure: APP });
  const answers = await Promise.all(Array.from({ length: 8 }, () => call()));
  assertEquals(answers.map(({ status }) => status), Array(8).fill(200));
  assertEquals(entra.mints.length, 1);
  assertEquals(Object.fromEntries(entra.mints[0]), {
    grant_type: "client_credentials",
    client_id: APP.clientId,
    client_secret: APP.clientSecret,
    scope: "https://cognitiveservices.azure.com/.default",
  });
  clock.now += (3599 - 300) * 1000 - 1;
  await call();
  assertEquals(entra.mints.length, 1);
  clock.now += 1;
  assertEquals((await call()).status, 200);
  assertEquals(entra.mints.length, 2);
  assert(asked.every(({ headers, body }) => !headers.has("api-key") && !body.includes("secret")));
});

Deno.test("a token that Azure refuses is dropped, and the call asked once more with a new one, on chat and native paths", async () => {
  const { entra, call, asked, gateway } = room({ azure: APP });
  assertEquals((await call()).status, 200);
  entra.revoke();
  assertEquals((await call()).status, 200);
  assertEquals([entra.mints.length, asked.length], [2, 3]);
  assertEquals(asked[1].body, asked[2].body);
  entra.revoke();
  const path = "http://gateway.test/v1/a/g/azure-openai/r/openai/v1/chat/completions";
  const native = (more: Record<string, string>) =>
    gateway.fetch(post(path, { model: "d" }, { "cf-aig-authorization": `Bearer ${TOKEN}`, ...more }));
  const whole = await native({ "content-length": "13" });
  assertEquals([whole.status, entra.mints.length, asked.length], [200, 3, 5]);
  // A body of unknown length is streamed, and cannot be sent twice.
  entra.revoke();
  assertEquals([(await native({})).status, entra.mints.length, asked.length], [502, 3, 6]);
  assertEquals([(await native({})).status, entra.mints.length, asked.length], [200, 4, 7]);
});

Deno.test("a resource that takes no token of the app answers its own 401, after one more try", async () => {
  const { entra, call, asked } = room({ azure: APP }, { seconds: 1e-9 });
  const response = await call();
  assertEquals([response.status, (await response.json()).error.message], [401, "Access denied."]);
  assertEquals([entra.mints.length, asked.length], [2, 2]);
});

Deno.test("an app that Entra ID refuses is told by Entra's codes, and nothing of the secret is", async () => {
  const faults: [App, string][] = [
    [{ ...APP, clientSecret: "wrong~secret-1" }, "invalid_client, AADSTS7000215"],
    [{ ...APP, clientId: "nobody" }, "unauthorized_client, AADSTS700016"],
    [{ ...APP, scope: "one" }, "invalid_scope, AADSTS1002012"],
  ];
  for (const [app, codes] of faults) {
    const { call, asked } = room({ azure: app });
    const response = await call();
    const text = await response.text();
    assertEquals([response.status, asked.length], [401, 0], text);
    assert(
      text.includes(codes) && text.includes("AZURE_CLIENT_SECRET") && !text.includes(app.clientSecret),
      text,
    );
  }
  const odd = room({ azure: { ...APP, tenantId: "../evil" } });
  const refused = await odd.call();
  assertEquals([refused.status, odd.entra.mints.length], [400, 0]);
  assert((await refused.text()).includes("AZURE_TENANT_ID"));
});

Deno.test("an Entra ID that is down or answers nonsense is a bad answer, and the next call asks again", async () => {
  let answer: () => Response = () => new Response("<html>", { status: 503 });
  let mints = 0;
  const gateway = createGateway({
    tokens: [TOKEN],
    keys: { azure: APP as never },
    fetch: (url) => {
      if (!url.includes("login.microsoftonline.com")) return Promise.resolve(Response.json(done));
      mints++;
      return Promise.resolve().then(() => answer());
    },
  });
  const call = () =>
    gateway.fetch(post(CHAT, ask(), { authorization: `Bearer ${TOKEN}`, "cf-aig-max-attempts": "1" }));
  assertEquals((await call()).status, 502);
  answer = () => Response.json({ access_token: "two words", expires_in: 9 });
  assertEquals((await call()).status, 502);
  answer = () => {
    throw new TypeError("dns error");
  };
  assertEquals((await call()).status, 502);
  answer = () => Response.json({ access_token: "eyJ.1", expires_in: "3599" });
  assertEquals([(await call()).status, mints], [200, 4]);
});

Deno.test("a client that leaves while a token is asked for sends nothing, and others get the token", async () => {
  const entra = Promise.withResolvers<Response>();
  let sent = 0;
  const gateway = createGateway({
    tokens: [TOKEN],
    keys: { azure: APP as never },
    fetch: (url) => {
      if (url.includes("login.microsoftonline.com")) return entra.promise;
      sent++;
      return Promise.resolve(Response.json(done));
    },
  });
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const left = gateway.fetch(new Request(post(CHAT, ask(), headers), { signal: leaving.signal }));
  const stays = gateway.fetch(post(CHAT, ask(), headers));
  await new Promise((resolve) => setTimeout(resolve));
  leaving.abort();
  await Promise.allSettled([left]);
  assertEquals(sent, 0);
  entra.resolve(Response.json({ access_token: "eyJ.1", expires_in: 3599 }));
  assertEquals([(await stays).status, sent], [200, 1]);
});

Deno.test("each credential has a token of its own, and a client's app is never mixed with the stored one", async () => {
  const { entra, call, asked } = room({ azure: { default: JSON.stringify(APP), b: JSON.stringify(OTHER) } });
  await call();
  await call(ask(), { authorization: `Bearer ${TOKEN}`, "cf-aig-byok-alias": "b" });
  const own = { ...OTHER, scope: "https://ai.azure.com/.default" };
  await call(ask(), by(JSON.stringify(own)));
  assertEquals(entra.mints.map((form) => form.get("client_id")), ["app-1", "app-2", "app-2"]);
  assertEquals(entra.mints[2].get("scope"), own.scope);
  assertEquals(asked.length, 3);
  const half = await call(ask(), by(JSON.stringify({ tenantId: "t", clientId: "c" })));
  assertEquals([half.status, asked.length, entra.mints.length], [400, 3, 3], await half.clone().text());
  assert((await half.text()).includes("clientSecret"));
});

Deno.test("a client's token goes as a bearer and its key as api-key, to Foundry's Claude as x-api-key", async () => {
  const { call, asked } = room({});
  for (const key of ["eyJhbGciOi.a.b", "eyK.a.b", "plain-key"]) {
    for (const model of ["azure/r/d", "azure-ai/r/d", "azure-ai/r/claude-x"]) {
      await call(ask(model), by(key));
    }
  }
  const seen = asked.map(({ headers }) =>
    ["authorization", "api-key", "x-api-key"].flatMap((name) =>
      headers.has(name) ? [`${name}: ${headers.get(name)}`] : []
    )
  );
  assertEquals(seen, [
    ...Array(3).fill(["authorization: Bearer eyJhbGciOi.a.b"]),
    ...Array(3).fill(["authorization: Bearer eyK.a.b"]),
    ...Array(2).fill(["api-key: plain-key"]),
    ["x-api-key: plain-key"],
  ]);
});

Deno.test("an explanation asks nobody for a token", async () => {
  const { call, entra, asked } = room({ azure: APP });
  const response = await call(ask(), { authorization: `Bearer ${TOKEN}`, "sluice-explain": "true" });
  const text = await response.text();
  assertEquals([response.status, entra.mints.length, asked.length], [200, 0, 0], text);
  assert(text.includes("authorization") && !text.includes(APP.clientSecret), text);
});

Deno.test("nothing of an app's secret, nor of its token, comes back in an answer or an error", async () => {
  const { call, answer, asked, gateway, entra } = room({ azure: APP });
  const path = "http://gateway.test/v1/a/g/azure-openai/r/openai/v1/chat/completions";
  const ways = [
    () => call(),
    () =>
      gateway.fetch(
        post(path, { model: "d" }, { "cf-aig-authorization": `Bearer ${TOKEN}`, "content-length": "13" }),
      ),
  ];
  // The second token is masked as the first was.
  for (const status of [400, 200, 400]) {
    for (const way of ways) {
      answer.body = () => {
        const said = `no ${APP.clientSecret} ${asked.at(-1)!.headers.get("authorization")}`;
        const choice = { index: 0, message: { role: "assistant", content: said }, finish_reason: "stop" };
        return Response.json(status === 200 ? { choices: [choice] } : { error: { message: said } }, {
          status,
        });
      };
      const response = await way();
      const text = await response.text();
      assertEquals(response.status, status, text);
      const token = asked.at(-1)!.headers.get("authorization")!.replace("Bearer ", "");
      assert(
        entra.takes(`Bearer ${token}`) && !text.includes(APP.clientSecret) && !text.includes(token),
        text,
      );
    }
    entra.revoke();
    // Each way is the first to get a token.
    ways.reverse();
  }
});

Deno.test("readEnv() takes the three variables of an app as a whole, and a key before them", () => {
  const set = { AZURE_TENANT_ID: "t", AZURE_CLIENT_ID: "c", AZURE_CLIENT_SECRET: "s-1234567" };
  const keysOf = (variables: Record<string, string>) => readEnv((name) => variables[name]).options.keys ?? {};
  const app = JSON.stringify({ tenantId: "t", clientId: "c", clientSecret: "s-1234567" });
  assertEquals(keysOf(set), { "azure-ai": app, "azure-openai": app });
  assertEquals(keysOf({ ...set, AZURE_API_KEY: "k", AZURE_AI_API_KEY: "l" }), {
    "azure-ai": ["l"],
    "azure-openai": ["k"],
  });
  const scope = "https://ai.azure.com/.default";
  assert(`${keysOf({ ...set, AZURE_SCOPE: scope })["azure-openai"]}`.includes(scope));
  for (const missing of Object.keys(set) as (keyof typeof set)[]) {
    const { [missing]: _, ...half } = set;
    assertThrows(() => keysOf(half), TypeError, `${missing} is not set`);
    for (const other of ["AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"]) {
      assertEquals(keysOf({ ...half, [other]: "x" }), {});
    }
  }
});
