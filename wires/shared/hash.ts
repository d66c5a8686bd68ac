/** A short hash that tells texts apart. It is not cryptographic. */

/**
 * The 32-bit FNV-1a hash of a text's UTF-16 units.
 *
 * @param from An earlier hash to continue from.
 */
export function hash(text: string, from = 0x811c9dc5): number {
  let sum = from;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum;
}

/** A hash as lower-case letters and digits. */
export const digest = (sum: number): string => (sum >>> 0).toString(36);
