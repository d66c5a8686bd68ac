/** The two halves of a wire: the client's half and the provider's half. */
import type { Answer, Defaults, Delta, Emit, WireError } from "./answer.ts";
import type { Call, WireName } from "./call.ts";
import type { JsonObject } from "./content.ts";

/** A provider's request, before the row adds the base URL and the key. */
export interface WireRequest {
  /** The path below the row's base URL, with its query: `/v1/messages`. */
  path: string;
  body: JsonObject;
  /** Headers of the format: versions and betas. */
  headers?: Record<string, string>;
  /** The client's paths of what this wire cannot express: `seed`, `messages[0].name`. */
  dropped: string[];
  /** The client's names of tools that were renamed, by the names that a reader emits. */
  toolNames?: ReadonlyMap<string, string>;
  /** Makes the value of `bound` for the thoughts of the answer. Absent if the provider does not bind them. */
  bound?: () => string;
  /**
   * Finds the client's path of what stands at a path of `body`, or of what it was made from; `undefined` for what the
   * wire added. Absent if no row changes the body.
   */
  clientPath?: (path: string) => string | undefined;
}

/** A reader of one stream. Each stream has its own. */
export interface StreamReader {
  /** Reads one frame: its data as text, and its name, which is empty if it has none. */
  frame(data: string, event: string): void;
  /** Called when the bytes have ended. Emits an error if the answer was not finished. */
  end(): void;
}

/** A writer of one client's stream. Each stream has its own. */
export interface StreamWriter {
  /** Returns the text to send for this delta. It may be empty. */
  delta(delta: Delta): string;
  /** Returns the end of the stream; an empty text after an error. */
  end(): string;
  /** Returns an event without content. It tells the client that a silent connection is alive. */
  keepAlive?(): string;
}

/** A format of answers. It is read to translate an answer, and to watch an answer that is handed through. */
export interface AnswerFormat {
  /** Reads a whole answer. Emits an error for an object that is not an answer. */
  readAnswer(body: JsonObject, emit: Emit): void;
  /** Reads what it can from the end of a whole answer that is too long to be parsed. */
  readTail?(tail: string, emit: Emit): void;
  readStream(emit: Emit): StreamReader;
  /** Whether an event of a stream, by its text, tells the usage and nothing else. Absent if no stream has such an event. */
  isUsageEvent?(event: string): boolean;
  /** Matches the end of a whole stream, if its last event has a fixed text and comes after everything that is read. */
  lastEvent?: RegExp;
  /** Reads the body of an answer whose status is not 2xx: parsed JSON, or text if it is not JSON. */
  readError(status: number, body: unknown): WireError;
}

/** The provider's half of a wire: writes calls as requests, and reads their answers. */
export interface ProviderWire extends AnswerFormat {
  name: WireName;
  writeCall(call: Call): WireRequest;
  /** How the provider counts the tokens of a call. Absent if it does not. */
  counter?: TokenCounter;
}

/** Asks a provider for the number of tokens of a call. */
export interface TokenCounter {
  /** The suffix of the chat path, for a body that is handed through: `/count_tokens`. Empty if `writeCall` writes the path. */
  pathEnd: string;
  writeCall(call: Call): WireRequest;
  /** Reads the count from the answer; `undefined` if it has none. */
  read(body: JsonObject): number | undefined;
}

/** What the writer of an error may use beside the error. */
export interface ErrorContext {
  /** The client's call, if it was read. */
  call?: Call;
  /** The gateway's id of the request. */
  requestId?: string;
}

/** The provider that a body is handed through to. */
export interface Receiver {
  /** Whether it is the wire's author. */
  isAuthor: boolean;
  /** Its name for the model. */
  model: string;
}

/** Reads a body only as far as needed. */
export interface Fields {
  get(field: string): unknown;
  /** The items of a list, from its end. Each is parsed when it is asked for. */
  fromEnd(field: string): Iterable<unknown>;
}

/** How a wire removes what its messages hold for one provider when they go to another one. */
export interface ForeignRules {
  /** How such texts begin: `proofs` are proofs of other providers, `authors` are texts for the wire's author only. */
  proofs: string;
  authors?: string;
  /** Whether a body without such texts must change too. Called for every body, so it reads little. */
  isDue?(body: Fields, to: Receiver): boolean;
  /**
   * @param get Reads a field of the body.
   * @param dropped Takes the client's paths of what is left out, except of mere proofs.
   * @returns The new values of fields, by name.
   */
  without(get: (field: string) => unknown, to: Receiver, dropped: string[]): Map<string, unknown>;
}

/** The client's half of a wire: reads requests, and writes their answers. */
export interface ClientWire extends AnswerFormat {
  name: WireName;
  /** The suffix of the wire's path for a part of the API: `/compact`. Not every provider of the wire has it. */
  below?: string;
  /** How the ids of its answers begin: `chatcmpl-`. */
  idPrefix: string;
  /**
   * Its clients write fields of any provider into the body, so fields without a neutral term are sent to every target.
   */
  mixesFields?: true;
  /** The header in which its SDKs look for the id of a request, beside `x-request-id`. */
  requestIdHeader?: string;
  /**
   * Words that `foreign` and the rows' rules for messages are about. A long body with none of these words is not
   * parsed. A word that ends with `*` stands for all strings that begin with it.
   */
  ruleWords: readonly string[];
  /**
   * What must be removed from a body that is handed through because its provider must not read it: proofs of other
   * providers, which Sluice put there, and texts for the wire's author only.
   */
  foreign?: ForeignRules;
  /**
   * Checks what every request must have, even one that is handed through.
   *
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  checkCall(body: JsonObject): void;
  /**
   * Reads a body that has passed `checkCall`. Paths in the call are those of the client's body.
   *
   * @param model The provider's name for the model.
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  readCall(body: JsonObject, model: string): Call;
  /** Makes the writer of a streamed answer. */
  writer(call: Call, defaults: Defaults): StreamWriter;
  writeAnswer(answer: Answer, call: Call, defaults: Defaults): JsonObject;
  writeError(error: WireError, context?: ErrorContext): JsonObject;
  /** Writes the number of tokens of a call. Default: `{input_tokens}`. */
  writeCount?(tokens: number): JsonObject;
  /** The error in a body that this wire's clients can read unchanged; `undefined` for any other body. */
  ownError(body: unknown): WireError | undefined;
}
