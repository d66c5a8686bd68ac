/** Serves what is stored: `GET` and `DELETE /v1/responses/{id}` and what is below it, and conversations. */
import { GatewayError, quote } from "../../../wires/errors.ts";
import type { Exchange } from "../../exchange.ts";
import type { Owner } from "../../stores/documents.ts";
import { type Route, wordsOf } from "../find_door.ts";
import { notKept, unsupported } from "../unserved.ts";
import { answer, only } from "./answers.ts";
import { serveConversations } from "./conversations.ts";
import { isOwnResponse } from "./ids.ts";
import { listPage, partOf, readListQuery, shownItems } from "./items.ts";
import { itemsOf, NO_OWNER, ownerOf, readKept, readTurns, tooLong } from "./kept.ts";

export type StoredRoute = Route & { endpoint: string };

/**
 * Serves a path of stored responses, and refuses other paths of an API that are not served.
 *
 * @throws GatewayError `not_found` for what is not stored, or is another tenant's; `method_not_allowed`.
 */
export async function serveStored(
  request: Request,
  route: StoredRoute,
  exchange: Exchange,
): Promise<Response> {
  const [kind, id = "", below, ...more] = wordsOf(route.endpoint);
  const { responses } = exchange.config;
  if (kind === "conversations" && responses) {
    return await serveConversations(request, wordsOf(route.endpoint).slice(1), exchange);
  }
  if (kind !== "responses") throw unsupported(route);
  if (!responses || !isOwnResponse(id)) throw notKept(route, responses !== undefined);
  const owner = ownerOf(exchange);
  if (!owner) throw notFound(id, NO_OWNER);
  if (more.length > 0) throw notKept(route, true);
  switch (below) {
    case undefined:
      return await serveResponse(request, id, owner, exchange);
    case "input_items":
      only(request, ["GET"]);
      return await listInput(request, id, owner, exchange);
    case "cancel": {
      only(request, ["POST"]);
      await responseOf(id, owner, exchange);
      throw new GatewayError(
        "invalid_request",
        "Cannot cancel a response that is not answered in the background; end its connection",
      );
    }
  }
  throw notKept(route, true);
}

const notFound = (id: string, why = "there is no such response") =>
  new GatewayError("not_found", `Cannot find response ${quote(id)}: ${why}`);

async function responseOf(id: string, owner: Owner, { config: { responses } }: Exchange) {
  const document = await responses!.ask(id, (store) => store.get(owner, id, id));
  if (!document) throw notFound(id);
  return readKept(document);
}

async function serveResponse(
  request: Request,
  id: string,
  owner: Owner,
  exchange: Exchange,
): Promise<Response> {
  only(request, ["GET", "DELETE"]);
  const { responses } = exchange.config;
  if (request.method === "DELETE") {
    const isRemoved = await responses!.ask(id, (store) => store.remove(owner, id));
    if (!isRemoved) throw notFound(id);
    return answer({ id, object: "response", deleted: true });
  }
  if (/[?&]stream=true\b/.test(exchange.query ?? "")) {
    const message =
      "Cannot stream the response: it was not answered in the background; read it without stream";
    throw new GatewayError("invalid_request", message, { param: "stream" });
  }
  return answer((await responseOf(id, owner, exchange)).response);
}

async function listInput(
  request: Request,
  id: string,
  owner: Owner,
  exchange: Exchange,
): Promise<Response> {
  const query = readListQuery(request.url);
  const { turns, ends } = await readTurns(id, owner, exchange);
  const last = turns.at(-1);
  if (ends === "too long") throw tooLong("this response", exchange);
  if (!last) throw notFound(id);
  if (ends) {
    const message = `Cannot list the input of ${quote(id)}: a response that it goes on from was removed`;
    throw new GatewayError("not_found", message);
  }
  const before = turns.slice(0, -1).flatMap((turn) => shownItems(itemsOf(turn), turn.unit));
  const items = [...before, ...shownItems(last.input, id)];
  return answer(listPage(partOf(items, query), query.limit));
}
