/** Serves requests of Responses at a gateway that keeps responses. */
import { GatewayError } from "../../../wires/errors.ts";
import { list, objects } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { needsModel } from "../../policies/limit_rules.ts";
import type { Exchange } from "../../exchange.ts";
import { measure } from "../../explain/measure.ts";
import type { Document, Owner } from "../../stores/documents.ts";
import { findTargets } from "../../targets/find_targets.ts";
import { unreadRoutes } from "../../targets/routes/legs.ts";
import { type Body, hold, readBody } from "../../upstream/body.ts";
import { inDepth } from "../../upstream/prepare.ts";
import { isSpoken, spokenTo } from "../../upstream/spoken.ts";
import { chat } from "../chat.ts";
import { conversationIn, itemDocuments, readConversation } from "./conversations.ts";
import { isOwnConversation, isOwnResponse, newResponseId } from "./ids.ts";
import { inputItems } from "./items.ts";
import { ENDED, type History, ownerOf, readHistory, writeKept } from "./kept.ts";
import { renaming, withOwnPaths } from "./paths.ts";
import { hasReferences, pointersTo, withItems } from "./references.ts";
import { recorded, type Recording } from "./record.ts";

type Serve = (text: Uint8Array<ArrayBuffer>, exchange: Exchange) => Promise<Response>;

/** Serves a request for an answer or a count. A gateway that keeps responses finds what a request of Responses goes on from. */
export const answered = (
  text: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
  serve: Serve,
): Promise<Response> =>
  exchange.config.responses && exchange.client.name === "responses"
    ? withKept(text, exchange, serve, serve === chat && exchange.client.below === undefined)
    : serve(text, exchange);

/**
 * Serves a request with the conversation that it goes on from, and has the answer kept.
 *
 * What the gateway keeps it keeps alone: the provider is told not to store it. A request that refers to something that a provider
 * has made, or that is to be answered in the background, goes to that provider as it is.
 *
 * @param serve Serves the request with its whole input.
 * @param isAnswered Whether there is an answer that can be kept, and not a count or a summary.
 */
async function withKept(
  text: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
  serve: Serve,
  isAnswered: boolean,
): Promise<Response> {
  const { client, config, report } = exchange;
  const body = readBody(text, client.ruleWords);
  const asked = readAsked(body, config.responses!.onlyAsked);
  const owner = ownerOf(exchange);
  const isKept = isAnswered && asked.isKept && owner !== undefined && !exchange.explain;
  const goesOn = asked.previous !== undefined || asked.conversation !== undefined;
  if (asked.isForeign || !goesOn && !isKept) return await serve(text, exchange);
  const parsed = { ...body.parsed() };
  client.checkCall(parsed);
  if (hasReferences(parsed.input)) {
    const input = await withItems(list(parsed.input), owner, exchange);
    // Only the provider can know an item that the gateway does not have.
    if (!input && !goesOn) return await serve(text, exchange);
    parsed.input = input ?? parsed.input;
  }
  const history = await historyOf(asked, owner, exchange);
  const request = wholeRequest(parsed, history);
  if (isAnswered) {
    await unreadRoutes(body, exchange);
    keepAlone(request, body, exchange);
  }
  const whole = await wholeBody(text, request, exchange);
  const source = asked.previous === undefined ? "conversation" : "previous_response_id";
  const rename = renaming(history.items.length, source, typeof parsed.input === "string");
  const go = (exchange: Exchange) => withOwnPaths(rename, () => serve(whole, exchange));
  if (!isAnswered || exchange.explain) return await go(exchange);
  // Without an id of its own, an answer that joins a conversation could come from the cache.
  const id = newResponseId();
  const turn = { id: isKept ? id : undefined, input: inputItems(parsed.input), history };
  const recording = recordingOf(turn, asked, owner, exchange);
  report.keep = async (response) => await recorded(response, recording);
  // The end of the answer must be observed.
  report.listened = true;
  return await go({ ...exchange, answerId: id });
}

/** What a request goes on from. */
async function historyOf(
  { previous, conversation }: Asked,
  owner: Owner | undefined,
  exchange: Exchange,
): Promise<History> {
  if (previous !== undefined) return await readHistory(previous, owner, exchange);
  if (conversation !== undefined) return await readConversation(conversation, owner, exchange);
  return { items: [], units: [] };
}

/** What a request asks of the store. */
interface Asked {
  /** The response of this gateway that it goes on from. */
  previous?: string;
  /** The conversation of this gateway that it goes on with. */
  conversation?: string;
  /** Whether its answer is to be kept. */
  isKept: boolean;
  /** Whether it refers to something that only a provider has. */
  isForeign: boolean;
}

/** @throws GatewayError `invalid_request` for a request that no provider could serve. */
function readAsked({ get }: Body, onlyAsked: boolean): Asked {
  const previous = get("previous_response_id") ?? undefined;
  const conversation = conversationIn(get("conversation"));
  const isBackground = get("background") === true;
  const isPrevious = isOwnResponse(previous), isConversation = isOwnConversation(conversation);
  const isOwn = isPrevious || isConversation;
  if (isOwn && previous !== undefined && conversation !== undefined) {
    throw refused("conversation", "it has both previous_response_id and conversation; leave one out");
  }
  if (isOwn && isBackground) {
    throw refused(
      "background",
      "what goes on from a response of this gateway cannot be answered in the background; leave background out, and stream",
    );
  }
  return {
    ...(isPrevious && { previous }),
    ...(isConversation && { conversation }),
    isKept: (get("store") ?? !onlyAsked) === true,
    isForeign: !isOwn && (isBackground || previous !== undefined || conversation !== undefined),
  };
}

const refused = (param: string, state: string) =>
  new GatewayError("invalid_request", `Cannot send the request: ${state}`, { param });

/** The request with its whole input. */
function wholeRequest(parsed: JsonObject, { items }: History): JsonObject {
  const { previous_response_id: _, conversation: __, ...request } = parsed;
  if (items.length > 0) request.input = [...items, ...inputItems(parsed.input)];
  return request;
}

/** Tells the provider to store nothing of a request. */
function keepAlone(request: JsonObject, body: Body, exchange: Exchange): void {
  request.store = false;
  if (!needsSeal(body, exchange)) return;
  request.include = [...new Set([...list(request.include), "reasoning.encrypted_content"])];
}

/** Whether the provider must be asked for its sealed reasoning. Without it, reasoning that it does not store would be lost. */
function needsSeal(body: Body, exchange: Exchange): boolean {
  const [{ provider, model }] = findTargets(body, exchange);
  const spoken = spokenTo(provider, exchange.client, model, body.get);
  return isSpoken(spoken, exchange.client) && !spoken.drop?.includes("include");
}

/** Writes a request. @throws GatewayError if it is longer than a client's body may be. */
async function wholeBody(
  text: Uint8Array<ArrayBuffer>,
  request: JsonObject,
  exchange: Exchange,
): Promise<Uint8Array<ArrayBuffer>> {
  const { limits: { maxBodyBytes } } = exchange.config;
  const whole = new TextEncoder().encode(inDepth(() => JSON.stringify(request)));
  if (whole.length > maxBodyBytes) {
    throw new GatewayError(
      "body_too_large",
      `Cannot send the request: with the conversation before it, it is longer than ${maxBodyBytes} bytes; begin a new ` +
        "conversation, with a summary",
    );
  }
  if (whole.length > text.length) hold(whole.length - text.length, exchange);
  if (needsModel(exchange.caller.metered)) await measure(whole, exchange);
  return whole;
}

/** A request and its answer, which is kept under the id, if there is one. */
interface KeptTurn {
  id: string | undefined;
  /** The items of the request. */
  input: JsonObject[];
  history: History;
}

/** How an answer is kept, and what its client sees of that. */
function recordingOf(
  { id, input, history }: KeptTurn,
  { previous, conversation }: Asked,
  owner: Owner | undefined,
  { config, context }: Exchange,
): Recording {
  const responses = config.responses!;
  const most = responses.mostBytes;
  const tooLong = () => responses.fail("a response is too long to be stored");
  return {
    members: {
      ...(id !== undefined && { id, store: true }),
      previous_response_id: previous ?? null,
      ...(conversation !== undefined && { conversation: { id: conversation } }),
    },
    most,
    tooLong,
    async keep(response) {
      const joined = conversation !== undefined && ENDED.has(response.status) ? conversation : undefined;
      const units = [id, joined].filter((unit) => unit !== undefined);
      if (!owner || units.length === 0) return false;
      const body = writeKept({ input, response });
      if (body.length > most) {
        tooLong();
        return false;
      }
      const isKept = await responses.keep(units, async (store) => {
        const documents: Document[] = [];
        if (id !== undefined) {
          documents.push({ unit: id, id, ...(previous !== undefined && { previous }), body });
          documents.push(...pointersTo(response, id));
        }
        // It may have been deleted meanwhile.
        if (joined !== undefined && await store.get(owner, joined, joined)) {
          const items = [...input, ...objects(response.output)];
          documents.push(...itemDocuments(joined, items, history.ids!));
        }
        await store.add(owner, documents);
        await store.touch(owner, history.units);
      }, context);
      return isKept && id !== undefined;
    },
  };
}
