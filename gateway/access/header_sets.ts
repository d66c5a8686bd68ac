/** Credentials that clients send as one header for each text, as Portkey's clients do. */
import type { KeySet } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";

/**
 * The set in a client's headers, as one key; `undefined` if none of the texts that it needs is there.
 *
 * @throws GatewayError `invalid_request` for a part of a set: a stored one never completes it.
 */
export function setInHeaders({ needs, headers: names = {} }: KeySet, headers: Headers): string | undefined {
  const found = needs.find((member) => headers.get(names[member]));
  if (found === undefined) return undefined;
  const missing = needs.find((member) => !headers.get(names[member]));
  if (missing !== undefined) {
    throw new GatewayError(
      "invalid_request",
      `Cannot use the credentials: ${names[found]} is set without ${names[missing]}`,
      { param: names[missing] },
    );
  }
  const texts = Object.entries(names).map(([member, header]) => [member, headers.get(header)?.trim()]);
  return JSON.stringify(Object.fromEntries(texts.filter(([, text]) => text)));
}
