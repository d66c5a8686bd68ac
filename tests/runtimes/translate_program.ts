/** A program that translates providers' streams by `translateStream`, on any runtime. */
import { translateStream } from "../../mod.ts";

const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
const say = (content: string) => event({ id: "a", choices: [{ index: 0, delta: { content } }] });
const END = event({ id: "a", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });

const encoder = new TextEncoder();

/** A source of these chunks that counts the chunks taken from it. */
function sourceOf(chunks: (string | Error)[], after: "close" | "wait" = "close") {
  const seen = { taken: 0, cancelled: false };
  const list = [...chunks];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = list.shift();
      if (chunk instanceof Error) return controller.error(chunk);
      if (chunk === undefined) return after === "close" ? controller.close() : new Promise(() => {});
      seen.taken++;
      controller.enqueue(encoder.encode(chunk));
    },
    cancel() {
      seen.cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { body, seen };
}

const openai = () => translateStream({ from: "openai", to: "openai" });

/** The events of a stream as texts: content, an error's code, or the finish reason. */
async function told(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const text = await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  return text.split("\n\n").slice(0, -1).map((event) => {
    const data = event.slice("data: ".length);
    if (data === "[DONE]") return data;
    const { error, choices } = JSON.parse(data);
    return error ? error.code : choices[0].finish_reason ?? choices[0].delta.content;
  });
}

/** The names of the events of a stream in another format. */
async function named(to: "anthropic" | "responses", chunks: (string | Error)[]): Promise<string[]> {
  const events = sourceOf(chunks).body.pipeThrough(translateStream({ from: "openai", to }));
  const text = await new Response(events as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  return [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name.replace("response.", ""));
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Waits until an end or a cancellation has passed through the pipe. */
async function until(condition: () => boolean): Promise<boolean> {
  for (let turns = 0; turns < 200 && !condition(); turns++) await turn();
  return condition();
}

async function observe() {
  const whole = await told(
    sourceOf([say("a"), say("b").slice(0, 9), say("b").slice(9), END]).body
      .pipeThrough(openai()),
  );
  const fetched = await told(new Response(say("a") + END).body!.pipeThrough(openai()));
  const broken = await told(sourceOf([say("a"), new Error("reset")]).body.pipeThrough(openai()));
  const refused = sourceOf([say("a") + event({ error: { message: "no", code: "full" } })], "wait");
  const refusal = await told(refused.body.pipeThrough(openai()));

  const slow = sourceOf(Array.from({ length: 50 }, () => say("a")), "wait");
  const reader = slow.body.pipeThrough(openai()).getReader();
  await reader.read();
  for (let turns = 0; turns < 20; turns++) await turn();
  const ahead = slow.seen.taken - 1;
  await reader.cancel("gone");

  return {
    messages: await named("anthropic", [say("a").slice(0, 9), say("a").slice(9) + END]),
    brokenMessages: await named("anthropic", [say("a"), new Error("reset")]),
    responses: await named("responses", [say("a").slice(0, 9), say("a").slice(9) + END]),
    brokenResponses: await named("responses", [say("a"), new Error("reset")]),
    isTransformStream: openai() instanceof TransformStream,
    whole,
    fetched,
    broken,
    refusal,
    refusedIsCancelled: await until(() => refused.seen.cancelled),
    isHeldBack: ahead <= 2,
    leftIsCancelled: await until(() => slow.seen.cancelled),
  };
}

/** Answers with the observations. */
export default {
  async fetch(): Promise<Response> {
    return Response.json(await observe());
  },
};
