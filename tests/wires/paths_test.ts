/** Dropped content is named by paths in the client's body, whichever wire the client speaks. */
import { assert, assertEquals } from "@std/assert";
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { cohere } from "../../wires/cohere/mod.ts";
import { gemini } from "../../wires/gemini/mod.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { openaiResponses } from "../../wires/openai_responses/mod.ts";
import { perplexityAgent } from "../../wires/perplexity_agent/mod.ts";
import type { Call } from "../../wires/types.ts";

/** A call with more content than any provider's wire can express. */
const BODY = {
  messages: [
    { role: "system", content: "s", name: "n" },
    {
      role: "user",
      content: [
        { type: "text", text: "x", cache_control: { type: "ephemeral" } },
        { type: "image_url", image_url: { url: "https://a.example/b.png", detail: "low" } },
        { type: "image_url", image_url: { url: "data:image/svg+xml,x" } },
        { type: "video_url", video_url: { url: "https://a.example/b.mp4" } },
        { type: "input_audio", input_audio: { data: "QUJD", format: "wav" } },
        { type: "file", file: { file_id: "file-1", filename: "a.pdf" } },
        { type: "unheard_of", value: 1 },
      ],
    },
    {
      role: "assistant",
      content: "a",
      reasoning_details: [{ type: "reasoning.encrypted", data: "D", format: "elsewhere" }],
      tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "c", content: "r", is_error: true, cache_control: { type: "ephemeral" } },
    { role: "assistant", content: "b", reasoning_content: "t" },
    { role: "user", content: "y" },
  ],
  tools: [
    {
      type: "function",
      function: {
        name: "f",
        strict: true,
        parameters: {
          type: "object",
          oneOf: [{ properties: { a: { type: "string" } } }],
          properties: { b: { type: "string", minLength: 3, unheardOf: 1, if: {} } },
        },
      },
      cache_control: { type: "ephemeral" },
    },
    { type: "function", function: { name: "g" } },
    { type: "web_search", search_context_size: "low" },
    {
      type: "custom",
      custom: { name: "h", format: { type: "grammar", grammar: { syntax: "lark", definition: "x" } } },
      cache_control: { type: "ephemeral" },
    },
  ],
  tool_choice: { type: "function", function: { name: "g" } },
  response_format: {
    type: "json_schema",
    json_schema: { name: "n", description: "d", schema: { type: "object", minProperties: 1, if: {} } },
  },
  audio: { format: "wav" },
  modalities: ["text", "audio"],
  metadata: { user_id: "someone@a.example", other: "x" },
  web_search_options: { search_context_size: "low", filters: {} },
  stop: [" "],
  n: 3,
  seed: 2 ** 40,
  logit_bias: { "1": 2 },
  prediction: { type: "content", content: "x" },
  user: "u",
};

/** The call as the reader of another wire returns it: every path begins with a mark. */
function marked(call: Call): Call {
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map((
        [name, member],
      ) => [name, /path$/i.test(name) && typeof member === "string" ? `client:${member}` : copy(member)]),
    );
  };
  const { messages, settings, sent } = call;
  return {
    ...call,
    messages: copy(messages) as Call["messages"],
    settings: copy(settings) as Call["settings"],
    sent: new Map([...sent].map(([name, path]) => [name, `client:${path}`])),
  };
}

const WIRES = { anthropicMessages, cohere, gemini, openaiChat, openaiResponses, perplexityAgent };
const MODELS = {
  anthropicMessages: ["claude-sonnet-4-5", "claude-opus-4-1"],
  cohere: ["command-a-03-2025", "command-a-reasoning-08-2025"],
  gemini: ["gemini-2.5-flash", "gemini-3-pro-preview"],
  openaiChat: ["gpt-5", "llama-3.3-70b"],
  openaiResponses: ["gpt-5.6", "gpt-4o"],
  perplexityAgent: ["sonar"],
};

for (const [name, wire] of Object.entries(WIRES)) {
  Deno.test(`${name} names what it leaves out by the client's own paths`, () => {
    for (const model of MODELS[name as keyof typeof WIRES]) {
      for (const tools of [BODY.tools, undefined]) {
        const body = tools ? BODY : { ...BODY, tools, tool_choice: undefined };
        // Content in the form of a chat client is sent unchanged to a provider of its wire.
        const call: Call = { ...openaiChat.readCall(structuredClone(body), model), wire: "responses" };
        const { dropped } = wire.writeCall(marked(call));
        assert(dropped.length > 4, `${model} left out ${dropped}`);
        assertEquals(dropped.filter((path) => !path.startsWith("client:")), [], model);
        // The paths are the same as for the client of the call.
        assertEquals(dropped.map((path) => path.slice("client:".length)), wire.writeCall(call).dropped);
      }
    }
  });
}
