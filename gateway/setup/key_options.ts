/** Reads what an operator writes of a virtual key. */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../../wires/errors.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { VirtualKeyFacts } from "../access/virtual_keys.ts";
import { readMetadata } from "../log/metadata.ts";
import { check } from "./check.ts";
import { type Known, readOpening } from "./check_tokens.ts";
import { dateText, meteringOptions, openingOptions, tokenName } from "./metering_options.ts";

const SHAPE = {
  name: tokenName,
  expires: v.optional(v.pipe(dateText, v.transform((text) => new Date(text).toISOString()))),
  disabled: v.optional(v.boolean()),
  ...openingOptions,
  ...meteringOptions,
  metadata: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
};

export const NEW = v.strictObject(SHAPE);
export const CHANGE = v.partial(NEW);

/** The most characters of a key's facts as JSON. */
const MOST_CHARACTERS = 16 * 1024;

/** What an operator writes of a key. */
export interface WrittenKey {
  name?: string;
  about: VirtualKeyFacts;
}

/**
 * Reads a new key, or the changes of one. In changes `null` takes a fact away.
 *
 * @param known The facts of the key that is changed. They are not checked again: a provider may have gone since.
 * @throws GatewayError `invalid_request` with the path of the fault.
 */
export function readKey(
  body: JsonObject,
  names: Known,
  known?: VirtualKeyFacts,
): WrittenKey {
  const given = known ? Object.fromEntries(Object.entries(body).filter(([, fact]) => fact !== null)) : body;
  const taken = known ? Object.keys(body).filter((name) => body[name] === null) : [];
  try {
    const { name, ...about } = check(known ? CHANGE : NEW, given);
    for (const fact of taken) {
      if (fact === "name" || !Object.hasOwn(SHAPE, fact)) check(CHANGE, { [fact]: null });
    }
    const read = { ...about, ...readOpening(about, names, ""), ...readEntries(about.metadata) };
    // A fact that the body does not name stays as it is.
    const changed = Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
    const kept = Object.entries({ ...known, ...changed }).filter(([fact]) => !taken.includes(fact));
    if (JSON.stringify(kept).length > MOST_CHARACTERS) {
      throw new TypeError(`Cannot use option (root): it must have at most ${MOST_CHARACTERS} characters`);
    }
    return { name, about: Object.fromEntries(kept) };
  } catch (error) {
    throw error instanceof TypeError ? fault(error.message) : error;
  }
}

/** Reads the entries for rows. @throws TypeError for one that rows cannot hold. */
function readEntries(entries: object | undefined): Pick<VirtualKeyFacts, "metadata"> {
  if (entries === undefined) return {};
  const left: string[] = [];
  const metadata = readMetadata(JSON.stringify(entries), left) ?? {};
  if (left.length === 0) return { metadata };
  const path = left[0].replace("cf-aig-metadata", "metadata");
  throw new TypeError(
    `Cannot use option ${path}: it cannot be kept; a key has five entries of 64 and 512 characters at most`,
  );
}

/** The same fault as an error of a request. */
function fault(message: string): GatewayError {
  const [, path, says] = /^Cannot use option ([^:]+): (.*)$/s.exec(message) ?? [undefined, "(root)", message];
  const param = path === "(root)" ? undefined : path;
  return new GatewayError("invalid_request", `Cannot save the key: ${param ?? "the body"}: ${says}`, {
    param,
  });
}
