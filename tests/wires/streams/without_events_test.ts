import { assertEquals } from "@std/assert";
import { withoutEvents } from "../../../wires/streams/without_events.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What passes of a stream that comes in these chunks. */
function passed(
  chunks: Uint8Array<ArrayBuffer>[],
  isOut = (event: string) => event.includes("out"),
): string[] {
  const filter = withoutEvents(isOut);
  return [...chunks.map((chunk) => decode(filter.push(chunk))), decode(filter.end())];
}

const STREAMS: Record<string, [event: string, isOut?: true][]> = {
  "LF": [["data: a\n\n"], ["data: out\n\n", true], [": alive\n\n"], ["data: é\n\n"]],
  "CRLF": [["data: a\r\n\r\n"], ["data: out\r\n\r\n", true], ["data: b\r\ndata: c\r\n\r\n"]],
  "CR": [["data: a\r\r"], ["event: x\rdata: out\r\r", true], ["data: b\r\r"]],
  "mixed line breaks": [["data: a\r\n\n"], ["data: out\n\r\n", true], ["data: b\r\r\n"], [
    "data: out\r\r",
    true,
  ], [
    "data: c\n\n",
  ]],
  "blank lines between events": [["\n"], ["data: a\n\n"], ["\n"], ["\r\n"], ["data: out\n\n", true], ["\n"], [
    "data: b\n\n",
  ]],
  "an end without a blank line": [["data: a\n\n"], ["data: b\n"]],
  "an end that is left out": [["data: a\n\n"], ["data: out", true]],
  "an event that begins with one that is left out": [["data: out\n\n", true], ["data: a\n\n"]],
};

for (const [name, events] of Object.entries(STREAMS)) {
  Deno.test(`withoutEvents() passes the same bytes wherever a stream is cut: ${name}`, () => {
    const bytes = encode(events.map(([event]) => event).join(""));
    const kept = events.filter(([, isOut]) => !isOut).map(([event]) => event).join("");
    for (let cut = 0; cut <= bytes.length; cut++) {
      for (let second = cut; second <= bytes.length; second += 3) {
        const chunks = [bytes.slice(0, cut), bytes.slice(cut, second), bytes.slice(second)];
        assertEquals(passed(chunks).join(""), kept, `cut at ${cut} and ${second}`);
      }
    }
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    assertEquals(passed(single).join(""), kept, "byte by byte");
  });
}

Deno.test("withoutEvents() asks once for each event, with all of its text", () => {
  const asked: string[] = [];
  const isOut = (event: string) => asked.push(event) > 10;
  passed([encode("data: a\r"), encode("\n\r"), encode("\ndata: b\n"), encode("\ndata: c")], isOut);
  assertEquals(asked, ["data: a\r\n\r", "data: b\n\n", "data: c"]);
});

Deno.test("withoutEvents() returns the same array if all of it passes, and an event as soon as it has ended", () => {
  const filter = withoutEvents(() => false);
  const whole = encode("data: a\n\ndata: b\n\n");
  assertEquals(filter.push(whole) === whole, true);
  assertEquals(decode(filter.push(encode("data: c\n"))), "");
  assertEquals(decode(filter.push(encode("\ndata: d"))), "data: c\n\n");
  // An LF that belongs to the blank line is not kept for the next event.
  assertEquals(decode(filter.push(encode("\r\n\r"))), "data: d\r\n\r");
  assertEquals(decode(filter.push(encode("\n"))), "\n");
});

Deno.test("withoutEvents() holds no event of more than 64 KiB, and judges the one after it", () => {
  const long = "x".repeat(60_000);
  const chunks = ["data: out", long, long, "out\n\n", "data: out\n\n", "data: a\n\n"].map(encode);
  assertEquals(passed(chunks).map((text) => text.length), [0, 0, 120_009, 5, 0, 9, 0]);
});
