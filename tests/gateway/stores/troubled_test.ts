/** What happens while a store is full, may not be written, holds what is not ours, or lies: on real servers and files. */
import { assert, assertEquals } from "@std/assert";
import { createClient } from "npm:@redis/client@6.3.1";
import { HELD_MS } from "../../../gateway/policies/windows.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import type { Stores } from "../../../gateway/stores/stores.ts";
import { ask, before, clock, completion } from "../../fakes.ts";
import { ENGINES, lines, serverOf, test, testEnd } from "./engines.ts";
import { PASSWORD } from "./servers.ts";
import { smallStore } from "./small_store.ts";

const [POSTGRES, REDIS] = ENGINES;
const ADMIN = "operator-0123456789";
const MODEL = "openai/gpt-4.1";

/** A trouble of a store. */
interface Trouble {
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
  /** Whether answers that are cached already can still be read. */
  reads?: true;
}

/** A gateway on a store, and what it tells. */
function gatewayOn(store: Stores | Sql) {
  const time = clock(Date.now());
  const name = crypto.randomUUID();
  const { fetch, sent, close } = before(() => completion(), {
    keys: { openai: "sk-stored" },
    cache: { ttl: 60 },
    adminToken: ADMIN,
    logs: false,
    // The machine of a test may be slow: nothing of this trouble takes long.
    store: "all" in store ? { sql: store, timeoutMs: 60_000 } : { ...store, timeoutMs: 60_000 },
    prices: { [MODEL]: { input: 0, output: 1 } },
    tokens: [
      { token: "limited-token", name: `limited ${name}`, limits: { rpm: 1e6 } },
      { token: "metered-token", name: `metered ${name}`, budgets: [{ limitUsd: 100, window: "day" }] },
    ],
    ...time.options,
  });
  let asked = 0;
  return {
    sent,
    close,
    pass: time.pass,
    /** Asks what was not asked before, or a question with a number. */
    async send(token: string, question: number | string = `${name} ${++asked}`) {
      const messages = [{ role: "user", content: `${question}` }];
      const request = ask(MODEL, { authorization: `Bearer ${token}` }, { messages, max_tokens: 5 });
      const response = await fetch(request);
      await response.text();
      return [response.status, response.headers.get("cf-aig-cache-status")];
    },
    async count(metric: string) {
      const request = new Request("http://gateway.test/metrics", {
        headers: { authorization: `Bearer ${ADMIN}` },
      });
      return Number(RegExp(`^${metric} (\\d+)$`, "m").exec(await (await fetch(request)).text())![1]);
    },
  };
}

/** Whatever the trouble is: a cached answer is a miss, limits allow, budgets refuse, and all is counted and told. */
async function suffers(store: Stores | Sql, { begin, end, reads }: Trouble): Promise<void> {
  const { send, sent, count, pass, close } = gatewayOn(store);
  /** Asks until the answer is cached: that comes after its last byte. */
  async function untilHit(question: string): Promise<void> {
    assertEquals(await send("limited-token", question), [200, "MISS"]);
    for (let tries = 0; (await send("limited-token", question))[1] !== "HIT"; tries++) {
      assert(tries < 1000, "the answer is not cached");
    }
  }
  const told = await lines(async () => {
    const question = crypto.randomUUID();
    await untilHit(question);
    assertEquals(await send("metered-token"), [200, "MISS"]);
    await begin();
    try {
      const before = sent.length;
      assertEquals(await send("limited-token", question), [200, reads ? "HIT" : "MISS"]);
      for (let at = 0; at < 4; at++) {
        assertEquals(await send("limited-token"), [200, "MISS"]);
        assertEquals(await send("metered-token"), [503, "MISS"]);
      }
      assertEquals(sent.length, before + (reads ? 4 : 5));
      assertEquals(await count("sluice_unchecked_refused_total"), 4);
      assertEquals(await count("sluice_unchecked_allowed_total"), reads ? 4 : 5);
      assert(await count("sluice_store_errors_total") >= 3);
    } finally {
      await end();
    }
    pass(1000);
    // A connection that was made in the trouble may be the first to be used.
    for (let tries = 0; (await send("metered-token"))[0] !== 200; tries++) {
      assert(tries < 20, "the store does not recover");
      pass(1000);
    }
    await untilHit(crypto.randomUUID());
    await close();
  });
  const [counts, cache] = ["limits and budgets failed", "cache's store failed"].map((part) =>
    told.filter((line) => line.includes(part)).length
  );
  assertEquals([counts, cache], [1, 1], told.join("\n"));
  for (const secret of [PASSWORD, decodeURIComponent(PASSWORD), "://"]) {
    assert(!told.join("\n").includes(secret));
  }
}

function suffersOn(
  engine: typeof POSTGRES,
  trouble: string,
  make: (url: string) => Promise<Trouble & AsyncDisposable>,
) {
  test(
    engine,
    `${trouble}: a cached answer is a miss, limits allow, budgets refuse, and all is told once`,
    async () => {
      const { url } = await serverOf(engine);
      await using found = await make(url);
      await suffers(await openStore(url), found);
    },
  );
}

// ---------------------------------------------------------------- Postgres

/** A trouble that statements make and end. */
const inPostgres = (begin: string[], end: string[], reads?: true) => async (url: string) => {
  const { sql, close } = await openStore(url);
  const run = async (statements: string[]) => {
    for (const text of statements) await sql!.all(text);
  };
  return {
    begin: () => run(begin),
    end: () => run(end),
    reads,
    [Symbol.asyncDispose]: async () => await close!(),
  };
};

const TABLES = ["sluice_counters", "sluice_values"];
suffersOn(
  POSTGRES,
  "a disk that is full",
  inPostgres(
    [
      "create function sluice_full() returns trigger language plpgsql as $f$ begin raise exception " +
      `'could not extend file "base/5/16384": No space left on device' using errcode = '53100'; end $f$`,
      ...TABLES.map((table) =>
        `create trigger full_${table} before insert on ${table} execute function sluice_full()`
      ),
    ],
    ["drop function sluice_full() cascade"],
    true,
  ),
);

suffersOn(POSTGRES, "a database that may only be read", async (url) => {
  const { sql, close } = await openStore(url);
  const set = async (value: "on" | "off") => {
    await sql!.all(`alter system set default_transaction_read_only = ${value}`);
    await sql!.all("select pg_reload_conf()");
    while ((await sql!.all("show default_transaction_read_only"))[0].default_transaction_read_only !== value);
  };
  return {
    begin: () => set("on"),
    end: () => set("off"),
    reads: true,
    [Symbol.asyncDispose]: async () => await close!(),
  };
});

suffersOn(
  POSTGRES,
  "tables of another shape",
  inPostgres(
    TABLES.flatMap((
      table,
    ) => [`alter table ${table} rename to kept_${table}`, `create table ${table} (a int)`]),
    TABLES.flatMap((table) => [`drop table ${table}`, `alter table kept_${table} rename to ${table}`]),
  ),
);

suffersOn(
  POSTGRES,
  "counters that are not numbers, and values that are not answers",
  inPostgres(
    ["update sluice_counters set value = 'NaN'", "update sluice_values set value = 'x'"],
    ["delete from sluice_counters", "delete from sluice_values"],
  ),
);

suffersOn(
  POSTGRES,
  "counters below zero",
  inPostgres(
    ["update sluice_counters set value = -5e9", "update sluice_values set value = ''"],
    ["delete from sluice_counters", "delete from sluice_values"],
  ),
);

// ---------------------------------------------------------------- Redis

const clientOf = (url: string) => createClient({ url }).connect();
type Client = Awaited<ReturnType<typeof clientOf>>;

/** A trouble that commands make and end. */
const inRedis =
  (begin: (client: Client) => Promise<unknown>, end: (client: Client) => Promise<unknown>, reads?: true) =>
  async (url: string) => {
    const client = await clientOf(url);
    return {
      begin: () => begin(client),
      end: () => end(client),
      reads,
      [Symbol.asyncDispose]: () => Promise.resolve(client.destroy()),
    };
  };

/** Puts something in the place of each key of ours. */
const replaced = (...command: string[]) => async (client: Client) => {
  for (const key of await client.keys("{sluice}:*")) {
    await client.del(key);
    await client.sendCommand([command[0], key, ...command.slice(1)]);
  }
};
const emptied = (client: Client) => client.flushAll();

suffersOn(
  REDIS,
  "memory that is full",
  inRedis(
    (client) => client.configSet("maxmemory", "1"),
    (client) => client.configSet("maxmemory", "0"),
    true,
  ),
);

suffersOn(
  REDIS,
  "a replica, which may only be read",
  inRedis(
    (client) => client.sendCommand(["REPLICAOF", "127.0.0.1", "1"]),
    (client) => client.sendCommand(["REPLICAOF", "NO", "ONE"]),
    true,
  ),
);

suffersOn(REDIS, "keys of another type", inRedis(replaced("RPUSH", "x"), emptied));
suffersOn(REDIS, "values that are not ours", inRedis(replaced("SET", "not a number"), emptied));
suffersOn(REDIS, "counters below zero", inRedis(replaced("SET", "-5e9"), emptied));

// ---------------------------------------------------------------- SQLite

const IN_SQLITE: Record<string, [begin: string, end: string, reads?: true]> = {
  "a file that may only be read": ["pragma query_only = on", "pragma query_only = off", true],
  "tables of another shape": [
    TABLES.map((table) => `alter table ${table} rename to kept_${table}; create table ${table} (a)`).join(
      ";",
    ),
    TABLES.map((table) => `drop table ${table}; alter table kept_${table} rename to ${table}`).join(";"),
  ],
  "counters below zero": [
    "update sluice_counters set value = -5e9; update sluice_values set value = ''",
    "delete from sluice_counters; delete from sluice_values",
  ],
};

for (const [trouble, [begin, end, reads]] of Object.entries(IN_SQLITE)) {
  Deno.test(`SQLite: ${trouble}: a cached answer is a miss, limits allow, budgets refuse, and all is told once`, async () => {
    const { sql, database } = smallStore();
    const run = (text: string) => () => Promise.resolve(database.exec(text));
    await suffers(sql, { begin: run(begin), end: run(end), reads });
  });
}

Deno.test("SQLite: a disk that is full: no request of a budget is served uncounted", async () => {
  const { sql, pages, limit } = smallStore();
  const { send, pass, close } = gatewayOn(sql);
  const spent = async () => {
    const [{ sum }] = await sql.all("select sum(value) as sum from sluice_counters where key like 'spent%'");
    return Number(sum);
  };
  const told = await lines(async () => {
    assertEquals((await send("metered-token"))[0], 200);
    const each = await spent();
    assert(each > 0);
    limit(pages());
    let served = 1, status: unknown = 200;
    while (status === 200 && served < 200) {
      // Each window of holds has counters of its own.
      pass(HELD_MS);
      [status] = await send("metered-token");
      if (status === 200) served++;
    }
    assertEquals(status, 503);
    assertEquals((await send("limited-token"))[0], 200);
    limit(100_000);
    pass(1000);
    assertEquals((await send("metered-token"))[0], 200);
    await close();
    assertEquals(await spent(), each * (served + 1));
  });
  assert(told.length <= 4, told.join("\n"));
});

testEnd();
