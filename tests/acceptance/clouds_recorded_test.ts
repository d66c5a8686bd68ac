/**
 * Recorded answers of Vertex AI and Azure: what each client's SDK reads of ours is what the provider's own SDK reads of its bytes.
 * Those of Bedrock are in tests/wires/bedrock_converse/recordings_test.ts.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Gist, readWithAnthropic, readWithGoogle } from "../official_sdks.ts";
import { recordedTest, type Recording, recordings } from "../recordings.ts";
import { CLIENTS } from "../wires/matrix/clients.ts";
import { lab } from "./lab.ts";

// deno-lint-ignore no-explicit-any -- Answers of several forms.
type Any = any;

/** Sizes of the pieces that a body arrives in; they cut lines, events and characters. */
const PIECES = [1, 2, 3, 5, 7, 64, 11, 1024];

/** A stream that was asked for without `alt=sse` is a list: the gateway asks with it. */
function textOf({ response: { stream, body, text } }: Recording): string {
  if (!stream?.startsWith("[")) return stream ?? text ?? JSON.stringify(body);
  return JSON.parse(stream).map((chunk: unknown) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
}

function replay(recording: Recording): Response {
  const { status, stream, content_type } = recording.response;
  const bytes = new TextEncoder().encode(textOf(recording));
  let at = 0, turn = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += PIECES[turn++ % PIECES.length]));
    },
  });
  const type = stream === undefined ? content_type ?? "application/json" : "text/event-stream";
  return new Response(body, { status, headers: { "content-type": type } });
}

type Read = Gist["choices"][number] & { usage?: Gist["usage"] };

/** The objects of a stream of data lines, or the one of a whole answer. */
const objectsOf = ({ response: { stream, body } }: Recording): Any[] =>
  stream === undefined ? [body] : stream.split(/\r?\n/).flatMap((line) => {
    return /^data: ?\{/.test(line) ? [JSON.parse(line.slice(5))] : [];
  });

/** What chat completions say. */
function readChat(recording: Recording): Read {
  const read: Any = { text: "", calls: [], finish: "" };
  for (const { choices, usage } of objectsOf(recording)) {
    if (usage) {
      const { prompt_tokens, completion_tokens, prompt_tokens_details } = usage;
      const cached = prompt_tokens_details?.cached_tokens ?? 0;
      read.usage = { prompt: prompt_tokens, completion: completion_tokens, cached };
    }
    for (const { delta, message, finish_reason } of choices) {
      const { content, tool_calls } = delta ?? message ?? {};
      read.text += content ?? "";
      read.finish ||= finish_reason ?? "";
      tool_calls?.forEach(({ index, function: called }: Any, at: number) => {
        const call = read.calls[index ?? at] ??= { name: "", text: "" };
        call.name += called.name ?? "";
        call.text += called.arguments ?? "";
      });
    }
  }
  read.calls = read.calls.map(({ name, text }: Any) => ({ name, arguments: JSON.parse(text) }));
  return read;
}

/** What Responses say: a stream's last event holds the whole. */
function readResponses(recording: Recording): Read {
  const last = objectsOf(recording).at(-1);
  const { output, usage, status } = last.response ?? last;
  const calls = output.filter(({ type }: Any) => type === "function_call");
  const said = output.filter(({ type }: Any) => type === "message").flatMap(({ content }: Any) => content);
  return {
    text: said.map(({ text }: Any) => text ?? "").join(""),
    reasoning: "",
    images: 0,
    calls: calls.map(({ name, arguments: args }: Any) => ({ name, arguments: JSON.parse(args) })),
    finish: calls.length > 0 ? "tool_calls" : status === "completed" ? "stop" : "length",
    usage: {
      prompt: usage.input_tokens,
      completion: usage.output_tokens,
      cached: usage.input_tokens_details?.cached_tokens ?? 0,
    },
  };
}

async function theirs(recording: Recording): Promise<Read> {
  if (recording.api === "chat.completions") return readChat(recording);
  if (recording.api === "responses") return readResponses(recording);
  const read = /generateContent/i.test(recording.api) ? readWithGoogle : readWithAnthropic;
  const fetch = (() => Promise.resolve(replay(recording))) as typeof globalThis.fetch;
  const { choices, usage } = await read(fetch, recording.model, recording.response.stream !== undefined);
  return { ...choices[0], usage };
}

/** Model and options with which the recorded API is asked. */
function asked({ provider, api, model }: Recording): [model: string, options: object] {
  if (provider === "google-vertex-ai") {
    return [`vertex/${model.replace(/^.*\//, "")}`, { providers: { vertex: { project: "p" } } }];
  }
  const responses = api === "responses" ? "always" : "never";
  const name = api === "messages" && !model.includes("claude") ? `claude-${model}` : model;
  return [`${provider}/res/${name}`, { providers: { [provider]: { responses } } }];
}

/** Without a prompt that was blocked: its answer has no usage, which the clients here read. tests/recordings_test.ts has it. */
const recorded = () =>
  recordings("google-vertex-ai", "azure-openai", "azure-ai").filter(({ api, id }) =>
    !id.endsWith("-json-refusal-c94036") &&
    /^(?:chat\.completions|responses|messages|(?:streamG|g)enerateContent|(?:stream)?rawPredict)$/i.test(api)
  );

/** Answers that are errors under 200, or in the middle of a stream. */
const isFailure = (recording: Recording) =>
  recording.response.status >= 400 || objectsOf(recording).some((object) => object?.error);

recordedTest(
  "a recorded answer of Vertex AI or Azure comes out of each client's wire as its own SDK reads it",
  async (test) => {
    const list = recorded();
    assert(list.length >= 35, `${list.length}`);
    for (const recording of list) {
      const { response: { stream, status }, id } = recording;
      const [model, options] = asked(recording);
      for (const client of CLIENTS) {
        // Azure has Responses of its own, so that chat completions answer no client of these.
        if (recording.api === "chat.completions" && client.wire === "responses") continue;
        await test.step(`${id} for ${client.name}`, async () => {
          const { gateway } = lab(() => replay(recording), options);
          const send = () =>
            client.send(gateway.fetch, client.body(model, { user: "Hi" }, []), stream !== undefined);
          if (isFailure(recording)) {
            const error: Any = await assertRejects(send, client.error as Any);
            const due = status >= 400 ? status : 400;
            return assertEquals(error.status, due, error.message);
          }
          const { text, calls, finish, usage } = await theirs(recording);
          const seen = await send();
          assertEquals(
            [seen.text, seen.calls.map(({ name, args }) => ({ name, arguments: args })), seen.finish],
            [text, calls, finish],
          );
          if (!usage) return;
          const { prompt, completion, cached } = usage;
          const told = { ...seen.usage, cached: seen.usage.cached ?? 0 };
          // One recorded answer has read more from its cache than it was asked.
          const due = Math.max(prompt, client.wire === "anthropic" ? cached : 0);
          assertEquals(told, { prompt: due, completion, cached });
        });
      }
    }
  },
);
