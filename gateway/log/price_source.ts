/** Reads the operator's table of prices from its source. */
import { readAll } from "../../wires/streams/chunks.ts";
import { MOST_TABLE } from "../../providers/prices/table.ts";
import type { PriceSource } from "./prices.ts";

/** Milliseconds within which the whole table must have come. */
const MOST_MS = 30_000;

/** Whether a text is a URL and not the path of a file. */
export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/**
 * Reads the table at a URL.
 *
 * @param send Sends the request.
 */
export function pricesAt(
  url: string,
  send: (url: string, init: RequestInit) => Promise<Response>,
): PriceSource {
  return async () => {
    const response = await send(url, { signal: AbortSignal.timeout(MOST_MS) }).catch((cause) => {
      throw new Error(`${shown(url)} cannot be reached`, { cause });
    });
    if (!response.ok) {
      response.body?.cancel().catch(() => {});
      throw new Error(`${shown(url)} answered ${response.status}`);
    }
    return await readTable(response.body);
  };
}

/**
 * The text of a table.
 *
 * @throws TypeError for a table that is too long. Reading stops at the limit.
 */
export async function readTable(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (!body) return "";
  const bytes = await readAll(body, MOST_TABLE, () => {
    throw new TypeError(`it is longer than ${MOST_TABLE} bytes`);
  });
  return new TextDecoder().decode(bytes);
}

/** A URL without the parts that may hold a secret. */
export const shown = (url: string) => url.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//");
