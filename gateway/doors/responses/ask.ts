/** Serves requests of Responses at a gateway that keeps responses. */
import { GatewayError } from "../../../wires/errors.ts";
import { list } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import type { Exchange } from "../../exchange.ts";
import { measure } from "../../explain/measure.ts";
import type { Document, Owner } from "../../stores/documents.ts";
import { findTargets } from "../../targets/find_targets.ts";
import { type Body, hold, readBody } from "../../upstream/body.ts";
import { inDepth } from "../../upstream/prepare.ts";
import { isSpoken, spokenTo } from "../../upstream/spoken.ts";
import { chat } from "../chat.ts";
import { isOwnResponse, newResponseId } from "./ids.ts";
import { inputItems } from "./items.ts";
import { type History, ownerOf, readHistory, writeKept } from "./kept.ts";
import { recorded } from "./record.ts";

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
  if (asked.isForeign || asked.previous === undefined && !isKept) return await serve(text, exchange);
  const parsed = body.parsed();
  client.checkCall(parsed);
  const history = asked.previous === undefined ? NONE : await readHistory(asked.previous, owner, exchange);
  const whole = await wholeBody(text, wholeRequest(body, parsed, history, exchange), exchange);
  if (!isAnswered || exchange.explain) return await serve(whole, exchange);
  const id = isKept ? newResponseId() : undefined;
  const recording = recordingOf(id, asked, owner, { input: inputItems(parsed.input), history }, exchange);
  report.keep = async (response) => await recorded(response, recording);
  // The end of the answer must be observed.
  report.listened = true;
  return await serve(whole, { ...exchange, answerId: id });
}

const NONE: History = { items: [], units: [] };

/** What a request asks of the store. */
interface Asked {
  /** The response of this gateway that it goes on from. */
  previous?: string;
  /** Whether its answer is to be kept. */
  isKept: boolean;
  /** Whether it refers to something that only a provider has. */
  isForeign: boolean;
}

/** @throws GatewayError `invalid_request` for a request that no provider could serve. */
function readAsked({ get }: Body, onlyAsked: boolean): Asked {
  const previous = get("previous_response_id") ?? undefined;
  const store = get("store") ?? !onlyAsked;
  const isBackground = get("background") === true;
  const isOwn = isOwnResponse(previous);
  if (isOwn && isBackground) {
    throw new GatewayError(
      "invalid_request",
      "Cannot send the request: what goes on from a response of this gateway cannot be answered in the background; " +
        "leave background out, and stream",
      { param: "background" },
    );
  }
  return {
    ...(isOwn && { previous }),
    isKept: store === true,
    isForeign: isBackground || previous !== undefined && !isOwn ||
      (get("conversation") ?? undefined) !== undefined,
  };
}

/** The request with its whole input, for a provider that stores nothing of it. */
function wholeRequest(body: Body, parsed: JsonObject, { items }: History, exchange: Exchange): JsonObject {
  const { previous_response_id: _, ...request } = parsed;
  if (items.length > 0) request.input = [...items, ...inputItems(parsed.input)];
  request.store = false;
  if (needsSeal(body, exchange)) {
    request.include = [...new Set([...list(parsed.include), "reasoning.encrypted_content"])];
  }
  return request;
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
  if (exchange.caller.metered?.budgets) await measure(whole, exchange);
  return whole;
}

/** How an answer is kept, and what its client sees of that. @param id Absent if it is not kept. */
function recordingOf(
  id: string | undefined,
  { previous }: Asked,
  owner: Owner | undefined,
  { input, history }: { input: JsonObject[]; history: History },
  { config, context }: Exchange,
) {
  const responses = config.responses!;
  const most = responses.mostBytes;
  const tooLong = () => responses.fail("a response is too long to be stored");
  return {
    members: {
      ...(id !== undefined && { id, store: true }),
      previous_response_id: previous ?? null,
    },
    most,
    tooLong,
    async keep(response: JsonObject): Promise<boolean> {
      if (id === undefined || !owner) return false;
      const body = writeKept({ input, response });
      if (body.length > most) {
        tooLong();
        return false;
      }
      const document: Document = { unit: id, id, ...(previous !== undefined && { previous }), body };
      return await responses.keep(owner, [document], history.units, context);
    },
  };
}
