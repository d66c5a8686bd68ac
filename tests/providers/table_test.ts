import { assert, assertEquals } from "@std/assert";
import { chatOf } from "./chat_of.ts";
import { CLOUDS } from "../../providers/rows/clouds.ts";
import { HOSTS } from "../../providers/rows/hosts.ts";
import { LOCAL } from "../../providers/rows/local.ts";
import { MAKERS } from "../../providers/rows/makers.ts";
import { findProvider, PROVIDERS } from "../../providers/table.ts";

Deno.test("PROVIDERS and each file of its rows are sorted by name, and no name is in two files", () => {
  const files = [CLOUDS, HOSTS, LOCAL, MAKERS].map((rows) => Object.keys(rows));
  for (const names of [...files, [...PROVIDERS.keys()]]) assertEquals(names, [...names].sort());
  assertEquals(files.flat().sort(), [...PROVIDERS.keys()]);
});

Deno.test("PROVIDERS has no alias twice, and no alias that is a name", () => {
  const taken = new Set(PROVIDERS.keys());
  for (const { name, aliases = [] } of PROVIDERS.values()) {
    for (const alias of aliases) {
      assert(!taken.has(alias), `${name}: alias "${alias}" is taken`);
      taken.add(alias);
    }
  }
});

Deno.test("PROVIDERS has a well-formed base URL in every row, with TLS unless it is this machine", () => {
  for (const { name, baseUrl } of PROVIDERS.values()) {
    const url = new URL(baseUrl.replaceAll(/\{\w+\}/g, "x"));
    assert(!baseUrl.endsWith("/"), `${name}: slash at the end`);
    assertEquals(url.search + url.hash + url.username, "", name);
    assert(url.protocol === "https:" || url.hostname === "127.0.0.1", `${name}: ${baseUrl}`);
  }
});

Deno.test("PROVIDERS never renames a field that it drops", () => {
  for (const row of PROVIDERS.values()) {
    const { drop = [], rename = {} } = chatOf(row) ?? {};
    for (const field of drop) assert(!(field in rename), `${row.name}: ${field}`);
  }
});

Deno.test("findProvider() knows names and aliases and no inherited property", () => {
  assertEquals(findProvider("grok")?.name, "grok");
  assertEquals(findProvider("xai")?.name, "grok");
  assertEquals(findProvider("perplexity")?.name, "perplexity-ai");
  for (const name of ["", "nobody", "constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assertEquals(findProvider(name), undefined, name);
  }
});
