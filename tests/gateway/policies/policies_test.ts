import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { before, clock, completion, message, post, refusal, ROOT } from "../../fakes.ts";
import { DOORS, step } from "./doors.ts";

// ---------------------------------------------------------------- settings

const BAD_HEADERS: [string, string[]][] = [
  ["cf-aig-max-attempts", ["0", "6", "-1", "1.5", "", "many", "1e1", "0x2", "99999999999999999999"]],
  ["cf-aig-retry-delay", ["-1", "60001", "soon", "1.5", "1s"]],
  ["cf-aig-request-timeout", ["-1", "later", "1.5", "2147483648", "Infinity"]],
  ["cf-aig-backoff", ["quadratic", "Exponential", "constructor", ""]],
];

const BAD_CONFIG: [string, unknown[]][] = [
  ["maxAttempts", [0, 6, -1, 1.5, "many", true, [], {}]],
  ["retryDelay", [-1, 60_001, "soon"]],
  ["requestTimeout", [-1, 1e12, "later"]],
  ["backoff", ["quadratic", 1, "toString"]],
];

for (const [door, request] of DOORS) {
  Deno.test(`${door}: a policy header out of its limits is 400 that names it, and nothing is sent`, async () => {
    const { fetch, sent } = before(() => completion());
    for (const [name, values] of BAD_HEADERS) {
      for (const value of values) {
        const response = await fetch(request({ [name]: value }));
        assertEquals(response.status, 400, `${name}: ${value}`);
        assertStringIncludes(await response.text(), name);
      }
    }
    assertEquals(sent.length, 0);
  });

  Deno.test(`${door}: policy headers at their limits are taken`, async () => {
    const { fetch, sent } = before(() => completion());
    const good = {
      "cf-aig-max-attempts": "5",
      "cf-aig-retry-delay": "60000",
      "cf-aig-request-timeout": "2147483647",
      "cf-aig-backoff": "linear",
    };
    for (
      const headers of [good, {
        "cf-aig-max-attempts": "1",
        "cf-aig-retry-delay": "0",
        "cf-aig-request-timeout": "0",
      }]
    ) {
      const response = await fetch(request(headers));
      assertEquals(response.status, 200);
      await response.text();
    }
    assertEquals(sent.length, 2);
  });
}

Deno.test("a step's config out of its limits is 400 with its path", async () => {
  const { fetch, sent } = before(() => completion());
  for (const [name, values] of BAD_CONFIG) {
    for (const value of values) {
      const response = await fetch(post(ROOT, [step, { ...step, config: { [name]: value } }]));
      assertEquals(response.status, 400, `${name}: ${value}`);
      assertEquals((await response.json()).param, `[1].config.${name}`);
    }
  }
  assertEquals(sent.length, 0);
});

Deno.test("options out of the same limits are refused at start", () => {
  const bad: Options[] = [
    { retries: { maxAttempts: 6 } },
    { retries: { retryDelayMs: 60_001 } },
    // deno-lint-ignore no-explicit-any
    { retries: { backoff: "quadratic" as any } },
    { requestTimeoutMs: -1 },
    { streamIdleTimeoutMs: 2 ** 31 },
  ];
  for (const options of bad) {
    const error = assertThrows(() => createGateway(options), TypeError) as Error;
    assertStringIncludes(error.message, Object.keys(options)[0]);
  }
});

Deno.test("config wins over a step's headers, they over the request's, they over the options", async () => {
  const tries = async (config: object, own: object, request: Record<string, string>, options: Options) => {
    const { fetch, sent } = before(() => refusal(503), { ...options, ...clock().options });
    await fetch(post(ROOT, [{ ...step, config, headers: own }], request));
    return sent.length;
  };
  const config = { maxAttempts: 2 };
  const own = { "CF-AIG-Max-Attempts": 3 };
  const request = { "cf-aig-max-attempts": "4" };
  const options = { retries: { maxAttempts: 5 } };
  assertEquals(await tries(config, own, request, options), 2);
  assertEquals(await tries({}, own, request, options), 3);
  assertEquals(await tries({}, {}, request, options), 4);
  assertEquals(await tries({}, {}, {}, options), 5);
  assertEquals(await tries({}, {}, {}, {}), 1);
  // Each setting by itself.
  assertEquals(await tries({ backoff: "linear" }, { "cf-aig-retry-delay": "1" }, request, options), 4);
});

// ---------------------------------------------------------------- fallback

Deno.test("any failure moves on to the next step, after the step's own tries", async () => {
  for (const status of [400, 401, 404, 429, 500]) {
    const { fetch, sent } = before(
      ({ url }) => url.includes("openai") ? refusal(status) : message("from the second"),
      clock().options,
    );
    const second = { provider: "anthropic", endpoint: "v1/messages", query: { model: "claude" } };
    const response = await fetch(post(ROOT, [{ ...step, config: { maxAttempts: 2 } }, second]));
    assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "1"]);
    assertEquals(response.headers.get("cf-aig-provider"), "anthropic");
    assertStringIncludes(await response.text(), "from the second");
    assertEquals(sent.length, status === 429 || status === 500 ? 3 : 2);
  }
});

Deno.test("when all steps fail the last one's answer is returned", async () => {
  const { fetch } = before((_, at) => refusal(500 + at), clock().options);
  const response = await fetch(post(ROOT, [step, step, step]));
  assertEquals([response.status, response.headers.get("cf-aig-step")], [502, "2"]);
  assertStringIncludes(await response.text(), "No: 502");
  const dead = before(
    (_, at) => at < 2 ? refusal(500) : Promise.reject(new TypeError("dead")),
    clock().options,
  );
  const lost = await dead.fetch(post(ROOT, [step, step, step]));
  assertEquals([lost.status, lost.headers.get("cf-aig-step")], [502, "2"]);
  assertEquals((await lost.json()).internalCode, 2005);
});

Deno.test("a body that nobody will read is cancelled before the wait", async () => {
  const cancelled: number[] = [];
  const held = (at: number) =>
    new Response(new ReadableStream({ cancel: () => void cancelled.push(at) }), { status: 503 });
  const wait: Options["wait"] = () => Promise.resolve(void cancelled.push(-1));
  const { fetch } = before((_, at) => at < 2 ? held(at) : completion(), { ...clock().options, wait });
  const response = await fetch(post(`${ROOT}/openai/x`, {}, { "cf-aig-max-attempts": "3" }));
  assertEquals(response.status, 200);
  assertEquals(cancelled, [0, -1, 1, -1]);
  await response.text();
});
