/** Makes a service binding to Sluice look like Cloudflare's `env.AI`, with the signals and log ids that RPC cannot carry. */
import {
  endedBy,
  type GatewayBinding,
  gatewayBinding,
  NO_ACCOUNT,
  NOWHERE,
  runHeaders,
  type RunOptions,
} from "./binding.ts";

/**
 * A service binding with `entrypoint: "AI"`, as a Worker gets it: `env.AI`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ai, type AiService, createGateway } from "../mod.ts";
 *
 * // A Worker has one as `env.AI`. A program can make one of its own gateway.
 * const { call, gateway } = createGateway();
 * const service: AiService = { fetch: (request) => call(request), gateway: (id) => gateway(id) };
 * const answer = await ai(service).run("demo/echo", { messages: [{ role: "user", content: "Hello" }] });
 * assertEquals((answer as { model: string }).model, "echo");
 * ```
 */
export interface AiService {
  /** Any path of the gateway, on any host. */
  fetch(request: Request): Promise<Response>;
  /** The gateway over RPC. Only `getUrl()` goes this way, because it needs no signal. */
  gateway(id: string): { getUrl(provider?: string): Promise<string> };
}

/**
 * Options of `Ai.run`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ai, type AiRunOptions, createGateway } from "../mod.ts";
 *
 * const { call, gateway } = createGateway();
 * const options: AiRunOptions = { returnRawResponse: true, gateway: { id: "default", eventId: "order-7" } };
 * const answer = await ai({ fetch: (request) => call(request), gateway })
 *   .run("demo/echo", { messages: [{ role: "user", content: "Hello" }] }, options);
 * assertEquals((answer as Response).headers.get("cf-aig-event-id"), "order-7");
 * ```
 */
export interface AiRunOptions extends RunOptions {
  /** Return the answer as a `Response`, whatever its status. Default false. */
  returnRawResponse?: boolean;
}

/**
 * The members of Cloudflare's `env.AI` that Sluice offers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type Ai, ai, createGateway } from "../mod.ts";
 *
 * const { call, gateway } = createGateway();
 * const AI: Ai = ai({ fetch: (request) => call(request), gateway });
 * assertEquals(AI.aiGatewayLogId, null);
 * await AI.run("demo/echo", { messages: [{ role: "user", content: "Hello" }] });
 * assertEquals(AI.aiGatewayLogId?.length, 36);
 * ```
 */
export interface Ai {
  /**
   * Runs one model.
   *
   * @param model `@cf/…` for a model of Workers AI, in that provider's own format; `{provider}/{model}` for any other
   * model, in OpenAI's formats: `messages` for a chat completion; `input` for embeddings if the model's name says that it makes
   * them, else for a response.
   * @param inputs The request's body, without the model. With `stream: true` the result is a stream of the answer's bytes.
   * @returns The answer's JSON; a stream of its bytes if it is not JSON; a `Response` with `returnRawResponse`.
   * @throws An error named `InferenceUpstreamError` for an answer whose status is not 2xx, TypeError for an option that is
   * not supported or a model with `.` or `..` as a segment, and the signal's reason once it has aborted.
   */
  run(model: string, inputs: object, options?: AiRunOptions): Promise<unknown>;
  /** The gateway with this id. Its calls take a signal, and its answers set `aiGatewayLogId`. */
  gateway(id: string): GatewayBinding;
  /** `cf-aig-log-id` of the latest answer; `null` before the first answer. */
  readonly aiGatewayLogId: string | null;
  /** Any path of the gateway, on any host. */
  fetch(request: Request): Promise<Response>;
}

/**
 * Wraps `env.AI` of a Worker whose service binding leads to Sluice.
 *
 * RPC over a service binding cannot carry an `AbortSignal`, and every property read over RPC is a stub: truthy, without a
 * value. The wrapper sends each call through `fetch` instead, so signals work and `aiGatewayLogId` has a value.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ai, createGateway } from "../mod.ts";
 *
 * // In a Worker: `ai(env.AI)`.
 * const { call, gateway } = createGateway();
 * const AI = ai({ fetch: (request) => call(request), gateway });
 * const answer = await AI.run("demo/echo", { messages: [{ role: "user", content: "Hello" }] });
 * assertEquals((answer as { model: string }).model, "echo");
 * ```
 */
export function ai(service: AiService): Ai {
  let logId: string | null = null;
  async function fetch(request: Request): Promise<Response> {
    const response = await service.fetch(request);
    logId = response.headers.get("cf-aig-log-id");
    return response;
  }
  const gateway = (id: string): GatewayBinding => ({
    ...gatewayBinding({ id, fetch }),
    getUrl: (provider) => service.gateway(id).getUrl(provider),
  });
  return {
    gateway,
    fetch,
    get aiGatewayLogId() {
      return logId;
    },
    async run(model, inputs, options = {}) {
      const { gateway, extraHeaders, signal, returnRawResponse, ...others } = options;
      for (const [name, value] of Object.entries(others)) {
        if (value) throw new TypeError(`Cannot run ${model}: the option ${name} is not supported`);
      }
      signal?.throwIfAborted();
      const own = /^@(cf|hf)\//.test(model);
      // A program may let its users choose the model. Each segment is escaped (`@` stays) and dot segments are refused, so
      // that `@cf/../../openai/…` cannot reach another path.
      const name = model.split("/").map((part) => encodeURIComponent(part).replace("%40", "@")).join("/");
      if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(model)) {
        throw new TypeError(`Cannot run ${model}: a model's name cannot have . or .. between slashes`);
      }
      // What is asked of a model without messages is told by its name, which the gateway knows better.
      const isTask = !own && !("messages" in inputs) && ("input" in inputs || "text" in inputs);
      const path = own ? `workers-ai/run/${name}` : isTask ? "run" : "compat/chat/completions";
      const url = `${NOWHERE}/v1/${NO_ACCOUNT}/${encodeURIComponent(gateway?.id ?? "default")}/${path}`;
      const asked = isTask ? { model, input: inputs } : Object.assign({ model }, inputs, { model });
      const body = JSON.stringify(own ? inputs : asked);
      const headers = runHeaders({ gateway, extraHeaders });
      const init: RequestInit = { method: "POST", headers, body, signal, redirect: "manual" };
      const answer = await fetch(new Request(url, init));
      const response = signal ? endedBy(signal, answer) : answer;
      signal?.throwIfAborted();
      if (returnRawResponse) return response;
      if (!response.ok) throw await failure(response);
      if ((inputs as { stream?: unknown }).stream === true) return response.body;
      return await answerOf(response);
    },
  };
}

/** The answer's JSON, without the envelope `{success, result}` of Workers AI's own paths. */
async function answerOf(response: Response): Promise<unknown> {
  if (!response.headers.get("content-type")?.includes("json")) return response.body;
  const answer = await response.json();
  const isEnvelope = typeof answer?.success === "boolean" && "result" in answer;
  return isEnvelope ? answer.result : answer;
}

/** An error with the same name as Cloudflare's, and with the message of the gateway or the provider. */
async function failure(response: Response): Promise<Error> {
  const text = await response.text();
  const error = new Error(`${response.status}: ${messageIn(text)}`);
  error.name = "InferenceUpstreamError";
  return error;
}

function messageIn(text: string): string {
  try {
    const { message, error, errors } = JSON.parse(text);
    return message ?? error?.message ?? errors?.[0]?.message ?? text;
  } catch {
    return text;
  }
}
