// Shows the second part: a form that sends one request and streams its answer.
import { ask, byId, el, faultOf, kept } from "./dom.js";
import { showExplanation } from "./explain.js";
import { count, ms } from "./format.js";

let running;

/** Reads the events of a stream. Each is the parsed JSON of its `data`. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    text += value ?? "";
    const lines = text.split(/\r?\n/);
    text = done ? "" : lines.pop();
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data && data !== "[DONE]") yield JSON.parse(data);
    }
    if (done) return;
  }
}

/** Shows the pieces of an answer as they arrive. Returns the answer's tokens, and the time of its first text. */
async function readAnswer(answer) {
  let usage, firstAt;
  for await (const event of eventsOf(answer.body)) {
    if (event.error) throw new Error(event.error.message);
    usage = event.usage ?? usage;
    const { content, ...delta } = event.choices?.[0]?.delta ?? {};
    const thought = delta.reasoning_content ?? delta.reasoning;
    if (thought) {
      byId("thoughts").hidden = false;
      byId("thought").append(thought);
    }
    if (!content) continue;
    firstAt ??= performance.now();
    byId("answer").append(content);
  }
  return { usage, firstAt };
}

const say = (text) => void (byId("asked").textContent = text);

/** Sends the form. */
function askModel(signal, more = {}) {
  const token = byId("token").value.trim();
  kept.set("token", token);
  const body = {
    model: byId("model").value.trim(),
    messages: [{ role: "user", content: byId("message").value }],
    stream: true,
    stream_options: { include_usage: true },
  };
  const headers = { "content-type": "application/json", ...more };
  return ask("chat/completions", token, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** Says something of a request, with a link to its row. */
function sayWithRow(text, answer) {
  say(text);
  const id = answer.headers.get("cf-aig-log-id");
  byId("asked").append(" ", el("a", { href: `#requests/${id}` }, "See its row"));
}

async function explain() {
  say("");
  try {
    const answer = await askModel(undefined, { "sluice-explain": "true" });
    if (!answer.ok) return say(await faultOf(answer));
    showExplanation(await answer.json());
    sayWithRow("Nothing was sent", answer);
  } catch (error) {
    say(`The gateway did not explain: ${error.message}`);
  }
}

async function send(event) {
  event.preventDefault();
  for (const id of ["answer", "thought", "asked"]) byId(id).replaceChildren();
  byId("thoughts").hidden = true;
  running = new AbortController();
  byId("stop").disabled = false;
  byId("send").disabled = true;
  const begun = performance.now();
  try {
    const answer = await askModel(running.signal);
    if (!answer.ok) return say(await faultOf(answer));
    const { usage, firstAt } = await readAnswer(answer);
    const facts = [
      `${answer.headers.get("cf-aig-provider")}/${decodeURIComponent(answer.headers.get("cf-aig-model"))}`,
      ms(performance.now() - begun),
      firstAt && `first text after ${ms(firstAt - begun)}`,
      usage && `${count(usage.prompt_tokens)} tokens in, ${count(usage.completion_tokens)} out`,
    ];
    sayWithRow(facts.filter(Boolean).join(", "), answer);
  } catch (error) {
    say(running.signal.aborted ? "Stopped" : `The answer broke off: ${error.message}`);
  } finally {
    byId("stop").disabled = true;
    byId("send").disabled = false;
  }
}

async function load() {
  const say = (text) => void (byId("loaded").textContent = text);
  const token = byId("token").value.trim();
  kept.set("token", token);
  say("…");
  try {
    const answer = await ask("models", token);
    if (!answer.ok) return say(await faultOf(answer));
    const { data } = await answer.json();
    byId("models").replaceChildren(...data.map(({ id }) => el("option", { value: id })));
    say(`${count(data.length)} models to choose from, above`);
  } catch {
    say("The gateway cannot be reached");
  }
}

export function tryBox() {
  byId("token").value = kept.get("token");
  byId("ask").addEventListener("submit", send);
  byId("explain").addEventListener("click", explain);
  // An explanation of another request would mislead.
  byId("ask").addEventListener("input", () => byId("unsent").hidden = true);
  byId("stop").addEventListener("click", () => running.abort());
  byId("load").addEventListener("click", load);
}
