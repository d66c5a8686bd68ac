import { assertEquals } from "@std/assert";
import { ask, before, completion, events, refusal, ROOT, STREAM } from "../../fakes.ts";

const PAGE = "https://app.example";
/** An origin that may always call. */
const LOCAL = "http://localhost:3000";
const URL_OF_CHAT = `${ROOT}/compat/chat/completions`;

const preflight = (url: string, headers: Record<string, string> = {}) =>
  new Request(url, {
    method: "OPTIONS",
    headers: { origin: PAGE, "access-control-request-method": "POST", ...headers },
  });

/** The CORS headers of an answer. */
const grants = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));

Deno.test("no foreign page may call the gateway unless the operator says so", async () => {
  const { fetch, sent } = before(() => completion());
  const response = await fetch(preflight(URL_OF_CHAT));
  assertEquals([response.status, response.headers.get("allow"), grants(response)], [
    204,
    "POST, OPTIONS",
    {},
  ]);
  const refused = await fetch(ask("openai/m", { origin: PAGE }));
  assertEquals([refused.status, grants(refused), sent.length], [403, {}, 0]);
});

Deno.test("a provider's own CORS headers are not passed on", async () => {
  const open = {
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "x-request-id",
  };
  const answers = [
    () => Response.json({}, { headers: open }),
    () => refusal(429, open),
    () => new Response(STREAM.join(""), { headers: { ...open, "content-type": "text/event-stream" } }),
  ];
  for (const answer of answers) {
    for (const url of [URL_OF_CHAT, `${ROOT}/openai/v1/responses`]) {
      const { fetch } = before(answer);
      const request = new Request(url, ask("openai/m"));
      assertEquals(grants(await fetch(request)), {});
      const own = { "access-control-allow-origin": LOCAL, "access-control-expose-headers": "*" };
      assertEquals(grants(await fetch(new Request(url, ask("openai/m", { origin: LOCAL })))), own);
    }
  }
});

Deno.test("pages of an allowed origin may call and read every answer, errors too", async () => {
  for (const origins of [[PAGE], ["*"], ["https://other.example", PAGE]]) {
    const { fetch } = before((_, at) => at === 0 ? completion() : events(...STREAM), { origins });
    const asked = { "access-control-request-headers": "authorization,x-stainless-os" };
    const allowed = await fetch(preflight(URL_OF_CHAT, asked));
    assertEquals(allowed.status, 204);
    assertEquals(grants(allowed), {
      "access-control-allow-origin": PAGE,
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": asked["access-control-request-headers"],
      "access-control-max-age": "86400",
      "access-control-expose-headers": "*",
    });
    assertEquals(allowed.headers.get("vary"), "origin");
    const readable = { "access-control-allow-origin": PAGE, "access-control-expose-headers": "*" };
    const whole = await fetch(ask("openai/m", { origin: PAGE }));
    const streamed = await fetch(ask("openai/m", { origin: PAGE }, { stream: true }));
    const refused = await fetch(ask("nobody/m", { origin: PAGE }));
    assertEquals([whole.status, streamed.status, refused.status], [200, 200, 400]);
    for (const response of [whole, streamed, refused]) {
      assertEquals(grants(response), readable);
      await response.body?.cancel();
    }
  }
});

Deno.test("pages of another origin may not, and vary tells caches so", async () => {
  const { fetch } = before(() => completion(), { origins: ["https://other.example"] });
  const models = new Request(`${ROOT}/compat/models`);
  for (const request of [preflight(URL_OF_CHAT), ask("openai/m", { origin: PAGE }), models]) {
    const response = await fetch(request);
    assertEquals([grants(response), response.headers.get("vary")], [{}, "origin"]);
    await response.body?.cancel();
  }
});

Deno.test("OPTIONS of an unknown path is 204 for a page that may call, else 404", async () => {
  const { fetch } = before(() => completion(), { origins: [PAGE] });
  for (const path of ["/nothing", "/v1/messages", "/v1/threads/t_1/runs"]) {
    const allowed = await fetch(preflight(`http://gateway.test${path}`));
    assertEquals([allowed.status, allowed.headers.get("access-control-allow-origin")], [204, PAGE], path);
    assertEquals(allowed.headers.get("access-control-allow-methods")?.includes("POST"), true, path);
  }
  const nothing = "http://gateway.test/nothing";
  const real = await fetch(new Request(nothing, { headers: { origin: PAGE } }));
  assertEquals([real.status, real.headers.get("access-control-allow-origin")], [404, PAGE]);
  const foreign = await fetch(preflight(nothing, { origin: "https://evil.example" }));
  assertEquals([foreign.status, grants(foreign)], [404, {}]);
});

Deno.test("a preflight that asks for a private network is granted it, for an allowed page only", async () => {
  const { fetch } = before(() => completion(), { origins: [PAGE] });
  const asked = { "access-control-request-private-network": "true" };
  const granted = async (headers: Record<string, string>) =>
    (await fetch(preflight(URL_OF_CHAT, headers))).headers.get("access-control-allow-private-network");
  assertEquals(await granted(asked), "true");
  assertEquals(await granted({}), null);
  assertEquals(await granted({ ...asked, origin: "https://evil.example" }), null);
});

Deno.test("a page that names no headers may send any", async () => {
  const { fetch } = before(() => completion(), { origins: [PAGE] });
  const { headers } = await fetch(preflight(URL_OF_CHAT));
  assertEquals(headers.get("access-control-allow-headers"), "*");
});
