/** A body that goes on as it came, to an endpoint that is not chat. */
import { wireUrl } from "../../providers/urls.ts";
import type { Exchange } from "../exchange.ts";
import type { Target } from "../targets/find_target.ts";
import type { Body } from "./body.ts";
import { handThrough, type Rules } from "./hand_through.ts";
import { inDepth, type Outgoing, refuseDropped, writeHeaders } from "./prepare.ts";

/** Where a provider has an endpoint, and what differs there. */
export interface Endpoint {
  /** Below the base URL: `/embeddings`. */
  path: string;
  /** Top-level fields that are left out. */
  drop?: readonly string[];
  /** Those that are left out and not named, for what they ask is done here. */
  omit?: readonly string[];
  /** Top-level fields that have another name. */
  rename?: Readonly<Record<string, string>>;
}

/**
 * Prepares a request of which only `model` changes, and what the endpoint says.
 *
 * @param only The body is for no other target: it is used up.
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
  const { write, dropped: left } = inDepth(() => handThrough(body, target, rules, only));
  const dropped = left.filter((field) => !omit.includes(field));
  refuseDropped(dropped, target.provider, exchange.headers, exchange.config);
  const stream = body.get("stream") === true;
  let written = only ? inDepth(write) : undefined;
  return { ...outgoingOf(target, exchange, path, dropped, () => written ??= inDepth(write)), stream };
}

/**
 * A request whose answer is in the client's own words, or is read by its sender.
 *
 * @param headers Those of the wire.
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
    url: wireUrl(provider, path, { account }),
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
