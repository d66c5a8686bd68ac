/** The same agent runs with the libraries that people really use. Each keeps its own part of an answer. */
import { createAnthropic } from "npm:@ai-sdk/anthropic@4.0.105";
import { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
import { createOpenAICompatible } from "npm:@ai-sdk/openai-compatible@3.0.92";
import { type AIMessageChunk, HumanMessage, ToolMessage } from "npm:@langchain/core@1.4.0/messages";
import { ChatOpenAI } from "npm:@langchain/openai@1.6.0";
import { createOpenRouter } from "npm:@openrouter/ai-sdk-provider@3.1.0";
import { generateText, stepCountIs, streamText, tool } from "npm:ai@7.0.173";
import { z } from "npm:zod@4.6.7";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Lab, lab } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import type { Piece } from "./responses_stream.ts";
import { strictResponses } from "./strict_responses.ts";
import { CLAUDE, COMMAND, GEMINI } from "./turns.ts";

const PROVIDERS: Record<string, () => ReturnType<typeof strictAnthropic>> = {
  "anthropic/claude-sonnet-4-5": () => strictAnthropic(CLAUDE),
  "anthropic/claude-opus-5": () => strictAnthropic(CLAUDE),
  "anthropic/claude-opus-5-5": () => strictAnthropic(CLAUDE),
  "google/gemini-3-pro": () => strictGoogle(GEMINI),
  "cohere/command-a-reasoning-08-2025": () => strictCohere(COMMAND),
};

/** Runs tools until the model answers with text, and then asks once more. */
type Library = (lab: Lab, model: string, stream: boolean) => Promise<string>;

const city = z.object({ city: z.string().optional() });

// deno-lint-ignore no-explicit-any -- Two major versions of the AI SDK's types meet here.
type Provider = (lab: Lab) => (model: string) => any;

const aiSdk =
  (provider: Provider, openai?: Record<string, boolean>): Library => async (room, name, stream) => {
    const model = provider(room)(name);
    const say = (inputSchema: typeof city) =>
      tool({ inputSchema, execute: ({ city }) => `of ${city}`, description: "Says" });
    const options = {
      model,
      system: "Be brief",
      maxRetries: 0,
      tools: { weather: say(city), clock: say(city) },
      stopWhen: stepCountIs(40),
      providerOptions: openai && { openai },
    };
    // deno-lint-ignore no-explicit-any -- Messages as the SDK gives them.
    const messages: any[] = [{ role: "user", content: "How is the weather?" }];
    const run = async () => {
      if (!stream) return await generateText({ ...options, messages });
      const result = streamText({ ...options, messages, onError: ({ error }) => raised.push(error) });
      await result.consumeStream();
      if (raised.length > 0) throw raised[0];
      return { text: await result.text, responseMessages: await result.responseMessages };
    };
    const raised: unknown[] = [];
    const first = await run();
    messages.push(...first.responseMessages, { role: "user", content: "And now?" });
    await run();
    return first.text;
  };

const baseURL = "http://gateway.test/v1";
const fetchOf = ({ gateway }: Lab) => (input: RequestInfo | URL, init?: RequestInit) =>
  gateway.fetch(new Request(input as string, init));

const langChain: Library = async (room, name, stream) => {
  const model = new ChatOpenAI({
    model: name,
    apiKey: "key",
    maxRetries: 0,
    configuration: { baseURL, fetch: fetchOf(room) as typeof fetch },
  }).bindTools(["weather", "clock"].map((name) => ({
    type: "function" as const,
    function: { name, parameters: { type: "object", properties: { city: { type: "string" } } } },
  })));
  // deno-lint-ignore no-explicit-any -- Messages as LangChain gives them.
  const messages: any[] = [new HumanMessage("How is the weather?")];
  const ask = async () => {
    if (!stream) return await model.invoke(messages);
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream(messages)) whole = whole?.concat(chunk) ?? chunk;
    return whole!;
  };
  for (let turn = 0; turn < 5; turn++) {
    const answer = await ask();
    messages.push(answer);
    if (!answer.tool_calls?.length) {
      messages.push(new HumanMessage("And now?"));
      await ask();
      return answer.text;
    }
    for (const { id, name } of answer.tool_calls) {
      messages.push(new ToolMessage({ tool_call_id: id!, content: `of ${name}` }));
    }
  }
  return "";
};

const runTools: Library = async ({ openai }, model, stream) => {
  const say = (name: string) => ({
    type: "function" as const,
    function: {
      name,
      description: "Says",
      parameters: { type: "object", properties: { city: { type: "string" } } },
      parse: JSON.parse,
      function: ({ city }: { city?: string }) => `of ${city}`,
    },
  });
  const messages = [{ role: "user" as const, content: "How is the weather?" }];
  const tools = [say("weather"), say("clock")];
  const runner = stream
    ? openai.chat.completions.runTools({ model, messages, tools, stream })
    : openai.chat.completions.runTools({ model, messages, tools });
  const text = await runner.finalContent();
  const next = [...runner.messages, { role: "user" as const, content: "And now?" }];
  // deno-lint-ignore no-explicit-any -- Tools without their functions are another type.
  await openai.chat.completions.create({ model, messages: next, tools: tools as any });
  return text ?? "";
};

const LIBRARIES: Record<string, Library> = {
  "the AI SDK": aiSdk((room) =>
    createOpenAICompatible({ name: "sluice", apiKey: "key", baseURL, fetch: fetchOf(room) as typeof fetch })
  ),
  "OpenRouter's provider for the AI SDK": aiSdk((room) =>
    createOpenRouter({ apiKey: "key", baseURL, fetch: fetchOf(room) as typeof fetch }).chat
  ),
  // Without `store: false` it sends ids in place of earlier items.
  "the AI SDK on Responses": aiSdk(
    (room) => createOpenAI({ apiKey: "key", baseURL, fetch: fetchOf(room) as typeof fetch }).responses,
    { store: false },
  ),
  "the AI SDK on Messages": aiSdk((room) =>
    createAnthropic({ authToken: "key", baseURL, fetch: fetchOf(room) as typeof fetch })
  ),
  "LangChain": langChain,
  "the OpenAI SDK's runTools()": runTools,
};

/**
 * `runTools()` leaves thoughts out of its own requests, but its list of messages has them. A client that sends that
 * list gives Claude 5.5 another conversation than the one in which it thought, and Claude refuses that.
 */
const EDITS = new Set(["the OpenAI SDK's runTools() anthropic/claude-opus-5-5"]);

for (const [name, library] of Object.entries(LIBRARIES)) {
  for (const [model, provider] of Object.entries(PROVIDERS)) {
    if (EDITS.has(`${name} ${model}`)) continue;
    // Claude's own API: bodies are handed through.
    if (name === "the AI SDK on Messages" && model.startsWith("anthropic/")) continue;
    for (const stream of [false, true]) {
      Deno.test(`${name} runs an agent over ${model}, ${stream ? "streamed" : "whole"}`, async () => {
        const { play, check } = provider();
        const room = lab(play);
        assertStringIncludes(await library(room, model, stream), "Sunny, and noon.");
        assert(room.asked.length >= 4);
        assertEquals(room.asked.map(check).find(Boolean), undefined);
      });
    }
  }
}

// Of what they do not know LangChain and `runTools()` return nothing.
for (const name of ["the AI SDK", "OpenRouter's provider for the AI SDK"]) {
  for (const stream of [false, true]) {
    Deno.test(`${name} returns thoughts without a proof, ${stream ? "streamed" : "whole"}`, async () => {
      const { play, check } = strictCohere(COMMAND);
      const room = lab(play);
      await LIBRARIES[name](room, "cohere/command-a-reasoning-08-2025", stream);
      assertEquals(room.asked.map(check).find(Boolean), undefined);
      const { messages } = room.asked.at(-1)!.body as { messages: { content: { thinking?: string }[] }[] };
      const thoughts = messages.flatMap(({ content }) =>
        Array.isArray(content) ? content.flatMap(({ thinking }) => thinking ?? []) : []
      );
      // The run begins anew after its last turn.
      assertEquals([...new Set(thoughts)], COMMAND.map(({ thinking }) => thinking));
    });
  }
}

for (const stream of [false, true]) {
  Deno.test(`OpenRouter's provider for the AI SDK returns every block, ${stream ? "streamed" : "whole"}`, async () => {
    const turns: Parameters<typeof strictAnthropic>[0] = Array.from({ length: 31 }, (_, at) => {
      const say = (thinking: string) => ({
        type: "thinking",
        thinking,
        signature: btoa(`${thinking} ${at}`),
      });
      const text = { type: "text", text: `Answer ${at}` };
      const call = { type: "tool_use", id: `toolu_${at}`, name: "clock", input: {} };
      const sealed = { type: "redacted_thinking", data: btoa(`sealed ${at}`) };
      const search = {
        type: "server_tool_use",
        id: `srvtoolu_${at}`,
        name: "web_search",
        input: { query: "x" },
      };
      const found = { type: "web_search_tool_result", tool_use_id: search.id, content: [] };
      const shapes = [
        [say(`First ${at}`), text, say(`Second ${at}`), call],
        [say(`First ${at}`), say(`Second ${at}`), call],
        [say(`First ${at}`), sealed, text, call],
        [say(""), text, call],
        [text, say(`Only ${at}`), call],
        [say(`First ${at}`), search, found, say(`Second ${at}`), text, call],
        [search, found, text, call],
      ];
      return at === 30 ? [say("Done"), { type: "text", text: "Sunny, and noon." }] : shapes[at % 7];
    });
    const { play, check } = strictAnthropic([...turns, [{ type: "text", text: "Still sunny." }]]);
    const room = lab(play);
    await LIBRARIES["OpenRouter's provider for the AI SDK"](room, "anthropic/claude-opus-5-5", stream);
    assertEquals(room.asked.map(check).find(Boolean), undefined);
    const last = room.asked.at(-1)!.body.messages as { role: string; content: unknown }[];
    assertEquals(last.filter(({ role }) => role === "assistant").map(({ content }) => content), turns);
  });
}

for (const stream of [false, true]) {
  Deno.test(`the AI SDK on Messages returns OpenAI's searches once, ${stream ? "streamed" : "whole"}`, async () => {
    const turns: Piece[][] = [
      [{ think: "x" }, { search: "deno" }, { think: "x" }, { text: ["So"] }, call("1")],
      [{ text: ["So"] }, { search: "deno" }, { think: "x" }, call("2")],
      [{ think: "x" }, { text: ["Sunny, and noon."] }],
    ];
    const { play } = strictResponses([...turns, [{ text: ["Still sunny."] }]]);
    const room = lab(play);
    await LIBRARIES["the AI SDK on Messages"](room, "openai/gpt-6-luna", stream);
    const { input } = room.asked.at(-1)!.body as { input: { type: string; content: { text: string }[] }[] };
    assertEquals(
      input.map(({ type }) => type).filter((type) => type !== "function_call_output").slice(2, -1),
      [
        ...["reasoning", "web_search_call", "reasoning", "message", "function_call"],
        ...["message", "web_search_call", "reasoning", "function_call"],
        ...["reasoning", "message"],
      ],
    );
    assertEquals(room.asked[0].body.model, "gpt-6-luna");
    assert(!JSON.stringify(input).includes("[web_search"), JSON.stringify(input));
  });
}

/** Runs OpenRouter's provider over these answers of Claude 5.5, and returns the gateway's requests. */
async function routed(turns: Parameters<typeof strictAnthropic>[0], stream: boolean) {
  const { play, check } = strictAnthropic(turns);
  const room = lab(play);
  await LIBRARIES["OpenRouter's provider for the AI SDK"](room, "anthropic/claude-opus-5-5", stream);
  assertEquals(room.asked.map(check).find(Boolean), undefined);
  const { messages } = room.asked.at(-1)!.body as { messages: { role: string; content: unknown }[] };
  return messages.filter(({ role }) => role === "assistant").map(({ content }) => content);
}

const call = (id: string): Piece => ({ call: "clock", id: `call_${id}`, args: ["{}"] });
const say = (thinking: string, signature: string) => ({ type: "thinking", thinking, signature });
const said = (text: string) => ({ type: "text", text });
const clock = (id: string) => ({ type: "tool_use", id, name: "clock", input: {} });

for (const stream of [false, true]) {
  const how = stream ? "streamed" : "whole";

  // It compares entries by their text or data, over the whole conversation.
  Deno.test(`OpenRouter's provider for the AI SDK returns thoughts that say what earlier ones said, ${how}`, async () => {
    const fallback = { type: "fallback", from: { model: "a" }, to: { model: "b" } };
    const turns = [
      [say("Hm", "czE="), clock("toolu_1")],
      [say("Hm", "czI="), said("So"), say("Hm", "czM="), clock("toolu_2")],
      [say("{}", "czQ="), say("Hm", "czU="), clock("toolu_3")],
      [fallback, say("Then", "czY="), clock("toolu_4")],
      [say("Then", "czc="), fallback, said("So"), clock("toolu_5")],
      [fallback, said("So"), say("Then", "czg="), clock("toolu_6")],
      [say("", "czk="), say("So", "czEw"), clock("toolu_7")],
      [said("Sunny, and noon.")],
    ];
    assertEquals(await routed([...turns, [said("Still sunny.")]], stream), turns);
  });

  // Of a whole answer without tool calls it returns the first thought alone, which Claude does not know without the rest.
  for (
    const [what, before] of Object.entries({
      "a sealed thought": [{ type: "redacted_thinking", data: "c2VhbGVk" }],
      "a search": [
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "x" } },
        { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
      ],
      "a text": [said("I look. ")],
    })
  ) {
    Deno.test(`OpenRouter's provider for the AI SDK goes on after an answer with a thought behind ${what}, ${how}`, async () => {
      const answer = [...before, say("Hm", "czE="), said("Sunny, and noon.")];
      const text = before.length === 1 && "text" in before[0]
        ? "I look. Sunny, and noon."
        : "Sunny, and noon.";
      const [first] = await routed([[clock("toolu_1")], answer, [say("Ha", "czI="), said("Yes.")]], stream)
        .then((turns) => turns.slice(1));
      if (!stream || text !== "Sunny, and noon.") assertEquals(first, [said(text)]);
      else assertEquals(first, answer);
    });
  }
}
