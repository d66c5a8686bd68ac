/** Where the operator's table of prices is read from. */
import { readAll } from "../../wires/streams/chunks.ts";
import { MOST_TABLE } from "../../providers/prices/table.ts";
import type { PriceSource } from "./prices.ts";

/** Milliseconds until the whole of it must be there. */
const MOST_MS = 30_000;

/** Whether a text names a URL, and not a file. */
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
 * @throws TypeError for one that is too long, of which no more is read then.
 */
export async function readTable(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (!body) return "";
  const bytes = await readAll(body, MOST_TABLE, () => {
    throw new TypeError(`it is longer than ${MOST_TABLE} bytes`);
  });
  return new TextDecoder().decode(bytes);
}

/** A URL without what may be a secret. */
const shown = (url: string) => url.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//");
