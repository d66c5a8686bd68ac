/** Inputs with a fixed form in the code of providers. Each is recognised exactly in its form, without text before or behind it. */
import { assertEquals } from "@std/assert";
import { serveDemo } from "../../providers/demo/demo.ts";
import { exampleOf } from "../../providers/demo/example.ts";
import { ask, before, completion } from "../fakes.ts";

Deno.test("demo has status-{code} and slow-{ms}, and no model that only holds such a name", async () => {
  const statuses: Record<string, number> = {
    "status-400": 400,
    "status-599": 599,
    "status-399": 404,
    "status-600": 404,
    "status-0400": 400,
    "status-4000": 404,
    "status-429x": 404,
    "xstatus-429": 404,
    "status-429-1": 404,
    "slow-1": 200,
    "slow-0": 404,
    "slow-1x": 404,
    "xslow-1": 404,
    "slow-1234567": 404,
  };
  for (const [model, status] of Object.entries(statuses)) {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });
    const response = await serveDemo(
      new Request("https://demo.invalid/chat/completions", { method: "POST", body }),
    );
    await response.body?.cancel();
    assertEquals(response.status, status, model);
  }
});

Deno.test("Mistral gets ids of nine letters and digits unchanged, and any other id rewritten", async () => {
  const idOf = async (id: string) => {
    const messages = [
      { role: "user", content: "Go" },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: id, content: "1" },
    ];
    const { fetch, sent } = before(() => completion());
    await (await fetch(ask("mistral/m", {}, { messages }))).body?.cancel();
    const [, { tool_calls }, { tool_call_id }] = JSON.parse(sent[0].body).messages;
    assertEquals(tool_calls[0].id, tool_call_id);
    return tool_call_id;
  };
  for (const id of ["D681PevKs", "000000000"]) assertEquals(await idOf(id), id);
  for (const id of ["D681PevK", "D681PevKsX", "XD681PevKs", "D681PevK_", "-681PevKs"]) {
    const sent = await idOf(id);
    assertEquals([sent === id, /^[a-zA-Z0-9]{9}$/.test(sent)], [false, true], id);
  }
});

Deno.test("exampleOf() obeys the narrower of two limits", () => {
  const cases: [object, object, unknown][] = [
    [{ minimum: 2 }, { minimum: 5 }, 5],
    [{ exclusiveMinimum: 5 }, { exclusiveMinimum: 2 }, 6],
    [{ minimum: -9, maximum: -5 }, { maximum: -7 }, -7],
    [{ minimum: -9, exclusiveMaximum: -7 }, { exclusiveMaximum: -5 }, -8],
  ];
  for (const [one, two, value] of cases) {
    const schema = { type: "integer", allOf: [one, two] };
    assertEquals(exampleOf(schema, "Hi"), value, JSON.stringify(schema));
  }
  assertEquals(exampleOf({ type: "string", allOf: [{ maxLength: 5 }, { maxLength: 2 }] }, "Hello"), "He");
  const list = { type: "array", items: { type: "integer" }, allOf: [{ minItems: 1 }, { minItems: 2 }] };
  assertEquals((exampleOf(list, "Hi") as unknown[]).length, 2);
});
