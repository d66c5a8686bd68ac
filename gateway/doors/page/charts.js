// Shows numbers and charts of a span of time.
import { byId, draw, el } from "./dom.js";
import { count, dollars, moment, ms } from "./format.js";

const HEIGHT = 100;

/** If some requests have no known price, the sum is not complete, and the text says so. */
const sumOf = ({ cost, unpriced }) =>
  unpriced === 0 ? dollars(cost) : cost > 0 ? `${dollars(cost)} + unknown` : "unknown";

/** Draws a chart of columns. `bad` is the number of requests in a column that failed. */
function chart(title, points, span, { value, bad = () => 0, show, sum }) {
  const most = Math.max(...points.map(value), 0);
  const width = 600 / points.length;
  const scale = (height) => most > 0 ? height / most * HEIGHT : 0;
  const columns = points.flatMap((point, at) => {
    const [all, failed] = [scale(value(point)), scale(bad(point))];
    const column = { x: at * width + 0.5, width: Math.max(1, width - 1) };
    const told = draw("title", {}, `${moment(point.at, span)}: ${show(value(point))}`);
    return [
      draw("rect", { ...column, y: HEIGHT - all, height: all }, told),
      failed > 0 ? draw("rect", { ...column, class: "bad", y: HEIGHT - failed, height: failed }) : undefined,
    ];
  });
  const label = `${title}: at most ${show(most)}`;
  const box = { viewBox: `0 0 600 ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label };
  return el(
    "figure",
    {},
    el("figcaption", {}, title, el("span", {}, sum)),
    draw("svg", box, ...columns),
    el(
      "p",
      {},
      el("span", {}, moment(points[0].at, span)),
      el("span", {}, `at most ${show(most)}`),
      el("span", {}, "now"),
    ),
  );
}

export function showStats({ points, totals }, span) {
  const { requests, errors, cached, inputTokens, outputTokens, cost, unpriced, p50, p95, firstP50 } = totals;
  const numbers = {
    Requests: count(requests),
    Failed: count(errors),
    Cached: requests > 0 ? `${Math.round(100 * cached / requests)} %` : "–",
    "Tokens in": count(inputTokens),
    "Tokens out": count(outputTokens),
    "Cost, estimated": unpriced > 0 && cost === 0 ? "unknown" : dollars(cost),
    "Without a price": count(unpriced),
    "Half end within": ms(p50),
    "95 % end within": ms(p95),
    "Half begin within": ms(firstP50),
  };
  byId("numbers").replaceChildren(
    ...Object.entries(numbers).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
  const tokens = ({ inputTokens, outputTokens }) => inputTokens + outputTokens;
  byId("charts").replaceChildren(
    chart("Requests", points, span, {
      value: (point) => point.requests,
      bad: (point) => point.errors,
      show: count,
      sum: `${count(requests)}, ${count(errors)} failed`,
    }),
    chart("95 % end within", points, span, { value: (point) => point.p95 ?? 0, show: ms, sum: ms(p95) }),
    chart("Tokens", points, span, { value: tokens, show: count, sum: count(tokens(totals)) }),
    chart("Cost, estimated", points, span, {
      value: (point) => point.cost,
      show: dollars,
      sum: sumOf(totals),
    }),
    ...cached > 0
      ? [chart("Answered from the cache", points, span, {
        value: (point) => point.cached,
        show: count,
        sum: `${count(cached)} of ${count(requests)}`,
      })]
      : [],
  );
}

/** Makes a table. `kinds` says which columns hold long names (`long`) and which hold numbers (`number`). */
export function table(caption, heads, kinds, rows) {
  const kind = (at) => ({ class: kinds[at] || undefined });
  return el(
    "table",
    { "aria-label": caption },
    el("thead", {}, el("tr", {}, heads.map((head, at) => el("th", { scope: "col", ...kind(at) }, head)))),
    el(
      "tbody",
      {},
      rows.map((cells) =>
        el(
          "tr",
          {},
          cells.map((cell, at) => el("td", { ...kind(at), title: kinds[at] === "long" && cell }, cell)),
        )
      ),
    ),
  );
}

export function showTotals(stats, kind) {
  const heads = [kind, "Cost", "Requests", "Failed", "Tokens in", "Tokens out", "95 % end within"];
  const rows = stats[`${kind.toLowerCase()}s`].map((of) => [
    of.name || "(none)",
    sumOf(of),
    ...[of.requests, of.errors, of.inputTokens, of.outputTokens].map(count),
    ms(of.p95),
  ]);
  const kinds = ["long", ...heads.slice(1).map(() => "number")];
  byId("totals").replaceChildren(table(`Totals by ${kind.toLowerCase()}`, heads, kinds, rows));
}
