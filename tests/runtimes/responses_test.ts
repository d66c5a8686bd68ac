/** Responses that a Worker keeps in a Durable Object, in workerd. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bundle } from "../bundle.ts";
import { environmentBindings, serveWorkerd, workerConfig } from "./gateways.ts";

const OBJECTS = `
    durableObjectNamespaces = [(className = "SluiceState", uniqueKey = "sluice", enableSql = true)],
    durableObjectStorage = (localDisk = "storage"),`;

async function start(env: Record<string, string>, folder: string) {
  const path = await Deno.makeTempFile({ suffix: ".js" });
  await bundle(path, "tests/runtimes/responses_worker.js");
  const files = { "responses.js": await Deno.readTextFile(path) };
  await Deno.remove(path);
  const bindings = [
    ...environmentBindings(env),
    `(name = "SLUICE_STATE", durableObjectNamespace = "SluiceState")`,
  ];
  const services = [
    await workerConfig("sluice", "responses.js", bindings, [], OBJECTS),
    `(name = "storage", disk = (path = "${folder}", writable = true))`,
  ];
  return await serveWorkerd(services, files, env);
}

Deno.test({
  name: "a Worker with the Durable Object SluiceState keeps responses",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    const env = { SLUICE_TOKENS: "token-of-a-tenant", SLUICE_RESPONSES_STORE: "true" };
    await using gateway = await start(env, folder);
    const authorization = "Bearer token-of-a-tenant";
    const ask = (body: object, path = "responses") =>
      fetch(`${gateway.url}/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization },
        body: JSON.stringify({ model: "demo/echo", ...body }),
      });
    const get = async (path: string) => {
      const response = await fetch(`${gateway.url}/v1/${path}`, { headers: { authorization } });
      return await response.json();
    };

    await t.step("as each store of documents must", async () => {
      const { count, failures } = await (await fetch(`${gateway.url}/cases`)).json();
      assertEquals(failures, []);
      assert(count > 5);
    });

    await t.step("whole, streamed and left in the middle, and goes on from them at once", async () => {
      let previous_response_id: string | undefined;
      for (const stream of [false, true, true, false]) {
        const response = await ask({
          input: "Hello",
          stream,
          ...(previous_response_id && { previous_response_id }),
        });
        const text = await response.text();
        assertEquals(response.status, 200, text);
        previous_response_id = /resp_sluice_[0-9a-f]{32}/.exec(text)![0];
      }
      const { data } = await get(`responses/${previous_response_id}/input_items`);
      assertEquals(data.length, 7);
      const reader = (await ask({ input: "word ".repeat(2000), stream: true })).body!.getReader();
      const first = new TextDecoder().decode((await reader.read()).value);
      await reader.cancel();
      const id = /resp_sluice_[0-9a-f]{32}/.exec(first)![0];
      // The Worker keeps it in `waitUntil`.
      let status: unknown;
      for (let tries = 0; status === undefined && tries < 200; tries++) {
        ({ status } = await get(`responses/${id}`));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      // A small answer may have been sent as a whole before its client left.
      assertStringIncludes("cancelled completed", `${status}`);
    });

    await t.step("in conversations", async () => {
      const { id } = await (await ask({ items: [{ role: "user", content: "Zero" }] }, "conversations"))
        .json();
      for (const input of ["One", "Two"]) await (await ask({ input, conversation: id, stream: true })).text();
      const { data } = await get(`conversations/${id}/items?order=asc`);
      const texts = data.map(({ content }: { content: { text: string }[] }) => content[0].text);
      assertEquals(texts, ["Zero", "One", "One", "Two", "Two"]);
    });
    await Deno.remove(folder, { recursive: true });
    assertEquals(gateway.output().match(/^.*(?:uncaught|hung|different request).*$/gim), null);
  },
});
