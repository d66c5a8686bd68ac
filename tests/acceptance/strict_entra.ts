/**
 * Entra ID's endpoint for tokens as far as it refuses an app.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (2026-11)
 */

/** An app, as `keys` holds it. */
export interface App {
  tenantId: string;
  clientId: string;
  clientSecret: string;
  scope?: string;
}

const refuse = (status: number, error: string, code: number, said: string) =>
  Response.json({ error, error_description: `AADSTS${code}: ${said} Trace ID: 1`, error_codes: [code] }, {
    status,
  });

/**
 * @param apps The apps that it knows.
 * @param now The clock that tokens end by.
 * @param seconds For how long a token is valid.
 */
export function strictEntra(apps: App[], now: () => number, seconds = 3599) {
  const valid = new Map<string, number>();
  const mints: URLSearchParams[] = [];
  /** Answers a request for a token; `undefined` for any other request. */
  const play = async (url: string, init: RequestInit): Promise<Response | undefined> => {
    const { host, pathname, search } = new URL(url);
    if (host !== "login.microsoftonline.com") return undefined;
    const request = new Request(url, init);
    const form = new URLSearchParams(await request.text());
    mints.push(form);
    const tenant = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(pathname)?.[1];
    if (request.method !== "POST" || tenant === undefined || search !== "") {
      return new Response("", { status: 404 });
    }
    if (init.redirect !== "manual") throw new Error("a redirect would carry the secret on");
    if (request.headers.get("content-type") !== "application/x-www-form-urlencoded") {
      return refuse(400, "invalid_request", 900144, "The body must contain 'grant_type'.");
    }
    if (form.get("grant_type") !== "client_credentials") {
      return refuse(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    }
    const scope = form.get("scope") ?? "";
    if (!/^https:\/\/[\w./]+\/\.default$/.test(scope)) {
      return refuse(400, "invalid_scope", 1002012, `The provided value for scope ${scope} is not valid.`);
    }
    const app = apps.find(({ tenantId, clientId }) =>
      tenantId === tenant && clientId === form.get("client_id")
    );
    if (!app) {
      return refuse(400, "unauthorized_client", 700016, "Application was not found in the directory.");
    }
    if (app.clientSecret !== form.get("client_secret")) {
      return refuse(
        401,
        "invalid_client",
        7000215,
        `Invalid client secret provided: ${form.get("client_secret")}.`,
      );
    }
    const access_token = `eyJ0eXAi.${mints.length}.${app.clientId}`;
    valid.set(access_token, now() + seconds * 1000);
    return Response.json({
      token_type: "Bearer",
      expires_in: seconds,
      ext_expires_in: seconds,
      access_token,
    });
  };
  return {
    play,
    mints,
    /** Whether a header holds a token that is valid now. */
    takes: (authorization: string | null) =>
      now() < (valid.get((authorization ?? "").replace("Bearer ", "")) ?? 0),
    revoke: () => valid.clear(),
  };
}
