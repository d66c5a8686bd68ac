/** Stores on real servers of Postgres and Redis: what they keep, and what happens when they are down. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openStore } from "../../../gateway/stores/store_url.ts";
import type { Stores } from "../../../gateway/stores/stores.ts";
import { installForBun, run } from "../../runtimes/gateways.ts";
import { ask, before, chunk, completion, events, STREAM } from "../../fakes.ts";
import { ENGINES, gatewaysOn, lines, serverOf, test, testEnd } from "./engines.ts";
import { postgresKinds, redisKinds, runAll, writtenCases } from "./server_kinds.ts";
import { noPostgres, noRedis, PASSWORD, startRedis } from "./servers.ts";
import { add, rule, stateCasesOf } from "./state_suite.ts";
import { casesOf } from "./suite.ts";

for (const engine of ENGINES) {
  const server = () => serverOf(engine);
  const kinds = engine.hasRows ? postgresKinds(server) : { state: redisKinds(server), rows: [] };
  test(engine, "six gateways that open it at once make their tables without an error", async () => {
    const { url } = await server();
    const all = await Promise.all(Array.from({ length: 6 }, () => openStore(url)));
    await Promise.all(all.map(({ counters }) => counters!.take([add("first", 1)])));
    assertEquals((await all[0].counters!.take([], [rule(9, "first")])).sums, [6]);
    await Promise.all(all.map(({ close }) => close!()));
  });
  // One test for all, because each has the cost of a test's start.
  test(engine, "it keeps counters and values as every store does", async () => {
    await runAll(kinds.state.flatMap(stateCasesOf));
  });
  for (const [name, fn] of kinds.rows.flatMap(casesOf)) test(engine, name, fn);
  if (!engine.hasRows) continue;
  test(engine, "it keeps keys, routes, responses and conversations as every store does", async () => {
    await runAll(writtenCases(await server()));
  });
}

Deno.test({
  name: `the stores on servers do the same on Bun${noPostgres || noRedis ? " (a server is missing)" : ""}`,
  ignore: (noPostgres ?? noRedis) !== undefined,
  async fn() {
    const bun = await installForBun();
    const { code, output } = await run(bun, ["run", "tests/gateway/stores/server_kinds.ts"]);
    assertMatch(output, /^all \d\d+ cases passed\n$/);
    assertEquals(code, 0);
  },
});

// ---------------------------------------------------------------- gateways

const TOKEN = { authorization: "Bearer metered-token" };
const MODEL = "openai/gpt-4.1";

/** A token of a name of its own, because the tests of a server share its counters. */
const tokens = (more: object) => [{ token: "metered-token", name: crypto.randomUUID(), ...more }];

for (const engine of ENGINES) {
  test(engine, "two gateways admit exactly 100 of 120 requests at once", async () => {
    const { all, close } = await gatewaysOn(await serverOf(engine), {
      tokens: tokens({ limits: { rpm: 100 } }),
    });
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, at) => all[at % 2].fetch(ask(MODEL, TOKEN))),
    );
    await Promise.all(answers.map((answer) => answer.body?.cancel()));
    assertEquals(answers.filter(({ status }) => status === 200).length, 100);
    assertEquals(answers.filter(({ status }) => status === 429).length, 20);
    await close();
  });

  test(
    engine,
    "200 requests at once never pass a dollar, though one in ten crashes and one in ten leaves",
    async () => {
      const { promise: end, resolve } = Promise.withResolvers<void>();
      const usage = { prompt_tokens: 0, completion_tokens: 5 };
      const { all, pass, close } = await gatewaysOn(
        await serverOf(engine),
        {
          tokens: tokens({ budgets: [{ limitUsd: 1, window: "day" }] }),
          // A cent for each token of the answer.
          prices: { [MODEL]: { input: 0, output: 10_000 } },
        },
        () =>
          events(
            STREAM[0],
            chunk({ content: "x".repeat(20) }),
            end,
            chunk({}, "stop"),
            `data: ${JSON.stringify({ choices: [], usage })}\n\n`,
            "data: [DONE]\n\n",
          ),
      );
      const send = (at: number, max_tokens: number) =>
        all[at % 2].fetch(ask(MODEL, TOKEN, { max_tokens, stream: true }));
      const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => send(at, 5)));
      const good = answers.filter(({ status }) => status === 200);
      assertEquals([good.length, answers.filter(({ status }) => status === 429).length], [20, 180]);
      resolve();
      await Promise.all(answers.map(async (answer) => {
        const place = good.indexOf(answer);
        // Two crash: nobody reads them to their end.
        if (place % 10 === 3) return;
        if (place >= 0 && place % 10 === 7) {
          const reader = answer.body!.getReader();
          for (let n = 0; n < 2; n++) await reader.read();
          return await reader.cancel();
        }
        await answer.text();
      }));
      const left = async (at: number) => {
        const me = new Request("http://gateway.test/sluice/api/me", { headers: TOKEN });
        const { budgets: [{ spentUsd, heldUsd }] } = await (await all[at].fetch(me)).json();
        return [spentUsd, heldUsd];
      };
      // What ends is counted after its last byte.
      while ((await left(0))[1] > 0.1);
      assertEquals([await left(0), await left(1)], [[0.9, 0.1], [0.9, 0.1]]);
      const statusOf = async (at: number, tokens: number) => {
        const response = await send(at, tokens);
        await response.text();
        return response.status;
      };
      assertEquals(await statusOf(0, 1), 429);
      // The holds of the two that crashed lapse.
      pass(1_800_000);
      assertEquals(await left(1), [0.9, 0]);
      assertEquals(await statusOf(1, 11), 429);
      assertEquals(await statusOf(0, 5), 200);
      await Promise.all(good.map(({ body }) => body!.locked ? undefined : body!.cancel()));
      await close();
    },
  );
}

// ---------------------------------------------------------------- trouble

for (const engine of ENGINES) {
  test(
    engine,
    "a server that is killed and started again under load hangs nothing, and all is told",
    async () => {
      const server = await engine.start();
      const adminToken = "operator-0123456789";
      const told = await lines(async () => {
        const store = await openStore(server.url);
        const gateway = before(() => completion(), {
          keys: { openai: "sk-stored" },
          cache: { ttl: 60 },
          adminToken,
          logs: false,
          store,
          prices: { [MODEL]: { input: 0, output: 1 } },
          tokens: [
            { token: "limited-token", name: "limited", limits: { rpm: 1e6 } },
            { token: "metered-token", name: "metered", budgets: [{ limitUsd: 100, window: "day" }] },
          ],
        });
        const seen = new Map<string, number>();
        let isOver = false, count = 0;
        const load = async (token: string) => {
          while (!isOver) {
            const messages = [{ role: "user", content: `${count++}` }];
            const response = await gateway.fetch(
              ask(MODEL, { authorization: `Bearer ${token}` }, { messages, max_tokens: 5 }),
            );
            await response.text();
            const key = `${token} ${response.status}`;
            seen.set(key, (seen.get(key) ?? 0) + 1);
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        };
        const until = async (key: string, more: number) => {
          const goal = (seen.get(key) ?? 0) + more, late = performance.now() + 60_000;
          while ((seen.get(key) ?? 0) < goal && performance.now() < late) {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        };
        const all = ["limited-token", "metered-token", "metered-token"].map(load);
        try {
          await until("metered-token 200", 20);
          for (const trouble of ["kill", "freeze"] as const) {
            await server[trouble]();
            await until("metered-token 503", 20);
            // Limits hold nobody back.
            await until("limited-token 200", 20);
            await (trouble === "kill" ? server.start() : server.thaw());
            await until("metered-token 200", 20);
          }
        } finally {
          isOver = true;
          await Promise.all(all);
        }
        assertEquals([...seen.keys()].sort(), [
          "limited-token 200",
          "metered-token 200",
          "metered-token 503",
        ]);
        const metrics = await (await gateway.fetch(
          new Request("http://gateway.test/metrics", { headers: { authorization: `Bearer ${adminToken}` } }),
        )).text();
        const valueOf = (name: string) => Number(RegExp(`^${name} (\\d+)$`, "m").exec(metrics)![1]);
        assert(valueOf("sluice_store_errors_total") >= 2);
        assert(valueOf("sluice_unchecked_allowed_total") >= 20);
        assertEquals(valueOf("sluice_unchecked_refused_total"), seen.get("metered-token 503"));
        await gateway.close();
      });
      await server.end();
      for (
        const part of ["the cache's store failed", "the store of limits and budgets failed", "answers again"]
      ) {
        assert(told.some((line) => line.includes(part)), `${part} is missing: ${told.join("; ")}`);
      }
      assert(told.length < 20, `${told.length} lines: ${told.join("; ")}`);
      for (const secret of [PASSWORD, decodeURIComponent(PASSWORD)]) {
        assert(!told.join("\n").includes(secret));
      }
    },
  );

  test(engine, "a store that cannot be opened is one clear error without its password", async () => {
    const { url, port } = await serverOf(engine);
    const wrong = url.replace(PASSWORD, "another-password");
    const closed = url.replace(`:${port}`, ":1");
    for (const place of [wrong, closed]) {
      const { name, message } = await assertRejects(() => openStore(place)) as Error;
      assertEquals(name, "TypeError");
      assertMatch(
        message,
        /^the store "(postgres|redis):\/\/\w*:\*\*\*@127\.0\.0\.1:\d+[\w/]*" cannot be opened: ./,
      );
      assert(
        !message.includes("another-password") && !message.includes(decodeURIComponent(PASSWORD)),
        message,
      );
    }
  });
}

test(ENGINES[1], "with a database beside it, rows go there, and counts and answers to Redis", async () => {
  const { url } = await serverOf(ENGINES[1]);
  const { sql, kv, counters, close } = await openStore(`${url}, sqlite::memory:`) as Required<Stores>;
  await counters.take([add("listed", 1)]);
  await kv.put("listed", Uint8Array.of(1), 60_000);
  const tables = await sql.all("select count(*) as tables from sqlite_master");
  assertEquals(Number(tables[0].tables), 0);
  await close();
  const other = await openStore(url);
  assertEquals([other.sql, (await other.counters!.take([], [rule(9, "listed")])).sums[0]], [undefined, 1]);
  await other.close!();
});

test(ENGINES[1], "values are bounded, and the one that ends first goes first", async () => {
  const server = await startRedis();
  const { kv, close } = await openStore(server.url) as Required<Stores>;
  for (let at = 0; at < 20; at++) await kv.put(`${at}`, new Uint8Array(1000), 60_000 + 1000 * at, 10_000);
  const kept = await Promise.all(Array.from({ length: 20 }, (_, at) => kv.get(`${at}`)));
  assertEquals(kept.map((value) => value !== undefined), Array.from({ length: 20 }, (_, at) => at >= 14));
  await kv.delete("19");
  await kv.put("new", new Uint8Array(1000), 60_000, 10_000);
  assertEquals((await kv.get("14"))?.length, 1000);
  await close();
  await server.end();
});

testEnd();
