import { assertEquals } from "@std/assert";
import { before, completion, post } from "../../fakes.ts";

const LONG = "x".repeat(300 * 1024);

/** The body that OpenAI gets for a client's body, as text. */
async function sentFor(body: string): Promise<{ text: string; dropped: string | null }> {
  const { fetch, sent } = before(() => completion());
  const response = await fetch(post("http://gateway.test/v1/chat/completions", body));
  assertEquals(response.status, 200, await response.clone().text());
  return { text: sent[0].body, dropped: response.headers.get("sluice-dropped") };
}

/** Members of a body that must not change, in unusual JSON. `%` stands for the text of a message. */
const STAYING =
  `"messages" : [{"role":"user","content":"h\\u00e9 \\/ 👋 %"}],\n "x_field": {"a":[1.50, 2e3,"temperature"]} `;

Deno.test("OpenAI's row changes the members that it must and leaves the rest byte for byte, however long", async () => {
  const cases: [name: string, before: string, after: string, dropped: string | null][] = [
    [
      "first",
      `{"max_tokens" : 5.0, "model":"openai/gpt-5-mini",${STAYING}}`,
      `{"max_completion_tokens" : 5.0, "model":"gpt-5-mini",${STAYING}}`,
      null,
    ],
    [
      "last",
      `{"model":"openai/gpt-5-mini",${STAYING}, "temperature":0.20}`,
      `{"model":"gpt-5-mini",${STAYING}}`,
      "temperature",
    ],
    [
      "neighbours",
      `{"temperature":0.2,"top_p":0.5 , "stop":["a"],"model":"openai/gpt-5-mini","logprobs":true,\n"top_logprobs":1,${STAYING},"seed":1,"stop_x":1}`,
      `{"model":"gpt-5-mini",${STAYING},"seed":1,"stop_x":1}`,
      "logprobs, temperature, top_logprobs, top_p, stop",
    ],
    [
      "both limits",
      `{"max_completion_tokens":7,${STAYING},"model":"openai/o3","max_tokens":5}`,
      `{"max_completion_tokens":7,${STAYING},"model":"o3"}`,
      null,
    ],
    [
      "nothing to change but the model",
      `{ "model" : "openai/gpt-5-mini" ,${STAYING},"temperature":1.0,"top_p":1}`,
      `{ "model" : "gpt-5-mini" ,${STAYING},"temperature":1.0,"top_p":1}`,
      null,
    ],
    [
      "another generation",
      `{"model":"openai/gpt-4o",${STAYING},"temperature":0.20, "max_tokens":5}`,
      `{"model":"gpt-4o",${STAYING},"temperature":0.20, "max_tokens":5}`,
      null,
    ],
  ];
  for (const [name, body, expected, dropped] of cases) {
    for (const text of ["", LONG]) {
      const fill = (json: string) => json.replace("%", () => text);
      const sent = await sentFor(fill(body));
      assertEquals(sent.text, fill(expected), `${name}, ${text.length}`);
      assertEquals(sent.dropped, dropped, name);
    }
  }
});

Deno.test("OpenAI's row parses a body anew where a key is written twice or with escapes", async () => {
  const messages = [{ role: "user", content: "Hello" }];
  for (const member of [`"temperature":0.1,"temperature":0.2`, `"t\\u0065mperature":0.2`]) {
    const body = `{"model":"openai/gpt-5-mini","max_tokens":5,${member},"messages":${
      JSON.stringify(messages)
    }}`;
    for (const text of [body, body.replace("Hello", LONG)]) {
      const sent = await sentFor(text);
      const { messages: _, ...rest } = JSON.parse(sent.text);
      assertEquals(rest, { model: "gpt-5-mini", max_completion_tokens: 5 });
      assertEquals(sent.dropped, "temperature");
    }
  }
});

Deno.test("the settings of OpenAI's models are left alone on every other row", async () => {
  const { fetch, sent } = before(() => completion());
  const rest = `,"max_tokens":5,"temperature":0.2,"stop":["a"],"messages":[{"role":"user","content":"Hi"}]}`;
  for (const row of ["openrouter/openai", "vercel/openai", "vllm", "lmstudio", "github/openai", "ollama"]) {
    await fetch(post("http://gateway.test/v1/chat/completions", `{"model":"${row}/gpt-5-mini"${rest}`));
    const model = row.includes("/") ? "openai/gpt-5-mini" : "gpt-5-mini";
    assertEquals(sent.at(-1)!.body, `{"model":"${model}"${rest}`, row);
  }
});
