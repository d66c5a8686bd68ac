/** Prepares requests to endpoints other than chat, whose bodies are handed through. */
import { wirePlaces, wireUrl } from "../../providers/urls.ts";
import type { Exchange } from "../exchange.ts";
import type { Target } from "../targets/find_target.ts";
import type { Body } from "./body.ts";
import { handThrough, type Rules } from "./hand_through.ts";
import { asKnown, inDepth, type Outgoing, refuseDropped, writeHeaders } from "./prepare.ts";

/** A provider's endpoint. */
export interface Endpoint {
  /** The path below the base URL: `/embeddings`. */
  path: string;
  /** Top-level fields to leave out and name. */
  drop?: readonly string[];
  /** Top-level fields to leave out without naming them, because the gateway itself does what they ask for. */
  omit?: readonly string[];
  /** Top-level fields with the provider's own names for them. */
  rename?: Readonly<Record<string, string>>;
}

/**
 * Prepares a request in which only `model` and the fields of the endpoint change.
 *
 * @param only Whether no other target needs the body: it is then edited in place.
 * @throws GatewayError `dropped_fields`.
 */
export function handedOn(
  body: Body,
  target: Target,
  exchange: Exchange,
  { path, drop = [], omit = [], rename }: Endpoint,
  only: boolean,
): Outgoing {
  const rules = { path, drop: [...drop, ...omit], rename } as Rules;
  const { write, dropped: left } = inDepth(() => handThrough(body, asKnown(target), rules, only));
  const dropped = left.filter((field) => !omit.includes(field));
  refuseDropped(dropped, target.provider, exchange.headers, exchange.config);
  const stream = body.get("stream") === true;
  let written = only ? inDepth(write) : undefined;
  return { ...outgoingOf(target, exchange, path, dropped, () => written ??= inDepth(write)), stream };
}

/**
 * A request whose answer is in the client's own format, or is read by the caller.
 *
 * @param headers The wire's headers.
 */
export function outgoingOf(
  target: Target,
  exchange: Exchange,
  path: string,
  dropped: string[],
  body: () => BodyInit,
  headers?: Record<string, string>,
): Outgoing {
  const { client, config, account } = exchange;
  const { provider } = target;
  return {
    target,
    url: wireUrl(provider, path, target.model, account),
    places: wirePlaces(provider, path, target.model),
    headers: writeHeaders(
      provider,
      exchange.headers,
      config,
      { wire: client.name, isAuthor: false },
      headers,
    ),
    body,
    dropped,
    stream: false,
    masks: config.masks(),
  };
}
