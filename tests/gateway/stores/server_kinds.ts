/**
 * The stores on servers of their own. As a program it starts the servers and runs their tests on other runtimes than Deno:
 *
 * `bun run tests/gateway/stores/server_kinds.ts`
 */
import { createClient } from "npm:@redis/client@6.3.1";
import { sqlKeys } from "../../../gateway/stores/keys.ts";
import { sqlRoutes } from "../../../gateway/stores/routes.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { sqlCounters } from "../../../gateway/stores/sql_counters.ts";
import { sqlDocuments } from "../../../gateway/stores/sql_documents.ts";
import { sqlKv } from "../../../gateway/stores/sql_kv.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import { documentCasesOf } from "./documents_suite.ts";
import { keysCasesOf } from "./keys_suite.ts";
import { routeCasesOf } from "./routes_suite.ts";
import { noPostgres, noRedis, type Server, startPostgres, startRedis } from "./servers.ts";
import { stateCasesOf, type StateKind } from "./state_suite.ts";
import { inSql, type Kind } from "./suite.ts";

type OpenSql = Sql & { close(): Promise<void> };

async function opened({ url }: Server): Promise<OpenSql> {
  const { sql, close } = await openStore(url);
  return { ...sql!, close: async () => await close!() };
}

async function emptied<T extends Sql>(sql: T): Promise<T> {
  const tables = await sql.all("select tablename from pg_tables where tablename like 'sluice%'");
  const names = tables.map(({ tablename }) => tablename).filter((name) => name !== "sluice_schema");
  await sql.all(`truncate ${names.join(", ")}`);
  return sql;
}

/** Opens a database whose tables are empty. */
const empty = async (server: Server): Promise<OpenSql> => await emptied(await opened(server));

/** Postgres. */
export const postgresKinds = (server: () => Promise<Server>): { state: StateKind[]; rows: Kind[] } => ({
  state: [
    {
      name: "Postgres",
      hasClock: true,
      async open(now) {
        const sql = await empty(await server());
        return { counters: sqlCounters(sql, now), kv: sqlKv(sql, now), close: () => sql.close() };
      },
    },
    {
      name: "Postgres as it is opened",
      hasClock: false,
      async open() {
        const { url } = await server();
        await (await empty(await server())).close();
        const { counters, kv, close } = await openStore(url);
        return { counters: counters!, kv: kv!, close: () => close!() };
      },
    },
  ],
  rows: [inSql("Postgres", async () => empty(await server()))],
});

/** Redis. */
export const redisKinds = (server: () => Promise<Server>): StateKind[] => [{
  name: "Redis",
  hasClock: false,
  async open() {
    const { url } = await server();
    const client = createClient({ url });
    await client.connect();
    await client.sendCommand(["FLUSHALL"]);
    client.destroy();
    const { counters, kv, close } = await openStore(url);
    return { counters: counters!, kv: kv!, close: () => close!() };
  },
}];

type Case = [name: string, run: () => Promise<void>];

/** What the operator and clients write into Postgres: keys, routes, responses and conversations. */
export async function* writtenCases(server: Server): AsyncGenerator<Case> {
  // One connection for all, because opening one takes longer than most cases.
  const sql = await opened(server);
  const again = () => Promise.resolve(sqlKeys(sql));
  try {
    yield* keysCasesOf({ name: "keys", again, open: async () => sqlKeys(await emptied(sql)) });
    yield* routeCasesOf("routes", async () => sqlRoutes(await emptied(sql)));
    yield* documentCasesOf({
      name: "Postgres",
      open: async (limits) => sqlDocuments(await emptied(sql), limits),
    });
  } finally {
    await sql.close();
  }
}

/** Runs cases one after another. @returns How many there were. */
export async function runAll(cases: Iterable<Case> | AsyncIterable<Case>): Promise<number> {
  let count = 0;
  for await (const [name, run] of cases) {
    await run().catch((cause) => {
      throw new Error(name, { cause });
    });
    count++;
  }
  return count;
}

if (import.meta.main) {
  let count = 0;
  if (!noPostgres) {
    const server = await startPostgres();
    try {
      const { state } = postgresKinds(() => Promise.resolve(server));
      count += await runAll(state.flatMap(stateCasesOf));
      count += await runAll(writtenCases(server));
    } finally {
      await server.end();
    }
  }
  if (!noRedis) {
    const server = await startRedis();
    const kinds = redisKinds(() => Promise.resolve(server));
    count += await runAll(kinds.flatMap(stateCasesOf)).finally(server.end);
  }
  console.log(`all ${count} cases passed`);
}
