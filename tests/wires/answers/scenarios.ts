/** The answers in a neutral form, and what a provider is that gives them in its own. */
import type { JsonObject } from "../../../wires/types.ts";

/** An answer in a neutral form. Lists are the pieces that a stream brings. */
export interface Scenario {
  name: string;
  thinking?: string[];
  text?: string[];
  /** The model declines, where a form has a place for that. */
  refusal?: string[];
  /** The thoughts, or the first call after them, are signed where a form can say so. */
  signed?: true;
  /** `args` is JSON text. It is absent for a tool call without arguments. */
  calls?: { id: string; name: string; args: string[] }[];
  /** The pieces of the tool calls are interleaved. */
  interleaved?: true;
  finish: "stop" | "length" | "tool_calls" | "content_filter";
  usage: { prompt: number; cached: number; completion: number };
}

export const TEXT: Scenario = {
  name: "text",
  text: ["Grüße", " aus 東京", " 🗼", "!"],
  finish: "stop",
  usage: { prompt: 20, cached: 8, completion: 5 },
};

const CALLS = [
  { id: "call_a1", name: "weather", args: ['{"city":', '"Zürich"', "}"] },
  { id: "call_b2", name: "clock", args: ['{"zone": "', 'CET"}'] },
];

export const SCENARIOS: readonly Scenario[] = [
  TEXT,
  { ...TEXT, name: "text cut at the limit", finish: "length" },
  { ...TEXT, name: "thinking, then text", thinking: ["They greet ", "me. ", "I greet."] },
  { name: "parallel calls", calls: CALLS, finish: "tool_calls", usage: TEXT.usage },
  { name: "interleaved calls", calls: CALLS, interleaved: true, finish: "tool_calls", usage: TEXT.usage },
  {
    name: "calls without arguments",
    calls: [{ id: "call_c3", name: "now", args: [] }, { id: "call_d4", name: "here", args: [] }],
    finish: "tool_calls",
    usage: TEXT.usage,
  },
];

/** Base64, like real signatures. */
export const SIGNATURE = "EqQBCkYIBRgCKkBzaGFyZWQgc2lnbmF0dXJl";

/** One server-sent event. */
export interface SseEvent {
  event?: string;
  /** The data of an event: a string is written as it is, anything else as JSON. */
  data: unknown;
}

/** A provider that answers in its own form. */
export interface FakeProvider {
  /** The name in test names. Default: the name of the row. */
  name?: string;
  /** The provider speaks the client's wire. */
  same?: true;
  /** The row of the provider table. */
  provider: string;
  model: string;
  /** Its streams, if they are not server-sent events: their content type, and the bytes of events. */
  framed?: { type: string; bytes(events: readonly SseEvent[]): Uint8Array<ArrayBuffer> };
  /** Scenarios that the form cannot express. */
  lacks?: readonly string[];
  whole(scenario: Scenario): JsonObject;
  stream(scenario: Scenario): SseEvent[];
  /** An event with a failure in mid-stream. */
  failure(message: string): SseEvent;
  /** Events without content that the provider sends between others. */
  pings: SseEvent[];
}

/** The pieces of all tool calls in order, each with its tool call's number; `start` opens the tool call. */
export function callPieces({ calls = [], interleaved }: Scenario) {
  type Piece = { index: number; start: boolean; text: string };
  const lists = calls.map(({ args }, index) => [
    { index, start: true, text: "" },
    ...args.map((text): Piece => ({ index, start: false, text })),
  ]);
  if (!interleaved) return lists.flat();
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

/** The bytes of a provider's events, in its own framing. */
export const bytesOf = ({ framed }: FakeProvider, list: readonly SseEvent[]): Uint8Array<ArrayBuffer> =>
  framed ? framed.bytes(list) : new TextEncoder().encode(sseText([...list]));

/** The content type of a provider's streams. */
export const typeOf = ({ framed }: FakeProvider) => framed?.type ?? "text/event-stream";

/** A provider's stream of events. */
export const streamed = (fake: FakeProvider, list: readonly SseEvent[]): Response =>
  new Response(bytesOf(fake, list), { headers: { "content-type": typeOf(fake) } });

/** The bytes of an event stream, with the line ending and the comment wanted. */
export function sseText(events: SseEvent[], eol = "\n", comment = ""): string {
  return events.map(({ event, data }) => {
    const lines = [
      ...(comment ? [`: ${comment}`] : []),
      ...(event ? [`event: ${event}`] : []),
      `data: ${typeof data === "string" ? data : JSON.stringify(data)}`,
    ];
    return lines.join(eol) + eol + eol;
  }).join("");
}
