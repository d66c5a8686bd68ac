/**
 * The answers for the tests of all wires: the same ones in each provider's own form, as far as it has one. So one suite
 * checks what a client sees, whichever provider answered.
 */
import { anthropic } from "./answers/anthropic.ts";
import { cohere } from "./answers/cohere.ts";
import { gemini } from "./answers/gemini.ts";
import { openai } from "./answers/openai.ts";
import { perplexity } from "./answers/perplexity.ts";
import { responses } from "./answers/responses.ts";
import type { FakeProvider } from "./answers/scenarios.ts";
import { converse, invoked } from "./answers/bedrock.ts";

export * from "./answers/scenarios.ts";

export const FAKES: readonly FakeProvider[] = [
  openai,
  anthropic,
  gemini,
  cohere,
  perplexity,
  responses,
  converse,
  invoked(anthropic),
];

/** Import it from here: its file needs this one. */
export { converse };

/** The same for a client of Responses, whose answers are translated: a provider of chat completions sends this. */
export const WITHOUT_RESPONSES: readonly FakeProvider[] = FAKES.filter((fake) => fake !== responses).map((
  fake,
) => fake.provider === "openai" ? { ...fake, provider: "nebius" } : fake);
