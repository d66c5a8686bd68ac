/**
 * The built-in provider. It speaks OpenAI's chat completions, needs no network and no key, and always gives the same answer
 * to the same request.
 *
 * - `echo` repeats the last user message, or the result of a tool. Four UTF-16 units of text are a token.
 * - `status-429` answers with this status, or any other from 400 to 599.
 * - `slow-2000` is `echo` after 2000 or another number of milliseconds, at most ten minutes.
 * - `cut` breaks the connection in the middle of its answer.
 * - `error` sends an error event in the middle of its stream. Without a stream it answers 500.
 * - `think` thinks before it echoes.
 * - `tools` calls each tool that is on offer once, then echoes the results.
 * - `embed` makes embeddings, see `embed.ts`.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { hex } from "../../wires/shared/hex.ts";
import { collector } from "../../wires/streams/collect.ts";
import { errorType, GatewayError, stackless } from "../../wires/errors.ts";
import { parseObject } from "../../wires/shared/json.ts";
import { wait } from "../../wires/shared/wait.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import type { Delta, JsonObject, StreamWriter, WireError } from "../../wires/types.ts";
import { embed, EMBED_MODEL } from "./embed.ts";
import { answer, refusal } from "./answer.ts";

/** The models in lists. `status-` and `slow-` take other numbers too. */
const MODELS = ["cut", "echo", "error", "slow-2000", "status-429", "think", "tools"];

/** 2026-01-01T00:00:00Z. Constant, so that the same request gets the same answer byte for byte. */
const CREATED = 1767225600;

const MAX_SLOW_MS = 600_000;
/** OpenAI's error codes by status, so that an app can be tested with them. */
const STATUS_CODES: ReadonlyMap<number, string> = new Map([
  [401, "invalid_api_key"],
  [404, "model_not_found"],
  [429, "rate_limit_exceeded"],
]);

/**
 * Answers in place of `fetch`: `GET …/models`, `POST …/chat/completions` and `POST …/embeddings`.
 *
 * @throws The reason of `request.signal` if it aborts while `slow-…` waits.
 */
export async function serveDemo(request: Request): Promise<Response> {
  try {
    const { pathname } = new URL(request.url);
    if (request.method === "GET" && pathname.endsWith("/models")) return listModels();
    if (request.method === "POST" && pathname.endsWith("/chat/completions")) return await complete(request);
    if (request.method === "POST" && pathname.endsWith("/embeddings")) return await embedAll(request);
    throw new GatewayError("not_found", `There is no ${request.method} ${pathname}`);
  } catch (error) {
    if (error instanceof GatewayError) return fail(error.toWireError());
    throw error;
  }
}

function listModels(): Response {
  const data = [...MODELS, EMBED_MODEL].sort().map((id) => ({
    id,
    object: "model",
    created: CREATED,
    owned_by: "sluice",
  }));
  return Response.json({ object: "list", data });
}

/** A request's body if its model answers; `refused` if the model's name asks for an error or is unknown. */
async function readAsked(
  request: Request,
  models: readonly string[],
): Promise<
  { refused: Response } | { refused?: undefined; bytes: ArrayBuffer; body: JsonObject; slowMs: number }
> {
  const bytes = await request.arrayBuffer();
  const body = parseObject(new TextDecoder().decode(bytes));
  if (!body) throw refusal("Cannot read the request: the body is not a JSON object");
  const model = String(body.model);
  const [, kind, number] = /^(status|slow)-(\d{1,6})$/.exec(model) ?? [];
  const status = kind === "status" ? Number(number) : 0;
  const slowMs = kind === "slow" ? Number(number) : 0;
  if (status >= 400 && status <= 599) {
    const code = STATUS_CODES.get(status);
    return { refused: fail({ message: `The model demo/${model} answers with this status`, code, status }) };
  }
  if (!models.includes(model) && !(slowMs > 0 && slowMs <= MAX_SLOW_MS)) {
    const known = models.filter((name) => !/^(?:status|slow)-/.test(name));
    const message = `The model ${JSON.stringify(model)} does not exist: demo has ${known.join(", ")}, ` +
      `status-{400 to 599} and slow-{1 to ${MAX_SLOW_MS} milliseconds}`;
    return { refused: fail({ message, param: "model", code: "model_not_found", status: 404 }) };
  }
  return { bytes, body, slowMs };
}

async function embedAll(request: Request): Promise<Response> {
  const asked = await readAsked(request, [EMBED_MODEL]);
  if (asked.refused) return asked.refused;
  if (asked.slowMs) await wait(asked.slowMs, request.signal);
  return Response.json(embed(asked.body));
}

async function complete(request: Request): Promise<Response> {
  const asked = await readAsked(request, MODELS);
  if (asked.refused) return asked.refused;
  const { bytes, body, slowMs } = asked;
  const model = String(body.model);
  openaiChat.checkCall(body);
  const call = openaiChat.readCall(body, model);
  const id = await digest(bytes);
  const deltas = answer(call, id);
  if (slowMs) await wait(slowMs, request.signal);
  const defaults = { id: `chatcmpl-${id}`, created: CREATED, model };
  if (call.stream) {
    return send(events(deltas, openaiChat.writer(call, defaults), model), "text/event-stream");
  }
  if (model === "error") return fail({ ...BROKEN, status: 500 });
  const { emit, answer: whole } = collector();
  deltas.forEach(emit);
  const text = JSON.stringify(openaiChat.writeAnswer(whole, call, defaults));
  return send(model === "cut" ? cut(text) : [text].values(), "application/json");
}

// ---------------------------------------------------------------- sending and failing

const BROKEN: WireError = {
  message: "The model demo/error fails in the middle of its answer",
  type: "server_error",
};

const CUT_AFTER_MS = 10;

const brokenConnection = () => stackless(new Error("The model demo/cut broke the connection"));

function* events(deltas: Delta[], writer: StreamWriter, model: string): Generator<string> {
  // Fails after the middle, so that at least the chunk with the role and one piece of content are sent.
  const breaks = model === "cut" || model === "error";
  const last = breaks ? Math.floor(deltas.length / 2) : deltas.length;
  for (const delta of deltas.slice(0, last + 1)) yield writer.delta(delta);
  if (model === "cut") throw brokenConnection();
  if (model === "error") yield writer.delta({ type: "error", error: BROKEN });
  yield writer.end();
}

function* cut(text: string): Generator<string> {
  yield text.slice(0, text.length / 2);
  throw brokenConnection();
}

function send(texts: Iterator<string>, type: string): Response {
  const encoder = new TextEncoder();
  const stream = new ReadableStream({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = texts.next();
          if (done) return controller.close();
          if (value) return controller.enqueue(encoder.encode(value));
        }
      } catch (cut) {
        // Bun sends nothing of an answer that breaks before its first bytes are sent.
        await new Promise((resolve) => setTimeout(resolve, CUT_AFTER_MS));
        throw cut;
      }
    },
  }, { highWaterMark: 0 });
  return new Response(stream, { headers: { "content-type": type } });
}

function fail(error: WireError): Response {
  const status = error.status ?? 400;
  const headers = new Headers();
  if (status === 429 || status === 503) headers.set("retry-after", "1");
  return Response.json(openaiChat.writeError({ ...error, type: error.type ?? errorType(status) }), {
    status,
    headers,
  });
}

/** A hash of the request: 24 hexadecimal digits. */
async function digest(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return hex(hash.subarray(0, 12));
}
