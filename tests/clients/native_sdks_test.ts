/** The providers' own SDKs with their native paths: only the base URL is changed. */
import Anthropic from "npm:@anthropic-ai/sdk@1.12.0";
import { GoogleGenAI } from "npm:@google/genai@3.1.0";
import { CohereClientV2 } from "npm:cohere-ai@8.1.0";
import Groq from "npm:groq-sdk@1.6.0";
import OpenAI from "npm:openai@7.57.0";
import { assertEquals } from "@std/assert";
import { createGateway } from "../../mod.ts";
import { ANSWER, CALL, nativeApis } from "./native_apis.ts";

const ROOT = "https://sluice.test/v1/acct/default";

/** What an SDK read from an answer. */
interface Said {
  text?: string | null;
  /** The first call's name and arguments. */
  call?: [name: string | undefined, args: unknown];
}

type Fetch = typeof fetch;

/** An SDK's call of one API, whole or streamed, with tools or without. */
interface Client {
  name: string;
  ask(key: string, fetch: Fetch, tools: boolean, stream: boolean): Promise<Said>;
  /** The URL at which the request must arrive. */
  url: RegExp;
  /** The row of the provider table. */
  provider: string;
  /** The header in which the SDK sends its key, and the prefix before the key. */
  own: [header: string, prefix: string];
  /** The header in which the row sends a stored key, if it is another one. */
  stored?: [header: string, prefix: string];
}

const parameters = {
  type: "object" as const,
  properties: { city: { type: "string" as const } },
  required: ["city"],
};
const messages = [{ role: "user" as const, content: "Is it sunny?" }];
const functionTool = { type: "function" as const, function: { name: CALL.name, parameters } };
const argsOf = (text: string | undefined) => JSON.parse(text ?? "");

const CLIENTS: readonly Client[] = [
  {
    name: "openai, chat completions",
    provider: "openai",
    url: /^https:\/\/api\.openai\.com\/v1\/chat\/completions$/,
    own: ["authorization", "Bearer "],
    async ask(apiKey, fetch, tools, stream) {
      const { chat } = new OpenAI({ baseURL: `${ROOT}/openai`, apiKey, fetch, maxRetries: 0 });
      const body = { model: "gpt-5-mini", messages, ...(tools && { tools: [functionTool] }) };
      const { message } = stream
        ? (await chat.completions.stream(body).finalChatCompletion()).choices[0]
        : (await chat.completions.create(body)).choices[0];
      const call = message.tool_calls?.[0];
      if (call?.type !== "function") return { text: message.content };
      return { call: [call.function.name, argsOf(call.function.arguments)] };
    },
  },
  {
    name: "openai, responses",
    provider: "openai",
    url: /^https:\/\/api\.openai\.com\/v1\/responses$/,
    own: ["authorization", "Bearer "],
    async ask(apiKey, fetch, tools, stream) {
      const { responses } = new OpenAI({ baseURL: `${ROOT}/openai`, apiKey, fetch, maxRetries: 0 });
      const tool = { type: "function" as const, name: CALL.name, parameters, strict: false };
      const body = { model: "gpt-5-mini", input: messages, ...(tools && { tools: [tool] }) };
      const response = stream ? await responses.stream(body).finalResponse() : await responses.create(body);
      const call = response.output.find((item) => item.type === "function_call");
      if (call?.type !== "function_call") return { text: response.output_text };
      return { call: [call.name, argsOf(call.arguments)] };
    },
  },
  {
    name: "@anthropic-ai/sdk",
    provider: "anthropic",
    url: /^https:\/\/api\.anthropic\.com\/v1\/messages$/,
    // The API takes a key in either header; SDKs before 1.0 wrote `x-api-key` too.
    own: ["authorization", "Bearer "],
    stored: ["x-api-key", ""],
    async ask(apiKey, fetch, tools, stream) {
      const client = new Anthropic({ baseURL: `${ROOT}/anthropic`, apiKey, fetch, maxRetries: 0 });
      const body = {
        model: "claude-sonnet-4-5",
        max_tokens: 100,
        messages,
        ...(tools && { tools: [{ name: CALL.name, input_schema: parameters }] }),
      };
      const { content } = stream
        ? await client.messages.stream(body).finalMessage()
        : await client.messages.create(body);
      const call = content.find((block) => block.type === "tool_use");
      if (call) return { call: [call.name, call.input] };
      return { text: content.map((block) => block.type === "text" ? block.text : "").join("") };
    },
  },
  {
    name: "@google/genai",
    provider: "google-ai-studio",
    url:
      /^https:\/\/generativelanguage\.googleapis\.com\/v1\/models\/gemini-2.5-flash:(g|streamG)enerateContent/,
    own: ["x-goog-api-key", ""],
    async ask(apiKey, fetch, tools, stream) {
      const { models } = new GoogleGenAI({
        apiKey,
        httpOptions: { baseUrl: `${ROOT}/google-ai-studio`, fetch, retryOptions: { attempts: 1 } },
      });
      const declaration = { name: CALL.name, parametersJsonSchema: parameters };
      const request = {
        model: "gemini-2.5-flash",
        contents: "Is it sunny?",
        ...(tools && { config: { tools: [{ functionDeclarations: [declaration] }] } }),
      };
      const answers = stream
        ? await Array.fromAsync(await models.generateContentStream(request))
        : [await models.generateContent(request)];
      const call = answers.flatMap(({ functionCalls }) => functionCalls ?? [])[0];
      if (call) return { call: [call.name, call.args] };
      return { text: answers.map(({ text }) => text ?? "").join("") };
    },
  },
  {
    name: "cohere-ai",
    provider: "cohere",
    url: /^https:\/\/api\.cohere\.com\/v2\/chat$/,
    own: ["authorization", "Bearer "],
    async ask(token, fetch, tools, stream) {
      const client = new CohereClientV2({ baseUrl: `${ROOT}/cohere`, token, fetch, maxRetries: 0 });
      const request = { model: "command-a-plus-05-2026", messages, ...(tools && { tools: [functionTool] }) };
      if (!stream) {
        const { message } = await client.chat(request);
        const call = message.toolCalls?.[0];
        if (call) return { call: [call.function?.name, argsOf(call.function?.arguments)] };
        return { text: message.content?.map((part) => part.type === "text" ? part.text : "").join("") };
      }
      let [text, name, args] = ["", undefined as string | undefined, ""];
      for await (const event of await client.chatStream(request)) {
        if (event.type === "content-delta") text += event.delta?.message?.content?.text ?? "";
        if (event.type === "tool-call-start") name = event.delta?.message?.toolCalls?.function?.name;
        if (event.type === "tool-call-delta") {
          args += event.delta?.message?.toolCalls?.function?.arguments ?? "";
        }
      }
      return name ? { call: [name, argsOf(args)] } : { text };
    },
  },
  {
    name: "groq-sdk",
    provider: "groq",
    url: /^https:\/\/api\.groq\.com\/openai\/v1\/chat\/completions$/,
    own: ["authorization", "Bearer "],
    async ask(apiKey, fetch, tools, stream) {
      const { chat } = new Groq({ baseURL: `${ROOT}/groq`, apiKey, fetch, maxRetries: 0 });
      const body = { model: "openai/gpt-oss-20b", messages, ...(tools && { tools: [functionTool] }) };
      if (!stream) {
        const { message } = (await chat.completions.create(body)).choices[0];
        const call = message.tool_calls?.[0]?.function;
        return call ? { call: [call.name, argsOf(call.arguments)] } : { text: message.content };
      }
      let [text, name, args] = ["", undefined as string | undefined, ""];
      for await (const { choices } of await chat.completions.create({ ...body, stream: true })) {
        text += choices[0]?.delta.content ?? "";
        const call = choices[0]?.delta.tool_calls?.[0]?.function;
        name ??= call?.name;
        args += call?.arguments ?? "";
      }
      return name ? { call: [name, argsOf(args)] } : { text };
    },
  },
];

for (const { name, ask, url, provider, own, stored = own } of CLIENTS) {
  const setUp = () => {
    const apis = nativeApis();
    const gateway = createGateway({
      fetch: apis.fetch,
      tokens: ["tok"],
      tokenRequired: false,
      keys: { [provider]: "sk-stored" },
    });
    const fetch: Fetch = (input, init) => gateway.fetch(new Request(input, init));
    return { fetch, sent: apis.sent };
  };

  Deno.test(`${name} at its native path: text and tools, whole and streamed, with its own key`, async () => {
    const { fetch, sent } = setUp();
    for (const stream of [false, true]) {
      assertEquals(await ask("sk-own", fetch, false, stream), { text: ANSWER });
      assertEquals(await ask("sk-own", fetch, true, stream), { call: [CALL.name, CALL.args] });
    }
    assertEquals(sent.map((one) => url.test(one.url)), [true, true, true, true], sent[0].url);
    assertEquals(sent.map(({ headers }) => headers.get(own[0])), Array(4).fill(`${own[1]}sk-own`));
  });

  Deno.test(`${name} at its native path: a gateway token in place of the key selects the stored key`, async () => {
    const { fetch, sent } = setUp();
    for (const stream of [false, true]) {
      assertEquals(await ask("tok", fetch, false, stream), { text: ANSWER });
    }
    assertEquals(sent.map(({ headers }) => headers.get(stored[0])), Array(2).fill(`${stored[1]}sk-stored`));
    assertEquals(sent.filter(({ url, headers }) => /\btok\b/.test(`${url} ${[...headers]}`)), []);
  });
}
