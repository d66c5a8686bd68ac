// Makes the page's elements, keeps what a tab has to remember, and sends requests to the gateway.

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

/** Adds attributes and children. The name of a listener begins with `on`. A text stays a text, even if it holds markup. */
function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(2).filter((child) => child !== undefined));
  return made;
}

/** Makes an element. */
export const el = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children);

/** Makes an element of a picture. */
export const draw = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

/** Makes buttons of which one is chosen. */
export function choose(place, names, chosen, onChoice) {
  byId(place).replaceChildren(...names.map((name) =>
    el("button", {
      type: "button",
      "aria-pressed": `${name === chosen}`,
      onclick() {
        choose(place, names, name, onChoice);
        [...byId(place).children][names.indexOf(name)].focus();
        onChoice(name);
      },
    }, name)
  ));
}

/** Keeps values until the tab is closed. Some browsers refuse to keep any. */
export const kept = {
  get(name) {
    try {
      return sessionStorage.getItem(`sluice.${name}`) ?? "";
    } catch {
      return "";
    }
  },
  set(name, value) {
    try {
      if (value) sessionStorage.setItem(`sluice.${name}`, value);
      else sessionStorage.removeItem(`sluice.${name}`);
    } catch {
      // The user enters it again after a reload.
    }
  },
};

/** Sends a request to the gateway. If a front server serves the page below a path, the request goes below that path too. */
export function ask(path, token, init = {}) {
  const headers = { ...init.headers, ...token && { authorization: `Bearer ${token}` } };
  return fetch(`sluice/api/${path}`, { cache: "no-store", credentials: "omit", ...init, headers });
}

/** Copies a text, and returns what to say of it. */
export const copyText = (text) =>
  navigator.clipboard?.writeText(text).then(() => "Copied", () => undefined)
    .then((said) => said ?? NO_COPY) ?? Promise.resolve(NO_COPY);

const NO_COPY = "This browser does not let the page copy: select the text";

/** Reads the message of an error. */
export async function faultOf(answer) {
  const body = await answer.json().catch(() => undefined);
  return body?.error?.message ?? `The gateway answered ${answer.status}`;
}
