/** Recorded exchanges, read by Sluice and by the official SDK's accumulator. */
import Anthropic from "npm:@anthropic-ai/sdk@1.12.0";
import { assert, assertEquals } from "@std/assert";
import { anthropicMessages } from "../../../wires/anthropic_messages/mod.ts";
import { callOf, collector, type GatheredAnswer as Answer } from "../gathered.ts";
import { writeAnswer } from "../../../wires/openai_chat/write_answer.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import { sseReader } from "../../../wires/streams/sse.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { recordedTest, type Recording, recordings } from "../../recordings.ts";

/** What the SDK reads from an answer, in comparable terms. */
interface Message {
  content: { type: string; text?: string; thinking?: string; id?: string; name?: string; input?: unknown }[];
  stop_reason: string | null;
  usage: JsonObject & { output_tokens_details?: { thinking_tokens: number } | null };
}

async function viaSdk({ stream, body }: Recording["response"]): Promise<Message> {
  const client = new Anthropic({
    apiKey: "none",
    fetch: () =>
      Promise.resolve(
        stream === undefined
          ? Response.json(body)
          : new Response(stream, { headers: { "content-type": "text/event-stream" } }),
      ),
  });
  // The beta types also have the blocks of MCP and advisor tools.
  const params = { model: "m", max_tokens: 1, messages: [] };
  const message = stream === undefined
    ? await client.beta.messages.create(params)
    : await client.beta.messages.stream(params).finalMessage();
  return message as unknown as Message;
}

function viaUs({ stream, body }: Recording["response"]): Answer {
  const { emit, answer } = collector();
  if (stream === undefined) anthropicMessages.readAnswer(body!, emit);
  else {
    const reader = anthropicMessages.readStream(emit);
    const parser = sseReader((data, event) => reader.frame(data, event));
    parser.push(new TextEncoder().encode(stream));
    parser.end();
    reader.end();
  }
  return answer;
}

/** The blocks that Sluice sends back when a client returns the answer in the next turn. */
function handedBack(answer: Answer): JsonObject[] {
  const { choices } = writeAnswer(answer, callOf(), { id: "", created: 0, model: "" }) as {
    choices: { message: JsonObject }[];
  };
  const messages = [{ role: "user", content: "a" }, choices[0].message, { role: "user", content: "b" }];
  const { body } = anthropicMessages.writeCall(readCall({ messages }, "claude-opus-5"));
  return (body.messages as { content: JsonObject[] }[])[1].content;
}

const STOPS: Record<string, string> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
};

/** The recorded answers, or the recorded errors. */
function recorded(kind: "answers" | "errors"): [string, Recording][] {
  const list = recordings("anthropic", "azure-ai").filter(({ api, response }) =>
    api === "messages" && (response.status >= 400) === (kind === "errors")
  );
  assert(list.length > 0, `no recorded ${kind}`);
  return list.map((recording) => [recording.name, recording]);
}

recordedTest("readStream() and readAnswer() make of each recording what the SDK makes of it", async () => {
  for (const [name, { response }] of recorded("answers")) {
    const sdk = await viaSdk(response);
    const us = viaUs(response);
    const choice = us.choices[0];
    const blocks = (type: string) => sdk.content.filter((block) => block.type === type);
    assertEquals(choice.text, blocks("text").map((block) => block.text).join(""), name);
    assertEquals(choice.reasoning, blocks("thinking").map((block) => block.thinking).join(""), name);
    assertEquals(
      choice.calls.map((call) => [call.id, call.name, JSON.parse(call.arguments)]),
      blocks("tool_use").map(({ id, name, input }) => [id, name, JSON.parse(JSON.stringify(input))]),
      name,
    );
    assertEquals(choice.stop, STOPS[sdk.stop_reason!], name);
    const { usage } = us;
    assert(usage, name);
    assertEquals(usage.input, sdk.usage.input_tokens, name);
    assertEquals(usage.cacheRead, sdk.usage.cache_read_input_tokens ?? 0, name);
    assertEquals(usage.cacheWrite, sdk.usage.cache_creation_input_tokens ?? 0, name);
    assertEquals(usage.output + usage.reasoning, sdk.usage.output_tokens, name);
    assertEquals(usage.reasoning, sdk.usage.output_tokens_details?.thinking_tokens ?? 0, name);
    assertEquals(us.error, undefined, name);
  }
});

recordedTest("writeCall() hands each recorded answer back block by block", async () => {
  for (const [name, { response }] of recorded("answers")) {
    const sdk = await viaSdk(response);
    // Citations in a request have no `file_id`, and the caller `direct` is left out.
    const bare = (blocks: JsonObject[]) =>
      JSON.parse(
        JSON.stringify(blocks, (key, value) =>
          key === "file_id" || (key === "caller" && value?.type === "direct") ||
            (key === "citations" && !value?.length)
            ? undefined
            : value),
      );
    assertEquals(bare(handedBack(viaUs(response))), bare(sdk.content), name);
  }
});

recordedTest("readError() keeps the message of each recorded error", () => {
  for (const [name, { response }] of recorded("errors")) {
    const error = anthropicMessages.readError(response.status, response.body);
    assertEquals(error.message, (response.body?.error as JsonObject).message, name);
    assertEquals(error.status, response.status, name);
  }
});
