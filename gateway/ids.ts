/** Ids for requests. */

/**
 * A UUID of version 7: in order of time.
 *
 * @param now Milliseconds since 1970.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function uuidv7(now: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = Math.floor(now).toString(16).padStart(12, "0");
  const variant = (8 + (bytes[1] & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(5, 8)}-${
    random.slice(8)
  }`;
}
