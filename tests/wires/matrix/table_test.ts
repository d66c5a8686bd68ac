/** The page about translated requests. */
import { assertEquals } from "@std/assert";
import { FILE, page } from "./table.ts";

Deno.test("docs/translation.md is what the gateway does, and no part of a request is lost without a name", async () => {
  const printed = await page();
  assertEquals(printed.match(/.*\| lost.*/g), null);
  assertEquals(await Deno.readTextFile(FILE), printed, "print the page again: deno task table");
});
