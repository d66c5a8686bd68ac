/** Terms that calls and answers share. */

/** A parsed JSON object of unknown shape. */
export type JsonObject = { [key: string]: unknown };

/** Media by URL, by value (base64, without a `data:` prefix), or by the provider's own file id. */
export type Media = { url: string } | { mime: string; data: string } | { id: string };

/** A model's earlier reasoning. `signature` proves it; `redacted` is sealed text in place of `text`. */
export interface Thought {
  text?: string;
  signature?: string;
  redacted?: string;
  /** The format name of the signer, e.g. `anthropic-claude-v1`. A wire only sends back its own signatures. */
  format?: string;
  /** The provider's id of the thought, if the proof is bound to one (OpenAI's `rs_…`). */
  id?: string;
  /** How many pieces of its answer stood before it: the thoughts, and 1 for any content. Absent if none did. */
  after?: number;
  /**
   * A digest of the instructions and tools before which it was thought, if the proof is only valid behind the same ones.
   */
  bound?: string;
}

/** A source of a passage. `start` and `end` are offsets in the choice's text, in UTF-16 units. */
export interface Citation {
  url: string;
  title: string;
  start: number;
  end: number;
  /** Further members that OpenAI's form does not have (cited text, document index …). */
  extra?: JsonObject;
}

/** The kinds of tools that providers run themselves, under various names. */
export type ServerToolKind = "web_search" | "web_fetch" | "code_execution";
