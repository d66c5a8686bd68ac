import { assert, assertEquals, assertRejects } from "@std/assert";
import { chunkReader, keptBytes, readAll } from "../../../wires/streams/chunks.ts";

const KINDS = ["bytes", undefined] as const;

/** A source of these chunks, as a byte stream or a plain one. */
function sourceOf(kind: typeof KINDS[number], chunks: Uint8Array<ArrayBuffer>[], after?: Error) {
  const seen = { cancelled: undefined as unknown };
  const list = chunks.map((chunk) => chunk.slice());
  const source = {
    pull(controller: ReadableByteStreamController | ReadableStreamDefaultController) {
      const chunk = list.shift();
      if (chunk) return controller.enqueue(chunk);
      if (after) return controller.error(after);
      controller.close();
      (controller as ReadableByteStreamController).byobRequest?.respond(0);
    },
    cancel(reason: unknown) {
      seen.cancelled = reason;
    },
  };
  const body = new ReadableStream({ ...source, type: kind } as UnderlyingDefaultSource<Uint8Array>);
  return { body, seen };
}

Deno.test("chunkReader() reads the same bytes from byte streams and from plain ones", async () => {
  const chunks = [1, 3, 200_000, 7].map((length) => Uint8Array.from({ length }, (_, at) => at % 251));
  const whole = chunks.flatMap((chunk) => [...chunk]);
  for (const kind of KINDS) {
    const reader = chunkReader(sourceOf(kind, chunks).body);
    const got: number[] = [];
    let chunk = await reader.read();
    for (; !chunk.done; chunk = await reader.read(chunk.value)) {
      for (const byte of chunk.value) got.push(byte);
    }
    assertEquals(got, whole, `${kind}`);
    assertEquals((await reader.read(chunk.value)).done, true, `${kind}, after the end`);
  }
});

Deno.test("chunkReader() rejects when the body breaks, after what came before", async () => {
  for (const kind of KINDS) {
    const broken = new Error("connection reset");
    const reader = chunkReader(sourceOf(kind, [new Uint8Array([7])], broken).body);
    assertEquals([...(await reader.read()).value!], [7], `${kind}`);
    await assertRejects(() => reader.read(), Error, "connection reset");
  }
});

Deno.test("chunkReader() passes a cancel on, also while a read waits", async () => {
  for (const kind of KINDS) {
    let cancelled: unknown;
    const source = {
      pull: () => new Promise<void>(() => {}),
      cancel: (reason: unknown) => void (cancelled = reason),
    };
    const body = new ReadableStream({ ...source, type: kind } as UnderlyingDefaultSource<Uint8Array>);
    const reader = chunkReader(body);
    const waiting = reader.read();
    await reader.cancel("gone");
    assertEquals([(await waiting).done, cancelled], [true, "gone"], `${kind}`);
  }
});

Deno.test("keptBytes() holds the bytes and not the memory that they are views on", () => {
  const kept = keptBytes();
  for (let at = 0; at < 3000; at++) kept.add(new Uint8Array(new ArrayBuffer(64 * 1024), 7, 1).fill(at % 251));
  assertEquals(kept.length, 3000);
  const whole = kept.join();
  assertEquals([whole.length, whole.buffer.byteLength], [3000, 3000]);
  assertEquals(whole, Uint8Array.from({ length: 3000 }, (_, at) => at % 251));
  assertEquals(keptBytes().join(), new Uint8Array());
});

Deno.test("readAll() reads a body whole, or cancels one that is longer than it may be", async () => {
  const chunks = [3, 5].map((length) => new Uint8Array(length).fill(length));
  for (const kind of KINDS) {
    const { body } = sourceOf(kind, chunks);
    assertEquals(await readAll(body, 8, () => assert(false)), Uint8Array.of(3, 3, 3, 5, 5, 5, 5, 5));
    const longer = sourceOf(kind, [...chunks, Uint8Array.of(1)]);
    longer.seen.cancelled = "not yet";
    await assertRejects(
      () =>
        readAll(longer.body, 7, () => {
          throw new Error("too long");
        }),
      Error,
      "too long",
    );
    assertEquals(longer.seen.cancelled, undefined);
    const cut = sourceOf(kind, chunks);
    cut.seen.cancelled = "not yet";
    assertEquals(await readAll(cut.body, 4, () => {}), Uint8Array.of(3, 3, 3, 5));
    assertEquals(cut.seen.cancelled, undefined);
  }
});
