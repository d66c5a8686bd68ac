import { assert, assertEquals } from "@std/assert";
import { createGateway } from "../../gateway/gateway.ts";
import { chatOf } from "./chat_of.ts";
import { PROVIDERS } from "../../providers/table.ts";
import { before, post, type Sent } from "../fakes.ts";

const KEY = "key-1234567890";
const ACCOUNT = "0123456789abcdef";

/** Sends one chat request through a fresh gateway and a fake provider. */
async function call(
  body: string,
  answer: () => Response = () => Response.json({}),
  headers: Record<string, string> = { authorization: `Bearer ${KEY}` },
): Promise<{ seen: Sent; response: Response }> {
  const { fetch, sent } = before(answer, { providers: { vertex: { project: "my-project" } } });
  const response = await fetch(
    post(`http://gateway.test/v1/${ACCOUNT}/default/compat/chat/completions`, body, headers),
  );
  assert(sent.length > 0, `nothing was sent: ${response.status} ${await response.clone().text()}`);
  return { seen: sent[0], response };
}

const ask = (model: string, more = "") =>
  `{"model":${JSON.stringify(placed(model))},"messages":[{"role":"user","content":"hi"}]${more}}`;

/** Azure's models name their resource, Amazon's their region, and Google Cloud's their publisher. */
const placed = (model: string) =>
  model.replace(/^(azure(?:[-_](?:openai|ai))?)\//, "$1/res/").replace(
    /^((?:aws-|amazon-)?bedrock)\//,
    "$1/us-east-1/",
  ).replace(/^((?:google-)?vertex[a-z_-]*)\//, "$1/google/");

/** Rows with chat completions that are reached over the network. */
const REMOTE = [...PROVIDERS.values()].filter(({ fetch, chat }) => !fetch && chat !== false);
const SAME = REMOTE.filter((provider) => chatOf(provider));

Deno.test("every row is reached at one URL, by its name and its aliases", async () => {
  for (const provider of REMOTE) {
    const urls = new Set<string>();
    for (const name of [provider.name, ...provider.aliases ?? []]) {
      urls.add((await call(ask(`${name}/some-model`))).seen.url);
    }
    assertEquals(urls.size, 1, provider.name);
  }
});

Deno.test("every row gets the key in its own header, once, and never in the URL", async () => {
  for (const provider of REMOTE) {
    const { seen } = await call(ask(`${provider.name}/some-model`));
    const { header, prefix } = provider.auth;
    assertEquals(seen.headers.get(header), prefix + KEY, provider.name);
    const holders = [...seen.headers].filter(([, value]) => value.includes(KEY));
    assertEquals(holders.map(([name]) => name), [header], provider.name);
    assert(!seen.url.includes(KEY) && !seen.body.includes(KEY), provider.name);
  }
});

Deno.test("every row gets its own headers, unless the client set them", async () => {
  const rows = REMOTE.filter(({ headers }) => headers);
  assert(rows.length > 0);
  for (const { name, headers } of rows) {
    for (const [header, value] of Object.entries(headers!)) {
      assertEquals((await call(ask(`${name}/m`))).seen.headers.get(header), value, name);
      const own = { authorization: `Bearer ${KEY}`, [header]: "of-the-client" };
      assertEquals((await call(ask(`${name}/m`), undefined, own)).seen.headers.get(header), "of-the-client");
    }
  }
});

Deno.test("every row passes its own 401 on when there is no key", async () => {
  for (const provider of REMOTE) {
    // The body has the error shapes of OpenAI, Anthropic, Google and Cohere at once.
    const error = { message: "no key", type: "authentication_error", code: 401, status: "UNAUTHENTICATED" };
    const refusal = { type: "error", message: "no key", error };
    const { seen, response } = await call(
      ask(`${provider.name}/some-model`),
      () => Response.json(refusal, { status: 401 }),
      {},
    );
    assertEquals(seen.headers.get(provider.auth.header), null, provider.name);
    assertEquals(response.status, 401, provider.name);
    assertEquals((await response.json()).error.message, "no key", provider.name);
  }
});

Deno.test("rows of the client's wire get the body with nothing but the model changed", async () => {
  // Unusual on purpose: spaces, escapes, a number with zeros at its end and an unknown field must all survive.
  const rest =
    `, "messages" : [{"role":"user","content":"h\\u00e9 \\/ 👋"}],\n "x_field": {"a":[1.50, 2e3]} ,"temperature":0.70}`;
  for (const provider of SAME) {
    for (
      const model of ["a", "org/model", "accounts/x/models/y:free", "@cf/meta/llama-3.1-8b", "m@2026-01-01"]
    ) {
      const { seen } = await call(`{"model" : ${JSON.stringify(placed(`${provider.name}/${model}`))}${rest}`);
      assertEquals(seen.body, `{"model" : ${JSON.stringify(model)}${rest}`, provider.name);
    }
  }
});

Deno.test("rows that know a setting by an older name send it once, though the client sent both", async () => {
  const renames: [row: string, from: string, to: string][] = [
    ["together", "max_completion_tokens", "max_tokens"],
    ["deepseek", "max_completion_tokens", "max_tokens"],
    ["mistral", "max_completion_tokens", "max_tokens"],
    ["mistral", "seed", "random_seed"],
  ];
  for (const [row, from, to] of renames) {
    const { seen } = await call(ask(`${row}/m`, `,"${to}":1,"${from}":7,"n":1`));
    assertEquals(seen.body.split(`"${to}"`).length, 2, row);
    assertEquals(JSON.parse(seen.body)[to], 7, row);
  }
});

Deno.test("rows of the client's wire without conform hand the answer's bytes through, whole and streamed", async () => {
  const whole =
    `{"id": "x", "choices": [{"index":0, "message": {"role":"assistant","content":"é 👋"}}] , "vendor":1.0}\n`;
  const events = `: hello\r\n\r\ndata: {"choices":[]}\r\rdata:{"odd" : 1.0}\n\ndata: [DONE]\n\n`;
  for (const provider of SAME.filter((row) => chatOf(row)!.conform !== true)) {
    const json = {
      "content-type": "application/json; charset=utf-8",
      "x-request-id": "r1",
      "x-ratelimit-limit": "9",
    };
    const { response } = await call(ask(`${provider.name}/m`), () => new Response(whole, { headers: json }));
    assertEquals(await response.text(), whole, provider.name);
    assertEquals(response.headers.get("x-request-id"), "r1", provider.name);
    assertEquals(response.headers.get("x-ratelimit-limit"), "9", provider.name);
    const streamed = await call(
      ask(`${provider.name}/m`, `,"stream":true`),
      () => new Response(events, { headers: { "content-type": "text/event-stream" } }),
    );
    assertEquals(await streamed.response.text(), events, provider.name);
  }
});

/** Error bodies in the forms of the providers of the client's wire, with texts of our own. */
const ERRORS: {
  row: string;
  status: number;
  body: unknown;
  message: string;
  code?: unknown;
  param?: string;
}[] = [
  {
    row: "grok",
    status: 400,
    body: { code: "Client specified an invalid argument", error: "Incorrect key: abc" },
    message: "Incorrect key: abc",
  },
  { row: "mistral", status: 401, body: { detail: "Unauthorized" }, message: "Unauthorized" },
  {
    row: "mistral",
    status: 400,
    body: { object: "error", message: "Bad top_k", type: "invalid_request", param: "top_k", code: "3051" },
    message: "Bad top_k",
    code: "3051",
    param: "top_k",
  },
  {
    row: "mistral",
    status: 422,
    body: { detail: [{ type: "missing", loc: ["body", "messages"], msg: "Field required", input: {} }] },
    message: "Field required",
    param: "messages",
  },
  {
    row: "cerebras",
    status: 404,
    body: { message: "No such model", type: "not_found_error", param: "model", code: "model_not_found" },
    message: "No such model",
    code: "model_not_found",
    param: "model",
  },
  {
    row: "openrouter",
    status: 402,
    body: { error: { message: "Insufficient credits", code: 402 } },
    message: "Insufficient credits",
    code: 402,
  },
  {
    row: "deepseek",
    status: 400,
    body: {
      error: { message: "maximum context length is 9 tokens", type: "invalid_request_error", code: "x" },
    },
    message: "maximum context length is 9 tokens",
  },
];

Deno.test("rows of the client's wire tell errors of every dialect in OpenAI's shape", async () => {
  for (const { row, status, body, message, code, param } of ERRORS) {
    const answer = () => Response.json(body, { status, headers: { "retry-after": "7" } });
    const { response } = await call(ask(`${row}/m`), answer);
    assertEquals(response.status, status, row);
    assertEquals(response.headers.get("retry-after"), "7", row);
    const { error } = await response.json();
    assertEquals(error.message, message, row);
    if (code !== undefined) assertEquals(error.code, code, row);
    if (param !== undefined) assertEquals(error.param, param, row);
  }
});

Deno.test("rows read an error in JSON with any content type, and an HTML page as a bad answer", async () => {
  const body = JSON.stringify({
    error: { message: "too long", type: "invalid_request_error", param: null, code: null },
  });
  const octets = await call(
    ask("deepseek/m"),
    () => new Response(body, { status: 400, headers: { "content-type": "application/octet-stream" } }),
  );
  assertEquals((await octets.response.json()).error.message, "too long");
  const page = await call(
    ask("groq/m"),
    () => new Response("<html>502</html>", { status: 502, headers: { "content-type": "text/html" } }),
  );
  assertEquals(page.response.status, 502);
  assertEquals((await page.response.json()).error.code, "2005");
});

Deno.test("workers-ai takes a bare @cf/ model, and needs an account in the URL", async () => {
  const { seen } = await call(ask("@cf/meta/llama-3.1-8b-instruct"));
  assertEquals(JSON.parse(seen.body).model, "@cf/meta/llama-3.1-8b-instruct");
  assert(seen.url.includes(`/accounts/${ACCOUNT}/ai/v1/`), seen.url);
  const gateway = createGateway({ fetch: () => Promise.reject(new Error("nothing may be sent")) });
  const response = await gateway.fetch(
    new Request("http://gateway.test/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: ask("workers-ai/@cf/x"),
    }),
  );
  assertEquals(response.status, 400);
});
