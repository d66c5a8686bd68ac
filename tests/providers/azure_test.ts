/** Azure's settings, read from the variables of Azure's and others' tools. */
import { assertEquals, assertThrows } from "@std/assert";
import { readEnv } from "../../gateway/setup/env.ts";

const read = (variables: Record<string, string>) => readEnv((name) => variables[name]);
const settings = (variables: Record<string, string>) => read(variables).options.providers?.["azure-openai"];

Deno.test("readEnv() reads Azure's base URL, resource and version, the usual variable first", () => {
  const url = "https://r.openai.azure.com", other = "https://o.openai.azure.com";
  assertEquals(settings({ AZURE_OPENAI_ENDPOINT: url, AZURE_API_BASE: other }), { baseUrl: url });
  assertEquals(settings({ AZURE_API_BASE: other }), { baseUrl: other });
  assertEquals(settings({ AZURE_OPENAI_ENDPOINT: url, SLUICE_AZURE_OPENAI_BASE_URL: other }), {
    baseUrl: other,
  });
  assertEquals(settings({ AZURE_RESOURCE_NAME: "r" }), { resource: "r" });
  const dates = {
    AZURE_OPENAI_API_VERSION: "2025-04-01-preview",
    OPENAI_API_VERSION: "2024-10-21",
    AZURE_API_VERSION: "2024-06-01",
  };
  const names = Object.keys(dates) as (keyof typeof dates)[];
  names.forEach((name, at) => {
    const set = Object.fromEntries(names.slice(at).map((one) => [one, dates[one]]));
    assertEquals(settings(set), { apiVersion: dates[name] });
  });
});

Deno.test("readEnv() sets no base URL beside a resource of the options: it would lead to another host", () => {
  const SLUICE_CONFIG = '{"providers":{"azure-openai":{"resource":"mine"}}}';
  assertEquals(settings({ SLUICE_CONFIG, AZURE_OPENAI_ENDPOINT: "https://o.openai.azure.com" }), {
    resource: "mine",
  });
});

Deno.test("readEnv() refuses a variable of Azure's that is malformed, and names it", () => {
  for (
    const [name, value] of [
      ["AZURE_OPENAI_API_VERSION", "2025-4-1"],
      ["OPENAI_API_VERSION", "2025-04-01&x=1"],
      ["AZURE_API_VERSION", "newest"],
      ["AZURE_OPENAI_ENDPOINT", "r.openai.azure.com"],
      ["AZURE_RESOURCE_NAME", "evil.test/"],
    ]
  ) {
    assertThrows(() => read({ [name]: value }), TypeError, `Cannot use ${name}: `);
  }
});

Deno.test("readEnv() reads Azure's key, else a token of Entra ID", () => {
  const keyOf = (variables: Record<string, string>) => read(variables).options.keys?.["azure-openai"];
  assertEquals(keyOf({ AZURE_OPENAI_API_KEY: "k1", AZURE_AD_TOKEN: "eyJ.a.b" }), ["k1"]);
  assertEquals(keyOf({ AZURE_API_KEY: "k2" }), ["k2"]);
  assertEquals(keyOf({ AZURE_AD_TOKEN: "eyJ.a.b" }), ["eyJ.a.b"]);
  assertEquals(keyOf({ AZURE_OPENAI_AD_TOKEN: "eyJ.c.d" }), ["eyJ.c.d"]);
});
