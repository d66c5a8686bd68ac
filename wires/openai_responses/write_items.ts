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
import { closeItem, type Events, inPart, type Open, type OpenOf, place, type Status } from "./open_item.ts";
import {
  addressText,
  annotation,
  begunCall,
  imageItem,
  itemIds,
  offerOf,
  serverItem,
  signatureItem,
  textPart,
  writeLogprobs,
} from "./write_output.ts";
import { isSummary } from "./write_response.ts";

/** A writer of items that also ends the answer. */
export interface Items extends ItemWriter {
  /** Called before the last item is closed, with its status. */
  ending(status: Status): void;
  /** Writes what comes after the last item. */
  rest(signature: string | undefined): string;
}

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

  function runServer(item: JsonObject): string {
    const at = { item_id: item.id, output_index: output.length };
    if (item.type === "mcp_call") {
      return added({ ...item, status: "in_progress", arguments: "", output: null, error: null }) +
        mcpSteps(item, at, send) + done(item);
    }
    const first = added({ ...item, status: "in_progress" });
    const steps = item.type === "code_interpreter_call" ? CODE_STEPS : SEARCH_STEPS;
    return first + steps.map((step) => send(`response.${item.type}.${step}`, at)).join("") + done(item);
  }

  /** Writes a picture. A picture with only a URL becomes text, because the form of pictures holds only bytes. */
  function openImage(media: Media): string {
    if ("data" in media) return whole(imageItem(ids("image", output.length), media));
    const out = openMessage("text");
    // It is not part of the answer's text, in which the offsets of sources count.
    told -= addressText(media).length;
    return out + say(open as OpenOf<"text">, { type: "text", choice: 0, text: addressText(media) }, events);
  }

  function openThought(thought: Thought, told: boolean | undefined): string {
    const at = { id: ids("reasoning", output.length), index: output.length };
    const summary = isSummary(told, call);
    open = { type: "thought", ...at, head: "", thought, summary };
    return added(begunReasoning(at.id));
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
          open = begunTool(first, form, ids, output.length, events);
          // Other kinds have arguments in a form of their own, so they are written when the arguments are complete.
          return isPieced(open.offer) ? added(begunCall(open.id, open.call, open.offer)) : "";
        case "server_tool":
          return runServer(serverItem(ids(first.serverCall.kind, output.length), first.serverCall));
        case "image":
          return openImage(first.media);
      }
    },
    piece(delta) {
      if (delta.type === "thought") return think(delta);
      if (delta.type === "text") return open?.type === "text" ? say(open, delta, events) : "";
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

/** Begins the item of a tool call. */
function begunTool(
  { id: callId, name, signature, custom }: Extract<FirstDelta, { type: "tool" }>,
  form: ReturnType<typeof formOf>,
  ids: ReturnType<typeof itemIds>,
  index: number,
  events: Events,
): OpenOf<"tool"> {
  const offer = offerOf(name, form);
  const toolCall: AnswerCall = { id: callId, name, arguments: "", signature, ...(custom && { custom }) };
  const at = { id: ids(offer.kind, index), index };
  const type = offer.kind === "custom" ? "custom_tool_call_input" : "function_call_arguments";
  const open: OpenOf<"tool"> = {
    type: "tool",
    ...at,
    head: events.head(`response.${type}.delta`, place(at)),
    call: toolCall,
    offer,
  };
  if (offer.kind === "custom" && !custom) open.reader = inputReader();
  return open;
}

/** Whether the arguments of a tool call are written piece by piece. */
const isPieced = ({ kind }: Offer) => kind === "function" || kind === "custom";

function mcpSteps({ arguments: args, status }: JsonObject, at: JsonObject, send: Events["send"]): string {
  return send("response.mcp_call.in_progress", at) +
    send("response.mcp_call_arguments.delta", { ...at, delta: args }) +
    send("response.mcp_call_arguments.done", { ...at, arguments: args }) +
    send(`response.mcp_call.${status}`, at);
}

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

const begunReasoning = (id: string): JsonObject => ({
  id,
  type: "reasoning",
  status: "in_progress",
  summary: [],
  encrypted_content: null,
});

function say(item: OpenOf<"text">, delta: Extract<ItemDelta, { type: "text" }>, events: Events): string {
  item.pieces.push(delta.text);
  if (delta.logprobs === undefined) return events.piece(item.head, delta.text, NO_LOGPROBS);
  const logprobs = writeLogprobs(delta.logprobs);
  item.logprobs.push(...logprobs);
  return events.piece(item.head, delta.text, `,"logprobs":${JSON.stringify(logprobs)}`);
}

function argue(item: OpenOf<"tool">, piece: string, events: Events): string {
  item.call.arguments += piece;
  if (!isPieced(item.offer)) return "";
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
