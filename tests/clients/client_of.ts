/** OpenAI's SDK before a gateway. */
import OpenAI from "npm:openai@7.59.0";
import type { Gateway } from "../../mod.ts";

/** @param path Of the base URL. */
export function clientOf(fetch: Gateway["fetch"], path = "/v1"): OpenAI {
  return new OpenAI({
    apiKey: "key",
    baseURL: `http://gateway.test${path}`,
    maxRetries: 0,
    fetch: (input, init) => fetch(new Request(input, init)),
  });
}
