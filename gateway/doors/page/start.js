// Shows the first part: the gateway's address, and how to send a first request.
import { byId, choose, copyText, el } from "./dom.js";

const address = (location.origin + location.pathname).replace(/\/+$/, "");

const openai = `OpenAI(base_url="${address}/v1", api_key="YOUR KEY OR TOKEN")`;

const SNIPPETS = {
  curl: `curl ${address}/v1/chat/completions \\
  -H 'content-type: application/json' \\
  -d '{"model": "demo/echo", "messages": [{"role": "user", "content": "Hello"}]}'`,
  Python: `from openai import OpenAI

client = ${openai}
answer = client.chat.completions.create(
    model="demo/echo",
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`,
  TypeScript: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${address}/v1", apiKey: "YOUR KEY OR TOKEN" });
const answer = await client.chat.completions.create({
  model: "demo/echo",
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);`,
  "Claude Code": `export ANTHROPIC_BASE_URL=${address}
export ANTHROPIC_AUTH_TOKEN=YOUR_KEY_OR_TOKEN
export ANTHROPIC_MODEL=PROVIDER/MODEL
claude`,
};

const ADDRESSES = {
  "OpenAI's SDKs": `${address}/v1`,
  "Anthropic's SDKs": address,
  "Cloudflare AI Gateway's clients": `${address}/v1/{account}/{gateway}`,
};

export function start() {
  byId("addresses").append(
    ...Object.entries(ADDRESSES).flatMap((
      [name, url],
    ) => [el("dt", {}, name), el("dd", {}, el("code", {}, url))]),
  );
  const show = (name) => {
    byId("snippet").textContent = SNIPPETS[name];
    byId("copied").textContent = "";
  };
  choose("languages", Object.keys(SNIPPETS), "curl", show);
  show("curl");
  byId("copy").addEventListener("click", async () => {
    byId("copied").textContent = await copyText(byId("snippet").textContent);
  });
}
