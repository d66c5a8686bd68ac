/** The examples in the documentation of what `mod.ts`, `ai.ts` and `worker.ts` export run as they are printed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "./bundle.ts";

/** The part of `deno doc --json` that is read here. */
interface Documentation {
  nodes: Record<string, { symbols?: { name: string; declarations: Declaration[] }[] }>;
}

interface Declaration {
  declarationKind: string;
  location: { filename: string };
  jsDoc?: { tags?: { kind: string }[] };
}

async function deno(args: string[]): Promise<{ success: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + (success ? "" : decoder.decode(stderr)) };
}

/** Runs the examples in these files; no permission lets them use the network. */
const runExamples = (files: string[]) =>
  deno([
    "test",
    "--quiet",
    "--doc",
    "--no-check",
    "--allow-env",
    // For the example that opens a store.
    "--allow-read=gateway/stores",
    "--import-map=tests/std/import_map.json",
    ...files,
  ]);

/** An export of one of the entries, with the file that declares it. */
interface Export {
  name: string;
  file: string;
  hasExample: boolean;
}

async function readExports(entry: string): Promise<Export[]> {
  const { success, output } = await deno([
    "doc",
    "--json",
    "--import-map=tests/std/import_map.json",
    entry,
  ]);
  assert(success, output);
  const { nodes } = JSON.parse(output) as Documentation;
  return Object.values(nodes).flatMap(({ symbols = [] }) => symbols).flatMap(({ name, declarations }) =>
    declarations.filter(({ declarationKind }) => declarationKind === "export").map(({ location, jsDoc }) => ({
      name,
      file: new URL(location.filename).pathname,
      hasExample: jsDoc?.tags?.some(({ kind }) => kind === "example") ?? false,
    }))
  );
}

const EXPORTS = (await Promise.all(["mod.ts", "ai.ts", "worker.ts"].map(readExports))).flat();

Deno.test("every public export has an example", () => {
  assert(EXPORTS.length > 30);
  assertEquals(EXPORTS.filter(({ hasExample }) => !hasExample).map(({ name }) => name), []);
});

Deno.test("every example of a public export runs as it is printed, without the network", async () => {
  const { success, output } = await runExamples([...new Set(EXPORTS.map(({ file }) => file))]);
  assert(success, output);
  const known = new Set(EXPORTS.map(({ name, file }) => `${file} ${name}`));
  assert(Number(/(\d+) passed/.exec(output)?.[1]) >= known.size, output);
});

Deno.test("an example that is broken fails", async () => {
  const examples: [code: string, says: string][] = [
    ['throw new Error("broken");', "broken"],
    [`import { gone } from "file://${ROOT}/mod.ts"; gone();`, "gone"],
    ['await fetch("http://127.0.0.1:8787/");', "Requires net access"],
  ];
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  for (const [code, says] of examples) {
    const lines = [
      "/**",
      " * @example",
      " * ```ts",
      ` * ${code}`,
      " * ```",
      " */",
      "export const a = 1;",
      "",
    ];
    await Deno.writeTextFile(file, lines.join("\n"));
    const { success, output } = await runExamples([file]);
    assertEquals(success, false, output);
    assertStringIncludes(output, says);
  }
  await Deno.remove(file);
});
