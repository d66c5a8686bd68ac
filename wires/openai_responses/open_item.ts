/** OpenAI's Responses, the client's half: an open item of a stream, and the events that close it. */
import type { inputReader } from "../shared/tools.ts";
import type { AnswerCall, Citation, JsonObject, Thought } from "../types.ts";
import type { Offer } from "./form.ts";
import { callItem, messageItem, reasoningItem, textPart } from "./write_output.ts";

/** A writer of one stream's events. */
export interface Events {
  send(type: string, members: JsonObject): string;
  /** The constant start of the events of an item's pieces, up to their `delta`. */
  head(type: string, members: JsonObject): string;
  /**
   * Writes one piece.
   *
   * @param more Members after the text, each with a comma before it.
   */
  piece(head: string, text: string, more?: string): string;
}

export type Status = "completed" | "incomplete";

/** The open item. `head` is the start of the events of its pieces. */
export type Open =
  & { id: string; index: number; head: string }
  & (
    | { type: "text"; pieces: string[]; citations: Citation[]; base: number; logprobs: unknown[] }
    | { type: "refusal"; pieces: string[] }
    | { type: "thought"; thought: Thought; summary: boolean }
    | { type: "tool"; call: AnswerCall; offer: Offer; reader?: ReturnType<typeof inputReader> }
  );

export type OpenOf<Type extends Open["type"]> = Extract<Open, { type: Type }>;

export const place = ({ id, index }: { id: string; index: number }) => ({ item_id: id, output_index: index });
export const inPart = (item: { id: string; index: number }) => ({ ...place(item), content_index: 0 });

/** The closing of an item. */
interface Closed {
  item: JsonObject;
  /** Writes the events before the item's `done`. */
  out: () => string;
  /** The item to add first, if it could not be added before it was complete. */
  late?: JsonObject;
}

export function closeItem(item: Open, status: Status, events: Events): Closed {
  switch (item.type) {
    case "tool":
      return closeCall(item, status, events);
    case "thought":
      return closeThought(item, status, events);
    default:
      return closeMessage(item, status, events);
  }
}

function closeMessage(item: OpenOf<"text" | "refusal">, status: Status, { send }: Events): Closed {
  const said = item.pieces.join("");
  const at = inPart(item);
  const part = item.type === "text"
    ? textPart(said, item.citations, item.base, item.logprobs)
    : { type: "refusal", refusal: said };
  return {
    item: messageItem(item.id, part, status),
    out: () =>
      (item.type === "text"
        ? send("response.output_text.done", { ...at, text: said, logprobs: item.logprobs })
        : send("response.refusal.done", { ...at, refusal: said })) +
      send("response.content_part.done", { ...at, part }),
  };
}

function closeThought(item: OpenOf<"thought">, status: Status, { send }: Events): Closed {
  const { id, thought, summary, head } = item;
  const said = thought.text ?? "";
  const isTold = head !== "";
  return {
    item: reasoningItem(id, thought, summary, status),
    out() {
      if (!isTold) return "";
      if (summary) {
        const at = { ...place(item), summary_index: 0 };
        return send("response.reasoning_summary_text.done", { ...at, text: said }) +
          send("response.reasoning_summary_part.done", { ...at, part: { type: "summary_text", text: said } });
      }
      return send("response.reasoning_text.done", { ...inPart(item), text: said }) +
        send("response.content_part.done", { ...inPart(item), part: { type: "reasoning_text", text: said } });
    },
  };
}

function closeCall(
  { id, index, head, call, offer, reader }: OpenOf<"tool">,
  status: Status,
  events: Events,
): Closed {
  const at = place({ id, index });
  const item = callItem(id, call, offer, status);
  if (offer.kind === "function") {
    const { name, arguments: whole } = item;
    return {
      item,
      // If the model wrote no arguments, `{}` is the only piece.
      out: () =>
        (call.arguments === "" ? events.piece(head, `${whole}`) : "") +
        events.send("response.function_call_arguments.done", { ...at, name, arguments: whole }),
    };
  }
  if (offer.kind !== "custom") return { item, out: () => "", late: { ...item, status: "in_progress" } };
  const rest = reader?.end() ?? "";
  return {
    item,
    out: () =>
      (rest === "" ? "" : events.piece(head, rest)) +
      events.send("response.custom_tool_call_input.done", { ...at, input: item.input }),
  };
}
