/** Durable Objects of the class `SluiceState`, each with a storage in memory. */
import { DatabaseSync } from "node:sqlite";
import { SluiceState } from "../../../worker.ts";
import type { ObjectNamespace, ObjectStorage, StateObject } from "../../../gateway/stores/state_object.ts";

/** The storage of an object, as far as it is used, with the time of its alarm. */
export function objectStorage(): ObjectStorage & { readonly alarm?: number } {
  let database = new DatabaseSync(":memory:");
  let alarm: number | undefined;
  return {
    get alarm() {
      return alarm;
    },
    setAlarm: (at) => Promise.resolve(void (alarm = at)),
    deleteAll() {
      database.close();
      database = new DatabaseSync(":memory:");
      return Promise.resolve();
    },
    sql: {
      exec(text, ...params) {
        if (params.length > 100) throw new Error("too many SQL variables");
        const rows = database.prepare(text).all(...params);
        return { toArray: () => rows };
      },
    },
    transactionSync(work) {
      database.exec("savepoint work");
      try {
        const result = work();
        database.exec("release work");
        return result;
      } catch (error) {
        database.exec("rollback to work");
        database.exec("release work");
        throw error;
      }
    },
  };
}

/**
 * A namespace of objects. A call takes as long as the network wants, and arrives in any order.
 *
 * @param network Called before and after each call: it may wait, or throw.
 */
export function stateObjects(network: (name: string, method: string) => Promise<void> = async () => {}) {
  const storages = new Map<string, ObjectStorage>();
  const objects = new Map<string, SluiceState>();
  const asked: string[] = [];
  const named = (name: string): SluiceState => {
    const storage = storages.get(name) ?? objectStorage();
    storages.set(name, storage);
    const object = objects.get(name) ?? new SluiceState({ storage, waitUntil() {} }, {});
    objects.set(name, object);
    return object;
  };
  const namespace: ObjectNamespace = {
    idFromName: (name) => ({ name }),
    get(id) {
      const { name } = id as { name: string };
      const call = async <T>(method: keyof StateObject, run: () => Promise<T>): Promise<T> => {
        asked.push(name);
        await network(name, method);
        const result = await run();
        await network(name, `${method} is done`);
        return structuredClone(result);
      };
      return {
        all: (text, params) => call("all", () => named(name).all(text, params)),
        batch: (statements) => call("batch", () => named(name).batch(statements)),
        take: (additions, rules) => call("take", () => named(name).take(additions, rules)),
      };
    },
  };
  return {
    namespace,
    /** The names of the objects that were called, in order. */
    asked,
    /** Throws the objects out of memory. Their storage stays. */
    evict: () => objects.clear(),
  };
}
