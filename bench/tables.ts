/** Prints the results of `compare.ts` as Markdown. */
import type { Results, Visit } from "./compare.ts";
import type { Target } from "./targets.ts";

/** Prints a table for each kind of figure, then the result of each mark. */
export function printTables(results: Results, targets: readonly Target[]): void {
  for (const runtime of ["deno", "bun", "workerd", "node"] as const) {
    const those = targets.filter((target) => target.runtime === runtime);
    if (those.length === 0) continue;
    printTable(`CPU microseconds per request, ${runtime}`, results, those, (load, target) => {
      if (!/^(whole|stream|10 MB)/.test(load)) return undefined;
      const visits = results.get(load)?.get(target.name);
      if (!visits) return undefined;
      const floor = those.find((one) => one.kind === "floor");
      const ratio = floor && floor !== target && ratioOf(results, load, target, floor, (visit) => visit.cpu);
      return withSpread(visits.map((visit) => visit.cpu), 0) + (ratio ? ` (x ${ratio.toFixed(2)})` : "");
    });
  }
  printTable(
    "Latency at one connection, ms, p50 / p99",
    results,
    targets,
    (load, target) =>
      /^latency/.test(load) ? each(results, load, target, ({ p50, p99 }) => [p50, p99], 2) : undefined,
    true,
  );
  printTable("Requests per second", results, targets, (load, target) => {
    if (!/^(whole|rate)/.test(load)) return undefined;
    const visits = results.get(load)?.get(target.name);
    return visits && withSpread(visits.map((visit) => visit.rate), 0);
  });
  printTable(
    "First token, ms, p50 / p99",
    results,
    targets,
    (load, target) =>
      /^first/.test(load)
        ? each(results, load, target, ({ first, firstP99 }) => [first, firstP99], 2)
        : undefined,
    true,
  );
  printTable(
    "Gap between tokens sent 20 ms apart, ms, p50 / p99",
    results,
    targets,
    (load, target) =>
      /^first/.test(load) ? each(results, load, target, ({ gap, gapP99 }) => [gap, gapP99], 2) : undefined,
    true,
  );
  printTable("Memory and start", results, targets, (load, target) => {
    const visits = results.get(load)?.get(target.name);
    if (!visits) return undefined;
    if (load.startsWith("cold start")) {
      return `${withSpread(visits.map((visit) => visit.coldStart!), 0)} ms, ${
        (median(visits.map((visit) => visit.resident!)) / 1e6).toFixed(0)
      } MB`;
    }
    if (load === "10 MB body") {
      return `${(median(visits.map((visit) => visit.peak!)) / 1e6).toFixed(0)} MB peak`;
    }
    if (load.startsWith("idle")) {
      return `${withSpread(visits.map((visit) => visit.perStream! / 1e3), 1)} kB a stream`;
    }
    return undefined;
  });
  printMarks(results, targets);
  if (targets.some(({ kind }) => kind === "before")) printChange(results, targets);
}

function printTable(
  title: string,
  results: Results,
  targets: readonly Target[],
  cell: (load: string, target: Target) => string | undefined,
  direct = false,
): void {
  const columns = direct ? [{ name: "direct" } as Target, ...targets] : targets;
  const rows = [...results.keys()].map((load) => [load, ...columns.map((target) => cell(load, target))])
    .filter(([, ...cells]) => cells.some((text) => text !== undefined));
  if (rows.length === 0) return;
  const used = columns.filter((_, at) => rows.some((row) => row[at + 1] !== undefined));
  const kept = rows.map(([load, ...cells]) => [
    load,
    ...cells.filter((_, at) => used.includes(columns[at])).map((text) => text ?? ""),
  ]);
  console.log(`### ${title}\n`);
  console.log(line(["load", ...used.map(({ name }) => name)]));
  console.log(line(["---", ...used.map(() => "---:")]));
  for (const row of kept) console.log(line(row as string[]));
  console.log();
}

const line = (cells: string[]) => `| ${cells.join(" | ")} |`;

function each(
  results: Results,
  load: string,
  target: Target,
  figures: (visit: Visit) => number[],
  digits: number,
): string | undefined {
  const visits = results.get(load)?.get(target.name);
  if (!visits) return undefined;
  return visits.map(figures)[0].map((_, at) =>
    median(visits.map((visit) => figures(visit)[at])).toFixed(digits)
  )
    .join(" / ");
}

/** The median, with the lowest and the highest value. */
function withSpread(values: number[], digits: number): string {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} [${low}–${high}]`;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median over all rounds of the ratio between two targets in the same round. */
function ratioOf(
  results: Results,
  load: string,
  target: Target,
  base: Target,
  figure: (visit: Visit) => number,
): number | undefined {
  const ours = results.get(load)?.get(target.name);
  const theirs = results.get(load)?.get(base.name);
  if (!ours || !theirs) return undefined;
  return median(ours.map((visit, round) => figure(visit) / figure(theirs[round])));
}

// ---------------------------------------------------------------- marks

interface Mark {
  what: string;
  /** The loads with this beginning of their names. */
  load: RegExp;
  figure: (visit: Visit) => number;
  base: (target: Target, ours: Target) => boolean;
  most?: number;
  least?: number;
  /** Whether the difference is compared, not the ratio. */
  difference?: boolean;
  on?: Target["runtime"][];
}

const TRANSLATED = ", (anthropic|gemini|Messages to openai|chat to openai's Responses)$";
const HANDED = ", (openai|Messages to anthropic|Responses to openai)$";
const sameRuntime = (kind: Target["kind"]) => (target: Target, ours: Target) =>
  target.kind === kind && target.runtime === ours.runtime;
const named = (text: string) => (target: Target) => target.name.startsWith(text);

const MARKS: Mark[] = [
  {
    what: "CPU over the floor",
    load: new RegExp(`^whole${HANDED}`),
    figure: (visit) => visit.cpu,
    base: sameRuntime("floor"),
    most: 1.15,
  },
  {
    what: "CPU over the floor",
    load: new RegExp(`^stream of 200(?!, from).*${HANDED}`),
    figure: (visit) => visit.cpu,
    base: sameRuntime("floor"),
    most: 1.05,
  },
  {
    what: "CPU over the identity transform",
    load: new RegExp(`^stream of 200, (one|1 ms).*${TRANSLATED}`),
    figure: (visit) => visit.cpu,
    base: sameRuntime("identity"),
    most: 1.5,
  },
  {
    what: "CPU to llmops",
    load: new RegExp(`^stream of 200, (one|1 ms).*${TRANSLATED}`),
    figure: (visit) => visit.cpu,
    base: sameRuntime("peer"),
    most: 0.25,
  },
  {
    what: "CPU over the floor",
    load: new RegExp(`^whole.*${TRANSLATED}`),
    figure: (visit) => visit.cpu,
    base: sameRuntime("floor"),
    most: 1.5,
  },
  {
    what: "CPU over that of a cached answer",
    load: /from a cache/,
    figure: (visit) => visit.cpu,
    base: sameRuntime("caching"),
    least: 1,
  },
  {
    what: "requests per second to llmops",
    load: /^whole/,
    figure: (visit) => visit.rate,
    base: sameRuntime("peer"),
    least: 2.4,
    on: ["bun"],
  },
  {
    what: "requests per second to llmops",
    load: /^whole/,
    figure: (visit) => visit.rate,
    base: sameRuntime("peer"),
    least: 3.5,
    on: ["deno"],
  },
  {
    what: "requests per second to Portkey",
    load: /^whole/,
    figure: (visit) => visit.rate,
    base: named("Portkey"),
    least: 8,
  },
  {
    what: "ms of first token over direct",
    load: new RegExp(`^first.*${TRANSLATED}`),
    figure: (visit) => visit.first,
    base: (target) => target.kind === "direct",
    most: 0.5,
    difference: true,
  },
  {
    what: "CPU over the floor",
    load: /^10 MB/,
    figure: (visit) => visit.cpu,
    base: sameRuntime("floor"),
    most: 1.3,
  },
  {
    what: "peak memory over the floor",
    load: /^10 MB/,
    figure: (visit) => visit.peak!,
    base: sameRuntime("floor"),
    most: 1.3,
  },
  {
    what: "kB per open stream over the floor",
    load: /^idle/,
    figure: (visit) => visit.perStream! / 1e3,
    base: sameRuntime("floor"),
    most: 25,
    difference: true,
  },
  {
    what: "ms of cold start over the floor",
    load: /^cold/,
    figure: (visit) => visit.coldStart!,
    base: sameRuntime("floor"),
    most: 60,
    difference: true,
  },
];

/**
 * The cost of a change: the CPU time of this checkout over that of the other one, within each round. A load is dearer if the
 * median is over 1.05 and the middle half of the rounds does not hold 1.
 */
function printChange(results: Results, targets: readonly Target[]): void {
  console.log("### CPU over the checkout before\n");
  console.log(line(["load", "runtime", "median", "middle half", "dearer"]));
  console.log(line(["---", "---", "---:", "---:", "---"]));
  for (const [load, visits] of results) {
    for (const ours of targets) {
      const before = targets.find((target) => sameRuntime("before")(target, ours));
      const a = visits.get(ours.name), b = before && visits.get(before.name);
      if (ours.kind !== "ours" || !a || !b || !/^(whole|stream|10 MB)/.test(load)) continue;
      const ratios = a.map((visit, round) => visit.cpu / b[round].cpu).sort((one, other) => one - other);
      const [low, high] = [0.25, 0.75].map((part) => ratios[Math.floor(part * (ratios.length - 1))]);
      const dearer = median(ratios) > 1.05 && low > 1 ? "**yes**" : "no";
      const half = `${low.toFixed(2)} to ${high.toFixed(2)}`;
      console.log(line([load, ours.runtime, median(ratios).toFixed(2), half, dearer]));
    }
  }
  console.log();
}

function printMarks(results: Results, targets: readonly Target[]): void {
  console.log("### Marks\n");
  console.log(line(["load", "figure", "mark", "runtime", "measured", "met"]));
  console.log(line(["---", "---", "---:", "---", "---:", "---"]));
  const direct = { name: "direct", runtime: "none", kind: "direct" } as Target;
  for (const { what, load: pattern, figure, base, most, least, difference, on } of MARKS) {
    for (const load of results.keys()) {
      if (!pattern.test(load)) continue;
      for (const ours of targets) {
        if (ours.kind !== "ours" || on && !on.includes(ours.runtime)) continue;
        const other = [direct, ...targets].find((target) => base(target, ours));
        if (!other) continue;
        const a = results.get(load)?.get(ours.name);
        const b = results.get(load)?.get(other.name);
        if (!a || !b) continue;
        const values = a.map((visit, round) =>
          difference ? figure(visit) - figure(b[round]) : figure(visit) / figure(b[round])
        );
        const value = median(values);
        const met = most !== undefined ? value <= most : value >= least!;
        const mark = most !== undefined ? `at most ${most}` : `at least ${least}`;
        console.log(line([load, what, mark, ours.runtime, withSpread(values, 2), met ? "yes" : "**no**"]));
      }
    }
  }
  console.log();
}
