/** The table of doors: which path is served by what. */
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { openaiCompaction, openaiResponses } from "../../wires/openai_responses/mod.ts";
import type { ClientWire } from "../../wires/types.ts";
import type { ErrorShape } from "../upstream/error_response.ts";
import type { View } from "./operator.ts";

/** The door of a path with the parts of the path. `account` and `gateway` are the ids in the path, if it has them. */
export type Route =
  & { account?: string; gateway?: string }
  & (
    | { door: "chat" | "count"; client: ClientWire }
    | {
      door:
        | "completions"
        | "embeddings"
        | "rerank"
        | "models"
        | "home"
        | "health"
        | "openapi"
        | "llms"
        | "metrics"
        | "run"
        | "task"
        | "universal";
    }
    | { door: "model"; id: string }
    | { door: "native"; provider: string; path: string }
    | { door: "unsupported" | "stored"; endpoint: string }
    | { door: "operator"; view: View | "me" }
    | { door: "keys"; id?: string; action?: string }
    | { door: "routes"; id?: string; part?: string; version?: string }
    | { door: "logs"; account: string; gateway: string; id?: string; side?: string }
    | { door: "management"; part?: string; id?: string }
  );

/** What serves a path. */
export interface Door {
  path: RegExp;
  /** Absent for any method. */
  methods?: readonly string[];
  door: Route["door"];
  /** The wire that the door's clients speak. */
  client?: ClientWire;
  /**
   * The shape of errors. Default: that of `client`. Without a client, the gateway's shape for `universal` and `native`, and
   * that of `DEFAULT_CLIENT` for other doors.
   */
  errors?: ErrorShape;
  /** The provider, if the path does not name one. */
  provider?: string;
}

const GATEWAY = "/v1/(?<account>[^/]+)/(?<gateway>[^/]+)";
/** A client whose base URL already ends with `/v1` may append a second one. */
const COMPAT = `(?:(?:${GATEWAY}|/v1)?/+compat)?(?:/v1){0,2}`;
/** Azure's SDK repeats the model of the body in the path. */
const DEPLOYMENT = "(?:(?:/openai)?/deployments/[^/]+)?";
/** Paths of Cloudflare's REST API, which its SDKs request below another base URL. */
const REST = "/client/v4/accounts/(?<account>[^/]+)/ai";
/** Paths of Cloudflare's REST API about one gateway. */
const REST_GATEWAY = "/client/v4/accounts/(?<account>[^/]+)/ai-gateway/gateways/(?<gateway>[^/]+)";
/** Paths of Cloudflare's REST API about all gateways of an account. */
const REST_GATEWAYS = "/client/v4/accounts/(?<account>[^/]+)/ai-gateway";
const read = ["GET", "HEAD"], post = ["POST"];
/** The methods that providers' own paths and those of stored things take. */
export const ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** What lists of things take, and single things. */
const LIST = ["GET", "POST"], ITEM = ["GET", "PATCH", "DELETE"];

/** The doors. The first whose path matches counts. */
export const DOORS: readonly Door[] = [
  {
    // An SDK doubles the end of the path if its `baseURL` already holds the whole path, as in Cloudflare's documentation.
    path: new RegExp(`^${COMPAT}${DEPLOYMENT}/chat/completions(?:/chat/completions)?/*$`),
    methods: post,
    door: "chat",
    client: openaiChat,
  },
  {
    path: new RegExp(`^${COMPAT}/messages/*$`),
    methods: post,
    door: "chat",
    client: anthropicMessages,
  },
  {
    path: new RegExp(`^${COMPAT}/messages/count_tokens/*$`),
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
  {
    path: new RegExp(`^${COMPAT}/(?<endpoint>(?:responses/|conversations(?:/|$)).*)$`),
    methods: ANY_METHOD,
    door: "stored",
  },
  { path: new RegExp(`^${COMPAT}${DEPLOYMENT}/embeddings/*$`), methods: post, door: "embeddings" },
  { path: new RegExp(`^${COMPAT}${DEPLOYMENT}/completions/*$`), methods: post, door: "completions" },
  // `/v2/rerank` is Cohere's path.
  { path: new RegExp(`^${COMPAT}(?:/v2)?/rerank/*$`), methods: post, door: "rerank" },
  { path: new RegExp(`^${COMPAT}/models/*$`), methods: read, door: "models" },
  { path: new RegExp(`^${COMPAT}/models/(?<id>.*[^/])/*$`), methods: read, door: "model" },
  { path: /^\/?$/, methods: read, door: "home" },
  { path: /^\/health\/?$/, methods: read, door: "health" },
  // Claude Code knocks there before its first call: https://github.com/router-for-me/CLIProxyAPI/issues/5905
  { path: new RegExp(`^(?:(?:${GATEWAY}|/v1)?/compat)?/api/hello/?$`), methods: read, door: "health" },
  { path: /^\/openapi\.json$/, methods: read, door: "openapi" },
  { path: /^\/llms\.txt$/, methods: read, door: "llms" },
  { path: /^\/metrics\/?$/, methods: read, door: "metrics" },
  // The paths of the gateway's own page.
  { path: /^\/sluice\/api\/models\/*$/, methods: read, door: "models" },
  { path: /^\/sluice\/api\/chat\/completions\/*$/, methods: post, door: "chat", client: openaiChat },
  { path: /^\/sluice\/api\/(?<view>logs|stats|providers|me)\/*$/, methods: read, door: "operator" },
  { path: /^\/sluice\/api\/(?<view>cache)\/*$/, methods: ["GET", "DELETE"], door: "operator" },
  { path: /^\/sluice\/api\/keys\/*$/, methods: ["GET", "POST"], door: "keys" },
  { path: /^\/sluice\/api\/keys\/(?<id>[^/]+)\/*$/, methods: ["GET", "PATCH", "DELETE"], door: "keys" },
  { path: /^\/sluice\/api\/keys\/(?<id>[^/]+)\/(?<action>rotate)\/*$/, methods: post, door: "keys" },
  { path: new RegExp(`^(?:${GATEWAY}|/v1)?/+compat/+(?:v1/)?(?<endpoint>.+)$`), door: "unsupported" },
  { path: /^\/sluice\/api\/routes\/*$/, methods: LIST, door: "routes" },
  { path: /^\/sluice\/api\/routes\/(?<id>[^/]+)\/*$/, methods: ITEM, door: "routes" },
  {
    path: /^\/sluice\/api\/routes\/(?<id>[^/]+)\/(?<part>versions|deployments)\/*$/,
    methods: LIST,
    door: "routes",
  },
  {
    path: /^\/sluice\/api\/routes\/(?<id>[^/]+)\/(?<part>versions)\/(?<version>[^/]+)\/*$/,
    methods: ["GET"],
    door: "routes",
  },
  { path: new RegExp(`^${GATEWAY}/*$`), methods: ["POST"], door: "universal" },
  { path: new RegExp(`^${GATEWAY}/+run/*$`), methods: post, door: "task", errors: "gateway" },
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
    path: /^\/sluice\/api\/(?<side>bodies)\/(?<account>[^/]+)\/(?<gateway>[^/]+)\/(?<id>[^/]+)\/*$/,
    methods: ["GET"],
    door: "logs",
  },
  { path: new RegExp(`^${REST_GATEWAY}/routes/*$`), methods: LIST, door: "routes", errors: "rest" },
  {
    path: new RegExp(`^${REST_GATEWAY}/routes/(?<id>[^/]+)/*$`),
    methods: ITEM,
    door: "routes",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAY}/routes/(?<id>[^/]+)/(?<part>versions|deployments)/*$`),
    methods: LIST,
    door: "routes",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAY}/routes/(?<id>[^/]+)/(?<part>versions)/(?<version>[^/]+)/*$`),
    methods: ["GET"],
    door: "routes",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAYS}/(?<part>gateways|custom-providers)/*$`),
    methods: ["GET", "POST"],
    door: "management",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAYS}/(?<part>custom-providers)/(?<id>[^/]+)/*$`),
    methods: ["GET", "PATCH", "DELETE"],
    door: "management",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAY}/*$`),
    methods: ["GET", "PUT", "DELETE"],
    door: "management",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAY}/(?<part>url)/(?<id>[^/]+)/*$`),
    methods: ["GET"],
    door: "management",
    errors: "rest",
  },
  {
    path: new RegExp(`^${REST_GATEWAY}/(?<part>provider_configs)/*$`),
    methods: ["GET", "POST"],
    door: "management",
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
  {
    path: new RegExp(`^${REST}/(?:v1/)+(?<endpoint>(?:responses/|conversations(?:/|$)).*)$`),
    methods: ANY_METHOD,
    door: "stored",
  },
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
  { path: new RegExp(`^${REST}/run/*$`), methods: post, door: "run", errors: "rest" },
  { path: new RegExp(`^${REST}/(?<path>.+)$`), door: "native", provider: "workers-ai", errors: "rest" },
];

/** A provider's path without account and gateway, as on a custom domain at Cloudflare: `/openai/v1/responses`. */
export const AT_ROOT: Door = { path: /^\/(?<provider>[^/]+)\/(?<path>.+)$/, door: "native" };

/** The short paths of most requests. They are found without a regular expression. */
export const SHORT: ReadonlyMap<string, ClientWire> = new Map<string, ClientWire>([
  ["/chat/completions", openaiChat],
  ["/compat/chat/completions", openaiChat],
  ["/v1/chat/completions", openaiChat],
  ["/responses", openaiResponses],
  ["/v1/responses", openaiResponses],
  ["/v1/messages", anthropicMessages],
]);
