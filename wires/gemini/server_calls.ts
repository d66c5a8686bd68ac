/** Reads what Google's side did as calls of a provider's own tools: searches, fetched pages, code. */
import { list, object, objects, text } from "../shared/json.ts";
import type { JsonObject, ServerCall } from "../types.ts";

/** What a candidate reports about it. Everything but code is only known at the candidate's end. */
export interface ServerWork {
  /** `executableCode` that has no result yet. */
  code?: JsonObject;
  /** The search queries from `toolCall` parts, which come only if the request has functions. */
  queries: string[];
  grounding?: JsonObject;
  /** The candidate's `urlContextMetadata`. */
  fetched?: unknown;
}

/** Makes the call of code execution once its result has come. */
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

/** Records the search queries of a `toolCall` part. */
export function noteSearch(work: ServerWork, toolCall: JsonObject): void {
  if (!String(toolCall.toolType).startsWith("GOOGLE_SEARCH")) return;
  for (const query of list(object(toolCall.args)?.queries)) if (text(query)) work.queries.push(String(query));
}

/** Reads the searches and the fetched pages when a candidate has ended. */
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
