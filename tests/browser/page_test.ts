/** The gateway's page in a real browser. Not run where there is none: Debian's is `apt-get install chromium`. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Browser, BrowserContextOptions, ConsoleMessage, Page } from "npm:playwright-core@1.65.1";
import { createGateway } from "../../gateway/gateway.ts";
import type { Options } from "../../gateway/setup/options.ts";
import { model, rate, start } from "../gateway/targets/routes/graphs.ts";
import { completion, network, post, refusal } from "../fakes.ts";

const ADMIN = "operator-0123456789", TOKEN = "gateway-token-1";

/** A stream of Anthropic's that says `Hi`. */
const MESSAGE_STREAM = [
  {
    type: "message_start",
    message: {
      id: "m",
      type: "message",
      role: "assistant",
      model: "c",
      content: [],
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
  { type: "content_block_stop", index: 0 },
  {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 1 },
  },
  { type: "message_stop" },
].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");

/** What must stay text, wherever it comes from. It would be seen in `document.title`. */
const MARKUP = `<img src=x onerror="document.title='broken in'"><script>document.title='broken in'</script>`;

const executablePath = [Deno.env.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => {
    try {
      return path && Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  },
);

/** Not fetched where there is no browser. */
const PACKAGES = { playwright: "npm:playwright-core@1.65.1", axe: "npm:axe-core@4.14.1" };

let browser: Promise<Browser> | undefined;
const launch = () =>
  browser ??= import(PACKAGES.playwright).then(({ chromium }) =>
    chromium.launch({ executablePath, args: ["--no-sandbox"] })
  );

/** A page of a served gateway, and what it did. */
interface Scene {
  page: Page;
  url: string;
  /** Errors of the console, and of the page. */
  errors: string[];
  /** Requests of the page: path, then the token in it. */
  asked: [path: string, token: string | null][];
  send(model: string, more?: object, headers?: Record<string, string>): Promise<void>;
}

async function scene(
  work: (scene: Scene) => Promise<void>,
  options: BrowserContextOptions = {},
  answer: Parameters<typeof network>[0] = () => completion(),
  more: Options = {},
): Promise<void> {
  const gateway = createGateway({
    fetch: network(answer).fetch,
    logs: true,
    adminToken: ADMIN,
    tokens: [{ token: TOKEN, name: `team ${"a".repeat(40)}` }],
    tokenRequired: false,
    ...more,
  });
  const asked: Scene["asked"] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    asked.push([pathname + search, request.headers.get("authorization")]);
    return gateway.fetch(request);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const context = await (await launch()).newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on("console", (message: ConsoleMessage) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error: Error) => errors.push(String(error)));
  const send: Scene["send"] = async (model, more = {}, headers = {}) => {
    const body = { model, messages: [{ role: "user", content: "Hello" }], ...more };
    await (await gateway.call(post(`${url}/v1/chat/completions`, body, headers))).text();
  };
  try {
    await page.goto(url);
    await work({ page, url, errors, asked, send });
  } finally {
    await context.close();
    await server.shutdown();
  }
}

/** A test in the browser. */
const test = (name: string, work: () => Promise<void>) =>
  Deno.test({
    name: executablePath ? name : `${name} (ignored: there is no Chromium here)`,
    ignore: !executablePath,
    // The browser serves all tests, and ends with the process.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: work,
  });

async function open(page: Page, token = ADMIN): Promise<void> {
  await page.click('nav a[href="#requests"]');
  await page.fill("#admin", token);
  await page.press("#admin", "Enter");
}

/** Waits until the list has so many rows. */
const rowsOf = (page: Page, count: number) =>
  page.waitForFunction((count) => document.querySelectorAll("#rows tbody tr").length === count, count);

const titleOf = (page: Page) => page.title();

/** What axe finds. */
async function faultsOf(page: Page): Promise<string[]> {
  const { default: axe } = await import(PACKAGES.axe);
  await page.evaluate(axe.source);
  // deno-lint-ignore no-explicit-any
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run());
  // deno-lint-ignore no-explicit-any
  return violations.map(({ id, nodes }: any) => `${id}: ${nodes.map((node: any) => node.html).join(" | ")}`);
}

async function shoot(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("SLUICE_SCREENSHOTS");
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

test("the page shows the address and a first call, without a token, an error or another host", () =>
  scene(async ({ page, url, errors, asked }) => {
    assertEquals(await titleOf(page), "Sluice");
    assertStringIncludes(await page.innerText("#snippet"), `curl ${url}/v1/chat/completions`);
    for (
      const [language, text] of [["Python", `base_url="${url}/v1"`], ["TypeScript", `baseURL: "${url}/v1"`], [
        "Claude Code",
        `ANTHROPIC_BASE_URL=${url}\n`,
      ]]
    ) {
      await page.click(`#languages button:text-is("${language}")`);
      assertStringIncludes(await page.innerText("#snippet"), text);
      assertEquals(await page.getAttribute('#languages [aria-pressed="true"]', "type"), "button");
    }
    assertStringIncludes(await page.innerText("#addresses"), `${url}/v1`);
    assertEquals([asked, errors], [[["/", null]], []]);
  }));

test("the try box streams an answer with a gateway token, and never sends the operator's", () =>
  scene(
    async ({ page, asked, errors }) => {
      await open(page);
      await rowsOf(page, 0);
      await page.click('nav a[href="#try"]');
      await page.fill("#message", `Say ${MARKUP}`);
      await page.fill("#token", TOKEN);
      await page.click("#load");
      await page.waitForFunction(() => /models/.test(document.getElementById("loaded")!.textContent!));
      assert(await page.$('#models option[value="demo/echo"]'));
      await page.click("#send");
      await page.waitForSelector("#asked a");
      assertEquals(await page.innerText("#answer"), `Say ${MARKUP}`);
      assertMatch(await page.innerText("#asked"), /^demo\/echo, .+ tokens in, .+ out See its row$/);
      const calls = asked.filter(([path]) => /chat|models/.test(path));
      assertEquals(new Set(calls.map(([, token]) => token)), new Set([`Bearer ${TOKEN}`]));
      assert(asked.every(([path]) => path === "/" || path.startsWith("/sluice/api/")));
      await page.click("#asked a");
      await page.waitForSelector("#life[open]");
      assertStringIncludes(await page.innerText("#steps"), "demo/echo");
      await page.click("#close");
      await page.click('nav a[href="#try"]');
      await page.fill("#token", ADMIN);
      await page.click("#send");
      await page.waitForFunction(() => /opens no model/.test(document.getElementById("asked")!.textContent!));
      assertEquals([await page.innerText("#answer"), await titleOf(page)], ["", "Sluice"]);
      assertEquals(errors.filter((text) => !text.includes("401")), []);
    },
    {},
    undefined,
    { tokenRequired: true },
  ));

test("the try box shows what would be sent, beside the answer, without calling the provider", () => {
  let calls = 0;
  return scene(
    async ({ page, errors }) => {
      await page.click('nav a[href="#try"]');
      await page.fill("#token", TOKEN);
      await page.fill("#model", "anthropic/claude-sonnet-5-5");
      await page.fill("#message", `Say ${MARKUP}`);
      await page.click("#explain");
      await page.waitForSelector("#targets li");
      const shown = await page.innerText("#targets");
      for (
        const text of [
          "1. anthropic/claude-sonnet-5-5",
          "POST https://api.anthropic.com/v1/messages",
          "anthropic-version: 2023-06-01",
          "x-api-key",
          "the gateway's",
          "about ",
          "an estimate",
          JSON.stringify(`Say ${MARKUP}`),
        ]
      ) assertStringIncludes(shown, text);
      assert(!shown.includes("sk-stored"), shown);
      assertEquals(calls, 0);
      assertMatch(await page.innerText("#asked"), /^Nothing was sent See its row$/);
      // The answer stands beside it on a wide screen.
      await page.click("#send");
      await page.waitForFunction(() => document.getElementById("answer")!.textContent === "Hi");
      const [answer, unsent] = await Promise.all(
        ["#answer", "#unsent"].map((id) => page.locator(id).boundingBox()),
      );
      assert(unsent!.x > answer!.x + answer!.width, `${unsent!.x}`);
      await page.click("#asked a");
      await page.fill("#admin", ADMIN);
      await page.press("#admin", "Enter");
      await rowsOf(page, 2);
      // The link opens the row of the answer as soon as the row is there.
      await page.waitForSelector("#life[open]");
      await page.click("#close");
      assertStringIncludes(await page.innerText("#rows tbody tr:nth-child(2)"), "explained");
      await page.click("#rows tbody tr:nth-child(2) button");
      assertStringIncludes(await page.innerText("#steps"), "what would be sent (sluice-explain)");
      await page.keyboard.press("Escape");
      await page.click('nav a[href="#try"]');
      await page.fill("#model", "nobody/m");
      assertEquals(await page.isVisible("#unsent"), false);
      await page.click("#explain");
      await page.waitForFunction(() => /Cannot route/.test(document.getElementById("asked")!.textContent!));
      assertEquals(await page.isVisible("#unsent"), false);
      assertEquals(await titleOf(page), "Sluice");
      assertEquals(errors.filter((text) => !text.includes("400")), []);
    },
    {},
    () => {
      calls++;
      return new Response(MESSAGE_STREAM, { headers: { "content-type": "text/event-stream" } });
    },
    { keys: { anthropic: "sk-stored-0123456789" } },
  );
});

test("the life of a request shows its route, and the models that were skipped with the reason", () =>
  scene(
    async ({ page, send }) => {
      await send("dynamic/support");
      await open(page);
      await rowsOf(page, 1);
      await page.click("#rows tbody tr button");
      await page.waitForSelector("#life[open]");
      await page.waitForFunction(() => /Body, /.test(document.getElementById("steps")!.textContent!));
      const shown = (await page.innerText("#steps")).replaceAll(/\s+/g, " ");
      const steps = [
        "The route Name support Way start > r fallback > m2",
        "Skipped Target openai/gpt-4.1 Why limit r",
        "Try 1 of 1 Target openai/gpt-4o Status 200",
      ];
      for (const text of steps) assertStringIncludes(shown, text);
      // The body beside the try is the one that was sent.
      assertMatch(shown, /Try 1 of 1 .* Body, [\d,]+ bytes .*The answer/);
    },
    {},
    () => completion(),
    {
      routes: {
        support: [
          start("r"),
          rate("r", 0, "m1", "m2"),
          model("m1", "openai/gpt-4.1"),
          model("m2", "openai/gpt-4o"),
        ],
      },
      logs: { bodies: "all" },
    },
  ));

test("an answer that fails, or is stopped, is told as text", () =>
  scene(
    async ({ page }) => {
      await page.click('nav a[href="#try"]');
      await page.fill("#model", "openai/m");
      await page.fill("#token", "sk-mine");
      await page.click("#send");
      await page.waitForFunction(() => document.getElementById("asked")!.textContent!.includes("<img"));
      await page.fill("#token", "");
      await page.fill("#model", "demo/slow-60000");
      await page.click("#send");
      await page.click("#stop");
      await page.waitForFunction(() => document.getElementById("asked")!.textContent === "Stopped");
      assertEquals(await titleOf(page), "Sluice");
    },
    {},
    () => Response.json({ error: { message: MARKUP, type: "x", param: null, code: null } }, { status: 400 }),
  ));

test("a wrong token of the operator's is asked for again, and says why", () =>
  scene(async ({ page, asked }) => {
    await open(page, "wrong");
    await page.waitForFunction(() =>
      /operator's token/.test(document.getElementById("refused")!.textContent!)
    );
    assertEquals(await page.isVisible("#requests"), false);
    await open(page, TOKEN);
    await page.waitForFunction(() =>
      /operator's token/.test(document.getElementById("refused")!.textContent!)
    );
    await page.fill("#admin", ADMIN);
    await page.press("#admin", "Enter");
    await page.waitForSelector("#requests:not([hidden])");
    await page.waitForFunction(() => document.getElementById("live")!.textContent === "Live");
    await page.reload();
    await page.waitForFunction(() => document.getElementById("live")!.textContent === "Live");
    await page.click("#requests .leave");
    await page.waitForSelector("#operator:not([hidden])");
    assert(asked.every(([path]) => !path.includes(ADMIN) && !path.includes(TOKEN)));
  }));

test("bodies are shown as text, with their headers and their place", () =>
  scene(
    async ({ page, send, errors }) => {
      await send("openai/gpt-4o", { user: MARKUP }, { "user-agent": "test/1" });
      await open(page);
      await rowsOf(page, 1);
      await page.click("#rows tbody tr:first-child button");
      await page.waitForFunction(() => document.querySelectorAll("#steps details").length === 3);
      for (const summary of await page.locator("#steps summary").all()) await summary.click();
      const steps = await page.innerText("#steps");
      for (
        const text of [
          "user-agent: test/1",
          "<img src=x",
          "https://api.openai.com/v1/chat",
          '"content": "Hi"',
        ]
      ) {
        assertStringIncludes(steps, text);
      }
      assertEquals(await page.title(), "Sluice");
      assertEquals(errors, []);
    },
    {},
    undefined,
    { logs: { bodies: "all" } },
  ));

test("requests appear while one looks, and each is shown step by step", () =>
  scene(async ({ page, send, errors }) => {
    await send("openai/gpt-4o", { top_k: 3 }, { "cf-aig-metadata": '{"team":"a"}', "user-agent": "test/1" });
    await open(page);
    await rowsOf(page, 1);
    await send("groq/no-price", {}, { "cf-aig-collect-log-payload": "false" });
    await rowsOf(page, 2);
    assertStringIncludes(await page.innerText("#rows tbody tr:first-child"), "groq/no-price");
    await page.waitForFunction(() => document.querySelector("#numbers dd")?.textContent === "2");
    await page.click("#rows tbody tr:nth-child(2) button");
    await page.waitForFunction(() => !document.getElementById("steps")!.textContent!.includes("loading"));
    const steps = await page.innerText("#steps");
    for (
      const text of [
        "POST /v1/chat/completions",
        "test/1",
        '{"team":"a"}',
        "top_k",
        "Try 1 of 1",
        "openai/gpt-4o",
        "not kept: this gateway keeps no bodies",
        "stop",
        "$0.0000125, an estimate by the table of prices",
      ]
    ) assertStringIncludes(steps, text);
    await page.keyboard.press("Escape");
    await page.click("#rows tbody tr:first-child button");
    await page.waitForFunction(() => !document.getElementById("steps")!.textContent!.includes("loading"));
    assertStringIncludes(await page.innerText("#steps"), "unknown: no price is known");
    assertStringIncludes(await page.innerText("#steps"), "the client asked for that");
    await page.keyboard.press("Escape");
    for (const span of ["24 h", "30 d", "1 h"]) {
      await page.click(`#spans button:text-is("${span}")`);
      const columns = span === "1 h" ? 60 : parseInt(span);
      await page.waitForFunction(
        (columns) =>
          document.querySelector("#charts svg")!.querySelectorAll("rect:not(.bad)").length === columns,
        columns,
      );
    }
    for (const kind of ["Provider", "Token", "Gateway", "Model"]) {
      await page.click(`#kinds button:text-is("${kind}")`);
      assertEquals(await page.innerText("#totals th"), kind);
    }
    assertEquals(await page.innerText("#totals tbody tr:first-child td"), "openai/gpt-4o");
    await page.fill("#filter", "groq");
    await rowsOf(page, 1);
    await page.click('nav a[href="#providers"]');
    await page.waitForSelector("#variables table");
    assertStringIncludes(await page.innerText("#variables"), "OPENAI_API_KEY");
    assertEquals(errors, []);
  }));

test("keys move between rows, open one and close it", () =>
  scene(async ({ page, send }) => {
    for (const model of ["a", "b", "c"]) await send(`openai/${model}`);
    await open(page);
    await rowsOf(page, 3);
    await page.locator("#main").focus();
    const focused = () => page.evaluate(() => document.activeElement!.closest("tr")?.children[2].textContent);
    for (const [key, due] of [["j", "c"], ["j", "b"], ["j", "a"], ["j", "a"], ["k", "b"]]) {
      await page.keyboard.press(key);
      assertEquals(await focused(), `openai/${due}`);
    }
    await page.keyboard.press("Enter");
    await page.waitForSelector("#life[open]");
    assertStringIncludes(await page.innerText("#steps"), "openai/b");
    await page.keyboard.press("Escape");
    assertEquals(await page.isVisible("#life"), false);
    assertEquals(await focused(), "openai/b");
  }));

test("markup in models, metadata, tokens, errors and clients stays text", () =>
  scene(
    async ({ page, send, errors }) => {
      await send(`openai/${MARKUP.slice(0, 150)}`, {}, {
        "cf-aig-metadata": JSON.stringify({ x: MARKUP }),
        "user-agent": MARKUP,
        "cf-aig-event-id": MARKUP,
      });
      await send(`openai/<b>bold</b>`);
      await open(page);
      await rowsOf(page, 2);
      // The sums are asked for behind the rows.
      await page.waitForSelector("#totals table");
      assertStringIncludes(await page.innerText("#totals"), "<b>bold</b>");
      await page.click("#rows tbody tr:nth-child(2) button");
      assertStringIncludes(await page.innerText("#steps"), "<img src=x onerror=");
      assertEquals(await page.$("#steps img, #rows img, #totals b, #rows b"), null);
      const refused = await page.evaluate(() => {
        try {
          document.body.insertAdjacentHTML("beforeend", "<b>x</b>");
          return "";
        } catch (error) {
          return (error as Error).name;
        }
      });
      assertEquals(refused, "TypeError");
      assertEquals(await titleOf(page), "Sluice");
      assertEquals(errors.filter((text) => !/TrustedHTML|trusted/i.test(text)), []);
    },
    {},
    (_, at) => at === 0 ? refusal(500) : completion(),
  ));

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in any part of the page, and none is wider than a phone, in ${colorScheme}`, () =>
    scene(
      async ({ page, send }) => {
        for (let at = 0; at < 8; at++) {
          await send(at % 3 ? "openai/gpt-4o" : `groq/${"long-name-".repeat(18)}${at}`);
        }
        const check = async (part: string) => {
          for (const width of [1280, 390]) {
            await page.setViewportSize({ width, height: 900 });
            assertEquals(await faultsOf(page), [], `${part} at ${width}`);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth);
            assert(wide <= width, `${part} is ${wide} wide, of ${width}`);
            await shoot(page, `${colorScheme}-${part}-${width}`);
          }
          await page.setViewportSize({ width: 1280, height: 900 });
        };
        await check("start");
        await page.click('nav a[href="#try"]');
        await page.click("#send");
        await page.waitForSelector("#asked a");
        await page.click("#explain");
        await page.waitForSelector("#targets li");
        await check("try");
        await page.click('nav a[href="#requests"]');
        await check("operator");
        await page.fill("#admin", ADMIN);
        await page.press("#admin", "Enter");
        await rowsOf(page, 10);
        await page.waitForSelector("#charts svg");
        await check("requests");
        // The cost stands beside a long name, and not far to its right.
        const box = await page.locator("#rows tbody tr:last-child td:nth-child(4)").boundingBox();
        assert(box!.x + box!.width < 1000, `${box!.x}`);
        await page.click("#rows tbody tr:first-child button");
        await check("life");
        await page.keyboard.press("Escape");
        await page.click('nav a[href="#providers"]');
        await page.waitForSelector("#variables table");
        await check("providers");
        await page.click('nav a[href="#keys"]');
        await page.waitForSelector("#key-rows table");
        await check("keys");
        await page.click("#make");
        await check("key");
        await page.click("#key-cancel");
      },
      { colorScheme, bypassCSP: true },
      (_, at) => at === 2 ? refusal(429) : completion(),
    ));
}

test("a thousand rows are shown when they are asked for", () =>
  scene(async ({ page, send }) => {
    for (let at = 0; at < 1100; at++) await send(`openai/model-${at}`);
    await open(page);
    await rowsOf(page, 100);
    await page.click("#more");
    await rowsOf(page, 1000);
    assertStringIncludes(await page.innerText("#rows tbody tr:first-child"), "openai/model-1099");
    await send("openai/newest");
    await page.waitForFunction(() =>
      document.querySelector("#rows tbody tr")!.textContent!.includes("openai/newest")
    );
    await rowsOf(page, 1000);
    await page.fill("#filter", "model-10");
    await page.waitForFunction(() => document.querySelectorAll("#rows tbody tr").length < 200);
  }));

test("a key is made, shown once, used, changed, rotated and deleted", () =>
  scene(
    async ({ page, url, asked, errors }) => {
      const told = (text: RegExp) =>
        page.waitForFunction(
          (source) => new RegExp(source).test(document.getElementById("told")!.textContent!),
          text.source,
        );
      const use = async (secret: string) => {
        const response = await fetch(`${url}/sluice/api/me`, {
          headers: { authorization: `Bearer ${secret}` },
        });
        const me = await response.json();
        return response.status === 200 ? me : response.status;
      };
      await page.click('nav a[href="#keys"]');
      await page.fill("#admin", ADMIN);
      await page.press("#admin", "Enter");
      await page.waitForSelector("#key-rows tbody tr");
      assertStringIncludes(await page.innerText("#key-rows"), "in the options");
      await page.click("#make");
      await page.fill("#key-name", "ci");
      await page.fill("#key-team", "growth");
      await page.fill("#key-models", "openai/gpt-4*, demo/*");
      await page.fill("#key-rpm", "60");
      await page.fill("#key-usd", "50");
      await page.fill("#key-others", '{"metadata": {"cost_center": 7}}');
      await page.press("#key-name", "Enter");
      await told(/^Saved ci$/);
      const secret = await page.innerText("#secret");
      assertMatch(secret, /^sl-[\w-]{43}$/);
      const row = () => page.innerText("#key-rows tbody tr:last-child");
      for (
        const text of [
          "ci",
          "growth",
          "open",
          "openai/gpt-4*, demo/*",
          "rpm 60 of 60 left",
          "$0 of $50.00 a month",
        ]
      ) {
        assertStringIncludes(await row(), text);
      }
      assertEquals((await use(secret)).limits, { rpm: { limit: 60, left: 60 } });
      // A fault is told in the form, and what was written stays.
      await page.click("#key-rows tbody tr:last-child button:text-is('Edit')");
      assertEquals(await page.inputValue("#key-usd"), "50");
      assertStringIncludes(await page.inputValue("#key-others"), "cost_center");
      await page.fill("#key-models", "nobody/x");
      await page.fill("#key-expires", "2126-01-31");
      await page.click("#key-form button:text-is('Save')");
      await page.waitForFunction(() => /models\.0/.test(document.getElementById("key-fault")!.textContent!));
      await page.fill("#key-models", "");
      await page.fill("#key-rpm", "");
      await page.click("#key-form button:text-is('Save')");
      await told(/^Saved ci$/);
      assertStringIncludes(await row(), "open until 2126-01-31");
      assertEquals([(await use(secret)).models, (await use(secret)).limits], [null, {}]);
      // Limits that the form has no fields for are written, and shown again, as they are.
      await page.click("#key-rows tbody tr:last-child button:text-is('Edit')");
      await page.fill("#key-others", '{"limits": [{"requests": 9, "seconds": 3600}, {"open": 2}]}');
      await page.click("#key-form button:text-is('Save')");
      await told(/^Saved ci$/);
      assertStringIncludes(await row(), "requests in 3600 s 9 of 9 left, open 2 of 2 left");
      await page.click("#key-rows tbody tr:last-child button:text-is('Edit')");
      assertEquals(JSON.parse(await page.inputValue("#key-others")), {
        limits: [{ requests: 9, seconds: 3600 }, { open: 2 }],
      });
      await page.click("#key-form button:text-is('Save')");
      await told(/^Saved ci$/);
      assertEquals((await use(secret)).limits[1], { open: 2, left: 2 });
      // A secret is gone when the list is shown again.
      await page.click('nav a[href="#providers"]');
      await page.click('nav a[href="#keys"]');
      await page.waitForSelector("#key-rows tbody tr");
      assertEquals([
        await page.isVisible("#made"),
        await page.innerText("body").then((text) => text.includes(secret)),
      ], [
        false,
        false,
      ]);
      const press = (name: string) => page.click(`#key-rows tbody tr:last-child button:text-is('${name}')`);
      await press("Disable");
      await page.waitForSelector("#key-rows button:text-is('Enable')");
      assertEquals(await use(secret), 401);
      await press("Enable");
      await page.waitForSelector("#key-rows button:text-is('Disable')");
      page.on("dialog", (dialog) => dialog.accept());
      await press("Rotate");
      await told(/^ci has a new secret$/);
      const next = await page.innerText("#secret");
      assert(next !== secret);
      assertEquals([(await use(secret)).name, (await use(next)).name], ["ci", "ci"]);
      await page.fill("#find", "nobody");
      await page.press("#find", "Enter");
      await page.waitForFunction(() => /None/.test(document.getElementById("key-rows")!.textContent!));
      await page.fill("#find", "");
      await page.press("#find", "Enter");
      await page.waitForSelector("#key-rows tbody tr:last-child button");
      await press("Delete");
      await told(/^Deleted ci$/);
      assertEquals(await use(next), 401);
      assert(asked.every(([path]) => !path.includes("sl-")));
      assertEquals(errors.filter((text) => !/400|401/.test(text)), []);
    },
    {},
    undefined,
    { tokenRequired: true },
  ));

test("the names and teams of keys are text, and a hundred of many are shown", () =>
  scene(async ({ page, url, errors }) => {
    const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };
    for (let at = 0; at < 101; at++) {
      const metadata = { markup: MARKUP };
      const body = JSON.stringify({
        name: `key ${at}`,
        metadata,
        models: ["openai/<img src=x onerror=alert(1)>"],
      });
      await (await fetch(`${url}/sluice/api/keys`, { method: "POST", headers, body })).body?.cancel();
    }
    await page.click('nav a[href="#keys"]');
    await page.fill("#admin", ADMIN);
    await page.press("#admin", "Enter");
    const rows = (count: number) =>
      page.waitForFunction(
        (count) => document.querySelectorAll("#key-rows tbody tr").length === count,
        count,
      );
    await rows(101);
    assertStringIncludes(await page.innerText("#key-rows"), "<img src=x");
    await page.click("#more-keys");
    await rows(102);
    assertEquals(await page.isVisible("#more-keys"), false);
    await page.click("#key-rows button:text-is('Edit') >> nth=0");
    assertStringIncludes(await page.inputValue("#key-others"), "<script>");
    assertEquals([await titleOf(page), errors], ["Sluice", []]);
  }));

// Not a test of the page: the last one closes the browser.
test("the browser closes", async () => await (await launch()).close());
