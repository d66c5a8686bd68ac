/** Two gateways on one real server: one uses what the other writes, and their clocks may be apart. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MINUTE_MS } from "../../../gateway/policies/windows.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import type { SqlStatement } from "../../../gateway/stores/sql.ts";
import { sqlLogs } from "../../../gateway/stores/sql_logs.ts";
import { sqlCounters } from "../../../gateway/stores/sql_counters.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import { ask, before, chunk, completion, events, message, STREAM } from "../../fakes.ts";
import { end, model, start } from "../targets/routes/graphs.ts";
import { type Engine, ENGINES, gatewaysOn, serverOf, test, testEnd } from "./engines.ts";
import { rowOf } from "./suite.ts";

const [POSTGRES] = ENGINES;
const ADMIN = "operator-0123456789";
const ROUTES = "/client/v4/accounts/acct/ai-gateway/gateways/gw/routes";
const MODEL = "openai/gpt-4.1";

const OTHERS = ROUTES.replace("/gw/", "/others/");

/** Lines on standard error are not shown while it is in use. */
function quiet(): Disposable {
  const { error } = console;
  console.error = () => {};
  return { [Symbol.dispose]: () => void (console.error = error) };
}

interface Answer {
  status: number;
  body: Body;
}

type Fetch = (request: Request) => Promise<Response>;

// deno-lint-ignore no-explicit-any
type Body = any;

async function send(
  fetch: Fetch,
  method: string,
  path: string,
  body?: unknown,
  token = ADMIN,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const url = `http://gateway.test${path}`;
  const answer = await fetch(
    new Request(url, { method, headers, body: body && JSON.stringify(body) } as RequestInit),
  );
  return { status: answer.status, body: await answer.json() as Body };
}

/** Two gateways on one Postgres. */
async function two(options: Options = {}, answer = () => completion()) {
  const made = await gatewaysOn(
    await serverOf(POSTGRES),
    { adminToken: ADMIN, logs: false, ...options },
    answer,
  );
  const [one, other] = made.all;
  const use = async ({ fetch }: { fetch: Fetch }, secret: string, name = MODEL) => {
    const response = await fetch(ask(name, { authorization: `Bearer ${secret}` }));
    await response.text();
    return response.headers.get("cf-aig-routed-model") ?? response.status;
  };
  return { ...made, one, other, use };
}

// ---------------------------------------------------------------- what operators write

test(POSTGRES, "a key that is changed at one gateway is refused at the other within 10 s", async () => {
  const { one, other, use, pass, close } = await two();
  const keys = "/sluice/api/keys";
  const { status, body: { id, secret } } = await send(one.fetch, "POST", keys, { name: "shared" });
  assertEquals(status, 201);
  assertEquals([await use(one, secret), await use(other, secret)], [200, 200]);
  await send(one.fetch, "PATCH", `${keys}/${id}`, { models: ["openai/gpt-4o"] });
  pass(10_000);
  assertEquals([await use(one, secret), await use(other, secret)], [403, 403]);
  await send(other.fetch, "PATCH", `${keys}/${id}`, { models: null, disabled: true });
  assertEquals(await use(other, secret), 401);
  pass(10_000);
  assertEquals(await use(one, secret), 401);
  await send(one.fetch, "PATCH", `${keys}/${id}`, { disabled: false });
  const rotated = await send(one.fetch, "POST", `${keys}/${id}/rotate`, { graceSeconds: 0 });
  pass(10_000);
  assertEquals([await use(other, secret), await use(other, rotated.body.secret)], [401, 200]);
  await send(one.fetch, "DELETE", `${keys}/${id}`);
  assertEquals(await use(one, rotated.body.secret), 401);
  pass(10_000);
  assertEquals(await use(other, rotated.body.secret), 401);
  await close();
});

test(
  POSTGRES,
  "of two writers of one key at once, both changes are kept or one gets a clear error",
  async () => {
    const { one, other, close } = await two();
    const keys = "/sluice/api/keys";
    for (let round = 0; round < 5; round++) {
      const made = await Promise.all(
        [one, other].map(({ fetch }) => send(fetch, "POST", keys, { name: `made ${round}` })),
      );
      assertEquals(made.map(({ status }) => status).sort(), [201, 400]);
      const refused = made.find(({ status }) => status === 400)!;
      assertStringIncludes(
        refused.body.error.message,
        "name must be another: a token or a key has this name",
      );
      const { body: { id } } = made.find(({ status }) => status === 201)!;
      const changes = [{ limits: { rpm: 5 } }, { team: "growth" }];
      const changed = await Promise.all(
        [one, other].map(({ fetch }, at) => send(fetch, "PATCH", `${keys}/${id}`, changes[at])),
      );
      assertEquals(changed.map(({ status }) => status), [200, 200]);
      const { body: { limits, team } } = await send(one.fetch, "GET", `${keys}/${id}`);
      assertEquals([limits, team], [{ rpm: 5 }, "growth"]);
      const { body: { id: next } } = await send(one.fetch, "POST", keys, { name: `next ${round}` });
      const renamed = await Promise.all(
        [id, next].map((key, at) =>
          send([one, other][at].fetch, "PATCH", `${keys}/${key}`, { name: `new ${round}` })
        ),
      );
      assertEquals(renamed.map(({ status }) => status).sort(), [200, 400]);
    }
    await close();
  },
);

const to = (name: string) => [start("m"), model("m", name, "end"), end];

test(POSTGRES, "a route that is deployed at one gateway leads requests at the other within 5 s", async () => {
  const { one, other, use, pass, close } = await two({ tokens: ["a-gateway-token"] });
  const led = async () => [
    await use(one, "a-gateway-token", "dynamic/support"),
    await use(other, "a-gateway-token", "dynamic/support"),
  ];
  assertEquals(await led(), [400, 400]);
  const made = await Promise.all(
    [one, other].map(({ fetch }) =>
      send(fetch, "POST", ROUTES, { name: "support", elements: to("openai/one") })
    ),
  );
  assertEquals(made.map(({ status }) => status).sort(), [200, 409]);
  const [{ message: told }] = made.find(({ status }) => status === 409)!.body.errors;
  assertStringIncludes(told, 'there is a route "support" already');
  const { id } = made.find(({ status }) => status === 200)!.body.result;
  pass(5000);
  assertEquals(await led(), ["openai/one", "openai/one"]);
  const versions = await Promise.all(
    [one, other].map(({ fetch }, at) =>
      send(fetch, "POST", `${ROUTES}/${id}/versions`, { elements: to(`openai/next-${at}`) })
    ),
  );
  assertEquals(versions.map(({ status }) => status), [200, 200]);
  const deployed = await Promise.all(
    [one, other].map(({ fetch }, at) =>
      send(fetch, "POST", `${ROUTES}/${id}/deployments`, {
        version_id: versions[at].body.result.version.version_id,
      })
    ),
  );
  assertEquals(deployed.map(({ status }) => status), [200, 200]);
  pass(5000);
  const [first, second] = await led();
  assertStringIncludes(`${first}`, "openai/next-");
  assertEquals(second, first);
  const { body: { result } } = await send(one.fetch, "GET", `${ROUTES}/${id}/deployments`);
  assertEquals(result.deployments.length, 3);
  await send(other.fetch, "DELETE", `${ROUTES}/${id}`);
  pass(5000);
  assertEquals(await led(), [400, 400]);
  await close();
});

test(POSTGRES, "a response and a conversation that one gateway keeps are found by the other", async () => {
  const token = "a-gateway-token";
  const options = {
    tokens: [{ token, name: "a" }],
    responses: { store: true },
    keys: { anthropic: "sk-stored" },
  };
  const { one, other, close } = await two(options, () => message());
  const respond = ({ fetch }: { fetch: Fetch }, body: object) =>
    send(
      fetch,
      "POST",
      "/v1/responses",
      { model: "anthropic/claude-sonnet-4-5", input: "Hello", ...body },
      token,
    );
  const { body: { id } } = await respond(one, {});
  const next = await respond(other, { previous_response_id: id });
  assertEquals(next.status, 200);
  assertEquals(JSON.parse(other.sent.at(-1)!.body).messages.length, 3);
  const { body: conversation } = await send(one.fetch, "POST", "/v1/conversations", {}, token);
  const said = await Promise.all(
    [one, other].map((gateway) => respond(gateway, { conversation: conversation.id })),
  );
  assertEquals(said.map(({ status }) => status), [200, 200]);
  const items = await send(
    other.fetch,
    "GET",
    `/v1/conversations/${conversation.id}/items`,
    undefined,
    token,
  );
  assertEquals(items.body.data.length, 4);
  await send(other.fetch, "DELETE", `/v1/responses/${id}`, undefined, token);
  assertEquals((await send(one.fetch, "GET", `/v1/responses/${id}`, undefined, token)).status, 404);
  await close();
});

test(POSTGRES, "a key, a route and a response are found while long statements of rows run", async () => {
  const { sql, close, ...stores } = await openStore((await serverOf(POSTGRES)).url);
  const options: Options = {
    adminToken: ADMIN,
    logs: false,
    responses: { store: true },
    keys: { anthropic: "sk-stored" },
  };
  const { fetch } = before(() => message(), { ...options, store: { ...stores, sql, timeoutMs: 30_000 } });
  const { body: { secret } } = await send(fetch, "POST", "/sluice/api/keys", {
    name: "a key of long statements",
  });
  await send(fetch, "POST", ROUTES, { name: "long", elements: to("anthropic/claude-sonnet-4-5") });
  // As many as there are connections for rows. They end when they are told to.
  const slow = Array.from({ length: 3 }, () => sql!.all("select pg_sleep(600) /* rows */").catch(() => {}));
  const status = async (model: string) =>
    (await send(fetch, "POST", "/v1/acct/gw/compat/responses", { model, input: "Hello" }, secret)).status;
  assertEquals([await status("anthropic/claude-sonnet-4-5"), await status("dynamic/long")], [200, 200]);
  await stores.quick!.all(
    "select pg_cancel_backend(pid) from pg_stat_activity where query like '%/* rows */' and pid <> pg_backend_pid()",
  );
  await close!();
  await Promise.all(slow);
});

test(
  POSTGRES,
  "gateways that store rows of the same sums at once, in any order, wait for each other for no deadlock",
  async () => {
    const { url } = await serverOf(POSTGRES);
    const stores = await Promise.all([1, 2, 3].map(() => openStore(url)));
    const keeping = { rows: 1e6, days: 0, bodyBytes: 0, replaces: true, now: Date.now, onFull() {} };
    const all = stores.map(({ sql }) => sqlLogs(sql!, keeping));
    for (let round = 0; round < 2; round++) {
      await Promise.all(all.map(async (logs, place) => {
        const rows = Array.from(
          { length: 40 },
          (_, at) => rowOf(crypto.randomUUID(), 0, { model: `model ${at}` }),
        );
        await logs.add(place === 0 ? rows : rows.toReversed());
      }));
    }
    await Promise.all(stores.map(({ close }) => close!()));
  },
);

test(
  POSTGRES,
  "a database of a newer gateway is used as it is, and one of an older gateway gets what it lacks",
  async () => {
    const { url } = await serverOf(POSTGRES);
    const server = await openStore(url);
    await server.quick!.all("create database versions");
    await server.close!();
    const place = url.replace(/postgres$/, "versions");
    const first = await openStore(place);
    const run = async (...texts: string[]) => {
      for (const text of texts) await first.sql!.all(text);
    };
    const opens = async () => {
      const { counters, sql, close } = await openStore(place);
      assertEquals((await counters!.take([{ key: crypto.randomUUID(), amount: 1, ttlMs: 1000 }])).ok, true);
      await sqlLogs(sql!, { rows: 9, days: 0, bodyBytes: 0, replaces: true, now: Date.now, onFull() {} }).add(
        [rowOf(crypto.randomUUID())],
      );
      await close!();
    };
    await run(
      "insert into sluice_schema (version) values (1000)",
      "alter table sluice_logs add column newer bigint not null default 1",
      "alter table sluice_days add column newer bigint not null default 1",
      "alter table sluice_counters add column newer bigint",
    );
    await opens();
    // As before the column of cached answers, the function that counts, and responses.
    await run(
      ...["minutes", "hours", "days"].map((grain) => `alter table sluice_${grain} drop column cached`),
      "drop table sluice_documents",
      "drop function sluice_take_1",
      "delete from sluice_schema where version > 20",
    );
    await Promise.all(Array.from({ length: 4 }, opens));
    assertEquals(await first.sql!.all("select * from sluice_documents"), []);
    await first.close!();
  },
);

test(
  POSTGRES,
  "a statement that fails after some of its rows takes nothing from the next answer",
  async () => {
    const { sql, close } = await openStore((await serverOf(POSTGRES)).url);
    for (let round = 0; round < 3; round++) {
      await assertRejects(
        () => sql!.all("select 1 / (3 - g) from generate_series(1, 5) as g"),
        Error,
        "division by zero",
      );
      const answer = await sql!.all("select 1 as one");
      assertEquals([answer.length, answer], [1, [{ one: 1 }]]);
    }
    await close!();
  },
);

test(
  POSTGRES,
  "a transaction whose connection is lost fails, and neither ends the process nor takes a connection away",
  async () => {
    const { sql, quick, close } = await openStore((await serverOf(POSTGRES)).url);
    await sql!.batch([["create table lost (a int)", []]]);
    const end: SqlStatement = ["select pg_terminate_backend(pg_backend_pid())", []];
    const refused: SqlStatement = ["select no_column", []],
      written: SqlStatement = ["insert into lost values (1)", []];
    for (let round = 0; round < 2; round++) {
      for (const statements of [[end], [written, end, written], [end, refused], [written, refused, end]]) {
        await assertRejects(() => sql!.batch(statements));
      }
      // More than there are connections.
      await Promise.all(Array.from({ length: 4 }, () => assertRejects(() => sql!.batch([written, end]))));
      await assertRejects(() => sql!.batch([written, refused]), Error, "no_column");
    }
    assertEquals(await sql!.batch([["select 1 as one", []]]), [[{ one: 1 }]]);
    assertEquals(await quick!.all("select * from lost"), []);
    await sql!.batch([["drop table lost", []]]);
    await close!();
  },
);

test(
  POSTGRES,
  "a server that is killed in the middle of writes loses no key, route or response that was answered",
  async () => {
    const server = await serverOf(POSTGRES);
    const token = "a-gateway-token";
    const { fetch, close } = before(() => message(), {
      adminToken: ADMIN,
      logs: false,
      keys: { anthropic: "sk-stored" },
      tokens: [{ token, name: "writer" }],
      responses: { store: true },
      store: await openStore(server.url),
    });
    /** The paths of what was stored. */
    const stored: [path: string, token: string][] = [];
    const seen = new Map<number, number>();
    let isOver = false, count = 0;
    const writes: (() => Promise<Answer>)[] = [
      () => send(fetch, "POST", "/sluice/api/keys", { name: `written ${count++}` }),
      () => send(fetch, "POST", OTHERS, { name: `written-${count++}`, elements: to("openai/one") }),
      () =>
        send(fetch, "POST", "/v1/responses", { model: "anthropic/claude-sonnet-4-5", input: "Hello" }, token),
    ];
    const paths = [
      ({ id }: Body) => `/sluice/api/keys/${id}`,
      ({ result }: Body) => `${OTHERS}/${result.id}`,
      ({ id, store }: Body) => store ? `/v1/responses/${id}` : undefined,
    ];
    const write = async (kind: number) => {
      while (!isOver) {
        const { status, body } = await writes[kind]();
        assert([200, 201, 503].includes(status), JSON.stringify(body));
        seen.set(status, (seen.get(status) ?? 0) + 1);
        const path = status === 503 ? undefined : paths[kind](body);
        if (path) stored.push([path, kind === 2 ? token : ADMIN]);
        // A gateway keeps a hundred routes.
        if (path && kind === 1) await send(fetch, "PATCH", path, { name: `renamed-${count++}` });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const until = async (isEnough: () => boolean) => {
      const late = performance.now() + 60_000;
      while (!isEnough() && performance.now() < late) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    using _quiet = quiet();
    const all = writes.map((_, kind) => write(kind));
    try {
      for (let round = 0; round < 2; round++) {
        const before = stored.length;
        await until(() => stored.length >= before + 10);
        const refused = seen.get(503) ?? 0;
        await server.kill();
        await until(() => (seen.get(503) ?? 0) >= refused + 5);
        await server.start();
      }
      const before = stored.length;
      await until(() => stored.length >= before + 10);
      assert(stored.length >= before + 10, "the store does not recover");
    } finally {
      isOver = true;
      await Promise.all(all);
    }
    for (const [path, by] of stored) {
      let { status } = await send(fetch, "GET", path, undefined, by);
      // A store is left alone for a second after it has failed.
      for (let tries = 0; status === 503 && tries < 100; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        ({ status } = await send(fetch, "GET", path, undefined, by));
      }
      assertEquals(status, 200, path);
    }
    await close();
  },
);

// ---------------------------------------------------------------- clocks

/** Two gateways on one server, the clock of the second a minute ahead. */
async function apart(engine: Engine, options: Options, answer: Parameters<typeof before>[0]) {
  const { url } = await serverOf(engine);
  // A quarter of an hour ends in a minute and a half.
  let at = Date.UTC(2026, 10, 24, 12, 13, 30);
  const stores = await Promise.all([openStore(url), openStore(url)]);
  const all = stores.map((opened, place) => {
    const now = () => at + place * MINUTE_MS;
    // A database counts by the gateway's clock, Redis by its own.
    const counters = opened.sql ? sqlCounters(opened.sql, now) : opened.counters;
    const store = { counters, close: () => opened.close!(), timeoutMs: 60_000 };
    return before(answer, { keys: { openai: "sk-stored" }, logs: false, ...options, now, store });
  });
  return {
    all,
    now: () => at,
    pass: (ms: number) => void (at += ms),
    close: async () => void await Promise.all(all.map(({ close }) => close())),
  };
}

const TOKEN = { authorization: "Bearer metered-token" };
const tokenWith = (more: object) => [{ token: "metered-token", name: crypto.randomUUID(), ...more }];

for (const engine of ENGINES) {
  test(
    engine,
    "gateways whose clocks are a minute apart pass no budget together, before and after a turn",
    async () => {
      const usage = { prompt_tokens: 0, completion_tokens: 1, total_tokens: 1 };
      const last = `data: ${JSON.stringify({ choices: [], usage })}\n\n`;
      const { all, pass, close } = await apart(engine, {
        tokens: tokenWith({ budgets: [{ limitUsd: 1, window: "day" }] }),
        // Ten tokens cost ten cents.
        prices: { [MODEL]: { input: 0, output: 10_000 } },
      }, () => events(STREAM[0], chunk({ content: "Hi" }), chunk({}, "stop"), last, "data: [DONE]\n\n"));
      const running: Response[] = [];
      async function admitted(): Promise<number> {
        const before = running.length;
        for (let at = 0; at < 14; at++) {
          const response = await all[at % 2].fetch(ask(MODEL, TOKEN, { stream: true, max_tokens: 10 }));
          if (response.status === 200) running.push(response);
          else await response.body?.cancel();
        }
        return running.length - before;
      }
      assertEquals(await admitted(), 10);
      // The second gateway is in the next quarter, then both are.
      for (let minute = 0; minute < 3; minute++) {
        pass(MINUTE_MS);
        assertEquals(await admitted(), 0);
      }
      await Promise.all(running.map((response) => response.text()));
      // Each has cost a cent.
      assertEquals(await admitted(), 9);
      await Promise.all(running.slice(10).map((response) => response.text()));
      await close();
    },
  );

  test(
    engine,
    "gateways whose clocks are a minute apart pass a limit of the minute by as much again at most",
    async () => {
      const { all, now, pass, close } = await apart(
        engine,
        { tokens: tokenWith({ limits: { rpm: 10 } }) },
        () => completion(),
      );
      const times: number[] = [];
      for (let at = 0; at < 100; at++) {
        pass(2000);
        const response = await all[at % 2].fetch(ask(MODEL, TOKEN));
        await response.body?.cancel();
        if (response.status === 200) times.push(now());
        else assertEquals(response.status, 429);
      }
      const most = Math.max(
        ...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE_MS).length),
      );
      assert(most >= 10 && most <= 20, `${most} in a minute`);
      await close();
    },
  );
}

testEnd();
