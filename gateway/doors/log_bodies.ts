/** Serves the bodies of requests, and tells why one was not kept. */
import { GatewayError } from "../../wires/errors.ts";
import type { Journal } from "../log/journal.ts";
import type { LogBody, LogRow, Logs, Scope } from "../stores/store.ts";

/** The reason why a body of a row is not there. */
export function whyNot(row: LogRow, side: string, journal: Journal | undefined): string {
  const { which = "none" } = journal?.bodies ?? {};
  if (row.payload === false) return "the client asked for that (cf-aig-collect-log-payload: false)";
  if (row.bodies?.includes(side)) return "it was removed: there is a limit to the bytes of all bodies";
  if (row.bodies) return "the gateway did not read it";
  if (which === "none") return "this gateway keeps no bodies (SLUICE_LOGS_BODIES)";
  return which === "errors" && row.level === "info"
    ? "only those of failed requests are kept (SLUICE_LOGS_BODIES)"
    : "no bodies were kept when the request ended";
}

/** The answer to a request for one body. JSON comes as JSON, any other text as plain text. */
export function bodyAnswer({ text, isCut, headers }: LogBody): Response {
  const isJson = !isCut &&
    /^application\/([\w.+-]+\+)?json\b/i.test(headers["content-type"] ?? "application/json");
  return new Response(text, {
    headers: {
      "content-type": isJson ? "application/json" : "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

/**
 * All bodies of a row by their sides, as JSON for the page. In the place of one that was not kept stands the reason.
 *
 * @throws GatewayError `not_found`
 */
export async function allBodies(
  logs: Logs,
  scope: Scope,
  id: string,
  journal: Journal | undefined,
): Promise<Response> {
  const row = await logs.get(scope, id);
  if (!row) throw new GatewayError("not_found", "Cannot read bodies: there is no such row");
  const kept = new Map((await logs.bodies(scope, id)).map((body) => [body.side, body]));
  const sides = ["request", "response", ...(row.attempts ?? []).map((_, at) => `try${at + 1}`)];
  const bodies = Object.fromEntries(sides.map((side) => {
    const body = kept.get(side);
    if (!body) return [side, { why: whyNot(row, side, journal) }];
    const { text, bytes, isCut, headers, url } = body;
    return [side, { text, bytes, isCut, headers, url }];
  }));
  return Response.json(bodies, { headers: { "cache-control": "no-store" } });
}
