/** The headers that every answer has. */
import type { Report } from "../log/report.ts";
import type { Config } from "../setup/config.ts";
import { headerText } from "../../wires/shared/header_text.ts";

/**
 * Headers that hold the provider's id of a request. The comment on each says where its name was found on 2026-11-28: in an
 * SDK that reads it, on a page of the vendor, in recorded answers, or in other projects' clients.
 */
const REQUEST_IDS = [
  // OpenAI's SDK 7.59, ElevenLabs' SDK 2.73, and most providers that are compatible with OpenAI
  "x-request-id",
  // Anthropic's SDK 1.14
  "request-id",
  // AWS: @smithy/core 3.41
  "x-amzn-requestid",
  // Azure: recorded answers; @azure/core-rest-pipeline 1.25
  "apim-request-id",
  "x-ms-request-id",
  // OpenRouter: other projects' clients
  "x-generation-id",
  // Cohere: recorded answers
  "x-debug-trace-id",
  // Mistral: recorded answers, and other projects' clients
  "mistral-correlation-id",
  // https://developers.deepgram.com/changelog/2022/11/8
  "dg-request-id",
  // fal's SDK 1.10
  "x-fal-request-id",
  // NVIDIA: other projects' clients, which poll with it
  "nvcf-reqid",
];

/** The provider's id of the request, if its answer names one. */
function upstreamIdIn(headers: Headers): string | undefined {
  for (const name of REQUEST_IDS) {
    const id = headers.get(name);
    if (id) return id;
  }
  return undefined;
}

/** Sets the headers that Cloudflare's clients read: who answered, the ids, and the time that the gateway itself took. */
export function stamp(
  { headers }: Response,
  request: Request,
  { id, step, place, provider, model, eventId, waitedMs, cache, route }: Report,
  started: number,
  idHeader: string | undefined,
  { timer }: Config,
): { id: string; upstreamId?: string } {
  const own = timer() - started - waitedMs;
  headers.set("cf-aig-log-id", id);
  headers.set("cf-aig-request-id", id);
  headers.set("cf-aig-event-id", eventId ?? request.headers.get("cf-aig-event-id") ?? id);
  headers.set("cf-aig-step", `${place ?? step}`);
  if (cache !== undefined) headers.set("cf-aig-cache-status", cache);
  headers.set("cf-aig-provider", provider ?? "unknown");
  headers.set("cf-aig-model", headerText(model ?? "unknown"));
  if (route && provider && model) headers.set("cf-aig-routed-model", headerText(`${provider}/${model}`));
  headers.append("server-timing", `sluice;dur=${Math.max(0, Math.round(own * 1000) / 1000)}`);
  const upstreamId = upstreamIdIn(headers);
  // OpenAI's SDKs return it as `_request_id`.
  headers.set("x-request-id", upstreamId ?? id);
  if (idHeader !== undefined) headers.set(idHeader, upstreamId ?? id);
  return { id, upstreamId };
}
