/** The pages of documentation: their order, and what the README says of clients. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "./bundle.ts";
import { anchor, readPages } from "./pages.ts";

const PAGES = await readPages();
const textOf = (wanted: string) => PAGES.find(({ page }) => page === wanted)!.text;

Deno.test("docs/README.md lists each page once, in numbered order", () => {
  const listed = [...textOf("docs/README.md").matchAll(/^(\d+)\. \[([\w.]+)\]\(([\w.]+)\)/gm)];
  assertEquals(listed.map(([, number]) => Number(number)), listed.map((_, at) => at + 1));
  assert(listed.every(([, , name, link]) => name === link));
  const pages = PAGES.map(({ page }) => page).filter((page) => /^docs\/(?!README)/.test(page));
  assertEquals(listed.map(([, , name]) => `docs/${name}`).sort(), pages.sort());
});

/** The pages that a newcomer reads, in their order. */
const WAY =
  "start clients keys limits stores workers cloudflare providers wires errors costs adding_a_provider writing_a_policy";

Deno.test("docs/README.md begins with the newcomer's way", () => {
  const listed = [...textOf("docs/README.md").matchAll(/^\d+\. \[(\w+)\.md\]/gm)].map(([, name]) => name);
  assertEquals(listed.slice(0, 13).join(" "), WAY);
});

Deno.test("every page that the source names is one, with the heading that it names", async () => {
  let named = 0;
  for (const folder of ["gateway", "cli", "providers", "wires"]) {
    for await (const text of sources(`${ROOT}/${folder}`)) {
      // The page's script and llms.txt stand in modules that are made from other files.
      for (const [, page, heading] of text.matchAll(/\b(docs\/\w+\.md)(?:#([\w-]+))?/g)) {
        named++;
        const found = PAGES.find((one) => one.page === page);
        assert(found, page);
        const headings = [...found.text.matchAll(/^#+ (.*)$/gm)].map(([, text]) => anchor(text));
        assert(heading === undefined || headings.includes(heading), `${page}#${heading}`);
      }
    }
  }
  assert(named > 5, `${named}`);
});

/** The text of each file of a folder. */
async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield await Deno.readTextFile(path);
  }
}

Deno.test("the README's table of clients tells versions that the tests use", async () => {
  const tests = (await Array.fromAsync(sources(`${ROOT}/tests`))).join("\n");
  const table = /\n\| client \|.*\n(?:\|.*\n)+/.exec(textOf("README.md"))![0];
  const told = [...table.matchAll(/`(@?[\w/-]+)` (\d+\.\d+\.\d+)/g)];
  assert(told.length >= 10, `${told.length} are told`);
  for (const [, name, version] of told) {
    const isImported = tests.includes(`npm:${name}@${version}`);
    const isInstalled = tests.includes(`"${name}": "${version}"`) ||
      tests.includes(`name: "${name}",\n    version: "${version}"`);
    assert(isImported || isInstalled, `${name} ${version}`);
  }
});
