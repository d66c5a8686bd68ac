/** Ids of requests. */

/**
 * A UUID of version 7. Such UUIDs sort by time.
 *
 * @param now Milliseconds since 1970.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function uuidv7(now: number): string {
  const time = Math.floor(now).toString(16).padStart(12, "0");
  // Version 7 differs from a random UUID in the time and the version only, and `randomUUID` is one native call.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
}
