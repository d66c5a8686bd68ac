/** Chooses the wire of a provider for a request. */
import type { Provider, Spoken } from "../../providers/types.ts";
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
  { wires, responses = "never" }: Provider,
  client: ClientWire,
  model: string,
  get: (field: string) => unknown,
): Spoken {
  const own = wires.find((spoken) => isSpoken(spoken, client) && takesTools(spoken, get));
  const usual = own ?? wires[0];
  if (responses === "never" || own?.wire.name === "responses") return usual;
  const isNeeded = responses === "always" ||
    // `get` reads members of chat completions. For a client of another wire little more than the model decides.
    needsResponses(model, own && get) || client.name === "anthropic" && hasHostedTools(get);
  return isNeeded ? wires.find(({ wire }) => wire.name === "responses") ?? usual : usual;
}

/** Whether a provider's wire is the client's own and has the client's path below it. Bodies are then handed through. */
export const isSpoken = ({ wire, below }: Spoken, client: ClientWire): boolean =>
  wire.name === client.name && (client.below === undefined || below?.includes(client.below) === true);

/** Whether a provider takes all tools that a request of this wire offers. */
function takesTools({ tools: taken }: Spoken, get: (field: string) => unknown): boolean {
  const tools = taken && get("tools");
  // A tool of the client's own may have no type on Messages, where it is `custom`.
  return !Array.isArray(tools) ||
    tools.every((tool) => !isObject(tool) || taken!.test(String(tool.type ?? "custom")));
}
