/** The providers of the matrix: each answers in its own form, and refuses as strictly as the real one does. */
import type { WireName } from "../../../wires/types.ts";
import type { Asked, Json } from "../../acceptance/lab.ts";
import { strictAnthropic } from "../../acceptance/strict_anthropic.ts";
import { strictConverse } from "../../acceptance/strict_converse.ts";
import { strictCohere } from "../../acceptance/strict_cohere.ts";
import { strictInvoke } from "../../acceptance/strict_invoke.ts";
import { strictGoogle } from "../../acceptance/strict_google.ts";
import { strictOpenAI } from "../../acceptance/strict_openai.ts";
import { strictResponses } from "../../acceptance/strict_responses.ts";
import { type FakeProvider, FAKES, type Scenario, SIGNATURE } from "../shared.ts";
import { mistral } from "./mistral.ts";
import { strictPerplexity } from "./strict_perplexity.ts";

// deno-lint-ignore no-explicit-any -- Bodies in each provider's form.
type Any = any;

/** One provider wire. */
export interface Column {
  name: string;
  wire: WireName;
  /** What clients ask for. */
  model: string;
  fake: FakeProvider;
  /** Its answers are mended on the way, so no byte of them is compared. */
  mended?: true;
  /** Rows that its form cannot tell. */
  lacks: readonly string[];
  /** The member of its body that holds the conversation. */
  conversation: string;
  /** Checks requests, and knows its own answers again. */
  strict(answers: readonly Scenario[]): { play(asked: Asked): Response | Promise<Response> };
  /** What its own thoughts are known by in the request that hands them back. */
  keeps?: string;
  /** An error of this status, as it words it. */
  refuses(status: number, message: string): Json;
  /** How it says that 205018 tokens are more than its 200000. */
  tooLong: string;
}

const fakeOf = (name: string) => FAKES.find((fake) => (fake.name ?? fake.provider) === name)!;
const [openai, anthropic, gemini, cohere, perplexity, responses, converse, invoke] = [
  "openai",
  "anthropic",
  "google-ai-studio",
  "cohere",
  "perplexity-agent",
  "openai's Responses",
  "aws-bedrock's Converse",
  "aws-bedrock's Invoke",
].map(fakeOf);

const likeOpenAI = (status: number, message: string): Json => ({
  error: { message, type: status < 500 ? "invalid_request_error" : "server_error", param: null, code: null },
});
const turns = (answers: readonly Scenario[]) => answers.map(() => ({ text: "x" }));

const OPENAI_TOO_LONG =
  "This model's maximum context length is 200000 tokens. However, your messages resulted in 205018 tokens.";

/** Each provider wire, and chat as two who differ from OpenAI speak it. */
export const COLUMNS: readonly Column[] = [
  {
    name: "OpenAI chat",
    wire: "openai",
    model: "openai/gpt-4.1",
    tooLong: OPENAI_TOO_LONG,
    fake: openai,
    // OpenAI shows no reasoning there.
    lacks: ["thinking"],
    conversation: "messages",
    strict: (answers) => strictOpenAI(turns(answers)),
    refuses: likeOpenAI,
  },
  {
    name: "compatible chat",
    wire: "openai",
    model: "nebius/Qwen/Qwen3-235B",
    tooLong: OPENAI_TOO_LONG,
    fake: openai,
    lacks: [],
    conversation: "messages",
    strict: (answers) => strictOpenAI(turns(answers)),
    refuses: likeOpenAI,
  },
  {
    name: "Mistral chat",
    wire: "openai",
    model: "mistral/mistral-large-latest",
    tooLong:
      "Prompt contains 205018 tokens and 0 draft tokens, too large for model with 200000 maximum context length",
    fake: mistral,
    mended: true,
    lacks: ["refusal", "filter"],
    conversation: "messages",
    strict: (answers) => strictOpenAI(turns(answers)),
    refuses: (status, message) => ({
      object: "error",
      message,
      type: "invalid_request",
      param: null,
      code: `${status}`,
    }),
  },
  {
    name: "OpenAI Responses",
    wire: "responses",
    model: "openai/gpt-5-codex",
    tooLong: "Your input exceeds the context window of this model: 205018 tokens > 200000 maximum.",
    keeps: "gAAAAAB",
    fake: responses,
    lacks: [],
    conversation: "input",
    strict(answers) {
      const { play, seal } = strictResponses(answers.map(() => [{ text: ["x"] }]));
      for (const answer of answers) seal((responses.whole(answer) as Any).output);
      return { play };
    },
    refuses: likeOpenAI,
  },
  {
    name: "Anthropic",
    wire: "anthropic",
    model: "anthropic/claude-sonnet-4-5",
    tooLong: "prompt is too long: 205018 tokens > 200000 maximum",
    keeps: SIGNATURE,
    fake: anthropic,
    lacks: ["refusal"],
    conversation: "messages",
    strict: (answers) => strictAnthropic(answers.map((answer) => (anthropic.whole(answer) as Any).content)),
    refuses: (status, message) => ({
      type: "error",
      error: { type: ANTHROPIC_ERRORS[status] ?? "api_error", message },
      request_id: "req_1",
    }),
  },
  {
    name: "Gemini",
    wire: "gemini",
    model: "google-ai-studio/gemini-3-pro",
    tooLong: "The input token count (205018) exceeds the maximum number of tokens allowed (200000).",
    keeps: SIGNATURE,
    fake: gemini,
    lacks: ["interleaved tools", "refusal"],
    conversation: "contents",
    strict: (answers) =>
      strictGoogle(answers.map((answer) => (gemini.whole(answer) as Any).candidates[0].content.parts)),
    refuses: (code, message) => ({ error: { code, message, status: GOOGLE_ERRORS[code] } }),
  },
  {
    name: "Cohere",
    wire: "cohere",
    model: "cohere/command-a-reasoning-08-2025",
    tooLong: "too many tokens: the total number of tokens in the prompt, 205018, exceeds the limit of 200000",
    keeps: "They ask for the weather.",
    fake: cohere,
    lacks: ["refusal"],
    conversation: "messages",
    strict: (answers) => strictCohere(answers.map(() => ({ text: "x" }))),
    refuses: (_, message) => ({ id: "e1", message }),
  },
  {
    name: "Perplexity Agent",
    wire: "perplexity",
    model: "perplexity-agent/perplexity/sonar",
    tooLong: OPENAI_TOO_LONG,
    fake: perplexity,
    // Only its stream tells of reasoning.
    lacks: ["filter", "interleaved tools", "refusal", "thinking"],
    conversation: "input",
    strict: () => strictPerplexity(),
    refuses: (code, message) => ({ error: { code, message, type: "invalid_request" } }),
  },
  {
    name: "Bedrock Converse",
    wire: "bedrock",
    model: `aws-bedrock/${converse.model}`,
    tooLong: "The model returned the following errors: prompt is too long: 205018 tokens > 200000 maximum",
    keeps: SIGNATURE,
    fake: converse,
    lacks: ["refusal"],
    conversation: "messages",
    strict: () => strictConverse([[{ text: "x" }]]),
    refuses: (_, message) => ({ message }),
  },
  {
    name: "Bedrock Claude",
    wire: "anthropic",
    model: `aws-bedrock/${invoke.model}`,
    tooLong: "prompt is too long: 205018 tokens > 200000 maximum",
    keeps: SIGNATURE,
    fake: invoke,
    lacks: ["refusal"],
    conversation: "messages",
    strict: (answers) => strictInvoke(answers.map((answer) => (anthropic.whole(answer) as Any).content)),
    refuses: (_, message) => ({ message }),
  },
];

const ANTHROPIC_ERRORS: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};
const GOOGLE_ERRORS: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};
