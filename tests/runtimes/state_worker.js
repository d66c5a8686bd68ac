// Runs the tests of stores in workerd, each with Durable Objects and a cache of its own.
import { memoryKv } from "../../gateway/stores/memory_kv.ts";
import { objectCounters } from "../../gateway/stores/object_counters.ts";
import { workerKv } from "../../gateway/stores/worker_kv.ts";
import { objectSql } from "../../gateway/stores/worker_stores.ts";
import { createGateway, workerStores } from "../../mod.ts";
import worker, { SluiceState } from "../../worker.ts";
import { stateCasesOf } from "../gateway/stores/state_suite.ts";
import { casesOf, inSql } from "../gateway/stores/suite.ts";

export { SluiceState };

/** The objects of one case. */
const objectsOf = (namespace, name) => ({
  idFromName: (object) => namespace.idFromName(`${name} ${object}`),
  get: (id) => namespace.get(id),
});

async function runCases({ SLUICE_STATE }) {
  let name = "";
  const rows = inSql("a Durable Object", () => Promise.resolve(objectSql(SLUICE_STATE, name)));
  const state = {
    name: "Durable Objects and a cache",
    hasClock: false,
    open: (now) => {
      const otherwise = memoryKv(0, now), warn = (line) => failures.push(line);
      return Promise.resolve({
        counters: objectCounters(objectsOf(SLUICE_STATE, name)),
        kv: workerKv(() => caches.open(name), { otherwise, now, warn }),
        close() {},
      });
    },
  };
  const failures = [];
  const cases = [...casesOf(rows), ...stateCasesOf(state)];
  for (const [title, run] of cases) {
    name = title;
    try {
      await run();
    } catch (error) {
      failures.push(`${title}: ${error.stack ?? error}`);
    }
  }
  return Response.json({ count: cases.length, failures });
}

/** Two gateways on one store, as a program of one's own makes them. A token of an answer costs a cent. */
function twoGateways(env, provider) {
  const options = {
    store: workerStores(env),
    // Rows are of no use here.
    logs: false,
    keys: { openai: "sk-stored" },
    prices: { "openai/m": { input: 0, output: 10_000 } },
    tokens: [
      { token: "frequent-token", name: "frequent", limits: { rpm: 100 } },
      { token: "spending-token", name: "spending", budgets: [{ limitUsd: 1, window: "month" }] },
    ],
    fetch: provider,
  };
  const gateways = [createGateway(options), createGateway(options)];
  const work = [];
  /** Asks one of them. */
  const ask = (at, token, path, more = {}) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const request = new Request(`https://gateway.test${path}`, { headers, ...more });
    return gateways[at % 2].fetch(request, { waitUntil: (promise) => work.push(promise) });
  };
  return {
    settled: () => Promise.all(work),
    async chat(at, token, model, signal) {
      const body = JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "Hello" }] });
      const response = await ask(at, token, "/v1/chat/completions", { method: "POST", body, signal });
      await response.text();
      return response.status;
    },
    /** What both tell of a token. */
    told: (token) => Promise.all([0, 1].map(async (at) => (await ask(at, token, "/sluice/api/me")).json())),
  };
}

/** 120 requests at once against a limit of 100, and then 200 of five cents at most against a dollar. */
async function runGateways(env) {
  let end;
  const ended = new Promise((resolve) => end = resolve);
  let sent = 0;
  const { chat, settled, told } = twoGateways(env, async () => {
    const at = sent++;
    await ended;
    if (at % 10 === 3) return Response.json({ error: { message: "No." } }, { status: 500 });
    const message = { role: "assistant", content: "Hi" };
    const usage = { prompt_tokens: 0, completion_tokens: 4 };
    return Response.json({ id: "a", choices: [{ index: 0, message, finish_reason: "stop" }], usage });
  });
  const frequent = await Promise.all(
    Array.from({ length: 120 }, (_, at) => chat(at, "frequent-token", "demo/echo")),
  );
  const leaving = new AbortController();
  let refused = 0;
  const spending = await Promise.all(Array.from({ length: 200 }, async (_, at) => {
    const signal = at % 10 === 7 ? leaving.signal : undefined;
    const status = await chat(at, "spending-token", "openai/m", signal).catch(() => "left");
    if (status === 429 && ++refused === 180) {
      leaving.abort();
      end();
    }
    return status;
  }));
  await settled();
  return Response.json({ frequent, spending, sent, told: await told("spending-token") });
}

/** Counts for a tenth of a second, and tells the tables of the object before and after its alarm. */
async function countShortly({ SLUICE_STATE }) {
  const object = SLUICE_STATE.get(SLUICE_STATE.idFromName("counters:short"));
  const tables = async () =>
    (await object.all("select name from sqlite_master where name like 'sluice%'", [])).length;
  await object.take([{ key: "rpm:short:1", amount: 1, ttlMs: 100 }], []);
  const before = await tables();
  for (let tries = 0; tries < 200 && await tables() > 0; tries++) await scheduler.wait(20);
  return Response.json([before, await tables()]);
}

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/cases") return await runCases(env);
    if (pathname === "/gateways") return await runGateways(env);
    if (pathname === "/short") return await countShortly(env);
    if (pathname === "/told") return Response.json(await twoGateways(env).told("spending-token"));
    return await worker.fetch(request, env, context);
  },
};
