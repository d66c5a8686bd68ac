import { assert, assertEquals } from "@std/assert";
import { readEnv } from "../gateway/setup/env.ts";
import { optionVariables } from "../gateway/setup/env_options.ts";
import { CONFIG } from "../gateway/setup/served_options.ts";
import { PROVIDERS } from "../providers/table.ts";
import type { Provider } from "../providers/types.ts";
import { ROOT } from "./bundle.ts";
import { anchor, readPages } from "./pages.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));

/** The README's table of providers, as the rows make it. */
function providerTable(): string {
  const rows = [...PROVIDERS.values()].map(
    ({ name, aliases = [], chat, embeddings, wires: [{ wire }], keyEnv = [] }: Provider) => {
      const names = [name, ...aliases].map((one) => `\`${one}\``).join(", ");
      const format = wire.name;
      const speaks = chat === false
        ? embeddings ? "embeddings" : "its own paths only"
        : format === "openai"
        ? "OpenAI"
        : `native: ${format}`;
      return `| ${names} | ${speaks} | ${keyEnv.map((key) => `\`${key}\``).join(", ")} |`;
    },
  );
  return ["| names | speaks | key variables |", "| --- | --- | --- |", ...rows].join("\n");
}

Deno.test("the README's table of providers is in step with the rows", () => {
  const [, shown] = readme.split(/<!-- \/?providers.*-->\n/);
  assertEquals(shown, providerTable() + "\n");
});

Deno.test("the README fits on a page", () => assert(readme.split("\n").length < 200));

/** Variables whose names do not follow from the option's path. */
const NAMED: Record<string, string> = {
  port: "PORT",
  host: "HOST",
  account: "CLOUDFLARE_ACCOUNT_ID, SLUICE_ACCOUNT",
};

Deno.test("docs/options.md has each option that can be written down, with its variable, and no other", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/options.md`);
  const [, table] = text.split(/<!-- \/?options -->\n/);
  const shown = table.trim().split("\n").slice(2).map((line) =>
    line.split(" | ").slice(0, 2).map((cell) => cell.replaceAll(/[|`]/g, "").trim()).join(": ")
  );
  const known = optionVariables(CONFIG).map(({ name, path }) =>
    `${path.join(".")}: ${NAMED[path.join(".")] ?? name}`
  );
  assertEquals(shown, known);
});

const PAGES = [
  ...await readPages(),
  ...await Promise.all(
    ["CONTRIBUTING.md", "SECURITY.md"].map(async (page) => ({
      page,
      text: await Deno.readTextFile(`${ROOT}/${page}`),
    })),
  ),
];

Deno.test("every link between the pages leads to a file, and to a heading that it has", async () => {
  let links = 0;
  for (const { page, text } of PAGES) {
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      links++;
      const url = new URL(link, `file://${ROOT}/${page}`);
      const isFile = await Deno.stat(new URL(url.pathname, url)).then(() => true, () => false);
      assert(isFile, `${page}: ${link}`);
      if (!url.hash) continue;
      const headings = (await Deno.readTextFile(url.pathname)).matchAll(/^#+ (.*)$/gm);
      assert([...headings].some(([, heading]) => `#${anchor(heading)}` === url.hash), `${page}: ${link}`);
    }
  }
  assert(links > 30, `${links}`);
});

Deno.test("every page of docs can be reached from the README", () => {
  const index = PAGES.find(({ page }) => page === "docs/README.md")!.text;
  const pages = PAGES.map(({ page }) => page).filter((page) => page !== "README.md");
  const isLinked = (page: string) =>
    readme.includes(`](${page})`) || index.includes(`](${page.replace(/^docs\//, "")})`);
  assertEquals(pages.filter((page) => !isLinked(page)), []);
});

Deno.test("every task that the pages name is one", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const named = PAGES.flatMap(({ page, text }) =>
    [...text.matchAll(/deno task ([\w:]+)/g)].map(([, task]) => ({ page, task }))
  );
  assert(named.length > 10, `${named.length}`);
  assertEquals(named.filter(({ task }) => !Object.hasOwn(tasks, task)), []);
});

Deno.test("every setting within a sentence is read by a shell and by the gateway as it is printed", async () => {
  const settings = PAGES.flatMap(({ page, text }) =>
    [...text.matchAll(/`(SLUICE_\w+=[^`]+)`/g)].map(([, setting]) => ({ page, setting }))
  );
  assert(settings.length > 6, `${settings.length}`);
  for (const { page, setting } of settings) {
    const [name] = setting.split("=");
    // A command may follow the variable.
    const [assignment] = /^\w+=(?:'[^']*'|\S+(?= \w+ run )|.*)/.exec(setting)!;
    const { success, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-ec", `${assignment}\nprintf %s "$${name}"`],
    }).output();
    const decoder = new TextDecoder();
    assert(success, `${page}: ${setting}: ${decoder.decode(stderr)}`);
    const value = decoder.decode(stdout);
    const { warnings } = readEnv((variable) => variable === name ? value : undefined, [name]);
    assertEquals(warnings, [], `${page}: ${setting}`);
  }
});
