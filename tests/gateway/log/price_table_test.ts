import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { priceBook } from "../../../gateway/log/prices.ts";
import { configured } from "../../../gateway/serve/configured.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, completion } from "../../fakes.ts";

const tableOf = (input: number) => `{"openai":{"models":{"gpt-4o":{"cost":{"input":${input},"output":0}}}}}`;
const HOUR = 3_600_000;

/** The cost of a request and its source, with these options, after `times` requests. */
async function costs(options: Options, times = 1, answer: Parameters<typeof before>[0] = () => completion()) {
  const rows: LogEntry[] = [];
  const { fetch } = before(answer, { logs: true, log: (row) => void rows.push(row), ...options });
  for (let time = 0; time < times; time++) {
    await (await fetch(ask("openai/gpt-4o"))).text();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return [rows.at(-1)!.cost, rows.at(-1)!.price];
}

/** The lines that are written on standard error during the work. */
async function warned(work: () => Promise<void>): Promise<string[]> {
  const written: string[] = [];
  const { error } = console;
  console.error = (line: string) => void written.push(line);
  try {
    await work();
  } finally {
    console.error = error;
  }
  return written;
}

Deno.test("prices are the options', else the operator's table, else the one that comes with the gateway", async () => {
  assertEquals(await costs({}), [0.0000125, "table"]);
  assertEquals(await costs({ prices: { "openai/gpt-4o": { input: 1e6, output: 0 } } }), [1, "option"]);
  assertEquals(await costs({ priceTable: () => Promise.resolve(tableOf(2e6)) }, 2), [2, "table"]);
  const answer: Parameters<typeof before>[0] = ({ url }) =>
    url.startsWith("https://prices.test/") ? new Response(tableOf(3e6)) : completion();
  assertEquals(await costs({ priceTable: "https://prices.test/api.json" }, 2, answer), [3, "table"]);
});

Deno.test("a request does not wait for the operator's table", async () => {
  assertEquals(await costs({ priceTable: () => new Promise(() => {}) }), [0.0000125, "table"]);
});

Deno.test("a table that cannot be read causes one line without secrets of its URL, and the table before it is used", async () => {
  const huge = () => new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(2 ** 20)) }));
  const cases: [answer: () => Response | Promise<Response>, why: string][] = [
    [() => new Response("<html>"), "it is not JSON"],
    [() => Response.json([]), "it must be"],
    [() => new Response("secret", { status: 403 }), "https://prices.test/api.json answered 403"],
    [
      () => Promise.reject(new Error("offline at key=secret")),
      "https://prices.test/api.json cannot be reached",
    ],
    [huge, "it is longer than 8388608 bytes"],
  ];
  for (const [prices, why] of cases) {
    const written = await warned(async () => {
      const cost = await costs(
        { priceTable: "https://u:secret@prices.test/api.json?key=secret" },
        3,
        ({ url }) => url.includes("prices.test") ? prices() : completion(),
      );
      assertEquals(cost, [0.0000125, "table"], why);
    });
    assertEquals(written.length, 1, why);
    assertStringIncludes(written[0], why);
    assert(!written[0].includes("secret"), written[0]);
  }
});

Deno.test("priceBook() reads the operator's table each day, a failed one each hour, and counts failures", async () => {
  let at = 0, asked = 0;
  let text = () => Promise.resolve(tableOf(1));
  const lines: string[] = [];
  const book = priceBook({
    source: () => {
      asked++;
      return text();
    },
    timer: () => at,
    warn: (line) => void lines.push(line),
  });
  const input = () => book.find("openai", "gpt-4o")?.cost.input;
  await book.refresh();
  assertEquals([asked, input()], [1, 1]);
  text = () => Promise.reject(new Error("offline"));
  for (const [hours, times] of [[23, 1], [24, 2], [24.5, 2], [25, 3], [26, 4]]) {
    at = hours * HOUR;
    await book.refresh();
    assertEquals([asked, input()], [times, 1], `${hours} h`);
  }
  assertEquals(lines, [
    "Cannot read the table of prices: offline; the table before it is used",
    "Cannot read the table of prices (2 times now): offline; the table before it is used",
    "Cannot read the table of prices (3 times now): offline; the table before it is used",
  ]);
  text = () => Promise.resolve(tableOf(7));
  // The clock was set back.
  at = 0;
  await book.refresh();
  assertEquals([asked, input()], [5, 7]);
});

Deno.test("the built-in provider costs nothing, and that is known", async () => {
  const rows: LogEntry[] = [];
  const { fetch } = before(() => completion(), { logs: true, log: (row) => void rows.push(row) });
  const answer = await fetch(ask("demo/echo"));
  assertEquals(answer.headers.get("sluice-cost"), "0; estimate; price=table");
  assertEquals([rows[0].cost, rows[0].price], [0, "table"]);
});

Deno.test("SLUICE_PRICES is costs of single models, a URL, or a file that is read at the start", async () => {
  const opened: string[] = [];
  const start = (SLUICE_PRICES: string, text?: string) => {
    const env: Record<string, string> = { SLUICE_PRICES, SLUICE_LOG: "off" };
    const open = (path: string) => {
      opened.push(path);
      return Promise.resolve(new Response(text).body!);
    };
    return configured((name) => env[name], {
      names: Object.keys(env),
      open: text === undefined ? undefined : open,
    });
  };
  const own = start('{"openai/gpt-4o": {"input": 1, "output": 2}}');
  assertEquals(own.options.prices, { "openai/gpt-4o": { input: 1, output: 2 } });
  assertEquals(start("https://prices.test/api.json").options.priceTable, "https://prices.test/api.json");
  const file = start("prices.json", tableOf(5));
  await file.checkFiles();
  assertEquals(opened, ["prices.json"]);
  assertEquals(file.warnings, []);
  assertEquals(await (file.options.priceTable as () => Promise<string>)(), tableOf(5));
  for (
    const [text, why] of [["nonsense", "it is not JSON"], ["[]", "it must be"], [
      "x".repeat(2 ** 23 + 1),
      "longer",
    ]]
  ) {
    const error = await assertRejects(() => start("prices.json", text).checkFiles(), TypeError);
    assertStringIncludes(error.message, 'Cannot use SLUICE_PRICES: the file "prices.json" cannot be read');
    assertStringIncludes(error.message, why);
  }
  assertStringIncludes(
    assertThrows(() => start("prices.json"), TypeError).message,
    "SLUICE_PRICES: this runtime cannot read files",
  );
  assertStringIncludes(
    assertThrows(() => before(() => completion(), { priceTable: "prices.json" }), TypeError).message,
    "priceTable",
  );
  assertStringIncludes(
    assertThrows(() => start('{"openai/gpt-4o": {"input": -1}}'), TypeError).message,
    "SLUICE_PRICES",
  );
});
