/** The shared answers as Gemini gives them. */
import type { JsonObject } from "../../../wires/types.ts";
import { type FakeProvider, type Scenario, SIGNATURE } from "./scenarios.ts";

export const gemini: FakeProvider = {
  provider: "google-ai-studio",
  model: "gemini-2.5-flash",
  lacks: ["interleaved calls"],
  pings: [],
  failure: (message) => ({ data: { error: { code: 503, message, status: "UNAVAILABLE" } } }),
  whole(scenario) {
    const { text, thinking, finish, usage } = scenario;
    const parts = [
      ...(thinking ? [{ text: thinking.join(""), thought: true }] : []),
      ...(text ? [{ text: text.join("") }] : []),
      ...geminiCalls(scenario),
    ];
    return geminiChunk(parts, { finishReason: GEMINI_STOP[finish] }, usage);
  },
  stream(scenario) {
    const { text = [], thinking = [], finish, usage } = scenario;
    const parts = [
      ...thinking.map((piece) => ({ text: piece, thought: true })),
      ...text.map((piece) => ({ text: piece })),
      ...geminiCalls(scenario),
    ];
    return parts.map((part, at) => ({
      data: geminiChunk([part], at === parts.length - 1 ? { finishReason: GEMINI_STOP[finish] } : {}, usage),
    }));
  },
};

const GEMINI_STOP = { stop: "STOP", length: "MAX_TOKENS", tool_calls: "STOP", content_filter: "SAFETY" };

const geminiCalls = ({ calls = [], signed }: Scenario) =>
  calls.map(({ id, name, args }, at) => ({
    functionCall: { id, name, args: JSON.parse(args.join("") || "{}") },
    ...(signed && at === 0 && { thoughtSignature: SIGNATURE }),
  }));

const geminiChunk = (parts: JsonObject[], more: JsonObject, usage: Scenario["usage"]) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, ...more }],
  usageMetadata: {
    promptTokenCount: usage.prompt,
    cachedContentTokenCount: usage.cached,
    candidatesTokenCount: usage.completion,
    totalTokenCount: usage.prompt + usage.completion,
  },
  modelVersion: "gemini-2.5-flash",
  responseId: "shared1",
});
