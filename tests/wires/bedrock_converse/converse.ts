/** A client of chat completions before a strict Converse. */
import { assertEquals } from "@std/assert";
import { type Json, lab } from "../../acceptance/lab.ts";
import { strictConverse } from "../../acceptance/strict_converse.ts";

// deno-lint-ignore no-explicit-any -- Bodies in Amazon's form.
export type Any = any;

export const CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
export const NOVA = "amazon.nova-pro-v1:0";
export const USER = { role: "user", content: "Hello" };
export const WEATHER = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};

/** A conversation with a tool's result. */
export const talk = (
  args = '{"city":"Ulm"}',
  result: unknown = "Rain",
  id = "tooluse_1",
  name = "weather",
): Any[] => [
  USER,
  {
    role: "assistant",
    content: null,
    tool_calls: [{ id, type: "function", function: { name, arguments: args } }],
  },
  { role: "tool", tool_call_id: id, content: result },
];

export const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

export const fileOf = (filename: string, mime = "application/pdf", data = "JVBERi0xLjQK") => ({
  type: "file",
  file: { filename, file_data: `data:${mime};base64,${data}` },
});

/** What the wire sends for a chat client's body, to a Converse that would refuse what the real one refuses. */
export async function write(
  body: Json,
  model = CLAUDE,
): Promise<Any & { dropped: string[]; answer: Any; headers: Headers; path: string }> {
  const { asked, post } = lab(strictConverse([[{ text: "Hi" }]]).play);
  const response = await post({
    model: `aws-bedrock/us-east-1/converse/${model}`,
    messages: [USER],
    ...body,
  });
  const answer = await response.json();
  assertEquals([response.status, answer.error?.message], [200, undefined]);
  const names = response.headers.get("sluice-dropped");
  const [{ body: sent, headers, url }] = asked;
  return { ...sent, dropped: names ? names.split(", ") : [], answer, headers, path: url.pathname };
}

/** What is sent beside the conversation. */
export async function settings(body: Json, model?: string): Promise<Any> {
  const { messages: _, answer: __, headers: ___, path: ____, ...rest } = await write(body, model);
  return rest;
}
