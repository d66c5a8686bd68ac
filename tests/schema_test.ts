import { assertEquals } from "@std/assert";
import { configSchema, SCHEMA_FILE } from "./schema.ts";

Deno.test("sluice.schema.json is in step with the options", async () => {
  assertEquals(await Deno.readTextFile(SCHEMA_FILE), configSchema(), "run `deno task schema`");
});

Deno.test("sluice.schema.json knows each option that can be written down, and no other name", () => {
  const { properties, additionalProperties } = JSON.parse(configSchema());
  assertEquals(additionalProperties, false);
  for (
    const name of [
      "$schema",
      "port",
      "host",
      "drainMs",
      "reusePort",
      "log",
      "origins",
      "hosts",
      "tokens",
      "keys",
      "providers",
      "limits",
    ]
  ) {
    assertEquals(name in properties, true, name);
  }
  for (const name of ["fetch", "now", "random", "wait"]) assertEquals(name in properties, false, name);
  assertEquals(properties.retries.properties.maxAttempts !== undefined, true);
});
