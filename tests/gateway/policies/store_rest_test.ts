/** Whom the guard of a store lets through, and what it tells. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { StoreFailure, storeGuard } from "../../../gateway/policies/store_guard.ts";

function scene() {
  const lines: string[] = [];
  const state = { at: 1e6, isDown: true };
  const guard = storeGuard({
    name: "the store",
    timer: () => state.at,
    warn: (line) => void lines.push(line),
  });
  const work = () => state.isDown ? Promise.reject(new Error("down")) : Promise.resolve("answer");
  /** Asks some times. Returns how often the store was asked. */
  async function ask(times: number): Promise<number> {
    let asked = 0;
    const count = () => (asked++, work());
    for (let n = 0; n < times; n++) {
      await (async () => await guard.ask("cannot count", count))().catch(() => {});
    }
    return asked;
  }
  return { ...{ state, lines, guard, ask } };
}

Deno.test("after a rest one call finds out whether the store works, and the others do not wait for it", async () => {
  const { state, guard, ask } = scene();
  assertEquals(await ask(5), 3);
  state.at += 1000;
  const { promise, reject } = Promise.withResolvers<string>();
  const first = guard.ask("cannot count", () => promise) as Promise<string>;
  assertThrows(() => guard.ask("cannot count", () => "answer"), StoreFailure, "is not asked");
  reject(new Error("down"));
  await assertRejects(() => first, StoreFailure);
  assertEquals(await ask(2), 0);
  state.at += 1000;
  state.isDown = false;
  assertEquals(await ask(3), 3);
});

Deno.test("a clock that was set back does not make a rest longer", async () => {
  const { state, ask } = scene();
  assertEquals(await ask(5), 3);
  state.at -= 500_000;
  assertEquals(await ask(1), 1);
});

Deno.test("the return of a store is told only if its failures were, and each failure is counted in one line", async () => {
  const { state, lines, ask } = scene();
  const outage = async () => {
    state.isDown = true;
    await ask(3);
    state.at += 1000;
    state.isDown = false;
    await ask(1);
  };
  await outage();
  // This one falls into the minute in which no line is told.
  await outage();
  state.at += 60_000;
  await outage();
  assertEquals(lines, [
    "the store failed once: cannot count (Error)",
    "the store answers again, after 2 more failures",
    "the store failed 4 times: cannot count (Error)",
    "the store answers again, after 2 more failures",
  ]);
});

Deno.test("a store whose answers come at once is as good as before when it works again", async () => {
  const { guard, ask, state, lines } = scene();
  await ask(3);
  state.at += 1000;
  for (let n = 0; n < 3; n++) assertEquals(guard.ask("cannot count", () => n), n);
  assertEquals(lines.at(-1), "the store answers again, after 2 more failures");
});
