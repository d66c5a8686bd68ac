/**
 * OpenAI's Responses, the client's half: writes the items of a stream, each from `output_item.added` to
 * `output_item.done`.
 *
 * Each item has one id in all its events and in the response that ends the stream: Codex acts on `output_item.done`,
 * OpenAI's SDK on every event, and `@openai/agents` only on the `output` of the last response.
 */
import { addThought } from "../streams/collect.ts";
import type { FirstDelta, ItemDelta, ItemWriter } from "../streams/items.ts";
import { inputReader } from "../shared/tools.ts";
import type { AnswerCall, Call, Citation, Defaults, JsonObject, Media, Thought } from "../types.ts";
import { formOf, type Offer } from "./form.ts";
import {
  addressText,
  annotation,
  begunCall,
  callItem,
  imageItem,
  itemIds,
  messageItem,
  offerOf,
  reasoningItem,
  serverItem,
  signatureItem,
  textPart,
  writeLogprobs,
} from "./write_output.ts";
import { isSummary } from "./write_response.ts";

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

/** A writer of items that also ends the answer. */
export interface Items extends ItemWriter {
  /** Called before the last item is closed, with its status. */
  ending(status: Status): void;
  /** Writes what comes after the last item. */
  rest(signature: string | undefined): string;
}

type Status = "completed" | "incomplete";

/** The open item. `head` is the start of the events of its pieces. */
type Open =
  & { id: string; index: number; head: string }
  & (
    | { type: "text"; pieces: string[]; citations: Citation[]; base: number; logprobs: unknown[] }
    | { type: "refusal"; pieces: string[] }
    | { type: "thought"; thought: Thought; summary: boolean }
    | { type: "tool"; call: AnswerCall; offer: Offer; reader?: ReturnType<typeof inputReader> }
  );

type OpenOf<Type extends Open["type"]> = Extract<Open, { type: Type }>;

const place = ({ id, index }: { id: string; index: number }) => ({ item_id: id, output_index: index });
const inPart = (item: { id: string; index: number }) => ({ ...place(item), content_index: 0 });

/**
 * Makes a writer of items.
 *
 * @param output Takes each item when it is done.
 */
export function outputItems(call: Call, defaults: Defaults, output: JsonObject[], events: Events): Items {
  const { send } = events;
  const form = formOf(call);
  const ids = itemIds(defaults.id);
  let open: Open | undefined;
  let status: Status = "completed";
  /** The UTF-16 units of text in earlier items. */
  let told = 0;
  /** A thought without content so far. A thought that never gets content is not written. */
  let silent: Thought | undefined;

  const added = (item: JsonObject) =>
    send("response.output_item.added", { output_index: output.length, item });

  function done(item: JsonObject): string {
    output.push(item);
    open = undefined;
    return send("response.output_item.done", { output_index: output.length - 1, item });
  }

  const whole = (item: JsonObject, between = "") => {
    const first = added({ ...item, status: "in_progress" });
    return first + between + done(item);
  };

  function openMessage(type: "text" | "refusal"): string {
    const at = { id: ids("message", output.length), index: output.length };
    const head = events.head(`response.${type === "text" ? "output_text" : type}.delta`, inPart(at));
    open = type === "text"
      ? { type, ...at, head, pieces: [], citations: [], base: told, logprobs: [] }
      : { type, ...at, head, pieces: [] };
    const part = type === "text" ? textPart("", [], 0) : { type: "refusal", refusal: "" };
    return added({ id: at.id, type: "message", status: "in_progress", role: "assistant", content: [] }) +
      send("response.content_part.added", { ...inPart(at), part });
  }

  function openCall({ id: callId, name, signature, custom }: Extract<FirstDelta, { type: "tool" }>): string {
    const offer = offerOf(name, form);
    const toolCall: AnswerCall = { id: callId, name, arguments: "", signature, ...(custom && { custom }) };
    const at = { id: ids(offer.kind, output.length), index: output.length };
    const type = offer.kind === "custom" ? "custom_tool_call_input" : "function_call_arguments";
    open = {
      type: "tool",
      ...at,
      head: events.head(`response.${type}.delta`, place(at)),
      call: toolCall,
      offer,
    };
    if (offer.kind === "custom" && !custom) open.reader = inputReader();
    // Other kinds have arguments in a form of their own, so they are written when the arguments are complete.
    return offer.kind === "function" || offer.kind === "custom"
      ? added(begunCall(at.id, toolCall, offer))
      : "";
  }

  function openServer({ serverCall }: Extract<FirstDelta, { type: "server_tool" }>): string {
    const item = serverItem(ids(serverCall.kind, output.length), serverCall);
    const at = { item_id: item.id, output_index: output.length };
    if (item.type === "mcp_call") return runServer(item, at);
    const first = added({ ...item, status: "in_progress" });
    const steps = item.type === "code_interpreter_call" ? CODE_STEPS : SEARCH_STEPS;
    return first + steps.map((step) => send(`response.${item.type}.${step}`, at)).join("") + done(item);
  }

  function runServer(item: JsonObject, at: JsonObject): string {
    const begun = { ...item, status: "in_progress", arguments: "", output: null, error: null };
    const { arguments: args, status } = item;
    return added(begun) + send("response.mcp_call.in_progress", at) +
      send("response.mcp_call_arguments.delta", { ...at, delta: args }) +
      send("response.mcp_call_arguments.done", { ...at, arguments: args }) +
      send(`response.mcp_call.${status}`, at) + done(item);
  }

  /** Writes a picture. A picture with only a URL becomes text, because the form of pictures holds only bytes. */
  function openImage(media: Media): string {
    if ("data" in media) return whole(imageItem(ids("image", output.length), media));
    const out = openMessage("text");
    // It is not part of the answer's text, in which the offsets of sources count.
    told -= addressText(media).length;
    return out + say(open as OpenOf<"text">, { type: "text", choice: 0, text: addressText(media) });
  }

  function openThought(thought: Thought, told: boolean | undefined): string {
    const at = { id: ids("reasoning", output.length), index: output.length };
    const summary = isSummary(told, call);
    open = { type: "thought", ...at, head: "", thought, summary };
    return added({
      id: at.id,
      type: "reasoning",
      status: "in_progress",
      summary: [],
      encrypted_content: null,
    });
  }

  function think(delta: Extract<ItemDelta, { type: "thought" }>): string {
    let out = "";
    if (silent) {
      addThought(silent, delta);
      if (!silent.text && !silent.signature && !silent.redacted) return "";
      out = openThought(silent, delta.summary);
      silent = undefined;
    } else if (open?.type === "thought") addThought(open.thought, delta);
    if (open?.type !== "thought" || !delta.text) return out;
    if (open.head === "") out += beginThought(open, events);
    return out + events.piece(open.head, delta.text);
  }

  function say(item: OpenOf<"text">, delta: Extract<ItemDelta, { type: "text" }>): string {
    item.pieces.push(delta.text);
    if (delta.logprobs === undefined) return events.piece(item.head, delta.text, NO_LOGPROBS);
    const logprobs = writeLogprobs(delta.logprobs);
    item.logprobs.push(...logprobs);
    return events.piece(item.head, delta.text, `,"logprobs":${JSON.stringify(logprobs)}`);
  }

  return {
    ending(as) {
      status = as;
    },
    rest: (signature) =>
      signature === undefined ? "" : whole(signatureItem(ids("reasoning", output.length), signature)),
    open(first) {
      switch (first.type) {
        case "text":
        case "citation":
          return openMessage("text");
        case "refusal":
          return openMessage("refusal");
        case "thought":
          silent = {};
          return "";
        case "tool":
          return openCall(first);
        case "server_tool":
          return openServer(first);
        case "image":
          return openImage(first.media);
      }
    },
    piece(delta) {
      if (delta.type === "thought") return think(delta);
      if (delta.type === "text") return open?.type === "text" ? say(open, delta) : "";
      if (delta.type === "args") return open?.type === "tool" ? argue(open, delta.text, events) : "";
      if (delta.type === "citation") return open?.type === "text" ? cite(open, delta.citation, events) : "";
      if (open?.type !== "refusal") return "";
      open.pieces.push(delta.text);
      return events.piece(open.head, delta.text);
    },
    close() {
      silent = undefined;
      if (!open) return "";
      if (open.type === "text") told += open.pieces.reduce((sum, piece) => sum + piece.length, 0);
      const { out, item, late } = closeItem(open, status, events);
      return (late ? added(late) : "") + out() + done(item);
    },
  };
}

const CODE_STEPS = ["in_progress", "interpreting", "completed"],
  SEARCH_STEPS = ["in_progress", "searching", "completed"];
const NO_LOGPROBS = ',"logprobs":[]';

/** Opens the part that holds reasoning: of the summary, or of the content. */
function beginThought(item: OpenOf<"thought">, { send, head }: Events): string {
  if (item.summary) {
    const at = { ...place(item), summary_index: 0 };
    item.head = head("response.reasoning_summary_text.delta", at);
    return send("response.reasoning_summary_part.added", { ...at, part: { type: "summary_text", text: "" } });
  }
  item.head = head("response.reasoning_text.delta", inPart(item));
  return send("response.content_part.added", { ...inPart(item), part: { type: "reasoning_text", text: "" } });
}

function argue(item: OpenOf<"tool">, piece: string, events: Events): string {
  item.call.arguments += piece;
  const { kind } = item.offer;
  if (kind !== "function" && kind !== "custom") return "";
  const said = item.reader ? item.reader.push(piece) : piece;
  return said === "" ? "" : events.piece(item.head, said);
}

function cite(item: OpenOf<"text">, citation: Citation, { send }: Events): string {
  const annotation_index = item.citations.push(citation) - 1;
  const note = annotation(citation, item.base);
  return send("response.output_text.annotation.added", {
    ...inPart(item),
    annotation_index,
    annotation: note,
  });
}

/** The closing of an item. */
interface Closed {
  item: JsonObject;
  /** Writes the events before the item's `done`. */
  out: () => string;
  /** The item to add first, if it could not be added before it was complete. */
  late?: JsonObject;
}

function closeItem(item: Open, status: Status, events: Events): Closed {
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
