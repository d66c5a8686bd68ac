/** Finds the targets that a request names, in the order in which they are tried. */
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { list } from "../../wires/shared/json.ts";
import { findTarget, type Target, type Task } from "./find_target.ts";
import type { Aliases } from "./aliases.ts";
import { isRouteName, type Routes, targetsOfRoute } from "./routes/legs.ts";

/** The most targets, or steps, that one request may name. */
export const MOST_STEPS = 20;

/** The names that are known. */
interface Known {
  providers: ReadonlyMap<string, Provider>;
  /** Absent if the operator has set no names. */
  aliases?: Aliases;
  /** Absent if the gateway has no routes. */
  routes?: Routes;
  random: () => number;
}

/** The parts of a request that are read here. */
interface Asked {
  headers: Headers;
  config: Known;
  caller: { check(provider: Provider, model?: string): void };
  account?: string;
  gateway?: string;
}

/** The fields of a request's body. */
interface Fields {
  get(field: string): unknown;
}

/**
 * The targets of the body's `model`, then those of its list `models` and of the header `sluice-fallback`, each once. A name of
 * the operator's stands for one or several targets.
 *
 * @throws GatewayError `invalid_model`, `unknown_provider`, `unauthorized` or `invalid_request`.
 */
export function findTargets(
  body: Fields,
  asked: Asked,
  task: Task = "chat",
): Target[] {
  const { headers, caller } = asked;
  const model = body.get("model") ?? undefined;
  const first = model === undefined ? [] : targetsOf(model, "model", asked, task, body);
  checkOwnModels(first, body, caller);
  // A provider with a list `models` of its own reads it itself.
  const others = (first[0]?.provider.ownModels ? undefined : body.get("models")) ?? [];
  if (!Array.isArray(others)) {
    const message = "Cannot read the request: models must be a list";
    throw new GatewayError("invalid_request", message, { param: "models" });
  }
  const written = headers.get("sluice-fallback");
  if (first.length === 1 && others.length === 0 && written === null) return first;
  const fallback = written?.split(",").map((name) => name.trim()).filter(Boolean) ?? [];
  /** Each name, with the place where it was written first. */
  const names = new Map<unknown, string>();
  const add = (name: unknown, param: string) => {
    if (names.has(name)) return;
    names.set(name, param);
    checkCount(names.size);
  };
  if (model !== undefined) add(model, "model");
  for (const [at, name] of others.entries()) add(name, `models[${at}]`);
  for (const name of fallback) add(name, "sluice-fallback");
  // A request without any model gets the same error as one with a malformed model.
  if (names.size === 0) names.set(undefined, "model");
  const targets = new Map<string, Target>();
  for (const [name, param] of names) {
    // A route is walked once: its shares are drawn at random.
    const found = param === "model" && model !== undefined
      ? first
      : targetsOf(name, param, asked, task, body);
    for (const target of found) {
      const { provider, leg } = target;
      // Two ways through a route may lead to one model, each under its own conditions.
      const key = `${provider.name}/${target.model}${leg ? ` ${leg.route.name} ${leg.way}` : ""}`;
      if (!targets.has(key)) targets.set(key, target);
      checkCount(targets.size);
    }
  }
  const found = [...targets.values()];
  checkOwnModels(found, body, caller);
  return found;
}

/**
 * Checks the models that a provider with a list `models` of its own may use in place of the one that is named.
 *
 * @throws GatewayError `forbidden`
 */
export function checkOwnModels(
  targets: readonly Target[],
  body: Fields,
  caller: Asked["caller"],
): void {
  for (const { provider } of targets) {
    if (!provider.ownModels) continue;
    for (const name of list(body.get("models"))) caller.check(provider, `${name}`);
  }
}

function checkCount(count: number): void {
  if (count <= MOST_STEPS) return;
  throw new GatewayError("invalid_request", `Cannot try more than ${MOST_STEPS} models`, { param: "models" });
}

/**
 * The targets that one name stands for.
 *
 * @param param The place where the client wrote the name.
 * @param body The request's body, which a route may look at.
 * @throws GatewayError, with the pattern in its message if one has matched.
 */
export function targetsOf(
  name: unknown,
  param: string,
  asked: Asked,
  task: Task = "chat",
  body?: Fields,
): Target[] {
  const { config: { providers, aliases }, caller } = asked;
  const alias = typeof name === "string" ? aliases?.find(name) : undefined;
  const find = (name: unknown): Target[] => {
    if (isRouteName(name, providers)) return targetsOfRoute(name, param, asked, task, body);
    const target = findTarget(name, providers, param, task);
    caller.check(target.provider, target.model);
    return [target];
  };
  if (!alias) return find(name);
  return alias.names.flatMap((one) => {
    try {
      return find(one).map((target) => ({ ...target, alias: alias.pattern }));
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { code, message, details } = error;
      const by = ` (the option models maps ${quote(`${name}`)} to it, by the pattern ${
        quote(alias.pattern)
      })`;
      throw new GatewayError(code, message + by, details);
    }
  });
}
