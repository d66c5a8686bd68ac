/** A provider on loopback. Its models' names tell how it behaves, and it reports what happened to each request. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { signatureFault } from "../acceptance/strict_sigv4.ts";
import { converse, TEXT as SHARED_TEXT } from "../wires/shared.ts";

/** A request to the provider. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: { model: string; stream?: boolean; messages?: unknown[] } & Record<string, unknown>;
}

/** The running provider; its base URLs are `${url}/openai/v1` and `${url}/anthropic`. */
export interface FakeProvider extends AsyncDisposable {
  url: string;
  /** Resolves with the request for a model when it arrives. */
  arrived(model: string): Promise<Received>;
  /** Resolves when the request for a model was aborted before its answer was finished. */
  left(model: string): Promise<void>;
  /** Requests that are being answered. */
  readonly open: number;
}

/** A text with characters of several bytes, so that a cut inside one would show. */
export const TEXT = 'Grüße, 世界 🌍: "quoted"\n\\';

/** The pieces of `TEXT` that stream one by one. */
export const PIECES = ["Grü", "ße, 世", "界 🌍: ", '"quoted"\n', "\\"];

/** The body of a streamed OpenAI answer, byte for byte, with a comment and fields of the provider's own. */
export const OPENAI_STREAM = [
  ": hello\n\n",
  ...PIECES.map((text, i) =>
    `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1,"model":"m","x_own":${i},` +
    `"choices":[{"index":0,"delta":${
      JSON.stringify(i === 0 ? { role: "assistant", content: text } : { content: text })
    },"finish_reason":null}]}\n\n`
  ),
  'data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1,"model":"m",' +
  '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
  "data: [DONE]\n\n",
];

/** The body of a whole OpenAI answer; its spaces and order are the provider's own. */
export const OPENAI_ANSWER = `{ "choices":[{"index":0,"message":{"role":"assistant","content":${
  JSON.stringify(TEXT)
}},"finish_reason":"stop"}], "id":"chatcmpl-7","object":"chat.completion","created":1,"model":"m","x_own":[1] }\n`;

const anthropicEvent = (type: string, more: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

const anthropicText = (text: string) =>
  anthropicEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text } });

const ANTHROPIC_START = [
  anthropicEvent("message_start", {
    message: {
      id: "msg_7",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      stop_reason: null,
      usage: { input_tokens: 3, output_tokens: 1 },
    },
  }),
  anthropicEvent("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
];

/** The body of a streamed Anthropic answer. */
export const ANTHROPIC_STREAM = [
  ...ANTHROPIC_START,
  anthropicEvent("ping", {}),
  ...PIECES.map(anthropicText),
  anthropicEvent("content_block_stop", { index: 0 }),
  anthropicEvent("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }),
  anthropicEvent("message_stop", {}),
];

/** The body of a whole Anthropic answer. */
export const ANTHROPIC_ANSWER = JSON.stringify({
  id: "msg_7",
  type: "message",
  role: "assistant",
  model: "m",
  content: [{ type: "text", text: TEXT }],
  stop_reason: "end_turn",
  usage: { input_tokens: 3, output_tokens: 5 },
});

/** The answers of this provider in the form of one API. */
interface Dialect {
  stream: readonly string[];
  answer: string;
  /** The beginning of a stream, and an event with a text. */
  start: readonly string[];
  token(text: string): string;
}

const openai: Dialect = {
  stream: OPENAI_STREAM,
  answer: OPENAI_ANSWER,
  start: [OPENAI_STREAM[1]],
  token: (text) =>
    `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1,"model":"m",` +
    `"choices":[{"index":0,"delta":${JSON.stringify({ content: text })},"finish_reason":null}]}\n\n`,
};

const anthropic: Dialect = {
  stream: ANTHROPIC_STREAM,
  answer: ANTHROPIC_ANSWER,
  start: ANTHROPIC_START,
  token: anthropicText,
};

const JSON_TYPE = { "content-type": "application/json" };
const EVENTS_TYPE = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

/**
 * Starts one on a free port.
 *
 * The part of a model's name before `-` tells what it does: `silent` never answers, `quiet` sends only headers, `endless`
 * streams for ever, `dying` drops the connection in mid-stream, `bytewise` streams one byte a chunk, `tagged` streams
 * its own name, `zipped` answers gzip, `moved` redirects, `refused` answers 401, `empty` 200 with an empty body. Any other name
 * gets a plain answer.
 */
export async function startFakeProvider(): Promise<FakeProvider> {
  const arrivals = new Signals<Received>();
  const departures = new Signals<void>();
  let open = 0;

  const server = createServer(async (request, response) => {
    const sent = await text(request);
    const path = request.url!;
    if (path.startsWith("/model/")) return void await answerAsBedrock(request, sent, response);
    const body: Received["body"] = JSON.parse(sent || '{"model":"none"}');
    open++;
    response.on("close", () => {
      open--;
      if (!response.writableFinished) departures.give(body.model);
    });
    arrivals.give(body.model, { path, headers: request.headers, body });
    await answer(response, body, path.startsWith("/anthropic/") ? anthropic : openai);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: (model) => arrivals.get(model),
    left: (model) => departures.get(model),
    get open() {
      return open;
    },
    [Symbol.asyncDispose]() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  response: ServerResponse,
  { model, stream }: Received["body"],
  dialect: Dialect,
): Promise<void> {
  const events = async (list: Iterable<string | Uint8Array>, ms?: number) => {
    response.writeHead(200, EVENTS_TYPE);
    response.flushHeaders();
    for (const event of list) {
      if (response.destroyed) return;
      response.write(event);
      if (ms !== undefined) await pause(ms);
    }
  };
  switch (model.split("-")[0]) {
    case "silent":
      return;
    case "quiet":
      return await events([]);
    case "endless":
      return await events(endless(dialect), 20);
    case "dying":
      await events([...dialect.start, dialect.token("last words")], 20);
      response.destroy();
      return;
    case "bytewise":
      await events([...encoder.encode(dialect.stream.join(""))].map((byte) => Uint8Array.of(byte)));
      return void response.end();
    case "tagged": {
      const rest = dialect.stream.slice(dialect.start.length);
      await events([...dialect.start, dialect.token(model), ...rest], 0);
      return void response.end();
    }
    case "zipped":
      return void response.writeHead(200, { ...JSON_TYPE, "content-encoding": "gzip" }).end(
        gzipSync(dialect.answer),
      );
    case "moved":
      return void response.writeHead(307, { location: "/elsewhere" }).end();
    case "empty":
      return void response.writeHead(200, { ...JSON_TYPE, "content-length": 0 }).end();
    case "refused":
      return void response.writeHead(401, JSON_TYPE).end(REFUSAL);
  }
  if (!stream) return void response.writeHead(200, JSON_TYPE).end(dialect.answer);
  await events(dialect.stream, 0);
  response.end();
}

/** A pair of keys that the provider knows as Bedrock does. */
export const AWS_PAIR = {
  accessKeyId: "AKIARUNTIMES",
  secretAccessKey: "secret/of+the+suite",
  sessionToken: "dG9rZW4=",
};

/** Answers as Bedrock: checks the signature of what has arrived, and streams in Amazon's frames. */
async function answerAsBedrock(
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
): Promise<void> {
  const headers = new Headers(request.headers as Record<string, string>);
  const url = `http://${headers.get("host")}${request.url}`;
  const scope = { service: "bedrock", region: "us-east-1" };
  const fault = await signatureFault(
    { method: request.method!, url, headers, body },
    [AWS_PAIR],
    scope,
    Date.now(),
  );
  if (fault) return void response.writeHead(403, JSON_TYPE).end(JSON.stringify({ message: fault }));
  const scenario = { ...SHARED_TEXT, text: PIECES };
  if (!request.url!.endsWith("-stream")) {
    return void response.writeHead(200, JSON_TYPE).end(JSON.stringify(converse.whole(scenario)));
  }
  response.writeHead(200, { "content-type": converse.framed!.type });
  for (const event of converse.stream(scenario)) {
    for (const byte of converse.framed!.bytes([event])) response.write(Uint8Array.of(byte));
    await pause(0);
  }
  response.end();
}

const encoder = new TextEncoder();
/** The body of a 401. */
export const REFUSAL = JSON.stringify({ error: { message: "bad key", type: "authentication_error" } });
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function* endless(dialect: Dialect): Generator<string> {
  yield* dialect.start;
  for (let i = 0;; i++) yield dialect.token(`${i} `);
}

/** Events that happen once for each name. They may be awaited before or after they happen. */
class Signals<T> {
  #waiting = new Map<string, PromiseWithResolvers<T>>();

  #of(name: string): PromiseWithResolvers<T> {
    let one = this.#waiting.get(name);
    if (!one) this.#waiting.set(name, one = Promise.withResolvers());
    return one;
  }
  get(name: string): Promise<T> {
    return this.#of(name).promise;
  }
  give(name: string, value: T): void {
    this.#of(name).resolve(value);
  }
}
