import { assertEquals, assertThrows } from "@std/assert";
import { EventStreamCodec } from "npm:@smithy/core@3.41.1/event-streams";
import { anthropicMessages } from "../../../wires/anthropic_messages/mod.ts";
import {
  awsEventStream,
  awsEventStreamReader,
  awsModelStream,
} from "../../../wires/streams/aws_event_stream.ts";
import { collector } from "../gathered.ts";
import { EventTooLong } from "../../../wires/streams/sse.ts";
import { recordedTest, recordings } from "../../recordings.ts";
import { crc, encode, latin1, u32, VECTORS } from "./aws_messages.ts";

type Seen = [event: string, data: unknown][];

function read(chunks: Uint8Array[], maxSize?: number): Seen {
  const seen: Seen = [];
  const reader = awsEventStreamReader(
    (data, event) => seen.push([event, data]),
    (error) => seen.push(["ERROR", error]),
    maxSize,
  );
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return seen;
}

const DAMAGED: Record<string, string> = {
  "length of headers": "\0\0\0=\xff\0\x01\x02\x07\xfd\x83\x96\x0ccontent-type\x07\0\x10" +
    "application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
  "headers":
    "\0\0\0=\0\0\0 \x07\xfd\x83\x96\x0ccontent+type\x07\0\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
  "length": "\x01\0\0\x1d\0\0\0\0\xfdR\x8cZ{'foo':'bar'}\xc3e96",
  "payload": "\0\0\0\x1d\0\0\0\0\xfdR\x8cZ{'foo':'bar'\x8d\xc3e96",
};

Deno.test("awsEventStreamReader() reads Amazon's test vectors, each alone and all in one stream", () => {
  for (const [name, [message, frame]] of Object.entries(VECTORS)) {
    assertEquals(read([latin1(message)]), [frame], name);
  }
  const all = Object.values(VECTORS);
  assertEquals(read([latin1(all.map(([message]) => message).join(""))]), all.map(([, frame]) => frame));
});

Deno.test("awsEventStreamReader() yields the same frames wherever the bytes are cut", () => {
  const all = Object.values(VECTORS);
  const bytes = latin1(all.map(([message]) => message).join(""));
  const frames = all.map(([, frame]) => frame);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assertEquals(read([bytes.subarray(0, cut), bytes.subarray(cut)]), frames, `cut at ${cut}`);
  }
  for (const size of [1, 2, 3, 7, 13, 64]) {
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, at) => bytes.subarray(at * size, (at + 1) * size),
    );
    assertEquals(read(chunks), frames, `pieces of ${size}`);
  }
});

Deno.test("awsEventStreamReader() refuses each damaged message of Amazon's vectors, and one with any bit flipped", () => {
  for (const [name, message] of Object.entries(DAMAGED)) {
    assertThrows(() => read([latin1(message)]), Error, "is damaged", name);
  }
  const bytes = encode({ ":message-type": "event", ":event-type": "x" }, '{"a":1}');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    assertThrows(() => read([flipped]), Error, "is damaged", `bit ${bit}`);
  }
});

Deno.test("awsEventStreamReader() refuses headers that are longer than they may be, though the checksums are right", () => {
  const broken = (headers: string, headersLength = headers.length) => {
    const lengths = u32(16 + headers.length) + u32(headersLength);
    const head = lengths + u32(crc(lengths)) + headers;
    return () => read([latin1(head + u32(crc(head)))]);
  };
  assertThrows(broken("\x01a\x07\0\x05abc"), Error, "a header is longer than the headers");
  assertThrows(broken("\x05a"), Error, "a header is longer than the headers");
  assertThrows(broken("\x01a\x0a"), Error, "unknown type 10");
  assertThrows(broken("\x01a\x00", 4), Error, "headers are longer than the message");
});

Deno.test("awsEventStreamReader() throws for a stream that ends inside a message", () => {
  const bytes = encode({ ":event-type": "x" }, "{}");
  for (let end = 1; end < bytes.length; end++) {
    assertThrows(() => read([bytes.subarray(0, end)]), Error, "ended inside it", `${end} bytes`);
  }
});

Deno.test("awsEventStreamReader() refuses a message beyond its limit when its length is read", () => {
  const bytes = encode({ ":event-type": "x" }, "y".repeat(100));
  assertEquals(read([bytes], bytes.length).length, 1);
  assertThrows(() => read([bytes.subarray(0, 12)], bytes.length - 1), EventTooLong);
  const reader = awsEventStream.reader(() => {}, () => {}, bytes.length - 1);
  assertThrows(() => reader.push(bytes), EventTooLong);
});

Deno.test("awsEventStreamReader() reports an exception with its message and its status", () => {
  const cases: [string, number | undefined][] = [
    ["throttlingException", 429],
    ["validationException", 400],
    ["serviceUnavailableException", 503],
    ["internalServerException", 500],
    ["modelStreamErrorException", 424],
    ["ModelTimeoutException", 408],
    ["accessDeniedException", 403],
    ["conflictException", 400],
    ["modelErrorException", 424],
    ["modelNotReadyException", 429],
    ["resourceNotFoundException", 404],
    ["serviceQuotaExceededException", 400],
    ["newException", undefined],
  ];
  for (const [name, status] of cases) {
    const headers = { ":message-type": "exception", ":exception-type": name };
    assertEquals(read([encode(headers, '{"message":"Too many"}')]), [
      ["ERROR", { message: "Too many", code: name, status }],
    ]);
    assertEquals(read([encode(headers)]), [
      ["ERROR", { message: `The stream failed: ${name}`, code: name, status }],
    ]);
  }
});

Deno.test("awsEventStreamReader() reads headers that differ from those of the message before", () => {
  const messages: [headers: Record<string, string>, frame: unknown][] = [
    [{ ":message-type": "event", ":event-type": "one" }, ["one", "{}"]],
    [{ ":message-type": "event", ":event-type": "one" }, ["one", "{}"]],
    [{ ":message-type": "event", ":event-type": "two" }, ["two", "{}"]],
    [{ ":event-type": "three", ":long": "x".repeat(5000) }, ["three", "{}"]],
    [{ ":event-type": "three", ":long": "y".repeat(5000) }, ["three", "{}"]],
    [{ ":event-type": "one" }, ["one", "{}"]],
    [{}, ["", "{}"]],
  ];
  const bytes = messages.map(([headers]) => encode(headers, "{}"));
  const frames = messages.map(([, frame]) => frame);
  assertEquals(read(bytes), frames);
  assertEquals(read([...bytes, ...bytes]), [...frames, ...frames]);
});

// ---------------------------------------------------------------- Amazon's own encoder

const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  (text) => new TextEncoder().encode(text),
);
const said = (value: string) => ({ type: "string" as const, value });

Deno.test("awsEventStreamReader() reads what Amazon's own encoder writes: events, exceptions and errors, however they are cut", () => {
  const body = new TextEncoder().encode('{"message":"Zu viele Wörter 🗼"}');
  const all = {
    t: { type: "boolean" as const, value: true },
    f: { type: "boolean" as const, value: false },
    b: { type: "byte" as const, value: -3 },
    s: { type: "short" as const, value: -300 },
    i: { type: "integer" as const, value: 70_000 },
    x: { type: "binary" as const, value: Uint8Array.of(0, 255) },
    d: { type: "timestamp" as const, value: new Date(1_700_000_000_000) },
    u: { type: "uuid" as const, value: "01a22524-7153-7464-9dda-5870fd83b1a9" },
  };
  const messages = [
    { headers: { ...all, ":message-type": said("event"), ":event-type": said("messageStart") }, body },
    { headers: { ":event-type": said("é"), ":message-type": said("event"), ...all }, body: new Uint8Array() },
    { headers: { ":message-type": said("exception"), ":exception-type": said("throttlingException") }, body },
    {
      headers: {
        ":message-type": said("error"),
        ":error-code": said("InternalServerException"),
        ":error-message": said("It is on fire."),
      },
      body: new Uint8Array(),
    },
  ].map((message) => codec.encode(message as never));
  const text = '{"message":"Zu viele Wörter 🗼"}';
  const expected: Seen = [
    ["messageStart", text],
    ["é", ""],
    ["ERROR", { message: "Zu viele Wörter 🗼", code: "throttlingException", status: 429 }],
    ["ERROR", { message: "It is on fire.", code: "InternalServerException", status: 500 }],
  ];
  const bytes = new Uint8Array(messages.flatMap((message) => [...message]));
  assertEquals(read([bytes]), expected);
  for (let cut = 1; cut < bytes.length; cut++) {
    assertEquals(read([bytes.subarray(0, cut), bytes.subarray(cut)]), expected, `cut at ${cut}`);
  }
  for (let at = 0; at < bytes.length; at++) {
    const flipped = bytes.slice();
    flipped[at] ^= 1;
    assertThrows(() => read([flipped]), Error, "", `byte ${at}`);
  }
});

recordedTest("awsEventStreamReader() reads every recorded stream of Bedrock, byte by byte as whole", () => {
  let frames = 0;
  for (const { response, name } of recordings("aws-bedrock")) {
    if (response.stream === undefined) continue;
    const bytes = latin1(atob(response.stream));
    const whole = read([bytes]);
    assertEquals(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), whole, name);
    for (const [event, data] of whole) {
      assertEquals([event !== "", typeof JSON.parse(data as string)], [true, "object"]);
    }
    frames += whole.length;
  }
  assertEquals(frames, 203);
});

recordedTest("awsModelStream unwraps the events of Claude on Bedrock, which its own wire reads", () => {
  let streams = 0;
  for (const { response, name, api, model } of recordings("aws-bedrock")) {
    // Claude Instant wrote the older text completions.
    const isClaude = model.includes("claude") && !model.includes("instant");
    if (api !== "invoke-stream" || response.stream === undefined || !isClaude) continue;
    const { emit, answer } = collector();
    const events = anthropicMessages.readStream(emit);
    const reader = awsModelStream.reader((data, event) => events.frame(data, event), (error) => {
      throw new Error(error.message);
    });
    reader.push(latin1(atob(response.stream)));
    reader.end();
    events.end();
    assertEquals(answer.error, undefined, name);
    assertEquals([answer.choices.length, answer.choices[0].stop !== undefined, answer.usage !== undefined], [
      1,
      true,
      true,
    ], name);
    streams++;
  }
  assertEquals(streams, 2);
});
