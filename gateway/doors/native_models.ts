/** Checks the models of requests in a provider's own format, for tokens that are for some models only. */
import { modelInPath } from "../../providers/native.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { findMembers } from "../../wires/shared/json_text.ts";
import { objects, parse } from "../../wires/shared/json.ts";
import type { Exchange } from "../exchange.ts";

/**
 * Checks each model that a request names: in its path, and as `model` and `models` of its body.
 *
 * @param endpoint The path below the provider's name.
 * @throws GatewayError `forbidden` for a model that the token is not for, and for a request that names none, or not clearly.
 */
export function checkModels(
  provider: Provider,
  endpoint: string,
  body: BodyInit | null,
  { caller, headers }: Exchange,
): void {
  if (!caller.models) return;
  const { target } = provider;
  // The path of such a request is in a header.
  const isElsewhere = target !== undefined && headers.has(target.header);
  const inPath = modelInPath(provider, endpoint.split("?", 1)[0]);
  const inBody = modelsIn(body);
  const names = [...inPath === undefined ? [] : [inPath], ...inBody ?? []];
  if (isElsewhere || inBody === undefined || names.length === 0) {
    throw new GatewayError(
      "forbidden",
      "Cannot serve the request: its gateway token is for some models only, and the request does not name one clearly; " +
        "name it once, as the member model of a JSON body or in the path",
      { param: "model" },
    );
  }
  const text = bytesOf(body);
  for (const name of [...names, ...toolModels(text && fieldsOf(text)?.("tools"))]) {
    caller.check(provider, name);
  }
}

/** The models that tools use, e.g. that of OpenAI's `image_generation`. */
export const toolModels = (tools: unknown): string[] =>
  objects(tools).flatMap(({ model }) => typeof model === "string" ? [model] : []);

/** The models that a body names; `undefined` if that is not clear. */
export function modelsIn(body: BodyInit | null): string[] | undefined {
  if (body === null) return [];
  const text = bytesOf(body);
  if (!text) return undefined;
  const fields = fieldsOf(text);
  // Providers differ in which of two members of one name they read, and in how much of malformed JSON.
  if (!fields) return new TextDecoder().decode(text).trimStart().startsWith("{") ? undefined : [];
  const model = fields("model") ?? undefined, others = fields("models") ?? [];
  if (!Array.isArray(others)) return undefined;
  const named = model === undefined ? others : [model, ...others];
  return named.every((name) => typeof name === "string") ? named : undefined;
}

function bytesOf(body: BodyInit | null): Uint8Array<ArrayBuffer> | undefined {
  if (typeof body === "string") return new TextEncoder().encode(body);
  return ArrayBuffer.isView(body) ? body as Uint8Array<ArrayBuffer> : undefined;
}

/** The function that reads a member of a JSON object; `undefined` for any other text, and if a member stands twice. */
function fieldsOf(text: Uint8Array<ArrayBuffer>): ((name: string) => unknown) | undefined {
  const members = membersOf(text);
  return members && ((name) => {
    const member = members.get(name);
    return member && parse(new TextDecoder().decode(text.subarray(member.valueStart, member.valueEnd)));
  });
}

/** The members of a JSON object; `undefined` for any other text, and if a member stands twice. */
function membersOf(text: Uint8Array<ArrayBuffer>): ReturnType<typeof findMembers> {
  try {
    return findMembers(text);
  } catch {
    return undefined;
  }
}
