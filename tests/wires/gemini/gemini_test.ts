/** Gemini through the gateway. */
import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { before, post, ROOT } from "../../fakes.ts";

/** A gateway whose provider gives this answer, and what was sent to the provider. */
function gateway(...answers: Response[]) {
  const { fetch, sent } = before(() => answers.shift()!, { now: () => 1_700_000_000_000, random: () => 0.5 });
  const chat = (body: JsonObject, headers: Record<string, string> = {}) =>
    fetch(post(`${ROOT}/compat/chat/completions`, body, { authorization: "Bearer secret-key", ...headers }));
  return { chat, sent };
}

const fixture = (name: string) =>
  new Response(Deno.readFileSync(new URL(`../../fixtures/gemini/${name}.sse`, import.meta.url)), {
    headers: { "content-type": "text/event-stream" },
  });

/** The chunks of a stream, which must end with `[DONE]`. */
async function chunks(response: Response): Promise<JsonObject[]> {
  const events = (await response.text()).trimEnd().split("\n\n").map((event) => event.replace(/^data: /, ""));
  assertEquals(events.pop(), "[DONE]");
  return events.map((event) => JSON.parse(event));
}

const USER = { role: "user", content: "Hi" };

Deno.test("google-ai-studio takes the key in a header, never in the URL, under each of its names", async () => {
  for (const name of ["google-ai-studio", "google", "gemini"]) {
    const { chat, sent } = gateway(Response.json({
      candidates: [{ content: { role: "model", parts: [{ text: "Hello" }] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 1, totalTokenCount: 3 },
      modelVersion: "gemini-3.8-flash",
      responseId: "resp-1",
    }));
    const response = await chat({ model: `${name}/gemini-3.8-flash`, messages: [USER], seed: 1, user: "u" });
    assertEquals(
      sent[0].url,
      "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:generateContent",
    );
    assertEquals(sent[0].headers.get("x-goog-api-key"), "secret-key");
    assertEquals(sent[0].headers.get("authorization"), null);
    assertEquals(JSON.parse(sent[0].body), {
      generationConfig: { seed: 1 },
      contents: [{ role: "user", parts: [{ text: "Hi" }] }],
    });
    assertEquals(response.headers.get("sluice-dropped"), "user");
    assertEquals(await response.json(), {
      id: "resp-1",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "gemini-3.8-flash",
      choices: [{
        index: 0,
        message: { role: "assistant", content: "Hello", refusal: null },
        logprobs: null,
        finish_reason: "stop",
      }],
      usage: {
        prompt_tokens: 2,
        completion_tokens: 1,
        total_tokens: 3,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
      },
    });
  }
});

Deno.test("google-ai-studio streams a tool loop whose second turn carries the first one's signature", async () => {
  const { chat, sent } = gateway(fixture("parallel_calls"), fixture("thinking"));
  const model = "google-ai-studio/gemini-3.8-flash";
  const tools = ["get_tide", "list_ports"].map((name) => ({ type: "function", function: { name } }));
  const first = await chunks(
    await chat({ model, tools, messages: [USER], stream: true, stream_options: { include_usage: true } }),
  );
  assertEquals(sent[0].url.split("/models/")[1], "gemini-3.8-flash:streamGenerateContent?alt=sse");

  // As a client keeps it that only knows OpenAI's fields.
  const calls: { id: string; type: string; function: { name: string; arguments: string } }[] = [];
  let content = "";
  let finish: unknown;
  for (const { choices } of first as { choices: { delta: JsonObject; finish_reason: unknown }[] }[]) {
    for (const { delta, finish_reason } of choices) {
      content += delta.content ?? "";
      finish = finish_reason ?? finish;
      for (const call of (delta.tool_calls ?? []) as (typeof calls[number] & { index: number })[]) {
        const { id, type, function: { name } } = call;
        calls[call.index] ??= { id, type, function: { name, arguments: "" } };
        calls[call.index].function.arguments += call.function.arguments ?? "";
      }
    }
  }
  assertEquals([content, finish, calls.length], ["I will look up both.", "tool_calls", 3]);
  const usage = first.at(-1)!.usage as { total_tokens: number };
  assertEquals(usage.total_tokens, 79);

  const results = calls.map(({ id, function: { name } }) => ({
    role: "tool",
    tool_call_id: id,
    content: `${name} ran`,
  }));
  const second = await chunks(
    await chat({
      model,
      tools,
      stream: true,
      messages: [USER, { role: "assistant", content, tool_calls: calls }, ...results],
    }),
  );
  const [, turn, answers] = JSON.parse(sent[1].body).contents as { parts: JsonObject[] }[];
  const ids = ["fc-17", "call_resp-calls_0_1", "call_resp-calls_0_2"];
  assertEquals(turn.parts, [
    { text: "I will look up both." },
    {
      functionCall: { id: ids[0], name: "get_tide", args: { port: "Brest", hours: [6, 18] } },
      thoughtSignature: "U2lnbmVkRmlyc3Q=",
    },
    { functionCall: { id: ids[1], name: "get_tide", args: { port: "Cádiz" } } },
    { functionCall: { id: ids[2], name: "list_ports", args: {} } },
  ]);
  assertEquals(
    answers.parts.map((part) => part.functionResponse),
    ids.map((id, at) => {
      const name = at < 2 ? "get_tide" : "list_ports";
      return { id, name, response: { output: `${name} ran` } };
    }),
  );
  const reasoning = second.map((chunk) =>
    (chunk.choices as { delta: JsonObject }[])[0].delta.reasoning_content ?? ""
  );
  assertEquals(reasoning.join(""), "**Counting the moons**\n\nMars has two. I am sure.");
});

Deno.test("google-ai-studio refuses what it cannot express when told to be strict", async () => {
  const { chat, sent } = gateway();
  const response = await chat(
    { model: "gemini/gemini-2.5-pro", messages: [{ ...USER, name: "ada" }] },
    { "sluice-strict": "true" },
  );
  assertEquals([response.status, sent.length], [400, 0]);
  assertEquals((await response.json()).error.param, "messages[0].name");
});

Deno.test("google-ai-studio reports a stream that breaks in the middle", async () => {
  const half = (await fixture("thinking").text()).split("\r\n\r\n").slice(0, 3).join("\r\n\r\n");
  const { chat } = gateway(new Response(half, { headers: { "content-type": "text/event-stream" } }));
  const response = await chat({ model: "gemini/gemini-3.8-flash", messages: [USER], stream: true });
  const events = (await response.text()).trimEnd().split("\n\n");
  assertEquals(JSON.parse(events.at(-1)!.replace("data: ", "")).error.code, "cut_off");
});

Deno.test("google-ai-studio's retry delay becomes a header", async () => {
  const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "38.2s" }];
  const error = { code: 429, message: "You exceeded your quota.", status: "RESOURCE_EXHAUSTED", details };
  const { chat } = gateway(Response.json([{ error }], { status: 429 }));
  const response = await chat({ model: "gemini/gemini-3.8-flash", messages: [USER] });
  assertEquals([response.status, response.headers.get("retry-after")], [429, "39"]);
  const { error: { message, type, code, metadata } } = await response.json();
  assertEquals([message, type, code], [
    "You exceeded your quota.",
    "rate_limit_error",
    "rate_limit_exceeded",
  ]);
  assertEquals(metadata.original, [{ error }]);
});
