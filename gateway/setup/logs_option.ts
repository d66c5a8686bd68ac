/** The options of the rows that a gateway keeps, and of their store. */
import * as v from "npm:valibot@1.5.0";
import { BODIES } from "../log/capture.ts";
import type { Sql } from "../stores/sql.ts";
import { isSql, isStores, type Stores } from "../stores/stores.ts";

/**
 * Which rows are kept. Each member has a default.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type LogsOptions } from "../../mod.ts";
 *
 * const logs: LogsOptions = { rows: 1 };
 * const binding = createGateway({ logs }).gateway("default");
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const ids: string[] = [];
 * for (let at = 0; at < 2; at++) {
 *   const response = await binding.run({ provider: "compat", endpoint: "chat/completions", query });
 *   await response.text();
 *   ids.push(response.headers.get("cf-aig-log-id")!);
 * }
 * assertEquals(await binding.getLog(ids[0]).catch(({ name }) => name), "AiGatewayLogNotFound");
 * assertEquals((await binding.getLog(ids[1])).id, ids[1]);
 * ```
 */
export interface LogsOptions {
  /** The most rows of all accounts and gateways. Default 1000 in memory (at most 200,000), 1,000,000 in a store. */
  rows?: number;
  /** Days after which a row is removed from a store; 0 for never. Default 30. */
  days?: number;
  /** Whether the oldest rows make room for new ones, or no more are kept. Default `DELETE_OLDEST`. Sums count all requests. */
  whenFull?: "DELETE_OLDEST" | "STOP_INSERTING";
  /**
   * Which requests' bodies are kept beside their rows: the client's request and answer, and each body that was sent to a
   * provider. Of a body 256 KiB are kept. Default `none`.
   */
  bodies?: "none" | "errors" | "all";
  /** The most bytes of all bodies together; the oldest are removed first. Default 64 MiB in memory, 1 GiB in a store. */
  bodyBytes?: number;
  /** Changes the text of a body before it is kept, e.g. to remove names. If it throws, the body is not kept. */
  redact?: (text: string) => string;
}

const count = (least: number, most: number) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most)));

const WRITTEN = {
  rows: count(1, 100_000_000),
  days: count(0, 36_500),
  whenFull: v.optional(v.picklist(["DELETE_OLDEST", "STOP_INSERTING"])),
  bodies: v.optional(v.picklist(BODIES)),
  bodyBytes: count(0, 2 ** 46),
};

/** The schema of the option `logs`. */
export const logsOption = v.union([
  v.boolean(),
  v.strictObject({ ...WRITTEN, redact: v.optional(v.function()) }),
]);

/** The schema of what JSON can hold of it. */
export const writtenLogsOption = v.union([v.boolean(), v.strictObject(WRITTEN)]);

/** The schema of the option `store`. */
export const storeOption = v.union(
  [
    v.pipe(v.string(), v.trim(), v.nonEmpty()),
    v.custom<Sql | Stores>((value) => isSql(value) || isStores(value)),
  ],
  "must be what openStore() makes from a URL, an object {dialect, all, batch}, or {sql?, kv?, counters?} of stores",
);
