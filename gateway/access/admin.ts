/** Checks the token of the gateway's operator. */
import { GatewayError } from "../../wires/errors.ts";
import { credential } from "./credential_texts.ts";
import { OWN_HEADER, type TokenCheck, unauthorized } from "./credentials.ts";
import { equal, hash } from "./hash.ts";
import { tokenFinder } from "./secrets.ts";

/** Tells who has a token that opens the gateway's own paths, e.g. the operator's. */
export interface AdminCheck {
  /** Whether the token is set. Without one its paths are closed. */
  readonly isOpen: boolean;
  /** Whether these headers hold the token, as `authorization: Bearer TOKEN`. */
  admits(headers: Headers): Promise<boolean>;
}

/**
 * The check of the gateway's tokens, which also refuses requests for models that hold another kind of token. Such a token is
 * never sent to a provider.
 *
 * @param token The other kind of token. It opens no model. `undefined`: the gateway has no such token.
 * @param whose What it is called in errors: `the operator's token`.
 * @param names The headers that may hold a credential.
 */
export function apartFrom(
  token: string | undefined,
  whose: string,
  check: TokenCheck,
  names: readonly string[],
): TokenCheck {
  if (token === undefined) return check;
  const finds = tokenFinder([token]);
  const places = [OWN_HEADER, "sec-websocket-protocol", ...names];
  return {
    ...check,
    // Both may change while the gateway runs.
    get isEmpty() {
      return check.isEmpty;
    },
    get isRequired() {
      return check.isRequired;
    },
    holds: (text) => finds(text) || check.holds?.(text) === true,
    admit(request, gateway, insider) {
      const { headers, url } = request;
      if (finds(url) || places.some((name) => finds(headers.get(name) ?? ""))) {
        throw unauthorized(`${whose} opens no model; send a gateway token`);
      }
      return check.admit(request, gateway, insider);
    },
  };
}

/** Makes the check of one token. It compares hashes in constant time, as for the gateway's tokens. */
export function adminCheck(token: string | undefined): AdminCheck {
  let due: Promise<Uint8Array> | undefined;
  return {
    isOpen: token !== undefined,
    async admits(headers) {
      const given = headers.get("authorization") ?? headers.get("cf-aig-authorization");
      if (token === undefined || given === null) return false;
      return equal(await (due ??= hash(token)), await hash(credential(given)));
    },
  };
}

/** @throws GatewayError for anybody but the gateway's operator. */
export async function checkOperator(headers: Headers, admin: AdminCheck): Promise<void> {
  if (!admin.isOpen) {
    throw new GatewayError(
      "not_found",
      "Cannot open the operator's paths: the gateway has no token for them; set the option adminToken, or " +
        "SLUICE_ADMIN_TOKEN",
    );
  }
  if (await admin.admits(headers)) return;
  throw new GatewayError(
    "unauthorized",
    "Cannot serve the request: it needs the operator's token, as authorization: Bearer TOKEN",
  );
}
