/** The interface of stores of documents: responses, and conversations with their items. */
import type { Scope } from "./store.ts";

/** Whose documents they are. Nobody else finds them. */
export interface Owner extends Scope {
  tenant: string;
}

/**
 * A document. Documents with the same `unit` are kept and removed together: a response is a unit of its own, and a
 * conversation is one with its items. The first document of a unit has the unit's id.
 */
export interface Document {
  unit: string;
  id: string;
  /** The unit that this one goes on from. */
  previous?: string;
  body: string;
}

/** A unit with all before it, the newest first. */
export interface Chain {
  documents: Document[];
  /** Why there are no more, if the chain goes on. */
  ends?: "missing" | "too long";
}

/** Which documents of a unit are wanted. */
export interface Page {
  /** The id of a document: only those behind it are wanted. An unknown id is behind none. */
  after?: string;
  descending: boolean;
  limit: number;
}

/** Keeps documents. No method throws for a missing document. */
export interface Documents {
  /** Adds documents: all of them, or none. An id that is there already in its unit is left as it is. */
  add(owner: Owner, documents: readonly Document[]): Promise<void>;
  get(owner: Owner, unit: string, id: string): Promise<Document | undefined>;
  /** The documents of a unit in the order of their arrival, without its first one. */
  list(owner: Owner, unit: string, page: Page): Promise<Document[]>;
  /**
   * A unit's first document, and those that it goes on from.
   *
   * @param most The most documents, and the most bytes of their bodies.
   */
  chain(owner: Owner, unit: string, most: { documents: number; bytes: number }): Promise<Chain>;
  /** Replaces a body. Returns whether the document exists. */
  change(owner: Owner, unit: string, id: string, body: string): Promise<boolean>;
  /** Removes a document, or a whole unit. Returns whether there was one. */
  remove(owner: Owner, unit: string, id?: string): Promise<boolean>;
  /** Begins the time anew for which units are kept. */
  touch(owner: Owner, units: readonly string[]): Promise<void>;
}

/** The limits of a store of documents. */
export interface DocumentLimits {
  /** For how many milliseconds a unit is kept that nobody uses. */
  ttlMs: number;
  /** The most bytes of all documents. Those that were not used for the longest time are removed first. */
  maxBytes: number;
  /** The time in milliseconds since 1970. */
  now: () => number;
}

/** A use is noted once in this time, so that a unit is not written at each use. */
export const TOUCH_MS = 86_400_000;

/** The bytes that a document takes beside its body, roughly. Without them empty documents would have no bound. */
export const DOCUMENT_BYTES = 500;

export const sizeOf = ({ body, id, unit }: Document): number =>
  body.length + id.length + unit.length + DOCUMENT_BYTES;
