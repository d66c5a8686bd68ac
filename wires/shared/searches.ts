/** Reports the searches of providers that only send what they found, as sources beside their text. */
import type { Call, Delta, Emit } from "../types.ts";

/** The most sources of one answer that are reported as results of a search. */
const MOST_FOUND = 50;

/** The most characters of the user's text that are reported as the query. */
const MOST_QUERY = 400;

/** The user's last text, which is reported as the query if the provider does not say it. */
export function searchedFor({ messages }: Call): string {
  const parts = messages.findLast(({ role }) => role === "user")?.parts ?? [];
  const words = parts.map((part) => part.type === "text" ? part.text : "").join(" ").trim();
  return words.slice(0, MOST_QUERY).toWellFormed();
}

/** Whether the client offered a web search. */
const offersSearch = ({ settings: { tools } }: Call): boolean =>
  tools?.some((tool) => tool.type === "server" && tool.kind === "web_search") ?? false;

/**
 * Passes deltas on. If the client offered a web search and the provider named sources without a search, the search is
 * emitted at the end: clients such as Claude Code read the results from there and not from the text.
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
