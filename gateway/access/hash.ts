/** Hashes secrets, and compares hashes in constant time. */

/** The SHA-256 of a text. */
export async function hash(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Whether two hashes are equal. The time does not tell where they differ. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  let different = 0;
  for (let at = 0; at < a.length; at++) different |= a[at] ^ b[at];
  return different === 0;
}
