/** Which door a request knocks at. */
import { GatewayError } from "../wires/errors.ts";

/** What a path asks for. `account` and `gateway` are the ids of the path, if it has them. */
export type Route =
  & { account?: string; gateway?: string }
  & (
    | { door: "chat" | "models" | "home" | "health" | "universal" }
    | { door: "native"; provider: string; path: string }
    | { door: "unsupported"; endpoint: string }
  );

interface Door {
  path: RegExp;
  /** Absent for any. */
  methods?: readonly string[];
  door: Route["door"];
}

const GATEWAY = "/v1/(?<account>[^/]+)/(?<gateway>[^/]+)";
const COMPAT = `(?:(?:${GATEWAY})?/compat(?:/v1)?|/v1)?`;

/** OpenAI paths that SDKs ask for and that are not here; under `/v1` some would pass for an account and a gateway. */
const MISSING = "completions|embeddings|moderations|responses|(?:audio|images)/[a-z]+";

const read = ["GET", "HEAD"];

/** The first that fits counts. */
const DOORS: readonly Door[] = [
  {
    // The doubled tail is what an SDK makes of a `baseURL` that already holds the whole path, as the documentation of
    // the service we replace shows it.
    path: new RegExp(`^${COMPAT}/chat/completions(?:/chat/completions)?/?$`),
    methods: ["POST"],
    door: "chat",
  },
  { path: new RegExp(`^${COMPAT}/models/?$`), methods: read, door: "models" },
  { path: /^\/?$/, methods: read, door: "home" },
  { path: /^\/health\/?$/, methods: read, door: "health" },
  { path: new RegExp(`^(?:${GATEWAY})?/compat/(?:v1/)?(?<endpoint>.+)$`), door: "unsupported" },
  { path: new RegExp(`^(?:/v1)?/(?<endpoint>${MISSING})/?$`), door: "unsupported" },
  { path: new RegExp(`^${GATEWAY}/?$`), methods: ["POST"], door: "universal" },
  { path: new RegExp(`^${GATEWAY}/(?<provider>[^/]+)/?(?<path>.*)$`), door: "native" },
];

/** The short forms, that most requests come by: found without trying patterns. */
const SHORT: ReadonlySet<string> = new Set([
  "/chat/completions",
  "/compat/chat/completions",
  "/v1/chat/completions",
]);

/**
 * Finds the door of a path.
 *
 * @throws GatewayError `not_found`, or `method_not_allowed` with an `allow` header.
 */
export function findRoute(method: string, path: string): Route {
  if (method === "POST" && SHORT.has(path)) return { door: "chat", account: undefined, gateway: undefined };
  for (const door of DOORS) {
    const match = door.path.exec(path);
    if (!match) continue;
    const { methods } = door;
    if (!methods || methods.includes(method)) {
      const { account, gateway, ...rest } = match.groups ?? {};
      return { door: door.door, account: decode(account), gateway: decode(gateway), ...rest } as Route;
    }
    const allow = [...methods, "OPTIONS"].join(", ");
    throw new GatewayError("method_not_allowed", `Cannot ${method} ${path}: it takes ${allow}`, {
      headers: { allow },
    });
  }
  throw new GatewayError(
    "not_found",
    `Cannot find ${path}: chat completions are at /v1/chat/completions and ` +
      `/v1/{account_id}/{gateway_id}/compat/chat/completions`,
  );
}

/** The path of an absolute URL, as it was sent. Deno's may be one that no URL parser takes, if the host is none. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  let end = url.indexOf("?", start);
  if (end < 0) end = url.length;
  const hash = url.indexOf("#", start);
  return url.slice(start, hash < 0 ? end : Math.min(end, hash));
}

/** The door of a path, whatever the method. */
export const doorOf = (path: string): Route["door"] | undefined => find(path)?.door;

const find = (path: string) => DOORS.find(({ path: pattern }) => pattern.test(path));

/** What a provider's own paths take. */
export const ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** The methods that a path takes, for `allow`; none when there is no such path. */
export function allowedMethods(path: string): readonly string[] {
  const door = find(path);
  return door?.methods ?? (door ? ANY_METHOD : []);
}

/** @throws GatewayError for dots, which would lead out of the place that an id has in a provider's URL. */
function decode(segment: string | undefined): string | undefined {
  let id = segment;
  try {
    id = segment === undefined ? undefined : decodeURIComponent(segment);
  } catch {
    // Taken as it is.
  }
  if (id !== "." && id !== "..") return id;
  throw new GatewayError("not_found", `Cannot find an account or gateway of id ${JSON.stringify(id)}`);
}
