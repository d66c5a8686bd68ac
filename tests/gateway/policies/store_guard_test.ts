/** How long stores are waited for, and when they are left alone. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { StoreFailure, storeGuard } from "../../../gateway/policies/store_guard.ts";

const never = () => new Promise<number>(() => {});

function scene(waits: { lateMs?: number; firstMs?: number }) {
  const told: string[] = [];
  let at = 0;
  const guard = storeGuard({
    name: "the store",
    timer: () => at,
    warn: (line) => void told.push(line),
    ...waits,
  });
  return { guard, told, pass: (ms: number) => void (at += ms) };
}

Deno.test("storeGuard() waits longer for the first answer, and as long as a call says", async () => {
  const { guard } = scene({ lateMs: 1, firstMs: 60_000 });
  const slow = () => new Promise<number>((resolve) => setTimeout(resolve, 20, 7));
  assertEquals(await guard.ask("cannot read", slow), 7);
  await assertRejects(async () => await guard.ask("cannot read", slow), StoreFailure);
  assertEquals(await guard.ask("cannot read", slow, { lateMs: 60_000 }), 7);
});

Deno.test("storeGuard() hands on an answer that comes too late", async () => {
  const { guard } = scene({ lateMs: 1 });
  const { promise, resolve } = Promise.withResolvers<number>();
  const late: number[] = [];
  const onLate = (answer: number) => void late.push(answer);
  await assertRejects(async () => await guard.ask("cannot read", () => promise, { onLate }), StoreFailure);
  resolve(7);
  await promise;
  assertEquals(late, [7]);
});

Deno.test("storeGuard() leaves a store alone after three failures, and not for what it is only told", async () => {
  const { guard, told, pass } = scene({ lateMs: 1 });
  for (let at = 0; at < 5; at++) guard.tell("a response is too long");
  for (let at = 0; at < 3; at++) {
    await assertRejects(async () => await guard.ask("cannot read", never), StoreFailure, "cannot read");
  }
  assertThrows(() => guard.ask("cannot read", never), StoreFailure, "has just failed");
  pass(1000);
  assertEquals(await guard.ask("cannot read", () => Promise.resolve(7)), 7);
  assertEquals(told, [
    "the store failed once: a response is too long",
    "the store answers again, after 7 more failures",
  ]);
});
