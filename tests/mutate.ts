/** Bodies of chance: what clients write, with values replaced, removed or repeated. */

// deno-lint-ignore no-explicit-any -- Any JSON.
type Any = any;

/** Numbers from 0 that stay below a limit. */
export type Pick = (below: number) => number;

/** Small numbers that the seed alone decides. */
export function random(seed: number): Pick {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

const ODD = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  "x",
  [],
  {},
  [null],
  [[]],
  [{}],
  { type: "text" },
  { type: 1 },
  "\ud800",
  { __proto__: null, type: "constructor" },
];

/** The same with one value somewhere replaced, removed or repeated. */
export function mutate(value: Any, pick: Pick, depth = 0): Any {
  if (typeof value !== "object" || value === null || depth > 0 && pick(6) === 0) return ODD[pick(ODD.length)];
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const keys = Object.keys(copy);
  if (keys.length === 0) return ODD[pick(ODD.length)];
  const key = keys[pick(keys.length)] as keyof typeof copy;
  if (pick(12) === 0) delete copy[key];
  else if (Array.isArray(copy) && pick(8) === 0) copy.push(copy[Number(key)]);
  else copy[key] = mutate(copy[key], pick, depth + 1);
  return copy;
}
