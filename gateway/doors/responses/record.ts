/** Reads along in an answer of Responses and has it kept, without holding anything of it back but its last event. */
import { GatewayError, stackless } from "../../../wires/errors.ts";
import { isObject, list, parse } from "../../../wires/shared/json.ts";
import { keptBytes } from "../../../wires/streams/chunks.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { contentKind } from "../../upstream/answer.ts";
import { isResponse } from "./items.ts";

/** What becomes of an answer. */
export interface Recording {
  /** Members that the client sees in place of the provider's: the id under which the response is kept, and the like. */
  readonly members: JsonObject;
  /** The most characters of one event, and bytes of a whole answer, that are read. */
  readonly most: number;
  /**
   * Keeps the response as the client sees it.
   *
   * @returns Whether it is kept.
   */
  keep(response: JsonObject): Promise<boolean>;
  /** Tells that the answer is too long to be kept. */
  tooLong(): void;
}

/** Has an answer kept. Errors, and what is not an answer of Responses, are passed on as they are. */
export function recorded(response: Response, recording: Recording): Promise<Response> | Response {
  const { status, headers, body } = response;
  if (status >= 400 || !body) return response;
  const kind = contentKind(headers);
  if (kind === "events") return recordedStream(response, body, recording);
  return kind === "json" ? recordedWhole(response, body, recording) : response;
}

// ---------------------------------------------------------------- whole answers

async function recordedWhole(
  { status, statusText, headers }: Response,
  body: ReadableStream<Uint8Array>,
  recording: Recording,
): Promise<Response> {
  const reader = body.getReader();
  const kept = keptBytes();
  const answer = (sent: BodyInit) => new Response(sent, { status, statusText, headers });
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      throw new GatewayError("bad_upstream_answer", "The provider's answer broke off", { cause });
    });
    if (done) break;
    kept.add(value);
    if (kept.length > recording.most) {
      recording.tooLong();
      return answer(goOn(kept.join(), reader));
    }
  }
  const bytes = kept.join();
  const read = parse(new TextDecoder().decode(bytes));
  if (!isResponse(read)) return answer(bytes);
  const told = { ...read, ...recording.members };
  if (!await recording.keep({ status: "completed", ...told })) told.store = false;
  return answer(JSON.stringify(told));
}

/** The bytes that were read, and then the rest. */
function goOn(
  first: Uint8Array<ArrayBuffer>,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

// ---------------------------------------------------------------- streams

/** An event that may hold a response or a finished item. Most events are pieces of text, and hold neither. */
const WORTH_READING = /"response"\s*:|output_item\.done/;

/** The last events of a stream. */
const LAST = /^response\.(completed|incomplete|failed|cancelled)$/;

function recordedStream(
  { status, statusText, headers }: Response,
  body: ReadableStream<Uint8Array>,
  recording: Recording,
): Response {
  const source = body.getReader();
  const events = eventReader(recording);
  const decoder = new TextDecoder(), encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        let read: Awaited<ReturnType<typeof source.read>>;
        try {
          read = await source.read();
        } catch (cause) {
          await events.end("failed");
          throw stackless(cause);
        }
        const text = read.done ? decoder.decode() : decoder.decode(read.value, { stream: true });
        const out = await events.push(text, read.done);
        if (out !== "") controller.enqueue(encoder.encode(out));
        if (read.done) {
          await events.end("failed");
          return controller.close();
        }
        if (out !== "") return;
      }
    },
    async cancel(reason) {
      await Promise.all([events.end("cancelled"), source.cancel(reason)]);
    },
  }, { highWaterMark: 0 });
  return new Response(stream, { status, statusText, headers });
}

/** Reads the events of one stream, and writes those anew that hold a response. */
function eventReader(recording: Recording) {
  const split = eventSplitter();
  /** The items that are whole, for an answer that breaks off. */
  const items = new Map<unknown, unknown>();
  let itemLength = 0;
  /** The response as the last event told it. */
  let latest: JsonObject | undefined;
  let isOver = false;

  async function last(type: string, told: JsonObject): Promise<void> {
    isOver = true;
    const [, status] = LAST.exec(type)!;
    const output = list(told.output).length > 0 ? told.output : [...items.values()];
    if (!await recording.keep({ status, ...told, output })) told.store = false;
  }

  /** The text of an event for the client. */
  async function read(event: string): Promise<string> {
    if (isOver || !WORTH_READING.test(event)) return event;
    const lines = event.split(/\r\n|\r|\n/);
    const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
    const body = parse(data);
    if (!isObject(body)) return event;
    if (body.type === "response.output_item.done") {
      itemLength += event.length;
      if (itemLength > recording.most) items.clear();
      else items.set(body.output_index ?? items.size, body.item);
      return event;
    }
    if (!isObject(body.response)) return event;
    const response: JsonObject = { ...body.response, ...recording.members };
    latest = response;
    if (LAST.test(`${body.type}`)) await last(`${body.type}`, response);
    const others = lines.filter((line) => line !== "" && !line.startsWith("data:"));
    return [...others, `data: ${JSON.stringify({ ...body, response })}`, "", ""].join("\n");
  }

  return {
    /** Takes a piece of the stream. Returns what the client gets. @param isLast Whether nothing follows. */
    async push(text: string, isLast: boolean): Promise<string> {
      let out = "";
      for (const event of split.push(text)) out += await read(event);
      if (split.held > recording.most && !isOver) {
        isOver = true;
        recording.tooLong();
      }
      if (!isLast && !isOver) return out;
      // Some providers end without a blank line.
      const rest = split.rest();
      return out + (rest === "" ? "" : await read(rest));
    },
    /** Keeps what there is of an answer that did not come to its end. */
    async end(status: "failed" | "cancelled"): Promise<void> {
      if (isOver || !latest) return;
      isOver = true;
      if (itemLength > recording.most) return recording.tooLong();
      const error = { code: "server_error", message: "The answer broke off" };
      const broken = status === "failed" ? { status, error } : { status };
      await recording.keep({ ...latest, ...broken, output: [...items.values()] });
    },
  };
}

/** A blank line. */
const END = /\r\n\r\n|\n\n|\r\r|\n\r\n/g;

/** Splits a stream into events, each with its blank line. A long event that comes in pieces is joined once. */
function eventSplitter() {
  let pieces: string[] = [];
  let held = 0;
  /** The last characters that are held: a blank line may begin there. */
  let seam = "";
  return {
    /** The characters of the event that has not ended. */
    get held() {
      return held;
    },
    push(text: string): string[] {
      const events: string[] = [];
      const sought = seam + text;
      let from = 0;
      for (const { 0: { length }, index } of sought.matchAll(END)) {
        const end = index + length - seam.length;
        events.push(pieces.join("") + text.slice(from, end));
        pieces = [];
        held = 0;
        from = end;
      }
      if (from < text.length) pieces.push(text.slice(from));
      held += text.length - from;
      seam = from > 0 ? text.slice(from).slice(-3) : sought.slice(-3);
      return events;
    },
    rest(): string {
      const rest = pieces.join("");
      pieces = [];
      held = 0;
      seam = "";
      return rest;
    },
  };
}
