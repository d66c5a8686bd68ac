/** Keeps counters and values in Redis, by any client. */
import { hex } from "../../wires/shared/hex.ts";
import { type Addition, type Counters, isCount, type Rule } from "./counters.ts";
import type { Kv } from "./kv.ts";
import type { Stores } from "./stores.ts";

/**
 * Sends a command: its name and its arguments. Bytes must come back as they are, if they come back as text or as bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { redis, type SendCommand } from "../../mod.ts";
 *
 * const sent: unknown[] = [];
 * const send: SendCommand = (name) => Promise.resolve(sent.push(name)).then(() => null);
 * await redis(send).kv!.get("a");
 * assertEquals(sent, ["GET"]);
 * ```
 */
export type SendCommand = (...args: (string | Uint8Array<ArrayBuffer>)[]) => Promise<unknown>;

/** All names begin with the same tag, so that a cluster keeps them on one server: one call reads and changes several. */
const TAG = "{sluice}:";

/** Counters live this much longer than their time: a gateway whose clock is behind may still need them. */
const GRACE_MS = 600_000;

/**
 * Makes stores in Redis, or in a server that speaks its language and runs its scripts. It keeps cached answers, and counts limits
 * and budgets. Rows need a database.
 *
 * @param send Sends one command by a client of Redis. Strings in answers must be bytes. If the server cannot be reached, it must
 * reject at once, and not wait for the server.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, redis } from "../../mod.ts";
 *
 * // With the package `@redis/client`:
 * //   const client = createClient({ url, disableOfflineQueue: true });
 * //   const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
 * //   redis((...args) => bytes.sendCommand(args))
 * const sent: unknown[] = [];
 * const store = redis((name) => Promise.resolve(sent.push(name)).then(() => null));
 * const gateway = createGateway({ store, cache: { ttl: 60 } });
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const response = await gateway.gateway("default").run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals(response.headers.get("cf-aig-cache-status"), "MISS");
 * await response.text();
 * assertEquals(sent.slice(0, 2), ["GET", "GET"]);
 * ```
 */
export function redis(send: SendCommand): Stores {
  return { kv: redisKv(send), counters: redisCounters(send) };
}

// ---------------------------------------------------------------- scripts

/** Makes a function that runs a script, by its hash if the server knows it. */
function script(send: SendCommand, text: string) {
  let hash: string | undefined;
  return async (keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> => {
    hash ??= await sha1(text);
    const rest = [`${keys.length}`, ...keys, ...args.map(String)];
    try {
      return await send("EVALSHA", hash, ...rest);
    } catch (cause) {
      if (!/NOSCRIPT/.test((cause as Error).message)) throw cause;
      return await send("EVAL", text, ...rest);
    }
  };
}

/** The SHA-1 of a text, as hexadecimal digits. Redis names scripts by it. */
async function sha1(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return hex(new Uint8Array(bytes));
}

/** The text of an answer. */
function textOf(reply: unknown): string {
  if (typeof reply === "string") return reply;
  if (typeof reply === "number" || typeof reply === "bigint") return `${reply}`;
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply);
  throw new TypeError(`Redis answered with ${reply === null ? "nothing" : typeof reply} in place of a text`);
}

// ---------------------------------------------------------------- counters

/**
 * Adds all amounts, unless the sum of a limit is too high, and returns 1 or 0 and the values before.
 *
 * ARGV: how many amounts; of each the index of its key, the amount and its milliseconds; how many limits; of each the most, how
 * many counters, and of each the index of its key and its weight.
 */
const TAKE = `
local values, at = {}, 1
local function arg() at = at + 1; return ARGV[at - 1] end
for i, key in ipairs(KEYS) do
  local text = redis.call('GET', key)
  values[i] = tonumber(text or '0')
  if not (values[i] and values[i] >= 0) then return redis.error_reply('ERR a counter is not a number of at least 0') end
end
local amounts = {}
for i = 1, tonumber(arg()) do amounts[i] = {tonumber(arg()), arg(), arg()} end
local ok = 1
for i = 1, tonumber(arg()) do
  local most, sum = tonumber(arg()), 0
  for j = 1, tonumber(arg()) do sum = sum + values[tonumber(arg())] * tonumber(arg()) end
  if sum > most then ok = 0 end
end
if ok == 1 then
  for _, amount in ipairs(amounts) do
    local key, value = KEYS[amount[1]], math.max(0, values[amount[1]] + tonumber(amount[2]))
    local life = {'PX', amount[3]}
    if redis.call('PTTL', key) > 0 then life = {'KEEPTTL'} end
    redis.call('SET', key, string.format('%.17g', value), unpack(life))
  end
end
local reply = {ok}
for i, value in ipairs(values) do reply[i + 1] = string.format('%.17g', value) end
return reply`;

function redisCounters(send: SendCommand): Counters {
  const run = script(send, TAKE);
  return {
    async take(additions, rules = []) {
      const amounts = totals(additions);
      const keys = [...new Set([...amounts.keys(), ...rules.flatMap(({ of }) => of.map(({ key }) => key))])];
      const indexes = new Map(keys.map((key, at) => [key, at + 1]));
      const addedOf = (key: string) => amounts.get(key)?.amount ?? 0;
      const args: (string | number)[] = [amounts.size];
      for (const [key, { amount, ttlMs }] of amounts) {
        args.push(indexes.get(key)!, amount, Math.ceil(ttlMs + GRACE_MS));
      }
      // An infinite limit refuses nothing.
      const limits = rules.filter(({ limit }) => limit < Infinity);
      args.push(limits.length);
      for (const { limit, of } of limits) {
        args.push(limit - sumOf(of, addedOf), of.length);
        for (const { key, weight } of of) args.push(indexes.get(key)!, weight);
      }
      const reply = await run(keys.map((key) => `${TAG}c:${key}`), args);
      const numbers = Array.isArray(reply) ? reply.map((one) => Number(textOf(one) || NaN)) : [];
      if (numbers.length !== keys.length + 1 || numbers[0] > 1 || !numbers.every(isCount)) {
        throw new TypeError("Redis answered with something else than the values of counters");
      }
      const ok = numbers[0] === 1;
      const after = (key: string) => Math.max(0, numbers[indexes.get(key)!] + (ok ? addedOf(key) : 0));
      return { ok, sums: rules.map(({ of }) => sumOf(of, after)) };
    },
  };
}

/** What is added to each counter. */
function totals(additions: readonly Addition[]): Map<string, { amount: number; ttlMs: number }> {
  const all = new Map<string, { amount: number; ttlMs: number }>();
  for (const { key, amount, ttlMs } of additions) {
    const known = all.get(key);
    if (known) known.amount += amount;
    else all.set(key, { amount, ttlMs });
  }
  return all;
}

const sumOf = (of: Rule["of"], valueOf: (key: string) => number) =>
  of.reduce((sum, { key, weight }) => sum + weight * valueOf(key), 0);

// ---------------------------------------------------------------- values

/**
 * Notes the bytes of a value, and removes those that end first if there are too many bytes. What has ended is removed too.
 *
 * KEYS: the value, the ends of all, the bytes of each, and the sum of all bytes. ARGV: the bytes, the time of its end, the time
 * now, the most bytes.
 */
const NOTE = `
local total = tonumber(redis.call('GET', KEYS[4]) or '0') - tonumber(redis.call('HGET', KEYS[3], KEYS[1]) or '0')
local bytes = tonumber(ARGV[1])
if bytes > 0 then
  redis.call('ZADD', KEYS[2], ARGV[2], KEYS[1])
  redis.call('HSET', KEYS[3], KEYS[1], bytes)
else
  redis.call('ZREM', KEYS[2], KEYS[1])
  redis.call('HDEL', KEYS[3], KEYS[1])
end
total = total + bytes
for _ = 1, 100 do
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if not first[1] then total = 0 break end
  if tonumber(first[2]) > tonumber(ARGV[3]) and total <= tonumber(ARGV[4]) then break end
  redis.call('DEL', first[1])
  redis.call('ZREM', KEYS[2], first[1])
  total = total - tonumber(redis.call('HGET', KEYS[3], first[1]) or '0')
  redis.call('HDEL', KEYS[3], first[1])
end
redis.call('SET', KEYS[4], string.format('%.17g', total))
return 1`;

/** The bytes that an entry takes beside its value, roughly. */
const ENTRY_BYTES = 500;

function redisKv(send: SendCommand): Kv {
  const note = script(send, NOTE);
  const keysOf = (key: string) => [`${TAG}v:${key}`, `${TAG}ends`, `${TAG}sizes`, `${TAG}bytes`];
  return {
    async get(key) {
      const reply = await send("GET", `${TAG}v:${key}`);
      if (reply === null || reply === undefined) return undefined;
      if (reply instanceof Uint8Array) return new Uint8Array(reply);
      throw new TypeError("the client of Redis must return strings as bytes");
    },
    async put(key, value, ttlMs, maxBytes = Number.MAX_SAFE_INTEGER) {
      const bytes = value.length + key.length + ENTRY_BYTES;
      if (bytes > maxBytes) return;
      const now = Date.now(), keys = keysOf(key);
      await send("SET", keys[0], value, "PX", `${Math.max(1, Math.ceil(ttlMs))}`);
      await note(keys, [bytes, Math.ceil(now + ttlMs), now, maxBytes]);
    },
    async delete(key) {
      const keys = keysOf(key);
      await send("DEL", keys[0]);
      await note(keys, [0, 0, Date.now(), Number.MAX_SAFE_INTEGER]);
    },
  };
}
