/**
 * OpenAI's Responses, the client's half: writes neutral deltas as the events of a stream.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
import { itemSteps } from "../streams/items.ts";
import type { Call, Defaults, JsonObject, StopReason, StreamWriter, Usage, WireError } from "../types.ts";
import { formOf } from "./form.ts";
import type { Events } from "./open_item.ts";
import { outputItems } from "./write_items.ts";
import {
  failure,
  headOf,
  incompleteReason,
  type Progress,
  writeResponse,
  writeUsage,
} from "./write_response.ts";
import { summaryItem } from "./write_summary.ts";

/** Makes the writer of one stream's events, which are numbered. */
function numberedEvents(): Events {
  let next = 0;
  return {
    send: (type, members) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...members, sequence_number: next++ })}\n\n`,
    head: (type, members) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...members }).slice(0, -1)},"delta":`,
    // Most events of a stream are pieces, so only their text is serialised.
    piece: (head, text, more = "") =>
      `${head}${JSON.stringify(text)}${more},"sequence_number":${next++}}\n\n`,
  };
}

/**
 * Writes deltas as the events of a response: `response.created`, `response.in_progress`, each item from
 * `output_item.added` to `output_item.done`, and `response.completed`, `.incomplete` or `.failed`. There is no
 * `[DONE]`.
 *
 * A failure is also an `error` event, because OpenAI's SDK raises that. Codex only reads `response.failed`.
 */
export function eventWriter(call: Call, defaults: Defaults): StreamWriter {
  const form = formOf(call);
  const events = numberedEvents();
  const output: JsonObject[] = [];
  const items = form.compacts
    ? summaryItem(defaults, output, events)
    : outputItems(call, defaults, output, events);
  const steps = itemSteps(items);
  let head = headOf(undefined, defaults);
  let begun = false;
  let failed = false;
  let stop: StopReason | undefined;
  let usage: Usage | undefined;
  let signature: string | undefined;

  const response = (progress: Omit<Progress, "output">) => ({
    response: writeResponse(head, { ...progress, output }, form),
  });

  function begin(): string {
    if (begun) return "";
    begun = true;
    const members = response({ status: "in_progress", usage: null });
    return events.send("response.created", members) + events.send("response.in_progress", members);
  }

  function fail(error: WireError): string {
    failed = true;
    const { code, message } = failure(error);
    const { param = null } = error;
    const first = begin() + events.send("error", { code, message, param });
    return first +
      events.send("response.failed", response({ status: "failed", usage: null, error: { code, message } }));
  }

  return {
    delta(delta) {
      if (failed) return "";
      switch (delta.type) {
        case "start":
          if (begun) return "";
          head = headOf(delta, defaults);
          return begin();
        case "usage":
          usage = delta.usage;
          return "";
        case "stop":
          if (delta.choice === 0) stop = delta.reason;
          return "";
        case "signature":
          if (delta.choice === 0) signature = delta.signature;
          return "";
        case "error":
          return fail(delta.error);
        default:
          return begin() + steps.delta(delta);
      }
    },
    end() {
      if (failed) return "";
      const incomplete = incompleteReason(stop);
      const status = incomplete === undefined ? "completed" : "incomplete";
      const first = begin();
      items.ending(status);
      const last = steps.end() + items.rest(signature);
      return first + last +
        events.send(`response.${status}`, response({ status, usage: writeUsage(usage), incomplete }));
    },
    keepAlive: () => failed ? "" : begin() + events.send("keepalive", {}),
  };
}
