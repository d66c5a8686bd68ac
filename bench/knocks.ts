/** What the benches' clients send, in each client's format and in each provider's own. */

/** A format of the fake provider. */
export type Shape = "openai" | "anthropic" | "gemini" | "responses";

/** A format in which clients ask. */
export type Client = "chat" | "messages" | "responses";

/** A request in the form of one target. */
export interface Knock {
  path: string;
  headers: Record<string, string>;
  body: string;
  /** A text near the end of every good answer. */
  expect: string;
}

/** One message of a prompt. */
export interface Turn {
  role: string;
  content: unknown;
}

/** The headers that the OpenAI SDK sends beside the key. */
export const HEADERS = {
  authorization: "Bearer sk-bench-0123456789abcdef",
  accept: "application/json",
  "accept-encoding": "identity",
  "user-agent": "OpenAI/JS 6.9.1",
  "x-stainless-arch": "x64",
  "x-stainless-lang": "js",
  "x-stainless-os": "Linux",
  "x-stainless-package-version": "6.9.1",
  "x-stainless-retry-count": "0",
  "x-stainless-runtime": "node",
  "x-stainless-runtime-version": "v24.0.0",
};

const MAX_TOKENS = 1000;

const isStream = (load: string) => load.startsWith("s");
const streamed = (load: string) => isStream(load) && { stream: true };
const system = (messages: readonly Turn[]) => messages.find(({ role }) => role === "system")?.content;
const others = (messages: readonly Turn[]) => messages.filter(({ role }) => role !== "system");

interface Format {
  path: string;
  body(model: string, load: string, messages: readonly Turn[]): object;
  expect(load: string): string;
}

const FORMATS: Record<Client, Format> = {
  chat: {
    path: "/v1/chat/completions",
    body: (model, load, messages) => ({
      model,
      messages,
      max_tokens: MAX_TOKENS,
      // Models of Responses alone refuse it.
      ...(!isCodex(model) && { temperature: 0.5 }),
      ...streamed(load),
    }),
    expect: (load) => isStream(load) ? "data: [DONE]" : `"total_tokens"`,
  },
  messages: {
    path: "/v1/messages",
    body: (model, load, messages) => ({
      model,
      max_tokens: MAX_TOKENS,
      system: system(messages),
      messages: others(messages),
      ...streamed(load),
    }),
    expect: (load) => isStream(load) ? "message_stop" : `"output_tokens"`,
  },
  responses: {
    path: "/v1/responses",
    body: (model, load, messages) => ({
      model,
      instructions: system(messages),
      input: others(messages),
      max_output_tokens: MAX_TOKENS,
      store: false,
      ...streamed(load),
    }),
    expect: (load) => isStream(load) ? `"annotations":[]}]}]}}` : `"output_tokens"`,
  },
};

/** A client's request. */
export function knockAs(client: Client, model: string, load: string, messages: readonly Turn[]): Knock {
  const { path, body, expect } = FORMATS[client];
  return { path, headers: HEADERS, body: JSON.stringify(body(model, load, messages)), expect: expect(load) };
}

/** The request in the provider's own format, for targets that do not translate. */
export function nativeKnock(shape: Shape, load: string, messages: readonly Turn[]): Knock {
  if (shape === "openai") return knockAs("chat", load, load, messages);
  if (shape === "anthropic") return knockAs("messages", load, load, messages);
  if (shape === "responses") return knockAs("responses", load, load, messages);
  const stream = isStream(load);
  return {
    path: `/v1beta/models/${load}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    headers: HEADERS,
    body: JSON.stringify({
      contents: messages.map(({ content }) => ({ role: "user", parts: [{ text: content }] })),
      generationConfig: { maxOutputTokens: MAX_TOKENS, temperature: 0.5 },
    }),
    expect: stream ? `"finishReason":"STOP"` : `"totalTokenCount"`,
  };
}

/** The fake provider takes what stands behind the last slash for its load. */
const CODEX = "gpt-5-codex/";
const isCodex = (model: string) => model.includes(CODEX);

/** What stands before a load in the model that Sluice is asked for: chat goes over Responses for OpenAI's Codex models. */
export const PREFIXES: Record<Shape, string> = {
  openai: "openai/",
  anthropic: "anthropic/",
  gemini: "google-ai-studio/",
  responses: `openai/${CODEX}`,
};
