/** The option `responses`: its schema, and the store of responses that it describes. */
import * as v from "npm:valibot@1.5.0";
import { IS_PROCESS } from "../context.ts";
import { type KeptResponses, keptResponses } from "../policies/kept_responses.ts";
import type { GuardParts } from "../policies/store_guard.ts";
import { memoryDocuments } from "../stores/memory_documents.ts";
import type { Sql } from "../stores/sql.ts";
import { sqlDocuments } from "../stores/sql_documents.ts";

const STORE_RULE = 'must be true, false or "asked"';
const DAYS_RULE = "must be a whole number of days from 1 to 3650";

/** The schema of the option. */
export const responsesOption = v.strictObject({
  store: v.optional(v.union([v.boolean(), v.picklist(["asked"])], STORE_RULE)),
  days: v.optional(
    v.pipe(
      v.number(DAYS_RULE),
      v.integer(DAYS_RULE),
      v.minValue(1, DAYS_RULE),
      v.maxValue(3650, DAYS_RULE),
    ),
  ),
  maxBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
});

/** As long as OpenAI keeps responses. */
const DAYS = 30;

const MIB = 2 ** 20;

/** The defaults of `responses.maxBytes`. An isolate on Workers has 128 MB in all. */
const MAX_BYTES = { store: 1024 * MIB, memory: (IS_PROCESS ? 64 : 16) * MIB };

/**
 * The responses that a gateway keeps; `undefined` if it keeps none.
 *
 * @param sql The operator's database. Default: memory.
 * @param guard What tells and counts its failures.
 */
export function responsesOf(
  { store = false, days = DAYS, maxBytes }: v.InferOutput<typeof responsesOption> = {},
  sql: Sql | undefined,
  now: () => number,
  guard: Omit<GuardParts, "name">,
): KeptResponses | undefined {
  if (store === false) return undefined;
  const most = maxBytes ?? (sql ? MAX_BYTES.store : MAX_BYTES.memory);
  const limits = { ttlMs: days * 86_400_000, maxBytes: most, now };
  return keptResponses({
    documents: sql ? sqlDocuments(sql, limits) : memoryDocuments(limits),
    onlyAsked: store === "asked",
    maxBytes: most,
    ...guard,
  });
}
