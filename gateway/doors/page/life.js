// Shows one request, step by step.
import { ask, byId, el, faultOf, kept } from "./dom.js";
import { count, dollars, ms, target } from "./format.js";

const PRICES = {
  header: "by the client's own prices",
  provider: "as the provider says",
  option: "an estimate by the operator's prices",
  table: "an estimate by the table of prices",
};

/** Makes a step with its facts, and with more below them. Facts that are not known are left out. */
export function step(title, facts, more) {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== "");
  return el(
    "li",
    {},
    el("h3", {}, title),
    el("dl", {}, known.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    more,
  );
}

/** A body as text, with some of the headers beside it, or the reason why it is not there. */
function shownBody({ text, why, url, headers, bytes }) {
  if (text === undefined) return el("p", { class: "quiet" }, `Body: not kept: ${why}`);
  const lines = [...url ? [url] : [], ...Object.entries(headers).map((pair) => pair.join(": "))];
  return el(
    "details",
    {},
    el("summary", {}, `Body, ${count(bytes)} bytes`),
    el("pre", { tabindex: "0" }, [...lines, "", pretty(text)].join("\n").trimStart()),
  );
}

/** JSON with a line for each member. Any other text stays as it is. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Puts bodies into their places. */
async function showBodies({ account, gateway, id }, places) {
  let bodies = {}, why = "";
  try {
    const path = [account, gateway, id].map(encodeURIComponent).join("/");
    const answer = await ask(`bodies/${path}`, kept.get("admin"));
    if (answer.ok) bodies = await answer.json();
    else why = await faultOf(answer);
  } catch (error) {
    why = error.message;
  }
  for (const [side, place] of places) place.replaceChildren(shownBody(bodies[side] ?? { why }));
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
  const places = new Map();
  const body = (side) => {
    places.set(side, el("div", {}, el("p", { class: "quiet" }, "Body: loading …")));
    return places.get(side);
  };
  const { cacheReadTokens, cacheWriteTokens, reasoningTokens, route } = row;
  const tries = row.attempts ?? [];
  let tried = 0;
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
    }, body("request")),
    step("Left out", { Fields: row.dropped ?? "nothing: the provider could be told everything" }),
    route ? step("The route", { Name: route.name, Version: route.version, Way: route.way }) : "",
    ...tries.map(({ skipped, why, status, ms: waited, ...asked }) =>
      skipped
        ? step("Skipped", { Target: target(asked), Why: why })
        : step(`Try ${++tried} of ${row.tries}`, {
          Target: target(asked),
          Status: status === undefined ? "no answer came" : `${status}`,
          "Began after": ms(waited),
        }, body(`try${tried}`))
    ),
    tried
      ? ""
      : step("Tries", { None: row.cached ? "the answer came from the cache" : "no provider was asked" }),
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
    }, body("response")),
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
  showBodies(row, places);
}
