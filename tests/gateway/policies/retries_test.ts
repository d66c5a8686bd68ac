import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { retryAfter, retryDelay } from "../../../gateway/policies/delay.ts";
import { DEFAULTS } from "../../../gateway/policies/settings.ts";
import { ask, before, clock, completion, refusal } from "../../fakes.ts";
import { DOORS } from "./doors.ts";

// ---------------------------------------------------------------- retries

for (const [door, request] of DOORS) {
  Deno.test(`${door}: only failures that may pass are tried again`, async () => {
    const passing = [408, 409, 425, 429, 500, 501, 502, 503, 504, 520, 524, 529];
    const lasting = [400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 424, 451, 499];
    for (const status of [...passing, ...lasting]) {
      const { fetch, sent } = before(() => refusal(status), clock().options);
      const response = await fetch(request({ "cf-aig-max-attempts": "3" }));
      assertEquals(response.status, status);
      assertStringIncludes(await response.text(), `No: ${status}`);
      assertEquals(sent.length, passing.includes(status) ? 3 : 1, `${status}`);
    }
  });

  Deno.test(`${door}: a network that fails is tried again, and is 502 with 2005 when it stays so`, async () => {
    const fail = () => Promise.reject(new TypeError("error sending request"));
    const { fetch, sent } = before(fail, clock().options);
    const response = await fetch(request({ "cf-aig-max-attempts": "5" }));
    assertEquals([response.status, sent.length], [502, 5]);
    const { error } = await response.json();
    assertEquals(String(error.code ?? error[0].code), "2005");
    const again = before((_, at) => at < 2 ? fail() : completion("third time"), clock().options);
    const third = await again.fetch(request({ "cf-aig-max-attempts": "3" }));
    assertStringIncludes(await third.text(), "third time");
  });

  Deno.test(`${door}: the same body and headers are sent each time`, async () => {
    const { fetch, sent } = before((_, at) => at < 4 ? refusal(500) : completion(), clock().options);
    const response = await fetch(request({ "cf-aig-max-attempts": "5", authorization: "Bearer k" }));
    assertEquals(response.status, 200);
    await response.text();
    assert(sent[0].body.includes("gpt"));
    for (const { url, method, body, headers } of sent) {
      assertEquals([url, method, body], [sent[0].url, "POST", sent[0].body]);
      assertEquals([...headers], [...sent[0].headers]);
    }
  });
}

Deno.test("a redirect is not an answer on compat, and is tried again", async () => {
  const away = () => new Response(null, { status: 302, headers: { location: "https://elsewhere.test/" } });
  const { fetch, sent } = before((_, at) => at === 0 ? away() : completion(), clock().options);
  assertEquals((await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }))).status, 200);
  assertEquals(sent.map(({ url }) => new URL(url).host), ["api.openai.com", "api.openai.com"]);
});

Deno.test("the wait grows as the backoff says, with full jitter, up to a minute", async () => {
  const waits = async (backoff: string, delay: string) => {
    const time = clock();
    const { fetch } = before(() => refusal(503), time.options);
    const headers = { "cf-aig-max-attempts": "5", "cf-aig-retry-delay": delay, "cf-aig-backoff": backoff };
    await fetch(ask("openai/gpt", headers));
    return time.waits;
  };
  // The random number is 0.5.
  assertEquals(await waits("constant", "1000"), [500, 500, 500, 500]);
  assertEquals(await waits("linear", "1000"), [500, 1000, 1500, 2000]);
  assertEquals(await waits("exponential", "1000"), [500, 1000, 2000, 4000]);
  assertEquals(await waits("exponential", "60000"), [30_000, 30_000, 30_000, 30_000]);
  assertEquals(await waits("exponential", "0"), []);
});

Deno.test("retry-after is waited for as it says, up to a minute, and not tried against beyond", async () => {
  const at = Date.UTC(2026, 10, 24);
  const date = (seconds: number) => new Date(at + seconds * 1000).toUTCString();
  const cases: [Record<string, string>, number[]][] = [
    [{ "retry-after": "2" }, [2000]],
    [{ "retry-after": "0.5" }, [500]],
    [{ "retry-after": "0" }, []],
    [{ "retry-after": "60" }, [60_000]],
    [{ "retry-after-ms": "250", "retry-after": "9" }, [250]],
    [{ "retry-after": date(5) }, [5000]],
    [{ "retry-after": date(-5) }, []],
    [{ "retry-after": "soon" }, [500]],
    [{ "retry-after": "-5" }, [500]],
    [{ "retry-after": "5 minutes" }, [500]],
  ];
  for (const [headers, waits] of cases) {
    const time = clock(at);
    const { fetch, sent } = before((_, at) => at === 0 ? refusal(429, headers) : completion(), time.options);
    const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }));
    assertEquals([response.status, sent.length], [200, 2]);
    assertEquals(time.waits, waits, JSON.stringify(headers));
  }
  for (const value of ["61", "86400", date(61)]) {
    const time = clock(at);
    const { fetch, sent } = before(() => refusal(429, { "retry-after": value }), time.options);
    const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }));
    assertEquals([response.status, sent.length, time.waits.length], [429, 1, 0]);
    assertEquals(response.headers.get("retry-after"), value);
  }
});

Deno.test("retry-after is waited for as well when the failure is a page, text or nothing", async () => {
  for (
    const [type, body] of [["text/html", "<h1>503</h1>"], ["text/plain", "overloaded"], ["text/html", ""]]
  ) {
    const failing = (value: string) => () =>
      new Response(body, { status: 503, headers: { "content-type": type, "retry-after": value } });
    const time = clock();
    const seven = failing("7");
    const { fetch } = before((_, at) => at === 0 ? seven() : completion(), time.options);
    assertEquals((await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }))).status, 200);
    assertEquals(time.waits, [7000], type);
    const hour = before(failing("3600"), time.options);
    const response = await hour.fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }));
    assertEquals([response.status, hour.sent.length], [502, 1]);
    assertEquals(response.headers.get("retry-after"), "3600");
  }
});

Deno.test("retryAfter() reads seconds, milliseconds and dates, and nothing that only looks like one", () => {
  const now = Date.UTC(2026, 10, 24);
  const cases: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": " " }, undefined],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": " 2 " }, 2000],
    [{ "retry-after": "2s" }, undefined],
    [{ "retry-after": "s2" }, undefined],
    [{ "retry-after": "1e9" }, undefined],
    [{ "retry-after": "1." }, undefined],
    [{ "retry-after": "NaN" }, undefined],
    [{ "retry-after": "-1" }, undefined],
    [{ "retry-after": "Infinity" }, undefined],
    [{ "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, 0],
    [{ "retry-after": "Tue, 24 Nov 2026 00:00:07 GMT" }, 7000],
    [{ "retry-after": "Tuesday, 24-Nov-26 00:00:07 GMT" }, 7000],
    [{ "retry-after": "Tue Nov 24 2026 00:00:07 GMT" }, 7000],
    [{ "retry-after": "on Tue, 24 Nov 2026 00:00:07 GMT" }, undefined],
    [{ "retry-after": "24 Nov 2026 00:00:07 GMT" }, undefined],
    [{ "retry-after": "Xyz, 99 Foo" }, undefined],
    [{ "retry-after-ms": "250" }, 250],
    [{ "retry-after-ms": "250.5" }, 250.5],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after-ms": "5x" }, undefined],
    [{ "retry-after-ms": "x5" }, undefined],
    [{ "retry-after-ms": "-5", "retry-after": "9" }, 9000],
  ];
  for (const [headers, ms] of cases) {
    assertEquals(retryAfter(new Headers(headers), now), ms, JSON.stringify(headers));
  }
});

Deno.test("retryDelay() keeps to what the provider asks up to a minute, and else grows with the tries", () => {
  const now = Date.UTC(2026, 10, 24);
  const asked = (seconds: string) =>
    retryDelay(new Headers({ "retry-after": seconds }), 1, DEFAULTS, now, 0.5);
  assertEquals(["0", "60", "60.001", "99999999999"].map(asked), [0, 60_000, undefined, undefined]);
  const growth = {
    constant: [500, 500, 500, 500, 500],
    linear: [500, 1000, 1500, 2000, 2500],
    exponential: [500, 1000, 2000, 4000, 8000],
  };
  for (const [backoff, waits] of Object.entries(growth) as [keyof typeof growth, number[]][]) {
    const delays = waits.map((_, at) => retryDelay(undefined, at + 1, { ...DEFAULTS, backoff }, now, 0.5));
    assertEquals(delays, waits, backoff);
  }
  const slow = { ...DEFAULTS, retryDelayMs: 60_000 };
  assertEquals(retryDelay(undefined, 5, slow, now, 0.999), 59_940, "at most a minute");
});

Deno.test("a request has ten tries at most beyond the first of each of its models", async () => {
  const models = Array.from({ length: 20 }, (_, at) => `groq/${at}`);
  const { fetch, sent } = before(() => refusal(503), clock().options);
  const response = await fetch(ask("groq/0", { "cf-aig-max-attempts": "5" }, { models }));
  assertEquals([response.status, sent.length], [503, 30]);
  assertEquals(sent.filter(({ body }) => JSON.parse(body).model === "19").length, 1, "each is tried once");
});
