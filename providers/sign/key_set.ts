/** Credentials of several texts, e.g. Amazon's pair of keys with a session token. They travel as one key: as JSON. */
import { fromBase64url } from "../../wires/shared/base64.ts";
import { isObject, parseObject } from "../../wires/shared/json.ts";
import type { KeySet } from "../types.ts";

/** How JSON begins in base64: `{"`, or `{` and a blank. */
const IN_BASE64 = /^(?:eyJ|ew[ogk0]|ey[AEIM])[\w+/-]+={0,2}$/;

/** The texts of a set, by their names; `undefined` for a key that is one text. A set may be written as base64. */
export function readKeySet(key: string): Record<string, string> | undefined {
  const json = key.startsWith("{") ? key : IN_BASE64.test(key) ? fromBase64url(key) : undefined;
  const set = json === undefined ? undefined : parseObject(json.trim());
  return set && Object.values(set).every((text) => typeof text === "string")
    ? set as Record<string, string>
    : undefined;
}

/** Whether an object has a member that is only in sets of this kind. */
const isOf = (set: Record<string, unknown>, { needs }: Pick<KeySet, "needs">): boolean =>
  needs.some((name) => Object.hasOwn(set, name));

/** Whether an object of options is a set, and not keys by alias. */
export const isKeySet = (value: unknown, kind: KeySet): boolean =>
  isObject(value) && (isOf(value, kind) || kind.or !== undefined && isOf(value, kind.or));

/** What is wrong with a key that is written as a set; `undefined` for nothing, and for a key that is one text. */
export function keySetFault(key: string, { or, ...kind }: KeySet): string | undefined {
  const set = readKeySet(key);
  if (!set && !key.startsWith("{")) return undefined;
  const { needs, may = [] } = set && or && !isOf(set, kind) && isOf(set, or) ? or : kind;
  if (!set) return `it must be one key, or JSON of texts: ${[...needs, ...may].join(", ")}`;
  const missing = needs.find((name) => !set[name]);
  if (missing !== undefined) return `it has no ${missing}: a set needs ${needs.join(" and ")}`;
  const unknown = Object.keys(set).find((name) => !needs.includes(name) && !may.includes(name));
  return unknown === undefined ? undefined : `a set has no member ${unknown}`;
}

/** The texts of a key that must not be told to anybody: those of a set that are named like secrets, else the key itself. */
export function secretsOf(key: string): string[] {
  const set = readKeySet(key);
  if (!set) return [key];
  return Object.entries(set).flatMap(([name, text]) =>
    /key|secret|token/i.test(name) && !/^https?:/.test(text) ? [text] : []
  );
}
