import { assert, assertEquals, assertRejects } from "@std/assert";
import { timeLimit } from "../../../gateway/policies/timers.ts";

const never = () => new Promise<never>(() => {});

/** Keeps the process alive during the work, as a server does. */
async function alive<T>(work: () => Promise<T>): Promise<T> {
  const server = setInterval(() => {}, 1000);
  try {
    return await work();
  } finally {
    clearInterval(server);
  }
}

Deno.test("timeLimit() gives each promise its own time, by one timer", () =>
  alive(async () => {
    const inTime = timeLimit(40);
    const order: string[] = [];
    const began = performance.now();
    const late = (name: string) => () => new Error(`${name} is late`);
    const first = inTime(never(), late("first")).catch(({ message }) => order.push(message));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = inTime(never(), late("second")).catch(({ message }) => order.push(message));
    assertEquals(await inTime(Promise.resolve("a value"), late("none")), "a value");
    await first;
    assertEquals(order, ["first is late"]);
    await second;
    assertEquals(order, ["first is late", "second is late"]);
    // No wait ends before its own time. A timer may ring a little early.
    assert(performance.now() - began >= 58, `${performance.now() - began}`);
    // After a pause without waits the timer is set again.
    await assertRejects(() => inTime(never(), late("third")), Error, "third is late");
  }));

Deno.test("timeLimit() passes on what a promise rejects with, and does not wait without a limit", async () => {
  const late = () => new Error("late");
  await assertRejects(() => timeLimit(1000)(Promise.reject(new Error("broken")), late), Error, "broken");
  const promise = never();
  assert(timeLimit(0)(promise, late) === promise);
});

Deno.test("timeLimit() does not keep a process alive when nothing is waited for", async () => {
  const module = new URL("../../../gateway/policies/timers.ts", import.meta.url).href;
  const code =
    `import { timeLimit } from "${module}"; await timeLimit(100_000_000)(Promise.resolve(), () => 0);`;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--quiet", `data:application/javascript,${encodeURIComponent(code)}`],
    stdout: "null",
    stderr: "null",
    // Without `unref` the process would not end, and would be killed here.
    signal: AbortSignal.timeout(60_000),
  });
  assertEquals((await command.output()).success, true);
});
