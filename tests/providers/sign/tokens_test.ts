/** Tokens that credentials are exchanged for. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import { askForToken, dropToken, tokenOf, whileOpen } from "../../../providers/sign/tokens.ts";

/** A gateway's `fetch`, and a credential's mint that counts. */
function mints() {
  const fetch = () => Promise.reject(new Error("not asked"));
  const asked: string[] = [];
  const get = (id: string, now = 0, lasts = 3_600_000) =>
    tokenOf(fetch, id, now, () => {
      asked.push(id);
      return Promise.resolve({ token: `${id}-${asked.length}`, endsAt: now + lasts });
    });
  return { fetch, asked, get };
}

Deno.test("tokenOf() waits for another's request for ten seconds, and then asks itself", async () => {
  const fetch = () => Promise.reject(new Error("not asked"));
  const lost = Promise.withResolvers<{ token: string; endsAt: number }>();
  const first = tokenOf(fetch, "a", 0, () => lost.promise);
  const never = () => Promise.reject(new Error("asked twice"));
  assertEquals(tokenOf(fetch, "a", 9_999, never), first);
  const second = tokenOf(fetch, "a", 10_000, () => Promise.resolve({ token: "second", endsAt: 9e9 }));
  assertEquals(await second, "second");
  assertEquals(tokenOf(fetch, "a", 10_001, never), "second");
  lost.resolve({ token: "first", endsAt: 9e9 });
  assertEquals(await first, "first");
});

Deno.test("tokenOf() keeps the tokens of two hundred credentials, and forgets those that are longest unused", async () => {
  const { asked, get } = mints();
  await get("a");
  await get("b");
  for (let at = 0; at < 198; at++) await get(`x${at}`);
  assertEquals(get("a"), "a-1");
  await get("one more");
  assertEquals(get("a"), "a-1");
  assertEquals(await get("b"), "b-202");
  assertEquals(asked.length, 202);
});

Deno.test("tokenOf() shares nothing between gateways, and asks again after a failure", async () => {
  const [one, other] = [mints(), mints()];
  await one.get("a");
  await other.get("a");
  assertEquals([one.asked.length, other.asked.length], [1, 1]);
  const fetch = () => Promise.reject(new Error("not asked"));
  const down = () => Promise.reject(new Error("down"));
  await assertRejects(async () => await tokenOf(fetch, "a", 0, down), Error, "down");
  assertEquals(await tokenOf(fetch, "a", 0, () => Promise.resolve({ token: "t", endsAt: 9e9 })), "t");
});

Deno.test("dropToken() leaves a newer token alone, and knows no credential that got none", async () => {
  const { fetch, get } = mints();
  assertEquals(dropToken(fetch, "a", "a-1"), false);
  await get("a");
  assertEquals([dropToken(fetch, "a", "older"), get("a")], [true, "a-1"]);
  assertEquals([dropToken(fetch, "a", "a-1"), await get("a")], [true, "a-2"]);
});

Deno.test("whileOpen() ends with the request that waits", async () => {
  const { promise } = Promise.withResolvers<string>();
  const { signal } = new AbortController();
  const leaving = new AbortController();
  const waits = whileOpen(promise, leaving.signal);
  leaving.abort(new Error("left"));
  await assertRejects(() => waits, Error, "left");
  await assertRejects(() => whileOpen(promise, leaving.signal), Error, "left");
  assertEquals(await whileOpen(Promise.resolve("t"), signal), "t");
});

Deno.test("an endless answer of an endpoint for tokens is not read to its end", async () => {
  let pulled = 0;
  const piece = new TextEncoder().encode(" ".repeat(16 * 1024));
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += piece.length;
      controller.enqueue(piece);
    },
  });
  const endpoint = {
    url: "https://tokens.test/",
    form: {},
    provider: "mine",
    name: "It",
    refusal: () => "no",
  };
  const fetch = () => Promise.resolve(new Response(endless));
  await assertRejects(() => askForToken(fetch, endpoint, 0), GatewayError, "It answered 200 without a token");
  assert(pulled < 2 ** 20, `${pulled} bytes were read`);
});
