/**
 * Signs requests to Google Cloud: with an access token, with an API key, or with a service account or a person's sign-in by
 * gcloud, for which Google's token endpoint mints an access token.
 *
 * @see https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 * @see https://developers.google.com/identity/protocols/oauth2/web-server#offline
 */
import { GatewayError } from "../../wires/errors.ts";
import { base64url } from "../../wires/shared/base64.ts";
import type { Fetch, Provider, Unsigned } from "../types.ts";
import { isPlace } from "../urls.ts";
import { setUnfixed } from "./key.ts";
import { readKeySet } from "./key_set.ts";
import { jwtEnd, refuseEnded } from "./short_lived.ts";
import { askForToken, type Minted, signWithToken } from "./tokens.ts";

/** The only endpoint that gets a signature: the one that a key file names may be anybody's. */
const TOKEN_URL = "https://oauth2.googleapis.com/token";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** Seconds for which a signed request for a token holds. Google takes at most an hour. */
const HOLDS_SECONDS = 3600;

/** How API keys begin. */
const API_KEY = /^(?:AIza|AQ\.)/;

const QUOTA = "x-goog-user-project";

/** Sets an API key, an access token, or the token that a service account gets. */
export function signGoogle(request: Unsigned, provider: Provider, key: string): Promise<void> | void {
  const { headers, namesOnly, now = Date.now() } = request;
  const account = readKeySet(key);
  const quota = account?.quota_project_id;
  // Requests of a person count for the project that the file names, not for that of gcloud itself.
  if (account?.refresh_token && quota && headers.get(QUOTA) === null) headers.set(QUOTA, quota);
  if (account && !namesOnly) {
    return signWithToken(request, provider, key, (fetch, now) => signIn(fetch, provider, account, now));
  }
  if (!API_KEY.test(key)) {
    refuseEnded(jwtEnd(key), now, provider.name, "send a new access token, or set a service account");
    return setUnfixed(headers, provider, "authorization", `Bearer ${account ? "" : key}`);
  }
  setUnfixed(headers, provider, "x-goog-api-key", key);
}

async function signIn(
  fetch: Fetch,
  provider: Provider,
  account: Record<string, string>,
  now: number,
): Promise<Minted> {
  const { client_id, client_secret, refresh_token } = account;
  const form: Record<string, string> = refresh_token === undefined
    ? {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: await assertion(provider, account, now),
    }
    : { grant_type: "refresh_token", client_id, client_secret, refresh_token };
  const [who, cure] = refresh_token === undefined
    ? ["the service account", "check that its key is not deleted, and the clock"]
    : ["the authorized user", "sign in anew with gcloud auth application-default login"];
  const refusal = ({ error }: Record<string, unknown>) => {
    const code = /^[a-z_]{1,40}$/.exec(`${error}`)?.[0];
    return `Google refuses ${who}${code ? ` (${code})` : ""}; ${cure}`;
  };
  const endpoint = {
    url: TOKEN_URL,
    form,
    provider: provider.name,
    name: "Google's token endpoint",
    refusal,
  };
  return await askForToken(fetch, endpoint, now);
}

/** The signed request for a token: a JWT. */
async function assertion(
  provider: Provider,
  { client_email, private_key, private_key_id }: Record<string, string>,
  now: number,
): Promise<string> {
  const iat = Math.floor(now / 1000);
  const header = { alg: "RS256", typ: "JWT", ...(private_key_id && { kid: private_key_id }) };
  const claims = { iss: client_email, scope: SCOPE, aud: TOKEN_URL, iat, exp: iat + HOLDS_SECONDS };
  const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  const signed = await crypto.subtle.sign(
    "RSASSA-PKCS1-v1_5",
    await importKey(provider, private_key),
    new TextEncoder().encode(text),
  );
  return `${text}.${base64url(new Uint8Array(signed))}`;
}

async function importKey({ name }: Provider, pem: string): Promise<CryptoKey> {
  // Variables and copies of files often hold `\n` as two characters.
  const [, body] = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/
    .exec(pem.replaceAll("\\n", "\n")) ?? [];
  try {
    const bytes = Uint8Array.from(atob(body!.replace(/\s/g, "")), (char) => char.charCodeAt(0));
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return await crypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
  } catch {
    // The cause is left out, because it may quote the key.
    throw new GatewayError(
      "unauthorized",
      `Cannot sign the request to ${name}: private_key of its service account (GOOGLE_PRIVATE_KEY) is not a private key ` +
        "as Google writes it, -----BEGIN PRIVATE KEY-----",
    );
  }
}

/** The place of a project in a path, until the credential is known. */
const NO_PROJECT = "/projects/{project}/";

/**
 * The URL of a call for its credential: a service account knows its project, and an API key has no project.
 *
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview
 * @throws GatewayError `invalid_request` if no project is known, or for an API key and a model that is not Google's.
 */
export function googleUrl(url: string, provider: Provider, key: string | undefined): string {
  const { name } = provider;
  if (key !== undefined && API_KEY.test(key)) {
    const bare = url.replace(/\/projects\/[^/]+\/locations\/[^/]+\/(?=publishers\/google\/)/, "/");
    if (bare !== url) {
      return bare.replace(/^https:\/\/[a-z0-9.-]*aiplatform[a-z.]*\.googleapis\.com\//, GLOBAL);
    }
    throw new GatewayError(
      "invalid_request",
      `Cannot send the request to ${name}: an API key serves only Google's own models; set a service account, ` +
        "GOOGLE_APPLICATION_CREDENTIALS_JSON, or send an access token",
    );
  }
  const account = key === undefined ? undefined : readKeySet(key);
  const { region, project_id: project } = account ?? {};
  const placed = region !== undefined && provider.location === undefined && isPlace("location", region)
    ? url.replace(GLOBAL, `https://${region}-aiplatform.googleapis.com/`)
      .replace("/locations/global/", `/locations/${region}/`)
    : url;
  if (!placed.includes(NO_PROJECT)) return placed;
  if (project !== undefined && isPlace("project", project)) {
    return placed.replace(NO_PROJECT, `/projects/${project}/`);
  }
  throw new GatewayError(
    "invalid_request",
    `Cannot reach ${name}: it needs a project. Set GOOGLE_CLOUD_PROJECT or the option providers.${name}.project, or use a ` +
      "service account, whose file names its project",
  );
}

const GLOBAL = "https://aiplatform.googleapis.com/";
