/**
 * Serves routes in the form of Cloudflare's REST API, so that Cloudflare's SDK can write them from another base URL.
 *
 * @see https://developers.cloudflare.com/api/resources/ai_gateway/subresources/dynamic_routing/
 */
import { GatewayError, quote } from "../../wires/errors.ts";
import { isObject } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { uuidv7 } from "../ids.ts";
import { readRoute, routeScope } from "../setup/route_book.ts";
import type { Config } from "../setup/config.ts";
import { liveOf, type RouteStore, type RouteVersion, type StoredRoute } from "../stores/routes.ts";
import type { Scope } from "../stores/store.ts";
import { RouteFault } from "../targets/routes/fault.ts";
import { checkRouteName, MOST_OF_ROUTE, readGraph } from "../targets/routes/graph.ts";
import { parseJson, takeBody } from "../upstream/body.ts";

/** The parts of a path: without `id` it is for all routes of a gateway. */
export interface RoutesRoute {
  account?: string;
  gateway?: string;
  id?: string;
  part?: string;
  version?: string;
}

type Holder = Pick<Exchange, "config" | "report">;

/** Bounds of what is kept and of lists. */
const MOST = { routes: 100, versions: 30, deployments: 100, perPage: 100, tries: 5 };
const USUAL_PER_PAGE = 20;

/** Numbers of Cloudflare's errors. */
const NUMBER = { malformed: 7001, missing: 7002 };

/** One request, with what it is about. */
interface Asked {
  store: RouteStore;
  scope: Scope;
  config: Config;
  request: Request;
  body(): Promise<JsonObject>;
}

/**
 * Serves a request.
 *
 * - `…/routes`: `GET` lists routes, `POST {name, elements}` makes one, whose first version leads requests at once.
 * - `…/routes/{id}`: `GET`, `PATCH {name}`, `DELETE`.
 * - `…/routes/{id}/versions`: `GET`, `POST {elements}` adds one that does not lead requests yet; `…/versions/{version}`: `GET`.
 * - `…/routes/{id}/deployments`: `GET`, `POST {version_id}` lets a version lead requests.
 *
 * @throws GatewayError `invalid_request` with the place of the fault, `conflict`, `not_found`, `overloaded` if the store fails.
 */
export async function serveRoutes(request: Request, route: RoutesRoute, holder: Holder): Promise<Response> {
  const { config } = holder;
  const { routeStore: store } = config;
  if (!store) {
    throw new GatewayError("not_found", "Cannot open the routes: the gateway has no operator's token");
  }
  const { searchParams } = new URL(request.url);
  const { account = searchParams.get("account") ?? config.account, gateway } = route;
  const scope = routeScope({
    account: account === "-" ? config.account : account,
    gateway: gateway ?? searchParams.get("gateway") ?? undefined,
  });
  const body = async () => {
    const parsed = parseJson(await takeBody(request, holder));
    if (isObject(parsed)) return parsed;
    throw malformed("", "the body must be a JSON object");
  };
  const asked = { store, scope, config, request, body };
  const isRead = request.method === "GET";
  const { id, part, version } = route;
  if (id === undefined) return isRead ? await list(asked, searchParams) : await make(asked);
  if (part === "versions" && version !== undefined) return await oneVersion(asked, id, version);
  if (part === "versions") return isRead ? await listVersions(asked, id) : await addVersion(asked, id);
  if (part === "deployments") return isRead ? await listDeployments(asked, id) : await deploy(asked, id);
  if (isRead) return answer(shown(await routeAt(asked, id), asked));
  return request.method === "DELETE" ? await remove(asked, id) : await rename(asked, id);
}

/** Cloudflare's SDK takes the result out of some answers, and gives its caller the whole of others. */
const answer = (result: object, more: object = {}) =>
  Response.json({ success: true, result, errors: [], messages: [], ...more }, {
    headers: { "cache-control": "no-store" },
  });

function malformed(param: string, why: string): GatewayError {
  return new GatewayError("invalid_request", `Cannot write the route: ${why}`, {
    param,
    number: NUMBER.malformed,
  });
}

const missing = (what: string, id: string) =>
  new GatewayError("not_found", `There is no ${what} ${quote(id)}`, { number: NUMBER.missing });

async function routeAt({ store, scope }: Asked, id: string): Promise<StoredRoute> {
  const route = await store.get(scope, id);
  if (route) return route;
  throw missing("route", id);
}

// ---------------------------------------------------------------- what is shown

/** A route, with the version that leads requests or another one. */
function shown(route: StoredRoute, { scope, config }: Asked, version?: RouteVersion): JsonObject {
  const live = liveOf(route);
  const shownVersion = version ?? route.versions.find(({ id }) => id === live.version)!;
  return {
    id: route.id,
    name: route.name,
    account_tag: scope.account,
    gateway_id: scope.gateway,
    created_at: route.created,
    modified_at: route.modified,
    elements: JSON.parse(shownVersion.elements),
    version: { ...aboutVersion(shownVersion, route), is_valid: isValid(shownVersion, config) },
    deployment: { deployment_id: live.id, version_id: live.version, created_at: live.created },
  };
}

const aboutVersion = ({ id, created, elements }: RouteVersion, route: StoredRoute) => ({
  version_id: id,
  active: liveOf(route).version === id ? "true" : "false",
  created_at: created,
  data: elements,
});

/** Whether a version can lead requests. Its providers may have changed since it was written. */
const isValid = ({ id, elements }: RouteVersion, { providers }: Config): boolean =>
  readRoute("", { version: id, elements }, providers).graph !== undefined;

/** A page of a list in Cloudflare's form. */
function page(items: JsonObject, number: number, perPage: number): Response {
  const data = {
    ...items,
    page: number,
    per_page: perPage,
    order_by: "created_at",
    order_by_direction: "asc",
  };
  return answer(data, { data });
}

async function list(asked: Asked, params: URLSearchParams): Promise<Response> {
  const number = numberIn(params, "page", 1, 1_000_000);
  const perPage = numberIn(params, "per_page", USUAL_PER_PAGE, MOST.perPage);
  const routes = await asked.store.list(asked.scope, (number - 1) * perPage, perPage);
  return page({ routes: routes.map((route) => shown(route, asked)) }, number, perPage);
}

function numberIn(params: URLSearchParams, name: string, usual: number, most: number): number {
  const text = params.get(name) ?? `${usual}`;
  if (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  const message = `Cannot read the query: ${name} must be a number from 1 to ${most}`;
  throw new GatewayError("invalid_request", message, { param: name, number: NUMBER.malformed });
}

async function listVersions(asked: Asked, id: string): Promise<Response> {
  const route = await routeAt(asked, id);
  const versions = route.versions.map((version) => ({
    ...aboutVersion(version, route),
    is_valid: isValid(version, asked.config),
  }));
  return page({ versions }, 1, MOST.versions);
}

async function oneVersion(asked: Asked, id: string, version: string): Promise<Response> {
  const route = await routeAt(asked, id);
  const found = route.versions.find((one) => one.id === version);
  if (!found) throw missing("version", version);
  const { version: about, deployment: _, ...rest } = shown(route, asked, found);
  return answer({ ...rest, ...about as object });
}

async function listDeployments(asked: Asked, id: string): Promise<Response> {
  const { deployments } = await routeAt(asked, id);
  return page(
    {
      deployments: deployments.map(({ id, version, created }) => ({
        deployment_id: id,
        version_id: version,
        created_at: created,
      })),
    },
    1,
    MOST.deployments,
  );
}

// ---------------------------------------------------------------- what is written

async function make(asked: Asked): Promise<Response> {
  const { store, scope, config } = asked;
  const { name, elements } = await asked.body();
  checkName(name, config);
  const version = versionOf(elements, config);
  if ((await store.names(scope)).length >= MOST.routes) {
    throw malformed("", `the gateway has ${MOST.routes} routes already; delete one first`);
  }
  const { created } = version;
  const route: StoredRoute = {
    id: idAt(config),
    revision: 1,
    name,
    created,
    modified: created,
    versions: [version],
    deployments: [{ id: idAt(config), version: version.id, created }],
  };
  try {
    if (!await store.save(scope, route)) throw taken(name);
  } catch (error) {
    if (error instanceof RangeError) throw malformed("", error.message);
    throw error;
  }
  return answer(shown(route, asked));
}

async function addVersion(asked: Asked, id: string): Promise<Response> {
  const { elements } = await asked.body();
  const version = versionOf(elements, asked.config);
  const route = await change(asked, id, (route) => {
    const { version: live } = liveOf(route);
    const versions = [...route.versions, version];
    // The oldest go first, but never the one that leads requests.
    while (versions.length > MOST.versions) versions.splice(versions[0].id === live ? 1 : 0, 1);
    return { versions };
  });
  return answer(shown(route, asked, version));
}

async function deploy(asked: Asked, id: string): Promise<Response> {
  const { config } = asked;
  const { version_id: wanted } = await asked.body();
  if (typeof wanted !== "string") throw malformed("version_id", "version_id must be the id of a version");
  const route = await change(asked, id, (route) => {
    const version = route.versions.find((one) => one.id === wanted);
    if (!version) throw missing("version", wanted);
    const { fault } = readRoute(
      route.name,
      { version: wanted, elements: version.elements },
      config.providers,
    );
    if (fault !== undefined) throw malformed("version_id", `its version cannot be used: ${fault}`);
    const deployment = { id: idAt(config), version: wanted, created: dateAt(config) };
    return { deployments: [...route.deployments, deployment].slice(-MOST.deployments) };
  });
  return answer(shown(route, asked));
}

async function rename(asked: Asked, id: string): Promise<Response> {
  const { name, elements } = await asked.body();
  if (elements !== undefined) {
    throw malformed("elements", "elements cannot be changed; add a version, and deploy it");
  }
  checkName(name, asked.config);
  const route = shown(await change(asked, id, () => ({ name })), asked);
  return answer(route, { route });
}

async function remove(asked: Asked, id: string): Promise<Response> {
  const route = await routeAt(asked, id);
  await asked.store.remove(asked.scope, id);
  return answer(shown(route, asked));
}

/** Changes a route. If another change came first, it is made on top of that one: neither is lost. */
async function change(
  asked: Asked,
  id: string,
  edit: (route: StoredRoute) => Partial<StoredRoute>,
): Promise<StoredRoute> {
  const { store, scope, config } = asked;
  for (let tried = 0; tried < MOST.tries; tried++) {
    const before = await routeAt(asked, id);
    const after = { ...before, ...edit(before), revision: before.revision + 1, modified: dateAt(config) };
    if (await store.save(scope, after)) return after;
    if (after.name === before.name) continue;
    if ((await store.names(scope)).includes(after.name)) throw taken(after.name);
  }
  throw new GatewayError("conflict", "Cannot write the route: others change it all the time; try again");
}

const taken = (name: string) =>
  new GatewayError("conflict", `Cannot write the route: there is a route ${quote(name)} already`, {
    param: "name",
  });

const dateAt = ({ now }: Config) => new Date(now()).toISOString();
const idAt = ({ now }: Config) => uuidv7(now());

/** @throws GatewayError */
function checkName(name: unknown, { routes }: Config): asserts name is string {
  inRoute(() => checkRouteName(name));
  if (!routes?.isFixed(name as string)) return;
  throw new GatewayError(
    "conflict",
    `Cannot write the route: the option routes has a route ${
      quote(name as string)
    }, which would come before it`,
    { param: "name" },
  );
}

/** A new version of these elements. @throws GatewayError with the place of the fault. */
function versionOf(elements: unknown, config: Config): RouteVersion {
  inRoute(() => readGraph(elements, config.providers));
  const text = JSON.stringify(elements);
  if (text.length > MOST_OF_ROUTE.json) {
    throw malformed("elements", `elements must have at most ${MOST_OF_ROUTE.json} characters as JSON`);
  }
  return { id: idAt(config), created: dateAt(config), elements: text };
}

function inRoute(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof RouteFault)) throw error;
    throw malformed(error.path, error.message);
  }
}
