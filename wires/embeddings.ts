/** Embeddings in neutral terms, and a wire's way to ask for them. */
import type { WireError } from "./answer.ts";
import type { JsonObject } from "./content.ts";
import type { WireRequest } from "./wire.ts";

/** A client's request for embeddings, or one part of it. */
export interface EmbedRequest {
  /** The provider's name for the model, without our prefix. */
  model: string;
  /** Texts, or lists of tokens: never empty. */
  inputs: (string | number[])[];
  /** The numbers that a vector should have. */
  dimensions?: number;
  /**
   * What the vectors are for: `search_document`, `search_query`, `classification`, `clustering`, whichever of their
   * spellings the client wrote; else what it wrote.
   */
  inputType?: string;
  /** Who asks, as the client names them. */
  user?: string;
  /** Fields that have no neutral term, forwarded as they are. */
  extra: JsonObject;
}

/** A client's request as it was read. */
export interface EmbedCall extends Omit<EmbedRequest, "model"> {
  /** Vectors are wanted as base64; SDKs ask for that unless they are told otherwise. */
  base64: boolean;
}

/** What a provider answered: one vector for each input, in their order. */
export interface Embeddings {
  vectors: number[][];
  /** Tokens of all inputs; 0 where the provider does not say. */
  tokens: number;
  /** As the provider names it. */
  model?: string;
}

/** The client's half: reads its requests for embeddings, writes their answers. */
export interface EmbeddingClient {
  /** The provider's half of the same format. Where a row has that, bodies are handed through. */
  wire: EmbeddingWire;
  /**
   * Checks what every request must hold, also one that is handed through.
   *
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  check(body: JsonObject): void;
  /**
   * Reads a body that `check` has passed.
   *
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  read(body: JsonObject): EmbedCall;
  /** The answer as clients read it. */
  write(answer: Embeddings, base64: boolean): JsonObject;
  /** An answer whose vectors are lists, with base64 in their place; `undefined` for one that needs nothing. */
  encodeLists(body: JsonObject): JsonObject | undefined;
}

/** A provider's way to ask for embeddings. */
export interface EmbeddingWire {
  /** What it writes asks for floats, whatever the client wants. */
  writeEmbed(request: EmbedRequest): WireRequest;
  /** @throws GatewayError `bad_upstream_answer` for a body without vectors. */
  readEmbeddings(body: JsonObject): Embeddings;
  /** As that of `AnswerFormat`. */
  readError(status: number, body: unknown): WireError;
}
