/** One agent run in each native API's own form: two parallel calls, one more, and an answer. */

export const CLAUDE = [
  [
    { type: "thinking", thinking: "Two tools will do.", signature: "c2lnLW9uZQ==" },
    { type: "redacted_thinking", data: "c2VhbGVk" },
    { type: "text", text: "I look it up. 🔎" },
    { type: "tool_use", id: "toolu_01", name: "weather", input: { city: "Zürich" } },
    { type: "tool_use", id: "toolu_02", name: "clock", input: {} },
  ],
  [
    { type: "thinking", thinking: "Once more.", signature: "c2lnLXR3bw==" },
    { type: "text", text: "Let me check." },
    { type: "thinking", thinking: "Really.", signature: "c2lnLXRocmVl" },
    { type: "tool_use", id: "toolu_03", name: "clock", input: { city: "Bern" } },
  ],
  [{ type: "thinking", thinking: "Done.", signature: "c2lnLWZvdXI=" }, {
    type: "text",
    text: "Sunny, and noon.",
  }],
];

export const GEMINI = [
  [
    { text: "Two tools will do.", thought: true },
    { functionCall: { name: "weather", args: { city: "Zürich" } }, thoughtSignature: "AbC+/d==" },
    { functionCall: { name: "clock", args: {} } },
  ],
  [
    { text: "Let me check." },
    { functionCall: { id: "fc-9", name: "clock", args: { city: "Bern" } }, thoughtSignature: "EfG/+h==" },
  ],
  [{ text: "Sunny, and noon." }, { text: "", thoughtSignature: "SwK=" }],
];

export const COMMAND = [
  {
    thinking: "Two tools will do.",
    calls: [
      { id: "weather_0", name: "weather", args: { city: "Zürich" } },
      { id: "clock_1", name: "clock", args: {} },
    ],
  },
  { thinking: "Once more.", calls: [{ id: "clock_2", name: "clock", args: { city: "Bern" } }] },
  { thinking: "Done.", text: "Sunny, and noon." },
];
