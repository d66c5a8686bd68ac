/** Reads the client's metadata of a request, for the log. */
import { isObject, parse } from "../../wires/shared/json.ts";
import type { Metadata } from "../stores/log_row.ts";

/** How many entries are kept. */
const MOST_ENTRIES = 5;

/** The most characters of a name and of a text. */
const MOST_CHARACTERS = { name: 64, text: 512 };

/** Names with this beginning are reserved by Cloudflare. */
const RESERVED = "cf.";

/**
 * Reads `cf-aig-metadata`: a JSON object whose first five entries with a text, a finite number or a boolean are kept.
 *
 * @param left Gets the name of each entry that is left out, or of the header if it is not a JSON object.
 */
export function readMetadata(text: string, left: string[]): Metadata | undefined {
  const given = parse(text);
  if (!isObject(given)) {
    left.push("cf-aig-metadata");
    return undefined;
  }
  const metadata: [string, string | number | boolean][] = [];
  for (const [name, value] of Object.entries(given)) {
    const isKept = metadata.length < MOST_ENTRIES && isEntry(name, value);
    if (isKept) metadata.push([name, value]);
    else left.push(`cf-aig-metadata.${name.slice(0, MOST_CHARACTERS.name)}`);
  }
  return metadata.length > 0 ? Object.fromEntries(metadata) : undefined;
}

const isEntry = (name: string, value: unknown): value is string | number | boolean =>
  name.length <= MOST_CHARACTERS.name && !name.startsWith(RESERVED) &&
  (typeof value === "string" && value.length <= MOST_CHARACTERS.text ||
    typeof value === "number" && Number.isFinite(value) || typeof value === "boolean");
