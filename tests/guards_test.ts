/** `guards.md` names a test for each line that guards a key, a token or a bill. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "./bundle.ts";

const paths: string[] = [];
async function find(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/${folder}`)) {
    const path = folder ? `${folder}/${name}` : name;
    if (isDirectory && !/^(?:\.|dist|node_modules|fixtures)/.test(name)) await find(path);
    else if (path.endsWith(".ts")) paths.push(path);
  }
}
await find("");

const rows = (await Deno.readTextFile(`${ROOT}/tests/guards.md`)).split("\n")
  .filter((line) => line.startsWith("| ")).slice(1).map((line) => line.split(" | "));

Deno.test("every row of guards.md names files that exist, and no row stands there twice", () => {
  assert(rows.length > 90, `${rows.length}`);
  for (const row of rows) {
    for (const [file] of row.slice(2).join(" ").matchAll(/[\w/]+\.ts\b/g)) {
      assert(paths.some((path) => path === file || path.endsWith(`/${file}`)), `${file}: ${row[1]}`);
    }
  }
  const guarded = rows.map(([, what, where]) => `${what} | ${where}`);
  assertEquals(guarded.filter((one, at) => guarded.indexOf(one) < at), []);
});

Deno.test("every row of guards.md names a test by its title", async () => {
  const tests = paths.filter((path) => path.startsWith("tests/") && !path.endsWith("/guards_test.ts"));
  const text = (await Promise.all(tests.map((path) => Deno.readTextFile(`${ROOT}/${path}`)))).join("\n");
  const stale: string[] = [];
  for (const row of rows) {
    for (const [, title] of row.at(-1)!.matchAll(/"([^"]+)"/g)) {
      // `…` stands for any text.
      const pieces = title.split("…").map((piece) => piece.trim()).filter(Boolean);
      if (!pieces.every((piece) => text.includes(piece))) stale.push(title);
    }
  }
  assertEquals(stale, []);
});
