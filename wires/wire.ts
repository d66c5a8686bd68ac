/** The two halves of a wire: what reads and writes for clients, and what does for providers. */
import type { Answer, Defaults, Delta, Emit, WireError } from "./answer.ts";
import type { Call, WireName } from "./call.ts";
import type { JsonObject } from "./content.ts";

/** A provider's request, before its row adds the base URL and the key. */
export interface WireRequest {
  /** Below the row's base URL, with query: `/v1/messages`. */
  path: string;
  body: JsonObject;
  /** Headers that belong to the format: versions and betas. */
  headers?: Record<string, string>;
  /** Client paths of what this wire cannot express: `seed`, `messages[0].name`. */
  dropped: string[];
  /** The client's names of tools that the answer will call otherwise, by the names that a reader emits. */
  toolNames?: ReadonlyMap<string, string>;
  /**
   * The client's path of what stands at a path of `body`, or of what it was made of; `undefined` for what the wire has
   * added. Absent where no row changes the body.
   */
  clientPath?: (path: string) => string | undefined;
}

/** Reads one stream; made anew for each. */
export interface StreamReader {
  /** One SSE event: its data lines joined, and its name (empty when it has none). */
  frame(data: string, event: string): void;
  /** The bytes ended. Emits an error if the answer was not finished. */
  end(): void;
}

/** Writes one stream for a client; made anew for each. */
export interface StreamWriter {
  /** The text to send for this delta; may be empty. */
  delta(delta: Delta): string;
  /** What closes the stream; nothing after an error. */
  end(): string;
  /** Says nothing, for a client that would take a long silence for a dead connection. */
  keepAlive?(): string;
}

/** How an answer is written: read where it is translated, and where the gateway must know what it hands through. */
export interface AnswerFormat {
  /** A whole answer, parsed. Emits an error for an object that is not an answer. */
  readAnswer(body: JsonObject, emit: Emit): void;
  /** The end of a whole answer that is too long to be read, for what stands there. */
  readTail?(tail: string, emit: Emit): void;
  readStream(emit: Emit): StreamReader;
  /** The body of an answer that was not 2xx: parsed, or text when it was not JSON. */
  readError(status: number, body: unknown): WireError;
}

/** The provider's half of a wire: writes a call as its request, reads its answers. */
export interface ProviderWire extends AnswerFormat {
  name: WireName;
  writeCall(call: Call): WireRequest;
  /** How it counts the tokens of a call, if it does. */
  counter?: TokenCounter;
}

/** Asks a provider how many tokens a call has. */
export interface TokenCounter {
  /** What follows the path of a call, for a body that is handed through: `/count_tokens`. */
  pathEnd: string;
  writeCall(call: Call): WireRequest;
  /** The count in its answer; `undefined` for an answer without one. */
  read(body: JsonObject): number | undefined;
}

/** What else an error may tell. */
export interface ErrorContext {
  /** What the client asked for, where it was read. */
  call?: Call;
  /** The gateway's id of the request. */
  requestId?: string;
}

/** How a wire keeps what its messages hold for one provider from the others. */
export interface ForeignRules {
  /** What such texts begin with: of proofs, and of what is for the author alone. */
  proofs: string;
  authors?: string;
  /**
   * @param get A field of the body.
   * @param isAuthor Whether the provider is the wire's author.
   * @param dropped Takes the client's paths of what is left out and was more than a proof.
   * @returns The new values of fields, by name.
   */
  without(get: (field: string) => unknown, isAuthor: boolean, dropped: string[]): Map<string, unknown>;
}

/** The client's half of a wire: reads its requests, writes its answers. */
export interface ClientWire extends AnswerFormat {
  name: WireName;
  /** What follows the wire's path where only a part of it is asked for: `/compact`. Not every provider of the wire has it. */
  below?: string;
  /** The ids of its answers begin so: `chatcmpl-`. */
  idPrefix: string;
  /** Its clients write each provider's own fields into one body: those without a neutral term go to every target. */
  mixesFields?: true;
  /** The header beside `x-request-id` in which its SDKs look for the id of a request. */
  requestIdHeader?: string;
  /**
   * What rows' rules for messages, and `foreign`, are about: a long body that has none of these words is not looked
   * into. One that ends with `*` stands for all that begin so.
   */
  ruleWords: readonly string[];
  /**
   * What must change in a body that is handed through because it holds what is not its provider's to read: proofs of other
   * makers, which our answers have put there, and what is for the wire's author alone.
   */
  foreign?: ForeignRules;
  /**
   * Checks what every request must hold, also one that is handed through.
   *
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  checkCall(body: JsonObject): void;
  /**
   * Reads a body that `checkCall` has passed. Paths in the call are those of the client's body.
   *
   * @param model The provider's name for the model.
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  readCall(body: JsonObject, model: string): Call;
  /** Writes the stream of an answer to a call. */
  writer(call: Call, defaults: Defaults): StreamWriter;
  writeAnswer(answer: Answer, call: Call, defaults: Defaults): JsonObject;
  writeError(error: WireError, context?: ErrorContext): JsonObject;
  /** How many tokens a call has. Default: `{input_tokens}`. */
  writeCount?(tokens: number): JsonObject;
  /** The error in a body that this wire's clients can read as it stands; `undefined` for any other body. */
  ownError(body: unknown): WireError | undefined;
}
