/** Refuses requests that a page of another site makes a browser send. */
import { GatewayError } from "../../wires/errors.ts";
import type { Config } from "../setup/config.ts";
import type { Caller } from "../access/credentials.ts";

const LOOPBACK = String
  .raw`(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?`;

/** Matches `localhost:8787`, `app.localhost`, `127.0.0.1`, `[::1]:80`. */
const LOOPBACK_HOST = new RegExp(`^${LOOPBACK}$`);

/** The origin of a page from a server on this machine: `http://localhost:3000`, `https://tauri.localhost`. */
const LOOPBACK_PAGE = new RegExp(`^https?://${LOOPBACK}$`);

/** Origins of desktop shells, editors and browser extensions, whose schemes no web site can have: `app://obsidian.md`. */
const PROGRAM_PAGE =
  /^(?:app|tauri|vscode-webview|(?:chrome|moz|safari-web)-extension):\/\/[\w.-]*(?::\d{1,5})?$/;

/** Longer origins and hosts are taken for foreign ones without a closer look. */
const LONGEST = 256;

/** Whether only programs on the same machine can reach a server that listens at this address. */
export const isLoopback = (hostname: string) => LOOPBACK_HOST.test(hostname) || hostname === "::1";

/** The origin of the page that sent a request, if that page may use the gateway. */
export function allowedOrigin(request: Request, { origins, url }: Config): string | undefined {
  const origin = request.headers.get("origin");
  if (origin === null || origin.length > LONGEST) return undefined;
  const allowed = origins.includes(origin) || origins.includes("*") ||
    LOOPBACK_PAGE.test(origin) || PROGRAM_PAGE.test(origin) ||
    origin === originOf(request) || url !== undefined && origin === new URL(url).origin;
  return allowed ? origin : undefined;
}

/** The gateway's own origin, as the client wrote it. A proxy that ends TLS tells the scheme in `x-forwarded-proto`. */
function originOf({ headers, url }: Request): string {
  const scheme = headers.get("x-forwarded-proto")?.split(",")[0].trim() ?? url.slice(0, url.indexOf(":"));
  return `${scheme}://${headers.get("host") ?? hostOf(url)}`;
}

/** E.g. `gateway.test:8787` of `http://gateway.test:8787/v1`. On Deno a request's URL may be one that `URL` cannot parse. */
const hostOf = (url: string) => /^\w+:\/\/([^/?#]*)/.exec(url)?.[1] ?? "";

/**
 * Refuses a request of a page that may not use the gateway. A browser sends simple requests without a preflight, so for
 * these the CORS headers of the answer come too late.
 *
 * @throws GatewayError `forbidden`
 */
export function refuseForeignPage(request: Request, config: Config): void {
  const { headers, method } = request;
  const origin = headers.get("origin");
  if (origin === null) {
    // Browsers leave the origin out of a GET for an image or a link. They send it with each POST.
    if (method === "POST" || headers.get("sec-fetch-site") !== "cross-site") return;
    throw new GatewayError(
      "forbidden",
      "Cannot serve the request: another site's page sent it, without an Origin header",
    );
  }
  if (allowedOrigin(request, config) !== undefined) return;
  throw new GatewayError(
    "forbidden",
    `Cannot serve the request: pages of ${quoted(origin)} may not use this gateway; ` +
      "SLUICE_ORIGINS (the option origins) lists the origins that may",
  );
}

/**
 * Whether a request is for a host that is not the gateway's. A page's owner can give its host name the address of loopback
 * (DNS rebinding). The page's requests then have no foreign origin, but a foreign host.
 */
export function isForeignHost({ headers, url }: Request, hosts: Config["hosts"]): boolean {
  if (hosts === undefined) return false;
  const host = (headers.get("host") ?? hostOf(url)).toLowerCase();
  if (host.length > LONGEST) return true;
  return !LOOPBACK_HOST.test(host) && !hosts.has(host) && !hosts.has(host.replace(/:\d{1,5}$/, "")) &&
    !hosts.has("*");
}

/**
 * Admits a request for a foreign host if it holds a gateway token, which a page cannot know.
 *
 * @throws GatewayError `forbidden`
 */
export async function admitForeignHost(
  { headers, url }: Request,
  admitted: () => Promise<Caller> | Caller,
): Promise<Caller> {
  let caller: Caller | undefined;
  try {
    caller = await admitted();
  } catch {
    // A missing or wrong token gets the error about the host, below.
  }
  if (caller?.trusted) return caller;
  throw new GatewayError(
    "forbidden",
    `Cannot serve the request: this gateway does not answer to the host ${
      quoted(headers.get("host") ?? hostOf(url))
    } ` +
      "without a gateway token; SLUICE_HOSTS (the option hosts) or SLUICE_URL names further hosts",
  );
}

const quoted = (text: string) => JSON.stringify(text.slice(0, LONGEST));
