/** Headers of requests that mean something to one wire's providers, and are nobody else's to see. */
import type { WireName } from "../types.ts";

/**
 * How such headers begin, in lower case: versions, and what is for the wire's author alone, as betas and what Claude Code says
 * of its session.
 *
 * @see https://platform.claude.com/docs/en/api/versioning (2026-11)
 */
const OWN_HEADERS: readonly { begins: string; wire: WireName; anyProvider?: true }[] = [
  { begins: "anthropic-version", wire: "anthropic", anyProvider: true },
  { begins: "anthropic-", wire: "anthropic" },
  { begins: "x-claude-code-", wire: "anthropic" },
];

/** Whether a header may go to a provider, by its name in lower case. */
export function isForProvider(name: string, { wire, isAuthor }: HeaderTarget): boolean {
  for (const { begins, wire: owner, anyProvider } of OWN_HEADERS) {
    if (name.startsWith(begins)) return owner === wire && (anyProvider || isAuthor);
  }
  return true;
}

/** Whom a request goes to, as far as its headers depend on it. */
export interface HeaderTarget {
  wire: WireName;
  /** It is the wire's author. */
  isAuthor: boolean;
}
