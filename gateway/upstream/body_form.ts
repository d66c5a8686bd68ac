/** Writes a body in a cloud's form of the wire: the URL or a header says what a member said, and headers become members. */
import type { BodyForm } from "../../providers/types.ts";
import { list, members, object } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import { concat } from "../../wires/shared/json_text.ts";
import type { SentHeaders } from "./headers.ts";

/**
 * The members to add to a body. The headers that say the same are taken out.
 *
 * @param get Reads a member of the client's body.
 * @param dropped Takes the paths of what neither a member nor a header can say.
 */
export function takeMembers(
  { adds = {}, headers = [], betas, inHeaders = {} }: BodyForm,
  sent: SentHeaders,
  get: (field: string) => unknown,
  dropped: string[],
): JsonObject {
  const all = { ...adds };
  if (betas) {
    const { header, member, known, renamed = {} } = betas;
    const named = (sent.get(header) ?? "").split(",").map((name) => name.trim())
      .map((name) => Object.hasOwn(renamed, name) ? renamed[name] : name).filter((name) => known.has(name));
    const joined = [...new Set([...list(get(member)), ...named])];
    if (joined.length > 0) all[member] = joined;
    sent.delete(header);
  }
  for (const header of headers) sent.delete(header);
  for (const [member, names] of Object.entries(inHeaders)) {
    for (const [inner, value] of Object.entries(object(get(member)) ?? {})) {
      const { header, write } = Object.hasOwn(names, inner) ? names[inner] : { header: undefined };
      if (header === undefined || typeof value !== "string") dropped.push(`${member}.${inner}`);
      // The client's own header was written for this API, and the body for another one.
      else if (sent.get(header) === null) sent.set(header, write?.(value) ?? value);
    }
  }
  return all;
}

/** A JSON object's text with these members before its own. The rest stays byte for byte. */
export function withMembers(body: BodyInit, added: JsonObject): BodyInit {
  const head = members(added);
  if (head === "") return body;
  const bytes = typeof body === "string" ? undefined : body as Uint8Array<ArrayBuffer>;
  const text = bytes ? new TextDecoder("latin1").decode(bytes.subarray(0, MOST_BLANKS)) : body as string;
  const at = text.indexOf("{") + 1;
  const comma = /^\s*\}/.test(text.slice(at, at + MOST_BLANKS)) ? "" : ",";
  if (!bytes) return `${text.slice(0, at)}${head}${comma}${text.slice(at)}`;
  return concat([bytes.subarray(0, at), new TextEncoder().encode(head + comma), bytes.subarray(at)]);
}

/** The most blanks before the brace of an object: other bodies were parsed and are written anew. */
const MOST_BLANKS = 1024;
