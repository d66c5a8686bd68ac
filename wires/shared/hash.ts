/** A short hash that tells texts apart; nothing rests on its strength. */

/** FNV-1a over UTF-16 units; goes on from an earlier hash. */
export function hash(text: string, from = 0x811c9dc5): number {
  let sum = from;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum;
}

/** A hash in letters and digits. */
export const digest = (sum: number): string => (sum >>> 0).toString(36);
