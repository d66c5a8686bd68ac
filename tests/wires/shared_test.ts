import { assert, assertEquals, assertRejects } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { createGateway, type Gateway } from "../../mod.ts";
import {
  type FakeProvider,
  FAKES,
  type Scenario,
  SCENARIOS,
  type SseEvent,
  sseText,
  TEXT,
} from "./shared.ts";

const URL_OF_CHAT = "https://sluice.example/v1/chat/completions";
const MESSAGES = [{ role: "user" as const, content: "Hello" }];
const EVENTS = { headers: { "content-type": "text/event-stream" } };

/** A gateway whose provider gives these answers. Clock and randomness are fixed, so equal answers are equal bytes. */
function gatewayTo(answer: (init: RequestInit) => Response | Promise<Response>): Gateway {
  return createGateway({
    fetch: (_, init) => Promise.resolve(answer(init)),
    now: () => 1_700_000_000_000,
    random: () => 0.5,
  });
}

function request({ provider, model }: FakeProvider, stream: boolean, signal?: AbortSignal): Request {
  const body = {
    model: `${provider}/${model}`,
    messages: MESSAGES,
    ...(stream && { stream, stream_options: { include_usage: true } }),
  };
  return new Request(URL_OF_CHAT, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer key" },
    body: JSON.stringify(body),
    signal,
  });
}

/** The client's bytes for a stream of these pieces. */
async function streamText(fake: FakeProvider, ...pieces: (Uint8Array | string)[]): Promise<string> {
  const encoder = new TextEncoder();
  const list = pieces.map((piece) => typeof piece === "string" ? encoder.encode(piece) : piece);
  const gateway = gatewayTo(() => new Response(ReadableStream.from(list), EVENTS));
  const response = await gateway.fetch(request(fake, true));
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  return await response.text();
}

/** What the official SDK reads from an answer, streamed or whole. */
async function readBySdk(fake: FakeProvider, answer: Response, stream: boolean) {
  const gateway = gatewayTo(() => answer);
  const client = new OpenAI({
    apiKey: "key",
    baseURL: "https://sluice.example/v1",
    maxRetries: 0,
    fetch: (input, init) => gateway.fetch(new Request(input, init)),
  });
  const body = { model: `${fake.provider}/${fake.model}`, messages: MESSAGES };
  if (!stream) return summary(await client.chat.completions.create(body));
  const chunks = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } });
  let reasoning = "";
  chunks.on("chunk", ({ choices: [choice] }) => {
    // The SDK joins only the texts that OpenAI has.
    reasoning += (choice?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? "";
  });
  return { ...summary(await chunks.finalChatCompletion()), reasoning };
}

function summary({ id, model, object, choices, usage }: OpenAI.ChatCompletion) {
  const [{ message, finish_reason }] = choices;
  const { reasoning_content, reasoning_details } = message as {
    reasoning_content?: string;
    reasoning_details?: unknown;
  };
  return {
    id,
    model,
    object,
    choices: choices.length,
    content: message.content,
    refusal: message.refusal ?? null,
    calls: (message.tool_calls ?? []).map((call) => {
      assert(call.type === "function");
      return { id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) };
    }),
    reasoning: reasoning_content ?? "",
    signed: reasoning_details,
    finish: finish_reason,
    usage: usage && {
      prompt: usage.prompt_tokens,
      completion: usage.completion_tokens,
      total: usage.total_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens,
    },
  };
}

/** The events of a client's stream, each parsed. */
function clientEvents(
  text: string,
): { error?: { message: string }; choices?: { finish_reason: string | null }[] }[] {
  return text.split("\n\n").filter((event) => event.startsWith("data: {")).map((event) =>
    JSON.parse(event.slice(6))
  );
}

const nameOf = ({ name, provider }: FakeProvider) => name ?? provider;
const bytes = (text: string) => new TextEncoder().encode(text);
const translated = FAKES.filter(({ same }) => !same);

// ---------------------------------------------------------------- answers

for (const fake of FAKES) {
  for (const scenario of SCENARIOS.filter(({ name }) => !fake.lacks?.includes(name))) {
    Deno.test(`${nameOf(fake)} answers ${scenario.name} the same whole and streamed`, async () => {
      const whole = await readBySdk(fake, Response.json(fake.whole(scenario)), false);
      const events = sseText(fake.stream(scenario));
      const streamed = await readBySdk(fake, new Response(events, EVENTS), true);
      // For an answer with only tool calls, OpenAI's whole form has null where its stream has nothing.
      assertEquals({ ...streamed, content: streamed.content || null }, {
        ...whole,
        content: whole.content || null,
      });
      assertEquals(pick(whole), expected(scenario));
    });
  }
}

const pick = ({ content, calls, reasoning, finish, usage }: Awaited<ReturnType<typeof readBySdk>>) => ({
  content,
  calls,
  reasoning,
  finish,
  usage,
});

function expected({ text, thinking = [], calls = [], finish, usage }: Scenario): ReturnType<typeof pick> {
  return {
    content: text ? text.join("") : null,
    calls: calls.map(({ id, name, args }) => ({ id, name, arguments: JSON.parse(args.join("") || "{}") })),
    reasoning: thinking.join(""),
    finish,
    usage: {
      prompt: usage.prompt,
      completion: usage.completion,
      total: usage.prompt + usage.completion,
      cached: usage.cached,
    },
  };
}

// ---------------------------------------------------------------- framing

for (const fake of FAKES) {
  Deno.test(`${nameOf(fake)} is read with every line ending, with comments and with events without meaning`, async () => {
    for (const scenario of SCENARIOS.filter(({ name }) => !fake.lacks?.includes(name))) {
      const events = fake.stream(scenario);
      const plain = await streamText(fake, sseText(events));
      const pinged = events.flatMap((event, at) => at === 0 ? [event] : [...fake.pings, event]);
      const forms = [
        sseText(events, "\r\n"),
        sseText(events, "\r"),
        sseText(events, "\n", "keep-alive"),
        sseText(pinged, "\r\n", ""),
      ];
      for (const text of forms) {
        const out = await streamText(fake, text);
        // On the client's own wire the bytes are the provider's.
        if (fake.same) assertEquals(out, text);
        else assertEquals(out, plain);
      }
    }
  });

  Deno.test(`${nameOf(fake)} is read wherever the bytes are cut`, async () => {
    for (const name of ["thinking, then text", "parallel calls"]) {
      const scenario = SCENARIOS.find((scenario) => scenario.name === name)!;
      const source = bytes(sseText(fake.stream(scenario), name === "parallel calls" ? "\r\n" : "\n"));
      const whole = await streamText(fake, source);
      for (let cut = 1; cut < source.length; cut++) {
        const out = await streamText(fake, source.subarray(0, cut), source.subarray(cut));
        if (out !== whole) assertEquals(out, whole, `cut at ${cut}`);
      }
      assertEquals(await streamText(fake, ...Array.from(source, (byte) => Uint8Array.of(byte))), whole);
    }
  });
}

// ---------------------------------------------------------------- failures

for (const fake of FAKES) {
  Deno.test(`${nameOf(fake)}: the SDK raises an error that comes in mid-stream`, async () => {
    const events = fake.stream(TEXT);
    for (let before = 1; before < events.length - 2; before++) {
      const broken = [...events.slice(0, before), fake.failure("no room left"), ...events.slice(before)];
      const answer = () => new Response(sseText(broken), EVENTS);
      const error = await assertRejects(() => readBySdk(fake, answer(), true), OpenAI.APIError);
      assert(error.message.includes("no room left"), error.message);
      const out = await streamText(fake, sseText(broken));
      if (!fake.same) assert(!out.includes("[DONE]"), out);
    }
  });

  Deno.test(`${nameOf(fake)}: a broken connection in mid-stream is never a clean end`, async () => {
    const [first, second] = fake.stream(TEXT);
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes(sseText([first, second])));
      },
      pull: (controller) => controller.error(new Error("connection reset")),
    });
    await assertRejects(() => readBySdk(fake, new Response(body, EVENTS), true));
  });
}

for (const fake of translated) {
  Deno.test(`${nameOf(fake)}: a stream that stops before its end is an error, wherever it stops`, async () => {
    for (const scenario of [TEXT, SCENARIOS.find(({ name }) => name === "parallel calls")!]) {
      const events = fake.stream(scenario);
      const isEnd = ({ data }: SseEvent) =>
        /stop_reason":"|finishReason|finish_reason|message_stop|response\.completed/.test(
          JSON.stringify(data),
        );
      const end = events.findIndex(isEnd);
      assert(end > 0);
      for (let kept = 0; kept < end; kept++) {
        const out = await streamText(fake, sseText(events.slice(0, kept)));
        const last = clientEvents(out).at(-1)!;
        assert(last.error, `after ${kept} events: ${out}`);
        assert(!out.includes("[DONE]"), `after ${kept} events: ${out}`);
        assert(
          clientEvents(out).every(({ choices }) => !choices?.some(({ finish_reason }) => finish_reason)),
          out,
        );
      }
    }
  });
}

// ---------------------------------------------------------------- the client leaves

for (const fake of FAKES) {
  Deno.test(`${nameOf(fake)}: the request is cancelled when the client leaves before the answer`, async () => {
    const leaving = new AbortController();
    const { promise: asked, resolve } = Promise.withResolvers<AbortSignal>();
    const gateway = gatewayTo(({ signal }) => {
      resolve(signal!);
      return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
    });
    const answer = gateway.fetch(request(fake, true, leaving.signal));
    const signal = await asked;
    assertEquals(signal.aborted, false);
    leaving.abort();
    await answer;
    assertEquals(signal.aborted, true);
  });

  for (const sent of [0, 3]) {
    Deno.test(`${nameOf(fake)}: the request is cancelled when the client leaves after ${sent} events`, async () => {
      const { promise: cancelled, resolve } = Promise.withResolvers<void>();
      const events = fake.stream(TEXT).slice(0, sent);
      const body = new ReadableStream({
        start: (controller) => events.forEach((event) => controller.enqueue(bytes(sseText([event])))),
        cancel: () => resolve(),
      });
      const response = await gatewayTo(() => new Response(body, EVENTS)).fetch(request(fake, true));
      const reader = response.body!.getReader();
      const read = reader.read();
      if (sent > 0) assert((await read).value);
      await reader.cancel();
      await cancelled;
      if (sent === 0) assertEquals(await read, { done: true, value: undefined });
    });
  }
}
