/**
 * Providers of embeddings that refuse what each refuses, in its words. The vector of a text begins with its length, so that
 * an order that was lost shows.
 *
 * Written 2026-11-28 from the types of `openai` 7.59, `voyageai` 0.4.0, `cohere-ai` 8.1.0, `@google/genai` 3.3.0,
 * `@mistralai/mistralai` 2.7.0 and `ollama` 0.6.4, and from what `@ai-sdk/*` send.
 */
import type { Sent } from "../fakes.ts";

type Json = Record<string, unknown>;

/** The vector of a text: `dimensions` numbers, all exact as 32-bit floats. */
export const vectorFor = (input: string | number[], dimensions = 4): number[] =>
  Array.from({ length: dimensions }, (_, at) => at === 0 ? input.length : at / 8);

const base64 = (vector: number[]) =>
  btoa(String.fromCharCode(...new Uint8Array(new Float32Array(vector).buffer)));

/** The first field that is not allowed. */
const stray = (body: Json, fields: string) =>
  Object.keys(body).find((key) => !fields.split(" ").includes(key));

const tokensOf = (inputs: (string | number[])[]) => inputs.reduce((sum, input) => sum + input.length, 0);

function openaiAnswer(
  inputs: (string | number[])[],
  body: Json,
  dimensions: unknown,
  usage: object,
): Response {
  const data = inputs.map((input, index) => {
    const vector = vectorFor(input, (dimensions ?? 4) as number);
    const embedding = body.encoding_format === "base64" ? base64(vector) : vector;
    return { object: "embedding", index, embedding };
  });
  return Response.json({ object: "list", data, model: `${body.model}-real`, usage });
}

const inputsOf = (input: unknown) =>
  (Array.isArray(input) && typeof input[0] !== "number" ? input : [input]) as (string | number[])[];

function openai({ body: text }: Sent, most = 2048): Response {
  const body = JSON.parse(text) as Json;
  const refuse = (message: string, param: string | null = null) =>
    Response.json({ error: { message, type: "invalid_request_error", param, code: null } }, { status: 400 });
  const unknown = stray(body, "model input dimensions encoding_format user");
  if (unknown) return refuse(`Unrecognized request argument supplied: ${unknown}`);
  const inputs = inputsOf(body.input);
  if (inputs.length > most) return refuse("'$.input' is invalid. Please check the API reference.");
  if (inputs.some((input) => input.length === 0)) return refuse("'$.input' is invalid.", "input");
  const count = tokensOf(inputs);
  return openaiAnswer(inputs, body, body.dimensions, { prompt_tokens: count, total_tokens: count });
}

/** Accepts base64 but answers with floats, as local servers do. */
function deaf(sent: Sent): Response {
  return openai(
    { ...sent, body: JSON.stringify({ ...JSON.parse(sent.body), encoding_format: "float" }) },
    Infinity,
  );
}

function mistral({ body: text }: Sent): Response {
  const body = JSON.parse(text) as Json;
  const unknown = stray(body, "model input metadata output_dimension output_dtype encoding_format");
  const detail = (type: string, loc: string) =>
    Response.json({
      object: "error",
      message: { detail: [{ type, loc: ["body", loc], msg: "Extra inputs are not permitted" }] },
    }, {
      status: 422,
    });
  if (unknown) return detail("extra_forbidden", unknown);
  const inputs = inputsOf(body.input);
  if (inputs.some((input) => typeof input !== "string")) return detail("string_type", "input");
  if (inputs.length > 256) {
    const message = "Too many inputs in request, split into more batches.";
    return Response.json({ object: "error", message, type: "invalid_request_prompt" }, { status: 400 });
  }
  const count = tokensOf(inputs);
  return openaiAnswer(inputs, body, body.output_dimension, {
    prompt_tokens: count,
    total_tokens: count,
    completion_tokens: 0,
  });
}

function voyage({ body: text }: Sent): Response {
  const body = JSON.parse(text) as Json;
  const refuse = (detail: string) => Response.json({ detail }, { status: 400 });
  const unknown = stray(
    body,
    "model input input_type truncation output_dimension output_dtype encoding_format",
  );
  if (unknown) return refuse(`Argument '${unknown}' is not supported by our API`);
  if (![undefined, null, "base64"].includes(body.encoding_format as string)) {
    return refuse(
      `Value '${body.encoding_format}' provided for argument 'encoding_format' is invalid. Valid values are: ['base64', null]`,
    );
  }
  if (![undefined, null, "query", "document"].includes(body.input_type as string)) {
    return refuse(`Value '${body.input_type}' provided for argument 'input_type' is invalid.`);
  }
  const inputs = inputsOf(body.input);
  if (inputs.some((input) => typeof input !== "string")) {
    return refuse("Argument 'input' must be a string or a list of strings");
  }
  if (inputs.length > 1000) return refuse("The batch size limit is 1000.");
  return openaiAnswer(inputs, body, body.output_dimension, { total_tokens: tokensOf(inputs) });
}

function cohere({ body: text }: Sent): Response {
  const body = JSON.parse(text) as Json;
  const refuse = (message: string) => Response.json({ id: "e1", message }, { status: 400 });
  const unknown = stray(
    body,
    "model texts images inputs input_type embedding_types output_dimension max_tokens truncate priority",
  );
  if (unknown) return refuse(`unknown field: parameter '${unknown}' is not a valid field`);
  if (typeof body.input_type !== "string") {
    return refuse("valid input_type must be provided with the provided model");
  }
  if (
    !["search_document", "search_query", "classification", "clustering", "image"].includes(body.input_type)
  ) {
    return refuse(`invalid input type: ${body.input_type}`);
  }
  const texts = body.texts as string[];
  if (texts.length > 96) return refuse("invalid request: total number of texts must be at most 96");
  const float = texts.map((text) => vectorFor(text, (body.output_dimension ?? 4) as number));
  return Response.json({
    id: "e1",
    texts,
    embeddings: { float },
    meta: { api_version: { version: "2" }, billed_units: { input_tokens: tokensOf(texts) } },
    response_type: "embeddings_by_type",
  });
}

function gemini({ body: text, url }: Sent): Response {
  const refuse = (message: string) =>
    Response.json({ error: { code: 400, message, status: "INVALID_ARGUMENT" } }, { status: 400 });
  const body = JSON.parse(text) as { requests: Json[] };
  if (Object.keys(body).join() !== "requests") return refuse("Invalid JSON payload received. Unknown name");
  if (body.requests.length > 100) {
    return refuse("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch");
  }
  const model = /\/v1beta\/(models\/[^:]+):batchEmbedContents$/.exec(url)?.[1];
  const texts: string[] = [];
  for (const request of body.requests) {
    const unknown = stray(request, "model content taskType title outputDimensionality");
    if (unknown) {
      return refuse(
        `Invalid JSON payload received. Unknown name "${unknown}" at 'requests[0]': Cannot find field.`,
      );
    }
    if (request.model !== model) {
      return refuse("* BatchEmbedContentsRequest.model: all models must be the same");
    }
    if (request.taskType !== undefined && !TASKS.includes(request.taskType as string)) {
      return refuse(`Invalid value at 'requests[0].task_type' (TYPE_ENUM), "${request.taskType}"`);
    }
    const { parts } = request.content as { parts: { text: string }[] };
    if (parts.length !== 1 || typeof parts[0].text !== "string" || parts[0].text === "") {
      return refuse("* EmbedContentRequest.content: content is empty");
    }
    texts.push(parts[0].text);
  }
  return Response.json({
    embeddings: texts.map((text, at) => ({
      values: vectorFor(text, (body.requests[at].outputDimensionality ?? 4) as number),
    })),
  });
}

const TASKS =
  "RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING QUESTION_ANSWERING"
    .split(" ").concat("FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY");

function workersAI({ body: text }: Sent): Response {
  const body = JSON.parse(text) as Json;
  const inputs = inputsOf(body.input);
  if (inputs.length > 100) {
    const errors = [{ message: "AiError: Bad input: at most 100 texts", code: 5006 }];
    return Response.json({ errors, success: false, result: {}, messages: [] }, { status: 400 });
  }
  // The model has only one size and one encoding.
  const data = inputs.map((input, index) => ({ object: "embedding", index, embedding: vectorFor(input) }));
  return Response.json({
    object: "list",
    data,
    model: body.model,
    usage: { prompt_tokens: 0, total_tokens: 0 },
  });
}

function ollama({ body: text }: Sent): Response {
  const body = JSON.parse(text) as Json;
  const inputs = inputsOf(body.input);
  if (inputs.some((input) => typeof input !== "string")) {
    const error = { message: "invalid input type", type: "invalid_request_error", param: null, code: null };
    return Response.json({ error }, { status: 400 });
  }
  const count = tokensOf(inputs);
  return openaiAnswer(inputs, body, body.dimensions, { prompt_tokens: count, total_tokens: count });
}

function alibaba({ body: text }: Sent): Response {
  const body = JSON.parse(text) as Json;
  const inputs = inputsOf(body.input);
  if (![undefined, "float"].includes(body.encoding_format as string)) {
    const error = { message: "encoding_format must be float", type: "InvalidParameter", param: null };
    return Response.json({ error }, { status: 400 });
  }
  if (inputs.length > 10) {
    const message =
      "<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger " +
      "than 10.: input.contents";
    const error = { message, type: "InvalidParameter", param: null, code: "InvalidParameter" };
    return Response.json({ error }, { status: 400 });
  }
  const count = tokensOf(inputs);
  return openaiAnswer(inputs, body, body.dimensions, { prompt_tokens: count, total_tokens: count });
}

/** Each provider's URL for embeddings, and its answers. */
export const STRICT_EMBEDDINGS: Record<
  string,
  { model: string; url: string; answer: (sent: Sent) => Response }
> = {
  alibaba: {
    model: "alibaba/text-embedding-v4",
    url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/embeddings",
    answer: alibaba,
  },
  cohere: { model: "cohere/embed-v4.0", url: "https://api.cohere.com/v2/embed", answer: cohere },
  gemini: {
    model: "gemini/gemini-embedding-001",
    url: "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents",
    answer: gemini,
  },
  mistral: { model: "mistral/mistral-embed", url: "https://api.mistral.ai/v1/embeddings", answer: mistral },
  ollama: { model: "ollama/nomic-embed-text", url: "http://127.0.0.1:11434/v1/embeddings", answer: ollama },
  openai: {
    model: "openai/text-embedding-3-small",
    url: "https://api.openai.com/v1/embeddings",
    answer: openai,
  },
  lmstudio: { model: "lmstudio/nomic", url: "http://127.0.0.1:1234/v1/embeddings", answer: deaf },
  voyage: { model: "voyage/voyage-4", url: "https://api.voyageai.com/v1/embeddings", answer: voyage },
  "workers-ai": {
    model: "@cf/baai/bge-m3",
    url: "https://api.cloudflare.com/client/v4/accounts/acct/ai/v1/embeddings",
    answer: workersAI,
  },
};

/** The answer of the provider at that URL. */
export function answerStrictly(sent: Sent): Response {
  const found = Object.values(STRICT_EMBEDDINGS).find(({ url }) => url === sent.url);
  return found
    ? found.answer(sent)
    : Response.json({ error: { message: `Nothing is at ${sent.url}` } }, { status: 404 });
}
