/** What each store of virtual keys must do. */
import type { Key, KeyFacts, Keys } from "../../../gateway/stores/keys.ts";
import { same } from "./suite.ts";

/** A kind of store. */
export interface KeysKind {
  name: string;
  /** Opens an empty store. */
  open(): Promise<Keys>;
  /** Opens what another process has opened before. Absent for a store that nobody shares. */
  again?(): Promise<Keys>;
}

const NOON = Date.UTC(2026, 10, 28, 12);

/** A key with a number. */
const keyOf = (at: number, about: KeyFacts = {}, more: Partial<Key> = {}): Key => ({
  id: `k_${`${at}`.padStart(32, "0")}`,
  version: 1,
  name: `key ${at}`,
  hash: `hash ${at}`,
  created: new Date(NOON + at).toISOString(),
  about,
  ...more,
});

const FULL = keyOf(1, {
  team: "growth",
  expires: "2027-01-01T00:00:00.000Z",
  disabled: true,
  gateways: ["prod"],
  limits: { rpm: 60 },
  budgets: [{ limitUsd: 0.1, window: "month" }],
  metadata: { cost_center: "7", "ä '\"\\%_!": "\u{1f600} \n" },
}, { former: { hash: "old hash", until: NOON } });

type Case = [name: string, run: (keys: Keys, kind: KeysKind) => Promise<void>];

const CASES: Case[] = [
  ["returns a key as it was saved, by its hash, its former hash, its id and its name", async (keys) => {
    same(await keys.save(FULL), true, "saved");
    same(await keys.save(keyOf(2)), true, "another");
    for (const hash of ["hash 1", "old hash"]) same(await keys.find(hash), FULL, hash);
    same(await keys.get(FULL.id), FULL, "by id");
    same(await keys.named("key 1"), FULL, "by name");
    same(await keys.find("hash 2"), keyOf(2), "another");
    for (const hash of ["hash 3", "", "hash"]) same(await keys.find(hash), undefined, hash);
    for (const id of ["k_1", "", "%"]) same(await keys.get(id), undefined, id);
    for (const name of ["KEY 1", "", "key _"]) same(await keys.named(name), undefined, name);
  }],
  ["tells whether there was a key once", async (keys, kind) => {
    same(await keys.isUsed(), false, "at first");
    same(
      [await keys.list({ limit: 9 }), await keys.find(""), await keys.remove("")],
      [[], undefined, false],
      "none",
    );
    await keys.save(keyOf(1));
    same(await keys.isUsed(), true, "with a key");
    same(await keys.remove(keyOf(1).id), true, "removed");
    same(await keys.isUsed(), true, "without one");
    same(
      [await keys.list({ limit: 9 }), await keys.get(""), await keys.remove("")],
      [[], undefined, false],
      "after",
    );
    if (kind.again) same(await (await kind.again()).isUsed(), true, "for another process");
  }],
  ["removes a key with both hashes", async (keys) => {
    await keys.save(FULL);
    await keys.save(keyOf(2));
    same([await keys.remove(FULL.id), await keys.remove(FULL.id)], [true, false], "removed once");
    for (const hash of ["hash 1", "old hash"]) same(await keys.find(hash), undefined, hash);
    same(await keys.get(FULL.id), undefined, "by id");
    same(await keys.save(keyOf(3, {}, { name: "key 1" })), true, "its name is free");
    same((await keys.list({ limit: 9 })).map(({ name }) => name), ["key 1", "key 2"], "the others");
  }],
  ["saves one of two changes at once, and none of a key that is gone", async (keys) => {
    await keys.save(FULL);
    const { former: _, ...changed } = {
      ...FULL,
      version: 2,
      hash: "new hash",
      name: "renamed",
      about: { team: "x" },
    };
    const both = await Promise.all([
      keys.save(changed),
      keys.save({ ...FULL, version: 2, hash: "other hash" }),
    ]);
    same(both.filter(Boolean).length, 1, "one of two");
    const saved = (await keys.get(FULL.id))!;
    same(saved, both[0] ? changed : { ...FULL, version: 2, hash: "other hash" }, "as it was saved");
    same(await keys.find("hash 1"), undefined, "the hash before");
    same(await keys.save({ ...changed, version: 4 }), false, "a version that is too new");
    same(await keys.save({ ...changed, version: 3, former: undefined }), true, "the next");
    same(
      [await keys.find("old hash"), await keys.named("key 1")],
      [undefined, undefined],
      "what it had before",
    );
    same((await keys.named("renamed"))?.version, 3, "its new name");
    await keys.remove(FULL.id);
    same(await keys.save({ ...changed, version: 4 }), false, "gone");
    same(await keys.list({ limit: 9 }), [], "it does not come back");
  }],
  ["gives a name to one key only", async (keys) => {
    await keys.save(keyOf(1));
    await keys.save(keyOf(2));
    same(await keys.save(keyOf(3, {}, { name: "key 1" })), false, "a new key");
    same(await keys.save(keyOf(2, {}, { name: "key 1", version: 2 })), false, "a change");
    same(await keys.save(keyOf(1, {}, { version: 2 })), true, "its own name");
    const made = await Promise.all([4, 5, 6].map((at) => keys.save(keyOf(at, {}, { name: "one" }))));
    same(made.filter(Boolean).length, 1, "three at once");
    same((await keys.list({ limit: 9 })).length, 3, "keys");
  }],
  ["saves one of several changes at once, and one of several keys that take a name at once", async (keys) => {
    for (let at = 1; at <= 5; at++) await keys.save(keyOf(at));
    for (let round = 0; round < 5; round++) {
      const version = 2 + round;
      const changes = await Promise.all(
        [0, 1, 2].map((cost) => keys.save(keyOf(1, { cost }, { version, name: "key 1" }))),
      );
      same(changes.filter(Boolean).length, 1, "changes of one key");
      same((await keys.get(keyOf(1).id))?.about.cost, changes.indexOf(true), "what is saved");
      const name = `name ${round}`;
      const known = await Promise.all([2, 3, 4, 5].map((at) => keys.get(keyOf(at).id)));
      const renamed = known.map((key) => keys.save({ ...key!, version: key!.version + 1, name }));
      same((await Promise.all(renamed)).filter(Boolean).length, 1, "renamed keys");
    }
    same((await keys.list({ limit: 9 })).length, 5, "keys");
  }],
  ["lists pages, the newest first, also while others are made and removed", async (keys) => {
    for (const at of [3, 1, 5, 2, 4]) await keys.save(keyOf(at));
    const page = async (limit: number, before?: string) =>
      (await keys.list({ limit, before })).map(({ name }) => name.slice(4)).join("");
    same([await page(2), await page(9)], ["54", "54321"], "from the newest");
    await keys.save(keyOf(6));
    await keys.remove(keyOf(3).id);
    same([await page(2, keyOf(4).id), await page(9, keyOf(3).id), await page(2, keyOf(1).id)], [
      "21",
      "21",
      "",
    ], "on");
  }],
  ["finds keys by a part of their name, team or id", async (keys) => {
    await keys.save(keyOf(1, { team: "Growth" }, { name: "CI 100%" }));
    await keys.save(keyOf(2, { team: "ops" }, { name: "ci_nightly!" }));
    for (
      const [search, due] of [
        ["ci", "21"],
        ["CI ", "1"],
        ["growth", "1"],
        ["%", "1"],
        ["_nig", "2"],
        ["!", "2"],
        [
          "K_0000000000000000000000000000000",
          "21",
        ],
        ["nobody", ""],
        ["'; drop table sluice_keys; --", ""],
        ["\\", ""],
      ]
    ) {
      const found = (await keys.list({ limit: 9, search })).map(({ id }) => id.at(-1)).join("");
      same(found, due, search);
    }
  }],
];

/** The cases of a kind of store, each with a store of its own. */
export const keysCasesOf = (kind: KeysKind): [name: string, run: () => Promise<void>][] =>
  CASES.map(([name, run]) => [`${kind.name}: ${name}`, async () => await run(await kind.open(), kind)]);
