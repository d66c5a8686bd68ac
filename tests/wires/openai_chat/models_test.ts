import { assertEquals } from "@std/assert";
import { fitOpenAI, openaiModel } from "../../../wires/openai_chat/models.ts";

/** What tells the generations apart: the new limit, the efforts, and when function tools are taken. */
function told(id: string): string | undefined {
  const model = openaiModel(id);
  if (!model) return undefined;
  const { newLimit, efforts, effort, functionTools = "always" } = model;
  return `${newLimit ? "new" : "old"} ${efforts[0] ?? "-"}..${
    efforts.at(-1) ?? "-"
  } ${effort} ${functionTools}`;
}

const CHAT = "old -..- none always";
const O = "new low..high medium always";
const GPT_5 = "new minimal..high medium always";
const GPT_54 = "new none..xhigh none unset";
const GPT_56 = "new none..xhigh medium none";
const GPT_6 = "new low..xhigh medium none";

Deno.test("openaiModel() knows each generation by its ids, its fine-tunes and deployments named after it", () => {
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
    ["gpt-5-codex", GPT_5],
    ["prod-gpt-5-nano-eu", GPT_5],
    ["gpt-5.1", "new none..high none always"],
    ["gpt-51", "new none..high none always"],
    ["gpt-5.1-chat-latest", "new medium..medium medium always"],
    ["gpt-5.2-chat", "new medium..medium medium always"],
    ["gpt-5.2-2025-12-11", "new none..xhigh none always"],
    ["gpt-5.3", "new none..xhigh none always"],
    ["gpt-5.4-mini-2026-03-17", GPT_54],
    ["gpt-5.5-2026-04-23", "new none..xhigh medium unset"],
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
    // No such generation.
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

Deno.test("fitOpenAI() has nothing to say of a request that a model takes as it is", () => {
  const body: Record<string, unknown> = { messages: [], temperature: 0.2, max_tokens: 5, stop: "a" };
  for (const id of ["gpt-4o", "o", "llama-3"]) assertEquals(fitOpenAI(id, (field) => body[field]), undefined);
  const plain: Record<string, unknown> = { messages: [], temperature: 1, max_completion_tokens: 5 };
  assertEquals(fitOpenAI("gpt-5", (field) => plain[field]), undefined);
});
