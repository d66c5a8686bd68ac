/** The same answers of every provider, as OpenAI's SDK reads them from `/v1/responses`, whole and streamed. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import OpenAI from "npm:openai@7.59.0";
import { createGateway } from "../../../mod.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { checkResponse, readResponseStream } from "../../acceptance/responses_events.ts";
import { events, post } from "../../fakes.ts";
import {
  type FakeProvider,
  type Scenario,
  SCENARIOS,
  type SseEvent,
  sseText,
  WITHOUT_RESPONSES,
} from "../shared.ts";

const URL = "http://gateway.test/v1/responses";

const TOOLS = ["weather", "clock", "now", "here"].map((name) => ({
  type: "function" as const,
  name,
  parameters: { type: "object", properties: {} },
  strict: null,
}));

/** A gateway whose provider gives this answer. */
function before(answer: () => Response) {
  return createGateway({ fetch: () => Promise.resolve(answer()) }).fetch;
}

const wholeOf = (fake: FakeProvider, scenario: Scenario) => before(() => Response.json(fake.whole(scenario)));
const streamOf = (list: SseEvent[]) => before(() => events(sseText(list)));

const askFor = ({ provider, model }: FakeProvider, more: JsonObject = {}) => ({
  model: `${provider}/${model}`,
  input: "Hello",
  tools: TOOLS,
  ...more,
});

/** The content that an answer must have, by its scenario. */
function gist({ thinking, text, calls = [], finish, usage }: Scenario) {
  return {
    status: finish === "length" ? "incomplete" : "completed",
    reason: finish === "length" ? "max_output_tokens" : null,
    reasoning: thinking?.join("") ?? "",
    text: text?.join("") ?? "",
    calls: calls.map(({ id, name, args }) => ({
      call_id: id,
      name,
      arguments: JSON.parse(args.join("") || "{}"),
    })),
    input: usage.prompt,
    cached: usage.cached,
    output: usage.completion,
  };
}

/** What an answer says. */
// deno-lint-ignore no-explicit-any
function gistOf(response: any) {
  const { status, incomplete_details, output, usage } = response;
  // deno-lint-ignore no-explicit-any
  const of = (type: string) => output.filter((item: any) => item.type === type);
  return {
    status,
    reason: incomplete_details?.reason ?? null,
    // deno-lint-ignore no-explicit-any
    reasoning: of("reasoning").flatMap((item: any) => item.content ?? item.summary).map((part: any) =>
      part.text
    )
      .join(""),
    // deno-lint-ignore no-explicit-any
    text: of("message").flatMap((item: any) => item.content).map((part: any) => part.text).join(""),
    // deno-lint-ignore no-explicit-any
    calls: of("function_call").map((item: any) => ({
      call_id: item.call_id.split("__sig_")[0],
      name: item.name,
      arguments: JSON.parse(item.arguments),
    })),
    input: usage.input_tokens,
    cached: usage.input_tokens_details.cached_tokens,
    output: usage.output_tokens,
  };
}

for (const fake of WITHOUT_RESPONSES) {
  for (const scenario of SCENARIOS) {
    if (fake.lacks?.includes(scenario.name)) continue;
    Deno.test(`/v1/responses returns ${scenario.name} from ${fake.provider}, whole and streamed`, async () => {
      const whole = await wholeOf(fake, scenario)(post(URL, askFor(fake)));
      const response = await whole.json();
      checkResponse(response);
      assertEquals(gistOf(response), gist(scenario));
      const streamed = await streamOf(fake.stream(scenario))(post(URL, askFor(fake, { stream: true })));
      const read = readResponseStream(await streamed.text());
      assertEquals(gistOf(read.response), gist(scenario));
    });

    Deno.test(`OpenAI's SDK reads ${scenario.name} from a stream of ${fake.provider}`, async () => {
      const fetch = streamOf(fake.stream(scenario));
      const client = new OpenAI({
        apiKey: "key",
        baseURL: "http://gateway.test/v1",
        maxRetries: 0,
        fetch: (input, init) => fetch(new Request(input, init)),
      });
      const final = await client.responses.stream(askFor(fake) as never).finalResponse();
      assertEquals(gistOf(final), gist(scenario));
      assertEquals(final.output_text, scenario.text?.join("") ?? "");
    });
  }

  Deno.test(`/v1/responses writes an error of ${fake.provider} in mid-stream as two events`, async () => {
    const [scenario] = SCENARIOS;
    const list = fake.stream(scenario);
    const broken = [...list.slice(0, Math.max(2, list.length - 3)), fake.failure("It is on fire")];
    const answer = await streamOf(broken)(post(URL, askFor(fake, { stream: true })));
    const { error, response } = readResponseStream(await answer.text());
    assertEquals(error!.code, "server_error");
    assert(`${error!.message}`.includes("It is on fire"));
    assertEquals(response.error, { code: error!.code, message: error!.message });
    const fetch = streamOf(broken);
    const client = new OpenAI({
      apiKey: "key",
      baseURL: "http://gateway.test/v1",
      maxRetries: 0,
      fetch: (input, init) => fetch(new Request(input, init)),
    });
    await assertRejects(
      () => client.responses.stream(askFor(fake) as never).finalResponse(),
      Error,
      "It is on fire",
    );
  });

  Deno.test(`/v1/responses never ends a cut stream of ${fake.provider} as if it were complete`, async () => {
    const list = fake.stream(SCENARIOS[0]);
    const answer = await streamOf(list.slice(0, 3))(post(URL, askFor(fake, { stream: true })));
    const { response } = readResponseStream(await answer.text());
    assertEquals(response.status, "failed");
  });
}
