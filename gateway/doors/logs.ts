/**
 * Serves rows of requests in the form of Cloudflare's REST API, so that Cloudflare's SDK can read them from another base URL.
 *
 * @see https://developers.cloudflare.com/api/resources/ai_gateway/subresources/logs/
 */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../../wires/errors.ts";
import { isObject, parse } from "../../wires/shared/json.ts";
import type { Exchange } from "../exchange.ts";
import { logsOf } from "../log/journal.ts";
import { readMetadata } from "../log/metadata.ts";
import { COLUMN_NAMES } from "../stores/columns.ts";
import type { LogChanges, LogFilter, LogQuery, LogRow, Logs, Scope } from "../stores/store.ts";
import { takeBody } from "../upstream/body.ts";
import { allBodies, bodyAnswer, whyNot } from "./log_bodies.ts";

/** The parts of a path: with neither `id` nor `side` it is for all rows, with `id` for one, with `side` for a body of one. */
export interface LogsRoute {
  account: string;
  gateway: string;
  id?: string;
  side?: string;
}

const MOST_PER_PAGE = 50;

/** The number of Cloudflare's error for a row that does not exist. */
const NO_ROW = 7002;

/**
 * Serves the rows of one gateway.
 *
 * @throws GatewayError with the numbers of Cloudflare's API: 7001 for a malformed query, 7002 for a missing row.
 */
export async function serveLogs(
  request: Request,
  route: LogsRoute,
  exchange: Pick<Exchange, "config" | "report">,
): Promise<Response> {
  const { journal } = exchange.config;
  const logs = logsOf(journal, NO_ROW);
  // Rows that wait for the table of prices are written as soon as it is there.
  await journal?.prices?.load();
  const scope: Scope = { account: route.account, gateway: route.gateway };
  const { method, url } = request;
  if (route.id === undefined) {
    const query = readQuery(new URL(url).searchParams, method === "DELETE");
    return method === "DELETE" ? await remove(logs, scope, query) : await list(logs, scope, query);
  }
  if (route.side !== undefined) {
    const { id, side } = route;
    if (side === "bodies") return await allBodies(logs, scope, id, journal);
    const row = await rowOf(logs, scope, id);
    const body = (await logs.bodies(scope, id)).find((one) => one.side === side);
    if (body) return bodyAnswer(body);
    throw notFound(`Cannot read the body of the ${side}: ${whyNot(row, side, journal)}`);
  }
  if (method !== "PATCH") return answer(record(await rowOf(logs, scope, route.id)));
  const changes = readChanges(await takeBody(request, exchange));
  if (!await logs.patch(scope, route.id, changes)) throw noSuchRow(route.id);
  return answer({});
}

const answer = (result: unknown, more: object = {}) =>
  Response.json({ success: true, result, errors: [], messages: [], ...more }, {
    headers: { "cache-control": "no-store" },
  });

const notFound = (message: string) => new GatewayError("not_found", message, { number: NO_ROW });
const noSuchRow = (id: string) => notFound(`There is no row ${JSON.stringify(id.slice(0, 64))}`);

async function rowOf(logs: Logs, scope: Scope, id: string): Promise<LogRow> {
  const row = await logs.get(scope, id);
  if (!row) throw noSuchRow(id);
  return row;
}

async function list(logs: Logs, scope: Scope, query: LogQuery & { page: number }): Promise<Response> {
  const { rows, total } = await logs.list(scope, query);
  const { page, limit } = query;
  const info = { page, per_page: limit, count: rows.length, total_count: total };
  return answer(rows.map(record), { result_info: { ...info, total_pages: Math.ceil(total / limit) } });
}

async function remove(logs: Logs, scope: Scope, query: LogQuery): Promise<Response> {
  await logs.remove(scope, query);
  return answer({});
}

/** A row under Cloudflare's names. Members that Cloudflare does not have are in `sluice`. */
function record(row: LogRow): object {
  const { time, durationMs, status, inputTokens, outputTokens, eventId, userAgent, level, ...rest } = row;
  const { requestType, responseType, cached: _, ...more } = rest;
  return {
    id: row.id,
    created_at: time,
    provider: row.provider ?? "",
    model: row.model ?? "",
    model_type: "",
    path: row.path,
    duration: durationMs,
    success: level === "info",
    cached: row.cached === true,
    status_code: status,
    step: row.step,
    request_type: row.method,
    request_content_type: requestType ?? "",
    response_content_type: responseType ?? "",
    tokens_in: inputTokens ?? null,
    tokens_out: outputTokens ?? null,
    cost: row.cost ?? null,
    custom_cost: row.price === "header",
    metadata: row.metadata === undefined ? null : JSON.stringify(row.metadata),
    feedback: row.feedback ?? null,
    score: row.score ?? null,
    event_id: eventId ?? null,
    user_agent: userAgent ?? null,
    request_head_complete: false,
    response_head_complete: false,
    sluice: { level, ...more },
  };
}

// ---------------------------------------------------------------- what is asked

const VALUE = v.union([v.string(), v.number(), v.boolean(), v.null()]);
const FILTERS = v.array(v.looseObject({
  key: v.picklist(COLUMN_NAMES, `must be one of ${COLUMN_NAMES.join(", ")}`),
  operator: v.picklist(["eq", "neq", "contains", "lt", "gt"]),
  value: v.pipe(v.array(VALUE), v.nonEmpty(), v.maxLength(100)),
}));
const MOST_FILTERS = 20;

/** The older form of the filters: each is a parameter of its own. */
const PARAMETERS: readonly [parameter: string, key: string, operator: LogFilter["operator"]][] = [
  ["start_date", "created_at", "gt"],
  ["end_date", "created_at", "lt"],
  ["min_cost", "cost", "gt"],
  ["max_cost", "cost", "lt"],
  ["min_duration", "duration", "gt"],
  ["max_duration", "duration", "lt"],
  ["min_tokens_in", "tokens_in", "gt"],
  ["max_tokens_in", "tokens_in", "lt"],
  ["min_tokens_out", "tokens_out", "gt"],
  ["max_tokens_out", "tokens_out", "lt"],
  ["min_total_tokens", "tokens", "gt"],
  ["max_total_tokens", "tokens", "lt"],
  ["model", "model", "eq"],
  ["provider", "provider", "eq"],
  ["success", "success", "eq"],
  ["cached", "cached", "eq"],
  ["feedback", "feedback", "eq"],
  ["model_type", "model_type", "eq"],
  ["request_content_type", "request_content_type", "eq"],
  ["response_content_type", "response_content_type", "eq"],
];

const malformed = (name: string, due: string) =>
  new GatewayError("invalid_request", `Cannot read the query: ${name} ${due}`, { param: name, number: 7001 });

/** @param all Whether the query is for all rows that match, as for a deletion, and not for one page. */
function readQuery(params: URLSearchParams, all: boolean): LogQuery & { page: number } {
  const number = (name: string, usual: number, most: number) => {
    const text = params.get(name);
    if (text === null) return usual;
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= 1 && value <= most) return value;
    throw malformed(name, `must be a number from 1 to ${most}`);
  };
  const page = number("page", 1, 1_000_000);
  const limit = all ? number("limit", 1_000_000_000, 1_000_000_000) : number("per_page", 20, MOST_PER_PAGE);
  const orderBy = params.get("order_by") ?? "created_at";
  if (!COLUMN_NAMES.includes(orderBy)) {
    throw malformed("order_by", `must be one of ${COLUMN_NAMES.join(", ")}`);
  }
  const direction = params.get("order_by_direction") ?? params.get("direction") ?? "desc";
  if (direction !== "asc" && direction !== "desc") {
    throw malformed("order_by_direction", "must be asc or desc");
  }
  return {
    filters: readFilters(params),
    search: params.get("search")?.slice(0, 200) || undefined,
    orderBy,
    descending: direction === "desc",
    offset: all ? 0 : (page - 1) * limit,
    limit,
    page,
  };
}

/** A member of a filter. Cloudflare's SDKs write each as a parameter, filter after filter: `filters.key=model`. */
const MEMBER = /^filters(?:\[\d{0,4}\])?[.[](key|operator|value)\]?(?:\[\d{0,4}\])?$/;

function membersOf(params: URLSearchParams): { [member: string]: string | string[] }[] | undefined {
  const filters: { key?: string; operator?: string; value: string[] }[] = [];
  for (const [name, text] of params) {
    const member = MEMBER.exec(name)?.[1];
    if (member === undefined) continue;
    if (member === "key" || filters.length === 0) filters.push({ value: [] });
    const filter = filters.at(-1)!;
    if (member === "value") filter.value.push(text);
    else filter[member as "key" | "operator"] = text;
  }
  return filters.length > 0 ? filters as { [member: string]: string | string[] }[] : undefined;
}

function readFilters(params: URLSearchParams): LogFilter[] {
  const filters: LogFilter[] = [];
  const text = params.get("filters");
  const written = text === null ? membersOf(params) : parse(text) ?? text;
  if (written !== undefined) {
    const parsed = v.safeParse(FILTERS, written);
    if (!parsed.success) {
      const [{ message, path = [] }] = parsed.issues;
      const at = path.map(({ key }) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
      throw malformed(`filters${at}`, `is malformed: ${message}`);
    }
    filters.push(...parsed.output);
  }
  for (const [parameter, key, operator] of PARAMETERS) {
    const text = params.get(parameter);
    if (text === null) continue;
    // In the older form of the filters, 0 is negative feedback.
    const value = key === "feedback" && text === "0" ? "-1" : text.slice(0, 500);
    filters.push({ key, operator, value: [value] });
  }
  if (filters.length > MOST_FILTERS) throw malformed("filters", `must be at most ${MOST_FILTERS}`);
  return filters;
}

export const CHANGES = v.looseObject({
  feedback: v.nullish(v.picklist([1, -1])),
  score: v.nullish(v.pipe(v.number(), v.finite())),
  metadata: v.nullish(v.looseObject({})),
});

function readChanges(body: Uint8Array<ArrayBuffer>): LogChanges {
  const given = parse(new TextDecoder().decode(body));
  const parsed = v.safeParse(CHANGES, given);
  if (!isObject(given) || !parsed.success) {
    throw malformed(
      "the body",
      "must be {feedback: 1 or -1, score: a number, metadata: an object}, or null for each",
    );
  }
  const { feedback, score, metadata } = parsed.output;
  const changes: LogChanges = {};
  if (feedback !== undefined) changes.feedback = feedback as 1 | -1 | null;
  if (score !== undefined) changes.score = score;
  if (metadata === null) changes.metadata = null;
  else if (metadata !== undefined) {
    const left: string[] = [];
    changes.metadata = readMetadata(JSON.stringify(metadata), left) ?? {};
    if (left.length > 0) throw malformed(left[0].replace("cf-aig-metadata", "metadata"), "cannot be kept");
  }
  return changes;
}
