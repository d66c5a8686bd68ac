/** Checks the models of requests in a provider's own format, for tokens that are for some models only. */
import { modelInPath } from "../../providers/native.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { findMembers } from "../../wires/shared/json_text.ts";
import { parse } from "../../wires/shared/json.ts";
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
  for (const name of names) caller.check(provider, name);
}

/** The models that a body names; `undefined` if that is not clear. */
export function modelsIn(body: BodyInit | null): string[] | undefined {
  if (body === null) return [];
  if (!ArrayBuffer.isView(body) && typeof body !== "string") return undefined;
  const text = typeof body === "string" ? new TextEncoder().encode(body) : body as Uint8Array<ArrayBuffer>;
  const members = membersOf(text);
  const decode = (part: Uint8Array) => new TextDecoder().decode(part);
  // Providers differ in which of two members of one name they read, and in how much of malformed JSON.
  if (!members) return decode(text).trimStart().startsWith("{") ? undefined : [];
  const valueOf = (key: string) => {
    const member = members.get(key);
    return member && parse(decode(text.subarray(member.valueStart, member.valueEnd)));
  };
  const model = valueOf("model") ?? undefined, others = valueOf("models") ?? [];
  if (!Array.isArray(others)) return undefined;
  const named = model === undefined ? others : [model, ...others];
  return named.every((name) => typeof name === "string") ? named : undefined;
}

/** The members of a JSON object; `undefined` for any other text, and if a member stands twice. */
function membersOf(text: Uint8Array<ArrayBuffer>): ReturnType<typeof findMembers> {
  try {
    return findMembers(text);
  } catch {
    return undefined;
  }
}
