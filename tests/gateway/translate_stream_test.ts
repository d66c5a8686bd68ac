import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { toText } from "@std/streams";
import { createGateway, translateStream, type TranslateStreamOptions } from "../../mod.ts";
import { validate } from "../acceptance/messages_events.ts";
import { sourceOf } from "../sources.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;

/** The same short answer as a stream of each format. */
const STREAMS: Record<TranslateStreamOptions["from"], string> = {
  anthropic: event({
    type: "message_start",
    message: { id: "a", model: "m", usage: { input_tokens: 3, output_tokens: 1 } },
  }) +
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Grüße 🌍" } }) +
    event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }) +
    event({ type: "message_stop" }),
  cohere: event({ type: "message-start", id: "a" }) +
    event({ type: "content-delta", index: 0, delta: { message: { content: { text: "Grüße 🌍" } } } }) +
    event({
      type: "message-end",
      delta: { finish_reason: "COMPLETE", usage: { tokens: { input_tokens: 3, output_tokens: 5 } } },
    }),
  gemini: event({
    responseId: "a",
    modelVersion: "m",
    candidates: [{ content: { parts: [{ text: "Grüße 🌍" }] }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 5 },
  }),
  openai:
    event({ id: "a", created: 7, model: "m", choices: [{ index: 0, delta: { content: "Grüße 🌍" } }] }) +
    event({
      id: "a",
      choices: [{ index: 0, delta: {}, finish_reason: "eos" }],
      usage: { prompt_tokens: 3, completion_tokens: 5 },
    }),
  perplexity: event({ type: "response.created", response: { id: "a", model: "m" } }) +
    event({ type: "response.output_text.delta", delta: "Grüße 🌍" }) +
    event({
      type: "response.completed",
      response: { status: "completed", usage: { input_tokens: 3, output_tokens: 5 } },
    }),
  responses: event({ type: "response.created", response: { id: "a", model: "m" } }) +
    event({ type: "response.output_text.delta", output_index: 0, delta: "Grüße 🌍" }) +
    event({
      type: "response.completed",
      response: { status: "completed", usage: { input_tokens: 3, output_tokens: 5 } },
    }),
};

const FORMATS = Object.keys(STREAMS) as (keyof typeof STREAMS)[];

const OPENAI = { from: "openai", to: "openai" } as const;

const say = (content: string) => event({ id: "a", choices: [{ index: 0, delta: { content } }] });

/** The events of a translated stream, parsed. */
// deno-lint-ignore no-explicit-any -- The JSON that was written.
function parsed(text: string): any[] {
  const events = text.split("\n\n");
  assertEquals(events.pop(), "");
  return events.map((one) => one.slice("data: ".length)).map((data) =>
    data === "[DONE]" ? data : JSON.parse(data)
  );
}

/** Each event as a text: its content, its error or its finish reason. */
const told = (text: string) =>
  parsed(text).map((one) =>
    one.error
      ? `! ${one.error.code}`
      : one.choices?.[0]?.finish_reason ?? one.choices?.[0]?.delta.content ?? one.usage ?? one
  );

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("translateStream() is a TransformStream that writes the chunks of every format", async () => {
  assert(translateStream(OPENAI) instanceof TransformStream);
  for (const from of FORMATS) {
    const { body } = sourceOf([STREAMS[from]]);
    const text = await toText(body.pipeThrough(translateStream({ from, to: "openai" })));
    assertEquals(told(text), ["", "Grüße 🌍", "stop", "[DONE]"], from);
  }
});

Deno.test("translateStream() writes the same wherever the bytes are cut", async () => {
  for (const from of FORMATS) {
    const whole = bytes(STREAMS[from]);
    const options = { from, to: "openai", id: "i", created: 1, model: "d" } as const;
    const translated = (chunks: Uint8Array[]) =>
      toText(sourceOf(chunks).body.pipeThrough(translateStream(options)));
    const expected = await translated([whole]);
    for (let cut = 1; cut < whole.length; cut += 7) {
      assertEquals(
        await translated([whole.subarray(0, cut), whole.subarray(cut)]),
        expected,
        `${from} ${cut}`,
      );
    }
    assertEquals(await translated([...whole].map((_, at) => whole.subarray(at, at + 1))), expected, from);
  }
});

Deno.test("translateStream() writes what the gateway writes", async () => {
  const gateway = createGateway({
    now: () => 1_000,
    fetch: () =>
      Promise.resolve(
        new Response(STREAMS.anthropic, { headers: { "content-type": "text/event-stream" } }),
      ),
  });
  const response = await gateway.fetch(
    new Request("http://localhost/v1/chat/completions", {
      method: "POST",
      headers: { authorization: "Bearer k", "content-type": "application/json" },
      body: JSON.stringify({
        model: "anthropic/m",
        stream: true,
        messages: [{ role: "user", content: "x" }],
      }),
    }),
  );
  const { body } = sourceOf([STREAMS.anthropic]);
  const ours = body.pipeThrough(translateStream({ from: "anthropic", to: "openai", created: 1 }));
  assertEquals(await toText(ours), await response.text());
});

Deno.test("translateStream() fills in what the stream does not name", async () => {
  const first = async (from: keyof typeof STREAMS, options: object) => {
    const { body } = sourceOf([STREAMS[from].replaceAll(',"id":"a"', "")]);
    const text = await toText(body.pipeThrough(translateStream({ from, to: "openai", ...options })));
    const { id, created, model } = parsed(text)[0];
    return { id, created, model };
  };
  const options = { id: "i", created: 5, model: "d" };
  assertEquals(await first("cohere", options), options);
  assertEquals(await first("openai", options), { id: "a", created: 7, model: "m" });
  const before = Math.floor(Date.now() / 1000);
  const { id, created, model } = await first("cohere", {});
  assertMatch(id, /^chatcmpl-[0-9a-f-]{36}$/);
  assert(created >= before && created <= Date.now() / 1000, `${created}`);
  assertEquals(model, "unknown");
});

Deno.test("translateStream() tells the usage when it is asked to", async () => {
  const usages = async (includeUsage?: boolean) => {
    const { body } = sourceOf([STREAMS.anthropic]);
    const options = { from: "anthropic", to: "openai", includeUsage } as const;
    return parsed(await toText(body.pipeThrough(translateStream(options)))).map(({ usage }) => usage)
      .filter((usage) => usage);
  };
  assertEquals(await usages(), []);
  const [usage, ...more] = await usages(true);
  assertEquals([usage.prompt_tokens, usage.completion_tokens, more], [3, 5, []]);
});

Deno.test("translateStream() takes one chunk of the source ahead of its reader", async () => {
  const { body, seen } = sourceOf([say("a"), say("b"), say("c"), say("d")], "wait");
  const reader = body.pipeThrough(translateStream(OPENAI)).getReader();
  for (let read = 0; read < 3; read++) {
    await turn();
    assertEquals(seen.taken, read + 1);
    await reader.read();
  }
  await reader.cancel();
});

Deno.test("translateStream() turns a source that breaks into an error event, after all that came before", async () => {
  const { body } = sourceOf([say("a"), say("b"), new TypeError("connection reset")]);
  const text = await toText(body.pipeThrough(translateStream(OPENAI)));
  assertEquals(told(text), ["", "a", "b", "! upstream_broke_off"]);
  assertEquals(parsed(text).at(-1).error, {
    message: "The stream from openai broke off before the answer was finished",
    type: "server_error",
    param: null,
    code: "upstream_broke_off",
    metadata: { provider: "openai", cause: "TypeError: connection reset" },
  });
});

Deno.test("translateStream() turns an answer that is not finished into an error event", async () => {
  const { body } = sourceOf([say("a")]);
  const text = await toText(body.pipeThrough(translateStream(OPENAI)));
  assertEquals(told(text), ["", "a", "! cut_off"]);
});

Deno.test("translateStream() ends at the provider's error and lets the source go", async () => {
  const { body, seen } = sourceOf(
    [say("a") + event({ error: { message: "no room", code: "full" } }) + say("b"), say("c")],
    "wait",
  );
  const text = await toText(body.pipeThrough(translateStream(OPENAI)));
  assertEquals(told(text), ["", "a", "! full"]);
  await turn();
  assert(seen.cancelled !== undefined);
});

Deno.test("translateStream() turns an event that is too long into an error event and lets the source go", async () => {
  const chunk = new Uint8Array(2 ** 20).fill(97);
  const { body, seen } = sourceOf(
    [say("a"), "data: ", ...Array.from({ length: 40 }, () => chunk)],
    "wait",
  );
  const text = await toText(body.pipeThrough(translateStream(OPENAI)));
  assertEquals(told(text), ["", "a", "! upstream_broke_off"]);
  await turn();
  assert(seen.cancelled !== undefined);
  assert(seen.taken <= 36, `${seen.taken}`);
});

Deno.test("translateStream() cancels the source when its reader leaves, also while it waits", async () => {
  for (const chunks of [[], [say("a")]]) {
    const { body, seen } = sourceOf(chunks, "wait");
    const reader = body.pipeThrough(translateStream(OPENAI)).getReader();
    if (chunks.length > 0) await reader.read();
    const waiting = reader.read();
    await reader.cancel("gone");
    assertEquals(await waiting, { done: true, value: undefined });
    await turn();
    assertEquals(seen.cancelled, "gone");
  }
});

Deno.test("translateStream() refuses faulty options, and suggests the name that was meant", () => {
  const faults: [object, string][] = [
    [{ from: "anthropc", to: "openai" }, "from: it must be"],
    [{ from: "anthropc", to: "openai" }, "; did you mean anthropic?"],
    [{ from: "constructor", to: "openai" }, "from: it must be"],
    [{ to: "openai" }, "from: it must be"],
    [{ from: "openai", to: "gemini" }, 'to: it must be "openai" or "responses" or "anthropic"'],
    [{ from: "openai", to: "opnai" }, "did you mean openai?"],
    [{ from: "openai" }, 'to: it must be "openai"'],
    [{ ...OPENAI, includeUsge: true }, "includeUsge: it is not known; did you mean includeUsage?"],
    [{ ...OPENAI, constructor: 1 }, "constructor: it is not known"],
    [{ ...OPENAI, created: "1" }, "created: it must be a number"],
    [{ ...OPENAI, id: 1 }, "id: it must be a string"],
    [{ ...OPENAI, includeUsage: "yes" }, "includeUsage: it must be a boolean"],
  ];
  for (const [options, message] of faults) {
    assertThrows(() => translateStream(options as TranslateStreamOptions), TypeError, message);
  }
  translateStream({ ...OPENAI, id: undefined, created: undefined });
});

Deno.test("translateStream() writes Anthropic's and Responses' events of every format", async () => {
  for (const from of FORMATS) {
    const translated = (to: "anthropic" | "responses") =>
      toText(new Blob([STREAMS[from]]).stream().pipeThrough(translateStream({ from, to })));
    const messages = await translated("anthropic");
    assertEquals(validate(messages), "whole", from);
    assert(messages.includes('"text":"Grüße 🌍"'), messages);
    assertMatch(messages, /"output_tokens":5/);
    assertMatch(messages, /"id":"msg_[\da-f]{32}"/);
    const text = await translated("responses");
    assertMatch(text, /"id":"resp_[\da-f]{32}"/);
    const { type, response } = parsed(text.replaceAll(/^event: .*\n/gm, "")).at(-1)!;
    assertEquals([type, response.usage.output_tokens], ["response.completed", 5], from);
    assertEquals(response.output[0].content[0].text, "Grüße 🌍", from);
  }
});

Deno.test("translateStream() tells a failure in each format's words, without the usual end", async () => {
  const translated = (to: "anthropic" | "responses") =>
    toText(new Blob([say("a")]).stream().pipeThrough(translateStream({ from: "openai", to, id: "msg_1" })));
  const messages = await translated("anthropic");
  assertEquals(validate(messages), "error");
  assert(!messages.includes("message_stop"));
  const { error, response } = readFailed(await translated("responses"));
  assertEquals([error, response], ["error", "failed"]);
});

/** The types of the last two events. */
function readFailed(text: string) {
  const types = [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
  return { error: types.at(-2), response: types.at(-1)!.replace("response.", "") };
}
