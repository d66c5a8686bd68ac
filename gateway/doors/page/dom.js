// Elements of the page, and what is kept of it.

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

/** Adds attributes and children; a listener's name begins with `on`. Texts stay texts, whatever they hold. */
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

/** Buttons of which one is chosen. */
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

/** What this tab keeps until it is closed. Some browsers keep nothing. */
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
      // It is asked for again after a reload.
    }
  },
};

/** Asks the gateway. A page behind a path of a front server asks below that path. */
export function ask(path, token, init = {}) {
  const headers = { ...init.headers, ...token && { authorization: `Bearer ${token}` } };
  return fetch(`sluice/api/${path}`, { cache: "no-store", credentials: "omit", ...init, headers });
}

/** What an answer that is an error says. */
export async function faultOf(answer) {
  const body = await answer.json().catch(() => undefined);
  return body?.error?.message ?? `The gateway answered ${answer.status}`;
}
