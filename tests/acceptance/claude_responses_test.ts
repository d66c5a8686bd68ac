/** Claude's answers through a client of Responses: each block comes back as it was, in its order. */
import { assertEquals } from "@std/assert";
import { type Json, lab } from "./lab.ts";
import { readResponseStream } from "./responses_events.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import type { Block } from "./strict_anthropic_rules.ts";

const think = (thinking: string): Block => ({
  type: "thinking",
  thinking,
  signature: btoa(`signed ${thinking}`),
});
const say = (text: string, ...citations: Json[]): Block => ({
  type: "text",
  text,
  ...(citations.length > 0 && { citations }),
});
const use = (id: number, caller?: Json): Block => ({
  type: "tool_use",
  id: `toolu_${id}`,
  name: "f",
  input: { n: id },
  ...(caller && { caller }),
});
const ran = (name: string, id: string, input: Json): Block => ({ type: "server_tool_use", id, name, input });
const searched = (id: string): Block[] => [
  ran("web_search", id, { query: "q" }),
  {
    type: "web_search_tool_result",
    tool_use_id: id,
    content: [{
      type: "web_search_result",
      url: "https://e.test",
      title: "E",
      encrypted_content: "c2VhbGVk",
      page_age: null,
    }],
  },
];
const coded: Block[] = [
  ran("code_execution", "srvtoolu_c", { code: "1" }),
  {
    type: "code_execution_tool_result",
    tool_use_id: "srvtoolu_c",
    content: { type: "code_execution_result", stdout: "1", stderr: "", return_code: 0, content: [] },
  },
];
const found = (encrypted_index: string, title: string | null = "E"): Json => ({
  type: "web_search_result_location",
  cited_text: "x",
  encrypted_index,
  title,
  url: "https://e.test",
});
const read = (document_title: string | null): Json => ({
  type: "char_location",
  cited_text: "x",
  document_index: 0,
  document_title,
  end_char_index: 1,
  start_char_index: 0,
});
const BY_CODE = { type: "code_execution_20260120", tool_id: "srvtoolu_c" };
const CONTAINER = { id: "container_1", expires_at: "2099-01-01T00:00:00Z" };

/** Answers whose blocks stand otherwise than thoughts, one text, calls; or hold what Responses have no place for. */
const ANSWERS: Record<string, [content: Block[], container?: Json]> = {
  "a text between two calls": [[think("a"), use(1), say("mid"), use(2)]],
  "a text behind a call": [[think("a"), use(1), say("after")]],
  "a thought between two calls": [[think("a"), use(1), think("b"), use(2)]],
  "thoughts behind texts": [[think("a"), say("x"), think("b"), say("y"), think("c"), use(1)]],
  "thoughts, texts and calls by turns": [
    [think("a"), say("x"), think("b"), use(1), think("c"), say("y"), use(2), say("z")],
  ],
  "sources of a search": [[think("a"), ...searched("srvtoolu_1"), say("x", found("aQ=="))]],
  "sources of two searches": [[
    think("a"),
    say("first"),
    ...searched("srvtoolu_1"),
    say("x", found("aQ=="), found("ag==")),
    say(" and "),
    say("😀", found("aw==", null)),
    think("b"),
    ...searched("srvtoolu_2"),
    say("y", found("bA==")),
    use(1),
  ]],
  "sources in documents": [[think("a"), say("x", read("D")), say(" y "), say("z", read(null))]],
  "code that ran": [[think("a"), ...coded, say("done")], CONTAINER],
  "code that calls": [[think("a"), coded[0], use(1, BY_CODE), use(2, BY_CODE)], CONTAINER],
};

const FUNCTION = { type: "function", name: "f", parameters: { type: "object", properties: {} } };

for (const [what, [content, container]] of Object.entries(ANSWERS)) {
  for (const stream of [false, true]) {
    Deno.test(`Claude gets ${what} back from a client of Responses, ${stream ? "streamed" : "whole"}`, async () => {
      const { gateway, asked } = lab(strictAnthropic([content, [say("ok")]], container).play);
      const respond = async (input: Json[], headers = {}): Promise<Json[]> => {
        const response = await gateway.fetch(
          new Request("http://gateway.test/v1/responses", {
            method: "POST",
            headers: { "content-type": "application/json", authorization: "Bearer key", ...headers },
            body: JSON.stringify({ model: "anthropic/claude-opus-5-5", input, stream, tools: [FUNCTION] }),
          }),
        );
        const text = await response.text();
        assertEquals(response.status, 200, text);
        if (!stream) return JSON.parse(text).output;
        const { events } = readResponseStream(text);
        return events.filter(({ type }) => type === "response.output_item.done").map(({ item }) =>
          item as Json
        );
      };
      const first = [{ role: "user", content: "Go" }];
      const output = await respond(first);
      const results = output.filter(({ type }) => type === "function_call").map(({ call_id }) => ({
        type: "function_call_output",
        call_id,
        output: "done",
      }));
      const more = results.length > 0 ? results : [{ role: "user", content: "More" }];
      // Nothing of it is lost.
      await respond([...first, ...output, ...more], { "sluice-strict": "true" });
      const { messages, container: id } = asked[1].body as { messages: Json[]; container?: string };
      assertEquals(messages.map(({ role }) => role), ["user", "assistant", "user"]);
      assertEquals(messages[1].content, content);
      assertEquals(id, container?.id);
    });
  }
}

Deno.test("a message of the assistant's behind a call, and before its result, is of the call's turn on every wire", async () => {
  const { gateway, asked } = lab(() => Response.json({ choices: [{ message: { content: "ok" } }] }));
  const call = (id: string) => ({ type: "function_call", call_id: id, name: "f", arguments: "{}" });
  const result = (id: string) => ({ type: "function_call_output", call_id: id, output: id });
  const input = [
    { role: "user", content: "Go" },
    call("c1"),
    { role: "assistant", content: "mid" },
    call("c2"),
    result("c1"),
    result("c2"),
    { role: "assistant", content: "next" },
    call("c3"),
    result("c3"),
  ];
  const response = await gateway.fetch(
    new Request("http://gateway.test/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "cerebras/m", input }),
    }),
  );
  await response.body?.cancel();
  const told = (asked[0].body.messages as Json[]).map(({ role, content, tool_calls, tool_call_id }) =>
    [role, content, (tool_calls as Json[] | undefined)?.map(({ id }) => id) ?? tool_call_id].flat()
  );
  assertEquals(told, [
    ["user", "Go", undefined],
    ["assistant", "mid", "c1", "c2"],
    ["tool", "c1", "c1"],
    ["tool", "c2", "c2"],
    ["assistant", "next", "c3"],
    ["tool", "c3", "c3"],
  ]);
});
