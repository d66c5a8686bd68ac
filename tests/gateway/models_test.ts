import { assert, assertEquals } from "@std/assert";
import { createGateway } from "../../gateway/gateway.ts";

Deno.test("listModels() lists the built-in models under the names that a client writes", async () => {
  const gateway = createGateway({ fetch: () => Promise.reject(new Error("nothing may be sent")) });
  const roots = ["", "/v1", "/compat", "/compat/v1", "/v1/acct/gw/compat", "/v1/acct/gw/compat/v1"];
  for (const root of roots) {
    const response = await gateway.fetch(new Request(`http://gateway.test${root}/models`));
    assertEquals(response.status, 200, root);
    const { object, data } = await response.json();
    assertEquals(object, "list");
    const ids = data.map((model: { id: string }) => model.id);
    assert(ids.includes("demo/echo"), ids.join());
    assertEquals(ids.length, new Set(ids).size);
  }
});

Deno.test("listModels() is for reading only", async () => {
  const response = await createGateway().fetch(
    new Request("http://gateway.test/v1/models", { method: "POST" }),
  );
  assertEquals(response.status, 405);
  assertEquals(response.headers.get("allow"), "GET, HEAD, OPTIONS");
});
