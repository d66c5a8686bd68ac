/** What the providers' own SDKs make of an answer, said in OpenAI's words: the yardstick for our translations. */
import Anthropic from "npm:@anthropic-ai/sdk@1.12.0";
import { GoogleGenAI, type Part as GooglePart } from "npm:@google/genai@3.1.0";
import { CohereClientV2 } from "npm:cohere-ai@8.1.0";
import type { JsonObject } from "../wires/types.ts";

/** What an answer says, whoever read it. */
export interface Gist {
  choices: {
    text: string;
    reasoning: string;
    calls: { name: string; arguments: unknown }[];
    images: number;
    finish: string;
  }[];
  usage?: { prompt: number; completion: number; cached: number; reasoning?: number };
}

type Fetch = typeof fetch;

/** Reads the answer that `fetch` gives with the SDK of the provider whose API it is. */
export type OfficialReader = (fetch: Fetch, model: string, stream: boolean) => Promise<Gist>;

const ANTHROPIC_FINISH: Record<string, string> = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

export async function readWithAnthropic(fetch: Fetch, model: string, stream: boolean): Promise<Gist> {
  const client = new Anthropic({ apiKey: "key", maxRetries: 0, fetch });
  const body = { model, max_tokens: 1, messages: [{ role: "user" as const, content: "Hello" }] };
  const { content, stop_reason, usage } = stream
    ? await client.messages.stream(body).finalMessage()
    : await client.messages.create(body);
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    choices: [{
      text: content.map((block) => block.type === "text" ? block.text : "").join(""),
      reasoning: content.map((block) => block.type === "thinking" ? block.thinking : "").join(""),
      calls: content.filter((block) => block.type === "tool_use")
        .map(({ name, input }) => ({ name, arguments: input })),
      images: 0,
      finish: ANTHROPIC_FINISH[stop_reason ?? ""] ?? "stop",
    }],
    usage: {
      prompt: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      completion: usage.output_tokens,
      cached,
    },
  };
}

export async function readWithGoogle(fetch: Fetch, model: string, stream: boolean): Promise<Gist> {
  const { models } = new GoogleGenAI({
    apiKey: "key",
    httpOptions: { fetch, retryOptions: { attempts: 1 } },
  });
  const request = { model, contents: "Hello" };
  const choices: Gist["choices"] = [];
  let usage: Gist["usage"];
  const chunks = stream
    ? await models.generateContentStream(request)
    : [await models.generateContent(request)];
  for await (const { candidates = [], promptFeedback, usageMetadata } of chunks) {
    if (promptFeedback?.blockReason) choices[0] = { ...SILENCE, finish: "content_filter" };
    for (const { index = 0, content, finishReason } of candidates) {
      const choice = choices[index] ??= { ...SILENCE, calls: [] };
      for (const part of content?.parts ?? []) readGooglePart(part, choice);
      if (finishReason) choice.finish = googleFinish(finishReason, choice.calls.length > 0);
    }
    if (usageMetadata && Object.keys(usageMetadata).some((key) => key.endsWith("TokenCount"))) {
      const { promptTokenCount = 0, toolUsePromptTokenCount = 0, candidatesTokenCount = 0 } = usageMetadata;
      usage = {
        prompt: promptTokenCount + toolUsePromptTokenCount,
        completion: candidatesTokenCount + (usageMetadata.thoughtsTokenCount ?? 0),
        cached: usageMetadata.cachedContentTokenCount ?? 0,
        reasoning: usageMetadata.thoughtsTokenCount ?? 0,
      };
    }
  }
  return usage ? { choices, usage } : { choices };
}

const SILENCE: Gist["choices"][number] = { text: "", reasoning: "", calls: [], images: 0, finish: "stop" };

/** Code that ran and what it printed are told as reasoning, each in a fence. */
function readGooglePart(part: GooglePart, choice: Gist["choices"][number]): void {
  const { text, thought, functionCall: call, executableCode: code, codeExecutionResult: result, inlineData } =
    part;
  if (text && thought) choice.reasoning += text;
  else if (text) choice.text += text;
  if (code) choice.reasoning += fence(code.language?.toLowerCase() ?? "", code.code ?? "");
  if (result) choice.reasoning += fence("", result.output ?? "");
  if (inlineData?.mimeType?.startsWith("image/")) choice.images++;
  if (!call) return;
  if (call.name) choice.calls.push({ name: call.name, arguments: call.args ?? {} });
  for (const piece of call.partialArgs ?? []) {
    const value = piece.stringValue ?? piece.numberValue ?? piece.boolValue ?? null;
    addAtPath(choice.calls.at(-1)! as JsonObject, piece.jsonPath ?? "$", value);
  }
}

const fence = (language: string, code: string) => `\`\`\`${language}\n${code.replace(/\n$/, "")}\n\`\`\`\n`;

/** Sets what `$.a[0].b` points to within the call's arguments; texts are pieces, to be joined. */
function addAtPath(call: JsonObject, path: string, value: unknown): void {
  let holder = call;
  let key: string | number = "arguments";
  for (const [, name, index] of path.matchAll(/\.([^.[]+)|\[(\d+)\]/g)) {
    holder = holder[key] as JsonObject ?? (holder[key] = name === undefined ? [] : {});
    key = name ?? Number(index);
  }
  const before = holder[key];
  holder[key] = typeof before === "string" && typeof value === "string" ? before + value : value;
}

/** Numbers where the server was asked for them (`enum-encoding=int`). */
function googleFinish(reason: string | number, calls: boolean): string {
  if (reason === "MAX_TOKENS" || reason === 2) return "length";
  if (reason === "STOP" || reason === 1) return calls ? "tool_calls" : "stop";
  return "content_filter";
}

const COHERE_FINISH: Record<string, string> = { MAX_TOKENS: "length", TOOL_CALL: "tool_calls" };

export async function readWithCohere(fetch: Fetch, model: string, stream: boolean): Promise<Gist> {
  const client = new CohereClientV2({ token: "key", maxRetries: 0, fetch });
  const request = { model, messages: [{ role: "user" as const, content: "Hello" }] };
  const choice = { ...SILENCE, calls: [] as Gist["choices"][number]["calls"] };
  const texts: string[] = [];
  const finish = (reason: string | undefined, error?: string) => {
    if (reason === "ERROR") throw new Error(error);
    choice.finish = COHERE_FINISH[reason ?? ""] ?? "stop";
  };
  let counts;
  if (stream) {
    for await (const event of await client.chatStream(request)) {
      if (event.type === "content-delta") {
        choice.text += event.delta?.message?.content?.text ?? "";
        choice.reasoning += event.delta?.message?.content?.thinking ?? "";
      } else if (event.type === "tool-plan-delta") choice.reasoning += event.delta?.message?.toolPlan ?? "";
      else if (event.type === "tool-call-start") {
        choice.calls.push({ name: event.delta?.message?.toolCalls?.function?.name ?? "", arguments: {} });
        texts.push("");
      } else if (event.type === "tool-call-delta") {
        texts[texts.length - 1] += event.delta?.message?.toolCalls?.function?.arguments ?? "";
      } else if (event.type === "message-end") {
        counts = event.delta?.usage;
        finish(event.delta?.finishReason, event.delta?.error);
      }
    }
  } else {
    const { message, usage, finishReason } = await client.chat(request);
    counts = usage;
    choice.reasoning = message.toolPlan ?? "";
    for (const block of message.content ?? []) {
      if (block.type === "text") choice.text += block.text;
      else choice.reasoning += block.thinking;
    }
    for (const { function: called } of message.toolCalls ?? []) {
      choice.calls.push({ name: called?.name ?? "", arguments: {} });
      texts.push(called?.arguments ?? "");
    }
    finish(finishReason);
  }
  choice.calls.forEach((call, at) => call.arguments = JSON.parse(texts[at] || "{}"));
  return {
    choices: [choice],
    usage: {
      prompt: counts?.tokens?.inputTokens ?? 0,
      completion: counts?.tokens?.outputTokens ?? 0,
      cached: counts?.cachedTokens ?? 0,
    },
  };
}
