/** Signs requests to Azure: with a resource's key, with a token of Entra ID, or with an app's secret that gets such tokens. */
import { GatewayError } from "../../wires/errors.ts";
import type { Fetch, Provider, Unsigned } from "../types.ts";
import { setUnfixed, signWithKey } from "./key.ts";
import { keySetFault, readKeySet } from "./key_set.ts";
import { jwtEnd, refuseEnded } from "./short_lived.ts";
import { askForToken, type Minted, signWithToken } from "./tokens.ts";

/** The scope of tokens for Azure OpenAI and Foundry. Some of Microsoft's newer pages name `https://ai.azure.com/.default`. */
const SCOPE = "https://cognitiveservices.azure.com/.default";

/** Matches a tenant's id and its domain: `72f988bf-86f1-41af-91ab-2d7cd011db47`, `contoso.onmicrosoft.com`. */
const TENANT = /^[a-z\d](?:[a-z\d.-]{0,252}[a-z\d])?$/i;

/** Sets a token of Entra ID, which is a JWT, as a bearer, and a key in the header of the API that is asked. */
export function signAzure(request: Unsigned, provider: Provider, key: string): Promise<void> | void {
  const { headers, url } = request;
  if (key.startsWith("{")) return signWithApp(request, provider, key);
  if (key.startsWith("ey")) {
    refuseEnded(
      jwtEnd(key),
      request.now ?? Date.now(),
      provider.name,
      "set AZURE_OPENAI_AD_TOKEN to a new one",
    );
    return setUnfixed(headers, provider, "authorization", `Bearer ${key}`);
  }
  if (/\/anthropic\/v1\//.test(url)) return setUnfixed(headers, provider, "x-api-key", key);
  signWithKey(request, provider, key);
}

/** Signs with a token that the secret of an app gets, the client credentials of OAuth. */
function signWithApp(request: Unsigned, provider: Provider, key: string): Promise<void> | void {
  const fault = keySetFault(key, provider.keySet!);
  const app = readKeySet(key) ?? {};
  if (fault !== undefined || !TENANT.test(app.tenantId)) {
    throw new GatewayError(
      "invalid_request",
      `Cannot sign in to ${provider.name}: ${fault ?? "tenantId (AZURE_TENANT_ID) must be a tenant's id"}`,
    );
  }
  if (request.namesOnly) return setUnfixed(request.headers, provider, "authorization", "Bearer ");
  return signWithToken(request, provider, key, (fetch, now) => signIn(fetch, app, provider.name, now));
}

/**
 * Asks Entra ID for a token.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (2026-11)
 */
function signIn(
  fetch: Fetch,
  { tenantId, clientId, clientSecret, scope = SCOPE }: Record<string, string>,
  provider: string,
  now: number,
): Promise<Minted> {
  const form = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret, scope };
  const refusal = (body: Record<string, unknown>) =>
    `Entra ID refuses the app${reason(body)}; see ${VARIABLES}`;
  const url = `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`;
  return askForToken(fetch, { url, form, provider, name: "Entra ID", refusal }, now);
}

const VARIABLES = "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET";

/** Entra's codes of a refusal: ` (invalid_client, AADSTS7000215)`. Its description may repeat what was sent. */
function reason({ error, error_description: said }: Record<string, unknown>): string {
  const codes = [/^[a-z_]+$/.exec(`${error}`)?.[0], /AADSTS\d+/.exec(`${said}`)?.[0]].filter(Boolean);
  return codes.length > 0 ? ` (${codes.join(", ")})` : "";
}
