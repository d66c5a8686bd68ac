/** The interfaces of a gateway's stores. */
import type { LogEntry, Metadata } from "./log_row.ts";

/** The account and the gateway of rows. The gateways `default` of two accounts are two gateways. */
export interface Scope {
  account: string;
  gateway: string;
}

/** A row as it is kept, with the changes that were made later. */
export interface LogRow extends LogEntry, Scope {
  /** The sides of the request whose bodies were kept. */
  bodies?: string[];
  feedback?: 1 | -1;
  score?: number;
}

/** A body of a request, as it is kept. */
export interface LogBody extends Scope {
  /** The id of the row. */
  id: string;
  /** `request` and `response` for those of the client, `try1` to `try20` for those that providers were sent. */
  side: string;
  text: string;
  /** Bytes of the whole body. */
  bytes: number;
  /** Whether the text is only the beginning of the body, or says why there is none. */
  isCut: boolean;
  /** Some of the headers beside the body. */
  headers: Record<string, string>;
  /** The URL that the body was sent to, without its query. */
  url?: string;
}

/** Changes to a row after its request. `null` removes a value. */
export interface LogChanges {
  feedback?: 1 | -1 | null;
  score?: number | null;
  metadata?: Metadata | null;
}

/** A condition on a row. It is met if it is met for any of the values. */
export interface LogFilter {
  key: string;
  operator: "eq" | "neq" | "contains" | "lt" | "gt";
  value: readonly (string | number | boolean | null)[];
}

/** A query for rows. */
export interface LogQuery {
  /** The conditions, all of which must be met. */
  filters: readonly LogFilter[];
  /** A text that the provider, model, path, error code or id must hold, in any letter case. */
  search?: string;
  orderBy: string;
  descending: boolean;
  /** How many rows are skipped, and how many are returned at most. */
  offset: number;
  limit: number;
}

/** The spans of time of sums. */
export type Grain = "minute" | "hour" | "day";

/** The sums of a number of requests. */
export interface Tally {
  requests: number;
  /** The requests among these that failed, at the gateway, the provider or the client. */
  errors: number;
  /** The requests among these that were answered from the cache. */
  cached: number;
  inputTokens: number;
  outputTokens: number;
  /** The cost in US dollars of the requests whose cost is known. */
  cost: number;
  /** The requests with tokens but without a known price. */
  unpriced: number;
  /** A histogram of the durations, with the steps of `rollups.ts`. */
  durations: number[];
  /** A histogram of the times until the first content of streams. */
  firstTokens: number[];
}

/** The sums of one span of time. `at` is its beginning, in milliseconds since 1970. */
export type Point = Tally & { at: number };

/** The sums of all requests with the same values in `of`. A value is empty if the requests had none. */
export type Group = Tally & { of: Scope & { provider: string; model: string; token: string } };

/** A query for sums. `from` and `to` are milliseconds since 1970. */
export interface StatsQuery {
  grain: Grain;
  from: number;
  to: number;
  /** Default: all gateways. */
  scope?: Partial<Scope>;
}

/** Sums by time, and by group. */
export interface Stats {
  points: Point[];
  groups: Group[];
}

/** Keeps rows about requests. No method throws for a missing row. */
export interface Logs {
  /** @param bodies The bodies of these rows. */
  add(rows: readonly LogRow[], bodies?: readonly LogBody[]): Promise<void>;
  get(scope: Scope, id: string): Promise<LogRow | undefined>;
  /** The bodies of a row, in any order. */
  bodies(scope: Scope, id: string): Promise<LogBody[]>;
  /**
   * The newest rows of all gateways, the latest arrival first.
   *
   * @param after The id of a row: only later rows are returned. If that row is no longer kept, all rows count as later.
   */
  newest(limit: number, after?: string): Promise<LogRow[]>;
  /** The rows of one page, and the number of all rows that match. */
  list(scope: Scope, query: LogQuery): Promise<{ rows: LogRow[]; total: number }>;
  /** @returns Whether the row exists. */
  patch(scope: Scope, id: string, changes: LogChanges): Promise<boolean>;
  /** @returns How many rows were removed. */
  remove(scope: Scope, query: LogQuery): Promise<number>;
  /** Sums of all rows that were added, also of those that are gone. */
  stats(query: StatsQuery): Promise<Stats>;
  /** Writes what still waits. */
  close(): Promise<void>;
}
