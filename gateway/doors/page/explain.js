// Shows what would be sent, beside the answer of the second part.
import { byId, el } from "./dom.js";
import { count, dollars, target } from "./format.js";
import { step } from "./life.js";

const KEYS = { client: "yours", gateway: "the gateway's", null: "none" };

function rangeOf(estimate) {
  if (!estimate) return undefined;
  const { least, most } = estimate.costUsd;
  if (least === null) return "unknown: no price is known";
  if (least === most) return `${dollars(least)}, an estimate`;
  const range = most === null
    ? `at least ${dollars(least)}; the answer has no limit`
    : `${dollars(least)} to ${dollars(most)}`;
  return `${range}, an estimate`;
}

function sizeOf(estimate) {
  if (!estimate || estimate.inputTokens === null) return undefined;
  const { inputTokens, maxOutputTokens } = estimate;
  const most = maxOutputTokens === null ? "any number" : `at most ${count(maxOutputTokens)}`;
  return `about ${count(inputTokens)} in, ${most} out`;
}

/** Makes the text of a body. */
function bodyOf({ body, bodyNote }) {
  const text = bodyNote ?? (typeof body === "string" ? body : JSON.stringify(body, null, 2));
  return el("pre", { tabindex: "0", role: "region", "aria-label": "Body" }, text);
}

function unsentTo(one, at) {
  const { error, dropped, estimate, requests: [first] } = one;
  const shown = step(`${at + 1}. ${target(one)}`, {
    "Not sent": error?.message,
    To: first && `${first.method} ${first.url}`,
    Headers: first && Object.entries(first.headers).map((header) => header.join(": ")).join("\n"),
    "Only by name": first?.hiddenHeaders.join(", "),
    Key: first && KEYS[first.key],
    "Left out": dropped.map(({ field, why }) => `${field}: ${why}`).join("\n"),
    Tokens: sizeOf(estimate),
    Cost: rangeOf(estimate),
  });
  if (first) shown.append(bodyOf(first));
  return shown;
}

/** Shows an explanation. */
export function showExplanation({ targets }) {
  byId("targets").replaceChildren(...targets.map(unsentTo));
  byId("unsent").hidden = false;
}
