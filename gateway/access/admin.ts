/** Checks the token of the gateway's operator. */
import { GatewayError } from "../../wires/errors.ts";
import { credential, equal, hash, OWN_HEADER, type TokenCheck, unauthorized } from "./credentials.ts";
import { tokenFinder } from "./secrets.ts";

/** Tells the operator from everybody else. */
export interface AdminCheck {
  /** Whether an operator's token is set. Without one the operator's paths are closed. */
  readonly isOpen: boolean;
  /** Whether these headers hold the operator's token, as `authorization: Bearer TOKEN`. */
  admits(headers: Headers): Promise<boolean>;
}

/**
 * The check of the gateway's tokens, which also refuses requests for models that hold the operator's token. That token is
 * never sent to a provider.
 *
 * @param token The operator's.
 * @param names The headers that may hold a credential.
 */
export function apartFrom(
  token: string | undefined,
  check: TokenCheck,
  names: readonly string[],
): TokenCheck {
  if (token === undefined) return check;
  const finds = tokenFinder([token]);
  const places = [OWN_HEADER, "sec-websocket-protocol", ...names];
  return {
    ...check,
    holds: (text) => finds(text) || check.holds?.(text) === true,
    admit(request, gateway, insider) {
      const { headers, url } = request;
      if (finds(url) || places.some((name) => finds(headers.get(name) ?? ""))) {
        throw unauthorized("the operator's token opens no model; send a gateway token");
      }
      return check.admit(request, gateway, insider);
    },
  };
}

/** Makes the check. It compares hashes in constant time, as for the gateway's tokens. */
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
