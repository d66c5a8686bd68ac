/** Reads credentials as clients write them. */

/** The credential in a header's value, without its scheme. */
export const credential = (value: string) => value.trim().replace(/^(?:bearer|token|key)(?:\s+|$)/i, "");

/** User and password of a `Basic` credential; an empty list for any other. */
export function basicPair(value: string): string[] {
  const [, pair] = /^basic\s+(\S+)$/i.exec(value.trim()) ?? [];
  if (pair === undefined) return [];
  try {
    const [user, ...password] = atob(pair).split(":");
    return [user, password.join(":")];
  } catch {
    return [];
  }
}

export function decodeParam(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a key is a text that SDKs send when they were given no key. */
export function isPlaceholder(key: string): boolean {
  return key === "" || key === "undefined" || key === "null" || key.includes("CF_TEMP_TOKEN");
}
