/** The page about translated requests. */
import { assertEquals } from "@std/assert";
import { FILE, page } from "./table.ts";

const rowsOf = (text: string) => text.match(/^\| [^|]+ \|/gm);

Deno.test("docs/translation.md has a line for each part of a request, and no part is lost without a name", async () => {
  const printed = await page();
  assertEquals(printed.match(/.*\| lost.*/g), null);
  assertEquals(
    rowsOf(await Deno.readTextFile(FILE)),
    rowsOf(printed),
    "print the page again: deno task table",
  );
});
