/** The Durable Object `SluiceState`, as far as it is used. */
import type { Addition, Rule, Taken } from "./counters.ts";
import type { SqlStatement, SqlValue } from "./sql.ts";

/** Its methods. An object keeps rows, or the counters of one token or team. */
export interface StateObject {
  all(text: string, params: readonly SqlValue[]): Promise<Record<string, unknown>[]>;
  batch(statements: readonly SqlStatement[]): Promise<Record<string, unknown>[][]>;
  take(additions: readonly Addition[], rules: readonly Rule[]): Promise<Taken>;
}

/** The part of a binding to a class of Durable Objects that is used here. */
export interface ObjectNamespace {
  idFromName(name: string): object;
  get(id: object): StateObject;
}

/** The part of a Durable Object's storage that is used here. */
export interface ObjectStorage {
  sql: { exec(text: string, ...params: readonly SqlValue[]): { toArray(): Record<string, unknown>[] } };
  transactionSync<T>(work: () => T): T;
  /** Calls the object at a time, in milliseconds since 1970. Only the last call counts. */
  setAlarm(at: number): Promise<void>;
  /** Removes all that is stored, tables too. */
  deleteAll(): Promise<void>;
}
