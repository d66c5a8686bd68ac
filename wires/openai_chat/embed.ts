/**
 * OpenAI's embeddings, the format of clients and of most providers.
 *
 * @see https://platform.openai.com/docs/api-reference/embeddings
 */
import { GatewayError } from "../errors.ts";
import { readCompatibleError } from "../shared/compatible_error.ts";
import { isObject, object, parse, text } from "../shared/json.ts";
import { toldCost } from "../shared/told_cost.ts";
import { saysError } from "../streams/begun.ts";
import { encodeVector, readTokens, readVectors } from "../shared/vectors.ts";
import type {
  AnswerFormat,
  EmbedCall,
  EmbeddingClient,
  Embeddings,
  EmbeddingWire,
  EmbedRequest,
  Emit,
  JsonObject,
  WireRequest,
} from "../types.ts";
import { NO_TOKENS } from "../shared/usage.ts";

// ---------------------------------------------------------------- the client's half

function checkEmbed({ input }: JsonObject): void {
  if (typeof input === "string") return;
  if (!Array.isArray(input)) throw fault("input", "must be a text, a list of texts, or tokens");
  if (input.length === 0) throw fault("input", "must have at least one entry");
}

function readEmbed(body: JsonObject): EmbedCall {
  const { input, dimensions, encoding_format, input_type, user, model: _, models: __, ...extra } = body;
  return {
    inputs: readInputs(input),
    dimensions: readDimensions(dimensions),
    inputType: INPUT_TYPES.get(`${input_type}`.toLowerCase()) ?? optionalText(input_type, "input_type"),
    user: optionalText(user, "user"),
    base64: readFormat(encoding_format) === "base64",
    extra,
  };
}

/** The purposes of vectors, in the spellings of Cohere, Voyage, NVIDIA and Google. */
const INPUT_TYPES: ReadonlyMap<string, string> = new Map([
  ["document", "search_document"],
  ["passage", "search_document"],
  ["retrieval_document", "search_document"],
  ["search_document", "search_document"],
  ["query", "search_query"],
  ["retrieval_query", "search_query"],
  ["search_query", "search_query"],
  ["classification", "classification"],
  ["clustering", "clustering"],
]);

function readInputs(input: unknown): (string | number[])[] {
  if (typeof input === "string") return [readText(input, "input")];
  const entries = input as unknown[];
  if (typeof entries[0] === "number") return [readTokenList(entries, "input")];
  return entries.map((entry, at) => {
    const param = `input[${at}]`;
    if (typeof entry === "string") return readText(entry, param);
    if (Array.isArray(entry) && Array.isArray(entries[0])) return readTokenList(entry, param);
    throw fault(param, "must be a text or a list of tokens, of the same kind as the first entry");
  });
}

function readText(value: string, param: string): string {
  if (value === "") throw fault(param, "must not be empty");
  return value;
}

function readTokenList(list: unknown[], param: string): number[] {
  if (list.length === 0) throw fault(param, "must have at least one token");
  const wrong = list.findIndex((token) => !Number.isSafeInteger(token) || (token as number) < 0);
  if (wrong < 0) return list as number[];
  throw fault(`${param}[${wrong}]`, "must be a token: a whole number of at least 0");
}

function readDimensions(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw fault("dimensions", "must be a whole number of at least 1");
}

function readFormat(value: unknown): "float" | "base64" {
  if (value === undefined || value === null) return "float";
  if (value === "float" || value === "base64") return value;
  throw fault("encoding_format", 'must be "float" or "base64"');
}

function optionalText(value: unknown, param: string): string | undefined {
  if (value === undefined || value === null || typeof value === "string") return value || undefined;
  throw fault(param, "must be a text");
}

const fault = (param: string, state: string) =>
  new GatewayError("invalid_request", `Cannot read the request: ${param} ${state}`, { param });

function writeEmbeddings({ vectors, tokens, model }: Embeddings, base64: boolean): JsonObject {
  return {
    object: "list",
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: base64 ? encodeVector(vector) : vector,
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/**
 * Encodes the vectors of an answer that has lists although the client asked for base64. An SDK would decode the lists
 * and get a quarter of the numbers.
 *
 * @returns `undefined` for an answer that needs no change.
 */
function encodeLists(body: JsonObject): JsonObject | undefined {
  const { data } = body;
  if (!Array.isArray(data) || !data.some((entry) => Array.isArray(object(entry)?.embedding))) {
    return undefined;
  }
  const encoded = data.map((entry) => {
    const { embedding } = object(entry) ?? {};
    const isList = Array.isArray(embedding) && embedding.every((number) => typeof number === "number");
    return isList ? { ...entry, embedding: encodeVector(embedding) } : entry;
  });
  return { ...body, data: encoded };
}

// ---------------------------------------------------------------- the provider's half

/** Embeddings of providers with OpenAI's format. */
export const openaiEmbeddings: EmbeddingWire = {
  writeEmbed: ({ model, inputs, dimensions, inputType, user, extra }: EmbedRequest): WireRequest => ({
    path: "/embeddings",
    // Without `encoding_format` every provider answers with floats.
    body: {
      ...extra,
      model,
      input: inputs,
      ...(dimensions !== undefined && { dimensions }),
      ...(inputType !== undefined && { input_type: inputType }),
      ...(user !== undefined && { user }),
    },
    dropped: [],
  }),
  readEmbeddings: (body) => ({
    vectors: readVectors(body.data),
    tokens: readTokens(body),
    model: text(body.model),
  }),
  readError: readCompatibleError,
};

/** Embeddings as clients ask OpenAI for them. */
export const openaiEmbeddingClient: EmbeddingClient = {
  wire: openaiEmbeddings,
  check: checkEmbed,
  read: readEmbed,
  write: writeEmbeddings,
  encodeLists,
};

// ---------------------------------------------------------------- an answer that is handed through

/** Reads the model and the token count of an answer that is handed through. */
export const embeddingFormat: AnswerFormat = {
  readAnswer(body, emit) {
    if (saysError(body)) return emit({ type: "error", error: readCompatibleError(200, body) });
    emit({ type: "start", model: text(body.model) });
    emitTokens(body, emit);
  },
  readTail(tail, emit) {
    const usage = /"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})[^{}[\]]*\}\s*$/.exec(tail)?.[1];
    const read = usage === undefined ? undefined : parse(usage);
    if (isObject(read)) emitTokens({ usage: read }, emit);
  },
  readStream: (emit) => ({
    frame() {},
    end: () =>
      emit({ type: "error", error: { message: "The answer is a stream of events, and not embeddings" } }),
  }),
  readError: readCompatibleError,
};

function emitTokens(body: JsonObject, emit: Emit): void {
  if (!isObject(body.usage)) return;
  emit({ type: "usage", usage: { ...NO_TOKENS, input: readTokens(body), ...toldCost(body.usage) } });
}
