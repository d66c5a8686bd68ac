import { assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import { gemini } from "../../../wires/gemini/mod.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import { geminiModel, modelPath, thinkingFor } from "../../../wires/gemini/models.ts";

/**
 * What each model takes, written from Google's pages and model list (`@google/genai` 3.3.0): how it is told to think;
 * whether it goes on with its own words (p), takes penalties (f), several candidates (n) and sampling (s), media in results
 * (m), instructions (i); what must be signed.
 */
const MODELS: [id: string, thinks: string, takes: string, signed?: string][] = [
  ["gemini-1.5-pro", "", "p n s i"],
  ["gemini-pro", "", "p n s i"],
  ["gemini-pro-vision", "", "p n s i"],
  ["gemini-2.0-flash", "", "p f n s i"],
  ["gemini-2.0-flash-001", "", "p f n s i"],
  ["gemini-2.0-flash-lite", "", "p f n s i"],
  ["gemini-2.0-pro-exp", "", "p f n s i"],
  ["gemini-2.0-flash-preview-image-generation", "", "p s i"],
  ["gemini-2.5-flash", "0-24576", "p n s i"],
  ["gemini-2.5-flash-preview-09-2025", "0-24576", "p n s i"],
  ["gemini-2.5-flash-lite", "0-24576", "p n s i"],
  ["gemini-2.5-pro", "128-32768", "p n s i"],
  ["models/gemini-2.5-pro", "128-32768", "p n s i"],
  ["gemini-2.5-computer-use-preview-10-2025", "0-24576", "p n s i"],
  ["gemini-2.5-flash-image", "", "p s i"],
  ["gemini-2.5-flash-preview-tts", "", "p n s i"],
  ["gemini-3-pro-preview", "LOW HIGH", "p s m i", "calls"],
  ["gemini-3-flash-preview", "MINIMAL LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemini-3.1-pro-preview", "LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemini-3.1-pro-preview-customtools", "LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemini-3.1-flash-lite", "MINIMAL LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemini-3.1-flash-tts-preview", "", "p s m i", "calls"],
  ["gemini-3.5-transcribe", "", "p s m i", "calls"],
  ["gemini-3.5-flash", "MINIMAL LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemini-3.5-flash-lite", "MINIMAL LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-3.6-flash", "MINIMAL LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-3.7-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-3.8-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["GEMINI-3.8-Flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["publishers/google/models/gemini-3.8-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-3.10-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-3.1.2-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-exp-1206", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-4-argon", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-4-carbon", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-4-hydrogen", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-12-pro", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-flash-latest", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-flash-lite-latest", "MINIMAL LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-pro-latest", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-3-pro-image", "LOW HIGH", "p s m i", "parts"],
  ["gemini-3-pro-image-preview", "LOW HIGH", "p s m i", "parts"],
  ["gemini-3.1-flash-image", "MINIMAL HIGH", "p s m i", "parts"],
  ["gemini-3.1-flash-lite-image", "MINIMAL HIGH", "p s m i", "parts"],
  ["gemini-nano-banana-2.1", "MINIMAL HIGH", "p s m i", "parts"],
  ["nano-banana-pro-preview", "LOW HIGH", "p s m i", "parts"],
  ["gemini-omni-1.1-flash", "LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemini-omni-flash-preview", "LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemini-robotics-er-1.5-preview", "0-24576", "p n s i"],
  ["gemini-robotics-er-1.6-preview", "0-24576", "p n s i"],
  ["gemini-robotics-er-2-preview", "MINIMAL LOW MEDIUM HIGH", "p s m i", "calls"],
  ["gemma-2-9b-it", "", "p n s"],
  ["gemma-3-27b-it", "", "p n s"],
  ["gemma-3n-e4b-it", "", "p n s"],
  ["gemma-4-31b-it", "MINIMAL HIGH", "p n s i"],
  ["gemma-4-26b-a4b-it", "MINIMAL HIGH", "p n s i"],
  ["learnlm-2.0-flash-experimental", "", "p n s i"],
  ["tunedModels/my-model", "", "p f n s i"],
  ["tunedModels/gemini-3.8-mine", "", "p f n s i"],
  ["my-gemini-3", "", "p f n s i"],
  // Names that only contain or begin with a known name.
  ["my-gemini-robotics-er-1", "", "p f n s i"],
  ["my-gemini-robotics-er-2", "", "p f n s i"],
  ["my-nano-banana-pro", "", "p f n s i"],
  ["my-nano-banana", "", "p f n s i"],
  ["my-gemini-omni-1", "", "p f n s i"],
  ["my-gemini-flash-lite-latest", "", "p f n s i"],
  ["my-gemini-pro", "", "p f n s i"],
  ["my-gemma-3", "", "p f n s i"],
  ["my-gemma-4", "", "p f n s i"],
  ["my-learnlm-2", "", "p f n s i"],
  ["gemini-pro-next", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-pro-vision-next", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemma-30-it", "MINIMAL HIGH", "p n s i"],
  ["gemma-3x-it", "MINIMAL HIGH", "p n s i"],
  ["gemma-3", "", "p n s"],
  ["gemini-100-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-2.5.1-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["gemini-2.500-flash", "LOW MEDIUM HIGH", "m i", "calls"],
  ["aqa", "", "p f n s i"],
];

Deno.test("geminiModel() knows what each model accepts", () => {
  for (const [id, thinks, takes, signed] of MODELS) {
    const { thinking, prefill, penalties, candidates, sampling, third, system, ...rest } = geminiModel(id);
    const told = !thinking
      ? ""
      : "least" in thinking
      ? `${thinking.least}-${thinking.most}`
      : thinking.join(" ");
    const taken = Object.entries({
      p: prefill,
      f: penalties,
      n: candidates,
      s: sampling,
      m: third,
      i: system,
    })
      .filter(([, is]) => is).map(([letter]) => letter).join(" ");
    assertEquals([told, taken, rest.signed], [thinks, takes, signed], id);
  }
});

Deno.test("thinkingFor() turns each effort into the nearest one that the model accepts", () => {
  const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
  const cases: Record<string, unknown[]> = {
    "gemini-2.5-flash": [0, 1024, 1024, 8192, 24576, 24576, 24576],
    "gemini-2.5-pro": [128, 1024, 1024, 8192, 24576, 32768, 32768],
    "gemini-3-pro-preview": ["LOW", "LOW", "LOW", "LOW", "HIGH", "HIGH", "HIGH"],
    "gemini-3.6-flash": ["MINIMAL", "MINIMAL", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH"],
    "gemini-3.8-flash": ["LOW", "LOW", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH"],
    "gemini-3.1-flash-image": ["MINIMAL", "MINIMAL", "MINIMAL", "HIGH", "HIGH", "HIGH", "HIGH"],
    "gemma-4-31b-it": ["MINIMAL", "MINIMAL", "MINIMAL", "HIGH", "HIGH", "HIGH", "HIGH"],
  };
  for (const [id, wanted] of Object.entries(cases)) {
    efforts.forEach((effort, at) => {
      const thinking = typeof wanted[at] === "number"
        ? { thinkingBudget: wanted[at] }
        : { thinkingLevel: wanted[at] };
      const shown = effort === "none" ? {} : { includeThoughts: true };
      assertEquals(thinkingFor(effort, geminiModel(id)), { ...thinking, ...shown }, `${id} ${effort}`);
    });
  }
  for (const id of ["gemini-2.0-flash", "gemini-2.5-flash-image", "gemma-3-27b-it", "tunedModels/mine"]) {
    assertEquals(thinkingFor("none", geminiModel(id)), {});
    assertEquals(thinkingFor("low", geminiModel(id)), undefined);
  }
  for (
    const { id, effort } of [{ id: "gemini-2.5-pro", effort: "heroic" }, {
      id: "gemini-3.8-flash",
      effort: "",
    }]
  ) {
    assertEquals(thinkingFor(effort, geminiModel(id)), undefined);
  }
});

Deno.test("modelPath() writes Google's own names in lower case, and refuses one that is too long", () => {
  const paths = {
    "gemini-3.8-flash": "models/gemini-3.8-flash",
    "Gemini-3.8-FLASH": "models/gemini-3.8-flash",
    "models/Gemini-3.8-FLASH": "models/gemini-3.8-flash",
    "MODELS/gemma-3-27B-it": "models/gemma-3-27b-it",
    "tunedModels/Gemini-Mine": "tunedModels/Gemini-Mine",
    "My-Gemini-3": "models/My-Gemini-3",
  };
  for (const [id, path] of Object.entries(paths)) assertEquals(modelPath(id), path);
  assertEquals(modelPath("m".repeat(256)).length, 263);
  const error = assertThrows(() => modelPath("m".repeat(257)), GatewayError);
  assertEquals([error.code, error.status, error.message.length < 300], ["invalid_model", 400, true]);
  // It is refused before anything else reads it.
  const call = { messages: [{ role: "user", content: "Hi" }], reasoning_effort: "high" };
  assertThrows(() => gemini.writeCall(readCall(call, "gemini-".repeat(30_000))), GatewayError);
});
