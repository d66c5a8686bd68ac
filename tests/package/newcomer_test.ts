/** A newcomer's way: from an empty folder to the first answer and its row. It must end well, and it tells how long that took. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { installPackage, runIn, startGroup, testPackage } from "./installed.ts";
import { npm } from "./tools.ts";

/** A line of what the command prints at its start. */
const lineOf = (output: string, begin: string) =>
  output.split("\n").find((line) => line.startsWith(begin))?.slice(begin.length).trim();

testPackage(
  "a newcomer comes from an empty folder to the first answer, its row and the page",
  await installPackage(),
  async ({ file }, t) => {
    const folder = await Deno.makeTempDir({ prefix: "sluice-new-" });
    const times: string[] = [];
    const timed = async <T>(what: string, work: () => Promise<T>) => {
      const begun = performance.now();
      const result = await work();
      times.push(`${what} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      return result;
    };
    // As npm does it in an empty folder, but it would look for a project above.
    await Deno.writeTextFile(`${folder}/package.json`, "{}");
    await timed("install", () => npm(["install", file], folder));
    {
      await using gateway = await timed("start", () => startGroup(folder, "npx sluice --port 0"));
      const curl = lineOf(gateway.output, "Try it:")!;
      const answer = await timed("first answer", () => runIn(folder, "sh", ["-c", `${curl} --silent`]));
      assertEquals(JSON.parse(answer.output).choices[0].message.content, "Hello");
      const page = lineOf(gateway.output, "Page:")!;
      const token = lineOf(gateway.output, "Operator:")!.split(" ")[0];
      const rows = await timed("first row", async () => {
        const headers = { authorization: `Bearer ${token}` };
        return (await (await fetch(`${page}sluice/api/logs`, { headers })).json()).rows;
      });
      assertEquals(rows.map(({ provider, model }: Record<string, string>) => `${provider}/${model}`), [
        "demo/echo",
      ]);
      assertStringIncludes(
        await (await fetch(page, { headers: { accept: "text/html" } })).text(),
        "<!DOCTYPE html>",
      );
    }
    await Deno.remove(folder, { recursive: true });
    await t.step(`took: ${times.join(", ")}`, () => {});
  },
);
