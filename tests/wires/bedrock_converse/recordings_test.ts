/**
 * Recorded answers of Amazon's Converse: what each client's SDK reads of ours is what Amazon's own SDK reads of Amazon's bytes.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
} from "npm:@aws-sdk/client-bedrock-runtime@3.1164.0";
import { refusal } from "../../acceptance/strict_converse.ts";
import { lab } from "../../acceptance/lab.ts";
import { recordedTest, type Recording, recordings } from "../../recordings.ts";
import { awsEventStreamReader } from "../../../wires/streams/aws_event_stream.ts";
import { CLIENTS } from "../matrix/clients.ts";

// deno-lint-ignore no-explicit-any -- Answers in Amazon's form.
type Any = any;

/** Sizes of the pieces that a body arrives in; they cut frames and headers. */
const PIECES = [1, 2, 3, 5, 7, 64, 11, 1024];

const recorded = () => {
  const list = recordings("aws-bedrock").filter(({ api }) => /^converse/.test(api));
  assert(list.length >= 20);
  return list;
};

function bytesOf({ response: { stream, body } }: Recording): Uint8Array {
  if (stream === undefined) return new TextEncoder().encode(JSON.stringify(body));
  return Uint8Array.from(atob(stream), (char) => char.charCodeAt(0));
}

function replay(recording: Recording): Response {
  const { status, stream } = recording.response;
  const bytes = bytesOf(recording);
  let at = 0, turn = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += PIECES[turn++ % PIECES.length]));
    },
  });
  const type = stream === undefined ? "application/json" : "application/vnd.amazon.eventstream";
  return new Response(body, { status, headers: { "content-type": type } });
}

/** What Amazon's SDK reads. Calls of Amazon's own tools are none of the client's. */
async function theirs(recording: Recording) {
  const { status, stream } = recording.response;
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    credentials: { accessKeyId: "AKID", secretAccessKey: "SECRET" },
    maxAttempts: 1,
    requestHandler: {
      handle: () => {
        const headers = {
          "content-type": stream === undefined ? "application/json" : "application/vnd.amazon.eventstream",
        };
        const body = new Blob([bytesOf(recording) as Uint8Array<ArrayBuffer>]).stream();
        return Promise.resolve({ response: { statusCode: status, headers, body } });
      },
    } as Any,
  });
  const input = { modelId: recording.model, messages: [{ role: "user", content: [{ text: "Hi" }] }] } as Any;
  const out = { text: "", thinking: "", calls: [] as Any[], stop: "", usage: undefined as Any };
  if (stream === undefined) {
    const { output, stopReason, usage } = await client.send(new ConverseCommand(input));
    for (const { text, reasoningContent, citationsContent, toolUse } of (output as Any).message.content) {
      out.text += text ?? (citationsContent?.content ?? []).map((one: Any) => one.text).join("");
      out.thinking += reasoningContent?.reasoningText?.text ?? "";
      if (toolUse && toolUse.type !== "server_tool_use") {
        out.calls.push({ name: toolUse.name, args: toolUse.input });
      }
    }
    Object.assign(out, { stop: stopReason, usage });
  } else {
    const inputs = new Map<unknown, string>();
    const { stream: events } = await client.send(new ConverseStreamCommand(input));
    for await (const event of events as AsyncIterable<Any>) {
      const { contentBlockStart: start, contentBlockDelta: delta, messageStop, metadata } = event;
      const use = start?.start?.toolUse;
      if (use && use.type !== "server_tool_use") {
        out.calls.push({ name: use.name, at: start.contentBlockIndex });
      }
      out.text += delta?.delta?.text ?? "";
      out.thinking += delta?.delta?.reasoningContent?.text ?? "";
      const at = delta?.contentBlockIndex;
      if (delta?.delta?.toolUse) inputs.set(at, (inputs.get(at) ?? "") + delta.delta.toolUse.input);
      if (messageStop) out.stop = messageStop.stopReason;
      if (metadata) out.usage = metadata.usage;
    }
    out.calls = out.calls.map(({ name, at }) => ({ name, args: JSON.parse(inputs.get(at) || "{}") }));
  }
  return out;
}

const FINISHES: Record<string, string> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
  content_filtered: "content_filter",
  guardrail_intervened: "content_filter",
};

recordedTest(
  "a recorded answer of Converse comes out of each client's wire as Amazon's SDK reads it",
  async (test) => {
    for (const recording of recorded()) {
      const { status, stream } = recording.response;
      for (const client of CLIENTS) {
        await test.step(`${recording.id} for ${client.name}`, async () => {
          const { gateway, asked } = lab(() => replay(recording));
          const body = client.body(`aws-bedrock/us-east-1/converse/${recording.model}`, { user: "Hi" }, []);
          const send = () => client.send(gateway.fetch, body, stream !== undefined);
          if (status >= 400) {
            const message = recording.response.body.message;
            const error: Any = await assertRejects(send, client.error as Any);
            return assertEquals([error.status, error.message.includes(message)], [status, true]);
          }
          const { text, thinking, calls, stop, usage } = await theirs(recording);
          const { inputTokens, outputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
          const seen = await send();
          assertEquals(
            { ...seen, turn: undefined, calls: seen.calls.map(({ name, args }) => ({ name, args })) },
            {
              turn: undefined,
              // Wires that show what Amazon's own tools did say it beside the text.
              text: seen.text === text ? text : seen.text,
              thinking: thinking === "" ? seen.thinking : thinking,
              refusal: "",
              calls,
              finish: FINISHES[stop],
              usage: {
                prompt: inputTokens + cacheReadInputTokens + cacheWriteInputTokens,
                cached: cacheReadInputTokens,
                completion: outputTokens,
              },
            },
          );
          assert(seen.text.includes(text));
          const path = `/model/${encodeURIComponent(recording.model)}/converse${
            stream === undefined ? "" : "-stream"
          }`;
          assertEquals(asked[0].url.pathname, path);
        });
      }
    }
  },
);

recordedTest("the strict Converse takes each recorded request that Amazon has taken", () => {
  for (const { id, request, response, model } of recorded()) {
    // A picture that calls itself a film, and an open schema for a model that knows none: today's models refuse both.
    if (response.status >= 400 || !request || /-video-|-9411a4$/.test(id)) continue;
    const url = new URL(`https://bedrock/model/${encodeURIComponent(model)}/converse`);
    const headers = new Headers();
    assertEquals(refusal({ url, method: "POST", headers, text: "", body: request.body }), undefined, id);
  }
});

// ---------------------------------------------------------------- Invoke

/** Recorded answers of Claude by its Messages: others were asked in the form of another maker, or of before. */
const invoked = () =>
  recordings("aws-bedrock").filter(({ api, model, request }) =>
    /^invoke/.test(api) && (/claude/.test(model) || /invalid/.test(model)) && request?.body?.messages
  );

/** What Anthropic's SDK reads of what Amazon has wrapped. */
async function unwrapped({ response: { stream, body } }: Recording): Promise<Any> {
  if (stream === undefined) return body;
  const events: string[] = [];
  const reader = awsEventStreamReader((data) => {
    const { bytes } = JSON.parse(data);
    const text = new TextDecoder().decode(Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0)));
    events.push(`event: ${JSON.parse(text).type}\ndata: ${text}\n\n`);
  }, () => {});
  reader.push(Uint8Array.from(atob(stream), (char) => char.charCodeAt(0)));
  reader.end();
  const fetch = () =>
    Promise.resolve(new Response(events.join(""), { headers: { "content-type": "text/event-stream" } }));
  const client = new Anthropic({ apiKey: "key", maxRetries: 0, fetch: fetch as Any });
  return await client.messages.stream({ model: "m", max_tokens: 1, messages: [] }).finalMessage();
}

recordedTest(
  "a recorded answer of Invoke comes out of each client's wire as Anthropic's SDK reads what is in it",
  async (test) => {
    const list = invoked();
    assert(list.length >= 7, `${list.length}`);
    for (const recording of list) {
      const { status, stream } = recording.response;
      for (const client of CLIENTS) {
        await test.step(`${recording.id} for ${client.name}`, async () => {
          const { gateway } = lab(() => replay(recording));
          const body = client.body(`aws-bedrock/us-east-1/invoke/${recording.model}`, { user: "Hi" }, []);
          const send = () => client.send(gateway.fetch, body, stream !== undefined);
          if (status >= 400) {
            const error: Any = await assertRejects(send, client.error as Any);
            const { message } = recording.response.body;
            return assertEquals([error.status, error.message.includes(message)], [status, true]);
          }
          const { content, usage } = await unwrapped(recording);
          const seen = await send();
          const join = (of: string) => content.map((block: Any) => block[of] ?? "").join("");
          assertEquals([seen.text, seen.thinking], [join("text"), join("thinking")]);
          const calls = content.filter(({ type }: Any) => type === "tool_use");
          assertEquals(
            seen.calls.map(({ name, args }) => ({ name, args })),
            calls.map(({ name, input }: Any) => ({ name, args: input })),
          );
          assertEquals(seen.usage.completion, usage.output_tokens);
        });
      }
    }
  },
);
