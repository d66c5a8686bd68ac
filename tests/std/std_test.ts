/** The stand-ins and the real packages must give the same verdicts; `deno task test:jsr` runs this on the latter. */
import {
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  AssertionError,
  assertIsError,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ServerSentEventStream, STATUS_CODE, STATUS_TEXT } from "@std/http";
import { toArrayBuffer, toJson, toText } from "@std/streams";

const fails = (assertion: () => void) => assertThrows(assertion, AssertionError);

Deno.test("assertEquals() compares deeply and tells a missing member from an undefined one", () => {
  assertEquals({ a: [1, { b: new Uint8Array([1]) }], d: new Date(0) }, {
    d: new Date(0),
    a: [1, { b: new Uint8Array([1]) }],
  });
  assertEquals<unknown>(NaN, NaN);
  fails(() => assertEquals<unknown>({ a: undefined }, {}));
  fails(() => assertEquals<unknown>([1, 2], [1]));
  fails(() => assertEquals<unknown>("1", 1));
  fails(() => assertEquals(new Map([["a", 1]]), new Map([["a", 2]])));
  fails(() => assertNotEquals({ a: 1 }, { a: 1 }));
  assertNotEquals({ a: 1 }, { a: 2 });
});

Deno.test("assertObjectMatch() asks for a deep part", () => {
  assertObjectMatch({ a: { b: 1, c: 2 }, d: [1, { e: 1, f: 2 }] }, { a: { b: 1 }, d: [1, { e: 1 }] });
  fails(() => assertObjectMatch({ a: { b: 1 } }, { a: { b: 1, c: undefined } }));
  fails(() => assertObjectMatch({ a: [1] }, { a: [1, 2] }));
  fails(() => assertObjectMatch({ a: { b: 1 } }, { a: { b: 2 } }));
  fails(() => assertObjectMatch({ a: null }, { a: { b: 2 } }));
});

Deno.test("assertThrows() and assertRejects() check class and text and give the error back", async () => {
  const error = new RangeError("too far");
  assertEquals(
    assertThrows(
      () => {
        throw error;
      },
      RangeError,
      "far",
    ),
    error,
  );
  fails(() =>
    assertThrows(() => {
      throw error;
    }, TypeError)
  );
  fails(() =>
    assertThrows(
      () => {
        throw error;
      },
      RangeError,
      "near",
    )
  );
  fails(() => assertThrows(() => {}));
  assertEquals(await assertRejects(() => Promise.reject(error), RangeError, "far"), error);
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
  await assertRejects(
    () =>
      assertRejects(() => {
        throw error;
      }),
    AssertionError,
    "throws when expected to reject",
  );
  assertIsError(error, Error, /^too/);
  fails(() => assertIsError("too far"));
});

Deno.test("the assertions on text, lists and numbers refuse what does not hold", () => {
  assertStringIncludes("abc", "b");
  assertMatch("abc", /^a/);
  assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  fails(() => assertStringIncludes("abc", "d"));
  fails(() => assertMatch("abc", /^b/));
  fails(() => assertArrayIncludes([{ a: 1 }], [{ a: 2 }]));
  fails(() => assertAlmostEquals(0.3001, 0.3));
});

Deno.test("ServerSentEventStream writes fields without a space and splits data at line ends", async () => {
  const events = [{ comment: "hi", event: "tick", data: "a\r\nb", id: 7, retry: 5 }, { data: "" }];
  const bytes = ReadableStream.from(events).pipeThrough(new ServerSentEventStream());
  assertEquals(await toText(bytes), ":hi\nevent:tick\ndata:a\ndata:b\nid:7\nretry:5\n\ndata:\n\n");
  const bad = ReadableStream.from([{ event: "a\nb" }]).pipeThrough(new ServerSentEventStream());
  await assertRejects(() => toText(bad), SyntaxError);
});

Deno.test("STATUS_TEXT says what each STATUS_CODE means", () => {
  assertEquals(STATUS_TEXT[STATUS_CODE.TooManyRequests], "Too Many Requests");
  assertEquals(STATUS_TEXT[STATUS_CODE.ContentTooLarge], "Content Too Large");
});

Deno.test("toText(), toJson() and toArrayBuffer() join chunks cut inside a character", async () => {
  const cut = () => ReadableStream.from([new Uint8Array([0x22, 0xc3]), new Uint8Array([0xa9, 0x22])]);
  assertEquals(await toText(cut()), '"é"');
  assertEquals(await toText(ReadableStream.from(["a", "b"])), "ab");
  assertEquals(await toJson(cut()), "é");
  assertEquals(new Uint8Array(await toArrayBuffer(cut())), new Uint8Array([0x22, 0xc3, 0xa9, 0x22]));
});
