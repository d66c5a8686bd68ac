// Shows the operator's parts: the requests, and which providers have keys.
import { showStats, showTotals, table } from "./charts.js";
import { ask, byId, choose, el, faultOf, kept } from "./dom.js";
import { clock, count, dollars, ms, target } from "./format.js";
import { showLife } from "./life.js";

const SPANS = ["1 h", "24 h", "30 d"], KINDS = ["Model", "Provider", "Token", "Gateway"];

/** Milliseconds between two polls, and the longest pause after failures. */
const LOOK = { usual: 2000, most: 60_000 };

const state = {
  span: "1 h",
  kind: "Model",
  rows: [],
  most: 100,
  pause: LOOK.usual,
  timer: 0,
  wanted: "",
  stats: undefined,
};

export const isOpen = () => kept.get("admin") !== "";

/** Sends a request with the operator's token. If the gateway refuses the token, the page forgets it and asks for another. */
export async function operator(path, init) {
  const answer = await ask(path, kept.get("admin"), init);
  if (answer.ok) return await answer.json();
  const fault = await faultOf(answer);
  if (answer.status === 401) leave(fault);
  throw new Error(fault);
}

export function leave(why = "") {
  kept.set("admin", "");
  state.rows = [];
  byId("refused").textContent = why;
  globalThis.dispatchEvent(new HashChangeEvent("hashchange"));
}

function rowOf(row) {
  const failed = row.level === "info" ? undefined : "bad";
  const tokens = row.explained
    ? "explained"
    : row.inputTokens === undefined
    ? "–"
    : `${count(row.inputTokens)} → ${count(row.outputTokens)}`;
  const model = target(row);
  return el(
    "tr",
    {},
    el("td", {}, el("button", { type: "button", onclick: () => showLife(row) }, clock(row.time))),
    el("td", { class: failed }, row.cached ? `${row.status} cached` : `${row.status}`),
    el("td", { class: "long", title: model }, model),
    el("td", { class: "number" }, row.cost === undefined ? "–" : dollars(row.cost)),
    el("td", { class: "number" }, ms(row.durationMs)),
    el("td", { class: "number" }, tokens),
    el("td", { class: "long" }, row.token ?? ""),
  );
}

const HEADS = ["Time", "Status", "Model", "Cost", "Took", "Tokens", "Token"];
const HEAD_KINDS = ["", "", "long", "number", "number", "number", "long"];

function isShown(row) {
  const text = byId("filter").value.toLowerCase();
  return text === "" || JSON.stringify(Object.values(row)).toLowerCase().includes(text);
}

function showRows() {
  const shown = table("Newest requests", HEADS, HEAD_KINDS, []);
  shown.tBodies[0].append(...state.rows.filter(isShown).map(rowOf));
  byId("rows").replaceChildren(
    state.rows.length > 0 ? shown : el("p", { class: "quiet" }, "None yet: send one from the part Try."),
  );
}

/** Puts new rows on top, so that the rows that the user reads stay in their place. */
function addRows(rows) {
  const body = byId("rows").querySelector("tbody");
  const isFirst = state.rows.length === 0;
  state.rows = [...rows, ...state.rows].slice(0, state.most);
  if (isFirst || !body) return showRows();
  body.prepend(...rows.filter(isShown).map(rowOf));
  while (body.rows.length > state.most) body.lastElementChild.remove();
}

async function look() {
  clearTimeout(state.timer);
  if (byId("requests").hidden || document.hidden || !isOpen()) return;
  try {
    const after = state.rows[0]?.id;
    const query = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
    const { rows } = await operator(`logs?limit=${state.most}${query}`);
    const isNew = rows.length > 0 || state.rows.length === 0;
    if (isNew) addRows(rows);
    if (isNew || Date.now() - state.statsAt > 15_000) await lookAtStats();
    byId("live").textContent = "Live";
    state.pause = LOOK.usual;
    if (state.wanted) openWanted();
  } catch (error) {
    byId("live").textContent = error.message;
    state.pause = Math.min(2 * state.pause, LOOK.most);
  }
  clearTimeout(state.timer);
  if (isOpen()) state.timer = setTimeout(look, state.pause);
}

async function lookAtStats() {
  const { span } = state;
  const stats = await operator(`stats?span=${span.replace(" ", "")}`);
  // The user may have chosen another span in the meantime.
  if (span !== state.span) return;
  state.stats = stats;
  state.statsAt = Date.now();
  showStats(stats, span);
  showTotals(stats, state.kind);
}

/** Shows the row that the address names. */
function openWanted() {
  const row = state.rows.find(({ id }) => id === state.wanted);
  state.wanted = "";
  if (row) showLife(row);
  else byId("live").textContent = "That row is no longer kept";
}

async function showProviders() {
  try {
    const { providers } = await operator("providers");
    const rank = { stored: 0, "none is needed": 1, none: 2 };
    const rows = providers.sort((a, b) => rank[a.key] - rank[b.key])
      .map(({ name, aliases, key, variables }) => [name, key, variables.join(", "), aliases.join(", ")]);
    byId("variables").replaceChildren(
      table("Providers and keys", ["Provider", "Key", "Its variables", "Other names"], [], rows),
    );
  } catch (error) {
    byId("variables").replaceChildren(el("p", { role: "alert" }, error.message));
  }
}

/** Shows one of the operator's parts. */
export function showOperator(part, id) {
  if (part === "providers") return showProviders();
  state.wanted = id ?? "";
  state.pause = LOOK.usual;
  look();
}

/** Moves between rows by one. */
function move(by) {
  const buttons = [...byId("rows").querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  buttons[Math.min(Math.max(at + by, 0), buttons.length - 1)]?.focus();
}

function onKey(event) {
  const isTyping = event.target.closest("input, textarea, dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || byId("requests").hidden) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
}

export function requests() {
  choose("spans", SPANS, state.span, (span) => {
    state.span = span;
    lookAtStats().catch((error) => void (byId("live").textContent = error.message));
  });
  choose("kinds", KINDS, state.kind, (kind) => {
    state.kind = kind;
    if (state.stats) showTotals(state.stats, kind);
  });
  byId("open").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("refused").textContent = "";
    kept.set("admin", byId("admin").value.trim());
    byId("admin").value = "";
    globalThis.dispatchEvent(new HashChangeEvent("hashchange"));
  });
  for (const button of document.querySelectorAll(".leave")) button.addEventListener("click", () => leave());
  byId("filter").addEventListener("input", showRows);
  byId("more").addEventListener("click", (event) => {
    event.target.disabled = true;
    state.most = 1000;
    state.rows = [];
    look();
  });
  byId("close").addEventListener("click", () => byId("life").close());
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", look);
}
