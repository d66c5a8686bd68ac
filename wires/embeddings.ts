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

/** What a provider answered: one vector for each input, in their order. */
export interface Embeddings {
  vectors: number[][];
  /** Tokens of all inputs; 0 where the provider does not say. */
  tokens: number;
  /** As the provider names it. */
  model?: string;
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
