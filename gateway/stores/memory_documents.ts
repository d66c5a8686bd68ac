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
  documents: Map<string, Document>;
  /** The time since when it counts as unused. */
  at: number;
  bytes: number;
}

const keyOf = ({ account, gateway, tenant }: Owner, unit: string): string =>
  JSON.stringify([account, gateway, tenant, unit]);

/** Makes a store of documents in memory. */
export function memoryDocuments({ ttlMs, maxBytes, now }: DocumentLimits): Documents {
  /** The unit that was used last is the last one. */
  const units = new Map<string, Unit>();
  let held = 0;

  function drop(key: string): boolean {
    held -= units.get(key)?.bytes ?? 0;
    return units.delete(key);
  }

  function find(owner: Owner, unit: string): Unit | undefined {
    const key = keyOf(owner, unit);
    const found = units.get(key);
    if (!found || now() - found.at < ttlMs) return found;
    drop(key);
    return undefined;
  }

  /** Notes a use. */
  function use(key: string, unit: Unit): void {
    units.delete(key);
    units.set(key, unit);
    unit.at = now();
  }

  function grow(unit: Unit, by: number): void {
    unit.bytes += by;
    held += by;
  }

  /** Removes units that are too old or too many. The oldest are the first ones. */
  function tidy(): void {
    for (const [key, { at }] of units) {
      if (held <= maxBytes && now() - at < ttlMs) break;
      drop(key);
    }
  }

  return {
    add(owner, documents) {
      for (const document of documents) {
        const key = keyOf(owner, document.unit);
        const unit = find(owner, document.unit) ?? { documents: new Map(), at: now(), bytes: 0 };
        units.set(key, unit);
        if (unit.documents.has(document.id)) continue;
        unit.documents.set(document.id, document);
        grow(unit, sizeOf(document));
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
      grow(found!, body.length - old.body.length);
      tidy();
      return Promise.resolve(true);
    },
    remove(owner, unit, id) {
      const found = find(owner, unit);
      if (!found || id === undefined) return Promise.resolve(drop(keyOf(owner, unit)));
      const document = found.documents.get(id);
      if (!document) return Promise.resolve(false);
      found.documents.delete(id);
      grow(found, -sizeOf(document));
      return Promise.resolve(true);
    },
    touch(owner, touched) {
      for (const unit of touched) {
        const found = find(owner, unit);
        if (found && now() - found.at >= TOUCH_MS) use(keyOf(owner, unit), found);
      }
      return Promise.resolve();
    },
  };
}
