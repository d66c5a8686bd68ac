/** Who makes room when there are more stored responses than may be kept. */
import { assert, assertEquals } from "@std/assert";
import type { DocumentLimits } from "../../../gateway/stores/documents.ts";
import { memoryDocuments } from "../../../gateway/stores/memory_documents.ts";
import { sqlDocuments } from "../../../gateway/stores/sql_documents.ts";
import { openSql } from "../stores/opened.ts";
import { before, message, post } from "../../fakes.ts";

const CLAUDE = "anthropic/claude-sonnet-4-5";

for (const kind of ["memory", "sqlite"]) {
  Deno.test(`${kind}: a tenant that stores very much pushes out its own responses, and nobody else's`, async () => {
    const store = kind === "sqlite" ? await openSql("sqlite::memory:") : undefined;
    const { fetch } = before(() => message("Hi"), {
      responses: { store: true, maxBytes: 60_000 },
      tokens: [{ token: "token-a", name: "a" }, { token: "token-b", name: "b" }],
      keys: { anthropic: "k" },
      store,
    });
    const send = async (token: string, gateway: string) => {
      const body = { model: CLAUDE, input: "x".repeat(5000) };
      const url = `http://gateway.test/v1/acct/${gateway}/compat/responses`;
      const { id } = await (await fetch(post(url, body, { authorization: `Bearer ${token}` }))).json();
      return async () => {
        const found = await fetch(
          new Request(`${url}/${id}`, { headers: { authorization: `Bearer ${token}` } }),
        );
        await found.text();
        return found.status;
      };
    };
    const small = [await send("token-a", "gw"), await send("token-a", "gw")];
    const large: (() => Promise<number>)[] = [];
    // Gateways of many names are one tenant.
    for (let at = 0; at < 20; at++) large.push(await send("token-b", `gw${at}`));
    for (const read of small) assertEquals(await read(), 200);
    assertEquals([await large[0](), await large[19]()], [404, 200]);
    // The small one goes on, and the large one makes room for it.
    small.push(await send("token-a", "gw"));
    for (const read of small) assertEquals(await read(), 200);
    await store?.close?.();
  });

  Deno.test(`${kind}: no tenant loses what it keeps within its equal share, whoever stores what`, async () => {
    const limits: DocumentLimits = { ttlMs: 1e9, maxBytes: 30_000, now: () => 1 };
    const sql = kind === "sqlite" ? await openSql("sqlite::memory:") : undefined;
    const documents = sql ? sqlDocuments(sql, limits) : memoryDocuments(limits);
    let seed = 7;
    const random = () => (seed = seed * 48271 % 2147483647) / 2147483647;
    const tenants = ["a", "b", "c", "d"];
    const kept = new Map<string, { unit: string; bytes: number }[]>(tenants.map((name) => [name, []]));
    for (let at = 0; at < 300; at++) {
      // One tenant stores most of all.
      const tenant = tenants[Math.floor(random() ** 4 * tenants.length)];
      const unit = `r${at}`;
      const body = "x".repeat(Math.ceil(2000 * random()));
      await documents.add({ account: "-", gateway: `gw${at % 3}`, tenant }, [{ unit, id: unit, body }]);
      kept.get(tenant)!.push({ unit, bytes: body.length + 2 * unit.length + 500 });
      let all = 0;
      for (const [name, units] of kept) {
        const before = units.length;
        const isThere = async (unit: string) =>
          (await Promise.all(
            [0, 1, 2].map((gw) =>
              documents.get({ account: "-", gateway: `gw${gw}`, tenant: name }, unit, unit)
            ),
          )).some((found) => found);
        while (units.length > 0 && !await isThere(units[0].unit)) units.shift();
        for (const { unit } of units.slice(0, 2)) assert(await isThere(unit), "the oldest go first");
        const bytes = units.reduce((sum, { bytes }) => sum + bytes, 0);
        // A tenant that has lost something keeps its share, but for the one that was too much.
        if (units.length < before) assert(bytes > 30_000 / 4 - 2510, `${name} keeps ${bytes}`);
        all += bytes;
      }
      assert(all <= 30_000, `${all} bytes after ${at}`);
    }
    await sql?.close?.();
  });
}
