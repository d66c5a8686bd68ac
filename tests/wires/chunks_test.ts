import { assertEquals, assertRejects } from "@std/assert";
import { chunkReader } from "../../wires/chunks.ts";

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

Deno.test("chunkReader() gives the same bytes of byte streams and of plain ones", async () => {
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
