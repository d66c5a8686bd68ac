import { assertEquals } from "@std/assert";
import { fitOpenAI } from "../../../wires/openai_chat/mod.ts";
import { openaiModel } from "../../../wires/shared/openai_models.ts";

/**
 * What tells the generations apart: the new limit, the efforts (with that of Responses alone), when function tools are taken
 * on chat completions (`elsewhere`: the model is not served there), and whether messages have phases.
 */
function told(id: string): string | undefined {
  const model = openaiModel(id);
  if (!model) return undefined;
  const { newLimit, efforts, effort, functionTools = "always", responsesEffort, responsesOnly, phases } =
    model;
  const words = `${efforts[0] ?? "-"}..${efforts.at(-1) ?? "-"}${
    responsesEffort ? ` +${responsesEffort}` : ""
  }`;
  const tools = responsesOnly ? "elsewhere" : functionTools;
  return `${newLimit ? "new" : "old"} ${words} ${effort} ${tools}${phases ? " phases" : ""}`;
}

const CHAT = "old -..- none always";
const O = "new low..high medium always";
const GPT_5 = "new minimal..high medium always";
const GPT_54 = "new none..xhigh none unset phases";
const GPT_56 = "new none..xhigh +max medium none phases";
const GPT_6 = "new low..xhigh +max medium none phases";
const CODEX = "new low..high medium elsewhere";

Deno.test("openaiModel() finds each generation by model ids, fine-tunes and deployment names", () => {
  const models: [string, string | undefined][] = [
    ["gpt-3.5-turbo", CHAT],
    ["gpt-35-turbo", CHAT],
    ["gpt-4", CHAT],
    ["gpt-4-0613", CHAT],
    ["gpt-4-1106-preview", CHAT],
    ["gpt-41-mini", CHAT],
    ["gpt-4o", CHAT],
    ["gpt-4o-2024-05-13", CHAT],
    ["gpt-4o-audio-preview", CHAT],
    ["ft:gpt-4.1-nano-2025-04-14:acme:gpt-5:x", CHAT],
    ["gpt-5-chat", CHAT],
    ["gpt-5-chat-latest", CHAT],
    ["gpt-5", GPT_5],
    ["GPT-5-Mini", GPT_5],
    ["gpt-5-2025-08-07", GPT_5],
    ["gpt-5-codex", CODEX],
    ["gpt-5-codex-mini", CODEX],
    ["gpt-5.1-codex", CODEX],
    ["gpt-5.1-codex-mini", CODEX],
    ["gpt-5.1-codex-max", "new low..xhigh medium elsewhere"],
    ["gpt-5.2-codex", "new low..xhigh medium elsewhere"],
    ["gpt-5.3-codex", "new low..xhigh medium elsewhere phases"],
    ["gpt-5.3-codex-spark", "new low..xhigh medium elsewhere phases"],
    ["gpt-5-pro-2025-10-06", "new high..high high elsewhere"],
    ["gpt-5.2-pro", "new medium..xhigh medium elsewhere"],
    ["gpt-5.4-pro-2026-03-05", "new medium..xhigh medium elsewhere phases"],
    ["gpt-5.5-pro", "new medium..xhigh medium elsewhere phases"],
    ["gpt-6-pro", "new medium..xhigh medium elsewhere phases"],
    ["gpt-4o-pro", CHAT],
    ["o1-pro", "new low..high medium elsewhere"],
    ["o3-pro-2025-06-10", "new low..high medium elsewhere"],
    ["o3-deep-research", "new medium..medium medium elsewhere"],
    ["o4-mini-deep-research-2025-06-26", "new medium..medium medium elsewhere"],
    ["codex-mini-latest", "new low..high medium elsewhere"],
    ["computer-use-preview", "new -..- medium elsewhere"],
    ["prod-gpt-5-nano-eu", GPT_5],
    ["gpt-5.1", "new none..high none always"],
    ["gpt-51", "new none..high none always"],
    ["gpt-5.1-chat-latest", "new medium..medium medium always"],
    ["gpt-5.2-chat", "new medium..medium medium always"],
    ["gpt-5.2-2025-12-11", "new none..xhigh none always"],
    ["gpt-5.3", "new none..xhigh none always"],
    ["gpt-5.4-mini-2026-03-17", GPT_54],
    ["gpt-5.5-2026-04-23", "new none..xhigh medium unset phases"],
    ["gpt-5.6", GPT_56],
    ["gpt-5.6-sol", GPT_56],
    ["gpt-5.6-luna", GPT_56],
    ["gpt-5.10", GPT_56],
    ["gpt-6-astra", GPT_6],
    ["gpt-6.2-astra", GPT_6],
    ["gpt-6-cyber", GPT_6],
    ["gpt-6-luna", GPT_56],
    ["gpt-6.1-luna", GPT_56],
    ["gpt-6-sol", GPT_56],
    ["gpt-6.1-sol", GPT_6],
    ["gpt-6.2-sol", GPT_6],
    ["gpt-6.1-terra", GPT_56],
    ["gpt-7", GPT_6],
    ["gpt-10", GPT_6],
    ["gpt-10.2-astra", GPT_6],
    ["gpt-10-luna", GPT_56],
    ["gpt-12-mini-2027-01-31", GPT_6],
    ["GPT-29", GPT_6],
    ["gpt-5.10-mini", GPT_56],
    ["gpt-5.12-chat", "new medium..medium medium always"],
    ["gpt-30-turbo", CHAT],
    ["gpt-54-mini", GPT_54],
    ["o1", O],
    ["o1-2024-12-17", O],
    ["o1-mini-2024-09-12", "new -..- medium always"],
    ["o1-preview", "new -..- medium always"],
    ["o3", O],
    ["o3-mini-2025-01-31", O],
    ["ft:o4-mini-2025-04-16:acme::id", O],
    ["O4-mini", O],
    ["o5", O],
    ["o10", O],
    ["o12-mini-2027-01-31", O],
    ["ft:o10-preview:acme::id", O],
    ["gpt-4o-search-preview", CHAT],
    ["gpt-5-search-api", CHAT.replace("old", "new")],
    // There is no such generation.
    ["gpt-oss-120b", undefined],
    ["gpt-audio-mini", undefined],
    ["gpt-image-1", undefined],
    ["mygpt-5", undefined],
    ["gpt-", undefined],
    ["o", undefined],
    ["o0", undefined],
    ["o1x", undefined],
    ["o3.5", undefined],
    ["o100", undefined],
    ["o10.5", undefined],
    ["gpt-100", undefined],
    ["gpt-2026-deployment", undefined],
    ["gpt-5.100", undefined],
    ["gpt-10.2.1", undefined],
    ["foo1", undefined],
    ["text-embedding-3-large", undefined],
    ["davinci-002", undefined],
    ["constructor", undefined],
    ["gpt-5-constructor", GPT_5],
    ["", undefined],
  ];
  for (const [id, expected] of models) assertEquals(told(id), expected, id);
});

Deno.test("fitOpenAI() returns undefined for a request that the model accepts unchanged", () => {
  const body: Record<string, unknown> = { messages: [], temperature: 0.2, max_tokens: 5, stop: "a" };
  for (const id of ["gpt-4o", "o", "llama-3"]) assertEquals(fitOpenAI(id, (field) => body[field]), undefined);
  const plain: Record<string, unknown> = { messages: [], temperature: 1, max_completion_tokens: 5 };
  assertEquals(fitOpenAI("gpt-5", (field) => plain[field]), undefined);
});
