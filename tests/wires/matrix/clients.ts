/** The clients of the matrix: each asks with its official SDK, and tells in nobody's terms what that SDK has read. */
import { assert } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import OpenAI from "npm:openai@7.59.0";
import type { WireName } from "../../../wires/types.ts";
import type { Json } from "../../acceptance/lab.ts";
import { validate as validateMessages } from "../../acceptance/messages_events.ts";
import { checkResponse, readResponseStream } from "../../acceptance/responses_events.ts";
import { validateChat } from "./chat_events.ts";
import type { Ask } from "./scenarios.ts";

// deno-lint-ignore no-explicit-any -- Requests and answers of which the SDKs do not know every member.
type Any = any;
export type Fetch = (request: Request) => Promise<Response>;

/** What a client has read. */
export interface Seen {
  thinking: string;
  text: string;
  refusal: string;
  calls: { id: string; name: string; args: unknown }[];
  finish: string;
  usage: { prompt: number; cached: number; completion: number };
  /** What it sends back as the assistant's turn. */
  turn: Json[];
}

/** One client. */
export interface Client {
  name: string;
  wire: WireName;
  path: string;
  /** The body of a question. `history` is what follows the question in the client's own form. */
  body(model: string, ask: Ask, history: Json[]): Json;
  send(fetch: Fetch, body: Json, stream: boolean): Promise<Seen>;
  /** The turn that answers calls. */
  results(results: { id: string; said: string }[]): Json[];
  /** Holds a stream to the protocol: which events there are, with which members, in which order. */
  validate(text: string): void;
  /** The same for a whole answer. */
  validateWhole?(body: Json): void;
  /** The class that its SDK's errors are of. */
  error: typeof OpenAI.APIError | typeof Anthropic.APIError;
}

const LIMIT = 9000;
const inUrl = (data: string) => `data:image/png;base64,${data}`;

/** What the SDKs send through: their requests, with the streams of the answers held to the protocol. */
export function through(fetch: Fetch): { baseURL: string; maxRetries: 0; fetch: Any } {
  return {
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (input: string, init: RequestInit) => fetch(new Request(input, init)),
  };
}

// ---------------------------------------------------------------- OpenAI's chat completions

const chat: Client = {
  name: "chat",
  wire: "openai",
  path: "/v1/chat/completions",
  error: OpenAI.APIError,
  validate: validateChat,
  body: (model, { system, user, picture, tools, schema, thinks }, history) => ({
    model,
    messages: [
      ...(system ? [{ role: "system", content: system }] : []),
      {
        role: "user",
        content: picture
          ? [{ type: "text", text: user }, { type: "image_url", image_url: { url: inUrl(picture) } }]
          : user,
      },
      ...history,
    ],
    max_tokens: LIMIT,
    ...(tools && { tools: tools.map((tool) => ({ type: "function", function: tool })) }),
    ...(schema &&
      { response_format: { type: "json_schema", json_schema: { name: "place", schema, strict: true } } }),
    ...(thinks && { reasoning_effort: "high" }),
  }),
  async send(fetch, body, stream) {
    const { completions } = new OpenAI({ apiKey: "key", ...through(fetch) }).chat;
    let reasoning = "";
    let completion: Any;
    if (stream) {
      const chunks = completions.stream({ ...body, stream_options: { include_usage: true } } as Any);
      chunks.on("chunk", ({ choices: [choice] }: Any) => reasoning += choice?.delta.reasoning_content ?? "");
      completion = await chunks.finalChatCompletion();
    } else {
      completion = await completions.create(body as Any);
      reasoning = completion.choices[0].message.reasoning_content ?? "";
    }
    const { choices: [{ message, finish_reason }], usage } = completion;
    return {
      thinking: reasoning,
      text: message.content ?? "",
      refusal: message.refusal ?? "",
      calls: (message.tool_calls ?? []).map((
        { id, function: { name, arguments: args } }: Any,
      ) => ({ id, name, args: JSON.parse(args) })),
      finish: finish_reason,
      usage: {
        prompt: usage.prompt_tokens,
        cached: usage.prompt_tokens_details?.cached_tokens,
        completion: usage.completion_tokens,
      },
      turn: [message],
    };
  },
  results: (results) => results.map(({ id, said }) => ({ role: "tool", tool_call_id: id, content: said })),
};

// ---------------------------------------------------------------- Anthropic's Messages

const MESSAGES_STOP: Record<string, string> = {
  end_turn: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

const messages: Client = {
  name: "Messages",
  wire: "anthropic",
  path: "/v1/messages",
  error: Anthropic.APIError,
  validate: validateMessages,
  body: (model, { system, user, picture, tools, schema, thinks }, history) => ({
    model,
    max_tokens: LIMIT,
    ...(system && { system }),
    messages: [
      {
        role: "user",
        content: picture
          ? [{ type: "text", text: user }, {
            type: "image",
            source: { type: "base64", media_type: "image/png", data: picture },
          }]
          : user,
      },
      ...history,
    ],
    ...(tools && { tools: tools.map(({ parameters, ...tool }) => ({ ...tool, input_schema: parameters })) }),
    ...(schema && { output_config: { format: { type: "json_schema", schema } } }),
    ...(thinks && { thinking: { type: "enabled", budget_tokens: 4000 } }),
  }),
  async send(fetch, body, stream) {
    const client = new Anthropic({
      apiKey: null,
      authToken: "key",
      ...through(fetch),
      baseURL: "http://gateway.test",
    });
    const message: Any = stream
      ? await client.messages.stream(body as Any).finalMessage()
      : await client.messages.create(body as Any);
    const { content, stop_reason, usage } = message;
    const of = (type: string) => content.filter((block: Any) => block.type === type);
    const finish = MESSAGES_STOP[stop_reason] ?? stop_reason;
    const text = of("text").map((block: Any) => block.text).join("");
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = usage;
    return {
      thinking: of("thinking").map((block: Any) => block.thinking).join(""),
      text,
      refusal: "",
      calls: of("tool_use").map(({ id, name, input }: Any) => ({ id, name, args: input })),
      finish,
      usage: {
        prompt: input_tokens + cache_read_input_tokens + cache_creation_input_tokens,
        cached: cache_read_input_tokens,
        completion: output_tokens,
      },
      turn: [{ role: "assistant", content }],
    };
  },
  results: (results) => [{
    role: "user",
    content: results.map(({ id, said }) => ({ type: "tool_result", tool_use_id: id, content: said })),
  }],
};

// ---------------------------------------------------------------- OpenAI's Responses

/** The SDK adds to what it has read, and OpenAI refuses that: "Unknown parameter: 'input[1].parsed_arguments'". */
const asSent = ({ parsed_arguments: _, content, ...item }: Any) => ({
  ...item,
  ...(content && { content: content.map(({ parsed: _, ...part }: Any) => part) }),
});

const RESPONSES_REASON: Record<string, string> = {
  max_output_tokens: "length",
  content_filter: "content_filter",
};

const responses: Client = {
  name: "Responses",
  wire: "responses",
  path: "/v1/responses",
  error: OpenAI.APIError,
  validate: (text) => void readResponseStream(text),
  validateWhole: checkResponse,
  body: (model, { system, user, picture, tools, schema, thinks }, history) => ({
    model,
    ...(system && { instructions: system }),
    input: [
      {
        role: "user",
        content: picture
          ? [{ type: "input_text", text: user }, {
            type: "input_image",
            image_url: inUrl(picture),
            detail: "auto",
          }]
          : user,
      },
      ...history,
    ],
    max_output_tokens: LIMIT,
    store: false,
    ...(tools && { tools: tools.map((tool) => ({ type: "function", ...tool, strict: true })) }),
    ...(schema && { text: { format: { type: "json_schema", name: "place", schema, strict: true } } }),
    ...(thinks &&
      { reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"] }),
  }),
  async send(fetch, body, stream) {
    const client = new OpenAI({ apiKey: "key", ...through(fetch) });
    const response: Any = stream
      ? await client.responses.stream(body as Any).finalResponse()
      : await client.responses.create(body as Any);
    const { output, usage, status, incomplete_details } = response;
    const of = (type: string) => output.filter((item: Any) => item.type === type);
    const parts = of("message").flatMap((item: Any) => item.content);
    const calls = of("function_call");
    const reason = incomplete_details ? RESPONSES_REASON[incomplete_details.reason] : undefined;
    assert(status === (reason ? "incomplete" : "completed"), `${status}: ${JSON.stringify(response.error)}`);
    return {
      thinking: of("reasoning").flatMap((item: Any) =>
        item.summary.length ? item.summary : item.content ?? []
      )
        .map((part: Any) => part.text).join(""),
      text: parts.map((part: Any) => part.text ?? "").join(""),
      refusal: parts.map((part: Any) => part.refusal ?? "").join(""),
      calls: calls.map(({ call_id, name, arguments: args }: Any) => ({
        id: call_id,
        name,
        args: JSON.parse(args),
      })),
      finish: reason ?? (calls.length > 0 ? "tool_calls" : "stop"),
      usage: {
        prompt: usage.input_tokens,
        cached: usage.input_tokens_details.cached_tokens,
        completion: usage.output_tokens,
      },
      turn: output.map(asSent),
    };
  },
  results: (results) =>
    results.map(({ id, said }) => ({ type: "function_call_output", call_id: id, output: said })),
};

export const CLIENTS: readonly Client[] = [chat, messages, responses];
