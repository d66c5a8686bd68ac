import { assertEquals } from "@std/assert";
import { atMostEvery } from "../../gateway/at_most_every.ts";

Deno.test("atMostEvery() is true at first, once in its time, and when the clock goes back", () => {
  let at = 5;
  const mayTell = atMostEvery(100, () => at);
  const asked = [5, 5, 104, 105, 204, 205, 20, 119, 120].map((now) => {
    at = now;
    return mayTell();
  });
  assertEquals(asked, [true, false, false, true, false, true, true, false, true]);
});
