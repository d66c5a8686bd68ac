const times = Number(Deno.env.get("TEST_RUNS") ?? 1);

/** How often a test with random input runs: `TEST_RUNS=4 deno task test` runs it four times as often as usual. */
export const runs = (usual: number): number => Math.ceil(usual * times);

/** The same for fast-check. The usual runs are the same each time; more runs are new ones. */
export const chance = (usual: number) => ({ numRuns: runs(usual), ...(times === 1 && { seed: 20261128 }) });
