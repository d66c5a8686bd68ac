/**
 * What each store of documents must do. It runs on Deno, on Bun (`documents_kinds.ts`) and in workerd
 * (`tests/runtimes/responses_worker.js`), where the packages of other tests are not.
 */
import type { Document, DocumentLimits, Documents, Owner } from "../../../gateway/stores/documents.ts";

/** A kind of store. */
export interface DocumentKind {
  name: string;
  open(limits: DocumentLimits): Promise<Documents & { close?: () => unknown }>;
}

function assert(value: unknown, what = "nothing there"): void {
  if (!value) throw new Error(what);
}

function assertEquals(actual: unknown, expected: unknown): void {
  const [told, due] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (told !== due) throw new Error(`${told} must be ${due}`);
}

const OWNER: Owner = { account: "acct", gateway: "gw", tenant: "name a" };
const DAY = 86_400_000;

const response = (unit: string, previous?: string, body = `{"unit":"${unit}"}`): Document => ({
  unit,
  id: unit,
  ...(previous !== undefined && { previous }),
  body,
});
const item = (unit: string, id: string, body = `"${id}"`): Document => ({ unit, id, body });
const idsOf = (documents: readonly Document[]) => documents.map(({ id }) => id);
const ALL = { descending: false, limit: 100 };
const MOST = { documents: 10, bytes: 10_000 };

/** The cases of a kind of store, each with its title. */
export function documentCasesOf({ name, open }: DocumentKind): [title: string, run: () => Promise<void>][] {
  let close: (() => unknown) | undefined;
  const made = async (limits: Partial<DocumentLimits> = {}) => {
    let at = Date.UTC(2026, 10, 29);
    const store = await open({ ttlMs: 30 * DAY, maxBytes: 1_000_000, now: () => at, ...limits });
    close = store.close;
    return { store, pass: (ms: number) => void (at += ms) };
  };
  const cases: [string, () => Promise<void>][] = [
    ["keeps a document as it is, for its owner alone", async () => {
      const { store } = await made();
      const document = response("r1", "r0", '{"a":"ü 😀 \' \\" \\n"}');
      await store.add(OWNER, [document]);
      assertEquals(await store.get(OWNER, "r1", "r1"), document);
      // An id that is there is left as it is.
      await store.add(OWNER, [response("r1", undefined, "other")]);
      assertEquals(await store.get(OWNER, "r1", "r1"), document);
      for (const other of ["account", "gateway", "tenant"] as const) {
        const owner = { ...OWNER, [other]: "other" };
        assertEquals(await store.get(owner, "r1", "r1"), undefined);
        assertEquals((await store.chain(owner, "r1", MOST)).documents, []);
        assertEquals(await store.list(owner, "r1", ALL), []);
        assertEquals(await store.change(owner, "r1", "r1", "x"), false);
        assertEquals(await store.remove(owner, "r1"), false);
      }
      assertEquals(await store.get(OWNER, "r1", "r2"), undefined);
      assertEquals(await store.change(OWNER, "r1", "r1", "new"), true);
      assertEquals((await store.get(OWNER, "r1", "r1"))?.body, "new");
      assertEquals(await store.remove(OWNER, "r1"), true);
      assertEquals([await store.get(OWNER, "r1", "r1"), await store.remove(OWNER, "r1")], [undefined, false]);
    }],
    ["follows a chain, and says why it ends", async () => {
      const { store } = await made();
      for (let at = 0; at < 5; at++) {
        await store.add(OWNER, [response(`r${at}`, at === 0 ? undefined : `r${at - 1}`, "x".repeat(100))]);
      }
      // Another conversation that goes on from the same response.
      await store.add(OWNER, [response("branch", "r1")]);
      const chain = async (unit: string, most = MOST) => {
        const { documents, ends } = await store.chain(OWNER, unit, most);
        return [idsOf(documents).join(" "), ends];
      };
      assertEquals(await chain("r4"), ["r4 r3 r2 r1 r0", undefined]);
      assertEquals(await chain("branch"), ["branch r1 r0", undefined]);
      assertEquals(await chain("r4", { ...MOST, documents: 5 }), ["r4 r3 r2 r1 r0", undefined]);
      assertEquals(await chain("r4", { ...MOST, documents: 4 }), ["r4 r3 r2 r1", "too long"]);
      assertEquals((await chain("r4", { ...MOST, bytes: 350 }))[1], "too long");
      assertEquals((await chain("r4", { ...MOST, bytes: 10 }))[1], "too long");
      assertEquals(await chain("nobody"), ["", "missing"]);
      await store.remove(OWNER, "r2");
      assertEquals(await chain("r4"), ["r4 r3", "missing"]);
    }],
    ["lists a unit in the order of arrival, page by page", async () => {
      const { store } = await made();
      await store.add(OWNER, [response("c1"), item("c1", "b"), item("c1", "a")]);
      await store.add(OWNER, [response("c2"), item("c2", "a")]);
      await store.add(OWNER, [item("c1", "d"), item("c1", "c")]);
      const list = async (page: object) => idsOf(await store.list(OWNER, "c1", { ...ALL, ...page })).join("");
      assertEquals(await list({}), "badc");
      assertEquals(await list({ descending: true }), "cdab");
      assertEquals(await list({ limit: 2 }), "ba");
      assertEquals(await list({ after: "a" }), "dc");
      assertEquals(await list({ after: "a", descending: true }), "b");
      assertEquals(await list({ after: "nobody" }), "");
      assertEquals(await store.remove(OWNER, "c1", "a"), true);
      assertEquals(await store.remove(OWNER, "c1", "a"), false);
      assertEquals([await list({}), idsOf(await store.list(OWNER, "c2", ALL))], ["bdc", ["a"]]);
      assertEquals(await store.remove(OWNER, "c1"), true);
      assertEquals([await list({}), await store.get(OWNER, "c1", "b")], ["", undefined]);
    }],
    ["removes a unit that was not used for its days", async () => {
      const { store, pass } = await made();
      await store.add(OWNER, [response("old"), response("used"), item("used", "i")]);
      pass(29 * DAY);
      await store.touch(OWNER, ["used", "nobody"]);
      assert(await store.get(OWNER, "old", "old"));
      pass(DAY);
      assertEquals(await store.get(OWNER, "old", "old"), undefined);
      assertEquals((await store.chain(OWNER, "old", MOST)).ends, "missing");
      assertEquals(await store.change(OWNER, "old", "old", "x"), false);
      assertEquals(idsOf(await store.list(OWNER, "used", ALL)), ["i"]);
      pass(29 * DAY);
      assertEquals(await store.get(OWNER, "used", "used"), undefined);
    }],
    [
      "removes the units that were not used for the longest time when there are too many bytes, as a whole",
      async () => {
        const { store, pass } = await made({ maxBytes: 20_000 });
        const long = "x".repeat(3000);
        await store.add(OWNER, [response("c1"), item("c1", "i1", long), item("c1", "i2", long)]);
        pass(1000);
        await store.add(OWNER, [response("r1", undefined, long)]);
        pass(2 * DAY);
        await store.touch(OWNER, ["r1"]);
        await store.add(OWNER, [response("r2", undefined, long)]);
        assertEquals(idsOf(await store.list(OWNER, "c1", ALL)), ["i1", "i2"]);
        await store.add(OWNER, [response("r3", undefined, long), response("r4", undefined, long)]);
        assertEquals(await store.get(OWNER, "c1", "c1"), undefined);
        assertEquals(await store.list(OWNER, "c1", ALL), []);
        for (const id of ["r1", "r2", "r3", "r4"]) assert(await store.get(OWNER, id, id), id);
        for (let at = 0; at < 50; at++) await store.add(OWNER, [response(`n${at}`, undefined, long)]);
        assertEquals(await store.get(OWNER, "r4", "r4"), undefined);
        assert(await store.get(OWNER, "n49", "n49"));
      },
    ],
    ["keeps many documents in one call, and names many units", async () => {
      const { store, pass } = await made();
      const many = Array.from({ length: 250 }, (_, at) => response(`m${at}`));
      await store.add(OWNER, many);
      pass(20 * DAY);
      await store.touch(OWNER, many.map(({ unit }) => unit));
      pass(20 * DAY);
      for (const { unit } of [many[0], many[249]]) assert(await store.get(OWNER, unit, unit), unit);
      await store.touch(OWNER, []);
      await store.add(OWNER, []);
    }],
  ];
  return cases.map(([title, run]) => [`documents in ${name}: the store ${title}`, async () => {
    try {
      await run();
    } finally {
      await close?.();
    }
  }]);
}
