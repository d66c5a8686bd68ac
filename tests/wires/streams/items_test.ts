import { assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { type ItemDelta, itemSteps, type ItemWriter, jsonEnd } from "../../../wires/streams/items.ts";
import type { Delta } from "../../../wires/types.ts";

/** Writes each step on a line: what opens, what is added, and what closes. */
function recorder(): ItemWriter & { steps: string[] } {
  const steps: string[] = [];
  const said = (delta: ItemDelta): string => {
    switch (delta.type) {
      case "text":
      case "refusal":
      case "args":
        return delta.text;
      case "thought":
        return delta.text ?? `<${delta.signature}>`;
      case "citation":
        return `[${delta.citation.url}]`;
      case "tool":
        return `${delta.id} ${delta.name}`;
      default:
        return delta.type;
    }
  };
  const write = (line: string) => {
    steps.push(line);
    return `${line}\n`;
  };
  return {
    steps,
    open: (first) => write(first.type === "tool" ? `open tool ${said(first)}` : `open ${first.type}`),
    piece: (delta) => write(said(delta)),
    close: () => write("close"),
  };
}

function run(deltas: Delta[]): string[] {
  const { steps, ...writer } = recorder();
  const items = itemSteps(writer);
  let out = "";
  for (const delta of deltas) out += items.delta(delta);
  out += items.end();
  assertEquals(out, steps.map((line) => `${line}\n`).join(""), "all text is handed out, in order");
  return steps;
}

const text = (text: string, choice = 0): Delta => ({ type: "text", choice, text });
const think = (text: string, block = 0): Delta => ({ type: "thought", choice: 0, block, text });
const tool = (index: number, custom?: true): Delta => ({
  type: "tool",
  choice: 0,
  index,
  id: `c${index}`,
  name: "f",
  custom,
});
const args = (index: number, text: string): Delta => ({ type: "args", choice: 0, index, text });

Deno.test("itemSteps() opens and closes at each change of kind, and loses no first piece", () => {
  assertEquals(run([think("a"), think("b"), text("c"), text(""), text("d"), think("e", 1), text("f")]), [
    ...["open thought", "a", "b", "close"],
    ...["open text", "c", "d", "close"],
    ...["open thought", "e", "close"],
    ...["open text", "f", "close"],
  ]);
});

Deno.test("itemSteps() separates thoughts of different blocks, and ends a block with its signature", () => {
  const sign: Delta = { type: "thought", choice: 0, block: 0, signature: "s" };
  assertEquals(run([think("a"), sign, think("b", 1)]), [
    ...["open thought", "a", "<s>", "close"],
    ...["open thought", "b", "close"],
  ]);
});

Deno.test("itemSteps() opens the next item at once after a complete tool call", () => {
  const { steps, ...writer } = recorder();
  const items = itemSteps(writer);
  for (const delta of [tool(0), args(0, '{"a":'), args(0, '"}"}'), tool(1), args(1, "{")]) items.delta(delta);
  assertEquals(steps, ["open tool c0 f", '{"a":', '"}"}', "close", "open tool c1 f", "{"]);
});

Deno.test("itemSteps() holds back what begins behind an unfinished tool call", () => {
  assertEquals(
    run([tool(0), tool(1), args(0, "{"), args(1, "{"), text("x"), args(0, "}"), args(1, "}"), text("y")]),
    [
      ...["open tool c0 f", "{", "}", "close"],
      ...["open tool c1 f", "{", "}", "close"],
      ...["open text", "x", "y", "close"],
    ],
  );
});

Deno.test("itemSteps() writes held items at the end if a tool call is never complete", () => {
  assertEquals(run([tool(0), tool(1), tool(2), args(2, "{}"), text("x")]), [
    ...["open tool c0 f", "close"],
    ...["open tool c1 f", "close"],
    ...["open tool c2 f", "{}", "close"],
    ...["open text", "x", "close"],
  ]);
});

Deno.test("itemSteps() closes a custom tool's free text when something else begins", () => {
  assertEquals(run([tool(0, true), args(0, "{ free"), text("x")]), [
    ...["open tool c0 f", "{ free", "close"],
    ...["open text", "x", "close"],
  ]);
});

Deno.test("itemSteps() writes server tools and images as items of their own", () => {
  const search: Delta = {
    type: "server_tool",
    choice: 0,
    serverCall: { kind: "web_search", input: { query: "q" } },
  };
  const image: Delta = { type: "image", choice: 0, media: { url: "https://a.example/i.png" } };
  const cited: Delta = { type: "citation", choice: 0, citation: { url: "u", title: "", start: 0, end: 1 } };
  assertEquals(run([text("a"), search, text("b"), cited, image, cited]), [
    ...["open text", "a", "close", "open server_tool", "close"],
    ...["open text", "b", "[u]", "close", "open image", "close"],
    ...["open citation", "[u]", "close"],
  ]);
});

Deno.test("itemSteps() writes only the first choice", () => {
  assertEquals(run([text("a"), text("no", 1), text("b")]), ["open text", "a", "b", "close"]);
});

Deno.test("itemSteps() holds no more than its bound", () => {
  const { steps, ...writer } = recorder();
  const items = itemSteps(writer);
  items.delta(tool(0));
  const piece = "x".repeat(2 ** 20);
  for (let count = 0; count < 17; count++) items.delta(text(piece));
  assertEquals(steps.slice(0, 3), ["open tool c0 f", "close", "open text"]);
});

Deno.test("jsonEnd() finds the end of an object wherever its text is cut", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
    const text = JSON.stringify(value);
    const at = cut % text.length;
    const end = jsonEnd();
    end.push(text.slice(0, at));
    assertEquals(end.isWhole(), false);
    end.push(text.slice(at));
    assertEquals(end.isWhole(), true);
  }));
});

Deno.test("itemSteps() writes each tool call's arguments completely, however they are interleaved", () => {
  const list = fc.array(fc.dictionary(fc.string(), fc.string()), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(list, fc.array(fc.nat({ max: 4 })), (inputs, turns) => {
    const texts = inputs.map((input) => JSON.stringify(input));
    const left = texts.map((text) => [...text]);
    const deltas: Delta[] = texts.map((_, index) => tool(index));
    for (const turn of turns) {
      const piece = left[turn]?.splice(0, 3).join("");
      if (piece) deltas.push(args(turn, piece));
    }
    left.forEach((rest, index) => deltas.push(args(index, rest.join(""))));
    const steps = run(deltas).join("\n").split("close");
    assertEquals(steps.length - 1, texts.length);
    texts.forEach((text, index) => {
      assertEquals(steps[index].replaceAll("\n", ""), `open tool c${index} f${text.replaceAll("\n", "")}`);
    });
  }));
});

Deno.test("itemSteps() passes over empty texts and refusals, and over no thought that has a signature alone", () => {
  const refuse = (text: string): Delta => ({ type: "refusal", choice: 0, text });
  assertEquals(run([text(""), refuse(""), text("a"), refuse(""), text("b")]), [
    "open text",
    "a",
    "b",
    "close",
  ]);
  const signed: Delta = { type: "thought", choice: 0, block: 0, text: "", signature: "s" };
  assertEquals(run([signed]), ["open thought", "", "close"]);
});
