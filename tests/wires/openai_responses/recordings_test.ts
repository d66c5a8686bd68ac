/** Recorded answers of all providers of Responses are read completely. */
import { assert, assertEquals } from "@std/assert";
import { openaiResponses } from "../../../wires/openai_responses/mod.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { recordedTest, recordings } from "../../recordings.ts";
import { collect, readEvents, readWhole } from "./talk.ts";

const RECORDED = recordings().filter(({ api }) => api === "responses");

/** The content of a response, by a plain walk through its items. */
function told({ output, usage }: JsonObject) {
  // deno-lint-ignore no-explicit-any -- Whatever came.
  const items = output as any[];
  const parts = items.filter(({ type }) => type === "message").map(({ content }) =>
    content.map(({ text }: JsonObject) => text ?? "").join("")
  ).filter(Boolean);
  const { input_tokens, output_tokens } = usage as Record<string, number>;
  return {
    text: parts.join("\n\n"),
    calls: items.filter(({ type }) => type === "function_call")
      .map(({ call_id, name, arguments: input }): string[] => [call_id, name, input]),
    seals: items.flatMap(({ encrypted_content }): string[] => encrypted_content ? [encrypted_content] : []),
    citations: items.flatMap(({ type, content }) => type === "message" ? content : [])
      .flatMap(({ annotations }): JsonObject[] => annotations ?? [])
      .filter(({ type }) => type === "url_citation").length,
    input_tokens,
    output_tokens,
  };
}

function heard(deltas: Parameters<typeof collect>[0]): ReturnType<typeof told> {
  const { choices: [choice], usage } = collect(deltas);
  const { input, cacheRead, cacheWrite, output, reasoning } = usage!;
  return {
    text: choice.text,
    calls: choice.calls.map(({ id, name, arguments: input }) => [id, name, input]),
    seals: choice.thoughts.flatMap(({ redacted }) => redacted && !redacted.startsWith("{") ? [redacted] : []),
    citations: choice.citations.length,
    input_tokens: input + cacheRead + cacheWrite,
    output_tokens: output + reasoning,
  };
}

recordedTest("readAnswer() reads each recorded answer as it is", () => {
  const whole = RECORDED.filter(({ response: { status, body } }) => status === 200 && body);
  assert(whole.length > 10, `${whole.length}`);
  for (const { name, response: { body } } of whole) assertEquals(heard(readWhole(body)), told(body), name);
});

recordedTest("readStream() reads each recorded stream as its last event has it, wherever it is cut", () => {
  const streams = RECORDED.filter(({ response: { stream } }) => stream?.includes("response.completed"));
  assert(streams.length > 4, `${streams.length}`);
  for (const { name, response: { stream } } of streams) {
    const last = stream!.split("\n").filter((line) =>
      line.includes('"response.completed"') && line.startsWith("data:")
    );
    const { response } = JSON.parse(last[0].slice(5));
    for (const size of [7, 1000]) assertEquals(heard(readEvents(stream!, size)), told(response), name);
  }
});

recordedTest("readError() and readStream() tell each recorded failure", () => {
  const failed = RECORDED.filter(({ response: { status } }) => status >= 400);
  assert(failed.length > 2);
  for (const { name, response: { status, body } } of failed) {
    const { message } = openaiResponses.readError(status, body);
    assert(JSON.stringify(body).includes(JSON.stringify(message).slice(1, -1)), name);
  }
  const [inStream] = RECORDED.filter(({ name }) => name.includes("error-in-stream"));
  assertEquals(collect(readEvents(inStream.response.stream!)).error?.code, "insufficient_quota");
});
