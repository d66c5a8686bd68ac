/** Rows of requests in a Durable Object, in workerd. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bundle, ROOT } from "../bundle.ts";
import { environmentBindings, serveWorkerd, STATE, workerConfig } from "./gateways.ts";

const ADMIN = "operator-0123456789";

let bundled: Promise<string> | undefined;

async function code(): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".js" });
  await bundle(path, "tests/runtimes/state_worker.js");
  const text = await Deno.readTextFile(path);
  await Deno.remove(path);
  return text;
}

async function start(env: Record<string, string>, folder: string) {
  const files = {
    "state.js": await (bundled ??= code()),
    "cache.js": await Deno.readTextFile(`${ROOT}/tests/runtimes/cache_service.js`),
  };
  const bindings = [
    ...environmentBindings(env),
    STATE.binding,
  ];
  const services = [
    await workerConfig("sluice", "state.js", bindings, [], `${STATE.objects} cacheApiOutbound = "cache",`),
    await workerConfig("cache", "cache.js", []),
    STATE.storage(folder),
  ];
  return await serveWorkerd(services, files, env);
}

Deno.test({
  name: "a Worker with the Durable Object SluiceState keeps rows",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    const env = { SLUICE_ADMIN_TOKEN: ADMIN, SLUICE_LOGS_BODIES: "all" };
    await using gateway = await start(env, folder);
    const read = async (path: string) => {
      const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${ADMIN}` } });
      return await response.json();
    };

    await t.step("as each store of rows must", async () => {
      const { count, failures } = await (await fetch(`${gateway.url}/cases`)).json();
      assertEquals(failures, []);
      assert(count > 15);
    });

    await t.step("of requests, whole and streamed, when their answers have ended", async () => {
      const ids: string[] = [];
      for (const stream of [false, true, false]) {
        const body = { model: "demo/echo", stream, messages: [{ role: "user", content: "Hello" }] };
        const response = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
        await response.text();
        ids.unshift(response.headers.get("cf-aig-log-id")!);
      }
      // `waitUntil` stores a row after the answer.
      let rows: { id: string }[] = [];
      for (let tries = 0; rows.length < 3 && tries < 200; tries++) {
        rows = (await read("/sluice/api/logs")).rows;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertEquals(rows.map(({ id }) => id).sort(), ids.sort());
      assertEquals((await read("/sluice/api/stats?span=24h")).totals.requests, 3);
      const path = `/client/v4/accounts/-/ai-gateway/gateways/default/logs/${ids[0]}`;
      assertEquals((await read(path)).result.provider, "demo");
      const { request, response } = await read(`/sluice/api/bodies/-/default/${ids[0]}`);
      assertStringIncludes(request.text, "Hello");
      assertStringIncludes(response.text, "Hello");
    });

    await t.step(
      "and answers in the cache of its data center, whole and streamed, until they are cleared",
      async () => {
        const ask = async (stream: boolean) => {
          const response = await fetch(`${gateway.url}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json", "cf-aig-cache-key": `stream ${stream}` },
            body: JSON.stringify({
              model: "demo/echo",
              stream,
              messages: [{ role: "user", content: "Grüße" }],
            }),
          });
          return { status: response.headers.get("cf-aig-cache-status"), text: await response.text() };
        };
        for (const stream of [false, true]) {
          const first = await ask(stream);
          assertEquals(first.status, "MISS");
          // An answer is kept when its last byte was sent.
          let again = await ask(stream);
          for (let tries = 0; tries < 50 && again.status === "MISS"; tries++) again = await ask(stream);
          assertEquals(again, { status: "HIT", text: first.text });
        }
        const headers = { authorization: `Bearer ${ADMIN}` };
        const cleared = await fetch(`${gateway.url}/sluice/api/cache`, { method: "DELETE", headers });
        assertEquals(cleared.status, 200);
        await cleared.text();
        assertEquals((await ask(false)).status, "MISS");
        assertEquals(gateway.output().includes("no cache of a data center"), false);
      },
    );
    await Deno.remove(folder, { recursive: true });
    assertEquals(gateway.output().match(/^.*(?:uncaught|hung|different request).*$/gim), null);
  },
});

/** What a token's holder is told. */
interface Told {
  budgets: { spentUsd: number; heldUsd: number }[];
}

Deno.test({
  name:
    "two gateways of a Worker with SluiceState count together, and what they have counted outlives a killed process",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const folder = await Deno.makeTempDir();
    const sumsOf = (told: Told[]) => told.map(({ budgets: [{ spentUsd, heldUsd }] }) => [spentUsd, heldUsd]);
    const first = await start({}, folder);
    const { frequent, spending, sent, told } = await (await fetch(`${first.url}/gateways`)).json();
    const count = (statuses: unknown[], due: unknown) => statuses.filter((status) => status === due).length;
    assertEquals([count(frequent, 200), count(frequent, 429)], [100, 20]);
    assertEquals([count(spending, 429), sent], [180, 20], "a dollar in holds of five cents");
    const answered = count(spending, 200);
    assert(answered > 0 && answered <= 18, "some fail, and some leave");
    const sums = [answered * 4 / 100, 0];
    assertEquals(sumsOf(told), [sums, sums]);
    const tables = await (await fetch(`${first.url}/short`)).json();
    assertEquals(tables, [1, 0], "the storage of a token that is not used any more is removed");
    first.signal("SIGKILL");
    await first.ended;
    await using second = await start({}, folder);
    assertEquals(sumsOf(await (await fetch(`${second.url}/told`)).json()), [sums, sums]);
    await Deno.remove(folder, { recursive: true });
  },
});
