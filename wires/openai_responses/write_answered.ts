/**
 * OpenAI's Responses, an earlier answer: what a client has kept of it, back into the items that the model wrote.
 *
 * OpenAI's chat form has one text and a list of calls. Sealed reasoning travels as sealed thoughts with the ids of its items;
 * other items, as of a web search, and the layout (`shared/layout.ts`) travel as sealed thoughts too, each a JSON object.
 * Sealed reasoning is base64 and never begins with `{`.
 *
 * Reasoning must stand before the item that it led to: "Item 'rs_…' of type 'reasoning' was provided without its required
 * following item."
 *
 * @see https://platform.openai.com/docs/guides/reasoning
 */
import { list, parseObject, text } from "../shared/json.ts";
import { arrange, isUsualOrder } from "../shared/layout.ts";
import type { JsonObject, MessageOf, Part, Thought, ToolCall } from "../types.ts";
import { callId, type Notes } from "./notes.ts";

/** Capitals behind a stretch of text in a layout: the phase of its message, or what only kept two messages apart. */
const PHASES: Readonly<Record<string, string>> = { C: "commentary", F: "final_answer" };
const APART = "S";

/** The capital of a phase, if it is known. */
export const phaseMark = (phase: unknown): string =>
  Object.keys(PHASES).find((mark) => PHASES[mark] === phase) ?? "";

/** What stands between the texts of two messages, as clients have them in one. */
export const SEPARATOR = { text: "\n\n", token: `x2${APART}` };

/** The phase of a message where its answer says nothing else. */
const usualPhase = (hasCalls: boolean): string => hasCalls ? "C" : "F";

/** The layout that must travel; nothing where the items come back by themselves as they were. */
export function neededLayout(order: string): string | undefined {
  const mark = /x\d+([A-Z]?)/.exec(order)?.[1] ?? "";
  const isUsual = isUsualOrder(order) && (mark === "" || mark === usualPhase(order.includes("u")));
  return isUsual ? undefined : order;
}

/** What a sealed thought of this maker holds, if it is no reasoning. */
const unseal = ({ redacted }: Thought): JsonObject | undefined =>
  redacted?.startsWith("{") ? parseObject(redacted) : undefined;

/**
 * The items of an assistant's message: reasoning, text, calls; or in the order in which the model wrote them, where it wrote
 * them in another and the client kept what we said of it. Thoughts of other makers are left out and named.
 */
export function writeAnswered(message: MessageOf<"assistant">, notes: Notes): JsonObject[] {
  const kept: JsonObject[] = [];
  let layout: JsonObject = {};
  for (const thought of message.thoughts) {
    const sealed = thought.format === notes.maker ? unseal(thought) : undefined;
    if (typeof sealed?.layout === "string") layout = sealed;
    else if (typeof sealed?.type === "string") kept.push(sealed);
    else if (thought.format !== notes.maker) notes.dropped.push(thought.path);
    // A text alone is a summary, whose reasoning stands beside it.
    else if (thought.redacted !== undefined) kept.push(writeReasoning(thought));
  }
  const calls = message.calls.map(writeToolCall);
  const order = text(layout.layout);
  const whole = wholeText(message.parts);
  if (order !== undefined) {
    const [lead, tail] = list(layout.ends);
    const ends: [string, string] = [text(lead) ?? "", text(tail) ?? ""];
    const items = whole === undefined
      ? undefined
      : arrange(order, { kept, calls, whole, ends, text: writeStretch });
    if (items) return settle(items, notes);
    // An edited message: what led where is not known any more.
    notes.dropped.push(message.thoughts[0].path);
    return [...writeText(message, notes), ...calls];
  }
  const phase = notes.model?.phases && kept.length > 0 ? PHASES[usualPhase(calls.length > 0)] : undefined;
  return settle([...kept, ...writeText(message, notes, phase), ...calls], notes);
}

const writeReasoning = ({ id, redacted }: Thought): JsonObject => ({
  type: "reasoning",
  ...(id !== undefined && { id }),
  summary: [],
  encrypted_content: redacted,
});

function writeToolCall({ id, name, arguments: input, custom }: ToolCall): JsonObject {
  const call = { call_id: callId(id), name };
  return custom
    ? { type: "custom_tool_call", ...call, input }
    : { type: "function_call", ...call, arguments: input || "{}" };
}

/** Leaves out reasoning that leads to nothing, and what was sent before. */
function settle(items: JsonObject[], { thoughts }: Notes): JsonObject[] {
  let last = items.length;
  while (last > 0 && items[last - 1].type === "reasoning") last--;
  return items.slice(0, last).filter(({ type, id }) => {
    if (type !== "reasoning" || typeof id !== "string") return true;
    if (thoughts.has(id)) return false;
    thoughts.add(id);
    return true;
  });
}

// ---------------------------------------------------------------- text

/** The text, if there is nothing else. */
function wholeText(parts: Part[]): string | undefined {
  let whole = "";
  for (const part of parts) {
    if (part.type !== "text") return undefined;
    whole += part.text;
  }
  return whole;
}

function writeStretch(whole: string, start: number, end: number, mark: string): JsonObject[] {
  if (mark === APART) return [];
  return [writeMessage([{ type: "output_text", text: whole.slice(start, end) }], PHASES[mark])];
}

function writeText({ parts }: MessageOf<"assistant">, { dropped }: Notes, phase?: string): JsonObject[] {
  const content: JsonObject[] = [];
  for (const part of parts) {
    if (part.type === "text") {
      if (part.text !== "") content.push({ type: "output_text", text: part.text });
    } else if (part.type === "refusal") content.push({ type: "refusal", refusal: part.text });
    else dropped.push("mediaPath" in part ? part.mediaPath : part.path);
  }
  return content.length > 0 ? [writeMessage(content, phase)] : [];
}

const writeMessage = (content: JsonObject[], phase: string | undefined): JsonObject => ({
  type: "message",
  role: "assistant",
  content,
  ...(phase !== undefined && { phase }),
});
