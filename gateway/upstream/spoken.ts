/** Which of a provider's wires a request is sent on. */
import type { Provider, Spoken } from "../../providers/types.ts";
import type { ClientWire } from "../../wires/types.ts";
import { needsResponses } from "../../wires/shared/openai_models.ts";

/**
 * The wire by which a provider is asked: the client's own if the provider speaks it, else its usual one; or Responses, for a
 * call that OpenAI's models take only there.
 *
 * @param get Reads a member of the client's body.
 */
export function spokenTo(
  { wires, responses = "never" }: Provider,
  client: ClientWire,
  model: string,
  get: (field: string) => unknown,
): Spoken {
  const own = wires.find((spoken) => isSpoken(spoken, client));
  const usual = own ?? wires[0];
  if (responses === "never" || own?.wire.name === "responses") return usual;
  const isNeeded = responses === "always" ||
    // Of another client's body no more is known than that it is for this model.
    needsResponses(model, own && get);
  return isNeeded ? wires.find(({ wire }) => wire.name === "responses") ?? usual : usual;
}

/** Whether a provider's wire is the client's own, with what the client asks of it: bodies are handed through then. */
export const isSpoken = ({ wire, below }: Spoken, client: ClientWire): boolean =>
  wire.name === client.name && (client.below === undefined || below?.includes(client.below) === true);
