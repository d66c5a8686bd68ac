/** The options of one provider. */
import type { WireName } from "../../providers/kinds.ts";
import type { ChatField } from "../../providers/types.ts";

/**
 * Changes to a row of the provider table, or a row of your own.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type ProviderOptions } from "../../mod.ts";
 *
 * const local: ProviderOptions = { baseUrl: "https://llm.example.com/v1", drop: ["logit_bias"] };
 * const answer = { choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }] };
 * const gateway = createGateway({ providers: { local }, fetch: () => Promise.resolve(Response.json(answer)) });
 * const query = { model: "local/llama", messages: [{ role: "user", content: "Hello" }], logit_bias: { "1": 1 } };
 * const response = await gateway.gateway("default").run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals(response.headers.get("sluice-dropped"), "logit_bias");
 * ```
 */
export interface ProviderOptions {
  /** The URL that the provider's paths are appended to. A row of your own needs one. */
  baseUrl?: string;
  /**
   * The wire that the provider speaks, or a list of wires with the usual one first. The provider answers a client of any of
   * these wires in the client's own format. Default: the row's, or `openai` for a row of your own.
   */
  wire?: WireName | readonly WireName[];
  /** Headers for every request to the provider. They win over the client's headers and over the provider's key. */
  headers?: Record<string, string>;
  /** The header that carries the key. Default: the row's, or that of the wire's inventor, e.g. `x-api-key`. */
  auth?: { header: string; prefix: string };
  /** Chat path below `baseUrl`, for the wire `openai` only. Default: the row's, or `/chat/completions`. */
  chatPath?: string;
  /** Repair answers that an OpenAI SDK cannot read, for the wire `openai` only. Default: the row's, or false. */
  conform?: boolean;
  /** Top-level fields that the provider refuses. They are left out and named in `sluice-dropped`. */
  drop?: readonly ChatField[];
  /**
   * Which chat calls use the provider's Responses API, for the wire `openai` only. `when needed`: calls that OpenAI's models
   * take only there, such as function tools beside a reasoning effort. Default: the row's (`when needed` for `openai`), or
   * `never`.
   */
  responses?: "always" | "when needed" | "never";
  /** Version of Azure's API, for `azure-openai` only: `v1`, `preview`, or a date as in `2025-04-01-preview`. Default `v1`. */
  apiVersion?: string;
  /**
   * The models behind ids that do not tell them, for `aws-bedrock`, `azure-openai` and `azure-ai` only, e.g. of an application
   * inference profile, `{"arn:aws:bedrock:…:application-inference-profile/x": "anthropic.claude-sonnet-5-5"}`, or of a deployment,
   * `{"my-deployment": "gpt-5.6"}`.
   */
  baseModels?: Readonly<Record<string, string>>;
  /** Amazon's region, e.g. `eu-central-1`, for `aws-bedrock` only. A region that the path or the model names wins. */
  region?: string;
  /** Azure's resource, e.g. `my-resource`, for `azure-openai` and `azure-ai` only. A resource that the path or the model names wins. */
  resource?: string;
  /** Google's location of calls, for `google-vertex-ai` only: `global`, `us`, `eu`, or a region, e.g. `europe-west4`. Default `global`. */
  location?: string;
  /** Google's project of calls, for `google-vertex-ai` only. Default: that of the service account. */
  project?: string;
  /**
   * Send the provider the trace of a request, as `traceparent` and `tracestate`, e.g. to a server of your own. Default false: no
   * provider gets a header of tracing.
   */
  traces?: boolean;
  /** Top-level fields with the provider's own names for them, for the wire `openai` only. */
  rename?: Readonly<Partial<Record<ChatField, string>>>;
}
