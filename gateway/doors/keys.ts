/** Serves the operator's view of virtual keys: JSON below `/sluice/api/keys`. */
import { GatewayError, quote } from "../../wires/errors.ts";
import { isObject } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import { hashOf, makeSecret, type VirtualKeyFacts } from "../access/virtual_keys.ts";
import type { Exchange } from "../exchange.ts";
import { uuidv7 } from "../ids.ts";
import type { Config } from "../setup/config.ts";
import { readKey } from "../setup/key_options.ts";
import type { Key } from "../stores/keys.ts";
import { parseJson, takeBody } from "../upstream/body.ts";
import { leftOfAll } from "./left.ts";

/** The parts of a path: without `id` it is for all keys. */
export interface KeysRoute {
  id?: string;
  action?: string;
}

type Holder = Pick<Exchange, "config" | "report">;

/** Bounds of lists. */
const LIMITS = { usual: 100, most: 1000 };

/** How long the secret before a rotation may be used, in seconds. */
const GRACE = { usual: 86_400, most: 30 * 86_400 };

/** How often a change is tried again because another one came first. */
const MOST_TRIES = 5;

/**
 * Serves a request.
 *
 * - `GET` lists keys, the newest first: `limit` (at most 1000), `after` (the id of the last key that the client has), `search`. The
 *   first page begins with the tokens of the options.
 * - `POST` makes one. Only its answer, and that of a rotation, holds the secret.
 * - `GET`, `PATCH` and `DELETE` of an id; `POST` of its `rotate`, with `{graceSeconds}`.
 *
 * @throws GatewayError `invalid_request` with the path of the fault, `not_found`, `overloaded` if the store fails.
 */
export async function serveKeys(
  request: Request,
  { id, action }: KeysRoute,
  holder: Holder,
): Promise<Response> {
  const { method } = request;
  if (id === undefined) {
    if (method === "POST") return await make(await bodyOf(request, holder), holder.config);
    return answer(await list(new URL(request.url).searchParams, holder.config));
  }
  if (action === "rotate") return await rotate(id, await bodyOf(request, holder), holder.config);
  if (method === "PATCH") return await change(id, await bodyOf(request, holder), holder.config);
  if (method === "DELETE") return await remove(id, holder.config);
  return answer(await shownOf(id, holder.config));
}

const answer = (body: object, status = 200) =>
  Response.json(body, { status, headers: { "cache-control": "no-store" } });

/** The object of a request's body; an empty one if there is no body. @throws GatewayError for any other body. */
async function bodyOf(request: Request, holder: Holder): Promise<JsonObject> {
  const bytes = request.body ? await takeBody(request, holder) : new Uint8Array();
  const body = bytes.length === 0 ? {} : parseJson(bytes);
  if (isObject(body)) return body;
  throw new GatewayError("invalid_request", "Cannot read the request: its body must be a JSON object");
}

const malformed = (param: string, says: string) =>
  new GatewayError("invalid_request", `Cannot read the request: ${param} ${says}`, { param });

const noSuchKey = (id: string) => new GatewayError("not_found", `There is no virtual key ${quote(id)}`);

// ---------------------------------------------------------------- what is shown

/** A key without its secret and its hash. `null` in a fact's place means none, or all. */
async function shown(key: Key, config: Config): Promise<object> {
  const [one] = await shownAll([key], config);
  return one;
}

async function shownAll(keys: readonly Key[], config: Config): Promise<object[]> {
  const left = await leftOf(keys.map(({ id, name, about }) => config.meter({ ...about, id, name })), config);
  return keys.map(({ id, name, created, former, about }, at) => {
    const isOld = former !== undefined && former.until > config.now();
    return {
      id,
      source: "store",
      name,
      ...factsOf(about),
      created,
      formerUntil: isOld ? new Date(former.until).toISOString() : null,
      effective: left[at],
    };
  });
}

/** What is left; `null` if the store of counters fails, so that keys can be seen and changed then too. */
async function leftOf(all: Parameters<typeof leftOfAll>[0], config: Config): Promise<(object | null)[]> {
  try {
    return await leftOfAll(all, config);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return all.map(() => null);
  }
}

/** The facts of a key or a token, each of them. */
const factsOf = (about: VirtualKeyFacts) => ({
  team: about.team ?? null,
  expires: about.expires ?? null,
  disabled: about.disabled ?? false,
  gateways: about.gateways ?? null,
  providers: about.providers ?? null,
  models: about.models ?? null,
  limits: about.limits ?? null,
  budgets: about.budgets ?? null,
  each: about.each ?? null,
  unknownPrice: about.unknownPrice ?? "refuse",
  metadata: about.metadata ?? null,
});

/** The ids of the options' tokens begin with this. They are not ids of keys. */
const TOKEN_ID = "t_";

/** The tokens of the options, which cannot be changed here. */
async function shownTokens(config: Config): Promise<{ id: string; name: string }[]> {
  const tokens = await config.tokens.tokens();
  const left = await leftOf(tokens.map((token) => config.meter(token)), config);
  return tokens.map(({ name, ...about }, at) => ({
    id: TOKEN_ID + name,
    source: "options",
    name,
    ...factsOf(about),
    created: null,
    formerUntil: null,
    effective: left[at],
  }));
}

async function shownOf(id: string, config: Config): Promise<object> {
  if (!id.startsWith(TOKEN_ID)) return await shown(await keyOf(id, config), config);
  const token = (await shownTokens(config)).find((one) => one.id === id);
  if (!token) throw noSuchKey(id);
  return token;
}

/** @throws GatewayError `not_found`, and `invalid_request` for a token of the options. */
async function keyOf(id: string, config: Config): Promise<Key & { about: VirtualKeyFacts }> {
  if (id.startsWith(TOKEN_ID)) {
    throw malformed("id", "is that of a token of the option tokens, which can be changed only there");
  }
  const key = await config.virtualKeys.get(id);
  if (!key) throw noSuchKey(id);
  return key;
}

async function list(params: URLSearchParams, config: Config): Promise<object> {
  const text = params.get("limit") ?? `${LIMITS.usual}`;
  const limit = Number(text);
  if (!/^\d{1,4}$/.test(text) || limit < 1 || limit > LIMITS.most) {
    throw malformed("limit", `must be a number from 1 to ${LIMITS.most}`);
  }
  const before = params.get("after") ?? undefined;
  const search = params.get("search")?.slice(0, 200) || undefined;
  const found = await config.virtualKeys.list({ before, limit, search });
  const keys = await shownAll(found, config);
  const tokens = before === undefined ? await shownTokens(config) : [];
  const lower = search?.toLowerCase() ?? "";
  return {
    keys: [...tokens.filter(({ name }) => name.toLowerCase().includes(lower)), ...keys],
    next: found.length === limit ? found.at(-1)!.id : null,
  };
}

// ---------------------------------------------------------------- changes

const NAME_TAKEN = "must be another: a token or a key has this name";

/** @throws GatewayError `invalid_request` if another key or token has the name, or if the name holds a token. */
async function checkName(name: string, config: Config, id?: string): Promise<void> {
  const tokens = await config.tokens.tokens();
  const named = await config.virtualKeys.named(name);
  if (tokens.some((token) => token.name === name) || named && named.id !== id) {
    throw malformed("name", NAME_TAKEN);
  }
  if (config.tokens.holds?.(name)) throw malformed("name", "must hold no token");
}

async function make(body: JsonObject, config: Config): Promise<Response> {
  const { name, about } = readKey(body, config);
  await checkName(name!, config);
  const secret = makeSecret(), now = config.now();
  const key: Key = {
    id: `k_${uuidv7(now).replaceAll("-", "")}`,
    version: 1,
    name: name!,
    hash: await hashOf(secret),
    created: new Date(now).toISOString(),
    about,
  };
  if (!await config.virtualKeys.save(key)) throw malformed("name", NAME_TAKEN);
  return answer({ ...await shown(key, config), secret }, 201);
}

/** Changes a key as it is now. Another change that is saved first is not lost. */
async function changed(id: string, config: Config, of: (key: Key) => Promise<Key> | Key): Promise<Key> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const known = await keyOf(id, config);
    const key = { ...await of(known), version: known.version + 1 };
    if (await config.virtualKeys.save(key)) return key;
  }
  throw new GatewayError("overloaded", "Cannot save the key: others are changing it; try again", {
    headers: { "retry-after": "1" },
  });
}

async function change(id: string, body: JsonObject, config: Config): Promise<Response> {
  const key = await changed(id, config, async (known) => {
    const { name = known.name, about } = readKey(body, config, known.about);
    if (name !== known.name) await checkName(name, config, id);
    return { ...known, name, about };
  });
  return answer(await shown(key, config));
}

/** Gives a key a new secret. The old one may be used for some time; one that was old already ends. */
async function rotate(id: string, body: JsonObject, config: Config): Promise<Response> {
  const { graceSeconds = GRACE.usual, ...others } = body as { graceSeconds?: number };
  const [other] = Object.keys(others);
  if (other !== undefined) throw malformed(other.slice(0, 64), "is not known; there is graceSeconds");
  if (!Number.isSafeInteger(graceSeconds) || graceSeconds < 0 || graceSeconds > GRACE.most) {
    throw malformed("graceSeconds", `must be a whole number from 0 to ${GRACE.most}`);
  }
  const secret = makeSecret(), hash = await hashOf(secret);
  const key = await changed(id, config, ({ former: _, ...known }) => ({
    ...known,
    hash,
    ...(graceSeconds > 0 && { former: { hash: known.hash, until: config.now() + 1000 * graceSeconds } }),
  }));
  return answer({ ...await shown(key, config), secret });
}

async function remove(id: string, config: Config): Promise<Response> {
  if (id.startsWith(TOKEN_ID)) await keyOf(id, config);
  if (!await config.virtualKeys.remove(id)) throw noSuchKey(id);
  return answer({ id, deleted: true });
}
