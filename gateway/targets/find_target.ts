/** Finds the provider and the model that a client names. */
import { EXAMPLE_MODELS } from "../../providers/example_models.ts";
import { likelyProvider, nearestNames, soleProvider } from "../../providers/nearest_names.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import type { RouteLeg } from "./routes/types.ts";

/** The most characters of a model's name. The longest known names (ids of deployments) have some 150. */
export const MOST_NAME = 256;

/** One provider and model that may serve a call. */
export interface Target {
  provider: Provider;
  /** The provider's name for the model. */
  model: string;
  /** The model whose rules hold, if it is another: the one that the option `baseModels` names, or `""` for an unknown one. */
  baseModel?: string;
  /** The pattern of the option `models` that led here. */
  alias?: string;
  /** The way through a route that led here. */
  leg?: RouteLeg;
}

/** The kind of a request. */
export type Task = "any" | "chat" | "completions" | "embeddings" | "rerank";

/** The feature that a provider lacks for a task, as the end of an error message; `undefined` if it lacks none. */
const LACKS: Record<Task, (provider: Provider) => string | undefined> = {
  any: () => undefined,
  chat: ({ chat }) => chat === false ? "chat completions here, only its own paths" : undefined,
  completions: ({ endpoints }) => endpoints?.completions ? undefined : "completions of the older form here",
  embeddings: ({ embeddings }) => embeddings ? undefined : "embeddings here",
  rerank: ({ endpoints }) => endpoints?.rerank ? undefined : "rerank here",
};

/**
 * Splits `{provider}/{model}`. A bare `@cf/…` is a model of Workers AI, and a bare name that only one provider can mean is a
 * model of that provider, e.g. `claude-…` of Anthropic.
 *
 * @param param The place where the client wrote the model.
 * @throws GatewayError `invalid_model` or `unknown_provider`.
 */
export function findTarget(
  model: unknown,
  providers: ReadonlyMap<string, Provider>,
  param = "model",
  task: Task = "chat",
): Target {
  if (typeof model !== "string" || model === "") {
    const message = `Cannot route the request: ${param} must be "{provider}/{model}"`;
    throw new GatewayError("invalid_model", message, { param });
  }
  if (!model.isWellFormed()) {
    const message = `Cannot route the request: ${param} holds half a character`;
    throw new GatewayError("invalid_model", message, { param });
  }
  const slash = model.indexOf("/");
  const bare = model.startsWith("@cf/") ? "workers-ai" : slash < 0 ? soleProvider(model) : undefined;
  const name = bare ?? model.slice(0, Math.max(0, slash));
  const rest = bare === undefined ? model.slice(slash + 1) : model;
  if (name === "" || rest === "") {
    throw new GatewayError(
      "invalid_model",
      `Cannot route model ${quote(model)}: write it as "{provider}/{model}", e.g. ${example(model)}`,
      { param },
    );
  }
  if (rest.length > MOST_NAME) {
    const message = `Cannot route model ${quote(model)}: its name is longer than ${MOST_NAME} characters`;
    throw new GatewayError("invalid_model", message, { param });
  }
  const provider = findProvider(name, providers, param, EATEN);
  const lack = LACKS[task](provider);
  if (lack !== undefined) {
    const message = `Cannot route model ${quote(model)}: ${provider.name} has no ${lack}`;
    throw new GatewayError("invalid_model", message, { param });
  }
  return { provider, model: rest };
}

/** The cure for clients that take the first segment as a name of their own, and send only the rest. */
const EATEN = '. If the client cuts the first segment off, write the provider twice: "groq/groq/…"';

function example(model: string): string {
  const provider = likelyProvider(model);
  if (provider === undefined || model.length > 100) return quote(EXAMPLE_MODELS.openai);
  const whole = `${provider}/${model}`;
  return `${quote(whole)}. If the client cuts the first segment off, write it twice: ` +
    quote(`${provider}/${whole}`);
}

/** The name in place of a provider for Cloudflare's dynamic routes. */
export const DYNAMIC = "dynamic";

/**
 * The provider with a name or an alias.
 *
 * @param param The place where the client wrote the name.
 * @param hint The end of the message if no known name is close.
 * @throws GatewayError `unknown_provider` that lists the nearest names.
 */
export function findProvider(
  name: string,
  providers: ReadonlyMap<string, Provider>,
  param?: string,
  hint = "",
): Provider {
  const provider = providers.get(name);
  if (provider) return provider;
  if (name === DYNAMIC) {
    throw new GatewayError(
      "unknown_provider",
      'Cannot route to "dynamic": it stands for routes, which are named as dynamic/{name}, and no provider has that name',
      { param },
    );
  }
  const near = nearestNames(name, providers.keys()).map((one) => JSON.stringify(one));
  throw new GatewayError(
    "unknown_provider",
    `Cannot route to ${quote(name)}: there is no provider of that name` +
      (near.length > 0 ? `; did you mean ${near.join(" or ")}?` : hint),
    { param },
  );
}
