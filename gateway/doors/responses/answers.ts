/** What the paths of stored responses and conversations have in common. */
import { GatewayError, quote } from "../../../wires/errors.ts";

/** @throws GatewayError `method_not_allowed` */
export function only({ method }: Request, methods: readonly string[]): void {
  if (methods.includes(method)) return;
  const allow = [...methods, "OPTIONS"].join(", ");
  throw new GatewayError("method_not_allowed", `Cannot ${quote(method)} here: the path takes ${allow}`, {
    headers: { allow },
  });
}

/** The answer with something that is stored. */
export const answer = (body: unknown): Response =>
  Response.json(body, { headers: { "cache-control": "no-store" } });
