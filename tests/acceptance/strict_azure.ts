/**
 * Azure OpenAI as far as it refuses requests: where its paths are, which of them name the deployment and a version, and which
 * header takes a key. What it serves below them is OpenAI's.
 *
 * Words from its errors as recorded in 2026-08 and as quoted in BerriAI/litellm#16577 (paths).
 */
import { type Asked, events, type Json, sse } from "./lab.ts";
import type { Piece } from "./responses_stream.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";

const refuse = (status: number, error: Json) => Response.json({ error }, { status });

const NOT_FOUND = { code: "404", message: "Resource not found" };
const NO_DEPLOYMENT = {
  code: "DeploymentNotFound",
  message: "The API deployment for this resource does not exist.",
};
const NO_ACCESS = {
  code: "401",
  message: "Access denied due to invalid subscription key or wrong API endpoint.",
};

/** A resource's hosts. */
const HOSTS = ["openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com"];

/** `/openai/v1/chat/completions`, `/openai/deployments/d/chat/completions`, `/openai/responses` */
const PATH =
  /^\/openai\/(?:(v1)\/(chat\/completions|responses|embeddings)|deployments\/([^/]+)\/(chat\/completions|embeddings)|(responses))$/;

/**
 * A resource with deployments.
 *
 * @param deployments The model of each, by the deployment's name.
 */
export function strictAzure(resource: string, deployments: Record<string, string>, turns: Piece[][]) {
  const chat = strictOpenAI([{ text: "by chat" }]);
  const responses = strictResponses(turns);
  const play = (asked: Asked): Response | Promise<Response> => {
    const { url, headers, body } = asked;
    if (!HOSTS.some((domain) => url.host === `${resource}.${domain}`)) return refuse(404, NOT_FOUND);
    const key = headers.get("api-key"), token = headers.get("authorization");
    if (key === null && !/^Bearer eyJ/.test(token ?? "") || key !== null && token !== null) {
      return refuse(401, NO_ACCESS);
    }
    const [, v1, endpoint, named, below, isDated] = PATH.exec(url.pathname) ?? [];
    const version = url.searchParams.get("api-version");
    const isVersioned = v1
      ? version === null || /^(?:v1|preview)$/.test(version)
      : /^\d{4}-\d\d-\d\d/.test(version ?? "");
    if (!(endpoint ?? below ?? isDated) || !isVersioned) return refuse(404, NOT_FOUND);
    const model = deployments[named === undefined ? body.model as string : decodeURIComponent(named)];
    if (model === undefined) return refuse(404, NO_DEPLOYMENT);
    const at = endpoint ?? below ?? "responses";
    const asOpenAI = { ...asked, body: { ...body, model }, url: new URL(`https://api.openai.com/v1/${at}`) };
    if (at === "responses") return responses.play(asOpenAI);
    if (at === "embeddings") {
      const data = [{ object: "embedding", index: 0, embedding: [1, 0.5] }];
      return Response.json({ object: "list", data, model, usage: { prompt_tokens: 1, total_tokens: 1 } });
    }
    const answer = chat.play(asOpenAI);
    return body.stream && answer.ok ? filtered(answer) : answer;
  };
  return { play };
}

/** What Azure's filter adds to a stream: a chunk before the first, and one whose choice has no delta. */
async function filtered(answer: Response): Promise<Response> {
  const filter = { hate: { filtered: false, severity: "safe" } };
  const first = {
    choices: [],
    created: 0,
    id: "",
    model: "",
    object: "",
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: filter }],
  };
  const late = {
    choices: [{ index: 0, finish_reason: null, content_filter_results: filter, content_filter_offsets: {} }],
    created: 0,
    id: "",
    model: "",
    object: "",
  };
  const text = await answer.text();
  const at = text.indexOf("\n\n") + 2;
  return events(sse([first]) + text.slice(0, at) + sse([late]) + text.slice(at));
}
