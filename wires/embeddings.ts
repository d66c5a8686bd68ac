/** Embeddings in neutral terms, and the halves of a wire for them. */
import type { WireError } from "./answer.ts";
import type { JsonObject } from "./content.ts";
import type { WireRequest } from "./wire.ts";

/** A client's request for embeddings, or one part of it. */
export interface EmbedRequest {
  /** The provider's name for the model, without the provider's prefix. */
  model: string;
  /** Texts, or lists of tokens. The list has at least one entry, and no entry is empty. */
  inputs: (string | number[])[];
  /** The requested length of a vector. */
  dimensions?: number;
  /**
   * The purpose of the vectors: `search_document`, `search_query`, `classification` or `clustering`, in whatever
   * spelling the client wrote it; else the client's own word.
   */
  inputType?: string;
  /** The client's name for its user. */
  user?: string;
  /** Fields that have no neutral term. They are forwarded unchanged. */
  extra: JsonObject;
}

/** A client's request, after it was read. */
export interface EmbedCall extends Omit<EmbedRequest, "model"> {
  /** The client wants vectors as base64. OpenAI's SDKs ask for that by default. */
  base64: boolean;
}

/** A provider's answer: one vector for each input, in the order of the inputs. */
export interface Embeddings {
  vectors: number[][];
  /** The tokens of all inputs; 0 if the provider does not say. */
  tokens: number;
  /** The model, as the provider names it. */
  model?: string;
}

/** The client's half: reads requests for embeddings and writes their answers. */
export interface EmbeddingClient {
  /** The provider's half of the same format. If a row has it, bodies are handed through. */
  wire: EmbeddingWire;
  /**
   * Checks what every request must have, even one that is handed through.
   *
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  check(body: JsonObject): void;
  /**
   * Reads a body that has passed `check`.
   *
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  read(body: JsonObject): EmbedCall;
  /** Writes the answer for the client. */
  write(answer: Embeddings, base64: boolean): JsonObject;
  /** Encodes the vectors of an answer that has lists; `undefined` for an answer that needs no change. */
  encodeLists(body: JsonObject): JsonObject | undefined;
}

/** The provider's half: writes requests for embeddings and reads their answers. */
export interface EmbeddingWire {
  /** Writes a request. It asks for floats, whatever the client wants. */
  writeEmbed(request: EmbedRequest): WireRequest;
  /**
   * Reads an answer.
   *
   * @param headers The answer's headers, where some providers tell the tokens.
   * @throws GatewayError `bad_upstream_answer` for a body without vectors.
   */
  readEmbeddings(body: JsonObject, headers: Headers): Embeddings;
  /** Reads an error, as `AnswerFormat.readError` does. */
  readError(status: number, body: unknown): WireError;
}
