/** Routes by Cloudflare's REST API, with Cloudflare's own SDK as the client. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import Cloudflare from "npm:cloudflare@7.3.0";
import type { Options } from "../../../gateway/setup/options.ts";
import type { RouteElement } from "../../../gateway/setup/routes_option.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { strictD1 } from "../stores/strict_d1.ts";
import { ask, before, clock, completion, post } from "../../fakes.ts";
import { end, model, start, SUPPORT } from "../targets/routes/graphs.ts";

const ADMIN = "an-admin-token-of-the-test", TOKEN = "gateway-token";
const PATH = "/client/v4/accounts/acct/ai-gateway/gateways/gw/routes";
const HERE = { account_id: "acct", gateway_id: "gw" };

/** A gateway whose routes are written by Cloudflare's SDK. */
function scene(options: Options = {}) {
  const time = clock();
  const gateway = before(() => completion(), {
    adminToken: ADMIN,
    keys: { openai: "sk-stored", groq: "gsk-stored" },
    tokens: [TOKEN],
    ...time.options,
    ...options,
  });
  const cloudflare = new Cloudflare({
    apiToken: ADMIN,
    baseURL: "http://gateway.test/client/v4",
    maxRetries: 0,
    fetch: (url: unknown, init: unknown) => gateway.fetch(new Request(url as string, init as RequestInit)),
  });
  const api = (path = "", method = "GET", body?: unknown, token = ADMIN) =>
    gateway.fetch(
      new Request(`http://gateway.test${path.startsWith("/") ? path : `${PATH}${path && `/${path}`}`}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  /** Where a request is led. */
  async function led(name = "dynamic/support") {
    const response = await gateway.fetch(ask(name, { authorization: `Bearer ${TOKEN}` }));
    await response.text();
    return response.headers.get("cf-aig-routed-model") ?? response.status;
  }
  const routing = cloudflare.aiGateway.dynamicRouting;
  const create = (name: string, elements: readonly RouteElement[]) =>
    routing.create("gw", { account_id: "acct", name, elements: elements as never });
  return { ...gateway, time, api, led, routing, create };
}

const to = (name: string): RouteElement[] => [start("m"), model("m", name, "end"), end];

Deno.test("a route that is created leads requests at once; a version does when it is deployed, and again", async () => {
  const { routing, create, led, time } = scene();
  const made = await create("support", to("openai/one"));
  assertEquals([made.name, made.gateway_id, made.version.active], ["support", "gw", "true"]);
  assertEquals(made.elements, to("openai/one") as unknown);
  assertEquals(JSON.parse(made.version.data), to("openai/one"));
  assertEquals(made.deployment.version_id, made.version.version_id);
  assertEquals([made.created_at, made.modified_at], Array(2).fill("2026-11-24T00:00:00.000Z"));
  assertEquals(await led(), "openai/one");

  time.pass(60_000);
  const added = await routing.createVersion(made.id, { ...HERE, elements: to("groq/two") as never });
  assertEquals(added.elements, to("groq/two") as unknown);
  assertEquals(await led(), "openai/one");
  const versions = (await routing.listVersions(made.id, HERE)).data.versions;
  assertEquals(versions.map(({ active, is_valid }) => [active, is_valid]), [["true", true], ["false", true]]);
  const [first, second] = versions.map(({ version_id }) => version_id);
  const one = await routing.getVersion(second, { ...HERE, id: made.id });
  assertEquals([one.id, one.version_id, one.active, one.elements], [
    made.id,
    second,
    "false",
    to("groq/two") as never,
  ]);

  await routing.createDeployment(made.id, { ...HERE, version_id: second });
  assertEquals(await led(), "groq/two");
  const now = await routing.get(made.id, HERE);
  assertEquals([now.version.version_id, now.version.active, now.modified_at], [
    second,
    "true",
    "2026-11-24T00:01:00.000Z",
  ]);
  await routing.createDeployment(made.id, { ...HERE, version_id: first });
  assertEquals(await led(), "openai/one");
  const { deployments } = (await routing.listDeployments(made.id, HERE)).data;
  assertEquals(deployments.map(({ version_id }) => version_id), [first, second, first]);
});

Deno.test("routes are listed, renamed and deleted", async () => {
  const { routing, create, led, api } = scene();
  const { id } = await create("support", SUPPORT);
  await create("other/Ünï", to("openai/one"));
  const { data } = await routing.list("gw", { account_id: "acct" });
  assertEquals(data.routes.map(({ name, account_tag }) => [name, account_tag]), [["support", "acct"], [
    "other/Ünï",
    "acct",
  ]]);
  const second = await routing.list("gw", { account_id: "acct", page: 2, per_page: 1 });
  assertEquals([second.data.page, second.data.per_page, second.data.routes[0].name], [2, 1, "other/Ünï"]);
  assertEquals(await led("dynamic/other/Ünï"), "openai/one");

  const renamed = await routing.update(id, { ...HERE, name: "help" });
  assertEquals([renamed.success, renamed.route.name], [true, "help"]);
  assertEquals([await led("dynamic/help"), await led()], ["groq/llama", 400]);
  const models = await (await api("/v1/acct/gw/compat/models", "GET", undefined, TOKEN)).json();
  const ids = models.data.map(({ id }: { id: string }) => id);
  assertEquals(["dynamic/help", "dynamic/support"].map((id) => ids.includes(id)), [true, false]);
  assertEquals(
    (await (await api("/v1/acct/gw/compat/models/dynamic/help", "GET", undefined, TOKEN)).json()).id,
    "dynamic/help",
  );

  const gone = await routing.delete(id, HERE);
  assertEquals([gone.id, gone.name], [id, "help"]);
  assertEquals(await led("dynamic/help"), 400);
  await assertRejects(async () => await routing.get(id, HERE), Cloudflare.NotFoundError, "There is no route");
  await assertRejects(async () => await routing.delete(id, HERE), Cloudflare.NotFoundError);
});

Deno.test("routes of one gateway lead nobody at another", async () => {
  const { create, fetch } = scene();
  await create("support", to("openai/one"));
  for (const path of ["/v1/acct/other/compat", "/v1/acct2/gw/compat", "/v1"]) {
    const body = { model: "dynamic/support", messages: [{ role: "user", content: "Hello" }] };
    const response = await fetch(
      post(`http://gateway.test${path}/chat/completions`, body, { authorization: `Bearer ${TOKEN}` }),
    );
    assertEquals(response.status, 400, path);
    await response.text();
  }
});

Deno.test("the gateway's own paths write the routes of requests that name no account", async () => {
  const { api, fetch } = scene();
  const made =
    await (await api("/sluice/api/routes", "POST", { name: "support", elements: to("openai/one") })).json();
  const { id, version: { version_id } } = made.result;
  const body = { model: "dynamic/support", messages: [{ role: "user", content: "Hello" }] };
  const response = await fetch(
    post("http://gateway.test/v1/chat/completions", body, { authorization: `Bearer ${TOKEN}` }),
  );
  assertEquals(response.headers.get("cf-aig-routed-model"), "openai/one");
  await response.text();
  for (
    const [path, method, sent] of [
      ["", "GET"],
      [`/${id}`, "GET"],
      [`/${id}/versions`, "GET"],
      [`/${id}/versions/${version_id}`, "GET"],
      [`/${id}/deployments`, "POST", { version_id }],
      [`/${id}`, "PATCH", { name: "new" }],
      [`/${id}`, "DELETE"],
    ] as const
  ) {
    const { status } = await api(`/sluice/api/routes${path}`, method, sent);
    assertEquals(status, 200, `${method} ${path}`);
  }
  const scoped = await api("/sluice/api/routes?account=acct&gateway=gw", "POST", {
    name: "a",
    elements: to("openai/one"),
  });
  assertEquals((await scoped.json()).result.gateway_id, "gw");
});

Deno.test("only the operator reads and writes routes", async () => {
  const { api } = scene();
  for (const path of ["", "x", "x/versions", "x/deployments", "/sluice/api/routes"]) {
    for (const token of [TOKEN, "wrong", ""]) {
      assertEquals((await api(path, "GET", undefined, token)).status, 401, path);
      assertEquals((await api(path === "x" ? "" : path, "POST", {}, token)).status, 401, path);
    }
  }
  const closed = before(() => completion());
  assertEquals((await closed.fetch(new Request(`http://gateway.test${PATH}`))).status, 404);
});

const FAULTS: [body: unknown, status: number, message: string][] = [
  ["{", 400, "its body is not valid JSON"],
  [[], 400, "the body must be a JSON object"],
  [{ elements: to("openai/one") }, 400, "name: must be a text of 1 to 128 characters"],
  [{ name: "a" }, 400, "elements: must be a list of elements"],
  [{ name: "a", elements: [start("x")] }, 400, 'elements[0] (start).outputs.next: there is no element "x"'],
  [
    { name: "a", elements: to("opnai/one") },
    400,
    "elements[1] (m).properties.provider: there is no provider of that name",
  ],
  [{ name: "support", elements: to("openai/one") }, 409, 'there is a route "support" already'],
  [{ name: "fixed", elements: to("openai/one") }, 409, 'the option routes has a route "fixed"'],
  [
    {
      name: "a",
      elements: [{ ...to("openai/one")[0], note: "x".repeat(40_000) }, ...to("openai/one").slice(1)],
    },
    400,
    "at most 32768 characters",
  ],
  [`{"name": "a", "elements": ${"[".repeat(5000)}${"]".repeat(5000)}}`, 400, "nested too deeply"],
];

for (const [body, status, message] of FAULTS) {
  Deno.test(`a route is refused with ${status}: ${message}`, async () => {
    const { api, create } = scene({ routes: { fixed: to("openai/one") } });
    await create("support", to("openai/one"));
    const response = await api("", "POST", body);
    const told = await response.json();
    assertEquals([response.status, told.success], [status, false]);
    assertStringIncludes(told.errors[0].message, message);
  });
}

Deno.test("a version that cannot be used is not made, and a version that does not exist is not deployed", async () => {
  const { api, create, led } = scene();
  const { id } = await create("support", to("openai/one"));
  const faults: [path: string, method: string, body: unknown, status: number][] = [
    [`${id}/versions`, "POST", { elements: [] }, 400],
    [`${id}/versions/none`, "GET", undefined, 404],
    [`${id}/deployments`, "POST", { version_id: "none" }, 404],
    [`${id}/deployments`, "POST", {}, 400],
    [id, "PATCH", { elements: to("groq/two") }, 400],
    [id, "PATCH", { name: "" }, 400],
    ["none/versions", "POST", { elements: to("groq/two") }, 404],
    [`${id}?page=0`, "PUT", {}, 405],
    ["?page=0", "GET", undefined, 400],
    ["?per_page=101", "GET", undefined, 400],
  ];
  for (const [path, method, body, status] of faults) {
    assertEquals(
      (await api(path.startsWith("?") ? `${PATH}${path}` : path, method, body)).status,
      status,
      `${method} ${path}`,
    );
  }
  assertEquals(await led(), "openai/one");
});

Deno.test("a renamed route does not take another's name", async () => {
  const { create, routing } = scene();
  await create("a", to("openai/one"));
  const { id } = await create("b", to("openai/one"));
  await assertRejects(
    async () => await routing.update(id, { ...HERE, name: "a" }),
    Cloudflare.ConflictError,
    "Cannot write the route: there is a route",
  );
});

Deno.test("a gateway keeps a bounded number of routes, versions and deployments", async () => {
  const { api, create, routing, led } = scene();
  const { id, version: { version_id: first } } = await create("support", to("openai/one"));
  for (let at = 0; at < 40; at++) {
    assertEquals((await api(`${id}/versions`, "POST", { elements: to("groq/two") })).status, 200);
  }
  const { versions } = (await routing.listVersions(id, HERE)).data;
  // The version that leads requests is kept, although it is the oldest.
  assertEquals([versions.length, versions[0].version_id, await led()], [30, first, "openai/one"]);
  for (let at = 0; at < 110; at++) {
    await api(`${id}/deployments`, "POST", { version_id: versions[at % 30].version_id });
  }
  assertEquals((await routing.listDeployments(id, HERE)).data.deployments.length, 100);
  for (let at = 1; at < 100; at++) await api("", "POST", { name: `r${at}`, elements: to("openai/one") });
  const more = await api("", "POST", { name: "more", elements: to("openai/one") });
  assertStringIncludes((await more.json()).errors[0].message, "the gateway has 100 routes already");
});

Deno.test("a limit counts on when a new version of its route is deployed", async () => {
  const limited = (name: string): RouteElement[] => [
    start("r"),
    { id: "r", type: "rate", properties: { limit: 1, window: 60 }, outputs: { success: { elementId: "m" } } },
    model("m", name),
  ];
  const { create, routing, led } = scene();
  const { id } = await create("support", limited("openai/one"));
  assertEquals([await led(), await led()], ["openai/one", 429]);
  const added = await routing.createVersion(id, { ...HERE, elements: limited("groq/two") as never });
  const { version } = added as unknown as { version: { version_id: string } };
  await routing.createDeployment(id, { ...HERE, version_id: version.version_id });
  assertEquals(await led(), 429);
});

// ---------------------------------------------------------------- in a store

/** A database in this thread: it answers before any time limit is over, however busy the machine is. */
const memory = () => d1Sql(strictD1());

Deno.test("two gateways on one store agree within ten seconds, and writers at once lose nothing", async () => {
  const store = memory();
  const one = scene({ store }), other = scene({ store, logs: false });
  const pass = (ms: number) => [one, other].forEach(({ time }) => time.pass(ms));
  assertEquals([await one.led(), await other.led()], [400, 400]);
  const { id } = await one.create("support", to("openai/one"));
  pass(9_999);
  assertEquals([await one.led(), await other.led()], ["openai/one", "openai/one"]);
  const writers = [one, other, one, other];
  await Promise.all(
    writers.map(({ routing }, at) =>
      routing.createVersion(id, { ...HERE, elements: to(`groq/m${at}`) as never })
    ),
  );
  const { versions } = (await other.routing.listVersions(id, HERE)).data;
  assertEquals(
    new Set(versions.map(({ data }) => JSON.parse(data)[1].properties.model)),
    new Set(["one", "m0", "m1", "m2", "m3"]),
  );
  const [, { version_id }] = versions;
  await one.routing.createDeployment(id, { ...HERE, version_id });
  pass(9_999);
  const last = await one.led();
  assert(`${last}`.startsWith("groq/m"));
  assertEquals(await other.led(), last);
  await other.routing.delete(id, HERE);
  pass(9_999);
  assertEquals([await one.led(), await other.led()], [400, 400]);
});

const TAKEN = 'Cannot write the route: there is a route "support" already';

Deno.test("of writers that take one name at once, one makes its route and the others get one clear error", async () => {
  const store = memory();
  const one = scene({ store }), other = scene({ store, logs: false });
  const made = await Promise.all(
    [one, other, one, other].map(({ api }, at) =>
      api("", "POST", { name: "support", elements: to(`openai/m${at}`) })
    ),
  );
  const told = await Promise.all(made.map((response) => response.json()));
  assertEquals(made.map(({ status }) => status).sort(), [200, 409, 409, 409]);
  for (const { success, errors } of told) {
    if (!success) assertEquals(errors.map(({ message }: { message: string }) => message), [TAKEN]);
  }
  const { id } = await other.create("other", to("groq/two"));
  const renamed = await other.api(id, "PATCH", { name: "support" });
  assertEquals([renamed.status, (await renamed.json()).errors[0].message], [409, TAKEN]);
  const { routes } = (await one.routing.list("gw", { account_id: HERE.account_id })).data;
  assertEquals(new Set(routes.map(({ name }) => name)), new Set(["support", "other"]));
});

Deno.test("a gateway without the operator's token follows the routes of its store at each door", async () => {
  const store = memory();
  await scene({ store }).create("support", to("openai/one"));
  const doors: [path: string, body: object][] = [
    ["/v1/acct/gw/compat/chat/completions", {
      model: "dynamic/support",
      messages: [{ role: "user", content: "Hello" }],
    }],
    ["/v1/acct/gw/compat/responses", { model: "dynamic/support", input: "Hello" }],
    ["/v1/acct/gw/compat/embeddings", { model: "dynamic/support", input: "Hello" }],
    ["/v1/acct/gw/compat/completions", { model: "dynamic/support", prompt: "Hello" }],
    ["/v1/acct/gw/compat/responses/input_tokens", { model: "dynamic/support", input: "Hello" }],
    ["/v1/acct/gw/run", {
      model: "dynamic/support",
      input: { messages: [{ role: "user", content: "Hello" }] },
    }],
    ["/v1/acct/gw/compat/chat/completions", {
      model: "fast",
      messages: [{ role: "user", content: "Hello" }],
    }],
    ["/v1/acct/gw/compat/chat/completions", {
      models: ["dynamic/support"],
      messages: [{ role: "user", content: "Hello" }],
    }],
    ["/v1/acct/gw", [{
      provider: "compat",
      endpoint: "chat/completions",
      query: { model: "dynamic/support", messages: [{ role: "user", content: "Hello" }] },
    }]],
  ];
  for (const responses of [undefined, { store: true }]) {
    for (const [path, body] of doors) {
      // Anew, so that nothing was read before.
      const { fetch, sent } = scene({
        store,
        responses,
        adminToken: undefined,
        tokens: [{ token: TOKEN, name: "a" }],
        logs: false,
        models: { fast: "dynamic/support" },
      });
      await (await fetch(post(`http://gateway.test${path}`, body, { authorization: `Bearer ${TOKEN}` })))
        .text();
      assertEquals(sent.map(({ url }) => new URL(url).host), ["api.openai.com"], path);
    }
  }
});

Deno.test("a store is asked for one route once in five seconds, however many requests come, and for none that nobody names", async () => {
  const working = memory();
  const asked: string[] = [];
  const store: Sql = {
    ...working,
    dialect: "sqlite",
    batch: (statements) => working.batch(statements),
    all(text, params) {
      if (text.includes("sluice_routes")) asked.push(text);
      return working.all(text, params);
    },
  };
  const { led, create, time } = scene({ store, logs: false });
  await led("openai/gpt-6");
  assertEquals(asked, []);
  await create("support", to("openai/one"));
  asked.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => led()));
  assertEquals(asked.length, 1);
  time.pass(5_000);
  await led();
  assertEquals(asked.length, 2);
});

/** The lines on standard error while it is in use. */
function lines(): { all: string[] } & Disposable {
  const { error } = console, all: string[] = [];
  console.error = (line: string) => void all.push(line);
  return { all, [Symbol.dispose]: () => void (console.error = error) };
}

Deno.test("while the store fails a route that was read before still leads, and any other is 503", async () => {
  const working = memory();
  let isDown = false;
  const store: Sql = {
    dialect: "sqlite",
    batch: (statements) => working.batch(statements),
    all: (text, params) =>
      isDown ? Promise.reject(new Error("no disk at postgres://u:secret@h")) : working.all(text, params),
  };
  const { led, create, time, fetch, api } = scene({ store, logs: false });
  await create("support", to("openai/one"));
  await create("other", to("openai/one"));
  assertEquals(await led(), "openai/one");
  isDown = true;
  time.pass(60_000);
  using told = lines();
  assertEquals(await led(), "openai/one");
  const response = await fetch(ask("dynamic/other", { authorization: `Bearer ${TOKEN}` }));
  const { error } = await response.json();
  assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
  assertEquals(error.message, 'Cannot find the route "other": the store of routes does not answer');
  const refused = await api();
  assertEquals([refused.status, refused.headers.get("retry-after")], [503, "1"]);
  assert(!(await refused.text()).includes("secret"));
  // The store is left alone now. What was read before still leads.
  assertEquals([await led(), await led("dynamic/other")], ["openai/one", 503]);
  assertEquals(told.all, ["Warning: the store of routes failed once: cannot read a route (StoreError)"]);
  isDown = false;
  time.pass(1_000);
  assertEquals([await led(), await led("dynamic/other")], ["openai/one", "openai/one"]);
});

Deno.test("a store that does not answer holds no request for long", async () => {
  const store: Sql = {
    dialect: "sqlite",
    all: () => new Promise(() => {}),
    batch: () => new Promise(() => {}),
  };
  const { led } = scene({ store, logs: false });
  using _told = lines();
  assertEquals(await led(), 503);
});

Deno.test("a route whose provider is gone since it was written is one clear error, and is told in the API", async () => {
  const store = memory();
  const providers = { own: { baseUrl: "https://own.test/v1" } };
  const { id } = await scene({ store, providers }).create("support", to("own/m"));
  const { fetch, routing, led } = scene({ store });
  const response = await fetch(ask("dynamic/support", { authorization: `Bearer ${TOKEN}` }));
  assertEquals(response.status, 400);
  assertStringIncludes(
    (await response.json()).error.message,
    'Cannot use the route "support": elements[1] (m).properties.provider: there is no provider of that name',
  );
  assertEquals((await routing.get(id, HERE)).version.is_valid, false);
  const added = await routing.createVersion(id, { ...HERE, elements: to("openai/one") as never });
  const { version } = added as unknown as { version: { version_id: string } };
  await routing.createDeployment(id, { ...HERE, version_id: version.version_id });
  await led("dynamic/none");
  const old = (await routing.listVersions(id, HERE)).data.versions[0].version_id;
  await assertRejects(
    async () => await routing.createDeployment(id, { ...HERE, version_id: old }),
    Cloudflare.BadRequestError,
    "its version cannot be used",
  );
});
