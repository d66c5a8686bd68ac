/** A gateway with the official client of Messages. */
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import { lab, type Play } from "./lab.ts";

// deno-lint-ignore no-explicit-any -- Requests and blocks that the SDK's types do not know.
export type Any = any;

export type Options = Parameters<typeof lab>[1];

/** A lab with Anthropic's SDK as its client. */
export function messagesLab(play: Play, options?: Options) {
  const one = lab(play, options);
  const anthropic = new Anthropic({
    apiKey: null,
    authToken: "key",
    baseURL: "http://gateway.test",
    maxRetries: 0,
    fetch: (input, init) => one.gateway.fetch(new Request(input as string, init as RequestInit)),
  });
  const send = (body: unknown, headers: Record<string, string> = {}, path = "/v1/messages") =>
    one.gateway.fetch(
      new Request(`http://gateway.test${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  return { ...one, anthropic, send };
}

/** A strict fake that only accepts the key `key`, behind a gateway that has stored others. */
export const storedKey = (play: Play): Play => (asked) => {
  const headers = new Headers(asked.headers);
  if (headers.get("x-goog-api-key") === "stored-of-google") headers.set("x-goog-api-key", "key");
  if (headers.get("authorization") === "Bearer stored-of-cohere") headers.set("authorization", "Bearer key");
  return play({ ...asked, headers });
};

export const GEMINI = "google-ai-studio/gemini-3-pro";

export const CLAUDE = "anthropic/claude-opus-4-6";

export const COHERE = "cohere/command-a-03-2025";

export const USER = { role: "user" as const, content: "Hi" };

export const WEATHER = {
  name: "weather",
  description: "The weather in a city.",
  input_schema: { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] },
};
