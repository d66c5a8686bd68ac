/** Finds the items that a request names by their ids only (`item_reference`), as the AI SDK does. */
import { GatewayError, quote } from "../../../wires/errors.ts";
import { isObject, list, objects } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import type { Exchange } from "../../exchange.ts";
import type { Document, Owner } from "../../stores/documents.ts";
import { readKept } from "./kept.ts";

/** The most items that one request names. */
const MOST_REFERENCES = 1000;

/** An id of an item of an answer that the gateway wrote: it holds that of the response. */
const OF_RESPONSE = /^[a-z]+_(sluice_[\da-f]{32})_\d+$/;

/** An id of a provider's that is long enough to be its only one: some servers give the same id to every message. */
const UNIQUE = /^[\x20-\x7e]{24,200}$/;

const isReference = (item: unknown): item is JsonObject & { id: string } =>
  isObject(item) && typeof item.id === "string" &&
  (item.type === "item_reference" || item.type == null && item.role === undefined);

/** Whether an input names items by their ids only. */
export const hasReferences = (input: unknown): boolean => list(input).some(isReference);

/** Documents by which the items of an answer are found whose ids a provider has made. */
export const pointersTo = (response: JsonObject, unit: string): Document[] =>
  objects(response.output).flatMap(({ id }) =>
    typeof id === "string" && UNIQUE.test(id) && !OF_RESPONSE.test(id)
      ? [{ unit: id, id, previous: unit, body: "" }]
      : []
  );

/**
 * An input with the items that it names.
 *
 * @returns `undefined` if it names an item that only a provider may have.
 * @throws GatewayError `previous_response_not_found` for an item of an answer of this gateway that is not there.
 */
export async function withItems(
  input: readonly unknown[],
  owner: Owner | undefined,
  exchange: Exchange,
): Promise<unknown[] | undefined> {
  const named = input.filter(isReference);
  if (named.length > MOST_REFERENCES) {
    const message = `Cannot read the request: input names more than ${MOST_REFERENCES} items by their ids`;
    throw new GatewayError("invalid_request", message, { param: "input" });
  }
  const found = new Map<string, JsonObject>();
  for (const { id } of named) {
    if (found.has(id)) continue;
    const unit = owner && await unitOf(id, owner, exchange);
    if (!owner || unit === undefined) continue;
    const document = await exchange.config.responses!.ask(unit, (store) => store.get(owner, unit, unit));
    for (const item of objects(document && readKept(document).response.output)) {
      if (typeof item.id === "string") found.set(item.id, item);
    }
  }
  const missing = named.filter(({ id }) => !found.has(id));
  if (missing.some(({ id }) => !OF_RESPONSE.test(id))) return undefined;
  const [first] = missing;
  if (first) {
    const param = `input[${input.indexOf(first)}]`;
    throw new GatewayError(
      "previous_response_not_found",
      `Cannot read the request: ${param} names the item ${quote(first.id)}, and there is no such item`,
      { param },
    );
  }
  return input.map((item) => isReference(item) ? found.get(item.id)! : item);
}

/** The response that an item belongs to. */
async function unitOf(
  id: string,
  owner: Owner,
  { config: { responses } }: Exchange,
): Promise<string | undefined> {
  const [, own] = OF_RESPONSE.exec(id) ?? [];
  if (own !== undefined) return `resp_${own}`;
  if (!UNIQUE.test(id)) return undefined;
  return (await responses!.ask(id, (store) => store.get(owner, id, id)))?.previous;
}
