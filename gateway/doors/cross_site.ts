/** Requests that another site's page makes a browser send. */
import { GatewayError } from "../../wires/errors.ts";
import type { Config } from "../setup/config.ts";
import type { Caller } from "../access/credentials.ts";

const LOOPBACK = String
  .raw`(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?`;

/** `localhost:8787`, `app.localhost`, `127.0.0.1`, `[::1]:80` */
const LOOPBACK_HOST = new RegExp(`^${LOOPBACK}$`);

/** The page of a server on this machine: `http://localhost:3000`, `https://tauri.localhost`. */
const LOOPBACK_PAGE = new RegExp(`^https?://${LOOPBACK}$`);

/** Schemes of desktop shells, editors and browser extensions, which no web site can have: `app://obsidian.md`. */
const PROGRAM_PAGE =
  /^(?:app|tauri|vscode-webview|(?:chrome|moz|safari-web)-extension):\/\/[\w.-]*(?::\d{1,5})?$/;

/** No origin or host that means something is longer. */
const LONGEST = 256;

/** Whether a server that listens at this address can be reached from its own machine only. */
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

/** The gateway's own origin, as the client wrote it. A front proxy that ends TLS tells the scheme. */
function originOf({ headers, url }: Request): string {
  const scheme = headers.get("x-forwarded-proto")?.split(",")[0].trim() ?? url.slice(0, url.indexOf(":"));
  return `${scheme}://${headers.get("host") ?? hostOf(url)}`;
}

/** `gateway.test:8787` of `http://gateway.test:8787/v1`. Deno's URL may be one that `URL` cannot parse. */
const hostOf = (url: string) => /^\w+:\/\/([^/?#]*)/.exec(url)?.[1] ?? "";

/**
 * Refuses a request of a page that may not use the gateway. A browser sends simple requests without asking first, so
 * that the answer's CORS headers come too late.
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
      "Cannot serve the request: another site's page sent it, without Origin",
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
 * Whether a request is for a host that is not the gateway's. A page can give its own name the address of loopback, and
 * then its requests have no foreign origin (DNS rebinding).
 */
export function isForeignHost({ headers, url }: Request, hosts: Config["hosts"]): boolean {
  if (hosts === undefined) return false;
  const host = (headers.get("host") ?? hostOf(url)).toLowerCase();
  if (host.length > LONGEST) return true;
  return !LOOPBACK_HOST.test(host) && !hosts.has(host) && !hosts.has(host.replace(/:\d{1,5}$/, "")) &&
    !hosts.has("*");
}

/**
 * Lets a request for a foreign host in if it brings a gateway token, which a page cannot know.
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
    // A token that is missing or wrong is told as the host's fault, which comes first.
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
