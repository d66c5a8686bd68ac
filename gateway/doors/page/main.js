// Shows the part of the page that the address names, e.g. `#requests/ID`.
import { byId } from "./dom.js";
import { keys, showKeys } from "./keys.js";
import { isOpen, requests, showOperator } from "./requests.js";
import { start } from "./start.js";
import { tryBox } from "./try.js";

const PARTS = ["start", "try", "requests", "keys", "providers"], OPERATOR = ["requests", "keys", "providers"];

function showPart() {
  const [name, id] = location.hash.slice(1).split("/");
  const part = PARTS.includes(name) ? name : "start";
  const isClosed = OPERATOR.includes(part) && !isOpen();
  for (const other of [...PARTS, "operator"]) byId(other).hidden = other !== (isClosed ? "operator" : part);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (isClosed) byId("admin").focus();
  else if (part === "keys") showKeys();
  else if (OPERATOR.includes(part)) showOperator(part, id);
}

start();
tryBox();
requests();
keys();
globalThis.addEventListener("hashchange", showPart);
showPart();
