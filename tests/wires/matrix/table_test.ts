/** The page that tells what becomes of what clients say. */
import { assertEquals } from "@std/assert";
import { FILE, page } from "./table.ts";

Deno.test("docs/translation.md says what the gateway does, and nothing is lost in silence", async () => {
  const printed = await page();
  assertEquals(printed.match(/.*\| lost.*/g), null);
  assertEquals(await Deno.readTextFile(FILE), printed, "print it anew: deno task table");
});
