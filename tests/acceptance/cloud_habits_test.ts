/** Names and headers that users of other gateways and SDKs write for Bedrock. */
import { assert, assertEquals } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { BedrockOpenAI } from "npm:openai@7.59.0";
import type { Options } from "../../gateway/setup/options.ts";
import { before, clock, completion, post, ROOT, type Sent } from "../fakes.ts";
import { awsError } from "./strict_converse.ts";
import { signatureFault } from "./strict_sigv4.ts";

const CHAT = "http://gateway.test/v1/chat/completions";
const TOKEN = "token-of-the-gateway";
const STORED = { accessKeyId: "AKIASTORED", secretAccessKey: "stored/secret+key" };
const messages = [{ role: "user", content: "Hi" }];
const f = { type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } };
const CONVERSED = {
  output: { message: { role: "assistant", content: [{ text: "Hi" }] } },
  stopReason: "end_turn",
};

async function told(response: Response): Promise<[number, string | undefined]> {
  const text = await response.text();
  // A native path has Cloudflare's form of an error.
  return [response.status, response.ok ? undefined : text];
}

// ---------------------------------------------------------------- mantle/

Deno.test("mantle/ before an id of Bedrock leads to the newer service, at the path of the model's maker", async () => {
  const host = (region: string) => `https://bedrock-mantle.${region}.api.aws`;
  const cases: [model: string, url: string, more?: object][] = [
    ["mantle/us-east-1/openai.gpt-oss-120b", `${host("us-east-1")}/v1/chat/completions`],
    ["us-west-2/mantle/qwen.qwen3-32b", `${host("us-west-2")}/v1/chat/completions`],
    ["us-east-1/mantle/openai.gpt-6.1-sol", `${host("us-east-1")}/openai/v1/chat/completions`],
    ["us-east-1/mantle/openai.gpt-6.1-sol", `${host("us-east-1")}/openai/v1/responses`, { tools: [f] }],
    ["us-east-1/mantle/google.gemma-4-31b", `${host("us-east-1")}/openai/v1/chat/completions`],
    ["us-east-1/mantle/xai.grok-4", `${host("us-east-1")}/openai/v1/chat/completions`],
    ["us-east-1/mantle/anthropic.claude-sonnet-5-5", `${host("us-east-1")}/anthropic/v1/messages`],
    [
      "cn-north-1/mantle/m",
      "https://bedrock-mantle.cn-north-1.api.amazonwebservices.com.cn/v1/chat/completions",
    ],
  ];
  for (const [model, url, more] of cases) {
    const { fetch, sent } = before(() => awsError(400, "ValidationException", "No."));
    await (await fetch(
      post(CHAT, { model: `bedrock/${model}`, messages, ...more }, { authorization: "Bearer k" }),
    ))
      .text();
    assertEquals(sent[0].url, url, model);
    const id = model.replace(/^(?:mantle\/|[a-z]+-[a-z]+-\d\/)+/, "");
    assertEquals(JSON.parse(String(sent[0].body)).model, id);
  }
});

Deno.test("a call of the newer service is signed for it, also in a region that only the option names", async () => {
  const { options: time } = clock();
  const options: Options = {
    ...time,
    tokens: [TOKEN],
    keys: { "aws-bedrock": STORED as never },
    providers: { "aws-bedrock": { region: "eu-west-1" } },
  };
  const { fetch, sent } = before(async ({ method, url, headers, body }: Sent) => {
    const scope = { service: "bedrock-mantle", region: "eu-west-1" };
    const fault = await signatureFault({ method, url, headers, body }, [STORED], scope, time.now());
    return fault ? awsError(403, fault.split(":")[0], fault) : completion("signed");
  }, options);
  const client = new OpenAI({
    apiKey: TOKEN,
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (input, init) => fetch(new Request(input as string, init as RequestInit)),
  });
  const { choices } = await client.chat.completions.create({
    model: "bedrock/mantle/openai.gpt-oss-120b",
    messages: [{ role: "user", content: "Hi" }],
  });
  assertEquals(choices[0].message.content, "signed");
  assertEquals(sent[0].url, "https://bedrock-mantle.eu-west-1.api.aws/v1/chat/completions");
});

Deno.test("the newer service gets a key of Bedrock as a bearer, but at Anthropic's path as x-api-key", async () => {
  for (const [id, place] of [["m", "authorization"], ["anthropic.claude-sonnet-5-5", "x-api-key"]]) {
    const { fetch, sent } = before(() => awsError(400, "ValidationException", "No."));
    const model = `bedrock/us-east-1/mantle/${id}`;
    await (await fetch(post(CHAT, { model, messages }, { authorization: "Bearer ABSKkey" }))).text();
    const { headers } = sent[0];
    const other = place === "authorization" ? "x-api-key" : "authorization";
    assert(headers.get(place)?.endsWith("ABSKkey") && headers.get(other) === null, id);
  }
});

Deno.test("OpenAI's own client for Bedrock works at the newer service's native path, signed with the stored pair", async () => {
  const { options: time } = clock();
  const { fetch, sent } = before(async ({ method, url, headers, body }: Sent) => {
    const scope = { service: "bedrock-mantle", region: "us-east-1" };
    const fault = await signatureFault({ method, url, headers, body }, [STORED], scope, time.now());
    return fault ? awsError(403, fault.split(":")[0], fault) : completion("signed");
  }, { ...time, tokens: [TOKEN], keys: { "aws-bedrock": STORED as never } });
  const client = new BedrockOpenAI({
    apiKey: TOKEN,
    baseURL: `${ROOT}/aws-bedrock/bedrock-mantle/us-east-1/openai/v1`,
    maxRetries: 0,
    fetch: (input, init) => fetch(new Request(input as string, init as RequestInit)),
  });
  const { choices } = await client.chat.completions.create({
    model: "openai.gpt-6.1-sol",
    messages: [{ role: "user", content: "Hi" }],
  });
  assertEquals(choices[0].message.content, "signed");
  assertEquals(sent[0].url, "https://bedrock-mantle.us-east-1.api.aws/openai/v1/chat/completions");
});

// ---------------------------------------------------------------- headers of Portkey's clients

const OWN = { accessKeyId: "ASIAOWN", secretAccessKey: "own/secret+key", sessionToken: "FQoGZXIvYXdzEA==" };
const SET = {
  "x-portkey-aws-access-key-id": OWN.accessKeyId,
  "x-portkey-aws-secret-access-key": OWN.secretAccessKey,
  "x-portkey-aws-session-token": OWN.sessionToken,
};
const NATIVE = `${ROOT}/aws-bedrock/bedrock-runtime/eu-west-1/model/m/converse`;

/** A gateway with a stored pair before a Bedrock that knows both pairs, in one region. */
function bedrock(region = "eu-west-1", options: Options = {}) {
  const { options: time } = clock();
  return before(async ({ method, url, headers, body }: Sent) => {
    const scope = { service: "bedrock", region };
    const fault = await signatureFault({ method, url, headers, body }, [OWN, STORED], scope, time.now());
    return fault ? awsError(403, fault.split(":")[0], fault) : Response.json(CONVERSED);
  }, { ...time, tokens: [TOKEN], keys: { "aws-bedrock": STORED as never }, ...options });
}

Deno.test("a client's set of Amazon's keys may come as Portkey's headers, on chat and native paths, with or without a token", async () => {
  for (const [url, body] of [[CHAT, { model: "bedrock/eu-west-1/m", messages }], [NATIVE, {}]] as const) {
    for (const isOpen of [true, false]) {
      const options = isOpen ? { tokens: undefined, keys: undefined } : {};
      const headers = isOpen ? SET : { ...SET, authorization: `Bearer ${TOKEN}` };
      const { fetch, sent } = bedrock("eu-west-1", options);
      assertEquals(await told(await fetch(post(url, body, headers))), [200, undefined]);
      const [{ headers: got }] = sent;
      assert(got.get("authorization")!.includes(OWN.accessKeyId));
      assertEquals(got.get("x-amz-security-token"), OWN.sessionToken);
      const all = JSON.stringify([...got]);
      assert(!all.includes("x-portkey-aws") && !all.includes(OWN.secretAccessKey), all);
    }
  }
});

Deno.test("x-portkey-aws-region is the region of a model that names none, and wins over the operator's", async () => {
  const providers = { "aws-bedrock": { region: "eu-west-1" } };
  const headers = { ...SET, authorization: `Bearer ${TOKEN}`, "x-portkey-aws-region": "us-west-2" };
  const { fetch, sent } = bedrock("us-west-2", { providers });
  assertEquals(await told(await fetch(post(CHAT, { model: "bedrock/m", messages }, headers))), [
    200,
    undefined,
  ]);
  assertEquals(new URL(sent[0].url).host, "bedrock-runtime.us-west-2.amazonaws.com");
  const named = bedrock("ap-south-1", { providers });
  const model = "bedrock/ap-south-1/m";
  assertEquals(await told(await named.fetch(post(CHAT, { model, messages }, headers))), [200, undefined]);
});

Deno.test("a part of a set in Portkey's headers is refused, names the missing header, and is never completed", async () => {
  for (const [url, body] of [[CHAT, { model: "bedrock/eu-west-1/m", messages }], [NATIVE, {}]] as const) {
    for (const missing of ["x-portkey-aws-access-key-id", "x-portkey-aws-secret-access-key"]) {
      const { [missing as keyof typeof SET]: _, ...part } = SET;
      const { fetch, sent } = bedrock();
      const [status, message] = await told(
        await fetch(post(url, body, { ...part, authorization: `Bearer ${TOKEN}` })),
      );
      assert(status === 400 && message!.includes(`without ${missing}`), message);
      assert(!message!.includes("own/") && !message!.includes("ASIAOWN"));
      assertEquals(sent.length, 0);
    }
    // Alone, a session token is no credential: the stored pair signs without it.
    const { fetch, sent } = bedrock();
    const rest = { "x-portkey-aws-session-token": "t", authorization: `Bearer ${TOKEN}` };
    assertEquals(await told(await fetch(post(url, body, rest))), [200, undefined]);
    assert(!JSON.stringify([...sent[0].headers]).includes("x-portkey-aws"));
    assertEquals(sent[0].headers.get("x-amz-security-token"), null);
  }
});

Deno.test("Portkey's headers with Amazon's keys go to no other provider that stands in", async () => {
  const { fetch, sent } = before(
    ({ url }) =>
      url.includes("amazonaws") ? awsError(503, "ServiceUnavailableException", "No.") : completion(),
    {
      models: { mine: ["bedrock/eu-west-1/m", "openai/gpt-4o-mini"] },
      keys: { openai: "sk-stored" },
      tokens: [TOKEN],
    },
  );
  const headers = { ...SET, authorization: `Bearer ${TOKEN}` };
  assertEquals((await told(await fetch(post(CHAT, { model: "mine", messages }, headers))))[0], 200);
  const second = JSON.stringify([...sent[1].headers]);
  assert(
    sent[1].url.includes("openai") && !second.includes("x-portkey-aws") && !second.includes("own/"),
    second,
  );
});

// ---------------------------------------------------------------- the region of a key

Deno.test("a stored set may name its region, as Cloudflare's sets do: it serves models that name none", async () => {
  const keys = { "aws-bedrock": { ...STORED, region: "us-west-2" } as never };
  const auth = { authorization: `Bearer ${TOKEN}` };
  const { fetch } = bedrock("us-west-2", { keys });
  assertEquals(await told(await fetch(post(CHAT, { model: "bedrock/m", messages }, auth))), [200, undefined]);
  const odd = bedrock("us-west-2", {
    keys: { "aws-bedrock": { ...STORED, region: "evil.test/x" } as never },
  });
  const [status, message] = await told(await odd.fetch(post(CHAT, { model: "bedrock/m", messages }, auth)));
  assert(status === 400 && message!.includes("evil.test/x") && message!.includes("is not a region"), message);
  assertEquals(odd.sent.length, 0);
});
