/**
 * Writes `sluice.schema.json`, the JSON Schema of the file that `SLUICE_CONFIG` names, from the schema that checks it.
 *
 * `deno task schema`
 */
import { toJsonSchema } from "npm:@valibot/to-json-schema@1.8.0";
import { CONFIG } from "../gateway/setup/served_options.ts";
import { ROOT } from "./bundle.ts";

/** Where it is written. */
export const SCHEMA_FILE = `${ROOT}/sluice.schema.json`;

/** Its text. Checks that JSON Schema cannot say are left to the start. */
export function configSchema(): string {
  // deno-lint-ignore no-explicit-any
  const schema = toJsonSchema(CONFIG as any, { typeMode: "input", errorMode: "ignore", target: "draft-07" });
  const $schema = "http://json-schema.org/draft-07/schema#";
  return JSON.stringify({ $schema, title: "Sluice: what SLUICE_CONFIG may hold", ...schema }, null, 2) + "\n";
}

if (import.meta.main) await Deno.writeTextFile(SCHEMA_FILE, configSchema());
