/** Time and memory grow in proportion to the request, also for each parser's worst input. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createGateway } from "../../gateway/gateway.ts";
import { before, completion, events, message, messages, post, refusal, ROOT } from "../fakes.ts";
import { assertLinear } from "../growth.ts";
import { readCitations } from "../../wires/gemini/citations.ts";

const CHAT = `${ROOT}/compat/chat/completions`;
const CLAUDE = "anthropic/claude-sonnet-4-5";
const WIRES = [
  "openai/m",
  CLAUDE,
  "google-ai-studio/gemini-2.5-pro",
  "cohere/c",
  "perplexity-agent/p",
  "openai/o3-pro",
];

const many = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at)).join(",");
const talk = (content: string) => `[{"role":"user","content":${content}}]`;
const HI = talk('"hi"');
const chat = (model: string, more: string, text = HI) => `{"model":"${model}","messages":${text},${more}}`;
const tool = (parameters: string) =>
  `"tools":[{"type":"function","function":{"name":"f","parameters":${parameters}}}]`;

/** The worst chat requests, by a size of a few thousand. */
const BODIES: Record<string, (size: number) => string> = {
  "a model's name": (size) => `{"model":"${"gemini-".repeat(size)}","messages":${HI}}`,
  "a provider's name": (size) => `{"model":"${"g".repeat(size)}/m","messages":${HI}}`,
  "a Gemini model's name": (size) =>
    `{"model":"google-ai-studio/${"gemini-".repeat(size)}","messages":${HI},"reasoning_effort":"high"}`,
  "a list of models": (size) => `{"models":[${many(size, (at) => `"openai/${at}"`)}],"messages":${HI}}`,
  "a list of one model": (size) => `{"models":[${many(size, () => `"openai/m"`)}],"messages":${HI}}`,
  "a long key": (size) => `{"${"k".repeat(8 * size)}":1,"model":"openai/m","messages":${HI}}`,
  "many keys": (size) => chat(CLAUDE, many(size, (at) => `"k${at}":1`)),
  "many keys that are dropped": (size) =>
    chat("openai/m", `"stream_options":{${many(size, (at) => `"k${at}":1`)}}`),
  "escapes": (size) => chat(CLAUDE, `"x":"${"\\\\".repeat(4 * size)}\\""`),
  "quotes": (size) => chat("openai/m", `"x":"${'\\"'.repeat(4 * size)}"`),
  "brackets in a text": (size) => chat(CLAUDE, `"x":"${"[{".repeat(4 * size)}"`),
  "lists": (size) => chat(CLAUDE, `"x":[${many(4 * size, () => "[]")}]`),
  "messages": (size) =>
    chat(CLAUDE, `"x":1`, `[${many(size, () => `{"role":"user","content":[{"type":"text","text":"a"}]}`)}]`),
  "messages for Gemini": (size) =>
    chat(
      "google-ai-studio/gemini-2.5-pro",
      `"x":1`,
      `[${many(size, () => `{"role":"user","content":"a"}`)}]`,
    ),
  "calls of one id": (size) =>
    chat(
      CLAUDE,
      `"x":1`,
      `[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[${
        many(size, () => `{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}`)
      }]},${
        many(size, () => `{"role":"tool","tool_call_id":"c","content":"1"}`)
      },{"role":"user","content":"a"}]`,
    ),
  "tools": (size) =>
    chat(CLAUDE, `"tools":[${many(size, (at) => `{"type":"function","function":{"name":"f${at}"}}`)}]`),
  "a tool's name": (size) =>
    chat(CLAUDE, `"tools":[{"type":"function","function":{"name":"${"f-".repeat(size)}"}}]`),
  "a wide schema": (size) =>
    chat(
      CLAUDE,
      tool(`{"type":"object","properties":{${
        many(size, (at) => `"p${at}":{"$ref":"#/$defs/d"}`)
      }},"$defs":{"d":{"type":"string"}}}`),
    ),
  "a chain of references": (size) =>
    chat(
      CLAUDE,
      `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"$ref":"#/$defs/d0","$defs":{${
        many(size / 4, (at) =>
          `"d${at}":{"type":"object","properties":{"a":{"$ref":"#/$defs/d${at + 1}"},"b":{"$ref":"#/$defs/d${
            at + 1
          }"}}}`)
      },"d${size / 4}":{"type":"string"}}}}}`,
    ),
  "references for Gemini": (size) =>
    chat(
      "google-ai-studio/gemini-2.5-pro",
      tool(`{"$ref":"#/$defs/d0","$defs":{${
        many(size / 4, (at) =>
          `"d${at}":{"type":"object","properties":{"a":{"$ref":"#/$defs/d${at + 1}"},"b":{"$ref":"#/$defs/d${
            at + 1
          }"}}}`)
      },"d${size / 4}":{"type":"string"}}}`),
    ),
  "parameters of a data URL": (size) =>
    chat(
      CLAUDE,
      `"x":1`,
      talk(`[{"type":"image_url","image_url":{"url":"data:image/png${";a".repeat(size)};base64,AAAA"}}]`),
    ),
  "a data URL": (size) =>
    chat(
      CLAUDE,
      `"x":1`,
      talk(`[{"type":"file","file":{"file_data":"data:text/plain,${"a".repeat(8 * size)}"}}]`),
    ),
  "blanks in base64": (size) =>
    chat(
      CLAUDE,
      `"x":1`,
      talk(`[{"type":"image_url","image_url":{"url":"data:image/png;base64,${"A ".repeat(4 * size)}"}}]`),
    ),
  "blanks before a data URL": (size) =>
    chat(CLAUDE, `"x":1`, talk(`[{"type":"image_url","image_url":{"url":"${" ".repeat(8 * size)}x"}}]`)),
  "a layout of blocks": (size) =>
    chat(
      CLAUDE,
      `"x":1`,
      `[{"role":"user","content":"a"},{"role":"assistant","content":"${
        "a".repeat(size)
      }","reasoning_details":[${
        many(
          size,
          (at) =>
            `{"type":"reasoning.text","text":"a","signature":"c2ln","format":"anthropic-claude-v1","index":${at}}`,
        )
      }]},{"role":"user","content":"a"}]`,
    ),
  "equals signs": (size) =>
    chat(
      "google-ai-studio/gemini-2.5-pro",
      `"x":1`,
      `[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c__sig_${
        "=".repeat(8 * size)
      }x","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"}]`,
    ),
};

Deno.test("chat() takes time in step with the body, for each parser's worst", async () => {
  for (const [name, body] of Object.entries(BODIES)) {
    const { fetch } = before(({ url }) => url.includes("anthropic") ? message() : completion());
    await assertLinear(name, name.startsWith("a list") ? 40_000 : 4000, async (size) => {
      const response = await fetch(post(CHAT, body(size)));
      const text = await response.text();
      // The error does not repeat the request at length.
      assert(text.length < 5000, `${name}: ${text.length} characters`);
      assert(
        response.status < 500 || response.status === 502,
        `${name}: ${response.status} ${text.slice(0, 200)}`,
      );
    });
  }
});

/** The worst that requests of the other formats may hold. */
const OTHER_BODIES: Record<string, [path: string, body: (size: number) => string]> = {
  "Messages: results of one call": [
    "/v1/messages",
    (size) =>
      `{"model":"cohere/c","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[${
        many(size, () => `{"type":"tool_use","id":"t","name":"f","input":{}}`)
      }]},{"role":"user","content":[${
        many(size, () => `{"type":"tool_result","tool_use_id":"t","content":"1"}`)
      }]}]}`,
  ],
  "Messages: thoughts of others": [
    "/v1/messages",
    (size) =>
      `{"model":"${CLAUDE}","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[${
        many(size, () => `{"type":"thinking","thinking":"a","signature":"slc1.x"}`)
      },{"type":"text","text":"b"}]},{"role":"user","content":"c"}]}`,
  ],
  "Messages: tools that are loaded later": [
    "/v1/messages",
    (size) =>
      `{"model":"cohere/c","max_tokens":9,"tools":[${
        many(size, (at) => `{"name":"f${at}","input_schema":{"type":"object"},"defer_loading":true}`)
      }],"messages":${HI}}`,
  ],
  "Responses: turns of the assistant alone": [
    "/v1/responses",
    (size) =>
      `{"model":"${CLAUDE}","input":[{"role":"user","content":"a"},${
        many(size, () => `{"type":"reasoning","summary":[{"text":"a"}]},{"role":"assistant","content":"b"}`)
      },{"role":"user","content":"c"}]}`,
  ],
  "Responses: calls that wait, with texts between": [
    "/v1/responses",
    (size) =>
      `{"model":"${CLAUDE}","input":[{"role":"user","content":"a"},${
        many(
          size,
          (at) =>
            `{"type":"function_call","call_id":"c${at}","name":"f","arguments":"{}"},{"role":"assistant","content":"b"}`,
        )
      },${many(size, (at) => `{"type":"function_call_output","call_id":"c${at}","output":"1"}`)}]}`,
  ],
  "Responses: sources": [
    "/v1/responses",
    (size) =>
      `{"model":"${CLAUDE}","input":[{"role":"user","content":"a"},${
        many(
          size,
          () =>
            `{"role":"assistant","content":[{"type":"output_text","text":"b","annotations":[{"type":"url_citation","url":"u","start_index":0,"end_index":1}]}]}`,
        )
      },{"role":"user","content":"c"}]}`,
  ],
  "Responses: namespaces": [
    "/v1/responses",
    (size) =>
      `{"model":"cohere/c","input":"a","tools":[${
        many(
          size / 4,
          (at) => `{"type":"namespace","name":"n${at}","tools":[{"type":"function","name":"f"}]}`,
        )
      }]}`,
  ],
  "Responses: tools that items add": [
    "/v1/responses/input_tokens",
    (size) =>
      `{"model":"cohere/c","input":[${
        many(size, (at) => `{"type":"additional_tools","tools":[{"type":"function","name":"f${at}"}]}`)
      },{"role":"user","content":"c"}]}`,
  ],
};

Deno.test("Messages and Responses take time in step with the body, for each parser's worst", async () => {
  for (const [name, [path, body]] of Object.entries(OTHER_BODIES)) {
    const { fetch } = before(({ url }) => url.includes("anthropic") ? message() : refusal(400));
    await assertLinear(name, name.endsWith("sources") ? 2000 : 1000, async (size) => {
      const response = await fetch(post(`http://gateway.test${path}`, body(size)));
      const text = await response.text();
      assert(response.status < 500, `${name}: ${response.status} ${text.slice(0, 200)}`);
    });
  }
});

Deno.test("headers, queries and paths take time in step with their length", async () => {
  const { fetch } = before(() => completion(), { tokens: ["t"], tokenRequired: false });
  const body = { model: "openai/m", messages };
  const requests: Record<string, (size: number) => Request> = {
    "a list of fallbacks": (size) =>
      post(CHAT, body, { "sluice-fallback": many(size, (at) => `openai/${at}`) }),
    "a content type": (size) => post(CHAT, body, { "content-type": `application/${"+".repeat(size)}` }),
    "cookies": (size) => post(CHAT, body, { cookie: "a=b; ".repeat(size) }),
    "a connection header": (size) => post(CHAT, body, { connection: many(size, (at) => `h${at}`) }),
    "a credential": (size) =>
      post(CHAT, body, { authorization: `Basic ${" ".repeat(size)}a b${",".repeat(size)}` }),
    "an alias": (size) =>
      post(CHAT, body, { "cf-aig-byok-alias": "a".repeat(size), authorization: "Bearer t" }),
    "a number": (size) => post(CHAT, body, { "cf-aig-request-timeout": `1${" ".repeat(size)}x` }),
    "a query": (size) => post(`${ROOT}/openai/x?${"key=a&".repeat(size)}`, body),
    "a query of nothing": (size) => post(`${ROOT}/openai/x?${"&".repeat(size)}`, body),
    "segments": (size) => post(`${ROOT}/openai${"/a".repeat(size)}`, body),
    "models in a path": (size) => post(`${ROOT}/google-ai-studio/v1beta${"/models/".repeat(size)}`, body),
    "encoded slashes": (size) => post(`${ROOT}/openai/${"%2f".repeat(size)}`, body),
    "a path of no door": (size) => post(`http://gateway.test/${"v1/".repeat(size)}`, body),
    "a gateway's id": (size) => post(`http://gateway.test/v1/a/${"%20".repeat(size)}/compat/x`, body),
  };
  for (const [name, make] of Object.entries(requests)) {
    await assertLinear(name, 8000, async (size) => {
      const response = await fetch(make(size));
      const text = await response.text();
      assert(
        text.length < 5000 && response.status !== 500,
        `${name}: ${response.status} ${text.slice(0, 300)}`,
      );
    });
  }
});

Deno.test("universal() takes time in step with its steps, headers, endpoints and keys", async () => {
  const { fetch } = before(() => completion());
  const step = (more: string) => `[{"provider":"openai","endpoint":"x","query":{},${more}}]`;
  const bodies: Record<string, (size: number) => string> = {
    "headers": (size) => step(`"headers":{${many(size, (at) => `"h${at}":"1"`)}}`),
    "a header's name": (size) => step(`"headers":{"${"h".repeat(size)} ":"1"}`),
    "a header's value": (size) => step(`"headers":{"h":[${many(size, () => "[1]")}]}`),
    "steps": (size) => `[${many(size, () => `{"provider":"openai","endpoint":"x","query":{}}`)}]`,
    "an endpoint": (size) => step("0").replace(`"x"`, `"${"&".repeat(8 * size)}"`).replace(",0", ""),
    "a provider": (size) => step("0").replace("openai", "p".repeat(8 * size)).replace(",0", ""),
    "a compat endpoint": (size) =>
      step("0").replace("openai", "compat").replace(`"x"`, `"${"v1/".repeat(size)}"`).replace(",0", ""),
    "keys of a step": (size) => step(many(size, (at) => `"k${at}":1`)),
    "keys of a query": (size) =>
      step(`"a":1`).replace(`"query":{}`, `"query":{${many(size, (at) => `"k${at}":1`)}}`),
    "a model": (size) => step(`"a":1`).replace(`"query":{}`, `"query":{"model":"${"m".repeat(8 * size)}"}`),
  };
  for (const [name, body] of Object.entries(bodies)) {
    await assertLinear(name, 8000, async (size) => {
      const response = await fetch(post(ROOT, body(size)));
      const text = await response.text();
      assert(
        text.length < 5000 && response.status !== 500,
        `${name}: ${response.status} ${text.slice(0, 300)}`,
      );
    });
  }
});

Deno.test("a universal step may have 500 headers of 64 Ki characters, and no more", async () => {
  const { fetch, sent } = before(() => completion());
  const step = (count: number, more = {}) => ({
    provider: "openai",
    endpoint: "x",
    headers: { ...Object.fromEntries(Array.from({ length: count }, (_, at) => [`h${at}`, "1"])), ...more },
    query: {},
  });
  const long = (length: number) =>
    fetch(post(ROOT, step(0, { "x-long": "x".repeat(length - "x-long".length) })));
  assertEquals([(await long(64 * 1024)).status, sent.pop() !== undefined], [200, true]);
  const longer = await long(64 * 1024 + 1);
  assertEquals([longer.status, sent.length], [431, 0]);
  assertStringIncludes((await longer.json()).message, "hold 65537 characters; send at most 65536");
  assertEquals((await fetch(post(ROOT, step(500)))).status, 200);
  const response = await fetch(post(ROOT, step(501)));
  const { message, param } = await response.json();
  assertEquals([response.status, param, sent.length], [431, "[0].headers", 1]);
  assertStringIncludes(message, "are 501; send at most 500");
});

Deno.test("a body of more than 10,000 fields is 400 where it is read field by field", async () => {
  const pad = `"pad":"${"x".repeat(300_000)}"`;
  const { fetch, sent } = before(() => completion());
  const body = (count: number) => chat("openai/m", `${pad},${many(count - 3, (at) => `"k${at}":1`)}`);
  assertEquals((await fetch(post(CHAT, body(10_000)))).status, 200);
  const response = await fetch(post(CHAT, body(10_001)));
  assertEquals([response.status, sent.length], [400, 1]);
  assertStringIncludes((await response.json()).error.message, "more than 10000 fields");
});

Deno.test("the requests for several models are written one at a time, when their turn comes", async () => {
  const models = Array.from({ length: 20 }, (_, at) => `anthropic/m${at}`);
  const parts = Array.from({ length: 1000 }, () => ({ type: "text", text: "a" }));
  // A fault that is due to a later target is thrown when its turn comes.
  const late = [...models.slice(0, 2), "google-ai-studio/a//b", "openai/m"];
  const { fetch, sent } = before(({ url }) => url.includes("anthropic") ? refusal(500) : completion());
  const response = await fetch(post(CHAT, { models: late, messages: [{ role: "user", content: parts }] }));
  assertEquals([response.status, response.headers.get("cf-aig-step"), sent.length], [200, "3", 3]);
  await response.body?.cancel();
  // A fault of the request, or of a model's name, is thrown before anything is sent.
  for (
    const body of [
      { models, messages: [] },
      { models: [...models, "openai/m"], messages },
      { models: [...models.slice(1), "nobody/m"], messages },
      { models: [...models.slice(1), `openai/${"m".repeat(257)}`], messages },
    ]
  ) {
    assertEquals((await fetch(post(CHAT, body))).status, 400);
  }
  assertEquals(sent.length, 3);
  await assertLinear("twenty models", 800, async (size) => {
    const content = parts.slice(0, 8).flatMap((part) => Array(size / 8).fill(part));
    await (await fetch(post(CHAT, { models, messages: [{ role: "user", content }] }))).text();
  });
});

Deno.test("citations take time and memory in step with the answer, wherever they say they stand", async () => {
  await assertLinear("citations", 1000, (size) => {
    const text = "é".repeat(size * 10);
    const starts = Array.from({ length: size }, (_, at) => at * 10);
    const groundingSupports = starts.map((_, at) => ({
      segment: { partIndex: at, startIndex: 0, endIndex: 4, text: "not there" },
      groundingChunkIndices: [0],
    }));
    let count = 0;
    readCitations(
      { text, starts, grounding: { groundingChunks: [{ web: { uri: "u" } }], groundingSupports } },
      ({ start, end }) => {
        assertEquals([start, end], [starts[count], starts[count] + 2]);
        count++;
      },
    );
    assertEquals(count, size);
  });
});

Deno.test("a stream without a line end takes time in step with its bytes", async () => {
  for (const model of WIRES.slice(1)) {
    const { fetch } = before(({ body }) => {
      const size = JSON.parse(body).size ?? 1000;
      return events(...Array(size).fill("data: x"));
    });
    await assertLinear(model, 2000, async (size) => {
      const response = await fetch(post(CHAT, { model, messages, stream: true, size }));
      await response.text();
    });
  }
});

Deno.test("the options of many tokens are read in linear time", () =>
  assertLinear("tokens", 2000, (size) => {
    const tokens = Array.from({ length: size }, (_, at) => ({
      token: `token-number-${at}`,
      name: `team ${at}`,
      limits: { rpm: 60 },
    }));
    createGateway({ tokens });
  }));
