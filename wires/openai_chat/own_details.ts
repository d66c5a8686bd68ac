/**
 * OpenAI chat completions, a request that is handed through to a router: `reasoning_details` as their makers wrote them.
 *
 * A router such as OpenRouter passes these entries on to the maker of the model, which refuses what it did not make. Sluice
 * puts entries of its own among them, see `writeDetails`.
 */
import { isObject, text } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";
import { AFTER, AGAIN, openDetail, SEPARATOR } from "./read_thoughts.ts";

/**
 * The entries without those that only Sluice reads; `undefined` if nothing has to change.
 *
 * @param details A client's `reasoning_details`, of any shape.
 * @param dropped Takes the paths of whole blocks that are left out. Separators and layouts have no content.
 */
export function ownDetails(details: unknown, path: string, dropped: string[]): unknown[] | undefined {
  if (!Array.isArray(details)) return undefined;
  /** What stands before `AGAIN`, behind which the same entries come once more. */
  const told = new Set<string>();
  const again = details.findIndex((detail) => isObject(detail) && detail.data === AGAIN);
  const own = details.flatMap((detail, at) => {
    const written = isObject(detail) ? ownDetail(detail) : detail;
    if (written === undefined && isBlock(openDetail(detail))) dropped.push(`${path}[${at}]`);
    if (!isObject(written) || again < 0) return written === undefined ? [] : [written];
    const { index: _, ...said } = written;
    const key = JSON.stringify(said);
    if (at < again) told.add(key);
    return at > again && told.has(key) ? [] : [written];
  });
  return own.length < details.length || own.some((detail, at) => detail !== details[at]) ? own : undefined;
}

/** The entry as its maker wrote it; `undefined` if Sluice made it. */
function ownDetail(given: JsonObject): JsonObject | undefined {
  const detail = openDetail(given);
  const { data, id } = detail;
  if (detail !== given && detail.type === undefined) return undefined;
  if (typeof data === "string" && data.startsWith("{")) return undefined;
  if (typeof id !== "string" || !id.startsWith(AFTER)) return detail;
  const { id: _, ...rest } = detail;
  return rest;
}

/** Whether an entry of Sluice's is a block that the model wrote. */
function isBlock({ data }: JsonObject): boolean {
  const sealed = text(data) ?? "";
  return sealed !== SEPARATOR && sealed !== AGAIN && !sealed.startsWith('{"layout"');
}
