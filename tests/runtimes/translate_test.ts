/** `translateStream` in a program, on every runtime. */
import { assertEquals } from "@std/assert";
import { bundle } from "../bundle.ts";
import { DENO, installForBun, run, serveWorkerd, workerConfig } from "./gateways.ts";

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

const LINE = `import app from "./${PROGRAM}"; console.log(await (await app.fetch()).text());`;

Deno.test("translateStream() on Deno", async () => {
  const { code, output } = await run(DENO, ["eval", "--quiet", "--no-check", LINE]);
  assertEquals(code, 0, output);
  assertEquals(JSON.parse(output), EXPECTED);
});

Deno.test("translateStream() on Bun", async () => {
  const { code, output } = await run(await installForBun(), ["-e", LINE], {
    BUN_CONFIG_MAX_HTTP_REQUESTS: "1000",
  });
  assertEquals(code, 0, output);
  assertEquals(JSON.parse(output), EXPECTED);
});

Deno.test({
  name: "translateStream() on workerd",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".js" });
    await bundle(path, PROGRAM);
    const files = { "program.js": await Deno.readTextFile(path) };
    await Deno.remove(path);
    await using worker = await serveWorkerd([await workerConfig("program", "program.js", [])], files, {});
    const response = await fetch(worker.url);
    const text = await response.text();
    assertEquals(response.status, 200, text + worker.output());
    assertEquals(JSON.parse(text), EXPECTED);
  },
});
