import { assert, assertEquals } from "@std/assert";
import { likelyProvider, nearestNames } from "../../providers/nearest_names.ts";

const NAMES = ["anthropic", "groq", "grok", "mistral", "openai", "openrouter", "perplexity", "perplexity-ai"];

Deno.test("nearestNames() finds the name behind a misspelt one, and no distant name", () => {
  assertEquals(nearestNames("opneai", NAMES)[0], "openai");
  assertEquals(nearestNames("Groq", NAMES)[0], "groq");
  assertEquals(nearestNames("mistrall", NAMES), ["mistral"]);
  assert(nearestNames("perplex", NAMES).includes("perplexity"));
  assertEquals(nearestNames("zzzzzzzz", NAMES), []);
  assertEquals(nearestNames("", NAMES), []);
  assertEquals(nearestNames("x".repeat(100_000), NAMES), []);
});

Deno.test("nearestNames() returns the nearest names first, and names of equal distance in order", () => {
  assertEquals(nearestNames("grop", ["grok", "groq", "grow"]), ["grok", "groq", "grow"]);
  assertEquals(nearestNames("grop", ["grow", "groq", "grok"], 2), ["grok", "groq"]);
  assertEquals(nearestNames("groqq", ["grok", "groq"]), ["groq"]);
  // Two swapped neighbours are one mistake, as one wrong letter is.
  assertEquals(nearestNames("gork", ["grok"]), ["grok"]);
});

Deno.test("likelyProvider() knows models by the beginnings of their names, in any letter case", () => {
  const makers: Record<string, string> = {
    openai: "chatgpt-4o codex-x ft:gpt-4o gpt-6-luna o1 o3-mini o9",
    anthropic: "claude-x fable-5 haiku-5 mythos-5 opus-5 sonnet-5",
    "google-ai-studio": "gemini-x gemma-4 models/gemini-x",
    grok: "grok-4",
    deepseek: "deepseek-chat",
    mistral: "codestral-x devstral-x magistral-x ministral-x mistral-x mixtral-x pixtral-x",
    cohere: "c4ai-aya command-a",
    perplexity: "sonar-pro",
    groq: "llama-3 openai/gpt-oss-120b",
    alibaba: "qwen-max qwq-32b",
    moonshot: "kimi-k2",
    zai: "glm-4",
    minimax: "minimax-m1",
    demo: "echo",
  };
  for (const [provider, models] of Object.entries(makers)) {
    for (const model of models.split(" ")) {
      assertEquals([model, model.toUpperCase()].map(likelyProvider), [provider, provider], model);
      assertEquals(likelyProvider(`x-${model}`), undefined, `x-${model}`);
    }
  }
});
