/** How long files and functions may be. */
import { assertEquals } from "@std/assert";
import { ROOT } from "./bundle.ts";

const MOST_LINES = { file: 350, function: 60, closure: 120 };

/** What is read: the entries and all that they are made of. */
const ENTRIES = ["mod.ts", "worker.ts", "ai.ts"], FOLDERS = ["cli", "gateway", "providers", "wires"];

async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesIn(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** A function's first and last line, counted from 0. */
interface Span {
  from: number;
  to: number;
  /** It holds functions or methods that share what it keeps, as readers of streams and stores do. */
  isClosure: boolean;
}

const depthOf = (line: string) => line.length - line.trimStart().length;

/** Begins a block that is not a function. */
const BLOCK = /^(?:\} )?(?:catch|class|do|else|export class|finally|for|if|switch|try|while)\b/;

/** A line of an example, as `* fetch(url) {`. */
const COMMENT = /^(?:\*|\/\/)/;

/**
 * The functions of a file that the formatter has written: the line that opens one ends with `{`, and the line that closes it
 * is indented as the one it began with.
 */
function* functionsIn(lines: readonly string[]): Generator<Span> {
  for (const [at, line] of lines.entries()) {
    const text = line.trim();
    if (!/(?:=> \(?|\)(?:: [^=]+)? )\{$/.test(text) || BLOCK.test(text) || COMMENT.test(text)) continue;
    const depth = depthOf(line);
    const closing = lines.findIndex((other, index) =>
      index > at && depthOf(other) === depth && /^\s*\}/.test(other)
    );
    let from = at;
    // The parameters have lines of their own.
    if (text.startsWith(")")) {
      do from--; while (lines[from] === "" || depthOf(lines[from]) > depth);
    }
    if (BLOCK.test(lines[from].trim())) continue;
    const inner = new RegExp(`^ {${depth + 2}}(?:async )?function\\b`);
    const method = new RegExp(`^ {${depth + 4}}(?:async )?\\w+\\([^()]*\\) \\{$`);
    const isClosure = lines.slice(at + 1, closing).some((other) =>
      inner.test(other) || method.test(other) && !BLOCK.test(other.trim())
    );
    yield { from, to: closing, isClosure };
  }
}

/** What is too long in a file, e.g. `wires/x.ts:12 has 70 lines`. */
function tooLong(path: string, source: string): string[] {
  const lines = source.split("\n");
  const found: string[] = [];
  const count = lines.length - 1;
  if (count > MOST_LINES.file) found.push(`${path} has ${count} lines`);
  for (const { from, to, isClosure } of functionsIn(lines)) {
    const length = to - from + 1;
    if (length > MOST_LINES[isClosure ? "closure" : "function"]) {
      found.push(`${path}:${from + 1} has ${length} lines`);
    }
  }
  return found;
}

Deno.test("tooLong() finds functions of each form, with their parameters, and not blocks or tables", () => {
  const body = (depth: number) => `${" ".repeat(depth)}work();\n`.repeat(58);
  const forms = [
    `function f(): void {\n${body(2)}}\n`,
    `export const f = (\n  a: string,\n) => {\n${body(2)}};\n`,
    `const f = {\n  f() {\n${body(4)}  },\n};\n`,
    `export async function* f(\n  a: string,\n): Promise<{ a: string }> {\n${body(2)}}\n`,
    `call(a, (b) => {\n${body(2)}});\n`,
  ];
  for (const form of forms) {
    assertEquals(tooLong("x.ts", form).length, form.includes("a: string,") ? 1 : 0, form.slice(0, 40));
    assertEquals(tooLong("x.ts", form.replace("work", "work();\n  work")).length, 1, form.slice(0, 40));
  }
  const closure = `function f() {\n  function g() {}\n${body(2)}${body(2)}}\n`;
  assertEquals(tooLong("x.ts", closure), []);
  assertEquals(tooLong("x.ts", closure.replace("work", "work();\n  work();\n  work")).length, 1);
  const methods = `function f() {\n  return {\n    g() {\n    },\n${body(4)}  };\n}\n`;
  assertEquals(tooLong("x.ts", methods), []);
  assertEquals(tooLong("x.ts", methods.replace("    g() {", "    if (g) {")).length, 1);
  for (
    const [head, end] of [["const A = {", "}"], ["if (a) {", "}"], ["interface A {", "}"], [
      "for (const a of b()) {",
      "}",
    ]]
  ) {
    assertEquals(tooLong("x.ts", `${head}\n${body(2)}${body(2)}${end}\n`), [], head);
  }
  assertEquals(tooLong("x.ts", "\n".repeat(350)), []);
  assertEquals(tooLong("x.ts", "\n".repeat(351)), ["x.ts has 351 lines"]);
});

Deno.test("no file and no function is longer than the house asks for", async () => {
  const paths = [...ENTRIES];
  for (const folder of FOLDERS) for await (const path of filesIn(folder)) paths.push(path);
  const found: string[] = [];
  for (const path of paths.sort()) found.push(...tooLong(path, await Deno.readTextFile(`${ROOT}/${path}`)));
  assertEquals(found, []);
});
