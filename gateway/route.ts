/** Which door a request knocks at. */
import { GatewayError } from "../wires/errors.ts";

/** What a path asks for. */
export type Route =
  | { door: "chat"; account?: string; gateway?: string }
  | { door: "models" }
  | { door: "home" }
  | { door: "health" };

interface Door {
  path: RegExp;
  methods: readonly string[];
  route: (groups: Record<string, string | undefined>) => Route;
}

const GATEWAY = "/v1/(?<account>[^/]+)/(?<gateway>[^/]+)";

// The doubled tail is what an SDK makes of a `baseURL` that already holds the whole path, as the documentation of the
// service we replace shows it.
const CHAT = "/chat/completions(?:/chat/completions)?/?";

const read = ["GET", "HEAD"];

const DOORS: readonly Door[] = [
  {
    path: new RegExp(`^(?:(?:${GATEWAY})?/compat(?:/v1)?|/v1)?${CHAT}$`),
    methods: ["POST"],
    route: ({ account, gateway }) => ({ door: "chat", account: decode(account), gateway: decode(gateway) }),
  },
  {
    path: new RegExp(`^(?:(?:${GATEWAY})?/compat(?:/v1)?|/v1)?/models/?$`),
    methods: read,
    route: () => ({ door: "models" }),
  },
  { path: /^\/?$/, methods: read, route: () => ({ door: "home" }) },
  { path: /^\/health\/?$/, methods: read, route: () => ({ door: "health" }) },
];

/**
 * Finds the door of a path.
 *
 * @throws GatewayError `not_found`, or `method_not_allowed` with an `allow` header.
 */
export function findRoute(method: string, path: string): Route {
  for (const door of DOORS) {
    const match = door.path.exec(path);
    if (!match) continue;
    if (door.methods.includes(method)) return door.route(match.groups ?? {});
    const allow = [...door.methods, "OPTIONS"].join(", ");
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

/** The methods that a path takes, for `allow`; none when there is no such path. */
export function allowedMethods(path: string): readonly string[] {
  return DOORS.find((door) => door.path.test(path))?.methods ?? [];
}

function decode(segment: string | undefined): string | undefined {
  try {
    return segment === undefined ? undefined : decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
