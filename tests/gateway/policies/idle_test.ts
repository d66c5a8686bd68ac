/** Answers that fall silent, which the gateway reads before the client gets any byte. */
import { assertEquals } from "@std/assert";
import { ask, before } from "../../fakes.ts";

/** A body that begins and then stays open. It counts how often it was cancelled. */
function stalled(text: string, status: number) {
  let cancelled = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    cancel: () => void cancelled++,
  });
  const response = new Response(body, { status, headers: { "content-type": "application/json" } });
  return { response, cancelled: () => cancelled };
}

Deno.test("an answer or an error that falls silent is 504, and is cancelled", async () => {
  for (const [model, status] of [["anthropic/m", 200], ["anthropic/m", 400], ["openai/m", 500]] as const) {
    const answer = stalled('{"id":', status);
    const { fetch } = before(() => answer.response, { streamIdleTimeoutMs: 5 });
    const response = await fetch(ask(model));
    const { error } = await response.json();
    assertEquals([response.status, error.code, answer.cancelled()], [504, "2005", 1], `${model} ${status}`);
    assertEquals(error.message.includes("sent nothing for 5 ms"), true, error.message);
  }
});
