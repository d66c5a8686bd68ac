/** Errors for paths of an API that are not served here. */
import { ANTHROPIC_ONLY } from "../../providers/api_words.ts";
import { GatewayError, shorten } from "../../wires/errors.ts";
import { type Route, wordsOf } from "./find_door.ts";

/**
 * The error for a path of OpenAI's or Anthropic's API that is not served here. It names the path to use.
 *
 * Its status is not 404, because clients read a 404 as an unknown model.
 */
export function unsupported({ account = "-", gateway = "default", endpoint }: Route & { endpoint: string }) {
  const words = wordsOf(endpoint);
  const word = (words[0] ?? "").toLowerCase();
  const told = shorten([word, ...words.slice(1)].join("/"));
  const provider = shorten(`/v1/${encodeURIComponent(account)}/${encodeURIComponent(gateway)}`);
  const cure = word === "chat" && words.length <= 2
    ? "Chat completions are at /v1/chat/completions"
    : word === "models"
    ? "Models are listed at /v1/models"
    : ANTHROPIC_ONLY.has(word)
    ? `Anthropic's own path is ${provider}/anthropic/v1/${told}, for clients with the base URL ${provider}/anthropic`
    : `OpenAI's own path is ${provider}/openai/${told}`;
  return new GatewayError("invalid_model", `Compatibility endpoint: ${told} is not supported. ${cure}`);
}

/**
 * The error for a path that reads or changes a stored response.
 *
 * @param isKeeping Whether the gateway stores any.
 */
export function notKept(
  { account = "-", gateway = "default", endpoint }: Route & { endpoint: string },
  isKeeping: boolean,
) {
  const told = shorten(wordsOf(endpoint).join("/"));
  const provider = shorten(`/v1/${encodeURIComponent(account)}/${encodeURIComponent(gateway)}`);
  const state = isKeeping
    ? "the gateway stores nothing of this name. Read"
    : "the gateway stores no responses. Send the whole conversation in input, or read";
  return new GatewayError(
    "not_found",
    `Cannot find ${told}: ${state} a response that OpenAI has stored at ${provider}/openai/${told}`,
  );
}
