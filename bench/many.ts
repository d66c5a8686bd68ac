/**
 * Shows what requests cost if a gateway has 10,000 rules and 100,000 keys, in CPU of the process.
 *
 * `deno task bench:many`
 */
import { tmpdir } from "node:os";
import process from "node:process";
import { createGateway } from "../gateway/gateway.ts";
import { memoryCounters } from "../gateway/stores/counters.ts";
import type { Options } from "../gateway/setup/options.ts";
import { openStore } from "../gateway/stores/store_url.ts";

const RULES = 10_000, KEYS = 100_000, ROUNDS = 2000;
const ADMIN = "operator-0123456789";

/** Prints the CPU of this process for one round of some work, in microseconds: other processes do not count. */
async function time(
  name: string,
  work: (round: number) => Promise<unknown> | unknown,
  rounds = ROUNDS,
): Promise<void> {
  // The first rounds compile.
  for (let round = 0; round < rounds / 10; round++) await work(rounds + round);
  const from = process.cpuUsage();
  for (let round = 0; round < rounds; round++) await work(round);
  const { user, system } = process.cpuUsage(from);
  console.log(`${((user + system) / rounds).toFixed(0).padStart(8)} us  ${name}`);
}

const chat = (token: string) =>
  new Request("http://gateway.test/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({
      model: "demo/echo",
      max_tokens: 9,
      messages: [{ role: "user", content: "Hello" }],
    }),
  });

async function ask(fetch: (request: Request) => Promise<Response>, token: string): Promise<void> {
  const response = await fetch(chat(token));
  await response.text();
  if (response.status !== 200) throw new Error(`${response.status}`);
}

/** Tokens, each with two limits and a budget. */
const tokensOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    token: `token-number-${at}`,
    name: `team ${at}`,
    limits: { rpm: 1_000_000, open: 1000 },
    budgets: [{ limitUsd: 1000, window: "month" as const }],
  }));

for (const count of [10, RULES]) {
  const options: Options = { tokens: tokensOf(count), prices: { "demo/echo": { input: 1, output: 1 } } };
  const from = performance.now();
  const { fetch } = createGateway(options);
  console.log(
    `${
      (performance.now() - from).toFixed(0).padStart(8)
    } ms  making a gateway of ${count} tokens, each with three rules`,
  );
  await time(
    `a request of each of them in turn`,
    (round) => ask(fetch, `token-number-${round * 7919 % count}`),
  );
}

{
  const counters = memoryCounters(Date.now);
  const key = (at: number) => `rpm:${at}:1`;
  const add = (at: number) => [{ key: key(at), amount: 1, ttlMs: 3_600_000 }];
  for (let at = 0; at < KEYS; at++) counters.take(add(at));
  const rule = (at: number) => ({ limit: 1e9, of: [{ key: key(at), weight: 1 }] });
  await time(
    `take() in memory with three rules, among ${KEYS} counters`,
    (round) => counters.take(add(round), [rule(round), rule(round + 1), rule(round + 2)]),
  );
  const all = Array.from({ length: RULES }, (_, at) => rule(at));
  await time(`take() in memory with ${RULES} rules`, (round) => counters.take(add(round), all), 50);
}

{
  const path = `${tmpdir()}/many-${crypto.randomUUID()}.db`;
  const store = await openStore(`sqlite:${path}`);
  const gateway = createGateway({ store, adminToken: ADMIN, logs: false });
  const headers = { "content-type": "application/json", authorization: `Bearer ${ADMIN}` };
  const api = async (path: string, body?: object) => {
    const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
    const response = await gateway.fetch(
      new Request(`http://gateway.test/sluice/api/keys${path}`, { headers, ...init }),
    );
    return await response.json();
  };
  const secrets: string[] = [];
  const from = process.cpuUsage();
  for (let at = 0; at < KEYS; at += 100) {
    const made = await Promise.all(
      Array.from(
        { length: 100 },
        (_, next) => api("", { name: `key ${at + next}`, limits: { rpm: 1_000_000 } }),
      ),
    );
    for (const { secret } of made) secrets.push(secret);
  }
  const { user, system } = process.cpuUsage(from);
  console.log(
    `${
      ((user + system) / KEYS).toFixed(0).padStart(8)
    } us  making one of ${KEYS} keys in SQLite, a hundred at once`,
  );
  await time(
    "a request of a key that was not used before",
    (round) => ask(gateway.fetch, secrets[round * 31]),
    500,
  );
  await time("a request of a key that is remembered", () => ask(gateway.fetch, secrets[0]), 500);
  await time("a request of a key that does not exist", async (round) => {
    await (await gateway.fetch(chat(`${secrets[0].slice(0, -5)}${10_000 + round}`))).text();
  }, 500);
  await time("a page of keys", () => api("?limit=50"), 100);
  await time(
    "a search that finds the last of them",
    () => api(`?search=${encodeURIComponent("key 0")}&limit=50`),
    20,
  );
  await gateway.close();
  await Deno.remove(path);
}
