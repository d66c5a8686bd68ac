/** What a model did on Google's side, as calls of a provider's own tools: searches, fetched pages, code. */
import { list, object, objects, text } from "../shared/json.ts";
import type { JsonObject, ServerCall } from "../types.ts";

/** What a candidate tells of it; all but code is known only at its end. */
export interface ServerWork {
  /** `executableCode` that has no result yet. */
  code?: JsonObject;
  /** Asked by `toolCall` parts, which come only beside functions. */
  queries: string[];
  grounding?: JsonObject;
  /** `urlContextMetadata` */
  fetched?: unknown;
}

/** The code that was run, once its result is there. */
export function codeRun({ code }: ServerWork, result: JsonObject): ServerCall {
  const { id, outcome, output } = result;
  const printed = text(output) ?? "";
  const call: ServerCall = {
    kind: "code_execution",
    id: text(id),
    input: { code: text(code?.code) ?? "" },
    output: printed,
  };
  return outcome === undefined || outcome === "OUTCOME_OK" || outcome === 1
    ? call
    : { ...call, error: "unavailable" };
}

/** Notes what a `toolCall` part asked of Google's search. */
export function noteSearch(work: ServerWork, toolCall: JsonObject): void {
  if (!String(toolCall.toolType).startsWith("GOOGLE_SEARCH")) return;
  for (const query of list(object(toolCall.args)?.queries)) if (text(query)) work.queries.push(String(query));
}

/** The searches and the pages that were fetched, when a candidate has ended. */
export function readServerWork(
  { grounding, fetched, queries }: ServerWork,
  take: (call: ServerCall) => void,
): void {
  const asked = list(grounding?.webSearchQueries).filter((query) => text(query));
  const all = asked.length > 0 ? asked : queries;
  const results = objects(grounding?.groundingChunks).flatMap(({ web }) => {
    const { uri, title } = object(web) ?? {};
    return text(uri) ? [{ url: String(uri), title: text(title) ?? "" }] : [];
  });
  if (all.length > 0 || results.length > 0) {
    const input: JsonObject = { query: all[0] ?? "" };
    if (all.length > 1) input.queries = all;
    take({ kind: "web_search", input, results });
  }
  for (const { retrievedUrl, urlRetrievalStatus: status } of objects(object(fetched)?.urlMetadata)) {
    const url = text(retrievedUrl);
    if (!url) continue;
    const call: ServerCall = { kind: "web_fetch", input: { url } };
    const isFetched = status === undefined || String(status).endsWith("SUCCESS");
    take(isFetched ? { ...call, results: [{ url, title: "" }] } : { ...call, error: "url_not_accessible" });
  }
}
