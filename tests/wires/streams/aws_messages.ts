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

/**
 * Amazon's test vectors: the messages of the suite that its SDKs share.
 * https://github.com/awslabs/aws-c-event-stream/tree/main/tests
 */
export const VECTORS: Readonly<Record<string, [message: string, frame: [string, unknown]]>> = {
  "empty message": ["\0\0\0\x10\0\0\0\0\x05\xc2H\xeb}\x98\xc8\xff", ["", ""]],
  "int32 header": [
    "\0\0\0+\0\0\0\x0e4\x8b\xec{\x08event-id\x04\0\0\xa0\x0c{'foo':'bar'}\xd3\x89\x02\x85",
    ["", "{'foo':'bar'}"],
  ],
  "int8 header": ["\0\0\0\x17\0\0\0\x07)\x86\x01X\x04byte\x02\xff\xc2\xf8i\xdc", ["", ""]],
  "int16 header": ["\0\0\0\x19\0\0\0\tq\x0e\x92>\x05short\x03\xff\xff\xb2|\xb6\xcc", ["", ""]],
  "int64 header": [
    "\0\0\0\x1e\0\0\0\x0e]J\xdb\x8d\x04long\x05\xff\xff\xff\xff\xff\xff\xff\xffK\xc22\xda",
    ["", ""],
  ],
  "payload without headers": ["\0\0\0\x1d\0\0\0\0\xfdR\x8cZ{'foo':'bar'}\xc3e96", ["", "{'foo':'bar'}"]],
  "payload with a text header": [
    "\0\0\0=\0\0\0 \x07\xfd\x83\x96\x0ccontent-type\x07\0\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
    ["", "{'foo':'bar'}"],
  ],
  "all types of headers": [
    "\0\0\0b\0\0\0R\x03\xb5\xcb\x9c\x010\0\x011\x01\x012\x02\x02\x013\x03\0\x03\x014\x04\0\0\0\x04" +
    "\x015\x05\0\0\0\0\0\0\0\x05\x016\x06\0\x05bytes\x017\x07\0\x04utf8\x018\x08\0\0\0\0\0\0\0\x08" +
    "\x019\x090123456789abcdefc5" + "6q",
    ["", ""],
  ],
  "error": [
    "\0\0\0R\0\0\0B\xbf#c~\r:message-type\x07\0\x05error\x0b:error-code\x07\0\x04code" +
    "\x0e:error-message\x07\0\x07messagekl\xea=",
    ["ERROR", { message: "message", code: "code", status: undefined }],
  ],
};
