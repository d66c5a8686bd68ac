/** Messages of Amazon's event stream, written for tests. */

/** Each character as one byte. */
export const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** A message with text headers. */
export function encode(headers: Record<string, string>, payload = ""): Uint8Array {
  const names = Object.entries(headers).map(([name, value]) =>
    `${String.fromCharCode(name.length)}${name}\x07${u16(value.length)}${value}`
  ).join("");
  const lengths = u32(16 + names.length + payload.length) + u32(names.length);
  const head = lengths + u32(crc(lengths)) + names + payload;
  return latin1(head + u32(crc(head)));
}

const u16 = (value: number) => String.fromCharCode(value >>> 8, value & 255);
export const u32 = (value: number) => u16(value >>> 16) + u16(value & 0xffff);

/** CRC-32 bit by bit, to check the table. */
export function crc(text: string): number {
  let value = 0xffffffff;
  for (const char of text) {
    value ^= char.charCodeAt(0);
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}
