/**
 * The stores on servers of their own. As a program it starts the servers and runs their tests on other runtimes than Deno:
 *
 * `bun run tests/gateway/stores/server_kinds.ts`
 */
import { createClient } from "npm:@redis/client@6.3.1";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { sqlCounters } from "../../../gateway/stores/sql_counters.ts";
import { sqlKv } from "../../../gateway/stores/sql_kv.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import { noPostgres, noRedis, type Server, startPostgres, startRedis } from "./servers.ts";
import { stateCasesOf, type StateKind } from "./state_suite.ts";
import { inSql, type Kind } from "./suite.ts";

/** Opens a database whose tables are empty. */
async function emptied({ url }: Server): Promise<Sql & { close(): Promise<void> }> {
  const { sql, close } = await openStore(url);
  const tables = await sql!.all("select tablename from pg_tables where tablename like 'sluice%'");
  const names = tables.map(({ tablename }) => tablename).filter((name) => name !== "sluice_schema");
  await sql!.all(`truncate ${names.join(", ")}`);
  return { ...sql!, close: async () => await close!() };
}

/** Postgres. */
export const postgresKinds = (server: () => Promise<Server>): { state: StateKind[]; rows: Kind[] } => ({
  state: [
    {
      name: "Postgres",
      hasClock: true,
      async open(now) {
        const sql = await emptied(await server());
        return { counters: sqlCounters(sql, now), kv: sqlKv(sql, now), close: () => sql.close() };
      },
    },
    {
      name: "Postgres as it is opened",
      hasClock: false,
      async open() {
        const { url } = await server();
        await (await emptied(await server())).close();
        const { counters, kv, close } = await openStore(url);
        return { counters: counters!, kv: kv!, close: () => close!() };
      },
    },
  ],
  rows: [inSql("Postgres", async () => emptied(await server()))],
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

if (import.meta.main) {
  let count = 0;
  const runAll = async (kinds: StateKind[]) => {
    for (const [name, run] of kinds.flatMap(stateCasesOf)) {
      await run().catch((cause) => {
        throw new Error(name, { cause });
      });
      count++;
    }
  };
  if (!noPostgres) {
    const server = await startPostgres();
    const { state } = postgresKinds(() => Promise.resolve(server));
    await runAll(state).finally(server.end);
  }
  if (!noRedis) {
    const server = await startRedis();
    await runAll(redisKinds(() => Promise.resolve(server))).finally(server.end);
  }
  console.log(`all ${count} cases passed`);
}
