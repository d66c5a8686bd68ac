/** Chooses the wire of a provider for a request. */
import type { Provider, Route, Spoken, SpokenChat } from "../../providers/types.ts";
import type { ClientWire } from "../../wires/types.ts";
import { isObject } from "../../wires/shared/json.ts";
import { hasHostedTools, needsResponses } from "../../wires/shared/openai_models.ts";

/**
 * The wire for a request: the client's own if the provider speaks it and takes the request's tools there, else the provider's
 * usual wire. Calls that OpenAI's
 * models take only on Responses use Responses, if the row's `responses` says so.
 *
 * @param get Reads a member of the client's body.
 */
export function spokenTo(
  provider: Provider,
  client: ClientWire,
  model: string,
  get: (field: string) => unknown,
): Spoken {
  const { responses = "never" } = provider;
  const wires = wiresFor(provider, model, get);
  const own = wires.find((spoken) => isSpoken(spoken, client) && takesTools(spoken, get));
  const usual = own ?? wires[0];
  if (responses === "never" || own?.wire.name === "responses") return usual;
  const isNeeded = responses === "always" ||
    // `get` reads members of chat completions. For a client of another wire little more than the model decides.
    needsResponses(ruledBy(provider, model) ?? model, own && get) ||
    client.name === "anthropic" && hasHostedTools(get);
  return isNeeded ? wires.find(({ wire }) => wire.name === "responses") ?? usual : usual;
}

/** The wires in which a provider serves a model: those of its way, or the row's. */
export function wiresFor(
  provider: Provider,
  model: string,
  get: (field: string) => unknown,
): Provider["wires"] {
  const { wires, routes } = provider;
  if (!routes) return wires;
  const base = baseModel(provider, model);
  const isFor = ({ models, takes = () => true }: Route) =>
    (models.test(model) || base !== undefined && models.test(base)) && takes(get, base ?? model);
  return routes.find(isFor)?.wires ?? wires;
}

/** The model behind an id, if the option `baseModels` names it. */
export const baseModel = ({ baseModels, modelId }: Provider, model: string): string | undefined =>
  baseModels?.get(modelId?.(model) ?? model);

/** The model whose rules hold for an id, if the id itself does not name it; `""` for a model that nothing names. */
export function ruledBy(provider: Provider, model: string): string | undefined {
  const { modelNames, modelId } = provider;
  const isName = !modelNames || modelNames.test(modelId?.(model) ?? model);
  return baseModel(provider, model) ?? (isName ? undefined : "");
}

/** Whether a provider's wire is the client's own and has the client's path below it. Bodies are then handed through. */
export const isSpoken = ({ wire, below }: Spoken, client: ClientWire): boolean =>
  wire.name === client.name && (client.below === undefined || below?.includes(client.below) === true);

/** Whether a row has rules for bodies of its wire (chat completions). Bodies that the gateway writes must follow them too. */
export const isRuled = (spoken: Spoken): spoken is SpokenChat => "fitMessages" in spoken.wire;

/** Whether a provider takes all tools that a request of this wire offers. */
function takesTools({ tools: taken }: Spoken, get: (field: string) => unknown): boolean {
  const tools = taken && get("tools");
  // A tool of the client's own may have no type on Messages, where it is `custom`.
  return !Array.isArray(tools) ||
    tools.every((tool) => !isObject(tool) || taken!.test(String(tool.type ?? "custom")));
}
