/** Keeps documents in the memory of the process. They are lost when it ends. */
import {
  type Document,
  type DocumentLimits,
  type Documents,
  type Owner,
  sizeOf,
  TOUCH_MS,
} from "./documents.ts";

interface Unit {
  tenant: string;
  documents: Map<string, Document>;
  /** The time since when it counts as unused. */
  at: number;
  bytes: number;
}

const keyOf = ({ account, gateway, tenant }: Owner, unit: string): string =>
  JSON.stringify([account, gateway, tenant, unit]);

/** The units of all tenants, and their bytes. */
function heldUnits() {
  /** The unit that was used last is the last one. */
  const units = new Map<string, Unit>();
  /** What each tenant has: the keys of its units in the same order, and their bytes. */
  const tenants = new Map<string, { keys: Set<string>; bytes: number }>();
  let bytes = 0;

  function grow(unit: Unit, by: number): void {
    unit.bytes += by;
    tenants.get(unit.tenant)!.bytes += by;
    bytes += by;
  }

  return {
    bytes: () => bytes,
    get: (key: string) => units.get(key),
    /** The oldest first. */
    all: () => units.entries(),
    grow,
    /** Adds a unit, as the one that was used last. */
    put(key: string, unit: Unit): void {
      units.delete(key);
      units.set(key, unit);
      const known = tenants.get(unit.tenant) ?? { keys: new Set(), bytes: 0 };
      tenants.set(unit.tenant, known);
      known.keys.delete(key);
      known.keys.add(key);
    },
    drop(key: string): boolean {
      const unit = units.get(key);
      if (!unit) return false;
      grow(unit, -unit.bytes);
      const { keys } = tenants.get(unit.tenant)!;
      keys.delete(key);
      if (keys.size === 0) tenants.delete(unit.tenant);
      return units.delete(key);
    },
    /** The key of the oldest unit of the tenant that has the most bytes. */
    tooMuch(): string {
      let [largest] = tenants.values();
      for (const one of tenants.values()) if (one.bytes > largest.bytes) largest = one;
      return largest.keys.keys().next().value!;
    },
  };
}

/** Makes a store of documents in memory. */
export function memoryDocuments({ ttlMs, maxBytes, now }: DocumentLimits): Documents {
  const units = heldUnits();

  function find(owner: Owner, unit: string): Unit | undefined {
    const key = keyOf(owner, unit);
    const found = units.get(key);
    if (!found || now() - found.at < ttlMs) return found;
    units.drop(key);
    return undefined;
  }

  /** Removes units that are too old, and if there are too many bytes the oldest of the tenant that has the most. */
  function tidy(): void {
    for (const [key, { at }] of units.all()) {
      if (now() - at < ttlMs) break;
      units.drop(key);
    }
    while (units.bytes() > maxBytes) units.drop(units.tooMuch());
  }

  return {
    add(owner, documents) {
      for (const document of documents) {
        const key = keyOf(owner, document.unit);
        let unit = find(owner, document.unit);
        if (!unit) units.put(key, unit = { tenant: owner.tenant, documents: new Map(), at: now(), bytes: 0 });
        if (unit.documents.has(document.id)) continue;
        unit.documents.set(document.id, document);
        units.grow(unit, sizeOf(document));
      }
      tidy();
      return Promise.resolve();
    },
    get: (owner, unit, id) => Promise.resolve(find(owner, unit)?.documents.get(id)),
    list(owner, unit, { after, descending, limit }) {
      const all = [...find(owner, unit)?.documents.values() ?? []].filter(({ id }) => id !== unit);
      if (descending) all.reverse();
      const at = after === undefined ? -1 : all.findIndex(({ id }) => id === after);
      if (after !== undefined && at < 0) return Promise.resolve([]);
      return Promise.resolve(all.slice(at + 1, at + 1 + limit));
    },
    chain(owner, unit, most) {
      const documents: Document[] = [];
      let next: string | undefined = unit, bytes = 0;
      while (next !== undefined) {
        const document: Document | undefined = find(owner, next)?.documents.get(next);
        if (!document) return Promise.resolve({ documents, ends: "missing" });
        bytes += document.body.length;
        if (documents.length === most.documents || bytes > most.bytes) {
          return Promise.resolve({ documents, ends: "too long" });
        }
        documents.push(document);
        next = document.previous;
      }
      return Promise.resolve({ documents });
    },
    change(owner, unit, id, body) {
      const found = find(owner, unit);
      const old = found?.documents.get(id);
      if (!old) return Promise.resolve(false);
      found!.documents.set(id, { ...old, body });
      units.grow(found!, body.length - old.body.length);
      tidy();
      return Promise.resolve(true);
    },
    remove(owner, unit, id) {
      const found = find(owner, unit);
      if (!found || id === undefined) return Promise.resolve(units.drop(keyOf(owner, unit)));
      const document = found.documents.get(id);
      if (!document) return Promise.resolve(false);
      found.documents.delete(id);
      units.grow(found, -sizeOf(document));
      return Promise.resolve(true);
    },
    touch(owner, touched) {
      for (const unit of touched) {
        const found = find(owner, unit);
        if (!found || now() - found.at < TOUCH_MS) continue;
        units.put(keyOf(owner, unit), found);
        found.at = now();
      }
      return Promise.resolve();
    },
  };
}
