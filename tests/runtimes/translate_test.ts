/** `translateStream` in a program, on every runtime. */
import { assertEquals } from "@std/assert";
import { ON_RUNTIMES } from "./programs.ts";

const PROGRAM = "tests/runtimes/translate_program.ts";

const BEGUN = ["created", "in_progress", "output_item.added", "content_part.added", "output_text.delta"];

const EXPECTED = {
  messages: [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ],
  brokenMessages: ["message_start", "content_block_start", "content_block_delta", "error"],
  responses: [...BEGUN, "output_text.done", "content_part.done", "output_item.done", "completed"],
  brokenResponses: [...BEGUN, "error", "failed"],
  isTransformStream: true,
  whole: ["", "a", "b", "stop", "[DONE]"],
  fetched: ["", "a", "stop", "[DONE]"],
  broken: ["", "a", "upstream_broke_off"],
  refusal: ["", "a", "full"],
  refusedIsCancelled: true,
  isHeldBack: true,
  leftIsCancelled: true,
};

for (const { runtime, answer } of ON_RUNTIMES) {
  Deno.test({
    name: `translateStream() on ${runtime}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      assertEquals(await answer(PROGRAM), EXPECTED);
    },
  });
}
