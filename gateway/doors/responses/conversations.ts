/** Serves conversations: `/v1/conversations`, as `client.conversations` of OpenAI's SDKs asks for them. */
import * as v from "npm:valibot@1.5.0";
import { unauthorized } from "../../access/credentials.ts";
import { GatewayError, quote } from "../../../wires/errors.ts";
import { check } from "../../../wires/shared/faults.ts";
import { isObject, object } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import type { Exchange } from "../../exchange.ts";
import type { Document, Documents, Owner } from "../../stores/documents.ts";
import { parseJson, takeBody } from "../../upstream/body.ts";
import { answer, only } from "./answers.ts";
import { isOwnConversation, newConversationId, newItemId } from "./ids.ts";
import { listPage, readListQuery, shownItem, unknownItem } from "./items.ts";
import { type History, NO_OWNER, ownerOf, readStored, tooLong } from "./kept.ts";

/** The most items that a request goes on from, and how many of them are read at a time. */
const MOST_ITEMS = 5000, READ_AT_ONCE = 500;

const METADATA = v.nullish(v.pipe(
  v.record(
    v.pipe(v.string(), v.maxLength(64)),
    v.pipe(v.string(), v.maxLength(512, "a text of at most 512 characters")),
  ),
  v.check((metadata) => Object.keys(metadata).length <= 16, "at most 16 pairs"),
));
const ITEM = v.union([v.looseObject({ type: v.string() }), v.looseObject({ role: v.string() })]);
const ITEMS = v.pipe(v.array(ITEM), v.maxLength(MOST_ITEMS, `at most ${MOST_ITEMS} items`));
const CREATED = v.looseObject({ items: v.nullish(ITEMS), metadata: METADATA });
const UPDATED = v.looseObject({ metadata: METADATA });
const ADDED = v.looseObject({ items: ITEMS });

const notFound = (id: string, param?: string, why = "there is no such conversation") =>
  new GatewayError("not_found", `Cannot find conversation ${quote(id)}: ${why}`, { param });

// ---------------------------------------------------------------- requests for answers

/** The id in a request's `conversation`, which is an id or an object with one. */
export const conversationIn = (value: unknown): unknown => object(value)?.id ?? value ?? undefined;

/**
 * Reads the items of a conversation that a request goes on with.
 *
 * @throws GatewayError `not_found`; `body_too_large`; `overloaded` if the store fails.
 */
export async function readConversation(
  id: string,
  owner: Owner | undefined,
  exchange: Exchange,
): Promise<History> {
  const { responses, limits } = exchange.config;
  if (!owner) throw notFound(id, "conversation", NO_OWNER);
  const documents = await responses!.ask(id, (store) => readAll(store, owner, id, limits.maxBodyBytes));
  if (!documents) throw notFound(id, "conversation");
  if (documents === "too long") throw tooLong("conversation", exchange);
  return { items: documents.map(itemIn), units: [id], ids: new Set(documents.map(({ id }) => id)) };
}

/** The items of a conversation; `undefined` if there is none. */
async function readAll(
  store: Documents,
  owner: Owner,
  id: string,
  most: number,
): Promise<Document[] | "too long" | undefined> {
  if (!await store.get(owner, id, id)) return undefined;
  const all: Document[] = [];
  let bytes = 0;
  for (;;) {
    const page = { after: all.at(-1)?.id, descending: false, limit: READ_AT_ONCE };
    const some = await store.list(owner, id, page);
    for (const { body } of some) bytes += body.length;
    all.push(...some);
    if (all.length > MOST_ITEMS || bytes > most) return "too long";
    if (some.length < READ_AT_ONCE) return all;
  }
}

const itemIn = ({ body }: Document): JsonObject => readStored(body);

/** An id of a client's or a provider's under which an item is kept. An item with any other one gets a new one. */
const OWN_ID = /^[\x20-\x7e]{1,200}$/;

/** The documents of items that join a conversation. @param ids The ids that it has already. */
export function itemDocuments(
  unit: string,
  items: readonly JsonObject[],
  ids: ReadonlySet<string>,
): Document[] {
  const taken = new Set(ids);
  return items.map((item) => {
    // Some servers give the same id to every message.
    const { id: own, type = "message" } = item;
    const isFree = typeof own === "string" && own !== unit && OWN_ID.test(own) && !taken.has(own);
    const id = isFree ? own : newItemId(type);
    taken.add(id);
    return { unit, id, body: JSON.stringify(item) };
  });
}

// ---------------------------------------------------------------- the paths

/**
 * Serves a path of conversations.
 *
 * @param path The segments behind `conversations`.
 * @throws GatewayError `not_found` for what is not stored, or is another tenant's; `method_not_allowed`.
 */
export async function serveConversations(
  request: Request,
  [id, below, item, ...more]: readonly string[],
  exchange: Exchange,
): Promise<Response> {
  const owner = ownerOf(exchange);
  if (id === undefined) {
    only(request, ["POST"]);
    if (!owner) throw unauthorized("a conversation is kept for the holder of a gateway token: send one");
    return await create(request, owner, exchange);
  }
  const isKnown = below === undefined || below === "items" && more.length === 0;
  if (!owner) throw notFound(id, undefined, NO_OWNER);
  if (!isOwnConversation(id) || !isKnown) throw notFound(id);
  if (below === undefined) return await serveConversation(request, id, owner, exchange);
  if (item !== undefined) return await serveItem(request, id, item, owner, exchange);
  only(request, ["GET", "POST"]);
  return request.method === "GET"
    ? await listItems(request, id, owner, exchange)
    : await addItems(request, id, owner, exchange);
}

/** Reads a body, which may be missing. */
async function bodyOf<S extends v.GenericSchema>(
  request: Request,
  schema: S,
  exchange: Exchange,
): Promise<v.InferOutput<S>> {
  const bytes = await takeBody(request, exchange);
  const body = bytes.length === 0 ? {} : parseJson(bytes);
  if (isObject(body)) return check(schema, body);
  throw new GatewayError("invalid_request", "Cannot read the request: its body is not a JSON object");
}

/** The conversation in its first document. */
function shown({ id, body }: Document): JsonObject {
  const { created_at, metadata } = readStored(body);
  return { id, object: "conversation", created_at, metadata: metadata ?? {} };
}

async function headOf(id: string, owner: Owner, { config: { responses } }: Exchange): Promise<Document> {
  const head = await responses!.ask(id, (store) => store.get(owner, id, id));
  if (!head) throw notFound(id);
  return head;
}

async function create(request: Request, owner: Owner, exchange: Exchange): Promise<Response> {
  const { items, metadata } = await bodyOf(request, CREATED, exchange);
  const { now, responses } = exchange.config;
  const id = newConversationId();
  const body = JSON.stringify({ created_at: Math.floor(now() / 1000), metadata: metadata ?? {} });
  const head = { unit: id, id, body };
  const added = itemDocuments(id, items ?? [], new Set());
  checkSize(added, exchange);
  await responses!.ask(id, (store) => store.add(owner, [head, ...added]));
  return answer(shown(head));
}

async function serveConversation(
  request: Request,
  id: string,
  owner: Owner,
  exchange: Exchange,
): Promise<Response> {
  only(request, ["GET", "POST", "DELETE"]);
  const { responses } = exchange.config;
  if (request.method === "DELETE") {
    if (!await responses!.ask(id, (store) => store.remove(owner, id))) throw notFound(id);
    return answer({ id, object: "conversation.deleted", deleted: true });
  }
  if (request.method === "GET") return answer(shown(await headOf(id, owner, exchange)));
  const { metadata } = await bodyOf(request, UPDATED, exchange);
  const head = await headOf(id, owner, exchange);
  const body = JSON.stringify({ ...readStored(head.body), metadata: metadata ?? {} });
  if (!await responses!.ask(id, (store) => store.change(owner, id, id, body))) throw notFound(id);
  return answer(shown({ ...head, body }));
}

const shownDocument = (document: Document): JsonObject => ({
  ...shownItem(itemIn(document), document.id),
  id: document.id,
});

async function serveItem(
  request: Request,
  id: string,
  item: string,
  owner: Owner,
  exchange: Exchange,
): Promise<Response> {
  only(request, ["GET", "DELETE"]);
  const { responses } = exchange.config;
  const head = await headOf(id, owner, exchange);
  // The conversation itself is not an item of it.
  if (item === id) throw unknownItem(item);
  if (request.method === "DELETE") {
    if (!await responses!.ask(id, (store) => store.remove(owner, id, item))) throw unknownItem(item);
    return answer(shown(head));
  }
  const document = await responses!.ask(id, (store) => store.get(owner, id, item));
  if (!document) throw unknownItem(item);
  return answer(shownDocument(document));
}

async function listItems(request: Request, id: string, owner: Owner, exchange: Exchange): Promise<Response> {
  const { after, descending, limit } = readListQuery(request.url);
  const { responses } = exchange.config;
  await headOf(id, owner, exchange);
  const found = await responses!.ask(id, async (store) => {
    if (after !== undefined && (after === id || !await store.get(owner, id, after))) return undefined;
    return await store.list(owner, id, { after, descending, limit: limit + 1 });
  });
  if (!found) throw unknownItem(after!, "after");
  return answer(listPage(found.map(shownDocument), limit));
}

async function addItems(request: Request, id: string, owner: Owner, exchange: Exchange): Promise<Response> {
  const { items } = await bodyOf(request, ADDED, exchange);
  const { responses } = exchange.config;
  const added = await responses!.ask(id, async (store) => {
    if (!await store.get(owner, id, id)) throw notFound(id);
    const taken = new Set<string>();
    for (const { id: own } of items as JsonObject[]) {
      if (typeof own === "string" && OWN_ID.test(own) && await store.get(owner, id, own)) taken.add(own);
    }
    const documents = itemDocuments(id, items as JsonObject[], taken);
    checkSize(documents, exchange);
    await store.add(owner, documents);
    await store.touch(owner, [id]);
    return documents;
  });
  return answer(listPage(added.map(shownDocument), added.length));
}

/** @throws GatewayError `body_too_large` */
function checkSize(documents: readonly Document[], { config: { responses } }: Exchange): void {
  const most = responses!.mostBytes;
  if (documents.reduce((sum, { body }) => sum + body.length, 0) <= most) return;
  throw new GatewayError("body_too_large", `Cannot keep the items: they have more than ${most} bytes`);
}
