/** Streams of bytes that tests read from. */

const bytes = (text: string) => new TextEncoder().encode(text);

/** A source of these chunks that counts what is taken from it. */
export function sourceOf(chunks: (string | Uint8Array | Error)[], after: "close" | "wait" = "close") {
  const seen = { taken: 0, cancelled: undefined as unknown };
  const list = [...chunks];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = list.shift();
      if (chunk instanceof Error) return controller.error(chunk);
      if (chunk !== undefined) {
        seen.taken++;
        return controller.enqueue(typeof chunk === "string" ? bytes(chunk) : chunk);
      }
      if (after === "close") return controller.close();
      return new Promise(() => {});
    },
    cancel(reason) {
      seen.cancelled = reason ?? "cancelled";
    },
  }, { highWaterMark: 0 });
  return { body, seen };
}
