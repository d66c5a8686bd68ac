/** The bounds of routes and of their conditions, and parts of elements that are of another kind. */
import { assertEquals, assertThrows } from "@std/assert";
import { readConditions, readPath } from "../../../../gateway/targets/routes/conditions.ts";
import { RouteFault } from "../../../../gateway/targets/routes/fault.ts";
import { readGraph } from "../../../../gateway/targets/routes/graph.ts";
import { indexProviders, PROVIDERS } from "../../../../providers/table.ts";
import { conditional, model, percentage, rate, start } from "./graphs.ts";

const KNOWN = indexProviders(PROVIDERS.values());
const read = (...route: unknown[]) => readGraph(route, KNOWN);
const M = model("m", "demo/echo");

const fault = (work: () => unknown) => assertThrows(work, RouteFault).message;

Deno.test("parts of an element that are of another kind are told", () => {
  const cases: [element: object, message: string][] = [
    [{ ...M, properties: [] }, "(m).properties: must be an object"],
    [{ ...M, outputs: "end" }, "(m).outputs: must be an object"],
    [{ ...M, id: "" }, ".id: must be a text of 1 to 100 characters"],
    [{ ...M, id: "m".repeat(101) }, ".id: must be a text of 1 to 100 characters"],
    [
      { ...M, properties: { model: "echo", provider: 5 } },
      "(m).properties.provider: must be a provider's name",
    ],
    [{ ...M, properties: { provider: "demo", model: "" } }, "(m).properties.model: must be a model's name"],
    [rate("m", 1, "x", undefined, { key: 5 }), '(m).properties.key: must be a path, e.g. "metadata.user_id"'],
    [rate("m", 1, "x", undefined, { limit: -1 }), "(m).properties.limit: must be a number of requests"],
    [rate("m", 1, "x", undefined, { limit: 1e13 }), "(m).properties.limit: must be a number of requests"],
    [
      rate("m", 1, "x", undefined, { window: undefined, interval: 0 }),
      "(m).properties.interval: must be a whole number of seconds from 1 to 2678400",
    ],
    [
      { ...M, outputs: { fallback: { elementId: "" } } },
      "(m).outputs.fallback: must name the next element, as {elementId}",
    ],
    [percentage("m", { "101%": "x" }), '(m).outputs: "101%" must be a share such as "90%", or "else"'],
  ];
  for (const [element, message] of cases) {
    const told = fault(() => read(start("m"), element));
    assertEquals(told.replace("elements[1]", "").trim(), message);
  }
});

Deno.test("what is as large as it may be is read", () => {
  const id = "m".repeat(100);
  read(start(id), model(id, "demo/echo", undefined, { timeout: 2 ** 31 - 1, retries: 4 }));
  read(
    start("p"),
    percentage("p", { "20%": "m", "20.0%": "m", "20.00%": "m", "20.000%": "m", "20": "m" }),
    M,
  );
  read(start("p"), percentage("p", { "100%": "m" }), M);
  read(start("r"), rate("r", 1e12, "m", undefined, { window: 31 * 86_400 }), M);
  read(start("r"), rate("r", 0, "m", undefined, { window: 1, key: "" }), M);
  // Twenty tries of nineteen elements: a limit leads to all that are behind either of its ways.
  const chain = Array.from(
    { length: 10 },
    (_, at) => model(`m${at}`, "demo/echo", at < 9 ? `m${at + 1}` : undefined),
  );
  read(start("r"), rate("r", 1, "m0", "m0"), ...chain);
  read(
    start("m0"),
    ...Array.from(
      { length: 19 },
      (_, at) => model(`m${at}`, "demo/echo", at < 18 ? `m${at + 1}` : undefined),
    ),
  );
});

Deno.test("conditions have bounds: each is read up to it, and one more is a fault", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`metadata.m${at}`, { $eq: 1 }]));
  const list = (count: number) => ({ $or: Array.from({ length: count }, () => ({ "metadata.a": 1 })) });
  const nested = (levels: number): object =>
    levels === 1 ? { "metadata.a": 1 } : { $and: [nested(levels - 1)] };
  const nots = (levels: number): object => levels === 0 ? { $eq: 1 } : { $not: nots(levels - 1) };
  const values = (count: number) => ({ "metadata.a": { $in: Array(count).fill(1) } });
  const text = (length: number) => ({ "metadata.a": "x".repeat(length) });
  const path = (length: number) => ({ [`metadata.${"x".repeat(length - 9)}`]: 1 });
  const segments = (count: number) => ({ [`metadata${".x".repeat(count)}`]: 1 });
  const bounds: [of: (count: number) => object, most: number, says: string][] = [
    // A name and its operator are two comparisons.
    [many, 50, "may hold 100 comparisons at most"],
    [list, 99, "may hold 100 comparisons at most"],
    [nested, 10, "conditions may be nested 10 levels deep"],
    [(levels) => ({ "metadata.a": nots(levels) }), 9, "conditions may be nested 10 levels deep"],
    [values, 100, "must be a list of at most 100 values"],
    [text, 500, "must be a text of at most 500 characters"],
    [path, 500, "a path may have 500 characters and 20 segments at most"],
    [segments, 20, "a path may have 500 characters and 20 segments at most"],
  ];
  for (const [of, most, says] of bounds) {
    readConditions(of(most), "here");
    assertEquals(fault(() => readConditions(of(most + 1), "here")).includes(says), true, says);
  }
  const none: [conditions: unknown, says: string][] = [
    [{}, "here: must hold a condition"],
    [{ "metadata.a": {} }, "here.metadata.a: must hold an operator, e.g. $eq"],
    [{ $and: [] }, "here.$and: must be a list of conditions"],
    [{ $and: [5] }, "here.$and[0]: must be an object of conditions"],
    [{ "metadata.a": { $exists: 1 } }, "here.metadata.a.$exists: must be true or false"],
    [{ "metadata.a": { $not: 1 } }, "here.metadata.a.$not: is not an operator here; known are"],
    [{ "headers.a b": 1 }, "here.headers.a b: headers.a b must name a header"],
  ];
  for (const [conditions, says] of none) {
    assertEquals(fault(() => readConditions(conditions, "here")).startsWith(says), true, says);
  }
  read(start("c"), conditional("c", many(50), "m", "m"), M);
});

Deno.test("a path leads through lists and names with dots, and through members of its own alone", () => {
  const value = (path: string, metadata: unknown) =>
    readPath(path, "here")({
      metadata: () => metadata as Record<string, unknown>,
      header: () => null,
      field: () => undefined,
    });
  assertEquals(value("metadata.a.1.b", { a: [0, { b: 7 }] }), 7);
  assertEquals(value("metadata.a.b.c", { a: { "b.c": 7 } }), 7);
  assertEquals(value("metadata.a.b", { "a.b": 7, a: { b: 8 } }), 7);
  for (const path of ["a.length", "a.x", "a.-1", "a.2", "constructor", "b.length", "c.d"]) {
    assertEquals(value(`metadata.${path}`, { a: [0, 1], b: "text", c: null }), undefined, path);
  }
});
