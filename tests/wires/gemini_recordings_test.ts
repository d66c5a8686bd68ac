/** Recorded answers, read by us and by Google's own SDK: the same text, calls, end and usage. */
import { type FunctionCall, type GenerateContentResponse, GoogleGenAI } from "npm:@google/genai@2.32.0";
import { assertEquals } from "@std/assert";
import { collector } from "../../wires/collect.ts";
import { gemini } from "../../wires/gemini.ts";
import { writeUsage } from "../../wires/openai_chat_answer.ts";
import { sseReader } from "../../wires/sse.ts";
import type { JsonObject } from "../../wires/types.ts";

const RECORDINGS = new URL("../../../shared/recordings/", import.meta.url);

interface Recording {
  api: string;
  response: { status: number; body?: unknown; stream?: string };
}

function recordings(): [string, Recording][] {
  const found: [string, Recording][] = [];
  for (const provider of ["google-ai-studio", "google-vertex-ai"]) {
    const folder = new URL(`${provider}/`, RECORDINGS);
    for (const { name } of Deno.readDirSync(folder)) {
      const recording: Recording = JSON.parse(Deno.readTextFileSync(new URL(name, folder)));
      if (/generateContent/i.test(recording.api)) found.push([name, recording]);
    }
  }
  return found;
}

const exists = () => {
  try {
    return Deno.statSync(RECORDINGS).isDirectory;
  } catch {
    return false;
  }
};

/** As `alt=sse` sends it, also where a list was recorded. */
function toSse(stream: string): string {
  if (!stream.trimStart().startsWith("[")) return stream;
  return (JSON.parse(stream) as unknown[]).map((body) => `data: ${JSON.stringify(body)}\n\n`).join("");
}

interface Reading {
  text: string;
  thoughts: string;
  calls: { name?: string; args: Record<string, unknown> }[];
  /** Passages that rest on a source. */
  cited: string[];
  finish?: string;
  usage?: { prompt: number; completion: number; cached: number; reasoning: number };
}

function ours({ body, stream }: Recording["response"]): Reading {
  const { emit, answer } = collector();
  if (stream === undefined) gemini.readAnswer(body as JsonObject, emit);
  else {
    const reader = gemini.readStream(emit);
    const events = sseReader((data, event) => reader.frame(data, event));
    events.push(new TextEncoder().encode(toSse(stream)));
    events.end();
    reader.end();
  }
  assertEquals(answer.error, undefined);
  const [choice] = answer.choices;
  const usage = answer.usage && writeUsage(answer.usage) as Record<string, number> & {
    prompt_tokens_details: { cached_tokens: number };
    completion_tokens_details: { reasoning_tokens: number };
  };
  return {
    text: choice.text,
    thoughts: choice.reasoning.replaceAll(/```\w*\n[^]*?\n```\n/g, ""),
    calls: choice.calls.map(({ name, arguments: args }) => ({ name, args: leaves(JSON.parse(args)) })),
    cited: unique(
      choice.citations.filter(({ end }) => end > 0).map(({ start, end }) => choice.text.slice(start, end)),
    ),
    finish: choice.stop,
    usage: usage && {
      prompt: usage.prompt_tokens,
      completion: usage.completion_tokens,
      cached: usage.prompt_tokens_details.cached_tokens,
      reasoning: usage.completion_tokens_details.reasoning_tokens,
    },
  };
}

const FINISH: Record<string, string> = { STOP: "stop", 1: "stop", MAX_TOKENS: "length", 2: "length" };

/** The SDK hands out each chunk; a caller appends. */
async function theirs({ body, stream }: Recording["response"]): Promise<Reading> {
  const answer = stream === undefined
    ? new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } })
    : new Response(toSse(stream), { headers: { "content-type": "text/event-stream" } });
  const real = globalThis.fetch;
  globalThis.fetch = () => Promise.resolve(answer);
  const chunks: GenerateContentResponse[] = [];
  try {
    const { models } = new GoogleGenAI({ apiKey: "none" });
    const request = { model: "gemini-3.8-flash", contents: "Hi" };
    if (stream === undefined) chunks.push(await models.generateContent(request));
    else for await (const chunk of await models.generateContentStream(request)) chunks.push(chunk);
  } finally {
    globalThis.fetch = real;
  }
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
  const last = <T>(values: (T | undefined)[]) => values.findLast((value) => value !== undefined);
  const reason = last(chunks.map((chunk) => chunk.candidates?.[0]?.finishReason));
  const supports = chunks.flatMap((chunk) =>
    chunk.candidates?.[0]?.groundingMetadata?.groundingSupports ?? []
  );
  const blocked = chunks.some((chunk) => chunk.promptFeedback?.blockReason);
  const usage = last(
    chunks.map(({ usageMetadata }) =>
      usageMetadata?.candidatesTokenCount === undefined && usageMetadata?.promptTokenCount === undefined
        ? undefined
        : usageMetadata
    ),
  );
  return {
    text: parts.map((part) => part.thought ? "" : part.text ?? "").join(""),
    thoughts: parts.map((part) => part.thought ? part.text ?? "" : "").join(""),
    calls: joinPieces(parts.flatMap((part) => part.functionCall ?? [])),
    cited: unique(supports.map(({ segment }) => segment?.text ?? "")),
    finish: blocked ? "content_filter" : FINISH[String(reason ?? (stream === undefined && "STOP"))],
    usage: usage && {
      prompt: (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0),
      completion: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
      cached: usage.cachedContentTokenCount ?? 0,
      reasoning: usage.thoughtsTokenCount ?? 0,
    },
  };
}

/** Pieces of streamed arguments, which the SDK leaves to its caller. */
function joinPieces(calls: FunctionCall[]): Reading["calls"] {
  const joined: Reading["calls"] = [];
  for (const { name, args, partialArgs } of calls) {
    if (name) joined.push({ name, args: leaves(args ?? {}) });
    for (const { jsonPath, stringValue, numberValue, boolValue } of partialArgs ?? []) {
      const into = joined.at(-1)!.args;
      const path = jsonPath!.slice(1);
      into[path] = stringValue === undefined ? numberValue ?? boolValue : `${into[path] ?? ""}${stringValue}`;
    }
  }
  return joined;
}

/** A value's leaves by path: `.operations[0].price`. */
function leaves(value: unknown, path = "", found: Record<string, unknown> = {}): Record<string, unknown> {
  if (typeof value !== "object" || value === null) found[path] = value;
  else if (Array.isArray(value)) value.forEach((member, at) => leaves(member, `${path}[${at}]`, found));
  else for (const [key, member] of Object.entries(value)) leaves(member, `${path}.${key}`, found);
  return found;
}

const unique = (values: string[]) => [...new Set(values)];

Deno.test({
  name: "the readers say of every recorded answer what Google's SDK says",
  ignore: !exists(),
  async fn(t) {
    for (const [name, { response }] of recordings()) {
      if (response.status !== 200) continue;
      await t.step(name, async () => assertEquals(ours(response), await theirs(response)));
    }
  },
});

Deno.test({
  name: "readError() finds the message and the kind of every recorded error",
  ignore: !exists(),
  fn() {
    const types: Record<number, string> = {
      400: "invalid_request_error",
      404: "not_found_error",
      429: "rate_limit_error",
    };
    for (const [name, { response: { status, body } }] of recordings()) {
      if (status === 200) continue;
      const error = gemini.readError(status, body);
      const [first] = [body].flat() as { error: { message: string } }[];
      assertEquals([error.message, error.type], [first.error.message, types[status]], name);
    }
  },
});
