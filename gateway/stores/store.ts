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

/** The spans that sums are made of. */
export type Grain = "minute" | "hour" | "day";

/** How a number of requests went. */
export interface Tally {
  requests: number;
  /** Of these, what went wrong, here, at the provider or at the client. */
  errors: number;
  inputTokens: number;
  outputTokens: number;
  /** US dollars, of those whose cost is known. */
  cost: number;
  /** Those with tokens and without a known price. */
  unpriced: number;
  /** Histogram of how long they took, by the steps of `rollups.ts`. */
  durations: number[];
  /** The same of when the first content of their streams came. */
  firstTokens: number[];
}

/** Sums of one span of time, which begins at these milliseconds since 1970. */
export type Point = Tally & { at: number };

/** Sums of what has all this in common; empty where a request had none. */
export type Group = Tally & { of: Scope & { provider: string; model: string; token: string } };

/** What sums are asked for: those from one moment up to another, in milliseconds since 1970. */
export interface StatsQuery {
  grain: Grain;
  from: number;
  to: number;
  /** Default: of all gateways. */
  scope?: Partial<Scope>;
}

/** Sums by time, and by what requests have in common. */
export interface Stats {
  points: Point[];
  groups: Group[];
}

/** Keeps rows about requests. No method waits for a request, and none throws for a row that is not there. */
export interface Logs {
  add(rows: readonly LogRow[]): Promise<void>;
  get(scope: Scope, id: string): Promise<LogRow | undefined>;
  /**
   * The newest rows of all gateways, in the order of their arrival, the newest first.
   *
   * @param after The id of a row: only those that came after it. One that is no longer kept has all after it.
   */
  newest(limit: number, after?: string): Promise<LogRow[]>;
  /** The rows of one page, and how many there are in all. */
  list(scope: Scope, query: LogQuery): Promise<{ rows: LogRow[]; total: number }>;
  /** @returns Whether there is such a row. */
  patch(scope: Scope, id: string, changes: LogChanges): Promise<boolean>;
  /** @returns How many rows are gone. */
  remove(scope: Scope, query: LogQuery): Promise<number>;
  /** Sums of all rows that were added, also of those that are gone. */
  stats(query: StatsQuery): Promise<Stats>;
}
