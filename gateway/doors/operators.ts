/** Opens the doors of the operator, and the view of a token's holder. */
import { checkOperator } from "../access/admin.ts";
import type { Report } from "../log/report.ts";
import type { Config } from "../setup/config.ts";
import type { Route } from "./find_door.ts";
import { serveKeys } from "./keys.ts";
import { serveLogs } from "./logs.ts";
import { serveManagement } from "./management.ts";
import { serveMe } from "./me.ts";
import { serveOperator, type View } from "./operator.ts";
import { serveRoutes } from "./routes.ts";

type Operators = "operator" | "logs" | "keys" | "routes" | "management";

const OPERATORS: ReadonlySet<string> = new Set<Operators>([
  "operator",
  "logs",
  "keys",
  "routes",
  "management",
]);

/** Whether a route leads to one of these doors. */
export const isForOperators = (route: Route): route is Route & { door: Operators } =>
  OPERATORS.has(route.door);

/** An account or gateway id for rows. It is cut, because an id in a path may be as long as the path. */
export const scopeName = (id: string) => id.slice(0, 200);

/**
 * Serves a request at one of these doors.
 *
 * @throws GatewayError for anybody but the operator, or the holder of a token where the view is the holder's.
 */
export async function openOperators(
  route: Route & { door: Operators },
  request: Request,
  account: string,
  insider: boolean,
  holder: { config: Config; report: Report },
): Promise<Response> {
  const { config } = holder;
  if (route.door === "operator" && route.view === "me") return await serveMe(request, config);
  if (!insider) await checkOperator(request.headers, config.admin);
  if (route.door === "keys") return await serveKeys(request, route, holder);
  if (route.door === "routes") return await serveRoutes(request, route, holder);
  if (route.door === "management") {
    return await serveManagement(request, { ...route, account: scopeName(account) }, holder);
  }
  if (route.door === "operator") return await serveOperator(route.view as View, request, config);
  const scope = { account: scopeName(account), gateway: scopeName(route.gateway) };
  return await serveLogs(request, { ...route, ...scope }, holder);
}
