import { assertEquals, assertStringIncludes } from "@std/assert";
import { startLines } from "../../../gateway/serve/start_lines.ts";

const lines = (more: object) =>
  startLines({ hostname: "127.0.0.1", port: 1, stored: [], ...more }).split("\n");

Deno.test("startLines() shows the address as it is listened on, and links that lead there", () => {
  for (
    const [hostname, address, near] of [
      ["127.0.0.1", "127.0.0.1", "127.0.0.1"],
      ["localhost", "localhost", "localhost"],
      ["0.0.0.0", "0.0.0.0", "127.0.0.1"],
      ["::", "[::]", "127.0.0.1"],
      ["::1", "[::1]", "[::1]"],
    ]
  ) {
    const [first, page, , , curl] = lines({ hostname });
    assertEquals([first, page], [`Sluice listens on http://${address}:1`, `Page:        http://${near}:1/`]);
    assertStringIncludes(curl, `curl http://${near}:1/v1/chat/completions `);
  }
});

Deno.test("startLines() names the providers with keys, and says which token is needed", () => {
  const [, , keys, token] = lines({ stored: ["groq", "openai"], madeToken: "sluice-1" });
  assertEquals(keys, "Stored keys: groq, openai; they serve requests with a gateway token");
  assertEquals(token, "Token:       sluice-1 (made for this run; SLUICE_TOKENS sets your own)");
  // Processes that share a port make no token.
  assertEquals(lines({ stored: ["openai"] })[2], "Stored keys: openai; they serve nobody: set SLUICE_TOKENS");
  const says = (tokens?: string) => lines({ tokens })[3].slice("Token:".length).trim();
  assertEquals([undefined, "one", "several", "optional"].map(says), [
    "none is needed",
    "each request needs one of yours",
    "each request needs one of yours",
    "requests that use stored keys need one of yours",
  ]);
});

Deno.test("startLines() has a curl line that needs no key, and asks the shell for the token", () => {
  const curl = (more: object) => lines(more)[4];
  for (const more of [{}, { madeToken: "sluice-1" }, { tokens: "optional" }]) {
    assertEquals(curl(more).includes("authorization"), false);
    assertStringIncludes(curl(more), "demo/echo");
  }
  assertStringIncludes(curl({ tokens: "one" }), '-H "authorization: Bearer $SLUICE_TOKENS"');
  assertEquals(curl({ tokens: "several" }), "Try it:      curl http://127.0.0.1:1/health");
});
