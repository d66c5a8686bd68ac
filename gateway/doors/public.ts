/** Serves what needs no token: the page, the health check, and the documents for programs. */
import type { Config } from "../setup/config.ts";
import { addressFor, home } from "./home.ts";
import type { Route } from "./table.ts";

type Public = Extract<Route["door"], "home" | "health" | "openapi" | "llms">;

const PUBLIC: ReadonlySet<string> = new Set<Public>(["home", "health", "openapi", "llms"]);

export const isPublic = (door: Route["door"]): door is Public => PUBLIC.has(door);

export async function servePublic(door: Public, request: Request, config: Config): Promise<Response> {
  if (door === "home") return await home(request, config);
  if (door === "health") return Response.json({ status: "ok" });
  // A module of its own, which is not loaded unless a client asks.
  const { OPENAPI, LLMS } = await import("./documents/documents.ts");
  const [body, type] = door === "openapi"
    ? [OPENAPI, "application/json"]
    : [LLMS.replaceAll(/\bSLUICE\b/g, () => addressFor(request, config)), "text/plain; charset=utf-8"];
  return new Response(body, { headers: { "content-type": type, "cache-control": "no-cache" } });
}
