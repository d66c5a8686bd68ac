import { assertEquals } from "@std/assert";
import { compatible, header, spoken } from "../../../providers/kinds.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import type { Provider } from "../../../providers/types.ts";
import { awsModelStream } from "../../../wires/streams/aws_event_stream.ts";
import type { Framing } from "../../../wires/streams/framing.ts";
import { jsonLines } from "../../../wires/streams/json_lines.ts";
import { ask, before } from "../../fakes.ts";
import { encode, latin1 } from "../../wires/streams/aws_messages.ts";

const START = {
  type: "message_start",
  message: { id: "msg_1", model: "claude", usage: { input_tokens: 1 } },
};
const TEXT = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } };
const EVENTS = [
  START,
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  TEXT,
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
  { type: "message_stop" },
];

/** The texts, finish reasons and errors that a client reads from a stream of a row with this framing. */
async function streamed(framing: Framing, chunks: Uint8Array[], type = framing.type): Promise<unknown[]> {
  const table = PROVIDERS as Map<string, Provider>;
  const row = compatible("https://framed.test/v1", { auth: header("x-api-key") });
  const wires = [{ ...spoken("anthropic"), framing }] as const;
  table.set("framed", { name: "framed", ...row, wires });
  try {
    const { fetch } = before(() =>
      new Response(ReadableStream.from(chunks), { headers: { "content-type": type } })
    );
    const answer = await fetch(ask("framed/claude", {}, { stream: true }));
    assertEquals([answer.status, answer.headers.get("content-type")], [200, "text/event-stream"]);
    const frames = (await answer.text()).split("\n\n").filter(Boolean);
    return frames.flatMap((frame) => {
      if (frame === "data: [DONE]") return ["DONE"];
      const { error, choices } = JSON.parse(frame.slice("data: ".length));
      if (error) return [`${error.code}: ${error.message}`];
      const [{ delta = {}, finish_reason = null } = {}] = choices;
      return [delta.content, finish_reason].filter((said) => said);
    });
  } finally {
    table.delete("framed");
  }
}

const line = (event: object) => new TextEncoder().encode(`${JSON.stringify(event)}\n`);
const message = (event: object) =>
  encode(
    { ":event-type": "chunk", ":message-type": "event" },
    JSON.stringify({ bytes: btoa(JSON.stringify(event)) }),
  );

Deno.test("a row's streams are read by the row's framing", async () => {
  assertEquals(await streamed(jsonLines, EVENTS.map(line)), ["Hi", "stop", "DONE"]);
  const charset = "Application/X-NDJSON; charset=utf-8";
  assertEquals(await streamed(jsonLines, EVENTS.map(line), charset), ["Hi", "stop", "DONE"]);
  assertEquals(await streamed(awsModelStream, EVENTS.map(message)), ["Hi", "stop", "DONE"]);
});

Deno.test("an exception in Amazon's event stream reaches the client in its own words, and ends the stream", async () => {
  const headers = { ":message-type": "exception", ":exception-type": "throttlingException" };
  const exception = encode(headers, '{"message":"Too many tokens"}');
  const chunks = [...EVENTS.slice(0, 3).map(message), exception, message(TEXT)];
  assertEquals(await streamed(awsModelStream, chunks), ["Hi", "throttlingException: Too many tokens"]);
});

Deno.test("a damaged or cut message of Amazon's event stream is told as a stream that broke off", async () => {
  const damaged = message(TEXT);
  damaged[damaged.length - 1] ^= 1;
  const told = "upstream_broke_off: The stream from framed broke off before the answer was finished";
  for (const last of [damaged, message(TEXT).subarray(0, 20), latin1("<html>Bad gateway</html>")]) {
    const seen = await streamed(awsModelStream, [...EVENTS.slice(0, 3).map(message), last]);
    assertEquals(seen.slice(0, 2), ["Hi", told]);
  }
});
