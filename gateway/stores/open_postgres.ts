/** Opens a PostgreSQL database. Nothing imports this module: it is loaded by its URL if a store of this kind is wanted. */
import postgres from "npm:postgres@3.4.9";
import type { Sql, SqlStatement, SqlValue } from "./sql.ts";
import { sqlCounters } from "./sql_counters.ts";
import { sqlKv } from "./sql_kv.ts";
import { migrate } from "./sql_schema.ts";
import type { Stores } from "./stores.ts";

/** Connections: those for rows, whose statements may take long, and those for what requests wait for. */
const ROWS = { max: 3, timeoutMs: 30_000 }, QUICK = { max: 8, timeoutMs: 5000 };

/** Seconds for a connection to open, and until one that is not used is closed. */
const CONNECT_S = 5, IDLE_S = 60;

/** Statements of which each connection keeps the plan. There are few of them: only filters and lists of numbers vary. */
const KEPT = { statements: 100, length: 4000 };

/** The server ends a statement after its time. This much later nothing answers, so the connections are given up. */
const GRACE_MS = 2000;

/**
 * Opens a database.
 *
 * @param url As of libpq: `postgres://user:password@host:5432/database?sslmode=require`.
 * @throws Error if it cannot be reached, or its tables cannot be made.
 */
export async function open(url: string): Promise<Stores> {
  const rows = database(url, ROWS), quick = database(url, QUICK);
  const close = async () => void await Promise.all([rows.close(), quick.close()]);
  try {
    await migrate(quick);
  } catch (error) {
    await close();
    throw error;
  }
  return { sql: rows, quick, kv: sqlKv(quick), counters: sqlCounters(quick), close };
}

/** The client's answers to statements: rows, with the numbers as such. */
type Client = postgres.Sql<{ bigint: number }>;

/** What runs statements: a client, or a transaction of it. */
type Runner = Pick<Client, "unsafe">;

function connect(url: string, { max, timeoutMs }: typeof ROWS): Client {
  return postgres(url, {
    max,
    connect_timeout: CONNECT_S,
    idle_timeout: IDLE_S,
    // A database that is back must be found at once.
    backoff: () => 0.1,
    onnotice: () => {},
    fetch_types: false,
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    connection: {
      application_name: "sluice",
      statement_timeout: timeoutMs,
      // Counters are read after they are locked.
      default_transaction_isolation: "read committed",
    },
  });
}

function database(url: string, settings: typeof ROWS): Sql & { close(): Promise<void> } {
  let client = connect(url, settings);
  const kept = new Map<string, string>();

  /** The text with the places as `$1`, and whether its plan is kept. */
  function prepared(text: string): [text: string, options: { prepare: boolean }] {
    const known = kept.get(text);
    if (known !== undefined) return [known, { prepare: client.options.prepare }];
    const written = numbered(text);
    if (text.length > KEPT.length || kept.size >= KEPT.statements) return [written, { prepare: false }];
    kept.set(text, written);
    return [written, { prepare: client.options.prepare }];
  }

  async function run(
    runner: Runner,
    text: string,
    params: readonly SqlValue[] = [],
  ): Promise<Record<string, unknown>[]> {
    const [written, options] = prepared(text);
    const rows: Record<string, unknown>[] = await runner.unsafe(written, [...params], options);
    // After a statement that failed in the middle of its rows, the client counts on from there: the next answer begins with holes.
    return rows.filter(() => true);
  }

  /** Waits for the database as long as it may answer. If it is gone without a word, new connections are made. */
  async function answered<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const asked = client;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isGone = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (client === asked) client = connect(url, settings);
        asked.end({ timeout: 0 }).catch(() => {});
        reject(new Error("the database does not answer"));
      }, settings.timeoutMs + GRACE_MS);
    });
    try {
      return await Promise.race([work(asked), isGone]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Runs statements as one transaction.
   *
   * If the connection is lost, the client's `begin()` must not hear of it from here: it would send a rollback, and the client ends the
   * process when something is written to a connection that is gone (3.4.9). It rejects by itself then.
   *
   * @see https://github.com/porsager/postgres/issues/1208
   */
  const transaction = (client: Client, statements: readonly SqlStatement[]) =>
    client.begin((session) =>
      Promise.all(statements.map((one) => run(session, ...one))).catch((error) =>
        isRefusal(error) ? Promise.reject(error) : new Promise<never>(() => {})
      )
    );

  return {
    dialect: "postgres",
    all: (text, params) => answered((client) => run(client, text, params)),
    batch: (statements) =>
      answered((client) => transaction(client, statements)) as Promise<Record<string, unknown>[][]>,
    close: () => client.end({ timeout: 5 }),
  };
}

/** Whether a statement was refused, by the server or by the client, and its connection is still there. */
const isRefusal = ({ name, code, severity }: { name?: string; code?: string; severity?: string }): boolean =>
  name === "PostgresError"
    ? severity === "ERROR"
    : code === "UNDEFINED_VALUE" || code === "MAX_PARAMETERS_EXCEEDED";

/** Writes the places of a statement as PostgreSQL has them. `'a?' = ?` becomes `'a?' = $1`. */
export function numbered(text: string): string {
  let count = 0;
  return text.replaceAll(/'[^']*'|\?/g, (piece) => piece === "?" ? `$${++count}` : piece);
}
