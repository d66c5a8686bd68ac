/** Counts of tokens and embeddings on Bedrock. */
import { assertEquals } from "@std/assert";
import { type Asked, type Json, lab } from "./lab.ts";
import { awsError, refusal } from "./strict_converse.ts";
import { asAnthropic } from "./strict_invoke.ts";

// deno-lint-ignore no-explicit-any -- Bodies in Amazon's forms.
type Any = any;

const CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0", NOVA = "amazon.nova-pro-v1:0";

// ---------------------------------------------------------------- counts

/** Amazon's count: by a request to Converse or to InvokeModel, of a model's own id. */
function counter(asked: Asked): Response {
  const { url, body } = asked;
  const [, id] = /^\/model\/([^/]+)\/count-tokens$/.exec(url.pathname) ?? [];
  if (id === undefined) {
    return awsError(500, "InternalServerException", "This would be an answer, and paid for.");
  }
  if (/^(?:us|global|eu)\./.test(id)) {
    return awsError(400, "ValidationException", "The provided model doesn't support counting tokens.");
  }
  const { converse, invokeModel } = body.input as Any;
  const verb = converse ? "converse" : "invoke";
  const inner = converse ??
    JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(invokeModel.body), (c) => c.charCodeAt(0))));
  const meant = { ...asked, url: new URL(url.href.replace("count-tokens", verb)), body: inner };
  const fault = converse ? refusal(meant) : asAnthropic(meant);
  if (typeof fault === "string") return awsError(400, "ValidationException", fault);
  if (!converse && inner.max_tokens === undefined) {
    return awsError(400, "ValidationException", "max_tokens: Field required");
  }
  return Response.json({ inputTokens: JSON.stringify(inner).length });
}

/** What a client is told, and what Amazon was asked. */
async function count(model: string, door: "messages" | "responses", play = counter) {
  const { gateway, asked } = lab(play);
  const tools = [{ type: "custom", name: "f", description: "Grüße", input_schema: { type: "object" } }];
  const messages = { max_tokens: 9, messages: [{ role: "user", content: "Hi" }], tools };
  const body = door === "messages" ? messages : { input: "Hi" };
  const path = door === "messages" ? "messages/count_tokens" : "responses/input_tokens";
  const response = await gateway.fetch(
    new Request(`http://gateway.test/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify({ model: `bedrock/us-east-1/${model}`, ...body }),
    }),
  );
  const told = await response.json() as Json;
  assertEquals(response.status, 200, JSON.stringify(told));
  return { told, asked, isEstimated: response.headers.get("sluice-estimated") === "true" };
}

Deno.test("tokens are counted by Amazon, in the form in which the model would be asked, with its tools", async () => {
  const cases: [string, "invokeModel" | "converse", string][] = [
    [`us.${CLAUDE}`, "invokeModel", CLAUDE],
    [`messages/global.${CLAUDE}`, "invokeModel", CLAUDE],
    [`converse/us.${CLAUDE}`, "converse", CLAUDE],
    [`us.${NOVA}`, "converse", NOVA],
  ];
  for (const [model, form, id] of cases) {
    for (const door of ["messages", "responses"] as const) {
      const { told, asked, isEstimated } = await count(model, door);
      assertEquals([asked.length, isEstimated], [1, false], model);
      assertEquals(asked[0].url.pathname, `/model/${encodeURIComponent(id)}/count-tokens`);
      const input = asked[0].body.input as Any;
      assertEquals(Object.keys(input), [form]);
      const text = form === "converse" ? JSON.stringify(input.converse) : new TextDecoder()
        .decode(Uint8Array.from(atob(input.invokeModel.body), (char) => char.charCodeAt(0)));
      assertEquals(told.input_tokens, text.length);
      assertEquals(text.includes("Grüße"), door === "messages");
    }
  }
});

Deno.test("a model whose tokens Amazon does not count has an estimate", async () => {
  const refused = () =>
    awsError(400, "ValidationException", "The provided model doesn't support counting tokens.");
  for (const model of [CLAUDE, NOVA]) {
    const { told, asked, isEstimated } = await count(model, "messages", refused);
    assertEquals([typeof told.input_tokens, asked.length, isEstimated], ["number", 1, true]);
  }
});

// ---------------------------------------------------------------- embeddings

/** The fields of each maker's form. */
const FIELDS: [RegExp, string][] = [
  [/cohere/, "texts input_type embedding_types output_dimension truncate"],
  [/nova/, "taskType singleEmbeddingParams schemaVersion"],
  [/titan-embed-text-v2/, "inputText dimensions normalize embeddingTypes"],
  [/titan/, "inputText"],
];

function embedder({ url, body }: Asked): Response {
  const [, id] = /^\/model\/([^/]+)\/invoke$/.exec(url.pathname) ?? [];
  const model = decodeURIComponent(id ?? "");
  const fields = FIELDS.find(([ids]) => ids.test(model))![1].split(" ");
  const unknown = Object.keys(body).find((field) => !fields.includes(field));
  if (unknown) return awsError(400, "ValidationException", `extraneous key [${unknown}] is not permitted`);
  if (/cohere/.test(model)) {
    const vectors = (body.texts as string[]).map((text) => [text.length, body.output_dimension ?? 0]);
    const headers = { "x-amzn-bedrock-input-token-count": "7" };
    return Response.json({ embeddings: /v3/.test(model) ? vectors : { float: vectors } }, { headers });
  }
  if (/nova/.test(model)) {
    const { text, embeddingDimension = 0, embeddingPurpose } = body.singleEmbeddingParams as Any;
    if (body.taskType !== "SINGLE_EMBEDDING" || !/^[A-Z_]+$/.test(embeddingPurpose)) {
      return awsError(400, "V", "taskType");
    }
    const embedding = [text.value.length, embeddingDimension];
    return Response.json({ embeddings: [{ embeddingType: "TEXT", embedding }], inputTokenCount: 3 });
  }
  const embedding = [(body.inputText as string).length, body.dimensions ?? 0];
  return Response.json({ embedding, inputTextTokenCount: 2 });
}

Deno.test("embeddings of Titan, Nova and Cohere are asked in their own forms, and come back as one list", async () => {
  const cases: [model: string, size: number, requests: number, tokens: number, dropped: string | null][] = [
    ["amazon.titan-embed-text-v2:0", 256, 3, 6, "input_type"],
    ["amazon.titan-embed-text-v1", 0, 3, 6, "input_type, dimensions"],
    ["amazon.nova-2-multimodal-embeddings-v1:0", 256, 3, 9, null],
    ["cohere.embed-v4:0", 256, 1, 7, null],
    ["cohere.embed-english-v3", 0, 1, 7, "dimensions"],
  ];
  for (const [model, size, requests, tokens, dropped] of cases) {
    const { gateway, asked } = lab(embedder);
    const response = await gateway.fetch(
      new Request("http://gateway.test/v1/embeddings", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify({
          model: `bedrock/us-east-1/${model}`,
          input: ["a", "bb", "ccc"],
          dimensions: 256,
          input_type: "search_query",
        }),
      }),
    );
    const { data, usage, error } = await response.json();
    assertEquals([model, response.status, error], [model, 200, undefined]);
    assertEquals(data.map(({ embedding }: Any) => embedding), [[1, size], [2, size], [3, size]]);
    assertEquals([asked.length, usage.prompt_tokens], [requests, tokens], model);
    assertEquals(response.headers.get("sluice-dropped"), dropped, model);
  }
});
