import { assert, assertEquals } from "@std/assert";
import { nearestNames } from "../../providers/nearest_names.ts";

const NAMES = ["anthropic", "groq", "grok", "mistral", "openai", "openrouter", "perplexity", "perplexity-ai"];

Deno.test("nearestNames() finds what a slip of the finger hides, and nothing far away", () => {
  assertEquals(nearestNames("opneai", NAMES)[0], "openai");
  assertEquals(nearestNames("Groq", NAMES)[0], "groq");
  assertEquals(nearestNames("mistrall", NAMES), ["mistral"]);
  assert(nearestNames("perplex", NAMES).includes("perplexity"));
  assertEquals(nearestNames("zzzzzzzz", NAMES), []);
  assertEquals(nearestNames("", NAMES), []);
  assertEquals(nearestNames("x".repeat(100_000), NAMES), []);
});

Deno.test("nearestNames() gives the nearest first, and names of one distance in their order", () => {
  assertEquals(nearestNames("grop", ["grok", "groq", "grow"]), ["grok", "groq", "grow"]);
  assertEquals(nearestNames("grop", ["grow", "groq", "grok"], 2), ["grok", "groq"]);
  assertEquals(nearestNames("groqq", ["grok", "groq"]), ["groq"]);
});
