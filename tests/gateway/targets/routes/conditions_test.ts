import { assert, assertEquals, assertThrows } from "@std/assert";
import { readConditions, readPath } from "../../../../gateway/targets/routes/conditions.ts";
import { RouteFault } from "../../../../gateway/targets/routes/fault.ts";
import type { Facts } from "../../../../gateway/targets/routes/types.ts";

/** A request with these parts. */
function facts(
  { metadata, headers = {}, body = {} }: { metadata?: object; headers?: HeadersInit; body?: object },
): Facts {
  const all = new Headers(headers);
  return {
    metadata: () => metadata as Record<string, unknown> | undefined,
    header: (name) => all.get(name),
    field: (name) => Object.hasOwn(body, name) ? (body as Record<string, unknown>)[name] : undefined,
  };
}

const REQUEST = facts({
  metadata: { plan: "paid", seats: 12, trial: false, "user.id": "u1" },
  headers: { "x-team": "search", "x-level": "3" },
  body: {
    stream: true,
    temperature: 0.5,
    tools: [{ name: "a" }, { name: "b" }],
    tags: ["x", "y"],
    nothing: null,
    "a.b": 1,
    reasoning: { effort: "high" },
  },
});

const CASES: [conditions: object, isMet: boolean][] = [
  [{ "metadata.plan": { $eq: "paid" } }, true],
  [{ "metadata.plan": "paid" }, true],
  [{ "metadata.plan": { $eq: "free" } }, false],
  [{ "metadata.plan": { $ne: "free" } }, true],
  [{ "metadata.plan": { $in: ["free", "paid"] } }, true],
  [{ "metadata.plan": { $nin: ["free", "paid"] } }, false],
  [{ "metadata.user.id": "u1" }, true],
  // Both members must be met.
  [{ "metadata.plan": "paid", "metadata.trial": true }, false],
  [{ "metadata.plan": "paid", "metadata.trial": false }, true],
  [{ "metadata.seats": { $gt: 10, $lte: 12 } }, true],
  [{ "metadata.seats": { $gte: 13 } }, false],
  [{ "metadata.seats": { $lt: 12 } }, false],
  // No type is turned into another.
  [{ "metadata.seats": "12" }, false],
  [{ "metadata.seats": { $gt: "1" } }, false],
  [{ "body.stream": 1 }, false],
  [{ "metadata.plan": { $gt: "a" } }, true],
  [{ "metadata.trial": { $lt: true } }, false],
  // Headers are texts, whatever the condition writes.
  [{ "headers.X-Team": "search" }, true],
  [{ "headers.x-level": 3 }, true],
  [{ "headers.x-level": { $in: [1, 3] } }, true],
  [{ "headers.x-other": { $exists: true } }, false],
  // An absent value is like null, as in MongoDB.
  [{ "metadata.other": { $eq: "x" } }, false],
  [{ "metadata.other": { $ne: "x" } }, true],
  [{ "metadata.other": { $nin: ["x"] } }, true],
  [{ "metadata.other": null }, true],
  [{ "metadata.other": { $gt: 0 } }, false],
  [{ "metadata.other": { $exists: false } }, true],
  [{ "body.nothing": { $exists: true } }, true],
  [{ "headers.x-other": null }, true],
  // Lists: one of their members is enough.
  [{ "body.tags": "x" }, true],
  [{ "body.tags": { $in: ["z", "y"] } }, true],
  [{ "body.tags": { $ne: "x" } }, false],
  [{ "body.tags.1": "y" }, true],
  [{ "body.tools.0.name": "a" }, true],
  [{ "body.tools.length": 2 }, false],
  [{ "body.reasoning.effort": { $in: ["high"] } }, true],
  [{ "body.a.b": 1 }, true],
  [{ "body.temperature": { $not: { $gt: 0.9 } } }, true],
  [{ "body.temperature": { $not: { $gt: 0.1 } } }, false],
  [{ $or: [{ "metadata.plan": "free" }, { "metadata.seats": 12 }] }, true],
  [{ $or: [{ "metadata.plan": "free" }, { "metadata.seats": 1 }] }, false],
  [{ $and: [{ "metadata.plan": "paid" }, { "metadata.seats": 1 }] }, false],
  [{ $and: [{ "metadata.plan": "paid" }, { "metadata.seats": 12 }] }, true],
  [{ $nor: [{ "metadata.plan": "free" }, { "metadata.seats": 1 }] }, true],
  [{ $nor: [{ "metadata.plan": "free" }, { "metadata.seats": 12 }] }, false],
];

for (const [conditions, isMet] of CASES) {
  Deno.test(`readConditions() of ${JSON.stringify(conditions)} is ${isMet ? "" : "not "}met`, () => {
    assertEquals(readConditions(conditions, "c")(REQUEST), isMet);
  });
}

Deno.test("readConditions() takes names such as __proto__ and constructor for ordinary ones", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const exists = readConditions({ [`metadata.${name}`]: { $exists: true } }, "c");
    assert(!exists(facts({ metadata: {} })), name);
    assert(exists(facts({ metadata: JSON.parse(`{"${name}": "x"}`) })), name);
    assert(!readConditions({ [`body.a.${name}`]: { $exists: true } }, "c")(facts({ body: { a: {} } })), name);
    assert(!readConditions({ [`body.a.${name}`]: { $exists: true } }, "c")(facts({ body: { a: [] } })), name);
  }
  const parsed = JSON.parse('{"__proto__": {"$eq": "paid"}}');
  const fault = assertThrows(() => readConditions(parsed, "c"), RouteFault);
  assertEquals(fault.message, "c.__proto__: __proto__ must begin with metadata., headers. or body.");
});

const FAULTS: [conditions: unknown, message: string][] = [
  [undefined, "c: must be an object of conditions"],
  [[], "c: must be an object of conditions"],
  [{}, "c: must hold a condition"],
  [{ plan: "paid" }, "c.plan: plan must begin with metadata., headers. or body."],
  [{ "metadata.": "x" }, "c.metadata.: metadata. must begin with metadata., headers. or body."],
  [{ "headers.a b": "x" }, "c.headers.a b: headers.a b must name a header"],
  [{ "metadata.a": {} }, "c.metadata.a: must hold an operator, e.g. $eq"],
  [
    { "metadata.a": { $regex: "(a+)+$" } },
    "c.metadata.a.$regex: is not an operator here; known are $eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $not",
  ],
  [{ $where: "sleep(1)" }, "c.$where: is not an operator here; known are $and, $or, $nor"],
  [{ $and: {} }, "c.$and: must be a list of conditions"],
  [{ $or: [] }, "c.$or: must be a list of conditions"],
  [{ $or: [{ "metadata.a": 1 }, 5] }, "c.$or[1]: must be an object of conditions"],
  [{ "metadata.a": { $in: "x" } }, "c.metadata.a.$in: must be a list of at most 100 values"],
  [
    { "metadata.a": { $in: [{}] } },
    "c.metadata.a.$in[0]: must be a text of at most 500 characters, a number, true, false or null",
  ],
  [
    { "metadata.a": "x".repeat(501) },
    "c.metadata.a: must be a text of at most 500 characters, a number, true, false or null",
  ],
  [{ "metadata.a": { $exists: 1 } }, "c.metadata.a.$exists: must be true or false"],
];

for (const [conditions, message] of FAULTS) {
  Deno.test(`readConditions() refuses ${JSON.stringify(conditions)?.slice(0, 60)}`, () => {
    assertEquals(assertThrows(() => readConditions(conditions, "c"), RouteFault).message, message);
  });
}

Deno.test("readConditions() bounds what conditions may cost", () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`metadata.k${at}`, 1]));
  const list = { $or: Array.from({ length: 10_000 }, () => ({ "metadata.a": 1 })) };
  const operators = { $and: Array.from({ length: 60 }, () => ({ "metadata.a": { $gt: 1, $lt: 2 } })) };
  for (const conditions of [many, list, operators]) {
    const { message } = assertThrows(() => readConditions(conditions, "c"), RouteFault);
    assertEquals(message, "c: may hold 100 comparisons at most");
  }
  const nested = (levels: number): object =>
    levels === 0 ? { "metadata.a": 1 } : { $and: [nested(levels - 1)] };
  assert(!readConditions(nested(9), "c")(REQUEST));
  assertThrows(() => readConditions(nested(10), "c"), RouteFault, "conditions may be nested 10 levels deep");
  let not: unknown = { $eq: 1 };
  for (let level = 0; level < 5000; level++) not = { $not: not };
  assertThrows(() => readConditions({ "metadata.a": not }, "c"), RouteFault, "nested 10 levels deep");
  const path = `body${".a".repeat(21)}`;
  assertThrows(
    () => readPath(path, "key"),
    RouteFault,
    "a path may have 500 characters and 20 segments at most",
  );
  assertThrows(() => readPath(`body.${"a".repeat(500)}`, "key"), RouteFault, "a path may have 500");
});
