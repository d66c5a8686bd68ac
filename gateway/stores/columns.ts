/** The columns by which rows are filtered and ordered, under the names of Cloudflare's REST API. */
import type { LogFilter, LogRow } from "./store.ts";

type Column = (row: LogRow) => unknown;

const sum = (a: number | undefined, b: number | undefined) =>
  a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);

/** The columns. `metadata.key` and `metadata.value` are lists, of which one element must meet a condition. */
const COLUMNS: ReadonlyMap<string, Column> = new Map<string, Column>([
  ["id", (row) => row.id],
  ["created_at", (row) => row.time],
  ["provider", (row) => row.provider],
  ["model", (row) => row.model],
  ["model_type", () => undefined],
  ["request_type", (row) => row.method],
  ["request_content_type", (row) => row.requestType],
  ["response_content_type", (row) => row.responseType],
  ["authentication", (row) => row.token !== undefined],
  ["wholesale", () => false],
  ["compatibilityMode", (row) => /\/compat\//.test(row.path)],
  ["dlp_action", () => undefined],
  ["path", (row) => row.path],
  ["status_code", (row) => row.status],
  ["success", (row) => row.level === "info"],
  ["cached", (row) => row.cached === true],
  ["cost", (row) => row.cost],
  ["tokens", (row) => sum(row.inputTokens, row.outputTokens)],
  ["tokens_in", (row) => row.inputTokens],
  ["tokens_out", (row) => row.outputTokens],
  ["duration", (row) => row.durationMs],
  ["feedback", (row) => row.feedback],
  ["score", (row) => row.score],
  ["token", (row) => row.token],
  ["account", (row) => row.account],
  ["gateway", (row) => row.gateway],
  ["event_id", (row) => row.eventId],
  ["user_agent", (row) => row.userAgent],
  ["metadata.key", (row) => Object.keys(row.metadata ?? {})],
  ["metadata.value", (row) => Object.values(row.metadata ?? {})],
]);

/** The names that a list of rows may be ordered by, and filtered by. */
export const COLUMN_NAMES: readonly string[] = [...COLUMNS.keys()];

/** The function that reads a column; `undefined` for an unknown name. */
export const columnOf = (name: string): Column | undefined => COLUMNS.get(name);

/** Whether a row meets all conditions and holds the text. */
export function meets(row: LogRow, filters: readonly LogFilter[], search?: string): boolean {
  if (search !== undefined && !holds(row, search.toLowerCase())) return false;
  return filters.every(({ key, operator, value }) => {
    const found = COLUMNS.get(key)?.(row);
    const all = Array.isArray(found) ? found : [found];
    // "Not equal" must be true of all elements of a list, any other condition of one.
    if (operator === "neq") return !all.some((one) => value.some((wanted) => isEqual(one, wanted)));
    return all.some((one) => value.some((wanted) => TESTS[operator](one, wanted)));
  });
}

const holds = ({ id, provider, model, path, error }: LogRow, text: string) =>
  [id, provider, model, path, error?.code].some((one) => String(one ?? "").toLowerCase().includes(text));

/** Compares as texts too: a client may write `"200"` or `"true"`. */
const isEqual = (one: unknown, wanted: unknown) => (one ?? null) === wanted || String(one) === String(wanted);

const TESTS: Record<Exclude<LogFilter["operator"], "neq">, (one: unknown, wanted: unknown) => boolean> = {
  eq: isEqual,
  contains: (one, wanted) =>
    one !== undefined && String(one).toLowerCase().includes(String(wanted).toLowerCase()),
  lt: (one, wanted) =>
    isOrdered(one) && (typeof one === "number" ? one < Number(wanted) : one < String(wanted)),
  gt: (one, wanted) =>
    isOrdered(one) && (typeof one === "number" ? one > Number(wanted) : one > String(wanted)),
};

const isOrdered = (value: unknown): value is number | string =>
  typeof value === "number" || typeof value === "string";
