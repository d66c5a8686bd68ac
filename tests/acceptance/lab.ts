/** A gateway with a provider that a test plays, and the kinds of clients that use it. */
import OpenAI from "npm:openai@7.57.0";
import { createGateway } from "../../mod.ts";

export type Json = Record<string, unknown>;

/** A request that a provider got. */
export interface Asked {
  url: URL;
  method: string;
  headers: Headers;
  text: string;
  body: Json;
}

/** A test's own provider. */
export type Play = (asked: Asked) => Response | Promise<Response>;

/** What a fake says: its turns in order, over and over; or what a test decides by the request, an answer of its own too. */
export type Script<Turn> = Turn[] | ((asked: Asked) => Turn | Response);

/** The next turn of a script, for a request that is not refused. */
export function scripted<Turn>(script: Script<Turn>): (asked: Asked) => Turn | Response {
  let turn = 0;
  return typeof script === "function" ? script : () => script[turn++ % script.length];
}

type GatewayOptions = NonNullable<Parameters<typeof createGateway>[0]>;

/** A gateway whose providers are all played by `play`. `asked` and `logged` grow with each request. */
export function lab(play: Play, options: GatewayOptions = {}) {
  const asked: Asked[] = [];
  const logged: unknown[] = [];
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const text = await request.text();
    const one = {
      url: new URL(request.url),
      method: request.method,
      headers: request.headers,
      text,
      body: JSON.parse(text) as Json,
    };
    asked.push(one);
    return await play(one);
  };
  const log = (line: unknown) => void logged.push(line);
  const gateway = createGateway({ fetch, log, ...options });
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    gateway.fetch(
      new Request("http://gateway.test/v1/chat/completions", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  const openai = new OpenAI({
    apiKey: "key",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  });
  return { asked, logged, gateway, post, openai };
}

export type Lab = ReturnType<typeof lab>;

// ---------------------------------------------------------------- streams

/** The bytes of an event stream. If the provider names events, the type is the name. */
export function sse(events: (Json | string)[], named = false): string {
  return events.map((data) =>
    (named && typeof data === "object" ? `event: ${data.type}\n` : "") +
    `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`
  ).join("");
}

export const events = (text: string, headers: Record<string, string> = {}) =>
  new Response(text, { headers: { "content-type": "text/event-stream", ...headers } });

/** A body in pieces of `size` bytes. */
export function inPieces(text: string, size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += size));
    },
  });
}

/** The JSON of every event of a client's stream, and how it ended. */
export async function readEvents(
  response: Response,
): Promise<{ chunks: Json[]; done: number; last: string }> {
  const data = (await response.text()).split("\n\n").filter(Boolean).map((event) => event.slice(6));
  return {
    chunks: data.filter((one) => one !== "[DONE]").map((one) => JSON.parse(one)),
    done: data.filter((one) => one === "[DONE]").length,
    last: data.at(-1) ?? "",
  };
}

// ---------------------------------------------------------------- clients

/**
 * Asks for one answer, and returns what this kind of client keeps of it: the assistant's message of its next request.
 */
export type Client = (lab: Lab, body: Json) => Promise<Json>;

// deno-lint-ignore no-explicit-any -- Requests and messages with fields that the SDK does not know.
type Any = any;

const bySdk: Client = async ({ openai }, body) =>
  (await openai.chat.completions.stream(body as Any).finalChatCompletion()).choices[0]
    .message as unknown as Json;

const whole: Client = async ({ openai }, body) =>
  (await openai.chat.completions.create(body as Any)).choices[0].message as unknown as Json;

/** Joins all chunks: texts end to end, tool calls by index, other lists one after another. */
const byAppending: Client = async ({ openai }, body) => {
  const message: Json = {};
  for await (const chunk of await openai.chat.completions.create({ ...body, stream: true } as Any) as Any) {
    for (const { delta } of chunk.choices) append(message, delta);
  }
  return message;
};

function append(to: Json, delta: Json): void {
  for (const [key, value] of Object.entries(delta)) {
    const before = to[key];
    if (key === "role" || key === "type" || key === "id" || key === "index" || key === "name") {
      to[key] = value;
    } else if (typeof value === "string" && typeof before === "string") to[key] = before + value;
    else if (Array.isArray(value) && key === "tool_calls") {
      const list = (to[key] ??= []) as Json[];
      for (const { index, ...call } of value as Json[]) append(list[index as number] ??= {}, call);
    } else if (Array.isArray(value)) to[key] = [...(before as unknown[] ?? []), ...value];
    else if (typeof value === "object" && value !== null) append((to[key] ??= {}) as Json, value as Json);
    else to[key] = value;
  }
}

/** Keeps only what OpenAI's documentation names. */
const plain: Client = async (lab, body) => {
  const { content, tool_calls } = await byAppending(lab, body);
  const calls = (tool_calls as Json[] | undefined)?.map(({ id, type, function: called }) => {
    const { name, arguments: args } = called as Json;
    return { id, type, function: { name, arguments: args } };
  });
  return { role: "assistant", content: content ?? null, ...(calls && { tool_calls: calls }) };
};

/** Keeps what OpenRouter's own clients keep. */
const likeOpenRouters: Client = async (lab, body) => {
  const message = await byAppending(lab, body);
  const { reasoning_details } = message;
  const calls = (message.tool_calls as Json[] | undefined)?.map(({ extra_content: _, ...call }) => call);
  return {
    role: "assistant",
    content: message.content,
    ...(calls && { tool_calls: calls }),
    ...(reasoning_details !== undefined && { reasoning_details }),
  };
};

export const CLIENTS: Record<string, Client> = {
  "the official SDK's stream helper": bySdk,
  "the official SDK, whole": whole,
  "a client that appends": byAppending,
  "a client that drops what it does not know": plain,
  "a client that keeps what OpenRouter's clients keep": likeOpenRouters,
};

/** Calls tools until the model answers with text. Returns the whole conversation. */
export async function runAgent(lab: Lab, client: Client, body: Json, most = 6): Promise<Json[]> {
  const messages = [...body.messages as Json[]];
  for (let turn = 0; turn < most; turn++) {
    const message = await client(lab, { ...body, messages });
    messages.push(message);
    const calls = message.tool_calls as
      | { id: string; function: { name: string; arguments: string } }[]
      | undefined;
    if (!calls?.length) return messages;
    for (const { id, function: { name, arguments: args } } of calls) {
      JSON.parse(args);
      messages.push({ role: "tool", tool_call_id: id, content: `${name} says ${args}` });
    }
  }
  throw new Error("The agent does not come to an end");
}
