/** The roles that a store fills for a gateway. Nothing here does I/O. */
import type { LogEntry, Metadata } from "./log_row.ts";

/** Whose rows: two accounts' `default` are two gateways. */
export interface Scope {
  account: string;
  gateway: string;
}

/** A row as it is kept, with what was said about it later. */
export interface LogRow extends LogEntry, Scope {
  feedback?: 1 | -1;
  score?: number;
}

/** What can be said about a row after its request; `null` takes it back. */
export interface LogChanges {
  feedback?: 1 | -1 | null;
  score?: number | null;
  metadata?: Metadata | null;
}

/** A condition on a row; a list of values is met by any of them. */
export interface LogFilter {
  key: string;
  operator: "eq" | "neq" | "contains" | "lt" | "gt";
  value: readonly (string | number | boolean | null)[];
}

/** Which rows, in which order. */
export interface LogQuery {
  /** All must be met. */
  filters: readonly LogFilter[];
  /** A text that provider, model, path, error or id must hold, in any case. */
  search?: string;
  orderBy: string;
  descending: boolean;
  /** How many rows are passed over, and how many are given at most. */
  offset: number;
  limit: number;
}

/** Keeps rows about requests. No method waits for a request, and none throws for a row that is not there. */
export interface Logs {
  add(rows: readonly LogRow[]): Promise<void>;
  get(scope: Scope, id: string): Promise<LogRow | undefined>;
  /** The rows of one page, and how many there are in all. */
  list(scope: Scope, query: LogQuery): Promise<{ rows: LogRow[]; total: number }>;
  /** @returns Whether there is such a row. */
  patch(scope: Scope, id: string, changes: LogChanges): Promise<boolean>;
  /** @returns How many rows are gone. */
  remove(scope: Scope, query: LogQuery): Promise<number>;
}
