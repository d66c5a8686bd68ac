/** The items of requests and answers, as they are stored and listed. */
import { GatewayError, quote } from "../../../wires/errors.ts";
import { isObject, objects } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { itemId } from "./ids.ts";

/** The items of an `input`, which may be a text. */
export const inputItems = (input: unknown): JsonObject[] =>
  typeof input === "string" ? [{ type: "message", role: "user", content: input }] : objects(input);

/**
 * An item in the form in which lists show it: with a type, an id and a status, and the text of a message as a part. Stored items
 * stay as they were sent, so that a provider gets the same bytes at each turn.
 *
 * @param id For an item that has none.
 */
export function shownItem(item: JsonObject, id: string): JsonObject {
  const shown: JsonObject = { id, ...item };
  if (shown.id == null) shown.id = id;
  shown.type ??= "message";
  if (shown.type !== "message") return shown;
  shown.status ??= "completed";
  if (typeof item.content === "string") {
    const type = item.role === "assistant" ? "output_text" : "input_text";
    shown.content = [
      type === "output_text" ? { type, text: item.content, annotations: [] } : { type, text: item.content },
    ];
  }
  return shown;
}

/** The items of one response or conversation as lists show them. */
export const shownItems = (items: readonly JsonObject[], unit: string): JsonObject[] =>
  items.map((item, at) => shownItem(item, itemId(item.type ?? "message", unit, at)));

/** Which part of a list is wanted. */
export interface ListQuery {
  after?: string;
  descending: boolean;
  limit: number;
}

const malformed = (param: string, due: string) =>
  new GatewayError("invalid_request", `Cannot read the query: ${param} must be ${due}`, { param });

/** Reads the query of a list of items. The newest come first if nothing is said. */
export function readListQuery(url: string): ListQuery {
  const { searchParams } = new URL(url, "http://gateway");
  const limit = searchParams.get("limit") ?? "20";
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    throw malformed("limit", "a number from 1 to 100");
  }
  const order = searchParams.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") throw malformed("order", '"asc" or "desc"');
  const after = searchParams.get("after") || undefined;
  return { after, descending: order === "desc", limit: Number(limit) };
}

/** A page of a list. @param items One more than the limit, if there are more. */
export function listPage(items: readonly JsonObject[], limit: number): JsonObject {
  const data = items.slice(0, limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: items.length > limit,
  };
}

/** The part of a list that a query wants, and one more item if there are more. @throws GatewayError for an unknown `after`. */
export function partOf(all: readonly JsonObject[], { after, descending, limit }: ListQuery): JsonObject[] {
  const items = descending ? all.toReversed() : all;
  if (after === undefined) return items.slice(0, limit + 1);
  const at = items.findIndex(({ id }) => id === after);
  if (at < 0) throw unknownItem(after, "after");
  return items.slice(at + 1, at + 2 + limit);
}

export const unknownItem = (id: string, param?: string): GatewayError =>
  new GatewayError(
    param === undefined ? "not_found" : "invalid_request",
    `Cannot find item ${quote(id)}: there is no such item in this list`,
    { param },
  );

/** Whether a parsed text is a response. */
export const isResponse = (value: unknown): value is JsonObject & { output: unknown[] } =>
  isObject(value) && Array.isArray(value.output);
