/**
 * Opens a file of SQLite. Nothing imports this module: it is loaded by its URL if a store of this kind is wanted.
 *
 * SQLite's calls block, and a slow disk or a lock could hold them for seconds. So they run in a worker.
 */
import type { Sql, SqlStatement } from "./sql.ts";
import { sqlCounters } from "./sql_counters.ts";
import { sqlKv } from "./sql_kv.ts";
import type { Stores } from "./stores.ts";

/** A message to the worker. */
export type Question =
  & { id: number }
  & ({ open: string } | { text: string; params: readonly unknown[] } | { batch: readonly SqlStatement[] } | {
    close: true;
  });

/** A message from the worker. */
export interface Reply {
  id: number;
  /** The rows of a statement, or of each statement of a batch. */
  result?: unknown;
  error?: { name: string; message: string };
}

interface Asked {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A worker of one of the two kinds. */
interface Started {
  postMessage(question: unknown): void;
  terminate(): unknown;
}

/** Starts the worker, which has the extension of this module: the package for npm holds JavaScript. */
async function startWorker(
  onReply: (reply: Reply) => void,
  onFault: (message: string) => void,
): Promise<Started> {
  const url = new URL(import.meta.url.replace(/(\.[jt]s)$/, "_worker$1"));
  if (!("Worker" in globalThis)) {
    const threads = await import("node:worker_threads");
    const worker = new threads.Worker(url);
    worker.on("message", onReply);
    worker.on("error", ({ message }) => onFault(message));
    return worker;
  }
  const worker = new Worker(url.href, { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Reply>) => onReply(data);
  worker.onerror = (event) => {
    event.preventDefault();
    onFault(event.message);
  };
  return worker;
}

/** @throws Error on a Node that is too old, whose worker would fail without a reason. */
async function checkSqlite(): Promise<void> {
  try {
    await import("node:sqlite");
  } catch {
    throw new Error("this runtime has no module node:sqlite; it needs Node 22.13 or later, Deno or Bun");
  }
}

/**
 * Opens the file at a path, or makes it.
 *
 * @throws Error if it cannot be opened or is not a file of SQLite.
 */
export async function open(path: string): Promise<Stores> {
  await checkSqlite();
  const sql = await connect(path);
  // A second connection, so that no request waits while a page of rows is read. It takes some 10 MB.
  const quick = await connect(path);
  return {
    sql,
    quick,
    kv: sqlKv(quick),
    counters: sqlCounters(quick),
    async close() {
      await sql.close!();
      await quick.close!();
    },
  };
}

async function connect(path: string): Promise<Sql> {
  const asked = new Map<number, Asked>();
  let last = 0;
  let broken: Error | undefined;

  const worker = await startWorker(({ id, result, error }) => {
    const { resolve, reject } = asked.get(id) ?? {};
    asked.delete(id);
    if (error) reject?.(Object.assign(new Error(error.message), { name: error.name }));
    else resolve?.(result);
  }, (message) => {
    broken = new Error(`the worker of SQLite has failed: ${message}`);
    for (const { reject } of asked.values()) reject(broken);
    asked.clear();
  });

  type Parts = Question extends infer Q ? Q extends unknown ? Omit<Q, "id"> : never : never;

  function ask<T = void>(question: Parts): Promise<T> {
    if (broken) return Promise.reject(broken);
    const id = ++last;
    return new Promise((resolve, reject) => {
      asked.set(id, { resolve: resolve as Asked["resolve"], reject });
      worker.postMessage({ id, ...question });
    });
  }

  try {
    await ask({ open: path });
  } catch (error) {
    worker.terminate();
    throw error;
  }
  return {
    dialect: "sqlite",
    all: (text, params = []) => ask<Record<string, unknown>[]>({ text, params }),
    batch: (batch) => ask<Record<string, unknown>[][]>({ batch }),
    async close() {
      if (broken) return;
      await ask({ close: true }).catch(() => {});
      broken = new Error("the store is closed");
      worker.terminate();
    },
  };
}
