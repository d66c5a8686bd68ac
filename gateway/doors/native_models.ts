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
  const inPath = modelInPath(provider, pathOf(endpoint));
  const inBody = modelsIn(body);
  const names = [...inPath === undefined ? [] : [inPath], ...inBody ?? []];
  if (isElsewhere || !isClear(endpoint, inPath) || inBody === undefined || names.length === 0) {
    throw new GatewayError(
      "forbidden",
      "Cannot serve the request: its gateway token is for some models only, and the request does not name one clearly; " +
        "name it once, as the member model of a JSON body or in the path",
      { param: "model" },
    );
  }
  const text = bytesOf(body);
  const fields = text && fieldsOf(text);
  // Replicate runs the version, whatever else is named.
  const version = /(?:^|\/)predictions\/?$/.test(pathOf(endpoint)) ? fields?.("version") : undefined;
  if (typeof version === "string") names.push(version);
  for (const name of [...names, ...toolModels(fields?.("tools"))]) caller.check(provider, name);
}

/**
 * Paths whose requests run models that they name in files, within other members, or not at all: batches, sessions in real time, and
 * tokens with which a client asks the provider itself.
 */
const ELSEWHERE = /(?:^|\/)(?:auth_tokens|batches|embed-jobs|realtime)(?:[/:]|$)/i;

/** Whether a path, or else the member `model` of a body, tells which model is run. */
export function isClear(endpoint: string, inPath: string | undefined): boolean {
  const path = pathOf(endpoint);
  if (ELSEWHERE.test(path) || path.split(/(?:^|\/)models\//).length > 2) return false;
  // A path that ends in a verb names its model itself: `tunedModels/m:generateContent`.
  return inPath !== undefined || !/(?::|%3a)\w+\/?$/i.test(path);
}

/**
 * The model of a request to a provider's own path, for budgets; `undefined` if it is not clear, so that it may be any.
 *
 * @param inBody The model that the body seems to name.
 */
export function clearModel(
  provider: Provider,
  endpoint: string,
  body: BodyInit | null,
  inBody: string | undefined,
): string | undefined {
  const inPath = modelInPath(provider, pathOf(endpoint));
  if (!isClear(endpoint, inPath)) return undefined;
  return inPath ?? (modelsIn(body) === undefined ? undefined : inBody);
}

const pathOf = (endpoint: string) => endpoint.split("?", 1)[0];

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
