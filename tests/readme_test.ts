import { assertEquals } from "@std/assert";
import { PROVIDERS, WIRES } from "../providers/table.ts";
import type { Provider } from "../providers/types.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));

/** The README's table of providers, as the rows make it. */
function providerTable(): string {
  const rows = [...PROVIDERS.values()].map(({ name, aliases = [], chat, wire, keyEnv = [] }: Provider) => {
    const names = [name, ...aliases].map((one) => `\`${one}\``).join(", ");
    const format = Object.entries(WIRES).find(([, known]) => known === wire)?.[0];
    const speaks = chat === false
      ? "its own paths only"
      : format === "openai"
      ? "OpenAI"
      : `native: ${format}`;
    return `| ${names} | ${speaks} | ${keyEnv.map((key) => `\`${key}\``).join(", ")} |`;
  });
  return ["| names | speaks | key variables |", "| --- | --- | --- |", ...rows].join("\n");
}

Deno.test("the README's table of providers is in step with the rows", () => {
  const [, shown] = readme.split(/<!-- \/?providers.*-->\n/);
  assertEquals(shown, providerTable() + "\n");
});
