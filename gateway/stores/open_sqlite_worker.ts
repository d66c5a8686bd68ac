/** Runs the statements of a file of SQLite in a worker, by the module `node:sqlite` of Deno, Bun and Node. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Question, Reply } from "./open_sqlite.ts";

/** Milliseconds to wait for another process that holds a lock. */
const BUSY_MS = 1000;

/** Statements of up to this length are kept, prepared. There are few of them: only filters and lists of numbers vary. */
const KEPT = { statements: 100, length: 4000 };

let database: DatabaseSync;
const prepared = new Map<string, StatementSync>();

function statement(text: string): StatementSync {
  let one = prepared.get(text);
  if (one) return one;
  one = database.prepare(text);
  if (text.length > KEPT.length) return one;
  if (prepared.size >= KEPT.statements) prepared.delete(prepared.keys().next().value!);
  prepared.set(text, one);
  return one;
}

function open(path: string): void {
  database = new DatabaseSync(path);
  database.exec(`pragma busy_timeout = ${BUSY_MS}`);
  // Readers do not wait for the writer. A crash of the machine may lose the last rows, a crash of the process does not.
  database.exec("pragma journal_mode = wal");
  database.exec("pragma synchronous = normal");
}

function batch(statements: Extract<Question, { batch: unknown }>["batch"]): Record<string, unknown>[][] {
  // Takes the lock at once: a transaction that first reads cannot wait for it.
  database.exec("begin immediate");
  try {
    const rows = statements.map(([text, params]) => statement(text).all(...params));
    database.exec("commit");
    return rows;
  } catch (error) {
    // A full disk has rolled back already.
    try {
      database.exec("rollback");
    } catch {
      // There is no transaction any more.
    }
    throw error;
  }
}

function answer(question: Question): Reply["result"] {
  if ("open" in question) open(question.open);
  else if ("batch" in question) return batch(question.batch);
  else if ("close" in question) database.close();
  else {
    const rows = statement(question.text).all(...question.params as SQLInputValue[]);
    return rows as Record<string, unknown>[];
  }
}

/** The part of a worker's global that is used here. */
interface Scope {
  onmessage: (event: { data: Question }) => void;
  postMessage(reply: Reply): void;
}

/** On Node a worker has a port in place of its global. */
const scope =
  ("postMessage" in globalThis
    ? globalThis
    : (await import("node:worker_threads")).parentPort) as unknown as Scope;

scope.onmessage = ({ data }) => {
  const { id } = data;
  try {
    scope.postMessage({ id, result: answer(data) });
  } catch (cause) {
    const { name, message } = cause as Error;
    scope.postMessage({ id, error: { name, message } });
  }
};
