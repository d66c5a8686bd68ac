import { assertEquals } from "@std/assert";
import { logEntry } from "../../../gateway/log/entry.ts";
import type { LogError } from "../../../gateway/stores/log_row.ts";

/** The row of an answer in which the provider sent an error. */
const row = (contentType: string, refusal?: { message: string; type?: string; code?: string | number }) =>
  logEntry({
    request: { method: "POST", path: "/", headers: new Headers() },
    response: { status: refusal ? 400 : 200, headers: new Headers({ "content-type": contentType }) },
    id: "i",
    report: {
      id: "",
      account: "-",
      gateway: "default",
      step: 0,
      heldBytes: 0,
      waitedMs: 0,
      tries: 1,
      retries: 0,
      listened: true,
      refusal,
    },
    cost: {},
    started: { timer: 0 },
    now: { at: 0, timer: 1 },
  });

Deno.test("logEntry() tells a stream by its content type, in any letter case", () => {
  const types: Record<string, boolean> = {
    "text/event-stream": true,
    "Text/EVENT-Stream; charset=utf-8": true,
    "application/vnd.amazon.eventstream": true,
    "text/events-stream": false,
    "text/event-streams": false,
    "text/xevent-stream": false,
    "text/plain; x=event-stream": false,
    "application/json": false,
  };
  for (const [type, stream] of Object.entries(types)) assertEquals(row(type).stream, stream, type);
});

Deno.test("logEntry() keeps a provider's code of an error, but not a text that may be a key or a sentence", () => {
  const told = (code: string | number) =>
    (row("application/json", { message: "m", code }).error as LogError & {
      code?: unknown;
    }).code;
  const long = "a".repeat(64);
  const names = [
    "rate_limit_exceeded",
    "INVALID_ARGUMENT",
    "1301",
    "123456",
    42,
    "a.b",
    "error429",
    "e4_x",
    long,
  ];
  for (const name of names) assertEquals(told(name), name);
  const others = [
    "",
    "sk-4711",
    "1234567",
    "has space",
    "a1b2c3",
    "12a",
    `${long}a`,
    "é",
    " a",
    "a ",
    "a\n",
    "a12345",
  ];
  for (const name of others) assertEquals(told(name), undefined, name);
});
