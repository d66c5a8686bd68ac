/** Which door a request knocks at. */
import { ANTHROPIC_ONLY, API_WORDS } from "../../providers/api_words.ts";
import { GatewayError, quote, shorten } from "../../wires/errors.ts";
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { openaiCompaction, openaiResponses } from "../../wires/openai_responses/mod.ts";
import type { ClientWire } from "../../wires/types.ts";
import type { View } from "./operator.ts";
import type { ErrorShape } from "../upstream/error_response.ts";

/** What a path asks for. `account` and `gateway` are the ids of the path, if it has them. */
export type Route =
  & { account?: string; gateway?: string }
  & (
    | { door: "chat" | "count"; client: ClientWire }
    | { door: "completions" | "embeddings" | "rerank" | "models" | "home" | "health" | "universal" }
    | { door: "model"; id: string }
    | { door: "native"; provider: string; path: string }
    | { door: "unsupported" | "stored"; endpoint: string }
    | { door: "operator"; view: View }
    | { door: "logs"; account: string; gateway: string; id?: string; side?: string }
  );

/** What the clients of a door are taken to speak that names no wire: most read the errors of chat completions. */
export const DEFAULT_CLIENT: ClientWire = openaiChat;

/** The names of providers. */
interface Names {
  has(name: string): boolean;
}

interface Door {
  path: RegExp;
  /** Absent for any. */
  methods?: readonly string[];
  door: Route["door"];
  /** What its clients speak. */
  client?: ClientWire;
  /** Default: the wire's of `client`; the gateway's for `universal` and `native`, those of `DEFAULT_CLIENT` for others. */
  errors?: ErrorShape;
  /** The provider, where the path names none. */
  provider?: string;
}

const GATEWAY = "/v1/(?<account>[^/]+)/(?<gateway>[^/]+)";
const COMPAT = `(?:(?:${GATEWAY}|/v1)?/+compat(?:/v1)?|/v1)?`;
/** Cloudflare's REST API, as its SDKs ask for it below another base URL. */
const REST = "/client/v4/accounts/(?<account>[^/]+)/ai";

/** What Cloudflare's REST API has about a gateway. */
const REST_GATEWAY = "/client/v4/accounts/(?<account>[^/]+)/ai-gateway/gateways/(?<gateway>[^/]+)";

const read = ["GET", "HEAD"], post = ["POST"];

/** The first that fits counts. */
const DOORS: readonly Door[] = [
  {
    // The doubled tail is what an SDK makes of a `baseURL` that already holds the whole path, as Cloudflare's
    // documentation shows it.
    path: new RegExp(`^${COMPAT}/chat/completions(?:/chat/completions)?/*$`),
    methods: post,
    door: "chat",
    client: openaiChat,
  },
  // The second `/v1` is of a base URL that has one already.
  {
    path: new RegExp(`^${COMPAT}(?:/v1)?/messages/*$`),
    methods: post,
    door: "chat",
    client: anthropicMessages,
  },
  {
    path: new RegExp(`^${COMPAT}(?:/v1)?/messages/count_tokens/*$`),
    methods: post,
    door: "count",
    client: anthropicMessages,
  },
  { path: new RegExp(`^${COMPAT}/responses/*$`), methods: post, door: "chat", client: openaiResponses },
  {
    path: new RegExp(`^${COMPAT}/responses/compact/*$`),
    methods: post,
    door: "chat",
    client: openaiCompaction,
  },
  {
    path: new RegExp(`^${COMPAT}/responses/input_tokens/*$`),
    methods: post,
    door: "count",
    client: openaiResponses,
  },
  { path: new RegExp(`^${COMPAT}/(?<endpoint>responses/.+)$`), door: "stored" },
  { path: new RegExp(`^${COMPAT}(?:/v1)?/embeddings/*$`), methods: post, door: "embeddings" },
  { path: new RegExp(`^${COMPAT}(?:/v1)?/completions/*$`), methods: post, door: "completions" },
  // The second version is Cohere's.
  { path: new RegExp(`^${COMPAT}(?:/v[12])?/rerank/*$`), methods: post, door: "rerank" },
  { path: new RegExp(`^${COMPAT}/models/*$`), methods: read, door: "models" },
  { path: new RegExp(`^${COMPAT}/models/(?<id>.*[^/])/*$`), methods: read, door: "model" },
  { path: /^\/?$/, methods: read, door: "home" },
  { path: /^\/health\/?$/, methods: read, door: "health" },
  // What the gateway's own page asks for.
  { path: /^\/sluice\/api\/models\/*$/, methods: read, door: "models" },
  { path: /^\/sluice\/api\/chat\/completions\/*$/, methods: post, door: "chat", client: openaiChat },
  { path: /^\/sluice\/api\/(?<view>logs|stats|providers)\/*$/, methods: read, door: "operator" },
  { path: new RegExp(`^(?:${GATEWAY}|/v1)?/+compat/+(?:v1/)?(?<endpoint>.+)$`), door: "unsupported" },
  { path: new RegExp(`^${GATEWAY}/*$`), methods: ["POST"], door: "universal" },
  { path: new RegExp(`^${GATEWAY}/+(?<provider>[^/]+)/?(?<path>.*)$`), door: "native" },
  { path: new RegExp(`^${REST_GATEWAY}/logs/*$`), methods: ["GET", "DELETE"], door: "logs", errors: "rest" },
  {
    path: new RegExp(`^${REST_GATEWAY}/logs/(?<id>[^/]+)/*$`),
    methods: ["GET", "PATCH"],
    door: "logs",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAY}/logs/(?<id>[^/]+)/(?<side>request|response)/*$`),
    methods: ["GET"],
    door: "logs",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST}/(?:v1/)+chat/completions/*$`),
    methods: post,
    door: "chat",
    client: openaiChat,
  },
  { path: new RegExp(`^${REST}/(?:v1/)+responses/*$`), methods: post, door: "chat", client: openaiResponses },
  {
    path: new RegExp(`^${REST}/(?:v1/)+responses/compact/*$`),
    methods: post,
    door: "chat",
    client: openaiCompaction,
  },
  { path: new RegExp(`^${REST}/(?:v1/)+(?<endpoint>responses/.+)$`), door: "stored" },
  {
    path: new RegExp(`^${REST}/(?:v1/)+messages/*$`),
    methods: post,
    door: "chat",
    client: anthropicMessages,
  },
  {
    path: new RegExp(`^${REST}/(?:v1/)+messages/count_tokens/*$`),
    methods: post,
    door: "count",
    client: anthropicMessages,
  },
  { path: new RegExp(`^${REST}/(?:v1/)+(?<endpoint>messages/.+)$`), door: "unsupported" },
  { path: new RegExp(`^${REST}/(?:v1/)+embeddings/*$`), methods: post, door: "embeddings" },
  { path: new RegExp(`^${REST}/(?<endpoint>run)/*$`), door: "unsupported", errors: "rest" },
  { path: new RegExp(`^${REST}/(?<path>.+)$`), door: "native", provider: "workers-ai", errors: "rest" },
];

/** As a custom domain of Cloudflare's gateway has it, for the names of providers: `/openai/v1/responses`. */
const AT_ROOT: Door = { path: /^\/(?<provider>[^/]+)\/(?<path>.+)$/, door: "native" };

/** The short forms, that most requests come by: found without trying patterns. */
const SHORT: ReadonlyMap<string, ClientWire> = new Map<string, ClientWire>([
  ["/chat/completions", openaiChat],
  ["/compat/chat/completions", openaiChat],
  ["/v1/chat/completions", openaiChat],
  ["/responses", openaiResponses],
  ["/v1/responses", openaiResponses],
  ["/v1/messages", anthropicMessages],
]);

/**
 * Finds the door of a path.
 *
 * @param providers Whose own paths may also stand at the root. Default none.
 * @param upgrade What the request's header of that name asks for.
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
      // Codex asks for one first, and sends its request by POST at once when it reads this status.
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

/** Whose clients read the errors of a path. */
export function errorShape(path: string, providers?: Names): ErrorShape {
  const { door, parts } = find(path, providers) ?? {};
  if (!door) return DEFAULT_CLIENT;
  const [word = ""] = wordsOf(parts?.endpoint ?? "");
  if (ANTHROPIC_ONLY.has(word.toLowerCase())) return anthropicMessages;
  return door.errors ?? door.client ??
    (door.door === "universal" || door.door === "native" ? "gateway" : DEFAULT_CLIENT);
}

/**
 * What no provider's path takes, as `fetch` by its standard takes none of them: Bun and workerd send a TRACE, and its answer
 * is the request as it was sent, with the stored key.
 *
 * @see https://fetch.spec.whatwg.org/#forbidden-method
 */
const NO_METHOD: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** What a provider's own paths take. */
export const ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** The methods that a path takes, for `allow`; an empty list for an unknown path. */
export function allowedMethods(path: string, providers?: Names): readonly string[] {
  const { door } = find(path, providers) ?? {};
  return door?.methods ?? (door ? ANY_METHOD : []);
}

/**
 * Why a path of OpenAI's or Anthropic's is not served, and the path that is.
 *
 * Not 404: clients read a 404 as an unknown model.
 */
export function unsupported({ account = "-", gateway = "default", endpoint }: Route & { endpoint: string }) {
  const words = wordsOf(endpoint);
  const word = (words[0] ?? "").toLowerCase();
  const told = shorten([word, ...words.slice(1)].join("/"));
  const provider = shorten(`/v1/${encodeURIComponent(account)}/${encodeURIComponent(gateway)}`);
  const cure = word === "chat" && words.length <= 2
    ? "Chat completions are at /v1/chat/completions"
    : word === "models"
    ? "Models are listed at /v1/models"
    : word === "run"
    ? "Models of other providers are called by /ai/v1/chat/completions"
    : ANTHROPIC_ONLY.has(word)
    ? `Anthropic's own is at ${provider}/anthropic/v1/${told}, for clients with the base URL ${provider}/anthropic`
    : `OpenAI's own is at ${provider}/openai/${told}`;
  return new GatewayError("invalid_model", `Compatibility endpoint: ${told} is not supported. ${cure}`);
}

/** Why a response of before cannot be had. */
export function notKept({ account = "-", gateway = "default", endpoint }: Route & { endpoint: string }) {
  const told = shorten(wordsOf(endpoint).join("/"));
  const provider = shorten(`/v1/${encodeURIComponent(account)}/${encodeURIComponent(gateway)}`);
  return new GatewayError(
    "not_found",
    `Cannot find ${told}: responses are not stored here. Send the whole conversation in input; what OpenAI has stored is at ` +
      `${provider}/openai/${told}`,
  );
}

/**
 * The path of a request's URL, as it was sent. Deno's and workerd's may be one that no URL parser takes, and Bun's a path
 * alone, if the `Host` is none; `checkHost` comes before.
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

/** A name or an address, and a port: characters that end or begin another part of a URL are in neither. */
const HOST = /^(?:\[[\da-f:.]+\]|[^\s/?#\\@[\]<>^|%,:]*)(?::\d*)?$/i;

/**
 * Checks the `Host` header, which runtimes put before the path without looking at it: `Host: x/v1/chat/completions?` would
 * make a chat of any path.
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
  /** What the groups of its pattern hold. */
  parts: Record<string, string | undefined>;
}

const NO_NAMES: Names = new Set();
const MISSING: Door = { path: /^/, door: "unsupported" };

function find(path: string, providers: Names = NO_NAMES): Found | undefined {
  for (const door of DOORS) {
    const match = door.path.exec(path);
    if (!match) continue;
    const parts = match.groups ?? {};
    // `/v1/responses/resp_1` has neither an account nor a gateway.
    if (parts.account === undefined || !isApi(wordsOf(parts.account))) return { door, parts };
  }
  // No API's path is longer than that.
  const all = wordsOf(path.slice(0, 2000));
  // OpenAI's SDKs call `beta` what has no such segment in its path.
  const words = all.slice(all.findIndex((word) => !/^(?:v1|beta)$/i.test(word)));
  if (isApi(words)) return { door: MISSING, parts: { endpoint: words.join("/") } };
  const parts = AT_ROOT.path.exec(path)?.groups;
  return parts && providers.has(parts.provider) ? { door: AT_ROOT, parts } : undefined;
}

/** The segments of a path, decoded, without those that are empty. */
const wordsOf = (path: string) => decode(path).split("/").filter(Boolean);

/** Whether a path begins with a word of an API's, however its letters are: `/v1/Chat/Completions` has no account either. */
const isApi = ([word = ""]: string[]) => API_WORDS.has(word.toLowerCase());

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @throws GatewayError for dots, which would lead out of the place that an id has in a provider's URL. */
function id(segment: string | undefined): string | undefined {
  const text = segment === undefined ? undefined : decode(segment);
  if (text === undefined || !/^\s*\.{1,2}\s*$/.test(text)) return text;
  throw new GatewayError("not_found", `Cannot find an account or gateway of id ${quote(text)}`);
}
