/** How often a test of chance is run: `TEST_RUNS=4 deno task test` runs it four times as often as usual. */
export const runs = (usual: number): number => Math.ceil(usual * Number(Deno.env.get("TEST_RUNS") ?? 1));
