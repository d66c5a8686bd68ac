/** What the models of `demo` say. */
import { GatewayError } from "../../wires/errors.ts";
import type { Call, Delta, JsonObject, Message, Tool, ToolChoice, Usage } from "../../wires/types.ts";
import { exampleOf, head } from "./example.ts";
import { NO_TOKENS } from "../../wires/shared/usage.ts";

const MAX_CHOICES = 128;

/** The most UTF-16 units of all choices together: the answer to a short request must not fill the memory. */
const MAX_ANSWER = 2 ** 26;

const UNITS_PER_TOKEN = 4;

/** The longest text copied into a tool's argument or a structured answer, in UTF-16 units. */
const MAX_ARGUMENT = 64;

/** The most chunks of a stream. A chunk has one token, or more tokens if there would be too many chunks. */
const MAX_CHUNKS = 256;

type CalledTool = Extract<Tool, { type: "function" | "custom" }>;

/** A part of an answer: a thought, a tool call's arguments, or a text. */
interface Said {
  thought?: true;
  tool?: CalledTool;
  text: string;
}

/** The answer to a call. All choices are the same. */
export function answer(call: Call, id: string): Delta[] {
  const choices = [...Array(atLeastOne(call, "n", MAX_CHOICES) ?? 1).keys()];
  const whole = partsOf(call);
  const said = untilLimit(whole, (atLeastOne(call, "max_tokens", Infinity) ?? Infinity) * UNITS_PER_TOKEN);
  const units = said.reduce((sum, { text }) => sum + text.length, 0);
  if (units * choices.length > MAX_ANSWER) {
    throw refusal(`Cannot answer: ${choices.length} choices of ${units} characters are too many`, "n");
  }
  const tokens = said.reduce((sum, { text }) => sum + countTokens(text), 0);
  const tokensEach = Math.ceil(tokens / MAX_CHUNKS);

  const deltas: Delta[] = [{ type: "start" }];
  let index = -1;
  for (const { thought, tool, text } of said) {
    if (tool) index++;
    for (const choice of tool ? choices : []) {
      // The first has the id that it always had.
      const callId = `call_${id.slice(0, 16)}_${choice}${index > 0 ? `_${index}` : ""}`;
      const custom = tool!.type === "custom" ? { custom: true } : {};
      deltas.push({ type: "tool", choice, index, id: callId, name: tool!.name, ...custom });
    }
    for (const piece of pieces(text, tokensEach)) {
      for (const choice of choices) {
        deltas.push(
          thought
            ? { type: "thought", choice, block: 0, text: piece }
            : tool
            ? { type: "args", choice, index, text: piece }
            : { type: "text", choice, text: piece },
        );
      }
    }
  }
  const isCut = said.length < whole.length || said.some(({ text }, at) => text !== whole[at].text);
  for (const choice of choices) deltas.push({ type: "stop", choice, reason: isCut ? "length" : "stop" });
  deltas.push({ type: "usage", usage: usageOf(call, said, choices.length) });
  return deltas;
}

function usageOf(call: Call, said: readonly Said[], choices: number): Usage {
  const input = call.messages.reduce((sum, message) => sum + countTokens(textOf(message)), 0);
  const count = (parts: readonly Said[]) =>
    choices * parts.reduce((sum, { text }) => sum + countTokens(text), 0);
  const of = (isThought: boolean) => count(said.filter(({ thought = false }) => thought === isThought));
  return { ...NO_TOKENS, input, output: of(false), reasoning: of(true) };
}

/** What the model says to a call, without its limit of tokens. */
function partsOf(call: Call): Said[] {
  const tools = calledTools(call);
  if (tools.length > 0) return tools.map((tool) => ({ tool, text: argumentsOf(tool, call) }));
  const text = untilStop(plainAnswer(call), call.settings.stop ?? []);
  if (call.model !== "think") return [{ text }];
  return [{ thought: true, text: `I was asked: ${head(spoken(call.messages), MAX_ARGUMENT)}` }, { text }];
}

/** The parts up to a number of UTF-16 units. */
function untilLimit(parts: readonly Said[], units: number): Said[] {
  const said: Said[] = [];
  let left = units;
  for (const part of parts) {
    if (left <= 0) break;
    const text = head(part.text, left);
    said.push({ ...part, text });
    if (text.length < part.text.length) break;
    left -= text.length;
  }
  return said;
}

function argumentsOf(tool: CalledTool, call: Call): string {
  if (tool.type === "custom") return head(spoken(call.messages), MAX_ARGUMENT);
  return writeJson(tool.parameters ?? { type: "object" }, call, tool.path);
}

function atLeastOne(call: Call, name: "max_tokens" | "n", most: number): number | undefined {
  const value = call.settings[name];
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) return value;
  const param = call.sent.get(name);
  const range = most === Infinity ? "of at least 1" : `from 1 to ${most}`;
  throw refusal(`Cannot answer: ${param} must be an integer ${range}, but is ${value}`, param);
}

/** The tools that an answer calls: the function that `tool_choice` forces, or for the model `tools` all that it has not called yet. */
function calledTools(call: Call): CalledTool[] {
  const { settings, messages } = call;
  const choice = settings.tool_choice ?? "auto";
  if (choice === "none") return [];
  if (typeof choice === "object" || choice === "required" && call.model !== "tools") {
    const tool = forcedTool(call, choice);
    return messages.at(-1)!.role === "tool" ? [] : [tool];
  }
  if (call.model !== "tools") return [];
  const asked = messages.slice(messages.findLastIndex(({ role }) => role === "user") + 1);
  const called = asked.flatMap((message) =>
    message.role === "assistant" ? message.calls.map(({ name }) => name) : []
  );
  const open = (settings.tools ?? []).filter((tool): tool is CalledTool =>
    (tool.type === "function" || tool.type === "custom") && !called.includes(tool.name) &&
    (settings.allowed_tools?.includes(tool.name) ?? true)
  );
  return settings.parallel_tool_calls === false ? open.slice(0, 1) : open;
}

function forcedTool({ settings, sent }: Call, choice: ToolChoice): CalledTool {
  const functions = (settings.tools ?? []).filter((tool) => tool.type === "function");
  const tool = typeof choice === "object" ? functions.find(({ name }) => name === choice.name) : functions[0];
  if (tool) return tool;
  const wanted = typeof choice === "object" ? `the tool ${JSON.stringify(choice.name)}` : "a tool";
  throw refusal(`Cannot call ${wanted}: tools has no such function`, sent.get("tool_choice"));
}

function plainAnswer(call: Call): string {
  const format = call.settings.response_format;
  if (format?.type === "json_schema") {
    return writeJson(format.schema, call, "response_format");
  }
  const text = spoken(call.messages);
  return format ? JSON.stringify({ echo: text }) : text;
}

/** JSON that the schema accepts, its texts taken from the conversation. */
function writeJson(schema: JsonObject, call: Call, param: string): string {
  const value = exampleOf(schema, head(spoken(call.messages), MAX_ARGUMENT));
  if (value !== undefined) return JSON.stringify(value);
  throw refusal(`Cannot write JSON for the schema in ${param}: demo found no value that it accepts`, param);
}

/** The text to echo: the tool results at the end of the conversation, else the last user message, else the last message. */
function spoken(messages: Message[]): string {
  const results = messages.slice(messages.findLastIndex((message) => message.role !== "tool") + 1);
  if (results.length > 0) return results.map(textOf).join("\n");
  return textOf(messages.findLast((message) => message.role === "user") ?? messages.at(-1)!);
}

/** A message's text; other parts show as their type, e.g. `[image]`. */
function textOf(message: Message): string {
  return message.parts.map((part) => "text" in part ? part.text : `[${part.type}]`).join("\n");
}

function untilStop(text: string, stops: string[]): string {
  const ends = stops.map((stop) => stop === "" ? -1 : text.indexOf(stop)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

const countTokens = (text: string) => Math.ceil(text.length / UNITS_PER_TOKEN);

/** The text in pieces of `tokensEach` tokens. No character is cut. */
function* pieces(text: string, tokensEach: number): Generator<string> {
  const most = UNITS_PER_TOKEN * tokensEach;
  for (let at = 0, piece = ""; at < text.length; at += piece.length) {
    // One more unit, so that `head` can see whether the cut is inside a character.
    yield piece = head(text.slice(at, at + most + 1), most);
  }
}

export function refusal(message: string, param?: string): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}
