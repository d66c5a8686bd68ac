import { assertEquals, assertThrows } from "@std/assert";
import { createGateway } from "../../../../gateway/gateway.ts";
import { RouteFault } from "../../../../gateway/targets/routes/fault.ts";
import { checkRouteName, readGraph } from "../../../../gateway/targets/routes/graph.ts";
import { walk } from "../../../../gateway/targets/routes/walk.ts";
import { indexProviders, PROVIDERS } from "../../../../providers/table.ts";
import { conditional, end, model, percentage, rate, start, SUPPORT } from "./graphs.ts";

const KNOWN = indexProviders(PROVIDERS.values());
const read = (route: unknown) => readGraph(route, KNOWN);
const NOTHING = { metadata: () => undefined, header: () => null, field: () => undefined };

/** The ways of the tries of a request that tells nothing of itself. */
const ways = (route: unknown, at = 0) => walk(read(route), NOTHING, () => at).map(({ way }) => way);

Deno.test("readGraph() reads Cloudflare's example, as a list and as the object that its API returns", () => {
  assertEquals(ways(SUPPORT), ["start > c1 false > p1 90% > m1"]);
  assertEquals(ways({ id: "r", name: "support", elements: SUPPORT }, 0.95), [
    "start > c1 false > p1 10% > m2",
    "start > c1 false > p1 10% > m2 fallback > m1",
  ]);
});

Deno.test("readGraph() reads the older spellings", () => {
  const older = [
    start("c"),
    { ...conditional("c", {}, "p", "p"), properties: { condition: { "metadata.a": 1 } } },
    percentage("p", { "10%": "m", "50%": "m", else: "r" }),
    {
      ...rate("r", 1, "m"),
      type: "rate_limit",
      properties: { limitType: "count", key: "metadata.a", limit: 5, interval: 60, technique: "sliding" },
    },
    model("m", "demo/echo"),
    { id: "end", type: "end" },
  ];
  const { nodes } = read([...older.slice(0, 4), model("m", "demo/echo", "end"), older[5]]);
  const { type, counts, windowMs, isSliding } = nodes.get("r") as unknown as Record<string, unknown>;
  assertEquals([type, counts, windowMs, isSliding], ["rate", "requests", 60_000, true]);
  const share = (at: number) => ways([...older.slice(0, 5)], at)[0];
  assertEquals(share(0.09), "start > c false > p 10% > m");
  assertEquals(share(0.59), "start > c false > p 50% > m");
  assertEquals(share(0.61), "start > c false > p else > r success > m");
});

Deno.test("readGraph() takes a budget for a limit on cost, and a limit without a key for one on all requests", () => {
  const budget = { ...rate("b", 5, "m"), type: "budget", properties: { limit: 5, window: 60 } };
  const { nodes } = read([start("b"), budget, model("m", "demo/echo")]);
  const { counts, get, isSliding } = nodes.get("b") as unknown as Record<string, unknown>;
  assertEquals([counts, get, isSliding], ["cost", undefined, false]);
});

Deno.test("readGraph() takes a model without a provider as a client names it", () => {
  const bare = (name: string) => ({ ...model("m", "x/y"), properties: { model: name } });
  for (
    const [name, ...is] of [["demo/echo", "demo", "echo"], ["gpt-6", "openai", "gpt-6"], [
      "@cf/a/b",
      "workers-ai",
      "@cf/a/b",
    ]]
  ) {
    const [{ node: { provider, model } }] = walk(read([start("m"), bare(name)]), NOTHING, () => 0);
    assertEquals([provider.name, model], is);
  }
});

const M = model("m", "demo/echo");
const FAULTS: [route: unknown, message: string][] = [
  [undefined, "elements: must be a list of elements, from a start to an end"],
  [[], "elements: must be a list of elements, from a start to an end"],
  [{ elements: {} }, "elements: must be a list of elements, from a start to an end"],
  [[M], "elements: must hold an element of type start"],
  [[start("m"), { ...start("m"), id: "s2" }, M], "elements[1] (s2): a route has one start only"],
  [[start("m"), M, M], 'elements[2].id: "m" is the id of elements[1] too'],
  [[start("m"), 5], "elements[1]: must be an object {id, type, properties, outputs}"],
  [[start("m"), { type: "end" }], "elements[1].id: must be a text of 1 to 100 characters"],
  [[start("m"), { ...M, id: "a\nb" }], "elements[1].id: must be a text of 1 to 100 characters"],
  [
    [start("m"), { id: "m", type: "toString" }],
    "elements[1] (m).type: must be start, conditional, percentage, rate, budget, model or end",
  ],
  [[start("x"), M], 'elements[0] (start).outputs.next: there is no element "x"'],
  [
    [{ id: "start", type: "start" }, M],
    "elements[0] (start).outputs.next: must name the next element, as {elementId}",
  ],
  [[start("m"), M, model("lost", "demo/echo")], "elements[2] (lost): no way leads to it"],
  [[start("end"), end], "elements: no way leads to a model"],
  [
    [start("a"), model("a", "demo/echo", "b"), model("b", "demo/echo", "a")],
    "elements[2] (b).outputs.fallback: leads round in a circle: a > b > a",
  ],
  [
    [start("a"), model("a", "demo/echo", "a")],
    "elements[1] (a).outputs.fallback: leads round in a circle: a > a",
  ],
  [
    [start("m"), model("m", "demo/echo", "start")],
    "elements[1] (m).outputs.fallback: must not lead back to the start",
  ],
  [
    [start("m"), { ...M, outputs: { success: { elementId: "n" } } }, model("n", "demo/echo")],
    "elements[1] (m).outputs.success: must lead to an element of type end",
  ],
  [
    [
      start("c"),
      { ...conditional("c", { "body.a": 1 }, "m", "m"), outputs: { true: { elementId: "m" } } },
      M,
    ],
    "elements[1] (c).outputs.false: must name the next element, as {elementId}",
  ],
  [
    [start("c"), conditional("c", { plan: 1 }, "m", "m"), M],
    "elements[1] (c).properties.conditions.plan: plan must begin with metadata., headers. or body.",
  ],
  [
    [start("p"), percentage("p", { "50%": "m", "40%": "m" }), M],
    "elements[1] (p).outputs: must add up to 100 %, and 90 % are written",
  ],
  [
    [start("p"), percentage("p", { "50%": "m", "60%": "m", else: "m" }), M],
    "elements[1] (p).outputs: must add up to 100 %, and 110 % are written",
  ],
  [
    [start("p"), percentage("p", { "100%": "m", else: "m" }), M],
    "elements[1] (p).outputs.else: is never taken: the other shares add up to 100 %",
  ],
  [[start("p"), percentage("p", {}), M], 'elements[1] (p).outputs: must hold a share, e.g. "90%"'],
  [
    [start("p"), percentage("p", { half: "m" }), M],
    'elements[1] (p).outputs: "half" must be a share such as "90%", or "else"',
  ],
  [
    [start("p"), percentage("p", Object.fromEntries([10, 11, 12, 13, 14, 40].map((n) => [`${n}%`, "m"]))), M],
    "elements[1] (p).outputs: must hold 5 shares at most",
  ],
  [
    [start("r"), rate("r", -1, "m"), M],
    "elements[1] (r).properties.limit: must be a number of requests",
  ],
  [
    [start("r"), rate("r", 1, "m", undefined, { limitType: "cost", limit: "1" }), M],
    "elements[1] (r).properties.limit: must be US dollars",
  ],
  [
    [start("r"), rate("r", 1, "m", undefined, { limitType: "tokens" }), M],
    "elements[1] (r).properties.limitType: must be count or cost",
  ],
  [
    [start("r"), rate("r", 1, "m", undefined, { window: 0 }), M],
    "elements[1] (r).properties.window: must be a whole number of seconds from 1 to 2678400",
  ],
  [
    [start("r"), rate("r", 1, "m", undefined, { technique: "leaky" }), M],
    "elements[1] (r).properties.technique: must be fixed or sliding",
  ],
  [
    [start("r"), rate("r", 1, "m", undefined, { key: "user" }), M],
    "elements[1] (r).properties.key: user must begin with metadata., headers. or body.",
  ],
  [
    [start("m"), model("m", "opnai/gpt-6")],
    'elements[1] (m).properties.provider: there is no provider of that name; did you mean "openai"?',
  ],
  [
    [start("m"), model("m", "dynamic/other")],
    "elements[1] (m).properties.provider: must not be another route",
  ],
  [
    [start("m"), { ...M, properties: { model: "dynamic/other" } }],
    "elements[1] (m).properties.model: must not be another route",
  ],
  [
    [start("m"), { ...M, properties: { provider: "demo" } }],
    "elements[1] (m).properties.model: must be a model's name",
  ],
  [
    [start("m"), model("m", "elevenlabs/voice")],
    "elements[1] (m).properties.provider: elevenlabs has only its own paths",
  ],
  [
    [start("m"), model("m", "demo/echo", undefined, { retries: 5 })],
    "elements[1] (m).properties.retries: must be a whole number of retries from 0 to 4",
  ],
  [
    [start("m"), model("m", "demo/echo", undefined, { timeout: 1.5 })],
    "elements[1] (m).properties.timeout: must be a whole number of milliseconds from 0 to 2147483647",
  ],
  [
    [
      start("m0"),
      ...Array.from(
        { length: 20 },
        (_, at) => model(`m${at}`, "demo/echo", at < 19 ? `m${at + 1}` : undefined),
      ),
    ],
    "elements: must be 20 at most",
  ],
];

for (const [route, message] of FAULTS) {
  Deno.test(`readGraph() refuses a route: ${message}`, () => {
    assertEquals(assertThrows(() => read(route), RouteFault).message, message);
  });
}

Deno.test("readGraph() refuses limits whose ways multiply", () => {
  // Each limit leads to the next one by both its ways: 2 ** 8 ways lead to one model.
  const limits = Array.from(
    { length: 8 },
    (_, at) => rate(`r${at}`, 1, at < 7 ? `r${at + 1}` : "m", at < 7 ? `r${at + 1}` : "m"),
  );
  const { message } = assertThrows(() => read([start("r0"), ...limits, M]), RouteFault);
  assertEquals(message, "elements: a request could try more than 20 models");
});

Deno.test("readGraph() takes names such as __proto__ for ordinary ones", () => {
  const element = { id: "__proto__", type: "model", properties: { provider: "demo", model: "echo" } };
  assertEquals(ways([start("__proto__"), element]), ["start > __proto__"]);
  const proto = JSON.parse('{"id": "p", "type": "percentage", "outputs": {"__proto__": {"elementId": "m"}}}');
  assertThrows(() => read([start("p"), proto, M]), RouteFault, '"__proto__" must be a share');
  assertThrows(() => read([start("constructor"), M]), RouteFault, 'there is no element "constructor"');
});

Deno.test("checkRouteName() takes slashes and any script, and refuses what a header's list or a row cannot hold", () => {
  for (const name of ["support", "a/b/c", "Ünïcode-路由", "Route Name", "__proto__"]) checkRouteName(name);
  for (const name of ["", " a", "a ", "a,b", "a\nb", "\ud800", "a".repeat(129), 5, null]) {
    assertThrows(() => checkRouteName(name), RouteFault, "must be a text of 1 to 128 characters");
  }
});

Deno.test("the option routes is checked at the start, with the path of the fault", () => {
  const options: [routes: unknown, message: string][] = [
    [
      { support: [start("x")] },
      'Cannot use option routes.support: elements[0] (start).outputs.next: there is no element "x"',
    ],
    [{ "a,b": [start("m"), M] }, "Cannot use option routes.a,b: name: must be a text of 1 to 128 characters"],
    [{ support: 5 }, "Cannot use option routes.support: it must be a route"],
    [{ support: [{ id: 5 }] }, "Cannot use option routes.support"],
    [
      JSON.parse('{"__proto__": []}'),
      "Cannot use option routes.__proto__: elements: must be a list of elements",
    ],
    [
      { long: [start("m"), { ...M, note: "x".repeat(40_000) }] },
      "must have at most 32768 characters as JSON",
    ],
  ];
  for (const [routes, message] of options) {
    assertThrows(() => createGateway({ routes: routes as never }), TypeError, message);
  }
  assertThrows(
    () => createGateway({ routes: { a: [start("m"), M] }, models: { fast: "dynamic/b" } }),
    TypeError,
    'Cannot use option models.fast: there is no route "b" in the option routes',
  );
});
