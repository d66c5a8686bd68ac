/** What tests stand on: providers that are functions, and requests as clients write them. */
import { createGateway } from "../gateway/gateway.ts";
import type { LogEntry } from "../gateway/stores/log_row.ts";
import type { Options } from "../gateway/setup/options.ts";

/** What a row of the log says of the gateway's own failures. */
export const messageOf = ({ error }: LogEntry) => error && "message" in error ? error.message : undefined;

/** What was sent to a provider. */
export interface Sent {
  url: string;
  method: string;
  headers: Headers;
  body: string;
  signal: AbortSignal;
}

/** The answer to `sluice-explain`. */
export interface Explanation {
  object: string;
  note: string;
  // deno-lint-ignore no-explicit-any
  caller: Record<string, any>;
  // deno-lint-ignore no-explicit-any
  policies: Record<string, any>;
  targets: {
    provider: string;
    model?: string;
    eventId?: string;
    error?: { code: string; message: string; param?: string };
    dropped: { field: string; why: string; hint: boolean }[];
    // deno-lint-ignore no-explicit-any
    policies: Record<string, any>;
    estimate: {
      inputTokens: number | null;
      maxOutputTokens: number | null;
      costUsd: { least: number | null; most: number | null };
      price: string;
    } | null;
    requests: {
      method: string;
      url: string;
      headers: Record<string, string>;
      hiddenHeaders: string[];
      key: "client" | "gateway" | null;
      body: unknown;
      bodyNote?: string;
    }[];
  }[];
}

/** A network: answers each request by a function, and keeps what was sent. */
export function network(answer: (sent: Sent, at: number) => Response | Promise<Response>): {
  fetch: NonNullable<Options["fetch"]>;
  sent: Sent[];
} {
  const sent: Sent[] = [];
  return {
    sent,
    async fetch(url, { method = "GET", headers, body, signal }) {
      const at = sent.length;
      const one: Sent = { url, method, headers: new Headers(headers), body: "", signal: signal! };
      sent.push(one);
      one.body = await new Response(body).text();
      return await answer(one, at);
    },
  };
}

/** A network on which nothing may be sent. */
export const nothing = network(({ url }) => {
  throw new Error(`nothing may be sent, and this was: ${url}`);
});

/** A gateway before a network of answers. */
export function before(
  answer: (sent: Sent, at: number) => Response | Promise<Response>,
  options: Options = {},
) {
  const { fetch, sent } = network(answer);
  return { ...createGateway({ fetch, ...options }), sent };
}

/** A clock of which no time is spent: `waits` are the waits that were asked for, in milliseconds. */
export function clock(at = Date.UTC(2026, 10, 24)) {
  const waits: number[] = [];
  return {
    waits,
    options: {
      now: () => at,
      random: () => 0.5,
      wait(ms: number, signal: AbortSignal) {
        waits.push(ms);
        at += ms;
        return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
      },
    } satisfies Options,
    pass: (ms: number) => void (at += ms),
  };
}

export const ROOT = "http://gateway.test/v1/acct/gw";

type HeadersLike = Record<string, string>;

/** A request with a JSON body, or with text as it is. */
export function post(url: string, body: unknown, headers: HeadersLike = {}, init: RequestInit = {}): Request {
  return new Request(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

export const messages = [{ role: "user", content: "Hello" }];

/** A chat request at the compat path. */
export function ask(model: string, headers?: HeadersLike, more: object = {}, init?: RequestInit): Request {
  return post(`${ROOT}/compat/chat/completions`, { model, messages, ...more }, headers, init);
}

/** A whole answer in OpenAI's shape. */
export function completion(content = "Hi"): Response {
  const message = { role: "assistant", content, refusal: null };
  return Response.json({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message, finish_reason: "stop", logprobs: null }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
}

/** A whole answer in Anthropic's shape. */
export function message(text = "Hi"): Response {
  return Response.json({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude",
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  });
}

/** An error in OpenAI's shape. */
export function refusal(status: number, headers?: HeadersLike): Response {
  const error = { message: `No: ${status}`, type: "test", param: null, code: `no_${status}` };
  return Response.json({ error }, { status, headers });
}

/** One event of an OpenAI stream. */
export const chunk = (delta: object, finish_reason: string | null = null) =>
  `data: ${
    JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta, finish_reason, logprobs: null }],
    })
  }\n\n`;

/** A whole OpenAI stream, event by event. */
export const STREAM = [
  chunk({ role: "assistant", content: "" }),
  chunk({ content: "Hi" }),
  chunk({}, "stop"),
  "data: [DONE]\n\n",
];

/** Pieces of text, each in its turn; an error breaks the connection, a promise is waited for. */
export function pieces(
  ...parts: (string | Error | Promise<unknown>)[]
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const left = [...parts];
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        const part = left.shift();
        if (part === undefined) return controller.close();
        if (part instanceof Error) return controller.error(part);
        if (typeof part === "string") return controller.enqueue(encoder.encode(part));
        await part;
      }
    },
  }, { highWaterMark: 0 });
}

/** An event stream of pieces of text. */
export function events(...parts: (string | Error | Promise<unknown>)[]): Response {
  return new Response(pieces(...parts), { headers: { "content-type": "text/event-stream" } });
}
