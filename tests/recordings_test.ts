/**
 * Replays real exchanges, recorded elsewhere, through the gateway: what the `openai` SDK makes of our answer must be what
 * the provider's own SDK makes of the provider's bytes.
 */
import { chatOf } from "./providers/chat_of.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { createGateway } from "../mod.ts";
import { menderOf } from "../gateway/upstream/prepare.ts";
import { findProvider } from "../providers/table.ts";
import {
  type Gist,
  type OfficialReader,
  readWithAnthropic,
  readWithCohere,
  readWithGoogle,
} from "./official_sdks.ts";
import { recordedTest, type Recording, recordings } from "./recordings.ts";

type Wire = "openai" | "anthropic" | "gemini" | "cohere";

const READERS: Record<string, { wire: Wire; read: OfficialReader }> = {
  "messages": { wire: "anthropic", read: readWithAnthropic },
  "rawPredict": { wire: "anthropic", read: readWithAnthropic },
  "streamRawPredict": { wire: "anthropic", read: readWithAnthropic },
  "generateContent": { wire: "gemini", read: readWithGoogle },
  "streamGenerateContent": { wire: "gemini", read: readWithGoogle },
  "cohere.v2.chat": { wire: "cohere", read: readWithCohere },
};

// ---------------------------------------------------------------- serving a recording

/** Sizes of the pieces that a body arrives in; they cut lines, frames and characters. */
const PIECES = [1, 2, 3, 5, 7, 64, 11, 1024];

function pieces(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += PIECES[turn++ % PIECES.length]));
    },
  });
}

/** What the provider sends. A stream that was asked for without `alt=sse` is a list: we ask with it. */
function answerText({ response: { body, stream, text } }: Recording): string {
  if (!stream?.startsWith("[")) return stream ?? text ?? JSON.stringify(body);
  return JSON.parse(stream).map((chunk: unknown) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
}

function replay(recording: Recording): Response {
  const { status, content_type, stream } = recording.response;
  const kind = stream !== undefined ? "text/event-stream" : content_type ?? "application/json";
  return new Response(pieces(answerText(recording)), { status, headers: { "content-type": kind } });
}

/**
 * Providers whose recorded chat completions an SDK cannot read, and that have no row for them: Google's OpenAI form
 * has no ids of calls, Snowflake no finish reason.
 */
const OTHERS_TO_MEND: ReadonlySet<string> = new Set(["google-ai-studio", "snowflake"]);

/** Whether our answer to a recording of chat completions is mended. */
function isMended({ provider, model }: Recording): boolean {
  const row = findProvider(provider);
  const chat = row && chatOf(row);
  if (!chat || row.chat === false) return OTHERS_TO_MEND.has(provider);
  return menderOf(chat, model) !== undefined;
}

/** A client of a gateway whose providers answer with the recording. */
function clientOf(recording: Recording, wire: Wire) {
  const known = findProvider(recording.provider);
  const provider = known && known.chat !== false && (wire === "openai") === (chatOf(known) !== undefined)
    ? recording.provider
    : "recorded";
  const gateway = createGateway({
    fetch(asked) {
      if (provider !== "recorded" && wire !== "openai") checkAddress(asked, recording);
      return Promise.resolve(replay(recording));
    },
    providers: {
      recorded: {
        baseUrl: "https://recorded.example/v1",
        wire,
        ...(wire === "openai" && { conform: OTHERS_TO_MEND.has(recording.provider) }),
      },
      "google-vertex-ai": {
        project: "project-id",
        location: /\/locations\/([a-z0-9-]+)\//.exec(recording.request?.path ?? "")?.[1] ?? "global",
      },
    },
  });
  const url = "https://sluice.example/v1/account/gateway/compat";
  const client = new OpenAI({
    apiKey: "key",
    baseURL: url,
    maxRetries: 0,
    fetch: (input, init) => gateway.fetch(new Request(input, init)),
  });
  // Azure's models name their resource.
  const place = known?.baseUrl.includes("{resource}") ? "res/" : "";
  const body = {
    model: `${provider}/${place}${recording.model || "model"}`,
    messages: [{ role: "user" as const, content: "Hello" }],
  };
  /** The gateway's own bytes. */
  const post = (stream: boolean) =>
    gateway.fetch(
      new Request(`${url}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify({ ...body, stream }),
      }),
    );
  return { client, body, post };
}

/** Matches paths of recordings that hide the location. */
const HIDES_PLACE = /\/locations\/(?![a-z0-9-]+\/)/;

/** We ask where the recorded client asked. */
function checkAddress(asked: string, { request }: Recording): void {
  const { host, pathname } = new URL(asked);
  if (!request || HIDES_PLACE.test(request.path)) return;
  // Recordings hide projects, and some clients ask Vertex AI's older version.
  const place = (path: string) =>
    path.replace(/\?.*/, "").replace(/^\/v1(?:beta1)?\/projects\/[^/]+/, "/projects");
  assertEquals(host + place(pathname), request.host + place(request.path));
}

// ---------------------------------------------------------------- what our answer says

async function readOurs(recording: Recording, wire: Wire): Promise<Gist> {
  const { client, body } = clientOf(recording, wire);
  if (recording.response.stream === undefined) return gistOf(await client.chat.completions.create(body));
  const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } });
  const reasoning: string[] = [];
  stream.on("chunk", ({ choices }) => {
    for (const { index, delta } of choices) {
      reasoning[index] = (reasoning[index] ?? "") +
        ((delta as { reasoning_content?: string }).reasoning_content ?? "");
    }
  });
  return gistOf(await stream.finalChatCompletion(), reasoning);
}

function gistOf({ choices, usage }: OpenAI.ChatCompletion, reasoning?: string[]): Gist {
  return {
    choices: choices.map(({ index, message, finish_reason }) => ({
      text: message.content ?? "",
      reasoning: reasoning?.[index] ?? (message as { reasoning_content?: string }).reasoning_content ?? "",
      calls: (message.tool_calls ?? []).map((call) => {
        assert(call.type === "function" && call.id);
        return { name: call.function.name, arguments: JSON.parse(call.function.arguments) };
      }),
      images: (message as { images?: unknown[] }).images?.length ?? 0,
      finish: finish_reason,
    })),
    ...(usage && {
      usage: {
        prompt: usage.prompt_tokens,
        completion: usage.completion_tokens,
        cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
        reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
      },
    }),
  };
}

// ---------------------------------------------------------------- the tests

/** What our answer is compared on: a count that the provider's SDK does not know is not. */
function comparable(ours: Gist, theirs: Gist): Gist {
  if (ours.usage && theirs.usage && theirs.usage.reasoning === undefined) delete ours.usage.reasoning;
  return ours;
}

/** Translated: the same answer, or an error where the provider's SDK finds one. */
async function checkTranslated(recording: Recording): Promise<void> {
  const { wire, read } = READERS[recording.api];
  const { model, response: { stream } } = recording;
  let theirs: Gist;
  try {
    theirs = await read(() => Promise.resolve(replay(recording)), model, stream !== undefined);
  } catch (error) {
    return await checkError(recording, wire, error as Error);
  }
  const ours = await readOurs(recording, wire);
  assertEquals(comparable(ours, theirs), theirs);
}

/** The client's SDK raises what the provider's raises: the same status, and a message that is part of theirs. */
async function checkError(recording: Recording, wire: Wire, theirs: Error): Promise<void> {
  const { status } = recording.response;
  const error = await assertRejects(() => readOurs(recording, wire), OpenAI.APIError);
  const { message } = error.error as { message: string };
  // Most SDKs put the whole JSON body in their message, where quotes are escaped.
  const escaped = JSON.stringify(message).slice(1, -1);
  assert(
    theirs.message.includes(message) || theirs.message.includes(escaped),
    `${message} / ${theirs.message}`,
  );
  if (status >= 400) assertEquals(error.status, status);
}

/** The status of our answer. Azure answers 200 to a prompt that its filter blocks. */
const statusOf = ({ response: { status, body } }: Recording): number =>
  body?.error?.code === "content_filter" ? body.error.status : status;

/** Handed through: the very bytes, unless the row's answers are mended; of an error its message and status, in the shape that the client's SDK raises. */
async function checkHandedThrough(recording: Recording): Promise<void> {
  const { stream } = recording.response;
  const status = statusOf(recording);
  const { client, body, post } = clientOf(recording, "openai");
  const response = await post(stream !== undefined);
  assertEquals(response.status, status);
  const text = await response.text();
  if (status < 400) return isMended(recording) ? undefined : assertEquals(text, answerText(recording));
  const { error } = JSON.parse(text);
  assert(typeof error.message === "string" && error.message !== "");
  const raised = await assertRejects(async () => await client.chat.completions.create(body), OpenAI.APIError);
  assertEquals(raised.status, status);
  assert(raised.message.includes(error.message));
}

for (const api of ["chat.completions", ...Object.keys(READERS)]) {
  recordedTest(
    `a recorded ${api} answer comes out of the gateway as its provider's own SDK reads it`,
    async (test) => {
      const list = recordings().filter((recording) => recording.api === api);
      assert(list.length > 0, `no recording of ${api}`);
      for (const recording of list) {
        await test.step(recording.id, async () => {
          await (api === "chat.completions" ? checkHandedThrough(recording) : checkTranslated(recording));
        });
      }
    },
  );
}

// ---------------------------------------------------------------- what an OpenAI SDK needs

const FINISHES: unknown[] = ["content_filter", "function_call", "length", "stop", "tool_calls"];

// deno-lint-ignore no-explicit-any -- Whatever JSON was sent.
type Json = any;

/** The objects of an answer: its chunks, or the answer alone. */
const objectsOf = (text: string, streamed: boolean): Json[] =>
  streamed
    ? text.split(/\r?\n/).filter((line) => /^data: ?\{/.test(line)).map((line) => JSON.parse(line.slice(5)))
    : [JSON.parse(text)];

/** What a content says to a person; JSON that the provider parsed is a text again. */
function wordsOf(content: Json): string {
  if (Array.isArray(content)) return content.map((part) => part.type === "text" ? part.text : "").join("");
  return typeof content === "object" && content !== null ? JSON.stringify(content) : content ?? "";
}

/** Of each choice its text, as the provider's objects have it. */
function recordedWords(objects: Json[], streamed: boolean): string[] {
  const words: string[] = [];
  for (const { choices } of objects) {
    for (const { index, delta, message } of choices ?? []) {
      const { content } = (streamed ? delta ?? message : message) ?? {};
      words[index] = (words[index] ?? "") + wordsOf(content);
    }
  }
  return words;
}

/** The types of OpenAI's description, which SDKs of strict languages insist on. */
function checkObject(value: Json, kind: "delta" | "message"): void {
  assert(typeof value.id === "string" && value.id !== "", `id ${value.id}`);
  assert(typeof value.created === "number", `created ${value.created}`);
  assert(typeof value.model === "string", `model ${value.model}`);
  assert(Array.isArray(value.choices), "choices");
  for (const choice of value.choices) {
    assert(Number.isInteger(choice.index), `index ${choice.index}`);
    const finish = choice.finish_reason;
    const unfinished = kind === "delta" && (finish === null || finish === undefined);
    assert(unfinished || FINISHES.includes(finish), `finish_reason ${finish}`);
    assert(kind === "message" || choice.message === undefined, "a message beside a delta");
    const { content, tool_calls, function_call } = choice[kind];
    assert(typeof content === "string" || content === null || content === undefined, "content");
    assert(!function_call || function_call.name !== "", "function_call");
    for (const call of tool_calls ?? []) {
      assert(kind === "delta" ? Number.isInteger(call.index) : call.id, "a call's id or index");
      assert(kind === "delta" || typeof call.function.arguments === "string", "a call's arguments");
    }
  }
}

/** An error that calls itself a success is handed on; in a stream the SDK throws it. */
async function checkReadable(recording: Recording): Promise<void> {
  const { stream } = recording.response;
  const streamed = stream !== undefined;
  const { client, body, post } = clientOf(recording, "openai");
  const theirs = objectsOf(answerText(recording), streamed);
  if (theirs.some(({ error }) => error)) {
    if (streamed || statusOf(recording) >= 400) {
      await assertRejects(() => readOurs(recording, "openai"), OpenAI.APIError);
    } else assert(((await client.chat.completions.create(body)) as Json).error.message);
    return;
  }
  const ours = objectsOf(await (await post(streamed)).text(), streamed);
  for (const value of ours) checkObject(value, streamed ? "delta" : "message");
  const lost = theirs.flatMap((value) => Object.keys(value)).filter((name) =>
    !ours.some((value) => Object.hasOwn(value, name)) && name !== "service_tier"
  );
  assertEquals(lost, []);
  const messages = { ...body, stream_options: { include_usage: true } };
  const { choices } = streamed
    ? await client.chat.completions.stream(messages).finalChatCompletion()
    : await client.chat.completions.create(body);
  assert(choices.length > 0);
  for (const { finish_reason, message: { tool_calls = [] } } of choices) {
    assert(FINISHES.includes(finish_reason), finish_reason);
    for (const call of tool_calls ?? []) {
      assert(call.type === "function" && call.id && call.function.name);
      // Of an answer that was cut short, arguments may be.
      if (finish_reason !== "length") JSON.parse(call.function.arguments || "{}");
    }
  }
  assertEquals(choices.map(({ message }) => message.content ?? ""), recordedWords(theirs, streamed));
}

recordedTest(
  "every recorded chat.completions answer is one that OpenAI's SDK reads, with nothing lost",
  async (test) => {
    for (const recording of recordings()) {
      if (recording.api !== "chat.completions" || recording.response.status >= 400) continue;
      await test.step(recording.id, () => checkReadable(recording));
    }
  },
);
