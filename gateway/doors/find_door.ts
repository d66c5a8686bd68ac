/** Finds the door of a request: the handler for its path. */
import { ANTHROPIC_ONLY, API_WORDS } from "../../providers/api_words.ts";
import { GatewayError, quote, shorten } from "../../wires/errors.ts";
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import type { ClientWire } from "../../wires/types.ts";
import type { ErrorShape } from "../upstream/error_response.ts";
import { ANY_METHOD, AT_ROOT, type Door, DOORS, type Route, SHORT } from "./table.ts";

export type { Route };

/** The wire of doors without a `client`, because most of their clients read the errors of chat completions. */
export const DEFAULT_CLIENT: ClientWire = openaiChat;

/** A set of provider names. */
interface Names {
  has(name: string): boolean;
}

/**
 * Finds the door of a path.
 *
 * @param providers The providers whose own paths also stand at the root. Default none.
 * @param upgrade The value of the request's `upgrade` header.
 * @throws GatewayError `not_found`; `method_not_allowed` with an `allow` header; `no_websocket`.
 */
export function findRoute(method: string, path: string, providers?: Names, upgrade?: string | null): Route {
  const short = method === "POST" ? SHORT.get(path) : undefined;
  if (short) return { door: "chat", client: short, account: undefined, gateway: undefined };
  const found = find(path, providers);
  if (!found) {
    throw new GatewayError(
      "not_found",
      `Cannot find ${shorten(path)}: chat completions are at /v1/chat/completions and ` +
        `/v1/{account_id}/{gateway_id}/compat/chat/completions`,
    );
  }
  const { door: { door, methods, provider, client }, parts: { account, gateway, ...parts } } = found;
  if (methods ? !methods.includes(method) : NO_METHOD.has(method)) {
    if (client && upgrade?.toLowerCase() === "websocket") {
      // Codex first tries a WebSocket. With this status it sends its request by POST at once.
      throw new GatewayError(
        "no_websocket",
        `Cannot open a WebSocket at ${shorten(path)}: send the request by POST`,
      );
    }
    const allow = [...methods ?? ANY_METHOD, "OPTIONS"].join(", ");
    throw new GatewayError(
      "method_not_allowed",
      `Cannot ${shorten(method)} ${shorten(path)}: it takes ${allow}`,
      { headers: { allow } },
    );
  }
  return {
    door,
    account: id(account),
    gateway: id(gateway),
    ...(provider && { provider }),
    ...(client && { client }),
    ...parts,
  } as Route;
}

/** The shape of errors that the clients of a path read. */
export function errorShape(path: string, providers?: Names): ErrorShape {
  const { door, parts } = find(path, providers) ?? {};
  if (!door) return DEFAULT_CLIENT;
  const [word = ""] = wordsOf(parts?.endpoint ?? "");
  if (ANTHROPIC_ONLY.has(word.toLowerCase())) return anthropicMessages;
  return door.errors ?? door.client ??
    (door.door === "universal" || door.door === "native" ? "gateway" : DEFAULT_CLIENT);
}

/**
 * Methods that are never sent to a provider. By its standard `fetch` refuses them, but Bun and workerd send a TRACE, and
 * its answer repeats the request with the stored key.
 *
 * @see https://fetch.spec.whatwg.org/#forbidden-method
 */
const NO_METHOD: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** The methods that a path takes, for the header `allow`; an empty list for an unknown path. */
export function allowedMethods(path: string, providers?: Names): readonly string[] {
  const { door } = find(path, providers) ?? {};
  return door?.methods ?? (door ? ANY_METHOD : []);
}

/**
 * The path of a request's URL, as it was sent. With a malformed `Host` a request's URL may be one that `URL` cannot parse
 * (Deno, workerd) or only a path (Bun). `checkHost` is called first.
 */
export function pathOf(url: string): string {
  const host = url.startsWith("/") ? 0 : url.indexOf("://") + 3;
  let end = url.indexOf("?", host);
  if (end < 0) end = url.length;
  const hash = url.indexOf("#", host);
  if (hash >= 0 && hash < end) end = hash;
  const start = url.indexOf("/", host);
  return start < 0 || start >= end ? "/" : url.slice(start, end);
}

/** A host and a port, e.g. `localhost:8787` or `[::1]`, without characters that begin or end another part of a URL. */
const HOST = /^(?:\[[\da-f:.]+\]|[^\s/?#\\@[\]<>^|%,:]*)(?::\d*)?$/i;

/**
 * Checks the `Host` header. Runtimes put it before the path unchecked, so `Host: x/v1/chat/completions?` would turn any path
 * into one for chat completions.
 *
 * @throws GatewayError `invalid_request`
 */
export function checkHost(headers: Headers): void {
  const host = headers.get("host");
  if (host === null || HOST.test(host)) return;
  throw new GatewayError(
    "invalid_request",
    "Cannot serve the request: its Host header must be a host and a port, once",
    { param: "host" },
  );
}

// ---------------------------------------------------------------- finding

interface Found {
  door: Door;
  /** The groups of the door's pattern. */
  parts: Record<string, string | undefined>;
}

const NO_NAMES: Names = new Set();

/**
 * The doors at which several slashes count as one, because a client's base URL may end with a slash. The others are exact: a
 * server in front may close them by their paths, and what follows a provider's or a model's name is not ours.
 */
const SLASHES = /^(?:chat|completions|count|embeddings|models|rerank|stored|unsupported)$/;
const MISSING: Door = { path: /^/, door: "unsupported" };

function find(path: string, providers: Names = NO_NAMES): Found | undefined {
  const single = path.replaceAll(/\/{2,}/g, "/");
  for (const door of DOORS) {
    const match = door.path.exec(SLASHES.test(door.door) ? single : path);
    if (!match) continue;
    const parts = match.groups ?? {};
    // `/v1/responses/resp_1` matches the pattern of an account and a gateway, but is a path of an API.
    if (parts.account === undefined || !isApi(wordsOf(parts.account))) return { door, parts };
  }
  // The path of an API is shorter than that.
  const all = wordsOf(path.slice(0, 2000));
  // `client.beta.threads` of OpenAI's SDKs is `/v1/threads`; a client may write the `beta` into the path.
  const words = all.slice(all.findIndex((word) => !/^(?:v1|beta)$/i.test(word)));
  // A base URL alone is no path of the API.
  if (isApi(words) && !all.every((word) => word === "v1")) {
    return { door: MISSING, parts: { endpoint: words.join("/") } };
  }
  const parts = AT_ROOT.path.exec(path)?.groups;
  return parts && providers.has(parts.provider) ? { door: AT_ROOT, parts } : undefined;
}

/** The segments of a path, decoded, without empty ones. */
export const wordsOf = (path: string) => decode(path).split("/").filter(Boolean);

/** Whether a path begins with a word of an API, in any letter case: `/v1/Chat/Completions` does not hold an account either. */
const isApi = ([word = ""]: string[]) => API_WORDS.has(word.toLowerCase());

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @throws GatewayError for `.` and `..`, which would lead to another place in a provider's URL. */
function id(segment: string | undefined): string | undefined {
  const text = segment === undefined ? undefined : decode(segment);
  if (text === undefined || !/^\s*\.{1,2}\s*$/.test(text)) return text;
  throw new GatewayError("not_found", `Cannot find an account or gateway of id ${quote(text)}`);
}
