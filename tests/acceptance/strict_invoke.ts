/** Claude behind Bedrock's Invoke: Anthropic's Messages in Amazon's form, refused by both. */
import { strictAnthropic } from "./strict_anthropic.ts";
import type { Block } from "./strict_anthropic_rules.ts";
import { awsError } from "./strict_converse.ts";
import type { Asked, Script } from "./lab.ts";

const PATH = /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream)$/;

/** A beta that Invoke does not know. */
const STRANGE = /^(?:claude-code|files-api|mcp-client|prompt-caching-scope|web-search|advanced-tool-use)-/;

/** What is asked of Anthropic behind Bedrock; a text if Bedrock refuses it. */
export function asAnthropic({ url, headers, body, ...asked }: Asked): Asked | string {
  const [, id, verb] = PATH.exec(url.pathname) ?? [];
  if (verb === undefined) return `no such path: ${url.pathname}`;
  if (url.search !== "") return "no such parameter";
  if (body.anthropic_version !== "bedrock-2023-05-31") return "anthropic_version: Field required";
  const foreign = ["model", "stream", "mcp_servers", "container", "service_tier", "fallbacks"].find((name) =>
    name in body
  );
  if (foreign) return `${foreign}: Extra inputs are not permitted`;
  if (headers.has("anthropic-beta") || headers.has("anthropic-version")) {
    return "betas and the version are in the body";
  }
  const { anthropic_version: _, anthropic_beta: betas = [], ...rest } = body;
  if (!Array.isArray(betas) || betas.some((beta) => STRANGE.test(beta))) return "invalid beta flag";
  const text = JSON.stringify(rest);
  if (text.includes('"type":"url"')) return "image.source.base64.data: URL sources are not supported";
  if (/"type":"(?:web_search|web_fetch|code_execution)_\d/.test(text)) {
    return "tools.0: Input tag does not match";
  }
  const sent = new Headers(headers);
  sent.set("anthropic-version", "2023-06-01");
  if (betas.length > 0) sent.set("anthropic-beta", betas.join(","));
  // Whoever checks signatures has done so before.
  const said = headers.get("authorization") ?? "";
  sent.set("x-api-key", said.startsWith("AWS4-HMAC-SHA256 ") ? "key" : said.replace("Bearer ", ""));
  sent.delete("authorization");
  const model = decodeURIComponent(id).replace(/^.*anthropic\./, "").replace(/-v\d+(?::\d+)?$/, "");
  const stream = verb === "invoke" ? {} : { stream: true };
  return {
    ...asked,
    url: new URL("https://api.anthropic.com/v1/messages"),
    headers: sent,
    body: { model, ...stream, ...rest },
  };
}

/** A Bedrock whose Claude answers with these turns in order. Streams are Anthropic's own: the caller frames them. */
export function strictInvoke(turns: Script<Block[]>) {
  const { play: behind } = strictAnthropic(turns);
  return {
    async play(asked: Asked): Promise<Response> {
      const meant = asAnthropic(asked);
      const answer = typeof meant === "string" ? meant : await behind(meant);
      if (typeof answer === "string") return awsError(400, "ValidationException", answer);
      if (answer.ok) return answer;
      const { error } = await answer.json();
      return awsError(answer.status, "ValidationException", error.message);
    },
  };
}
