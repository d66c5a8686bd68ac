/** Providers that keep a connection alive with blank lines before a whole answer, as DeepSeek does for minutes. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import { ask, before, clock, completion, message, messageOf, post } from "../../fakes.ts";

/** A provider that sends pieces, some seconds before each; the last one once a test says so. */
function slow(parts: [seconds: number, text: string][], options: Options = {}) {
  const time = clock();
  const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
  const body = () => {
    const left = [...parts];
    return new ReadableStream({
      async pull(controller) {
        const part = left.shift();
        if (!part) return controller.close();
        if (left.length === 0) await resumed;
        time.pass(part[0] * 1000);
        controller.enqueue(new TextEncoder().encode(part[1]));
      },
    }, { highWaterMark: 0 });
  };
  const headers = { "content-type": "application/json" };
  const { fetch } = before(() => new Response(body(), { headers }), { ...time.options, ...options });
  return { fetch, resume };
}

const ANSWERS: [string, () => Request, () => Response][] = [
  ["chat", () => ask("deepseek/m"), completion],
  ["messages", () =>
    post("http://gateway.test/v1/messages", {
      model: "deepseek/m",
      max_tokens: 9,
      messages: [{ role: "user", content: "Hi" }],
    }), message],
];

for (const [name, request, answer] of ANSWERS) {
  Deno.test(`blank lines that go on for ten seconds reach the client before the answer (${name})`, async () => {
    const text = await answer().text();
    for (const options of [{}, { log() {} }, { requestTimeoutMs: 900_000 }]) {
      const { fetch, resume } = slow([[4, "\n"], [4, "\r\n"], [8, " \n"], [4, text]], options);
      const response = await fetch(request());
      const reader = response.body!.getReader();
      const { value } = await reader.read();
      assertEquals([response.status, new TextDecoder().decode(value).trim()], [200, ""]);
      assert(value!.length > 0);
      resume();
      let rest = "";
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        rest += new TextDecoder().decode(next.value);
      }
      assertEquals(JSON.parse(rest), JSON.parse(text));
    }
  });
}

Deno.test("blank lines of a few seconds are held, and what follows them is checked", async () => {
  const { fetch, resume } = slow([[4, "\n"], [4, "\n"], [1, "[]"]]);
  resume();
  const response = await fetch(ask("deepseek/m"));
  assertEquals([response.status, (await response.json()).error.code], [502, "2005"]);
});

Deno.test("an answer that begins late is still read to its end before it is passed on", async () => {
  const { fetch, resume } = slow([[60, "["], [4, " "], [4, "]"]]);
  resume();
  assertEquals((await fetch(ask("deepseek/m"))).status, 502);
});

Deno.test("blanks without an end are passed on by their bytes too", async () => {
  const { fetch } = slow([[0, " ".repeat(70_000)], [1, "never"]]);
  const response = await fetch(ask("deepseek/m"));
  assertEquals([response.status, (await response.body!.getReader().read()).value!.length], [200, 70_000]);
});

Deno.test("an answer of blanks alone is no answer, whenever it ends", async () => {
  const rows: LogEntry[] = [];
  const { fetch, resume } = slow([[4, "\n"], [20, "\n"], [20, "\n"]], { log: (row) => void rows.push(row) });
  const response = await fetch(ask("deepseek/m"));
  resume();
  assertEquals(response.status, 200);
  await assertRejects(() => response.text());
  assertEquals(rows.map((row) => [row.level, messageOf(row)]), [
    ["error", "deepseek answered 200 with an empty body"],
  ]);
});

Deno.test("the same request for a stream: blanks before a whole answer under any JSON label", async () => {
  const text = await completion().text();
  const { fetch, resume } = slow([[4, "\n"], [20, "\n"], [20, text]]);
  const response = await fetch(ask("deepseek/m", {}, { stream: true }));
  resume();
  assertEquals([response.status, (await response.text()).trim()], [200, text]);
});
