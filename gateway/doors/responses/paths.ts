/** Says where something stands in the client's own request, although the gateway has put a conversation before its input. */
import { GatewayError } from "../../../wires/errors.ts";

/** Renames the paths in a text. */
export type Rename = (text: string) => string;

/**
 * Makes the function for one request.
 *
 * @param before The number of items before the client's own.
 * @param source The member that refers to them: `conversation`.
 * @param isText Whether the client's input is a text, which has become an item.
 */
export const renaming = (before: number, source: string, isText: boolean): Rename => (text) =>
  text.replaceAll(/\binput\[(\d+)\](\.content(?![\w[]))?/g, (_, digits, content = "") => {
    const at = Number(digits);
    if (at < before) return `${source}[${at}]${content}`;
    return isText ? "input" : `input[${at - before}]${content}`;
  });

/** Serves a request, and renames the paths in its error, or in the header that names what was left out. */
export async function withOwnPaths(rename: Rename, serve: () => Promise<Response>): Promise<Response> {
  try {
    const response = await serve();
    const dropped = response.headers.get("sluice-dropped");
    if (dropped !== null) response.headers.set("sluice-dropped", rename(dropped));
    return response;
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    const { code, message, details } = cause;
    const { param } = details;
    throw new GatewayError(code, rename(message), {
      ...details,
      ...(param !== undefined && { param: rename(param) }),
    });
  }
}
