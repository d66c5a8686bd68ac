/** What must hold on every runtime, as cases against a running gateway and a fake provider. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "node:net";
import { type FakeProvider, OPENAI_ANSWER, OPENAI_STREAM, TEXT } from "./fake_provider.ts";
import type { Runtime } from "./gateways.ts";

/** What a case works with. */
export interface Setting {
  runtime: Runtime;
  /** The gateway's address. */
  gateway: string;
  provider: FakeProvider;
}

export interface Case {
  name: string;
  run(setting: Setting): Promise<void>;
}

/** The environment under which the cases hold. */
export const environment = (provider: FakeProvider) => ({
  SLUICE_OPENAI_BASE_URL: `${provider.url}/openai/v1`,
  SLUICE_ANTHROPIC_BASE_URL: `${provider.url}/anthropic`,
  // Port 1 of loopback: nobody listens.
  SLUICE_GROQ_BASE_URL: "http://127.0.0.1:1/v1",
});

/** One provider of the client's own wire, whose bodies are handed through, and one that is translated. */
const PROVIDERS = ["openai", "anthropic"];

let lastId = 0;

/** A model name that no other case uses. */
const fresh = (behaviour: string) => `${behaviour}-${++lastId}`;

const PATH = "/v1/chat/completions";

function ask(gateway: string, model: string, more: object = {}, headers: Record<string, string> = {}) {
  return fetch(gateway + PATH, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer test-key", ...headers },
    body: JSON.stringify({ model, messages: [{ role: "user", content: TEXT }], ...more }),
  });
}

/** The events of a stream; the last one must be whole. */
async function events(response: Response): Promise<string[]> {
  assertStringIncludes(response.headers.get("content-type") ?? "", "text/event-stream");
  const frames = (await response.text()).split("\n\n");
  assertEquals(frames.pop(), "", "the stream ends inside an event");
  return frames.filter((frame) => frame.startsWith("data: ")).map((frame) => frame.slice("data: ".length));
}

/** What a client shows of a stream that ended well. */
async function streamedText(response: Response): Promise<string> {
  const data = await events(response);
  assertEquals(data.pop(), "[DONE]");
  const chunks = data.map((one) => JSON.parse(one));
  assertEquals(chunks.filter((chunk) => chunk.error), []);
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}

/** The promise, or a failure once `ms` are over. */
async function within<T>(promise: Promise<T>, what: string, ms = 10_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const arrival = (provider: FakeProvider, model: string) =>
  within(provider.arrived(model), "the request reaches the provider");

/** A client down at the socket: it sees what has come so far, and decides how it leaves. */
function call(gateway: string, head: string, body = "") {
  const { hostname, port } = new URL(gateway);
  const socket = connect(Number(port), hostname);
  let text = "";
  const waiting: { includes: string; resolve: () => void }[] = [];
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => {
    text += chunk;
    for (const { includes, resolve } of waiting) if (text.includes(includes)) resolve();
  });
  socket.on("error", () => {});
  socket.write(`${head}\r\nhost: ${hostname}:${port}\r\n\r\n${body}`);
  return {
    /** Once this text has come. */
    got(includes: string): Promise<void> {
      if (text.includes(includes)) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ includes, resolve }));
    },
    leave(how: Runtime["noticesLeavingBy"]) {
      if (how === "reset") socket.resetAndDestroy();
      else socket.destroy();
    },
  };
}

/** @param bytes Length of the prompt; that of the request is some 250 bytes more. */
function callChat(gateway: string, body: object, bytes = 2) {
  const text = JSON.stringify({ messages: [{ role: "user", content: "x".repeat(bytes) }], ...body });
  const head = `POST ${PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${text.length}`;
  return call(gateway, head, text);
}

/** The same case for a provider whose bodies are handed through and for one that is translated. */
function forEachProvider(name: string, run: (setting: Setting, provider: string) => Promise<void>): Case[] {
  return PROVIDERS.map((provider) => ({
    name: `${name} (${provider})`,
    run: (setting) => run(setting, provider),
  }));
}

export const CASES: Case[] = [
  {
    name: "the demo answers, whole and streamed",
    async run({ gateway }) {
      const whole = await (await ask(gateway, "demo/echo")).json();
      assertEquals(whole.choices[0].message.content, TEXT);
      assertEquals(whole.choices[0].finish_reason, "stop");
      assertEquals(await streamedText(await ask(gateway, "demo/echo", { stream: true })), TEXT);
    },
  },
  ...forEachProvider("an answer comes through, whole and streamed", async ({ gateway }, provider) => {
    const whole = await (await ask(gateway, `${provider}/${fresh("plain")}`)).json();
    assertEquals(whole.choices[0].message.content, TEXT);
    const streamed = await ask(gateway, `${provider}/${fresh("plain")}`, { stream: true });
    assertEquals(await streamedText(streamed), TEXT);
  }),
  ...forEachProvider("a stream cut after every byte is the same", async ({ gateway }, provider) => {
    const streamed = await ask(gateway, `${provider}/${fresh("bytewise")}`, { stream: true });
    assertEquals(await streamedText(streamed), TEXT);
  }),
  {
    name: "bodies of the client's own wire come through byte for byte",
    async run({ gateway }) {
      assertEquals(await (await ask(gateway, `openai/${fresh("plain")}`)).text(), OPENAI_ANSWER);
      const streamed = await ask(gateway, `openai/${fresh("plain")}`, { stream: true });
      assertEquals(await streamed.text(), OPENAI_STREAM.join(""));
    },
  },
  {
    name: "each provider gets the key its own way and nothing of the gateway's",
    async run({ gateway, provider }) {
      const models = { openai: fresh("plain"), anthropic: fresh("plain") };
      for (const [name, model] of Object.entries(models)) {
        await (await ask(gateway, `${name}/${model}`, { x_own: [1] }, { cookie: "a=b" })).body?.cancel();
      }
      const openai = await arrival(provider, models.openai);
      assertEquals(openai.path, "/openai/v1/chat/completions");
      assertEquals(openai.headers.authorization, "Bearer test-key");
      assertEquals(openai.headers.cookie, undefined);
      assertEquals(openai.headers.host, new URL(provider.url).host);
      assertEquals(openai.body.x_own, [1]);
      const anthropic = await arrival(provider, models.anthropic);
      assertEquals(anthropic.path, "/anthropic/v1/messages");
      assertEquals(anthropic.headers["x-api-key"], "test-key");
      assertEquals(anthropic.headers.authorization, undefined);
    },
  },
  ...forEachProvider("a gzipped answer is unpacked once", async ({ gateway }, provider) => {
    const whole = await (await ask(gateway, `${provider}/${fresh("zipped")}`)).json();
    assertEquals(whole.choices[0].message.content, TEXT);
  }),
  {
    name: "the provider's own refusal comes through",
    async run({ gateway }) {
      const response = await ask(gateway, `openai/${fresh("refused")}`);
      assertEquals(response.status, 401);
      assertEquals((await response.json()).error.message, "bad key");
    },
  },
  {
    name: "a redirect is not followed",
    async run({ gateway }) {
      const response = await ask(gateway, `openai/${fresh("moved")}`);
      assertEquals(response.status, 502);
      assert((await response.json()).error.message);
    },
  },
  {
    name: "a provider that cannot be reached is 502",
    async run({ gateway }) {
      const response = await ask(gateway, "groq/any");
      assertEquals(response.status, 502);
      assertStringIncludes((await response.json()).error.message, "groq");
    },
  },
  ...forEachProvider(
    "a client that leaves before the headers ends the provider's work",
    async (setting, name) => {
      const { gateway, provider, runtime } = setting;
      const model = fresh("silent");
      const client = callChat(gateway, { model: `${name}/${model}`, stream: true });
      await arrival(provider, model);
      client.leave(runtime.noticesLeavingBy);
      await within(provider.left(model), "the provider is told");
    },
  ),
  ...forEachProvider(
    "a client that leaves before the first token ends the provider's work",
    async (setting, name) => {
      const { gateway, provider, runtime } = setting;
      const model = fresh("quiet");
      const client = callChat(gateway, { model: `${name}/${model}`, stream: true });
      await arrival(provider, model);
      // Bun holds the headers of a body that is handed through back until the first byte of it.
      await Promise.race([client.got("\r\n\r\n"), new Promise((resolve) => setTimeout(resolve, 300))]);
      client.leave(runtime.noticesLeavingBy);
      await within(provider.left(model), "the provider is told");
    },
  ),
  ...forEachProvider("a client that leaves in mid-stream ends the provider's work", async (setting, name) => {
    const { gateway, provider } = setting;
    const model = fresh("endless");
    const client = callChat(gateway, { model: `${name}/${model}`, stream: true }, 2_000);
    await within(client.got('"3 "'), "tokens come as they are made");
    client.leave("close");
    await within(provider.left(model), "the provider is told");
  }),
  {
    name: "a stream of the client's own wire that dies is no clean end",
    async run({ gateway }) {
      const response = await ask(gateway, `openai/${fresh("dying")}`, { stream: true });
      await assertRejects(() => within(response.text(), "the stream ends"), TypeError);
    },
  },
  {
    name: "a translated stream that dies ends with an error event",
    async run({ gateway }) {
      const response = await ask(gateway, `anthropic/${fresh("dying")}`, { stream: true });
      const data = await within(events(response), "the stream ends");
      const errors = data.filter((one) => one !== "[DONE]").map((one) => JSON.parse(one)).filter((one) =>
        one.error
      );
      assertEquals(errors.length, 1);
      assertEquals(data.filter((one) => one.includes('finish_reason":"stop')), []);
    },
  },
  {
    name: "a body that is too long is refused before it is sent",
    async run({ gateway }) {
      const length = 200 * 2 ** 20;
      const head = `POST ${PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${length}`;
      const client = call(gateway, head);
      await within(client.got(" 413 "), "the refusal");
      client.leave("close");
    },
  },
  ...forEachProvider("ten megabytes reach the provider", async ({ gateway, provider }, name) => {
    const model = fresh("plain");
    const image = "A".repeat(10_000_000);
    const content = [{ type: "image_url", image_url: { url: `data:image/png;base64,${image}` } }];
    const response = await ask(gateway, `${name}/${model}`, { messages: [{ role: "user", content }] });
    assertEquals(response.status, 200);
    await response.body?.cancel();
    assertStringIncludes(JSON.stringify((await arrival(provider, model)).body), image);
  }),
  ...forEachProvider("fifty streams at once keep apart", async ({ gateway }, provider) => {
    await Promise.all(Array.from({ length: 50 }, async () => {
      const model = fresh("tagged");
      const text = await streamedText(await ask(gateway, `${provider}/${model}`, { stream: true }));
      assertStringIncludes(text, model);
    }));
  }),
  {
    name: "the other doors: health, home, preflight, no such path, wrong method",
    async run({ gateway }) {
      assertEquals((await (await fetch(`${gateway}/health`)).json()).status, "ok");
      const home = await fetch(gateway);
      assertStringIncludes(await home.text(), `curl ${gateway}${PATH}`);
      const preflight = await fetch(gateway + PATH, {
        method: "OPTIONS",
        headers: { origin: "https://example.com", "access-control-request-method": "POST" },
      });
      assertEquals(preflight.status, 204);
      assertEquals(preflight.headers.get("access-control-allow-origin"), null);
      for (const [path, status] of [["/nowhere", 404], [PATH, 405]] as const) {
        const response = await fetch(gateway + path);
        assertEquals(response.status, status);
        assert((await response.json()).error.message);
      }
    },
  },
];
