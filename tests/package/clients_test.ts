/** The SDKs of clients on Node before the packed command on Node. `tests/clients` asks far more of them, on Deno. */
import { assertEquals } from "@std/assert";
import { nodeBinary } from "../runtimes/binaries.ts";
import { startFakeProvider, TEXT } from "../runtimes/fake_provider.ts";
import { startServed } from "../runtimes/gateways.ts";
import { environment } from "../runtimes/suite.ts";
import { COMMANDS, installBeside, installPackage, runIn, testPackage } from "./installed.ts";

const IT = await installPackage();

/** Each program answers `whole`, `streamed`, `tool` (the call of a model) and `after` (the answer to its result). */
const PROGRAMS: Readonly<Record<string, string>> = {
  "OpenAI's SDK": `
    import OpenAI from "openai";
    const client = new OpenAI({ baseURL: URL + "/v1", apiKey: "sk-1", maxRetries: 0 });
    const create = (model, more) => client.chat.completions.create({ model, messages: [hello], ...more });
    export const whole = async (model) => (await create(model)).choices[0].message.content;
    export async function streamed(model, leave) {
      let text = "";
      const stream = await create(model, { stream: true });
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (leave?.(text)) break;
      }
      return text;
    }
    const tools = [{ type: "function", function: { name: "weather", parameters: city } }];
    export async function tool(model) {
      const { message } = (await create(model, { tools })).choices[0];
      const [call] = message.tool_calls;
      const messages = [hello, message, { role: "tool", tool_call_id: call.id, content: "sunny" }];
      const after = await create("openai/plain-tool", { tools, messages });
      return [call.function.name, Object.keys(JSON.parse(call.function.arguments)), after.choices[0].message.content];
    }`,
  "Anthropic's SDK": `
    import Anthropic from "@anthropic-ai/sdk";
    const client = new Anthropic({ baseURL: URL, apiKey: "sk-1", maxRetries: 0 });
    const asked = (model, more) => ({ model, max_tokens: 100, messages: [hello], ...more });
    const textOf = ({ content }) => content.filter(({ type }) => type === "text").map(({ text }) => text).join("");
    export const whole = async (model) => textOf(await client.messages.create(asked(model)));
    export async function streamed(model, leave) {
      const stream = client.messages.stream(asked(model));
      if (!leave) return textOf(await stream.finalMessage());
      let text = "";
      for await (const event of stream) {
        text += event.delta?.text ?? "";
        if (leave(text)) break;
      }
      stream.abort();
      return text;
    }
    const tools = [{ name: "weather", input_schema: city }];
    export async function tool(model) {
      const { content } = await client.messages.create(asked(model, { tools }));
      const call = content.find(({ type }) => type === "tool_use");
      const result = { type: "tool_result", tool_use_id: call.id, content: "sunny" };
      const messages = [hello, { role: "assistant", content }, { role: "user", content: [result] }];
      const after = await client.messages.create(asked("openai/plain-tool", { tools, messages }));
      return [call.name, Object.keys(call.input), textOf(after)];
    }`,
  "the AI SDK": `
    import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
    import { generateText, jsonSchema, stepCountIs, streamText, tool as toolOf } from "ai";
    const sluice = createOpenAICompatible({ name: "sluice", baseURL: URL + "/v1", apiKey: "sk-1" });
    const asked = (model, more) => ({ model: sluice(model), prompt: "Hello", maxRetries: 0, ...more });
    export const whole = async (model) => (await generateText(asked(model))).text;
    export async function streamed(model, leave) {
      const controller = new AbortController();
      let text = "";
      for await (const piece of streamText(asked(model, { abortSignal: controller.signal })).textStream) {
        text += piece;
        if (leave?.(text)) {
          controller.abort();
          break;
        }
      }
      return text;
    }
    export async function tool(model) {
      const seen = [];
      const execute = (input) => (seen.push(Object.keys(input)), "sunny");
      const tools = { weather: toolOf({ inputSchema: jsonSchema(city), execute }) };
      const { steps, text } = await generateText(asked(model, {
        tools,
        stopWhen: stepCountIs(2),
        prepareStep: ({ stepNumber }) => stepNumber === 0 ? {} : { model: sluice("openai/plain-tool") },
      }));
      return [steps[0].toolCalls[0].toolName, seen[0], text];
    }`,
};

/** What stands before each program. */
const GIVEN = `
  const URL = process.argv[2];
  const hello = { role: "user", content: "Hello" };
  const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };`;

/** Runs a program's parts, and prints what they return. */
const MAIN = `
  import * as client from "./NAME";
  const results = [];
  for (const provider of ["openai", "anthropic"]) {
    results.push(await client.whole(provider + "/plain-1"), await client.streamed(provider + "/plain-2"));
    await client.streamed(provider + "/endless-" + process.argv[3], (text) => text.includes("3"));
  }
  results.push(await client.tool("demo/tools"));
  console.log(JSON.stringify(results));`;

testPackage(
  "SDKs of clients on Node get whole answers, streams and tools from the packed command, and can leave",
  IT,
  async (it, t) => {
    const folder = await installBeside(it);
    const node = await nodeBinary(22);
    await using provider = await startFakeProvider();
    const [, main] = await COMMANDS.node({ folder });
    await using gateway = await startServed(node, [main], environment(provider));
    for (const [at, [name, program]] of Object.entries(PROGRAMS).entries()) {
      await t.step(name, async () => {
        await Deno.writeTextFile(`${folder}/client_${at}.js`, GIVEN + program);
        await Deno.writeTextFile(`${folder}/main_${at}.js`, MAIN.replace("NAME", `client_${at}.js`));
        // Both providers get the same model's name, and the fake one tells when either of them is left.
        const { code, output } = await runIn(folder, node, [`main_${at}.js`, gateway.url, `${at}`]);
        assertEquals(code, 0, output);
        assertEquals(JSON.parse(output), [TEXT, TEXT, TEXT, TEXT, ["weather", ["city"], TEXT]]);
        await provider.left(`endless-${at}`);
      });
    }
    assertEquals(provider.open, 0, "each answer that was left has ended");
  },
);
