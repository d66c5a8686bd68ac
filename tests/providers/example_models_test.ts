/** The models in examples. None of them may be retired soon. */
import { assert, assertEquals } from "@std/assert";
import { EXAMPLE_MODELS } from "../../providers/example_models.ts";
import { findProvider } from "../../providers/table.ts";
import { readPages } from "../pages.ts";

// The newest releases. Raise these versions when there are newer ones, because the lists below are read from them.
const SDKS = {
  anthropic: "npm:@anthropic-ai/sdk@1.14.0",
  openai: "npm:openai@7.59.0",
  gemini: "npm:@google/genai@3.3.0",
};

/** The text of a file in an npm package. */
async function fileOf(specifier: string, path: string): Promise<string> {
  await import(specifier);
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", specifier] })
    .output();
  const { npmPackages } = JSON.parse(new TextDecoder().decode(stdout));
  return await Deno.readTextFile(`${npmPackages[specifier.slice("npm:".length)].localPath}/${path}`);
}

const quoted = (text: string) => [...text.matchAll(/["']([\w.-]+)["']/g)].map(([, name]) => name);

/** For each provider, the models that its SDK knows, and those that are retired or have a date of retirement. */
const LISTS: Record<keyof typeof SDKS, () => Promise<{ known: string[]; ending: string[] }>> = {
  async anthropic() {
    const types = await fileOf(SDKS.anthropic, "resources/messages/messages.d.ts");
    const list = await fileOf(SDKS.anthropic, "internal/data/deprecated-models.mjs");
    const [, known] = /export type Model = ([^;]*);/.exec(types)!;
    return { known: quoted(known), ending: [...list.matchAll(/^\s*'([\w.-]+)':/gm)].map(([, name]) => name) };
  },
  async openai() {
    const types = await fileOf(SDKS.openai, "resources/shared.d.ts");
    const [, comment, known] = /\/\*\*([^/]*Deprecated values:.*?)\*\/\s*export type ChatModel = ([^;]*);/s
      .exec(types)!;
    return { known: quoted(known), ending: quoted(comment) };
  },
  async gemini() {
    const types = await fileOf(SDKS.gemini, "dist/genai.d.ts");
    const [, known] = /declare type Model_2 = ([^;]*);/.exec(types)!;
    // Not in the SDK: from https://ai.google.dev/gemini-api/docs/deprecations, read on 2026-11-28.
    return { known: quoted(known), ending: ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-pro-preview"] };
  },
};

for (const [provider, list] of Object.entries(LISTS)) {
  Deno.test(`no example names a model of ${provider} that has ended, or that has a day to end`, async () => {
    const { known, ending } = await list();
    assert(known.length > 10 && ending.length > 2, `${known.length} known, ${ending.length} ending`);
    const examples = Object.values(EXAMPLE_MODELS).filter((model) => model.startsWith(`${provider}/`));
    assert(examples.length > 0);
    for (const example of examples) {
      const model = example.slice(provider.length + 1);
      assert(known.includes(model), `the SDK does not know ${model}`);
      assert(!ending.includes(model), `${model} ends`);
    }
  });
}

/** Further models that the README and `docs` may name. */
const OTHERS = [
  "openrouter/meta-llama/llama-3.3-70b-instruct",
  // Names in LiteLLM's form.
  `openai/${EXAMPLE_MODELS.anthropic}`,
  "openai/openai/",
];
const EXAMPLES: readonly string[] = Object.values(EXAMPLE_MODELS);
const BARE = EXAMPLES.map((model) => model.slice(model.indexOf("/") + 1));
/** `claude-…`, `gpt-…`, `gemini-…`, `o3…`, `command-…` with a version. */
const NAMED = /(?<![\w/-])(?:claude|gpt|gemini|command|mistral|grok)-[a-z0-9.-]*\d[a-z0-9.-]*/g;

Deno.test("the README and docs name no model but the examples", async () => {
  const pages = (await readPages()).map(({ text }) => text).join("\n");
  const routed = [...pages.matchAll(/(?<=["'` ])([a-z0-9.-]+)\/([@\w][\w.:@/-]*)/g)]
    .filter(([, name]) => findProvider(name) && name !== "demo").map(([model]) => model);
  assert(routed.length > 3, `${routed}`);
  assertEquals(routed.filter((model) => !EXAMPLES.includes(model) && !OTHERS.includes(model)), []);
  const bare = pages.match(NAMED) ?? [];
  assert(bare.length > 0);
  assertEquals(bare.filter((model) => !BARE.includes(model)), []);
});

Deno.test("messages and the page at / take their examples from the list", async () => {
  let files = 0;
  for (const folder of ["", "access", "doors", "log", "policies", "serve", "setup", "upstream"]) {
    const path = new URL(`../../gateway/${folder ? `${folder}/` : ""}`, import.meta.url);
    for await (const { name, isFile } of Deno.readDir(path)) {
      if (!isFile || !name.endsWith(".ts")) continue;
      files++;
      const source = await Deno.readTextFile(new URL(name, path));
      // Comments may name any model. Messages are written in double quotes or backticks.
      const texts = source.replaceAll(/\/\*.*?\*\/|(?<=^|\s)\/\/[^\n]*/gs, "").match(/"[^"\n]*"|`[^`]*`/g) ??
        [];
      assertEquals(texts.filter((text) => text.match(NAMED)), [], `gateway/${folder}/${name}`);
    }
  }
  assert(files > 20, `${files}`);
});
