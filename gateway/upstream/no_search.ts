/** Answers requests that ask only for a web search, if the provider has none. */
import { GatewayError } from "../../wires/errors.ts";
import { collector } from "../../wires/streams/collect.ts";
import { searchedFor } from "../../wires/shared/searches.ts";
import type { Call, Delta } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { answerId, answerWith, EVENTS_TYPE, JSON_TYPE } from "./answer.ts";
import type { Outgoing } from "./prepare.ts";
import { NO_TOKENS } from "../../wires/shared/usage.ts";

/**
 * Thrown in place of sending such a request, because the model would guess instead of searching. Another target may be able to
 * search. If there is none, `answer` tells that the search failed, in the format of the client's own search.
 */
export class NoSearch extends GatewayError {
  /** Makes the answer. */
  readonly answer: () => Response;

  constructor(outgoing: Outgoing, exchange: Exchange) {
    super(
      "unsupported",
      `Cannot search the web with ${outgoing.target.provider.name}: it has no search here`,
    );
    this.answer = () =>
      exchange.explain?.answer({ target: outgoing.target, error: this }) ?? answerOf(outgoing, exchange);
  }
}

/** @throws NoSearch */
export function searchable(outgoing: Outgoing, exchange: Exchange): Outgoing {
  if (outgoing.call && isLoneSearch(outgoing.call, outgoing.dropped)) throw new NoSearch(outgoing, exchange);
  return outgoing;
}

/** Whether a web search is a request's only tool, and the target has none. Chat completions have no answer for this case. */
function isLoneSearch({ wire, settings: { tools } }: Call, dropped: readonly string[]): boolean {
  if (wire === "openai" || tools?.length !== 1) return false;
  const [tool] = tools;
  return tool.type === "server" && tool.kind === "web_search" && dropped.includes(tool.path);
}

function answerOf(outgoing: Outgoing, exchange: Exchange): Response {
  const { client, config } = exchange;
  const call = outgoing.call!;
  const defaults = { id: answerId(exchange), created: Math.floor(config.now() / 1000), model: call.model };
  const deltas = deltasOf(call, outgoing.target.provider.name);
  const upstream = new Response(null);
  if (call.stream) {
    const writer = client.writer(call, defaults);
    const events = deltas.map((delta) => writer.delta(delta)).join("") + writer.end();
    return answerWith(events, upstream, outgoing, EVENTS_TYPE);
  }
  const { emit, answer } = collector();
  deltas.forEach(emit);
  return answerWith(
    JSON.stringify(client.writeAnswer(answer, call, defaults)),
    upstream,
    outgoing,
    JSON_TYPE,
  );
}

function deltasOf(call: Call, provider: string): Delta[] {
  const text = `The web search is unavailable: ${provider} has none here.`;
  return [
    { type: "start", model: call.model },
    {
      type: "server_tool",
      choice: 0,
      serverCall: { kind: "web_search", input: { query: searchedFor(call) }, error: "unavailable" },
    },
    { type: "text", choice: 0, text },
    { type: "usage", usage: NO_TOKENS },
    { type: "stop", choice: 0, reason: "stop" },
  ];
}
