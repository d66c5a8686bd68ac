/** What each client asks each provider, in nobody's terms: what is asked, what is answered, and what the provider must see. */
import type { JsonObject } from "../../../wires/types.ts";
import { type Scenario, TEXT } from "../shared.ts";

/** A question in nobody's form. */
export interface Ask {
  system?: string;
  user: string;
  /** Base64 of a PNG. */
  picture?: string;
  tools?: { name: string; description: string; parameters: JsonObject }[];
  /** The answer must be JSON of this schema. */
  schema?: JsonObject;
  /** The model shall think. */
  thinks?: true;
}

/** One row of the matrix: a conversation. After an answer with calls the client sends their results. */
export interface Row {
  name: string;
  ask: Ask;
  answers: Scenario[];
  /** Texts that the first request must hold, as JSON. */
  marks: string[];
}

const ASK: Ask = { system: "Be brief.", user: "Wie geht's? 🗼" };
const MARKS = ["Be brief.", "Wie geht's? 🗼"];

const tool = (name: string, member: string) => ({
  name,
  description: `Tells ${name}.`,
  parameters: {
    type: "object",
    properties: { [member]: { type: "string" } },
    required: [member],
    additionalProperties: false,
  },
});
const WEATHER = tool("weather", "city"), CLOCK = tool("clock", "zone");

const calling = (calls: NonNullable<Scenario["calls"]>): Scenario => ({
  name: "calls",
  calls,
  finish: "tool_calls",
  usage: TEXT.usage,
});
const NOW = {
  ...tool("now", "x"),
  parameters: { type: "object", properties: {}, additionalProperties: false },
};
const ONE_CALL = calling([{ id: "calla1xyz", name: "weather", args: ['{"city":', '"Zürich"', "}"] }]);
const TWO_CALLS = calling([...ONE_CALL.calls!, {
  id: "callb2xyz",
  name: "clock",
  args: ['{"zone": "', 'CET"}'],
}]);
const THOUGHT: Scenario["thinking"] = ["They ask ", "for the weather."];

const json = { ...TEXT, text: ['{"place": "Zü', 'rich"}'] };
const schema = {
  type: "object",
  properties: { place: { type: "string" } },
  required: ["place"],
  additionalProperties: false,
};
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

/** All rows whose answer is one. */
export const ROWS: readonly Row[] = [
  { name: "text", ask: ASK, answers: [TEXT], marks: MARKS },
  {
    name: "tools",
    ask: { ...ASK, tools: [WEATHER] },
    answers: [{ ...ONE_CALL, signed: true }, TEXT],
    marks: [...MARKS, "Tells weather.", '"city"'],
  },
  {
    name: "parallel tools",
    ask: { ...ASK, tools: [WEATHER, CLOCK] },
    answers: [{ ...TWO_CALLS, signed: true }, TEXT],
    marks: [...MARKS, "Tells weather.", "Tells clock.", '"city"', '"zone"'],
  },
  {
    name: "interleaved tools",
    ask: { ...ASK, tools: [WEATHER, CLOCK] },
    answers: [{ ...TWO_CALLS, signed: true, interleaved: true }, TEXT],
    marks: [],
  },
  {
    name: "tools without arguments",
    ask: { ...ASK, tools: [NOW] },
    answers: [{ ...calling([{ id: "callc3xyz", name: "now", args: [] }]), signed: true }, TEXT],
    marks: ["Tells now."],
  },
  {
    name: "thinking",
    ask: { ...ASK, tools: [WEATHER], thinks: true },
    answers: [{ ...ONE_CALL, thinking: THOUGHT, signed: true }, { ...TEXT, thinking: THOUGHT }],
    marks: MARKS,
  },
  {
    name: "structured output",
    ask: { ...ASK, schema },
    answers: [json],
    marks: [...MARKS, '"place"'],
  },
  { name: "pictures", ask: { ...ASK, picture: PICTURE }, answers: [TEXT], marks: [...MARKS, PICTURE] },
  {
    name: "refusal",
    ask: ASK,
    answers: [{ name: "refusal", refusal: ["I can", "not."], finish: "stop", usage: TEXT.usage }],
    marks: MARKS,
  },
  { name: "filter", ask: ASK, answers: [{ ...TEXT, finish: "content_filter" }], marks: MARKS },
  { name: "length", ask: ASK, answers: [{ ...TEXT, finish: "length" }], marks: MARKS },
];

/** A row by its name. */
export const rowOf = (name: string): Row => ROWS.find((row) => row.name === name)!;
