/** How cost grows with size. Nothing is patched, and no time is compared with a fixed one. */
import { assert } from "@std/assert";
import process from "node:process";

/** Between 8, where cost is linear, and 64, where it is the square of the size. */
const MOST = 24;

/**
 * Runs `work` at a size and at eight times that size, and fails if the larger one takes more than 24 times as long.
 *
 * Each time is CPU time of this process, so that other processes do not count, and the least of up to 20 rounds or of
 * 10 seconds. Choose a size that takes a millisecond or more.
 *
 * @param work Does the work at a size; everything it needs may be built inside if that is linear.
 */
export async function assertLinear(
  name: string,
  size: number,
  work: (size: number) => unknown,
): Promise<void> {
  const times = [Infinity, Infinity];
  const start = performance.now();
  for (let round = 0; round < 20 && performance.now() - start < 10_000; round++) {
    for (const at of [0, 1]) {
      const began = process.cpuUsage();
      await work(at ? 8 * size : size);
      const { user, system } = process.cpuUsage(began);
      times[at] = Math.min(times[at], (user + system) / 1000);
    }
    // One good round in either size is enough once the compilers have done their part.
    if (round >= 2 && times[1] <= MOST * times[0]) return;
  }
  const [small, large] = times.map((ms) => ms.toFixed(2));
  assert(times[1] <= MOST * times[0], `${name}: ${small} ms at ${size}, ${large} ms at ${8 * size}`);
}

/** Bytes of the heap and of buffers beside it. */
export function heldBytes(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
