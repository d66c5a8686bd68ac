/** What calls and answers are both made of. */

/** A parsed JSON object of unknown shape. */
export type JsonObject = { [key: string]: unknown };

/** Bytes by address, by value (base64, no `data:` prefix) or by the provider's own file id. */
export type Media = { url: string } | { mime: string; data: string } | { id: string };

/** A model's earlier reasoning, handed back. `signature` proves it; `redacted` is sealed text in place of `text`. */
export interface Thought {
  text?: string;
  signature?: string;
  redacted?: string;
  /** Who signed it, e.g. `anthropic-claude-v1`; a wire sends back only its own signatures. */
  format?: string;
  /** The provider's id of it, where its proof is bound to one (OpenAI's `rs_…`). */
  id?: string;
}

/** A source that the text rests on; offsets are into the choice's text, in UTF-16 units. */
export interface Citation {
  url: string;
  title: string;
  start: number;
  end: number;
  /** What OpenAI's form has no place for (cited text, document index …), kept beside it. */
  extra?: JsonObject;
}

/** What a provider can run by itself, under whatever name. */
export type ServerToolKind = "web_search" | "web_fetch" | "code_execution";
