/** LangChain.js with its client for OpenAI-compatible APIs. */
import { HumanMessage, type ToolMessage } from "npm:@langchain/core@1.4.0/messages";
import { tool } from "npm:@langchain/core@1.4.0/tools";
import { ChatOpenAI } from "npm:@langchain/openai@1.6.0";
import { z } from "npm:zod@4.6.7";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { handler } from "../../mod.ts";

const model = new ChatOpenAI({
  model: "demo/echo",
  apiKey: "none",
  maxRetries: 0,
  configuration: {
    baseURL: "http://gateway.test/v1",
    fetch: (input, init) => handler(new Request(input, init)),
  },
});

Deno.test("LangChain invokes and streams", async () => {
  assertEquals((await model.invoke("Hello, world")).content, "Hello, world");
  let text = "";
  for await (const { content } of await model.stream("Hello, world")) text += content;
  assertEquals(text, "Hello, world");
});

Deno.test("LangChain calls a tool and returns its result", async () => {
  const twice = tool(({ text }) => `${text}! ${text}!`, {
    name: "twice",
    description: "Says a text twice",
    schema: z.object({ text: z.string() }),
  });
  const bound = model.bindTools([twice], { tool_choice: "twice" });
  const question = new HumanMessage("Hello, world");
  const answer = await bound.invoke([question]);
  const [call] = answer.tool_calls!;
  assertEquals(call.name, "twice");
  const result: ToolMessage = await twice.invoke({ ...call, type: "tool_call" });
  const { content } = await model.invoke([question, answer, result]);
  assertStringIncludes(content as string, "Hello, world! Hello, world!");
});
