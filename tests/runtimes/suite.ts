/** The cases that must pass on every runtime, against a running gateway and a fake provider. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "node:net";
import { freePort } from "../free_port.ts";
import {
  ANTHROPIC_ANSWER,
  ANTHROPIC_STREAM,
  AWS_PAIR,
  type FakeProvider,
  OPENAI_ANSWER,
  OPENAI_STREAM,
  REFUSAL,
  TEXT,
} from "./fake_provider.ts";
import type { Runtime } from "./gateways.ts";

/** The servers that a case uses. */
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

/** The gateway's environment for the cases. */
export const environment = (provider: FakeProvider) => ({
  SLUICE_OPENAI_BASE_URL: `${provider.url}/openai/v1`,
  SLUICE_ANTHROPIC_BASE_URL: `${provider.url}/anthropic`,
  SLUICE_AWS_BEDROCK_BASE_URL: provider.url,
  SLUICE_GROQ_BASE_URL: `http://127.0.0.1:${freePort()}/v1`,
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

/** The gateway's paths as Cloudflare's clients write them. */
const ROOT = "/v1/acct/gw";

const post = (url: string, body: unknown, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer test-key", ...headers },
    body: JSON.stringify(body),
    ...init,
  });

/** The events of a stream; the last one must be whole. */
async function events(response: Response): Promise<string[]> {
  assertStringIncludes(response.headers.get("content-type") ?? "", "text/event-stream");
  const frames = (await response.text()).split("\n\n");
  assertEquals(frames.pop(), "", "the stream ends inside an event");
  return frames.filter((frame) => frame.startsWith("data: ")).map((frame) => frame.slice("data: ".length));
}

/** The text that a client shows of a stream that ended well. */
async function streamedText(response: Response): Promise<string> {
  const data = await events(response);
  assertEquals(data.pop(), "[DONE]");
  const chunks = data.map((one) => JSON.parse(one));
  assertEquals(chunks.filter((chunk) => chunk.error), []);
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}

/** The promise's result, or an error after `ms` milliseconds. */
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

/** The status and the body of the answer to a request with these lines, written to a socket. */
function rawAnswer(gateway: string, lines: string[]): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(gateway);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.setEncoding("latin1");
  const read = () => ({ status: Number(text.slice(9, 12)), body: text.slice(text.indexOf("\r\n\r\n") + 4) });
  const ended = new Promise<{ status: number; body: string }>((resolve) => {
    socket.on("data", (chunk) => text += chunk);
    socket.on("error", () => {});
    socket.on("close", () => resolve(read()));
  });
  socket.write([...lines, "connection: close", "", ""].join("\r\n"));
  return within(ended, lines.join(" | ")).finally(() => socket.destroy());
}

/** A client on a socket. It can read what has come so far, and choose how it leaves. */
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
    /** Resolves when this text has come. */
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

/** @param bytes The length of the prompt. The request is some 250 bytes longer. */
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
  {
    name: "a browser gets the page, and its script is the one that its policy allows",
    async run({ gateway }) {
      const response = await fetch(gateway, { headers: { accept: "text/html" } });
      assertStringIncludes(response.headers.get("content-type")!, "text/html");
      const [, script] = /<script>([^]*?)<\/script>/.exec(await response.text())!;
      const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
      assertStringIncludes(
        response.headers.get("content-security-policy")!,
        `script-src 'sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}'`,
      );
    },
  },
  {
    name: "sluice-explain tells what would be sent, and sends nothing",
    async run({ gateway, provider }) {
      const picture = `data:image/png;base64,iVBORw0KGgoA${"AbC0".repeat(2 ** 19)}`;
      const content = [{ type: "text", text: "What?" }, { type: "image_url", image_url: { url: picture } }];
      const messages = [{ role: "user", content }];
      for (
        const [name, path, hidden] of [["openai", "/openai/v1/chat/completions", "authorization"], [
          "anthropic",
          "/anthropic/v1/messages",
          "x-api-key",
        ]]
      ) {
        const model = fresh("plain");
        const response = await ask(gateway, `${name}/${model}`, { messages }, {
          "sluice-explain": "true",
          "x-mine": "1",
        });
        const text = await response.text();
        assertEquals(response.status, 200, text.slice(0, 500));
        assert(text.length < 10_000, `${text.length}`);
        assert(!text.includes("test-key"), text);
        const { targets: [{ requests: [{ url, body, headers, hiddenHeaders }], estimate }] } = JSON.parse(
          text,
        );
        assertEquals([url, body.model, headers["x-mine"], hiddenHeaders], [provider.url + path, model, "1", [
          hidden,
        ]]);
        assertStringIncludes(JSON.stringify(body), "[2097164 characters of base64]");
        assert(estimate.inputTokens > 1600);
        // The next request is the first that the provider gets.
        await (await ask(gateway, `${name}/${model}`, {}, { "x-mine": "2" })).body?.cancel();
        assertEquals((await arrival(provider, model)).headers["x-mine"], "2");
      }
    },
  },
  ...forEachProvider("a gzipped answer is unpacked once", async ({ gateway }, provider) => {
    const whole = await (await ask(gateway, `${provider}/${fresh("zipped")}`)).json();
    assertEquals(whole.choices[0].message.content, TEXT);
  }),
  {
    name: "a pair of Amazon's keys signs what is sent, and Amazon's frames are read",
    async run({ gateway }) {
      const model = "bedrock/us-east-1/arn:aws:bedrock:us-east-1:000000000000:inference-profile/m";
      const send = (pair: object, stream: boolean) => {
        const authorization = `Bearer ${JSON.stringify(pair)}`;
        return ask(gateway, model, { stream }, { authorization });
      };
      const whole = await (await send(AWS_PAIR, false)).json();
      assertEquals([whole.error, whole.choices?.[0].message.content], [undefined, TEXT]);
      assertEquals(await streamedText(await send(AWS_PAIR, true)), TEXT);
      const refused = await send({ ...AWS_PAIR, secretAccessKey: "another" }, false);
      assertEquals(refused.status, 403);
      assertStringIncludes((await refused.json()).error.message, "SignatureDoesNotMatch");
    },
  },
  {
    name: "a cached answer has the same bytes, whole and streamed",
    async run({ gateway }) {
      for (const of of PROVIDERS) {
        for (const stream of [false, true]) {
          const model = `${of}/${fresh("plain")}`;
          const key = { "cf-aig-cache-key": model };
          const first = await ask(gateway, model, { stream }, key);
          const bytes = await first.text();
          assertEquals([first.status, first.headers.get("cf-aig-cache-status")], [200, "MISS"]);
          // The answer is kept when its last byte was sent.
          let second = await ask(gateway, model, { stream }, key);
          for (let at = 0; at < 20 && second.headers.get("cf-aig-cache-status") === "MISS"; at++) {
            await second.text();
            second = await ask(gateway, model, { stream }, key);
          }
          assertEquals(second.headers.get("cf-aig-cache-status"), "HIT");
          assertEquals(second.headers.get("content-type"), first.headers.get("content-type"));
          assertEquals(second.headers.get("x-request-id"), second.headers.get("cf-aig-log-id"));
          assertEquals(await second.text(), bytes);
        }
      }
    },
  },
  {
    name: "a Host header chooses no path",
    async run({ gateway }) {
      const hosts = ["x/v1/models?", "x/v1/models#", "x?", "x#", "x\\y", "u@x", "x y", "x\ty", "x:80/v1"];
      for (const host of hosts) {
        for (const line of ["GET /health HTTP/1.1", "POST /public/v1/chat/completions HTTP/1.1"]) {
          const { status } = await rawAnswer(gateway, [line, `Host: ${host}`, "content-length: 0"]);
          assertEquals(status, 400, `${line}, ${host}`);
        }
      }
      const { status } = await rawAnswer(gateway, ["GET /health HTTP/1.1", "Host: a", "Host: b"]);
      assertEquals(status, 400, "two hosts");
    },
  },
  {
    name: "the path is the request line's, in every form of it",
    async run({ gateway }) {
      const served = async (target: string, ...more: string[]) =>
        (await rawAnswer(gateway, [`GET ${target} HTTP/1.1`, ...more])).body.includes('"status":"ok"');
      assert(await served("/health", "Host: x"));
      assert(await served("http://other/health", "Host: x"), "absolute");
      assert(await served("http://other:1/health?/v1/models", "Host: x"), "absolute with a query");
      assertEquals(await served("//health", "Host: x"), false, "two slashes");
      assertEquals(await served("//x/health", "Host: x"), false, "two slashes and a host");
      assertEquals(await served("/x/health", "Host: x"), false, "a segment more");
      // A request target that is only a query is the path `/`.
      assertEquals(await served("http://other?/health", "Host: x"), false, "absolute without a path");
      assertEquals(
        await served("http://other/v1/models?", "Host: x/health"),
        false,
        "absolute with a bad host",
      );
      // A request without a Host has only its path. Some runtimes refuse it.
      assertEquals(await served("/x/health"), false, "a segment more without a host");
      const { status, body } = await rawAnswer(gateway, ["GET /health HTTP/1.0"]);
      assert(status === 400 || body.includes('"status":"ok"'), `HTTP/1.0: ${status}`);
    },
  },
  {
    name: "a body that is nested too deeply is refused before anything is written",
    async run({ gateway }) {
      const deep = `${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}`;
      for (const model of ["anthropic", "google-ai-studio", "cohere", "perplexity-agent", "openai"]) {
        const body =
          `{"model":"${model}/m","metadata_x":${deep},"messages":[{"role":"user","content":"hi"}]}`;
        const response = await fetch(gateway + PATH, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: "Bearer test-key" },
          body,
        });
        const { error } = await response.json();
        assertEquals(response.status, 400);
        assertStringIncludes(error.message, "nested too deeply");
      }
    },
  },
  {
    name: "the provider's own refusal comes through",
    async run({ gateway }) {
      const response = await ask(gateway, `openai/${fresh("refused")}`);
      assertEquals(response.status, 401);
      assertEquals((await response.json()).error.message, "bad key");
    },
  },
  ...forEachProvider("a success without a body is 502", async ({ gateway }, provider) => {
    const response = await ask(gateway, `${provider}/${fresh("empty")}`);
    assertEquals([response.status, (await response.json()).error.code], [502, "2005"]);
  }),
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
    async run({ gateway, runtime }) {
      const response = await ask(gateway, "groq/any");
      assertEquals(response.status, 502);
      // workerd does not tell the reason.
      const why = /^(deno|bun|node)/.test(runtime.name)
        ? "the connection was refused"
        : "no answer to the request";
      assertEquals((await response.json()).error.message, `Cannot reach groq: ${why}`);
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
      // Bun sends the headers only with the first byte of a body that is handed through.
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
    name: "a stream of the client's own wire that breaks off ends as a broken connection",
    async run({ gateway }) {
      const response = await ask(gateway, `openai/${fresh("dying")}`, { stream: true });
      await assertRejects(() => within(response.text(), "the stream ends"), TypeError);
    },
  },
  {
    name: "a translated stream that breaks off ends with an error event",
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
    // The first bytes of a PNG, because a picture of an unknown kind is not sent to Anthropic.
    const image = `iVBORw0KGgo${"A".repeat(10_000_000)}`;
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
  ...forEachProvider("a provider's own path is byte for byte, both ways", async (setting, name) => {
    const { gateway, provider } = setting;
    const [path, answer, stream] = name === "openai"
      ? ["chat/completions", OPENAI_ANSWER, OPENAI_STREAM]
      : ["v1/messages", ANTHROPIC_ANSWER, ANTHROPIC_STREAM];
    const url = `${gateway}${ROOT}/${name}/${path}`;
    const model = fresh("plain");
    const whole = await post(`${url}?a=%2F&b=`, { model, x: [1] }, { cookie: "a=b", "x-own": "1" });
    assertEquals(await whole.text(), answer);
    const { path: sent, headers, body } = await arrival(provider, model);
    assertEquals(sent, `/${name === "openai" ? "openai/v1" : name}/${path}?a=%2F&b=`);
    assertEquals(body, { model, x: [1] });
    assertEquals([headers.authorization, headers["x-own"], headers.cookie], [
      "Bearer test-key",
      "1",
      undefined,
    ]);
    assertEquals(headers["content-length"], `${JSON.stringify(body).length}`);
    for (const behaviour of ["plain", "bytewise"]) {
      const streamed = await post(url, { model: fresh(behaviour), stream: true });
      assertEquals(await streamed.text(), stream.join(""));
      assertStringIncludes(streamed.headers.get("cf-aig-log-id") ?? "", "-7");
    }
  }),
  {
    name: "a provider's own path hands back refusals and redirects as they are",
    async run({ gateway }) {
      const url = `${gateway}${ROOT}/openai/chat/completions`;
      const refused = await post(url, { model: fresh("refused") });
      assertEquals([refused.status, await refused.text()], [401, REFUSAL]);
      const moved = await post(url, { model: fresh("moved") }, {}, { redirect: "manual" });
      assertEquals([moved.status, moved.headers.get("location")], [307, "/elsewhere"]);
      await moved.body?.cancel();
    },
  },
  {
    name: "a GET whose body is announced as empty reaches the provider, and a TRACE does not",
    async run({ gateway }) {
      const host = `host: ${new URL(gateway).host}`;
      const ask = (method: string) =>
        rawAnswer(gateway, [`${method} ${ROOT}/openai/models HTTP/1.1`, host, "content-length: 0"]);
      const { status, body } = await ask("GET");
      assertEquals(status, 200);
      assertStringIncludes(body, "chatcmpl-7");
      // The answer to a TRACE would repeat the request, with a stored key in it.
      assertEquals((await ask("TRACE")).status, 405);
    },
  },
  {
    name: "a body of unknown length is sent on as it comes",
    async run({ gateway, provider }) {
      const model = fresh("plain");
      const text = JSON.stringify({ model, pad: "x".repeat(100_000) });
      const client = call(
        gateway,
        `POST ${ROOT}/openai/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close`,
        [text.slice(0, 10), text.slice(10)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join(
          "",
        ) +
          "0\r\n\r\n",
      );
      await within(client.got("chatcmpl-7"), "the answer");
      client.leave("close");
      assertEquals((await arrival(provider, model)).body.pad, "x".repeat(100_000));
    },
  },
  ...forEachProvider("a client that leaves a provider's own path ends its work", async (setting, name) => {
    const { gateway, provider } = setting;
    const model = fresh("endless");
    const text = JSON.stringify({ model, pad: "x".repeat(2000) });
    const path = `${ROOT}/${name}/${name === "openai" ? "chat/completions" : "v1/messages"}`;
    const client = call(gateway, `POST ${path} HTTP/1.1\r\ncontent-length: ${text.length}`, text);
    await within(client.got('"3 "'), "tokens come as they are made");
    client.leave("close");
    await within(provider.left(model), "the provider is told");
  }),
  {
    name:
      "steps are tried in turn: one that cannot be reached, one that is silent, one that stalls, one that answers",
    async run({ gateway, provider }) {
      const [silent, quiet, last] = [fresh("silent"), fresh("quiet"), fresh("plain")];
      const step = (model: string, more: object = {}) => ({
        provider: "openai",
        endpoint: "chat/completions",
        headers: { Authorization: "Bearer step-key", "X-Own": 1 },
        query: { model, stream: true },
        ...more,
      });
      const response = await post(gateway + ROOT, [
        step("any", { provider: "groq", config: { maxAttempts: 2, retryDelay: 1 } }),
        step(silent, { config: { requestTimeout: 200 } }),
        step(quiet, { config: { requestTimeout: 200 } }),
        step(last),
      ]);
      assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "3"]);
      assertEquals(await response.text(), OPENAI_STREAM.join(""));
      const { headers } = await arrival(provider, last);
      assertEquals([headers.authorization, headers["x-own"]], ["Bearer step-key", "1"]);
      await within(Promise.all([provider.left(silent), provider.left(quiet)]), "those before are left");
    },
  },
  {
    name: "a chat falls back from model to model, each in its own wire",
    async run({ gateway }) {
      for (const stream of [false, true]) {
        const fallback = { "sluice-fallback": `openai/${fresh("refused")}, anthropic/${fresh("plain")}` };
        const response = await ask(gateway, "groq/any", { stream }, fallback);
        assertEquals(response.headers.get("cf-aig-provider"), "anthropic");
        const text = stream
          ? await streamedText(response)
          : (await response.json()).choices[0].message.content;
        assertEquals(text, TEXT);
      }
    },
  },
  {
    name: "the demo makes embeddings, as base64 and as floats",
    async run({ gateway }) {
      const embed = async (more: object) => {
        const response = await post(`${gateway}/v1/embeddings`, {
          model: "demo/embed",
          input: ["a b", "b a"],
          ...more,
        });
        assertEquals(response.status, 200);
        const { data } = await response.json();
        return data.map(({ embedding }: { embedding: unknown }) => embedding);
      };
      const [one, two] = await embed({ dimensions: 8 });
      assertEquals([one.length, one], [8, two]);
      const [encoded] = await embed({ dimensions: 8, encoding_format: "base64" });
      const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
      assertEquals([...new Float32Array(bytes.buffer)], [...new Float32Array(one)]);
    },
  },
  {
    name: "a native or universal request that fails has Cloudflare's envelope",
    async run({ gateway }) {
      for (
        const [path, body, status, code] of [
          ["/groq/chat/completions", {}, 502, 2005],
          ["/nobody/x", {}, 400, 2008],
          ["", [{ provider: "groq", endpoint: "x", query: {} }], 502, 2005],
          ["/", [], 400, 400],
        ] as const
      ) {
        const response = await post(gateway + ROOT + path, body);
        assertEquals(response.status, status);
        const { success, error } = await response.json();
        assertEquals([success, error[0].code], [false, code]);
      }
    },
  },
  {
    name: "the other doors: health, home, preflight, unknown path, wrong method",
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
