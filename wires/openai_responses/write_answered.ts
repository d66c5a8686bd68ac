/**
 * OpenAI's Responses, an earlier answer: restores the items that the model wrote from what the client kept.
 *
 * OpenAI's chat form has one text and a list of tool calls. Sealed reasoning travels as sealed thoughts with the ids of
 * its items. Other items, e.g. of a web search, and the layout (`shared/layout.ts`) travel as sealed thoughts too, each
 * a JSON object. Sealed reasoning is base64 and never begins with `{`, so the two cannot be confused.
 *
 * Reasoning must stand before the item to which it led: "Item 'rs_…' of type 'reasoning' was provided without its
 * required following item."
 *
 * @see https://platform.openai.com/docs/guides/reasoning
 */
import { list, parseObject, text } from "../shared/json.ts";
import { arrange, isUsualOrder } from "../shared/layout.ts";
import type { JsonObject, MessageOf, Part, Thought, ToolCall } from "../types.ts";
import { callId, type Notes } from "./notes.ts";

/**
 * The capitals behind a stretch of text in a layout: the phase of its message, or that it only separated two messages.
 */
const PHASES: Readonly<Record<string, string>> = { C: "commentary", F: "final_answer" };
const APART = "S";

/** The capital of a phase; empty for an unknown phase. */
export const phaseMark = (phase: unknown): string =>
  Object.keys(PHASES).find((mark) => PHASES[mark] === phase) ?? "";

/** Separates the texts of two messages that the client gets as one text. */
export const SEPARATOR = { text: "\n\n", token: `x2${APART}` };

/** The phase of a message if the layout does not name one. */
const usualPhase = (hasCalls: boolean): string => hasCalls ? "C" : "F";

/** The layout if it must be sent along; `undefined` if the items come back in their order anyway. */
export function neededLayout(order: string): string | undefined {
  const mark = /x\d+([A-Z]?)/.exec(order)?.[1] ?? "";
  const isUsual = isUsualOrder(order) && (mark === "" || mark === usualPhase(order.includes("u")));
  return isUsual ? undefined : order;
}

/** The content of a sealed thought that is not reasoning; `undefined` for reasoning. */
export const unseal = ({ redacted }: Thought): JsonObject | undefined =>
  redacted?.startsWith("{") ? parseObject(redacted) : undefined;

/**
 * Writes the items of an assistant's message: reasoning, text, tool calls. If the model wrote them in another order and
 * the client kept the layout, they are written in the model's order. Thoughts of other providers are left out and
 * named.
 */
export function writeAnswered(given: MessageOf<"assistant">, notes: Notes): JsonObject[] {
  const kept: JsonObject[] = [];
  let layout: JsonObject = {};
  for (const thought of given.thoughts) {
    const sealed = thought.format === notes.maker ? unseal(thought) : undefined;
    if (typeof sealed?.layout === "string") layout = sealed;
    else if (typeof sealed?.type === "string") kept.push(sealed);
    else if (thought.format !== notes.maker) notes.dropped.push(thought.path);
    // A text alone is a summary; its reasoning is another thought.
    else if (thought.redacted !== undefined) kept.push(writeReasoning(thought));
  }
  const message = { ...given, parts: given.parts.filter((part) => !isTold(part, kept)) };
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
    // The client has edited the message: it is not known any more which reasoning led to which item.
    notes.dropped.push(message.thoughts[0].path);
    return [...writeText(message, notes), ...calls];
  }
  const phase = notes.model?.phases && kept.length > 0 ? PHASES[usualPhase(calls.length > 0)] : undefined;
  return settle([...kept, ...writeText(message, notes, phase), ...calls], notes);
}

/** Whether a part tells in words of a server tool whose own item is sent. A client of Messages returns both. */
const isTold = (part: Part, kept: readonly JsonObject[]): boolean =>
  part.type === "text" && Boolean(part.tells) &&
  kept.some(({ id }) => typeof id === "string" && id.replace(/\W/g, "").slice(0, MOST_ID) === part.tells);

/** As many characters of an id get through Anthropic's Messages. */
const MOST_ID = 48;

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

/** Leaves out reasoning that no item follows, and reasoning that was sent before. */
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

/** The whole text of the parts; `undefined` if one is not text. */
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
  const items: JsonObject[] = [];
  let content: JsonObject[] = [];
  const close = () => {
    if (content.length > 0) items.push(writeMessage(content, phase));
    content = [];
  };
  for (const part of parts) {
    if (part.type === "text") {
      if (part.text !== "") content.push({ type: "output_text", text: part.text });
    } else if (part.type === "refusal") content.push({ type: "refusal", refusal: part.text });
    else if (part.type === "native" && part.value.type === "mcp_call") {
      close();
      items.push(part.value);
    } else dropped.push("mediaPath" in part ? part.mediaPath : part.path);
  }
  close();
  return items;
}

const writeMessage = (content: JsonObject[], phase: string | undefined): JsonObject => ({
  type: "message",
  role: "assistant",
  content,
  ...(phase !== undefined && { phase }),
});
