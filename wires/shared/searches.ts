/** Searches of providers that tell only what they found, as sources beside their text. */
import type { Call, Delta, Emit } from "../types.ts";

/** Sources of one answer that are told as what a search found. */
const MOST_FOUND = 50;

/** Characters of the user's words that are told as a search. */
const MOST_QUERY = 400;

/** The user's last words, as what was searched for where nobody says it. */
export function searchedFor({ messages }: Call): string {
  const parts = messages.findLast(({ role }) => role === "user")?.parts ?? [];
  const words = parts.map((part) => part.type === "text" ? part.text : "").join(" ").trim();
  return words.slice(0, MOST_QUERY).toWellFormed();
}

/** Whether the client offered a web search. */
const offersSearch = ({ settings: { tools } }: Call): boolean =>
  tools?.some((tool) => tool.type === "server" && tool.kind === "web_search") ?? false;

/**
 * Passes deltas on. Where the client offered a web search and the provider named sources without a search, the search is told
 * at the end: clients such as Claude Code read what was found from there, and not from the text.
 */
export function withFound(emit: Emit, call: Call): Emit {
  if (!offersSearch(call)) return emit;
  const found = new Map<string, string>();
  let isTold = false;
  const tell = (): Delta => ({
    type: "server_tool",
    choice: 0,
    serverCall: {
      kind: "web_search",
      input: { query: searchedFor(call) },
      results: [...found].map(([url, title]) => ({ url, title })),
    },
  });
  return (delta) => {
    if (delta.type === "server_tool" && delta.serverCall.kind === "web_search") isTold = true;
    else if (delta.type === "citation" && delta.choice === 0) {
      const { url, title } = delta.citation;
      if (url !== "" && found.size < MOST_FOUND && !found.get(url)) found.set(url, title);
    } else if (delta.type === "stop" && delta.choice === 0 && !isTold && found.size > 0) {
      isTold = true;
      emit(tell());
    }
    emit(delta);
  };
}
