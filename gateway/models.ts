/** The list of models. */
import type { JsonObject } from "../wires/types.ts";
import type { Provider } from "../providers/types.ts";
import type { Config } from "./config.ts";

/**
 * Models under the names that a client writes, e.g. `demo/echo`, in OpenAI's list shape.
 *
 * Only the providers built in are asked: the others' lists need a key each, and a client has one.
 */
export async function listModels({ providers }: Config): Promise<Response> {
  const builtIn = new Set([...providers.values()].filter((provider) => provider.fetch));
  const lists = await Promise.all([...builtIn].map(modelsOf));
  return Response.json({ object: "list", data: lists.flat() });
}

async function modelsOf({ name, baseUrl, modelsPath = "/models", fetch }: Provider): Promise<JsonObject[]> {
  const response = await fetch!(new Request(baseUrl + modelsPath));
  const { data } = await response.json() as { data: JsonObject[] };
  return data.map((model) => ({ ...model, id: `${name}/${model.id}` }));
}
