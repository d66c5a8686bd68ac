/** Streams of OpenAI's Responses as OpenAI sends them, and the rules about the order of their events. */
import { assert, assertEquals } from "@std/assert";
import type { Json } from "./lab.ts";

/** One item of an answer, before it has an id. */
export type Piece =
  | { think: string; summary?: string[] }
  | { text: string[]; phase?: "commentary" | "final_answer"; url?: string }
  | { refusal: string[] }
  | { call: string; id: string; args: string[] }
  | { custom: string; id: string; input: string[] }
  | { search: string }
  /** A call of a server's tool. */
  | { served: string; server: string; args: string; output: string };

/** The sources of a text. */
export const notes = ({ url }: { url?: string }): Json[] =>
  url ? [{ type: "url_citation", url, title: "Title", start_index: 1, end_index: 3 }] : [];

/** The events of a response, in the order and with the members that OpenAI sends. */
export function streamOf(pieces: Piece[], response: Json): Json[] {
  const out: Json[] = [];
  const send = (type: string, members: Json) => out.push({ type, ...members, sequence_number: out.length });
  const begun = { ...response, status: "in_progress", output: [], usage: null, service_tier: "auto" };
  send("response.created", { response: begun });
  send("response.in_progress", { response: begun });
  pieces.forEach((piece, output_index) => {
    const item = (response.output as Json[])[output_index];
    const at = { item_id: item.id, output_index };
    send("response.output_item.added", { item: emptied(item), output_index });
    streamItem(piece, item, at, send);
    send("response.output_item.done", { item, output_index });
  });
  const end = response.status === "incomplete" ? "incomplete" : "completed";
  send(`response.${end}`, { response });
  return out;
}

/** An item when it begins. */
function emptied(item: Json): Json {
  const status = "in_progress";
  switch (item.type) {
    case "message":
      return { ...item, status, content: [] };
    case "reasoning":
      return { ...item, summary: [], encrypted_content: `${item.encrypted_content}-unfinished` };
    case "function_call":
      return { ...item, status, arguments: "" };
    case "custom_tool_call":
      return { ...item, status, input: "" };
    default:
      return { id: item.id, type: item.type, status };
  }
}

function streamItem(piece: Piece, item: Json, at: Json, send: (type: string, members: Json) => void): void {
  if ("think" in piece) {
    (piece.summary ?? []).forEach((text, summary_index) => {
      const here = { ...at, summary_index };
      send("response.reasoning_summary_part.added", { ...here, part: { type: "summary_text", text: "" } });
      for (const delta of text.match(/.{1,4}/gsu) ?? []) {
        send("response.reasoning_summary_text.delta", { ...here, delta });
      }
      send("response.reasoning_summary_text.done", { ...here, text });
      send("response.reasoning_summary_part.done", { ...here, part: { type: "summary_text", text } });
    });
  } else if ("call" in piece) {
    for (const delta of piece.args) send("response.function_call_arguments.delta", { ...at, delta });
    send("response.function_call_arguments.done", { ...at, arguments: item.arguments });
  } else if ("custom" in piece) {
    for (const delta of piece.input) send("response.custom_tool_call_input.delta", { ...at, delta });
    send("response.custom_tool_call_input.done", { ...at, input: item.input });
  } else if ("served" in piece) {
    send("response.mcp_call.completed", at);
  } else if ("search" in piece) {
    for (const step of ["in_progress", "searching", "completed"]) {
      send(`response.web_search_call.${step}`, at);
    }
  } else {
    const [part] = item.content as Json[];
    const here = { ...at, content_index: 0 };
    const kind = part.type === "refusal" ? "refusal" : "output_text";
    const member = kind === "refusal" ? "refusal" : "text";
    send("response.content_part.added", { ...here, part: { ...part, [member]: "" } });
    for (const delta of "refusal" in piece ? piece.refusal : piece.text) {
      send(`response.${kind}.delta`, { ...here, delta, ...(kind === "output_text" && { logprobs: [] }) });
    }
    if ("text" in piece) {
      notes(piece).forEach((annotation, annotation_index) =>
        send("response.output_text.annotation.added", { ...here, annotation, annotation_index })
      );
    }
    send(`response.${kind}.done`, { ...here, [member]: part[member] });
    send("response.content_part.done", { ...here, part });
  }
}

// ---------------------------------------------------------------- the order

/** The events that fill an item of each kind, with the members that they repeat of it. */
const FILLS: Readonly<Record<string, RegExp>> = {
  message: /^response\.(?:content_part|output_text|refusal)\./,
  reasoning: /^response\.reasoning_(?:summary_part|summary_text|text)\./,
  function_call: /^response\.function_call_arguments\./,
  custom_tool_call: /^response\.custom_tool_call_input\./,
  web_search_call: /^response\.web_search_call\./,
};

/**
 * Checks a stream against the protocol: events are numbered, `created` and `in_progress` come first, one item is open
 * at a time, each of its events has its id and place, its deltas add up to the text of `done` and of the item, and the
 * one end repeats all items.
 */
export function checkStream(list: Json[]): void {
  const done: Json[] = [];
  let open: { item: Json; at: number; told: string } | undefined;
  list.forEach((event, at) => assertEquals(event.sequence_number, at, `${event.type}`));
  const types = list.map(({ type }) => type as string);
  assertEquals(types.slice(0, 2), ["response.created", "response.in_progress"]);
  const end = types.findIndex((type) => /^response\.(?:completed|incomplete|failed)$/.test(type));
  assertEquals(end, list.length - 1, "one end, at the end");
  for (const event of list.slice(2, -1)) {
    const { type, item, output_index, item_id } = event as { [name: string]: Json & string };
    if (type === "response.output_item.added") {
      assert(!open, `${type} while another item is open`);
      assertEquals(output_index as unknown, done.length);
      open = { item, at: done.length, told: "" };
      continue;
    }
    assert(open, `${type} outside of an item`);
    assertEquals(output_index as unknown, open.at, type);
    if (type === "response.output_item.done") {
      assertEquals([item.id, item.type], [open.item.id, open.item.type]);
      const text = item.arguments ?? item.input ??
        ((item.content ?? item.summary ?? []) as Json[]).map(({ text, refusal }) => text ?? refusal).join("");
      assertEquals(open.told, text);
      done.push(item);
      open = undefined;
      continue;
    }
    assertEquals(item_id as unknown, open.item.id, type);
    assert(FILLS[open.item.type as string]?.test(type), `${type} in a ${open.item.type}`);
    if (type.endsWith(".delta")) open.told += event.delta;
  }
  assert(!open, "an item is open at the end");
  if (types[end] !== "response.failed") assertEquals((list[end].response as Json).output, done);
}
