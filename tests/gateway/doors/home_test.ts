import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { PAGE, PAGE_POLICY } from "../../../gateway/doors/page/page.ts";
import { nothing } from "../../fakes.ts";
import { PAGE_FILE, pageModule } from "../../page.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const home = (accept?: string, method = "GET") =>
  createGateway({ fetch: nothing.fetch }).fetch(
    new Request("http://gateway.test/", { method, headers: accept === undefined ? {} : { accept } }),
  );

Deno.test("a browser gets the page at /, and any other client a text", async () => {
  const page = await home(BROWSER);
  assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assertEquals(await page.text(), PAGE);
  for (const accept of [undefined, "*/*", "text/plain", "application/json"]) {
    const answer = await home(accept);
    assertEquals(answer.headers.get("content-type"), "text/plain; charset=utf-8");
    assertStringIncludes(await answer.text(), "curl http://gateway.test/v1/chat/completions");
    assertStringIncludes(answer.headers.get("vary")!, "accept");
  }
  assertEquals((await home(BROWSER, "HEAD")).headers.get("content-security-policy"), PAGE_POLICY);
});

Deno.test("the curl command at / works as printed: at the operator's own address, and with a token if one is needed", async () => {
  const commandOf = async (options: Parameters<typeof createGateway>[0]) => {
    const gateway = createGateway({ fetch: nothing.fetch, ...options });
    const text = await (await gateway.fetch(new Request("http://inside.test/"))).text();
    const [, command] = /^ {2}(curl [^]*?)\n\n/m.exec(text)!;
    // Runs the shell's own reading of the command, with `curl` as a function that prints its arguments.
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `curl() { printf '%s\\n' "$@"; }\n${command}`],
      env: { TOKEN: "my-token" },
    }).output();
    const [url, ...rest] = new TextDecoder().decode(stdout).trim().split("\n");
    const headers = rest.flatMap((word, at) =>
      word === "-H" ? [rest[at + 1].split(": ") as [string, string]] : []
    );
    const body = rest[rest.indexOf("-d") + 1];
    const { pathname } = new URL(url);
    const request = new Request(`http://inside.test${pathname}`, { method: "POST", headers, body });
    return { url, status: (await gateway.fetch(request)).status };
  };
  const path = "/v1/chat/completions";
  assertEquals(await commandOf({}), { url: `http://inside.test${path}`, status: 200 });
  const url = "https://sluice.example.com";
  assertEquals(await commandOf({ url }), { url: `${url}${path}`, status: 200 });
  assertEquals((await commandOf({ tokens: ["my-token"] })).status, 200);
  assertEquals((await commandOf({ tokens: ["my-token"], tokenRequired: false })).status, 200);
});

Deno.test("the page may run its own script and ask its own gateway, and nothing else", async () => {
  const { headers } = await home(BROWSER);
  const policy = headers.get("content-security-policy")!;
  for (
    const rule of [
      "default-src 'none'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]
  ) assertStringIncludes(policy, rule);
  assert(!/unsafe|\*|https?:/.test(policy), policy);
  assertEquals([headers.get("x-content-type-options"), headers.get("referrer-policy")], [
    "nosniff",
    "no-referrer",
  ]);
  for (const [kind, tag] of [["script-src", "script"], ["style-src", "style"]]) {
    const [, code] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(PAGE)!;
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)))
      .toBase64();
    assertStringIncludes(policy, `${kind} 'sha256-${hash}'`);
  }
});

Deno.test("the page is one document of less than 40 kB, that loads nothing and writes no markup", () => {
  assert(new TextEncoder().encode(PAGE).length < 40_000, `${PAGE.length}`);
  assertEquals(PAGE.match(/<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:,")[^"]*"/g), null);
  assertEquals(
    PAGE.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|\bon\w+="/g),
    null,
  );
  assertMatch(PAGE, /^<!DOCTYPE html>/);
});

Deno.test("the page is in step with the files that it is made of", async () => {
  assertEquals(await Deno.readTextFile(PAGE_FILE), await pageModule(), "run `deno task page`");
});
