/** `env.AI` of a Worker whose service binding leads to Sluice, with what a binding by itself cannot have. */
import {
  endedBy,
  type GatewayBinding,
  gatewayBinding,
  NO_ACCOUNT,
  NOWHERE,
  runHeaders,
  type RunOptions,
} from "./binding.ts";

/** A service binding with `entrypoint: "AI"`, as a Worker gets it: `env.AI`. */
export interface AiService {
  /** Any path of the gateway, on any host. */
  fetch(request: Request): Promise<Response>;
  /** The gateway by reference, for what needs no signal. */
  gateway(id: string): { getUrl(provider?: string): Promise<string> };
}

/** How `Ai.run` is run. */
export interface AiRunOptions extends RunOptions {
  /** The answer as a `Response`, whatever its status. */
  returnRawResponse?: boolean;
}

/** What `env.AI` is in a Worker of Cloudflare's. */
export interface Ai {
  /**
   * Runs one model.
   *
   * @param model `@cf/…` for a model of Workers AI, which takes and gives its own format; `{provider}/{model}` for any
   * other, in that of OpenAI's chat completions.
   * @param inputs The request's body, without the model. With `stream: true` the answer is a stream of its bytes.
   * @returns The answer's JSON, its bytes where it is something else, or a `Response` with `returnRawResponse`.
   * @throws An `InferenceUpstreamError` for an answer of status 400 or more, TypeError for an option that is not
   * supported, and the signal's reason once it has aborted.
   */
  run(model: string, inputs: object, options?: AiRunOptions): Promise<unknown>;
  /** One gateway. Its signals work, and its answers tell `aiGatewayLogId`. */
  gateway(id: string): GatewayBinding;
  /** `cf-aig-log-id` of the answer that came last; `null` before the first. */
  readonly aiGatewayLogId: string | null;
  /** Any path of the gateway, on any host. */
  fetch(request: Request): Promise<Response>;
}

/**
 * Wraps `env.AI` of a Worker whose service binding leads to Sluice.
 *
 * A service binding calls by RPC, which carries no signal and makes a stub of every property, truthy and without a value.
 * This goes through `fetch`, which carries both.
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
      // Escaped but for its slashes and its `@`, for a program may let its users choose: `@cf/../../openai/…` leads nowhere.
      const name = model.split("/").map((part) => encodeURIComponent(part).replace("%40", "@")).join("/");
      if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(model)) {
        throw new TypeError(`Cannot run ${model}: it is not a model`);
      }
      const path = own ? `workers-ai/run/${name}` : "compat/chat/completions";
      const url = `${NOWHERE}/v1/${NO_ACCOUNT}/${encodeURIComponent(gateway?.id ?? "default")}/${path}`;
      const body = JSON.stringify(own ? inputs : Object.assign({ model }, inputs, { model }));
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

/** Workers AI's own answers stand in an envelope. */
async function answerOf(response: Response): Promise<unknown> {
  if (!response.headers.get("content-type")?.includes("json")) return response.body;
  const answer = await response.json();
  const isEnvelope = typeof answer?.success === "boolean" && "result" in answer;
  return isEnvelope ? answer.result : answer;
}

/** An error of the name that Cloudflare's has, with what the gateway or the provider said. */
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
