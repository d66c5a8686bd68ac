/** What the gateway is made of. */
import { assertEquals } from "@std/assert";
import { bundle, ROOT } from "./bundle.ts";

/** The part of `deno info --json` that is read here. */
interface Info {
  modules: { specifier: string; error?: string; dependencies?: { specifier: string; code?: object }[] }[];
  npmPackages: Record<string, object>;
}

async function info(): Promise<Info> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: ROOT,
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("mod.ts needs no module of Node, and no package that is not small and web-standard", async () => {
  const { modules, npmPackages } = await info();
  assertEquals(modules.filter(({ error }) => error), []);
  const imported = modules.flatMap(({ specifier, dependencies = [] }) => [
    specifier,
    ...dependencies.filter(({ code }) => code).map((dependency) => dependency.specifier),
  ]);
  assertEquals(imported.filter((specifier) => specifier.startsWith("node:")), []);
  const packages = Object.keys(npmPackages).map((name) => name.slice(0, name.lastIndexOf("@")));
  assertEquals(packages.filter((name) => !["valibot", "aws4fetch", "jose"].includes(name)), []);
});

Deno.test("the one-file build imports nothing", async () => {
  const { path } = await bundle(await Deno.makeTempFile({ suffix: ".js" }));
  const code = await Deno.readTextFile(path);
  await Deno.remove(path);
  assertEquals(code.match(/\bimport\s*[\w{*"'(][^;]{0,80}|\brequire\(/g) ?? [], []);
});
