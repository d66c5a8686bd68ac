/** The served form with rows in a file of SQLite, on Deno and on Bun. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { ROOT } from "../bundle.ts";
import { DENO, installForBun, RUN, run, type Running, startServed } from "./gateways.ts";

const ADMIN = "operator-0123456789";

type Served = (path: string) => Promise<[command: string, args: string[]]>;

const SERVED: Record<string, Served> = {
  Deno: (path) => {
    const flags = [`--allow-read=${ROOT}/gateway/stores,${path}`, `--allow-write=${path}`];
    return Promise.resolve([DENO, [...RUN, ...flags, "mod.ts"]]);
  },
  Bun: async () => [await installForBun(), ["run", "mod.ts"]],
};

async function ask({ url }: Running): Promise<void> {
  const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
  await response.text();
  assertEquals(response.status, 200);
}

async function read({ url }: Running, path: string) {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${ADMIN}` } });
  return { status: response.status, ...await response.json() };
}

const countRows = async (gateway: Running) =>
  (await read(gateway, "/sluice/api/stats?span=1h")).totals.requests * 100 +
  (await read(gateway, "/sluice/api/logs")).rows.length;

/** Waits for something that another process does. */
async function until(isMet: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!await isMet()) {
    assert(Date.now() < end, "it does not happen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const [name, command] of Object.entries(SERVED)) {
  Deno.test(`${name} mod.ts with SLUICE_STORE keeps rows over a stop, a kill and a lock`, async (t) => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/rows.db`;
    const env = { SLUICE_STORE: `sqlite:${path}`, SLUICE_ADMIN_TOKEN: ADMIN };
    const start = async () => await startServed(...await command(path), env);
    const stored = () => {
      const database = new DatabaseSync(path, { readOnly: true });
      const [{ count }] = database.prepare("select count(*) as count from sluice_logs").all();
      database.close();
      return count as number;
    };

    await t.step("SIGTERM stores the rows that wait", async () => {
      await using gateway = await start();
      for (let at = 0; at < 3; at++) await ask(gateway);
      gateway.signal("SIGTERM");
      assertEquals(await gateway.ended, 0);
      assertEquals(stored(), 3);
    });

    await t.step("a killed process loses no row that is older than a second", async () => {
      await using gateway = await start();
      assertEquals(await countRows(gateway), 303);
      await ask(gateway);
      // Nobody reads, so that the timer alone stores the row.
      await until(() => stored() === 4);
      gateway.signal("SIGKILL");
      await gateway.ended;
    });

    await t.step("while the file is locked, requests are answered and rows wait", async () => {
      await using gateway = await start();
      // Whether there are virtual keys must be known: until then nobody without a token is let in.
      await ask(gateway);
      assertEquals(await countRows(gateway), 505);
      const other = new DatabaseSync(path);
      other.exec("begin immediate");
      await ask(gateway);
      await until(() =>
        gateway.output().includes("Cannot store rows of requests: database is locked; 1 wait")
      );
      const { status, error } = await read(
        gateway,
        "/client/v4/accounts/-/ai-gateway/gateways/default/logs/x",
      );
      assertEquals([status, error], [404, undefined]);
      other.exec("rollback");
      other.close();
      await until(() => gateway.output().includes("The store takes rows of requests again"));
      assertEquals(await countRows(gateway), 606);
      gateway.signal("SIGTERM");
      assertEquals(await gateway.ended, 0);
    });

    await t.step("a store that fails is an error of the operator's requests alone", async () => {
      await using gateway = await start();
      const other = new DatabaseSync(path);
      other.exec("alter table sluice_logs rename to other");
      const { status, error } = await read(gateway, "/sluice/api/logs");
      assertEquals([status, error.code], [503, "overloaded"]);
      assertMatch(error.message, /^Cannot use the store of rows: no such table/);
      await ask(gateway);
      other.exec("alter table other rename to sluice_logs");
      other.close();
      assertEquals(await countRows(gateway), 707);
    });
    await Deno.remove(folder, { recursive: true });
  });

  Deno.test(`${name} mod.ts: a store that cannot be opened is one clear error`, async () => {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/text`, "This is not a database. ".repeat(100));
    const cases: [url: string, due: string][] = [
      [
        "oracle://user:secret@host/rows",
        'there is no kind of store named "oracle"; it must be one of sqlite',
      ],
      ["sluice.db", "it must be a URL such as sqlite:sluice.db"],
      ["sqlite:", "it must be sqlite: and the path of a file"],
      ["sqlite:rows.db?mode=ro", "it must be sqlite: and the path of a file"],
      [`sqlite:${folder}/no/rows.db`, "cannot be opened: unable to open database file"],
      [`sqlite:${folder}/text`, "cannot be opened: file is not a database"],
    ];
    for (const [url, due] of cases) {
      const [program, args] = await command(folder);
      const { code, output } = await run(program, args, { PORT: "0", SLUICE_STORE: url });
      assertEquals(code, 1, url);
      assertMatch(output, /^Cannot use SLUICE_STORE: .*\n$/, url);
      assertStringIncludes(output, due);
      assert(!output.includes("secret"));
    }
    await Deno.remove(folder, { recursive: true });
  });
}

Deno.test("Deno tells the flags that a store needs", async () => {
  const env = { PORT: "0", SLUICE_STORE: "sqlite:/data/rows.db" };
  const flags = `--allow-read=${ROOT}/gateway/stores/,/data/rows.db --allow-write=/data/rows.db`;
  for (const given of [[], flags.split(" ").slice(0, 1)]) {
    const { code, output } = await run(DENO, [...RUN, ...given, "mod.ts"], env);
    assertEquals(code, 1);
    assertMatch(output, /^Requires (?:read|write) access to "[^"]+"\. Run: [^\n]*\n$/);
    assertStringIncludes(output, `deno run --allow-net --allow-env ${flags} ${ROOT}/mod.ts`);
  }
});
