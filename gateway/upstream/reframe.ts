/** Passes a stream in another framing on as server-sent events, its events unchanged. */
import { object, parse, text } from "../../wires/shared/json.ts";
import { brokenOff } from "../../wires/streams/broken_off.ts";
import { type Step, translate } from "../../wires/streams/translate.ts";
import type { WireError } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { EVENTS_TYPE } from "./answer.ts";
import { maskObject } from "./masked.ts";
import type { Outgoing } from "./prepare.ts";

/** Whether an answer has the row's own framing, if the row has one (the usual framing is SSE). */
export const isFramed = ({ headers }: Response, { framing }: Outgoing): boolean =>
  framing !== undefined && (headers.get("content-type") ?? "").toLowerCase().startsWith(framing.type);

/** The same answer as server-sent events. An error that the framing carries is written in the client's form. */
export function reframed(upstream: Response, outgoing: Outgoing, exchange: Exchange): Response {
  const { target: { provider: { name } }, masks, framing } = outgoing;
  const { client, report, config } = exchange;
  let out = "";
  let failed = false;
  const fail = (error: WireError) => {
    if (failed) return;
    failed = true;
    const told = { ...error, metadata: { ...error.metadata, provider: name } };
    out += eventOf(
      JSON.stringify(client.writeError(maskObject(masks.error, told), { requestId: report.id })),
    );
  };
  const parser = framing!.reader(
    (data) => {
      if (!failed) out += eventOf(data);
    },
    fail,
    config.limits.maxLineBytes,
  );
  const step: Step = {
    push(chunk) {
      parser.push(chunk);
      return !failed;
    },
    end: () => parser.end(),
    fail: (cause) => fail(brokenOff(name, cause)),
    take() {
      const taken = out;
      out = "";
      return taken;
    },
  };
  const { status, headers } = upstream;
  const response = new Response(translate(upstream.body!, step), { status, headers });
  response.headers.set("content-type", EVENTS_TYPE);
  response.headers.delete("content-length");
  return response;
}

/** Matches events that begin with their type, as Anthropic writes them: `{"type":"ping"}`. */
const TYPED = /^\s*\{\s*"type"\s*:\s*"(\w+)"/;

/** One event. It is named by its type, if it has one. */
function eventOf(data: string): string {
  const type = TYPED.exec(data)?.[1] ?? text(object(parse(data))?.type);
  const line = data.includes("\n") ? data.replaceAll(/\r?\n/g, "\ndata: ") : data;
  return `${type === undefined ? "" : `event: ${type}\n`}data: ${line}\n\n`;
}
