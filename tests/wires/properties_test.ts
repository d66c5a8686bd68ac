/** Properties that hold for any input. A failure prints the seed and the smallest counterexample. */
import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { wiresFor } from "../../gateway/upstream/spoken.ts";
import { findProvider } from "../../providers/table.ts";
import { callOf, collector } from "./gathered.ts";
import { chunkWriter } from "../../wires/openai_chat/write_stream.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { sseReader } from "../../wires/streams/sse.ts";
import { packToolId, unpackToolId } from "../../wires/shared/tool_id.ts";
import type { Delta, JsonObject, StreamReader, Usage } from "../../wires/types.ts";
import { FAKES, SCENARIOS, sseText } from "./shared.ts";

const encoder = new TextEncoder();

/** A record with the usual prototype, because the comparison requires it. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });

/** Text with every kind of character: combining, outside the basic plane, control, line ends. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("\r\n", "\u2028", "\0"),
);

/** Splits bytes at these offsets, which may be in any order. */
function split(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((place, at) => bytes.subarray(at === 0 ? 0 : places[at - 1], place));
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });

// ---------------------------------------------------------------- frames

Deno.test("sseReader() reads any events, whatever the line ending and the cuts", () => {
  const event = record({
    event: fc.constantFrom<string>("", "ping", "delta"),
    data: anyText.map((text) => JSON.stringify(text)),
  });
  const eol = fc.constantFrom("\n", "\r", "\r\n");
  fc.assert(fc.property(fc.array(event), eol, cuts, (events, eol, cuts) => {
    const read: typeof events = [];
    const reader = sseReader((data, event) => read.push({ event, data }));
    for (const piece of split(encoder.encode(sseText(events, eol)), cuts)) reader.push(piece);
    reader.end();
    assertEquals(read, events);
  }));
});

// ---------------------------------------------------------------- tool ids

Deno.test("unpackToolId() restores what packToolId() packed, in characters that every provider accepts", () => {
  const id = fc.stringMatching(/^[a-zA-Z0-9_-]{1,40}$/).filter((id) => !id.includes("__sig_"));
  const signature = fc.uint8Array({ minLength: 1 }).map((bytes) => btoa(String.fromCharCode(...bytes)));
  fc.assert(fc.property(id, signature, (id, signature) => {
    const packed = packToolId(id, signature);
    assert(/^[a-zA-Z0-9_-]+$/.test(packed), packed);
    assertEquals(unpackToolId(packed), { id, signature });
  }));
  fc.assert(fc.property(id, (id) => assertEquals(unpackToolId(packToolId(id, undefined)).id, id)));
});

// ---------------------------------------------------------------- deltas

const tokens = fc.nat({ max: 1e6 });
const usage: fc.Arbitrary<Usage> = record({
  input: tokens,
  cacheRead: tokens,
  cacheWrite: tokens,
  audioIn: tokens,
  output: tokens,
  reasoning: tokens,
  audioOut: tokens,
});

/** The content of one choice: texts and thoughts in any order, then tool calls with their arguments. */
const said = fc.array(fc.oneof(
  record({ type: fc.constant("text" as const), text: fc.string({ unit: "grapheme", minLength: 1 }) }),
  record({ type: fc.constant("refusal" as const), text: fc.string({ minLength: 1 }) }),
  record({
    type: fc.constant("thought" as const),
    text: fc.string({ unit: "grapheme", minLength: 1 }),
    block: fc.constant(0),
  }),
));
const call = record({
  id: fc.stringMatching(/^[a-z0-9]{1,12}$/),
  name: fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/),
  pieces: fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
});
const reason = fc.constantFrom("stop" as const, "length" as const, "content_filter" as const);
const choice = record({
  said: said.filter((list) => list.length > 0),
  calls: fc.uniqueArray(call, { maxLength: 3, selector: ({ id }) => id }),
  reason,
});
const head = record({
  id: fc.string({ minLength: 1 }),
  model: fc.string({ minLength: 1 }),
  created: fc.nat(),
});

Deno.test("deltas written as chunks are read back the same", () => {
  const defaults = { id: "unused", created: 0, model: "unused" };
  const call = callOf({ includeUsage: true });
  fc.assert(
    fc.property(
      head,
      fc.array(choice, { minLength: 1, maxLength: 3 }),
      usage,
      cuts,
      (head, list, usage, cuts) => {
        const deltas: Delta[] = [{ type: "start", ...head }];
        list.forEach(({ said, calls, reason }, choice) => {
          // Thinking after other content is a new block.
          said.forEach((one, at) => {
            const before = said.slice(0, at + 1);
            const runs = before.filter(({ type }, i) => type === "thought" && before[i - 1]?.type !== type);
            deltas.push(
              one.type === "thought" ? { ...one, choice, block: runs.length - 1 } : { ...one, choice },
            );
          });
          calls.forEach(({ id, name, pieces }, index) => {
            deltas.push({ type: "tool", choice, index, id, name });
            for (const text of pieces) deltas.push({ type: "args", choice, index, text });
          });
          deltas.push({
            type: "stop",
            choice,
            reason: calls.length > 0 && reason === "stop" ? "tool_calls" : reason,
          });
        });
        deltas.push({ type: "usage", usage });
        const writer = chunkWriter(call, defaults);
        const text = deltas.map((delta) => writer.delta(delta)).join("") + writer.end();

        const before = collector();
        deltas.forEach(before.emit);
        const after = collector();
        const reader = openaiChat.readStream(after.emit);
        const sse = sseReader((data, event) => reader.frame(data, event));
        for (const piece of split(encoder.encode(text), cuts)) sse.push(piece);
        sse.end();
        reader.end();
        const { start, ...answer } = after.answer;
        assertEquals({ id: start.id, model: start.model, created: start.created }, head);
        assertEquals(answer, (({ start: _, ...rest }) => rest)(before.answer));
      },
    ),
  );
});

// ---------------------------------------------------------------- anything at all

interface Reads {
  name: string;
  readStream(emit: (delta: Delta) => void): StreamReader;
  readError(status: number, body: unknown): unknown;
  readAnswer?(body: JsonObject, emit: (delta: Delta) => void): void;
}

const WIRES: Reads[] = FAKES.map(({ provider, name = provider, model }) => {
  const row = findProvider(provider)!;
  const wires = wiresFor(row, model, () => undefined);
  const { wire } = name.endsWith("Responses")
    ? wires.find(({ wire }) => wire.name === "responses")!
    : wires[0];
  const { readStream, readError, readAnswer } = wire;
  return { name, readStream, readError, readAnswer };
});

/**
 * The deltas are valid for a collector and a writer: nothing after an error, and arguments only for open tool calls.
 */
function take(): { emit(delta: Delta): void; deltas: Delta[] } {
  const { emit } = collector();
  const writer = chunkWriter(callOf({ includeUsage: true }), { id: "a", created: 0, model: "m" });
  const deltas: Delta[] = [];
  return {
    deltas,
    emit(delta) {
      assert(deltas.at(-1)?.type !== "error", `${delta.type} after an error`);
      deltas.push(delta);
      emit(delta);
      writer.delta(delta);
    },
  };
}

/** Real events, with some of their values replaced by anything. */
function mutated(value: unknown, swaps: Iterator<unknown>, chance: Iterator<boolean>): unknown {
  if (chance.next().value) return swaps.next().value;
  if (Array.isArray(value)) return value.map((item) => mutated(item, swaps, chance));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mutated(item, swaps, chance)]));
}

function* cycle<T>(list: T[]): Generator<T> {
  for (let at = 0;; at++) yield list[at % list.length];
}

const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, "", -1, 1e9, [], {}, [null], [[]], [{}], true, "x"),
);
const swaps = fc.array(anything, { minLength: 1 });
const chances = fc.array(fc.integer({ min: 0, max: 12 }).map((n) => n === 0), {
  minLength: 5,
  maxLength: 60,
});

for (const [at, wire] of WIRES.entries()) {
  Deno.test(`${wire.name} survives events with any content`, () => {
    const frame = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom("[DONE]", "", "null", "{", '{"type":null}', "[]"),
    );
    fc.assert(fc.property(fc.array(frame), fc.array(fc.string()), (frames, names) => {
      const { emit } = take();
      const reader = wire.readStream(emit);
      frames.forEach((data, at) => reader.frame(data, names[at] ?? ""));
      reader.end();
    }));
  });

  Deno.test(`${wire.name} survives its own events with any values`, () => {
    const events = SCENARIOS.filter(({ name }) => !FAKES[at].lacks?.includes(name))
      .map((scenario) => FAKES[at].stream(scenario));
    fc.assert(
      fc.property(fc.nat(), swaps, chances, (which, swaps, chances) => {
        const { emit } = take();
        const reader = wire.readStream(emit);
        const values = cycle(swaps);
        const chance = cycle(chances);
        for (const { event = "", data } of events[which % events.length]) {
          const changed = typeof data === "string" ? data : JSON.stringify(mutated(data, values, chance));
          reader.frame(changed, event);
        }
        reader.end();
      }),
      { numRuns: 400 },
    );
  });

  Deno.test(`${wire.name} survives answers and errors with any values`, () => {
    fc.assert(
      fc.property(fc.nat(), swaps, chances, (which, swaps, chances) => {
        const whole = FAKES[at].whole(SCENARIOS[which % SCENARIOS.length]);
        const changed = mutated(whole, cycle(swaps), cycle([false, ...chances]));
        wire.readAnswer?.(changed as JsonObject, take().emit);
        for (const value of swaps) wire.readError(500, value);
      }),
      { numRuns: 400 },
    );
  });
}
