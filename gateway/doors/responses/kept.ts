/** What is kept of responses, and for whom. */
import { GatewayError } from "../../../wires/errors.ts";
import { isObject, object, objects } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import type { Exchange } from "../../exchange.ts";
import type { Chain, Document, Owner } from "../../stores/documents.ts";

/** The most responses that one may go on from. */
const MOST_CHAIN = 1000;

/** The most characters of an account's or a gateway's id that tell it from others. */
const MOST_ID = 200;

/** The tenant of the program that made the gateway. Those of tokens begin with another word. */
const PROGRAM = "program";

/** Who owns what a request makes; `undefined` for a caller without a token, for whom nothing is kept. */
export function ownerOf(
  { account = "-", gateway = "default", caller }: Pick<Exchange, "account" | "gateway" | "caller">,
): Owner | undefined {
  const tenant = caller.tenant ?? (caller.trusted ? PROGRAM : undefined);
  if (tenant === undefined) return undefined;
  // An id in a path may be as long as the path.
  return { account: account.slice(0, MOST_ID), gateway: gateway.slice(0, MOST_ID), tenant };
}

/** A response as it is kept: the items of its request, and what the client saw. */
export interface KeptResponse {
  input: JsonObject[];
  response: JsonObject;
}

export const writeKept = (kept: KeptResponse): string => JSON.stringify(kept);

/** @throws GatewayError `internal` for a malformed text. */
export function readKept({ body }: Document): KeptResponse {
  const { input, response } = readStored(body);
  return { input: objects(input), response: object(response) ?? {} };
}

/** The object in a stored text. @throws GatewayError `internal` for a malformed one. */
export function readStored(body: string): JsonObject {
  try {
    const value: unknown = JSON.parse(body);
    if (isObject(value)) return value;
  } catch { /* Told below: the parser's message may quote a prompt. */ }
  throw new GatewayError("internal", "Cannot read what is stored: it is malformed");
}

/** A kept response with its id. */
export interface Turn extends KeptResponse {
  unit: string;
}

/** A response and those that it goes on from, the oldest first, and why there are no more if there should be. */
export interface Turns {
  turns: Turn[];
  ends?: Chain["ends"];
}

/** @throws GatewayError `overloaded` if the store fails. */
export async function readTurns(
  id: string,
  owner: Owner,
  { config: { responses, limits } }: Pick<Exchange, "config">,
): Promise<Turns> {
  const most = { documents: MOST_CHAIN, bytes: limits.maxBodyBytes };
  const { documents, ends } = await responses!.ask(id, (store) => store.chain(owner, id, most));
  const turns = documents.toReversed().map((document) => ({ unit: document.unit, ...readKept(document) }));
  return { turns, ends };
}

/** The items of a response and of its request. */
export const itemsOf = ({ input, response }: KeptResponse): JsonObject[] => [
  ...input,
  ...objects(response.output),
];

/** The items that a request goes on from, in order, and the units that hold them. */
export interface History {
  items: JsonObject[];
  units: string[];
  /** The ids of the items, of a conversation. */
  ids?: ReadonlySet<string>;
}

const PARAM = "previous_response_id";

const notFound = (state: string) =>
  new GatewayError("previous_response_not_found", `Cannot go on from ${PARAM}: ${state}`, { param: PARAM });

/** Why a caller without a token finds nothing. */
export const NO_OWNER = "nothing is kept for callers without a gateway token";

/** The statuses of responses that one can go on from. */
export const ENDED: ReadonlySet<unknown> = new Set(["completed", "incomplete"]);

/**
 * Reads what a request goes on from.
 *
 * @throws GatewayError `previous_response_not_found` for a response that is not there, or that is another tenant's;
 * `body_too_large`; `overloaded` if the store fails.
 */
export async function readHistory(
  id: string,
  owner: Owner | undefined,
  exchange: Exchange,
): Promise<History> {
  if (!owner) throw notFound(NO_OWNER);
  const { turns, ends } = await readTurns(id, owner, exchange);
  if (ends === "too long") throw tooLong(PARAM, exchange);
  const last = turns.at(-1);
  if (!last) throw notFound(`there is no response ${JSON.stringify(id)}`);
  if (ends) throw notFound("a response that it goes on from was removed");
  const { status } = last.response;
  if (!ENDED.has(status)) {
    const state = `response ${JSON.stringify(id)} is ${status}; go on from the one before it`;
    throw new GatewayError("invalid_request", `Cannot go on from ${PARAM}: ${state}`, { param: PARAM });
  }
  return { items: turns.flatMap(itemsOf), units: turns.map(({ unit }) => unit) };
}

/** The error for a conversation that is too long. @param param What refers to it. */
export function tooLong(param: string, { config: { limits } }: Pick<Exchange, "config">): GatewayError {
  return new GatewayError(
    "body_too_large",
    `Cannot go on from ${param}: the conversation is too long (at most ${MOST_CHAIN} responses, 5000 items and ` +
      `${limits.maxBodyBytes} bytes); begin a new one, with a summary`,
    { param },
  );
}
