/** Request headers that only the providers of one wire may see. */
import type { WireName } from "../types.ts";

/**
 * How these headers begin, in lower case. Any provider of the wire gets the version; only the wire's author gets the
 * rest: betas, and what Claude Code says about its session.
 *
 * @see https://platform.claude.com/docs/en/api/versioning (2026-11)
 */
const OWN_HEADERS: readonly { begins: string; wire: WireName; anyProvider?: true }[] = [
  { begins: "anthropic-version", wire: "anthropic", anyProvider: true },
  { begins: "anthropic-", wire: "anthropic" },
  { begins: "x-claude-code-", wire: "anthropic" },
];

/**
 * Whether a header may be sent to a provider.
 *
 * @param name The header's name in lower case.
 */
export function isForProvider(name: string, { wire, isAuthor }: HeaderTarget): boolean {
  for (const { begins, wire: owner, anyProvider } of OWN_HEADERS) {
    if (name.startsWith(begins)) return owner === wire && (anyProvider || isAuthor);
  }
  return true;
}

/** The receiver of a request, as far as the headers depend on it. */
export interface HeaderTarget {
  wire: WireName;
  /** The provider is the author of the wire. */
  isAuthor: boolean;
}
