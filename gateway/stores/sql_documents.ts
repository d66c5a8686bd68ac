/** Keeps documents in a SQL database. */
import { atMostEvery } from "../at_most_every.ts";
import {
  type Document,
  type DocumentLimits,
  type Documents,
  type Owner,
  sizeOf,
  TOUCH_MS,
} from "./documents.ts";
import { withTables } from "./sql_schema.ts";
import { type Sql, type SqlStatement, type SqlValue, sqlValue } from "./sql.ts";

/** The time between two looks at the ages of documents, and between two sums of their bytes. */
const EVERY_MS = { look: 60_000, sum: 600_000 };

/** How many documents are removed by one statement, by their age and for their bytes. */
const REMOVED_AT_ONCE = { old: 1000, many: 100 };

/** The most statements for too many bytes after one addition, so that no answer waits for long. */
const MOST_ROUNDS = 5;

/** How many units one statement names: D1 takes only 100 values. */
const UNITS_AT_ONCE = 50;

const OWNER = "account = ? and gateway = ? and tenant = ?";

/** An id in a path may hold any character, and PostgreSQL refuses some. */
const valuesOf = ({ account, gateway, tenant }: Owner): SqlValue[] =>
  [account, gateway, tenant].map(sqlValue);

const documentOf = ({ unit, id, previous, body }: Record<string, unknown>): Document => ({
  unit: `${unit}`,
  id: `${id}`,
  ...(typeof previous === "string" && { previous }),
  body: `${body}`,
});

const INSERT =
  "insert into sluice_documents (account, gateway, tenant, unit, id, previous, at, bytes, body) " +
  "values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (unit, id, account, gateway, tenant) do nothing";

/**
 * The chain of a unit. The bodies of documents beyond the limit of bytes are not read.
 *
 * @see https://www.sqlite.org/lang_with.html#recursive_common_table_expressions
 */
const CHAIN = `with recursive chain (seq, previous, total, depth) as (
    select seq, previous, bytes, 1 from sluice_documents where unit = ? and id = ? and ${OWNER} and at > ?
    union all
    select d.seq, d.previous, c.total + d.bytes, c.depth + 1 from chain c join sluice_documents d
      on d.unit = c.previous and d.id = c.previous and d.account = ? and d.gateway = ? and d.tenant = ? and d.at > ?
      where c.depth < ?)
  select d.unit, d.id, d.previous, c.total, case when c.total <= ? then d.body end as body
    from chain c join sluice_documents d on d.seq = c.seq order by c.depth`;

const LARGEST =
  `select tenant, sum(bytes) as bytes, sum(sum(bytes)) over () as total, count(*) over () as tenants
  from sluice_documents group by tenant order by 2 desc limit 1`;

/** Makes a store of documents in a database. Its table is made at the first call. */
export function sqlDocuments(database: Sql, limits: DocumentLimits): Documents {
  const sql = withTables(database);
  const { ttlMs, now } = limits;
  const tidy = tidier(sql, limits);
  /** Documents that were last used before this time are no longer there. */
  const least = () => Math.floor(now() - ttlMs);

  return {
    async add(owner, documents) {
      if (documents.length === 0) return;
      const at = Math.floor(now());
      const added = documents.map((document): SqlStatement => {
        const { unit, id, previous, body } = document;
        const values = [unit, id, sqlValue(previous), at, sizeOf(document), sqlValue(body)];
        return [INSERT, [...valuesOf(owner), ...values]];
      });
      await sql.batch(added);
      await tidy.after(documents.reduce((bytes, document) => bytes + sizeOf(document), 0));
    },
    async get(owner, unit, id) {
      const [record] = await sql.all(
        `select unit, id, previous, body from sluice_documents where unit = ? and id = ? and ${OWNER} and at > ?`,
        [sqlValue(unit), sqlValue(id), ...valuesOf(owner), least()],
      );
      return record && documentOf(record);
    },
    async list(owner, unit, { after, descending, limit }) {
      const within = `unit = ? and ${OWNER} and at > ?`;
      const params = [unit, ...valuesOf(owner), least()];
      const [sign, order] = descending ? ["<", "desc"] : [">", "asc"];
      const behind = after === undefined
        ? ""
        : `and seq ${sign} (select seq from sluice_documents where id = ? and ${within})`;
      const records = await sql.all(
        `select unit, id, previous, body from sluice_documents where ${within} and id <> unit ${behind} ` +
          `order by seq ${order} limit ?`,
        [...params, ...after === undefined ? [] : [sqlValue(after), ...params], limit],
      );
      return records.map(documentOf);
    },
    async chain(owner, unit, most) {
      const whose = [...valuesOf(owner), least()];
      const records = await sql.all(CHAIN, [unit, unit, ...whose, ...whose, most.documents, most.bytes]);
      const documents = records.filter(({ body }) => body !== null).map(documentOf);
      const last = records.at(-1);
      if (!last || documents.length < records.length) {
        return { documents, ends: last ? "too long" : "missing" };
      }
      if (last.previous === null) return { documents };
      return { documents, ends: records.length === most.documents ? "too long" : "missing" };
    },
    async change(owner, unit, id, body) {
      const grown = `bytes = bytes + ? - length(body)`;
      const records = await sql.all(
        `update sluice_documents set body = ?, ${grown} where unit = ? and id = ? and ${OWNER} and at > ? returning id`,
        [sqlValue(body), body.length, unit, id, ...valuesOf(owner), least()],
      );
      return records.length > 0;
    },
    async remove(owner, unit, id) {
      const one = id === undefined ? "" : "and id = ?";
      const records = await sql.all(
        `delete from sluice_documents where unit = ? and ${OWNER} and at > ? ${one} returning bytes`,
        [unit, ...valuesOf(owner), least(), ...id === undefined ? [] : [sqlValue(id)]],
      );
      tidy.removed(records.reduce((sum, { bytes }) => sum + Number(bytes), 0));
      return records.length > 0;
    },
    async touch(owner, units) {
      const at = Math.floor(now());
      for (let from = 0; from < units.length; from += UNITS_AT_ONCE) {
        const some = units.slice(from, from + UNITS_AT_ONCE);
        await sql.batch([[
          `update sluice_documents set at = ? where at < ? and ${OWNER} and unit in (${
            some.map(() => "?").join(", ")
          })`,
          [at, at - TOUCH_MS, ...valuesOf(owner), ...some],
        ]]);
      }
    },
  };
}

/** Keeps the table within its limits. */
function tidier(sql: Sql, { ttlMs, maxBytes, now }: DocumentLimits) {
  /** The bytes of all documents; too few if another process has added some. */
  let held = 0;
  const sumIsDue = atMostEvery(EVERY_MS.sum, now), lookIsDue = atMostEvery(EVERY_MS.look, now);

  async function sum(): Promise<void> {
    const [{ bytes }] = await sql.all("select coalesce(sum(bytes), 0) as bytes from sluice_documents");
    held = Number(bytes);
  }

  /**
   * Removes those documents of the tenant that has the most bytes which it has not used for the longest time, with their units. It keeps
   * its equal share. Returns whether there was too much.
   */
  async function removeOldest(): Promise<boolean> {
    const [largest] = await sql.all(LARGEST);
    held = Number(largest?.total ?? 0);
    if (held <= maxBytes) return false;
    const found = await sql.all(
      "select account, gateway, tenant, unit, bytes from sluice_documents where tenant = ? order by at, seq limit ?",
      [`${largest.tenant}`, REMOVED_AT_ONCE.many],
    );
    const share = maxBytes / Number(largest.tenants);
    const most = Math.min(held - maxBytes, Number(largest.bytes) - share);
    const removals = new Map<string, SqlStatement>();
    let removed = 0;
    for (const { account, gateway, tenant, unit, bytes } of found) {
      if (removed >= most) break;
      removed += Number(bytes);
      const values = [unit, account, gateway, tenant] as string[];
      removals.set(JSON.stringify(values), [
        `delete from sluice_documents where unit = ? and ${OWNER}`,
        values,
      ]);
    }
    await sql.batch([...removals.values()]);
    held -= removed;
    return true;
  }

  async function tidy(): Promise<void> {
    if (sumIsDue()) await sum();
    for (let round = 0; held > maxBytes && round < MOST_ROUNDS; round++) {
      if (!await removeOldest()) break;
    }
    if (!lookIsDue()) return;
    await sql.batch([[
      "delete from sluice_documents where seq in (select seq from sluice_documents where at <= ? order by at limit ?)",
      [Math.floor(now() - ttlMs), REMOVED_AT_ONCE.old],
    ]]);
  }

  return {
    /** Must be called when documents were added. Never rejects: they are stored already. */
    async after(bytes: number): Promise<void> {
      held += bytes;
      await tidy().catch(() => {});
    },
    removed: (bytes: number) => void (held -= bytes),
  };
}
