/** Keeps virtual keys: gateway tokens that are made, changed and removed while the gateway runs. */
import { GatewayError } from "../../wires/errors.ts";
import { isObject, object, parse } from "../../wires/shared/json.ts";
import { withTables } from "./sql_schema.ts";
import { type Sql, type SqlValue, sqlValue } from "./sql.ts";

/** A virtual key. Its secret is not kept, only a hash. */
export interface Key {
  /** `k_` and 32 hexadecimal digits, which sort by the time at which the key was made. It never changes. */
  id: string;
  /** 1 for a new key. Each change adds 1, so that of two changes at once only one is saved. */
  version: number;
  /** Unlike that of any other key. */
  name: string;
  /** The SHA-256 of the secret, in hex. */
  hash: string;
  /** The secret before it was changed, which may still be used for some time. */
  former?: { hash: string; until: number };
  /** When it was made, as a date in UTC. */
  created: string;
  /** What it opens, and what its holder may ask for. */
  about: KeyFacts;
}

/** What a key opens, and what its holder may ask for. Absent members do not limit it. */
export interface KeyFacts {
  team?: string;
  /** The date after which it opens nothing, in UTC. */
  expires?: string;
  disabled?: boolean;
  [more: string]: unknown;
}

/** A part of the list of keys, the newest first. */
export interface KeyQuery {
  /** The id of the last key that the client has: the list goes on with older ones. */
  before?: string;
  limit: number;
  /** A part of the name, the team or the id, in any letter case. */
  search?: string;
}

type Soon<T> = Promise<T> | T;

/** The keys of a gateway. A store that is shared by several machines answers with a promise, which rejects with a StoreError. */
export interface Keys {
  /** Whether a key was ever saved, even if all were removed. */
  isUsed(): Soon<boolean>;
  /** The key whose secret, or whose former secret, has this hash. */
  find(hash: string): Soon<Key | undefined>;
  get(id: string): Soon<Key | undefined>;
  named(name: string): Soon<Key | undefined>;
  list(query: KeyQuery): Soon<Key[]>;
  /**
   * Saves a new key, or a change of one.
   *
   * @returns Whether it was saved: not if the key was changed or removed in the meantime, or if another one has its name.
   */
  save(key: Key): Soon<boolean>;
  /** Removes a key, and tells whether there was one. */
  remove(id: string): Soon<boolean>;
}

// ---------------------------------------------------------------- memory

/** The most keys in memory. So many take some 100 MB. */
const MOST_IN_MEMORY = 100_000;

/**
 * Keys in the memory of this process, which end with it.
 *
 * @param most The most keys; 0 where other processes, which do not have them, serve the same address.
 */
export function memoryKeys(most = MOST_IN_MEMORY): Keys {
  const byId = new Map<string, Key>();
  const idByHash = new Map<string, string>();
  const idByName = new Map<string, string>();
  let isUsed = false;

  function forget({ hash, former, name }: Key): void {
    idByHash.delete(hash);
    if (former) idByHash.delete(former.hash);
    idByName.delete(name);
  }

  const get = (id: string | undefined) => id === undefined ? undefined : byId.get(id);
  return {
    isUsed: () => isUsed,
    find: (hash) => get(idByHash.get(hash)),
    get,
    named: (name) => get(idByName.get(name)),
    list({ before, limit, search = "" }) {
      // Names, teams and ids are ASCII, whose letters every database lowers.
      const part = search.toLowerCase();
      const found: Key[] = [];
      for (const key of [...byId.values()].sort((a, b) => a.id < b.id ? 1 : -1)) {
        if (before !== undefined && key.id >= before) continue;
        const { id, name, about: { team = "" } } = key;
        if (![id, name, team].some((text) => text.toLowerCase().includes(part))) continue;
        found.push(key);
        if (found.length === limit) break;
      }
      return found;
    },
    save(key) {
      const { id, name, hash, former, version } = key;
      const known = byId.get(id);
      if ((known?.version ?? 0) !== version - 1) return false;
      if ((idByName.get(name) ?? id) !== id) return false;
      if (!known && byId.size >= most) {
        throw new GatewayError(
          "invalid_request",
          `Cannot save the key: the memory of the gateway takes ${most} keys; set the option store, or SLUICE_STORE, ` +
            "or on Workers bind SLUICE_STATE or SLUICE_D1",
        );
      }
      isUsed = true;
      if (known) forget(known);
      byId.set(id, key);
      idByHash.set(hash, id);
      if (former) idByHash.set(former.hash, id);
      idByName.set(name, id);
      return true;
    },
    remove(id) {
      const known = byId.get(id);
      if (known) forget(known);
      return byId.delete(id);
    },
  };
}

// ---------------------------------------------------------------- SQL

/** A row that is never removed. It tells that there was a key once. */
const MARK = "";

/** Keys in a SQL database. Its tables are made at the first call. */
export function sqlKeys(database: Sql): Keys {
  const sql = withTables(database);
  const first = async (where: string, ...params: SqlValue[]) => {
    const [record] = await sql.all(`select * from sluice_keys where ${where}`, params);
    return record && keyOf(record);
  };
  return {
    isUsed: async () => (await sql.all("select id from sluice_keys limit 1")).length > 0,
    find: (hash) => first("(hash = ? or former_hash = ?) and id <> ?", hash, hash, MARK),
    get: (id) => first("id = ? and id <> ?", sqlValue(id), MARK),
    named: (name) => first("name = ? and id <> ?", sqlValue(name), MARK),
    async list({ before, limit, search }) {
      const where = ["id > ?"], params: SqlValue[] = [MARK];
      if (before !== undefined) {
        where.push("id < ?");
        params.push(sqlValue(before));
      }
      if (search) {
        // D1 refuses long patterns for `like`.
        const place = sql.dialect === "postgres" ? "strpos" : "instr";
        where.push(`(${["id", "name", "team"].map((of) => `${place}(lower(${of}), ?) > 0`).join(" or ")})`);
        const part = sqlValue(search.toLowerCase());
        params.push(part, part, part);
      }
      const text = `select * from sluice_keys where ${where.join(" and ")} order by id desc limit ?`;
      return (await sql.all(text, [...params, limit])).map(keyOf);
    },
    async save(key) {
      const values = columnsOf(key);
      const names = Object.keys(values), params = Object.values(values);
      if (key.version === 1) {
        const mark = "insert into sluice_keys (id, version, name, hash, more) values (?, 0, '', '', '') " +
          "on conflict do nothing";
        // Before the key: a gateway that is told of a key refuses requests without one.
        await sql.all(mark, [MARK]);
        const places = names.map(() => "?").join(", ");
        const insert = `insert into sluice_keys (${names.join(", ")}) values (${places}) ` +
          "on conflict do nothing returning id";
        return (await sql.all(insert, params)).length > 0;
      }
      const sets = names.map((name) => `${name} = ?`).join(", ");
      const update = `update sluice_keys set ${sets} where id = ? and version = ? ` +
        "and not exists (select 1 from sluice_keys as other where other.name = ? and other.id <> ?) returning id";
      const { id, version, name } = key;
      try {
        return (await sql.all(update, [...params, id, version - 1, sqlValue(name), id])).length > 0;
      } catch (cause) {
        // PostgreSQL refuses the second of two changes that take a name at once: neither has seen the other.
        const other = await first("name = ?", sqlValue(name));
        if (other && other.id !== id) return false;
        throw cause;
      }
    },
    remove: async (id) =>
      id !== MARK &&
      (await sql.all("delete from sluice_keys where id = ? returning id", [sqlValue(id)])).length > 0,
  };
}

/** Reads the facts of a key. If somebody has spoiled them, the key opens nothing, and can still be seen and removed. */
function readMore(text: string): Pick<Key, "created" | "about"> {
  const { created, about } = object(parse(text)) ?? {};
  return isObject(about) ? { created: `${created}`, about } : { created: "", about: { disabled: true } };
}

/** The columns of a key. */
function columnsOf({ id, version, name, hash, former, created, about }: Key): Record<string, SqlValue> {
  return {
    id,
    version,
    name: sqlValue(name),
    hash,
    former_hash: sqlValue(former?.hash),
    former_until: sqlValue(former?.until),
    team: sqlValue(about.team),
    more: sqlValue(JSON.stringify({ created, about })),
  };
}

function keyOf(record: Record<string, unknown>): Key {
  const { created, about } = readMore(`${record.more}`);
  const { former_hash: hash, former_until: until } = record;
  return {
    id: `${record.id}`,
    version: Number(record.version),
    name: `${record.name}`,
    hash: `${record.hash}`,
    ...(hash !== null && { former: { hash: `${hash}`, until: Number(until) } }),
    created,
    about,
  };
}
