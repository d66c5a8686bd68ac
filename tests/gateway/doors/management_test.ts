import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import Cloudflare from "npm:cloudflare@7.3.0";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, completion } from "../../fakes.ts";

const ADMIN = "operator-0123456789";
const REST = "http://gateway.test/client/v4/accounts/acct/ai-gateway";
const SECRET = "sk-stored-0123456789";
const PLACE = { account_id: "acct" };

/** A gateway with Cloudflare's SDK as its client. */
function scene(options: Options = {}) {
  const gateway = before(() => completion(), { logs: true, adminToken: ADMIN, ...options });
  const cloudflare = new Cloudflare({
    apiToken: ADMIN,
    baseURL: "http://gateway.test/client/v4",
    maxRetries: 0,
    fetch: (url: unknown, init: unknown) => gateway.fetch(new Request(url as string, init as RequestInit)),
  });
  const admin = (path: string, init: RequestInit = {}, token = ADMIN) =>
    gateway.fetch(
      new Request(REST + path, {
        ...init,
        headers: { "content-type": "application/json", ...token && { authorization: `Bearer ${token}` } },
      }),
    );
  return { ...gateway, ai: cloudflare.aiGateway, admin };
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);

/** What a client must send to make a gateway, by the SDK's types. */
const REQUIRED = {
  cache_invalidate_on_update: true,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};

Deno.test("a gateway shows the options under Cloudflare's names", async () => {
  const { ai } = scene({
    cache: { ttl: 300 },
    retries: { maxAttempts: 3, retryDelayMs: 250, backoff: "linear" },
    tokens: [{ token: "gateway-token-1", limits: { rpm: 1 } }],
  });
  const shown = await ai.get("prod", PLACE);
  const { id, cache_ttl, collect_logs, authentication, retry_max_attempts, retry_delay, retry_backoff } =
    shown;
  assertEquals(
    { id, cache_ttl, collect_logs, authentication, retry_max_attempts, retry_delay, retry_backoff },
    {
      ...{ id: "prod", cache_ttl: 300, collect_logs: true, authentication: true },
      ...{ retry_max_attempts: 3, retry_delay: 250, retry_backoff: "linear" },
    },
  );
  assertEquals([shown.is_default, (await ai.get("default", PLACE)).is_default], [false, true]);
  const plain = await scene({ logs: false }).ai.get("default", PLACE);
  assertEquals([plain.cache_ttl, plain.collect_logs, plain.authentication, plain.rate_limiting_limit], [
    0,
    false,
    false,
    null,
  ]);
});

Deno.test("a gateway shows its limit on requests as Cloudflare's, and takes it back unchanged", async () => {
  const { ai } = scene({
    gateways: {
      prod: {
        limits: [{ tokens: 5 }, { requests: 1, models: ["openai/*"] }, {
          requests: 50,
          seconds: 3600,
          technique: "fixed",
        }],
      },
      "*": { limits: { rpm: 9, open: 2 } },
    },
  });
  const rateOf = async (id: string) => {
    const shown = await ai.get(id, PLACE);
    return [shown.rate_limiting_limit, shown.rate_limiting_interval, shown.rate_limiting_technique];
  };
  assertEquals(await rateOf("prod"), [50, 3600, "fixed"]);
  assertEquals(await rateOf("other"), [9, 60, "sliding"]);
  const same = {
    rate_limiting_limit: 50,
    rate_limiting_interval: 3600,
    rate_limiting_technique: "fixed",
  } as const;
  const changed = await ai.update("prod", { ...PLACE, ...REQUIRED, ...same });
  assertEquals(changed, await ai.get("prod", PLACE));
});

Deno.test("gateways are the default one and those with requests, page by page", async () => {
  const { ai, fetch, admin } = scene();
  assertEquals(idsOf(await all(ai.list(PLACE))), ["default"]);
  await (await fetch(ask("openai/gpt-4.1"))).text();
  await (await fetch(
    new Request("http://gateway.test/v1/other/elsewhere/compat/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"model":"openai/gpt-4.1","messages":[{"role":"user","content":"Hi"}]}',
    }),
  )).text();
  assertEquals(idsOf(await all(ai.list({ ...PLACE, per_page: 1 }))), ["default", "gw"]);
  assertEquals(idsOf(await all(ai.list({ ...PLACE, search: "G" }))), ["gw"]);
  const { result_info } = await (await admin("/gateways?per_page=1&page=2")).json();
  assertEquals(result_info, { page: 2, per_page: 1, count: 1, total_count: 2, total_pages: 2 });
  const whole = await (await admin("/gateways?per_page=100")).json();
  assertEquals([whole.result.length, whole.result_info.total_pages], [2, 1]);
  for (const query of ["page=0", "per_page=101", "page=x", "per_page=-1"]) {
    const refused = await admin(`/gateways?${query}`);
    const { success, errors: [{ code }] } = await refused.json();
    assertEquals([refused.status, success, code], [400, false, 7001], query);
  }
});

Deno.test("a gateway can be made and changed if that changes nothing, in each spelling of what is turned off", async () => {
  const { ai } = scene({ retries: { maxAttempts: 2 } });
  assertEquals((await ai.create({ ...PLACE, id: "prod", ...REQUIRED })).id, "prod");
  const off = {
    rate_limiting_technique: null,
    dlp: { enabled: false, action: "BLOCK", profiles: [] },
    guardrails: { prompt: {}, response: {} },
    otel: [],
    logpush: false,
    spend_limits: { enabled: false, rules: [] },
    retry_max_attempts: 2,
    zdr: false,
  } as object;
  const changed = await ai.update("prod", { ...PLACE, ...REQUIRED, cache_ttl: null, ...off });
  // Terraform reads what it has written.
  assertEquals(changed, await ai.get("prod", PLACE));
});

const CHANGES: Record<string, [fields: object, told: string]> = {
  "an option": [{ cache_ttl: 600 }, "cache_ttl (option cache.ttl, or SLUICE_CACHE_TTL)"],
  "several": [
    { rate_limiting_limit: 5, retry_delay: 1 },
    "rate_limiting_limit (option gateways[].limits, or SLUICE_GATEWAYS), retry_delay (option retries.retryDelayMs)",
  ],
  "a setting without an option": [
    { guardrails: { prompt: { P1: "BLOCK" }, response: {} } },
    "guardrails (it cannot be set here)",
  ],
  "an unknown setting": [{ toString: 1 }, "toString (it cannot be set here)"],
};

for (const [name, [fields, told]] of Object.entries(CHANGES)) {
  Deno.test(`what would change the gateway is one error that names the option: ${name}`, async () => {
    const { admin } = scene();
    const body = JSON.stringify({ id: "prod", ...REQUIRED, ...fields });
    for (const [path, method] of [["/gateways", "POST"], ["/gateways/prod", "PUT"]]) {
      const answer = await admin(path, { method, body });
      const { errors: [{ code, message }], success } = await answer.json();
      assertEquals([answer.status, success, code], [400, false, 7001]);
      assertStringIncludes(message, `Cannot write the gateway "prod": ${told};`);
    }
  });
}

Deno.test("other writes are one error each, and read no secret", async () => {
  const { admin } = scene();
  const secret = JSON.stringify({ secret: SECRET, provider_slug: "openai" });
  const writes: [string, string, string, string?][] = [
    ["POST", "/gateways/gw/provider_configs", "set by the option keys, or SLUICE_KEYS", secret],
    ["POST", "/custom-providers", "set by the option providers", secret],
    ["PATCH", "/custom-providers/x", "set by the option providers", secret],
    ["DELETE", "/custom-providers/x", "set by the option providers"],
    ["DELETE", "/gateways/gw", "a gateway of any name is served"],
    ["POST", "/gateways", "the body must be a JSON object", "[]"],
    ["POST", "/gateways", "id must have 1 to 64 characters", '{"id":"a b"}'],
    ["POST", "/gateways", "id must have 1 to 64 characters", "{}"],
  ];
  for (const [method, path, told, body] of writes) {
    const answer = await admin(path, { method, body });
    const text = await answer.text();
    assertEquals([answer.status, text.includes(SECRET)], [400, false], path);
    assertStringIncludes(JSON.parse(text).errors[0].message, told);
  }
  assertEquals((await admin("/gateways/gw", { method: "PATCH" })).status, 405);
});

Deno.test("stored keys are listed without a piece of them, and custom providers without their headers", async () => {
  const { ai, admin } = scene({
    keys: { openai: SECRET, anthropic: { team: [SECRET, `${SECRET}-2`] } },
    providers: {
      "custom-mycorp": { baseUrl: "https://llm.example.com/v1", headers: { "x-key": SECRET } },
      local: { baseUrl: "http://localhost:9999" },
      openai: { baseUrl: "https://proxy.example.com/v1" },
    },
  });
  const configs = await all(ai.providerConfigs.list("gw", PLACE));
  assertEquals(
    configs.map((
      { provider_slug, gateway_id, secret_preview },
    ) => [provider_slug, gateway_id, secret_preview]),
    [
      ["anthropic", "gw", "***"],
      ["openai", "gw", "***"],
    ],
  );
  const custom = await all(ai.customProviders.list(PLACE));
  assertEquals(custom.map(({ id, slug, base_url }) => [id, slug, base_url]), [
    ["local", "local", "http://localhost:9999"],
    ["mycorp", "mycorp", "https://llm.example.com/v1"],
  ]);
  assertEquals((await ai.customProviders.get("mycorp", PLACE)).base_url, "https://llm.example.com/v1");
  assertEquals(idsOf(await all(ai.customProviders.list({ ...PLACE, search: "corp" }))), ["mycorp"]);
  await assertRejects(() => ai.customProviders.get("openai", PLACE), Error, "There is no custom provider");
  for (const path of ["/gateways/gw/provider_configs", "/custom-providers", "/gateways"]) {
    const text = await (await admin(path)).text();
    assertEquals([text.includes(SECRET), text.includes("team")], [false, false], path);
  }
});

Deno.test("the URL of a provider's own paths leads to them", async () => {
  const { ai, fetch, sent } = scene();
  const url = await ai.urls.get("openai", { ...PLACE, gateway_id: "gw" });
  assertEquals(url, "http://gateway.test/v1/acct/gw/openai");
  await (await fetch(new Request(`${url}/models`, { headers: { authorization: "Bearer sk-client" } })))
    .text();
  assertEquals(sent.map(({ url }) => url), ["https://api.openai.com/v1/models"]);
  const { ai: named } = scene({ url: "https://sluice.example.com/" });
  assertEquals(
    await named.urls.get("compat", { ...PLACE, gateway_id: "gw" }),
    "https://sluice.example.com/v1/acct/gw/compat",
  );
  await assertRejects(() => ai.urls.get("nobody", { ...PLACE, gateway_id: "gw" }), Error, "nobody");
});

Deno.test("only the operator's token opens what is shown, and no request of it is sent or kept as a row", async () => {
  const { admin, sent, fetch } = scene({ tokens: ["gateway-token-1"] });
  for (
    const path of [
      "/gateways",
      "/gateways/gw",
      "/gateways/gw/provider_configs",
      "/custom-providers",
      "/gateways/gw/url/openai",
    ]
  ) {
    assertEquals((await admin(path)).status, 200, path);
    for (const token of ["gateway-token-1", "", `${ADMIN}x`]) {
      assertEquals((await admin(path, {}, token)).status, 401, path);
    }
  }
  assertEquals(sent.length, 0);
  const rows = await fetch(
    new Request("http://gateway.test/sluice/api/logs", { headers: { authorization: `Bearer ${ADMIN}` } }),
  );
  assertEquals((await rows.json()).rows, []);
  assertEquals((await scene({ adminToken: undefined }).admin("/gateways")).status, 404);
});

Deno.test("a store that fails is one error, and the default gateway needs none", async () => {
  const store = {
    dialect: "sqlite" as const,
    all: () => Promise.reject(new Error("disk gone")),
    batch: () => Promise.reject(new Error("disk gone")),
  };
  const { admin } = scene({ store });
  assertEquals((await admin("/gateways")).status, 503);
  assertEquals((await admin("/gateways/default")).status, 200);
});
