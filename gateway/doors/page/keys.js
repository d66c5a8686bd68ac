// Shows the operator's virtual keys, and makes, changes and removes them.
import { table } from "./charts.js";
import { byId, copyText, el } from "./dom.js";
import { count, dollars } from "./format.js";
import { operator } from "./requests.js";

/** The key in the form, and the keys in the list with the id of the last one. */
const open = { key: undefined, keys: [], next: null };

/** Facts that have no field of their own in the form. */
const OTHERS = ["gateways", "providers", "unknownPrice", "metadata"];
const COUNTS = ["rpm", "tpm", "open"];

const tellOfKeys = (text) => void (byId("told").textContent = text);

const write = (path, method, body) =>
  operator(`keys${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

function stateOf({ source, disabled, expires }) {
  if (source === "options") return "in the options";
  if (disabled) return "disabled";
  if (expires === null) return "open";
  return Date.parse(expires) > Date.now() ? `open until ${expires.slice(0, 10)}` : "expired";
}

/** A limit of a list, in the form of those with short names. */
function shortLimit({ left, seconds = 60, ...rule }) {
  const kind = ["requests", "tokens", "open"].find((kind) => rule[kind] !== undefined);
  return [kind === "open" ? kind : `${kind} in ${seconds} s`, { limit: rule[kind], left }];
}

const limitsIn = ({ limits }) =>
  (Array.isArray(limits) ? limits.map(shortLimit) : Object.entries(limits))
    .map(([kind, { limit, left }]) => `${kind} ${count(left)} of ${count(limit)} left`)
    .join(", ");

const spendingIn = ({ budgets }) =>
  budgets.map(({ limitUsd, spentUsd, window }) => `${dollars(spentUsd)} of ${dollars(limitUsd)} a ${window}`)
    .join(", ");

/** Does something with a key, and shows the list anew. */
async function act(work, done) {
  try {
    const answer = await work();
    await listKeys();
    tellOfKeys(done);
    if (answer.secret) showSecret(answer);
    return true;
  } catch (error) {
    tellOfKeys(error.message);
  }
}

function showSecret({ name, secret }) {
  byId("made").hidden = false;
  byId("made-name").textContent = name;
  byId("secret").textContent = secret;
  byId("secret").focus();
}

function actions(key) {
  if (key.source === "options") return "";
  const { name, disabled } = key, path = `/${key.id}`;
  const button = (text, onclick) => [el("button", { type: "button", onclick }, text), " "];
  return [
    button("Edit", () => edit(key)),
    button(
      disabled ? "Enable" : "Disable",
      () => act(() => write(path, "PATCH", { disabled: !disabled }), `Saved ${name}`),
    ),
    button("Rotate", () => {
      if (!confirm(`Give ${name} a new secret? The present one works for one more day.`)) return;
      act(() => write(`${path}/rotate`, "POST"), `${name} has a new secret`);
    }),
    button("Delete", () => {
      if (confirm(`Delete ${name}? Whoever has it is refused.`)) {
        act(() => write(path, "DELETE"), `Deleted ${name}`);
      }
    }),
  ].flat();
}

const KEY_HEADS = ["Name", "Team", "State", "Models", "Limits", "Spent", "Change"];

async function listKeys(more = false) {
  const find = encodeURIComponent(byId("find").value);
  const page = await operator(`keys?limit=100&search=${find}${more ? `&after=${open.next}` : ""}`);
  open.keys = more ? [...open.keys, ...page.keys] : page.keys;
  open.next = page.next;
  byId("more-keys").hidden = page.next === null;
  const rows = open.keys.map((key) => [
    key.name,
    key.team ?? "",
    stateOf(key),
    key.models?.join(", ") ?? "all",
    ...key.effective ? [limitsIn(key.effective), spendingIn(key.effective)] : ["unknown", "unknown"],
    actions(key),
  ]);
  byId("key-rows").replaceChildren(
    rows.length > 0
      ? table("Keys", KEY_HEADS, ["long", "long", "", "long"], rows)
      : el("p", { class: "quiet" }, "None. Once one is made, requests without a token or key are refused."),
  );
}

/** Shows the list. A secret that was shown before is gone. */
export function showKeys(more) {
  byId("made").hidden = true;
  byId("secret").textContent = "";
  tellOfKeys("");
  return listKeys(more).catch((error) => tellOfKeys(error.message));
}

const field = (name) => byId(`key-${name}`);

/** The only budget, if the form has fields for all of it. */
function plainBudget(budgets) {
  const [first, ...others] = budgets ?? [];
  const isPlain = first && others.length === 0 && Object.keys(first).length === 2;
  return isPlain ? first : undefined;
}

/** Opens the form, for a new key or for a known one. */
function edit(key) {
  open.key = key;
  const budget = plainBudget(key?.budgets);
  const others = OTHERS.filter((fact) => key?.[fact] && key[fact] !== "refuse").map((
    fact,
  ) => [fact, key[fact]]);
  if (Array.isArray(key?.limits)) others.push(["limits", key.limits]);
  if (key?.budgets && !budget) others.push(["budgets", key.budgets]);
  byId("key-title").textContent = key ? `Edit ${key.name}` : "Make a key";
  field("name").value = key?.name ?? "";
  field("team").value = key?.team ?? "";
  field("expires").value = key?.expires?.replace("T00:00:00.000Z", "") ?? "";
  field("models").value = key?.models?.join(", ") ?? "";
  for (const kind of COUNTS) field(kind).value = key?.limits?.[kind] ?? "";
  field("usd").value = budget?.limitUsd ?? "";
  field("every").value = budget?.window ?? "month";
  field("others").value = others.length > 0 ? JSON.stringify(Object.fromEntries(others), null, 2) : "";
  byId("key-fault").textContent = "";
  tellOfKeys("");
  byId("key").showModal();
}

/** Reads the form. `null` takes a fact away. */
function written() {
  const value = (name) => field(name).value.trim() || null;
  const limits = COUNTS.filter(value).map((kind) => [kind, Number(value(kind))]);
  const list = (value("models") ?? "").split(",").map((name) => name.trim()).filter(Boolean);
  return {
    name: value("name"),
    team: value("team"),
    expires: value("expires"),
    models: list.length > 0 ? list : null,
    limits: limits.length > 0 ? Object.fromEntries(limits) : null,
    budgets: value("usd") && [{ limitUsd: Number(value("usd")), window: field("every").value }],
    ...Object.fromEntries(OTHERS.map((fact) => [fact, null])),
    ...JSON.parse(value("others") ?? "{}"),
  };
}

async function save(event) {
  event.preventDefault();
  const { key } = open;
  try {
    const facts = written();
    const given = Object.entries(facts).filter(([, fact]) => fact !== null);
    const answer = key
      ? await write(`/${key.id}`, "PATCH", facts)
      : await write("", "POST", Object.fromEntries(given));
    byId("key").close();
    await act(() => answer, `Saved ${answer.name}`);
  } catch (error) {
    byId("key-fault").textContent = error.message;
  }
}

export function keys() {
  byId("make").addEventListener("click", () => edit());
  byId("key-form").addEventListener("submit", save);
  byId("key-cancel").addEventListener("click", () => byId("key").close());
  byId("find").addEventListener("change", () => showKeys());
  byId("more-keys").addEventListener("click", () => showKeys(true));
  byId("copy-secret").addEventListener(
    "click",
    async () => tellOfKeys(await copyText(byId("secret").textContent)),
  );
}
