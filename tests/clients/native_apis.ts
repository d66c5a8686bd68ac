/** Providers' own APIs as a `fetch` function, so that their SDKs can be pointed at the gateway. */
import type { JsonObject } from "../../wires/types.ts";
import { FAKES, type Scenario, SCENARIOS, type SseEvent, sseText, TEXT } from "../wires/shared.ts";

/** A request that was sent to a provider. */
export interface Sent {
  url: string;
  headers: Headers;
  body: JsonObject;
  signal: AbortSignal;
}

/** The answer of a model without tools. */
export const ANSWER = TEXT.text!.join("");

/** The call that a model with tools makes first. */
export const CALL = { name: "weather", args: { city: "Zürich" } };

const CALLING: Scenario = {
  ...SCENARIOS.find(({ name }) => name === "parallel calls")!,
  calls: [{ id: "call_a1", name: CALL.name, args: ['{"city":', '"Zürich"', "}"] }],
};

/** One API: its URL, and its answers. */
interface Api {
  /** Matches host and path. */
  url: RegExp;
  whole(scenario: Scenario): JsonObject;
  stream(scenario: Scenario): SseEvent[];
  failure(message: string): SseEvent;
  /** The body of an error, where it is not what a failure in mid-stream is. */
  refusal?: JsonObject;
}

const fake = (provider: string) => FAKES.find((one) => one.provider === provider)!;

/**
 * The APIs of OpenAI (both), Groq, Anthropic, Google and Cohere on one network.
 *
 * A model with tools calls `weather` first and answers once it has the result. A model named `down-…` is always
 * overloaded, `late-…` only tells so in its stream, and `endless-…` streams until it is told to stop.
 */
export function nativeApis(): { fetch: (url: string, init: RequestInit) => Promise<Response>; sent: Sent[] } {
  const sent: Sent[] = [];
  return {
    sent,
    async fetch(url, { headers, body, signal }) {
      const one: Sent = {
        url,
        headers: new Headers(headers),
        body: JSON.parse(await new Response(body).text() || "{}"),
        signal: signal!,
      };
      sent.push(one);
      const api = APIS.find((api) => api.url.test(url));
      return api ? answer(api, one) : Response.json({ error: { message: "Not found" } }, { status: 404 });
    },
  };
}

function answer(api: Api, { url, body, signal }: Sent): Response {
  const text = JSON.stringify(body);
  const told = /"function_call_output"|"tool_result"|"functionResponse"|"role":"tool"/.test(text);
  const scenario = body.tools && !told ? CALLING : TEXT;
  const model = typeof body.model === "string" ? body.model : /models\/([^:]+)/.exec(url)![1];
  const overloaded = api.failure("Overloaded");
  if (model.startsWith("down-")) return Response.json(api.refusal ?? overloaded.data, { status: 503 });
  if (!body.stream && !url.includes(":stream")) return Response.json(api.whole(scenario));
  const events = model.startsWith("late-") ? [overloaded] : api.stream(scenario);
  const type = { "content-type": "text/event-stream" };
  if (!model.startsWith("endless-")) return new Response(sseText(events), { headers: type });
  return new Response(endless(sseText(events.slice(0, -1)), signal), { headers: type });
}

function endless(text: string, signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      signal.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
}

// ---------------------------------------------------------------- OpenAI's Responses

const responses: Api = {
  url: /\/api\.openai\.com\/v1\/responses$/,
  whole: (scenario) => response(scenario, "completed"),
  failure: (message) => ({
    event: "error",
    data: { type: "error", message, code: "overloaded", param: null },
  }),
  refusal: { error: { message: "Overloaded", type: "server_error", param: null, code: "overloaded" } },
  stream(scenario) {
    const { text = [], calls = [] } = scenario;
    const started = { ...response(scenario, "in_progress"), output: [], usage: null };
    const events: JsonObject[] = [
      { type: "response.created", response: started },
      { type: "response.in_progress", response: started },
    ];
    const item = response(scenario, "in_progress").output[0];
    const at = { item_id: item.id, output_index: 0 };
    const part = { ...at, content_index: 0 };
    if (text.length > 0) {
      events.push(
        { type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
        { type: "response.content_part.added", ...part, part: outputText("") },
        ...text.map((delta) => ({ type: "response.output_text.delta", ...part, delta, logprobs: [] })),
        { type: "response.output_text.done", ...part, text: text.join(""), logprobs: [] },
        { type: "response.content_part.done", ...part, part: outputText(text.join("")) },
      );
    }
    for (const { name, args } of calls) {
      events.push(
        { type: "response.output_item.added", output_index: 0, item: { ...item, arguments: "" } },
        ...args.map((delta) => ({ type: "response.function_call_arguments.delta", ...at, delta })),
        { type: "response.function_call_arguments.done", ...at, name, arguments: args.join("") },
      );
    }
    events.push(
      { type: "response.output_item.done", output_index: 0, item: { ...item, status: "completed" } },
      { type: "response.completed", response: response(scenario, "completed") },
    );
    return events.map((data, sequence_number) => ({
      event: data.type as string,
      data: { ...data, sequence_number },
    }));
  },
};

const outputText = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

function response({ text, calls = [], usage }: Scenario, status: string) {
  const message = {
    type: "message",
    id: "msg_1",
    role: "assistant",
    content: [outputText(text?.join("") ?? "")],
  };
  const called = calls.map(({ id, name, args }) => ({
    type: "function_call",
    id: `fc_${id}`,
    call_id: id,
    name,
    arguments: args.join(""),
  }));
  return {
    id: "resp_shared1",
    object: "response",
    created_at: 1_700_000_000,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: "gpt-5-mini-2025-08-07",
    output: [...(text ? [message] : []), ...called].map((item) => ({ ...item, status })),
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage: {
      input_tokens: usage.prompt,
      input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: 0 },
      output_tokens: usage.completion,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.prompt + usage.completion,
    },
  };
}

const APIS: readonly Api[] = [
  responses,
  { url: /\/api\.openai\.com\/v1\/chat\/completions$/, ...fake("openai") },
  { url: /\/api\.groq\.com\/openai\/v1\/chat\/completions$/, ...fake("openai") },
  { url: /\/api\.anthropic\.com\/v1\/messages$/, ...fake("anthropic") },
  {
    url:
      /\/generativelanguage\.googleapis\.com\/v1(beta)?\/models\/[\w.-]+:(generateContent|streamGenerateContent\?alt=sse)$/,
    ...fake("google-ai-studio"),
  },
  { url: /\/api\.cohere\.com\/v2\/chat$/, ...fake("cohere") },
];
