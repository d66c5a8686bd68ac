/** Providers that speak a client's format without all of its tools, each with the refusal that its users reported. */
import { assert, assertEquals } from "@std/assert";
import { type Asked, type Json, lab, type Play } from "./lab.ts";
import { strictOpenAI } from "./strict_openai.ts";

const SCHEMA = { type: "object", properties: { path: { type: "string" } } };
const READ = { type: "function", name: "read", parameters: SCHEMA };

const typesOf = ({ body }: Asked) => (body.tools as Json[]).map(({ type }) => type ?? "custom");

const refused = (message: string) => Response.json({ error: { message } }, { status: 400 });

/** A server that takes tools of these types below a path and refuses all others; its chat completions call one tool. */
function server(path: string, taken: string[], name: string): Play {
  const chat = strictOpenAI([{ calls: [{ id: "call_1", name, args: { path: "a" } }] }]).play;
  return (asked) => {
    if (!asked.url.pathname.endsWith(path)) return chat(asked);
    if (!typesOf(asked).every((type) => taken.includes(String(type)))) {
      return refused("'type' of tool must be 'function'");
    }
    return path === "/responses"
      ? Response.json({ id: "resp_1", object: "response", status: "completed", output: [] })
      : Response.json({
        id: "msg_1",
        type: "message",
        role: "assistant",
        content: [],
        stop_reason: "end_turn",
      });
  };
}

/** Sends a request and returns the path that the server was asked at, the tools that it got, and the answer. */
async function ask(play: Play, path: string, body: Json) {
  const { gateway, asked } = lab(play);
  const answer = await gateway.fetch(
    new Request(`http://gateway.test/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify(body),
    }),
  );
  const text = await answer.text();
  assertEquals(answer.status, 200, text);
  return { at: asked[0]?.url.pathname, sent: asked[0]?.body, json: JSON.parse(text) as Json };
}

/** The kinds of tools on Responses that each server takes, as its documentation or its refusals have it. */
const RESPONSES: Record<string, string[]> = {
  fireworks: ["function", "mcp"],
  groq: ["function", "mcp", "browser_search", "code_interpreter"],
  huggingface: ["function", "mcp"],
  llamacpp: ["function"],
  lmstudio: ["function", "mcp"],
  ollama: ["function", "web_search"],
  vllm: ["function", "mcp", "web_search_preview", "code_interpreter"],
};

for (const [name, taken] of Object.entries(RESPONSES)) {
  Deno.test(`${name} gets the tools of Codex that its Responses do not take as functions`, async () => {
    const base = { model: `${name}/m`, input: "Read it" };
    for (const type of taken) {
      const tools = [READ, { ...READ, type }];
      const { at, sent } = await ask(server("/responses", taken, "read"), "responses", { ...base, tools });
      assert(at?.endsWith("/responses"), at);
      assertEquals(sent?.tools, tools);
    }
    const space = { type: "namespace", name: "files", description: "Files", tools: [READ] };
    const patch = { type: "custom", name: "apply_patch", description: "Patches" };
    const called = await ask(server("/responses", taken, "files__read"), "responses", {
      ...base,
      tools: [space],
    });
    assert(called.at?.endsWith("/chat/completions"), called.at);
    const [call] = called.json.output as Json[];
    assertEquals([call.type, call.namespace, call.name], ["function_call", "files", "read"]);
    const patched = await ask(server("/responses", taken, "apply_patch"), "responses", {
      ...base,
      tools: [patch],
    });
    assertEquals((patched.json.output as Json[])[0].type, "custom_tool_call");
  });
}

Deno.test("a server that runs no tools gets only the client's own tools of Messages", async () => {
  const own = { name: "read", description: "Reads", input_schema: SCHEMA };
  const search = { type: "web_search_20250305", name: "web_search" };
  const base = { max_tokens: 100, messages: [{ role: "user", content: "Read it" }] };
  for (const name of ["llamacpp", "lmstudio", "vllm"]) {
    const send = (tools: Json[]) =>
      ask(server("/messages", ["custom"], "read"), "messages", { model: `${name}/m`, ...base, tools });
    assert((await send([own, { ...own, name: "write", type: "custom" }])).at?.endsWith("/messages"), name);
    const mixed = await send([own, search]);
    assert(mixed.at?.endsWith("/chat/completions"), mixed.at);
    assertEquals((mixed.json.content as Json[])[0].type, "tool_use");
    // A search alone is answered without the server, which has none.
    const [, found] = (await send([search])).json.content as Json[];
    assertEquals(found.type, "web_search_tool_result");
  }
});
