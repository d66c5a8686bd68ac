// Shows one request, step by step.
import { byId, el } from "./dom.js";
import { count, dollars, ms, target } from "./format.js";

const PRICES = {
  header: "by the client's own prices",
  provider: "as the provider says",
  option: "an estimate by the operator's prices",
  table: "an estimate by the table of prices",
};

/** Makes a step with its facts. Facts that are not known are left out. */
export function step(title, facts) {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== "");
  return el(
    "li",
    {},
    el("h3", {}, title),
    el("dl", {}, known.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
  );
}

const reason = ({ error }) =>
  error &&
  [error.code ?? error.type ?? error.status, error.message].filter((word) => word !== undefined).join(": ");

function costOf({ cached, cost, price, inputTokens }) {
  if (cost === undefined) return inputTokens === undefined ? "unknown: the answer told no tokens" : "unknown";
  if (cached) return "nothing: the answer came from the cache";
  return cost === null ? "unknown: no price is known for the model" : `${dollars(cost)}, ${PRICES[price]}`;
}

/** Shows the request of a row. */
export function showLife(row) {
  const bodies = row.payload === false
    ? "not kept: the client asked for that (cf-aig-collect-log-payload: false)"
    : "not kept: this gateway keeps no bodies";
  const { cacheReadTokens, cacheWriteTokens, reasoningTokens } = row;
  const tries = row.attempts ?? [];
  byId("steps").replaceChildren(
    step("The client's request", {
      When: row.time,
      Asked: `${row.method} ${row.path}`,
      For: row.explained && "what would be sent (sluice-explain)",
      Gateway: `${row.account}/${row.gateway}`,
      Token: row.token ?? "none",
      Client: row.userAgent,
      Type: row.requestType,
      Metadata: row.metadata && JSON.stringify(row.metadata),
      "Its own id": row.eventId,
      Body: bodies,
    }),
    step("Left out", { Fields: row.dropped ?? "nothing: the provider could be told everything" }),
    ...tries.map(({ provider, model, status, ms: waited }, at) =>
      step(`Try ${at + 1} of ${row.tries}`, {
        Target: target({ provider, model }),
        Status: status === undefined ? "no answer came" : `${status}`,
        "Began after": ms(waited),
        Body: bodies,
      })
    ),
    ...tries.length === 0
      ? [step("Tries", { None: row.cached ? "the answer came from the cache" : "no provider was asked" })]
      : [],
    step("The answer", {
      Status: `${row.status}`,
      Failed: reason(row),
      Type: row.responseType,
      Model: target(row),
      Stopped: row.finishReason,
      "First content after": row.firstTokenMs === undefined ? undefined : ms(row.firstTokenMs),
      "Whole after": ms(row.durationMs),
      "Provider's id": row.upstreamId,
      Id: row.id,
      Body: bodies,
    }),
    step("Tokens and cost", {
      In: count(row.inputTokens),
      "Read from a cache": cacheReadTokens && count(cacheReadTokens),
      "Written into one": cacheWriteTokens && count(cacheWriteTokens),
      Out: count(row.outputTokens),
      "Of these, reasoning": reasoningTokens && count(reasoningTokens),
      Cost: costOf(row),
    }),
  );
  byId("life").showModal();
}
