import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { EventTooLong, sseReader } from "../../../wires/streams/sse.ts";
import { assertLinear } from "../../growth.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The events of these chunks, as `[name, data]`. */
function read(...chunks: (string | Uint8Array)[]): [string, string][] {
  const events: [string, string][] = [];
  const reader = sseReader((data, event) => events.push([event, data]));
  for (const chunk of chunks) reader.push(typeof chunk === "string" ? bytes(chunk) : chunk);
  reader.end();
  return events;
}

Deno.test("sseReader() ends lines at LF, CR and CRLF, also mixed", () => {
  const expected: [string, string][] = [["a", "1"], ["", "2"]];
  for (const eol of ["\n", "\r", "\r\n"]) {
    assertEquals(
      read(["event: a", "data: 1", "", "data: 2", "", ""].join(eol)),
      expected,
      JSON.stringify(eol),
    );
  }
  assertEquals(read("event: a\rdata: 1\r\n\r\ndata: 2\n\r"), expected);
  assertEquals(read("data: 1\n\rdata: 2\r\n\n"), [["", "1"], ["", "2"]]);
});

Deno.test("sseReader() skips comments, foreign fields and a byte order mark", () => {
  assertEquals(
    read(
      "\uFEFF: PROCESSING\n\ndata: 1\n:\n: ping\nid: 7\nretry: 10\n:data: no\ndat: no\ndatas: no\nevents: no\n\n",
    ),
    [["", "1"]],
  );
  assertEquals(read(bytes("\uFEFFdata: 1\n\n").subarray(0, 1), bytes("\uFEFFdata: 1\n\n").subarray(1)), [[
    "",
    "1",
  ]]);
  // Only the first one is a byte order mark. A later one is text, and so part of a field's name.
  assertEquals(read("data: 1\n\n\uFEFFdata: 2\n\n"), [["", "1"]]);
});

Deno.test("sseReader() takes one space after the colon, no colon at all, and colons in the value", () => {
  assertEquals(read("data:1\n\n"), [["", "1"]]);
  assertEquals(read("data:  1 \n\n"), [["", " 1 "]]);
  assertEquals(read("data\n\n"), [["", ""]]);
  assertEquals(read("data:\n\n"), [["", ""]]);
  assertEquals(read('data: {"a":"b: c"}\nevent:x:y\n\n'), [["x:y", '{"a":"b: c"}']]);
  assertEquals(read("event\ndata: 1\n\n"), [["", "1"]]);
});

Deno.test("sseReader() joins the data lines of one event", () => {
  assertEquals(read("data: 1\ndata:\ndata: 3\n\n"), [["", "1\n\n3"]]);
  assertEquals(read("data\ndata\n\n"), [["", "\n"]]);
});

Deno.test("sseReader() gives each event only its own name, and emits no event without data", () => {
  assertEquals(read("event: a\n\ndata: 1\n\nevent: b\nevent: c\ndata: 2\n\ndata: 3\n\n"), [
    ["", "1"],
    ["c", "2"],
    ["", "3"],
  ]);
});

Deno.test("sseReader() takes a last event that has no blank line after it", () => {
  assertEquals(read("data: 1\n\nevent: e\ndata: 2"), [["", "1"], ["e", "2"]]);
  assertEquals(read("data: 1\n"), [["", "1"]]);
  assertEquals(read("data: 1\r"), [["", "1"]]);
  assertEquals(read("data: 1\n\n"), [["", "1"]]);
  assertEquals(read(""), []);
  assertEquals(read(), []);
});

Deno.test("sseReader() yields the same wherever two cuts fall, inside characters too", () => {
  const text = bytes("\uFEFF: c\r\nevent: é\r\ndata: 東\r\r\n\ndata: 🗼\rdata: z\n\r\ndata: end");
  const whole = read(text);
  assertEquals(whole, [["é", "東"], ["", "🗼\nz"], ["", "end"]]);
  for (let one = 0; one <= text.length; one++) {
    for (let two = one; two <= text.length; two++) {
      const pieces = read(text.subarray(0, one), text.subarray(one, two), text.subarray(two));
      if (JSON.stringify(pieces) !== JSON.stringify(whole)) {
        assertEquals(pieces, whole, `cut at ${one}, ${two}`);
      }
    }
  }
  assertEquals(read(...Array.from(text, (byte) => Uint8Array.of(byte))), whole);
});

Deno.test("sseReader() yields the same however any bytes are cut, with marks and broken characters among them", () => {
  const texts = ["data", ":", " ", "event", "x", "\n", "\n\n", "\r", "\r\n\r\n", "é", "🗼", "\uFEFF"].map(
    bytes,
  );
  const broken = [[0xff], [0xe6], [0x9d, 0xb1], [0xf0, 0x9f]].map((some) => Uint8Array.from(some));
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...texts, bytes("data: 1\n\n"), ...broken), { maxLength: 20 }),
      fc.array(fc.nat(6), { minLength: 1 }),
      (pieces, lengths) => {
        const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
        const chunks: Uint8Array[] = [];
        for (let at = 0, n = 0; at < whole.length && n < 200; n++) {
          const length = n < lengths.length ? lengths[n] : whole.length;
          chunks.push(whole.subarray(at, at += length));
        }
        assertEquals(read(...chunks), read(whole));
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("sseReader() survives bytes that are not UTF-8", () => {
  assertEquals(read(Uint8Array.of(...bytes("data: "), 0xff, 0xc3, 10, 10)), [["", "\uFFFD\uFFFD"]]);
  assertEquals(read(Uint8Array.of(...bytes("data: "), 0xf0, 0x9f)), [["", "\uFFFD"]]);
});

Deno.test("sseReader() emits an event as soon as its blank line has come", () => {
  const seen: string[] = [];
  const reader = sseReader((data) => seen.push(data));
  reader.push(bytes("data: 1\n"));
  assertEquals(seen, []);
  reader.push(bytes("\n"));
  assertEquals(seen, ["1"]);
  // A CR ends a line by itself: waiting for an LF that may never come would hold the event back.
  reader.push(bytes("data: 2\r\r"));
  assertEquals(seen, ["1", "2"]);
  reader.push(bytes("\ndata: 3\r\n\r\n"));
  assertEquals(seen, ["1", "2", "3"]);
});

Deno.test("sseReader() takes time in proportion to the bytes, however long a line is and however it is cut", async () => {
  for (const length of [10, 1000, Infinity]) {
    await assertLinear(`a line in chunks of ${length}`, 100_000, (size) => {
      const count = Math.max(1, size / length);
      const chunk = bytes("x".repeat(size / count));
      const [[, data]] = read("data: ", ...Array(count).fill(chunk), "\n\n");
      assertEquals(data.length, size);
    });
  }
  // The reader must not search again and again for a line end of the other kind.
  for (const [near, far] of ["\r\n", "\n\r"]) {
    // V8 keeps texts over 128 KiB elsewhere in its heap, where each access takes four times as long. Both sizes are
    // over that.
    await assertLinear(`lines that end in ${JSON.stringify(near)}`, 200_000, (size) => {
      assertEquals(read(`${near.repeat(size)}data: x${far.repeat(2)}`), [["", "x"]]);
    });
  }
});

Deno.test("sseReader() refuses an event beyond its limit, however it is cut, and counts each event anew", () => {
  const read = (limit: number, ...texts: string[]) => {
    const seen: string[] = [];
    const reader = sseReader((data) => seen.push(data), limit);
    for (const text of texts) reader.push(new TextEncoder().encode(text));
    reader.end();
    return seen;
  };
  const event = `data: ${"x".repeat(14)}`; // The event has 20 units with its name.
  assertEquals(read(20, `${event}\n\n`.repeat(3)).length, 3);
  assertEquals(read(20, ...`${event}\n\n`.repeat(3)).length, 3);
  for (const limit of [1, 19]) {
    assertThrows(() => read(limit, `${event}\n\n`), EventTooLong, `longer than ${limit} bytes`);
    assertThrows(() => read(limit, ...event), EventTooLong);
  }
  // The lines of one event count together. Comments between events do not count.
  assertThrows(() => read(20, "data: 123456\ndata: 123456\n\n"), EventTooLong);
  assertEquals(read(20, ...Array(50).fill(": a comment\n"), `${event}\n\n`).length, 1);
  assertThrows(() => read(20, ...Array(50).fill("x")), EventTooLong);
});

Deno.test("sseReader() joins a long line that comes byte by byte", () => {
  const seen: string[] = [];
  const reader = sseReader((data) => seen.push(data));
  const line = Array.from({ length: 5000 }, (_, at) => String.fromCharCode(97 + at % 26)).join("");
  for (const byte of new TextEncoder().encode(`data: ${line}\n\n`)) reader.push(Uint8Array.of(byte));
  assertEquals(seen, [line]);
});
