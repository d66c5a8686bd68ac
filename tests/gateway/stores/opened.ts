/** Opens a store of one database for tests that use the database itself. */
import { openStore } from "../../../gateway/stores/store_url.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";

/** The database at a URL. Its `close` closes the store. */
export async function openSql(url: string): Promise<Sql> {
  const { sql, close } = await openStore(url);
  return { ...sql!, close };
}
