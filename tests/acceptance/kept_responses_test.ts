/**
 * Conversations that the gateway keeps: with `previous_response_id`, each provider gets the same bytes as from a client that sends
 * the whole conversation itself, so that thoughts, signatures and caches hold.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { type Json, type Lab, lab, type Play } from "./lab.ts";
import type { Piece } from "./responses_stream.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictConverse } from "./strict_converse.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";
import { CLAUDE, COMMAND, GEMINI } from "./turns.ts";

// deno-lint-ignore no-explicit-any -- Requests and answers with fields that the SDK does not know.
type Any = any;

const TOOLS = ["weather", "clock"].map((name) => ({
  type: "function",
  name,
  strict: false,
  parameters: { type: "object", properties: { city: { type: "string" } } },
}));

const PICTURE = {
  type: "input_image",
  detail: "auto",
  image_url:
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==",
};

const GPT: Piece[][] = [
  [{ think: "a" }, { call: "weather", id: "call_1", args: ["{}"] }, {
    call: "clock",
    id: "call_2",
    args: ["{}"],
  }],
  [{ think: "b" }, { call: "clock", id: "call_3", args: ['{"city":"Bern"}'] }],
  [{ think: "c" }, { text: ["Sunny, and noon."] }],
];

const CHAT = [
  { text: "", calls: [{ id: "call_1", name: "weather", args: { city: "Zürich" } }] },
  { text: "", calls: [{ id: "call_2", name: "clock", args: {} }] },
  { text: "Sunny, and noon." },
];

const CONVERSE: Json[][] = [
  [
    { reasoningContent: { reasoningText: { text: "One.", signature: "c2lnLW9uZQ==" } } },
    { toolUse: { toolUseId: "tooluse_1", name: "weather", input: { city: "Zürich" } } },
  ],
  [{ toolUse: { toolUseId: "tooluse_2", name: "clock", input: {} } }],
  [{ text: "Sunny, and noon." }],
];

/** A model of each wire, with a strict provider that runs three turns. */
const PROVIDERS: [model: string, play: () => Play, more?: Json][] = [
  ["anthropic/claude-opus-5-5", () => strictAnthropic(CLAUDE).play],
  ["google-ai-studio/gemini-3-pro", () => strictGoogle(GEMINI).play],
  ["cohere/command-a-reasoning-08-2025", () => strictCohere(COMMAND).play],
  ["aws-bedrock/us-east-1/converse/us.anthropic.claude-opus-5-v1:0", () => strictConverse(CONVERSE).play],
  ["mistral/mistral-medium-latest", () => strictOpenAI(CHAT).play],
  ["openai/gpt-5.6", () => strictResponses(GPT).play],
];

const TOKEN = "token-of-a-tenant";

const room = (play: Play, more: Json = {}): Lab =>
  lab(play, {
    tokens: [{ token: TOKEN, name: "a" }],
    tokenRequired: false,
    responses: { store: true },
    ...more,
  });

const sdkOf = ({ gateway }: Lab): OpenAI =>
  new OpenAI({
    apiKey: "key",
    defaultHeaders: { "cf-aig-authorization": `Bearer ${TOKEN}` },
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  });

/** Asks once, by the SDK. */
async function ask(sdk: OpenAI, body: Any, stream: boolean): Promise<Any> {
  if (stream) return await sdk.responses.stream(body).finalResponse();
  return await sdk.responses.create(body);
}

const outputsOf = (output: Json[]): Json[] =>
  output.filter(({ type }) => type === "function_call")
    .map(({ call_id, name }) => ({ type: "function_call_output", call_id, output: `${name} says noon` }));

/** What the SDK's stream helper adds to the items stays with the client. */
const withoutParsed = (output: Json[]): Json[] =>
  JSON.parse(JSON.stringify(output, (name, value) => name.startsWith("parsed") ? undefined : value));

/**
 * Runs the turns of an agent, and one more.
 *
 * @param isKept Whether the gateway keeps the conversation. If not, the client sends all of it each time.
 */
async function run(at: Lab, model: string, isKept: boolean, stream: boolean): Promise<Json[]> {
  const sdk = sdkOf(at);
  const answers: Json[] = [];
  const whole: Json[] = [];
  let added: Json[] = [{ role: "user", content: [{ type: "input_text", text: "Look it up" }, PICTURE] }];
  let previous: unknown;
  for (let turn = 0; turn < 4; turn++) {
    whole.push(...added);
    const body = { model, tools: TOOLS, instructions: "Be brief.", reasoning: { effort: "medium" } };
    const response = await ask(
      sdk,
      isKept
        ? { ...body, input: added, ...(previous !== undefined && { previous_response_id: previous }) }
        : { ...body, input: whole, store: false, include: ["reasoning.encrypted_content"] },
      stream,
    );
    answers.push(response);
    previous = response.id;
    whole.push(...withoutParsed(response.output));
    added = outputsOf(response.output);
    if (added.length === 0) added = [{ role: "user", content: "Thanks! And now?" }];
  }
  return answers;
}

for (const [model, play] of PROVIDERS) {
  for (const stream of [false, true]) {
    Deno.test(`${model} gets the same from a kept conversation as from a client that sends all of it, ${stream ? "streamed" : "whole"}`, async () => {
      const kept = room(play()), sent = room(play());
      const answers = await run(kept, model, true, stream);
      await run(sent, model, false, stream);
      const bodiesOf = ({ asked }: Lab) => asked.map(({ url, body }) => [url.pathname, body]);
      assertEquals(kept.asked.length, 4);
      assertEquals(bodiesOf(kept), bodiesOf(sent));
      assertEquals(answers.map(({ store }) => store), [true, true, true, true]);
      const ids = answers.map(({ id }) => id);
      assertEquals(answers.map(({ previous_response_id: previous }) => previous), [
        null,
        ...ids.slice(0, -1),
      ]);
      assert(ids.every((id) => /^resp_sluice_[0-9a-f]{32}$/.test(`${id}`)), `${ids}`);
      const read = await sdkOf(kept).responses.retrieve(`${ids[2]}`);
      assertEquals(read.output_text, "Sunny, and noon.");
      assertStringIncludes(JSON.stringify(read), `${ids[1]}`);
    });
  }
}

Deno.test("a kept conversation changes its model at each turn, and each provider gets only its own proofs", async () => {
  const text = (said: string) => [{ type: "text", text: said }];
  const claude = strictAnthropic([[...CLAUDE[0].slice(0, 1), ...text("Claude.")], text("Claude again.")]);
  const gemini = strictGoogle([[{ text: "Gemini.", thoughtSignature: "SwK=" }]]);
  const gpt = strictResponses([[{ think: "a" }, { text: ["GPT."] }]]);
  const chat = strictOpenAI([{ text: "Mistral." }]);
  const plays: Record<string, Play> = {
    "api.anthropic.com": claude.play,
    "generativelanguage.googleapis.com": gemini.play,
    "api.openai.com": gpt.play,
    "api.mistral.ai": chat.play,
  };
  const at = room((asked) => plays[asked.url.host](asked));
  const sdk = sdkOf(at);
  const models = ["anthropic/claude-opus-5-5", "openai/gpt-5.6", "google-ai-studio/gemini-3-pro"];
  let previous: string | undefined;
  for (const model of [...models, "mistral/mistral-medium-latest", models[0]]) {
    const response = await sdk.responses.create({
      model,
      input: "And you?",
      reasoning: { effort: "medium" },
      ...(previous !== undefined && { previous_response_id: previous }),
    });
    previous = response.id;
  }
  const { messages } = at.asked.at(-1)!.body as { messages: Json[] };
  assertEquals(
    messages.map(({ role }) => role),
    Array.from({ length: 9 }, (_, at) => at % 2 ? "assistant" : "user"),
  );
  const said = JSON.stringify(messages);
  for (const word of ["Claude.", "GPT.", "Gemini.", "Mistral.", CLAUDE[0][0].signature!]) {
    assertStringIncludes(said, word);
  }
  for (const { text, url } of at.asked) {
    assert(url.host === "api.anthropic.com" || !text.includes(CLAUDE[0][0].signature!), url.host);
    assert(url.host === "api.openai.com" || !text.includes("gAAAAAB"), url.host);
  }
});
