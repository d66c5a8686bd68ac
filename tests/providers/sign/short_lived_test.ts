/** Credentials that end: read before they are sent, so that one of no use costs no request. */
import { assert, assertEquals } from "@std/assert";
import { getToken } from "npm:@aws/bedrock-token-generator@1.1.0";
import type { Options } from "../../../gateway/setup/options.ts";
import { jwtEnd, readBedrockKey } from "../../../providers/sign/short_lived.ts";
import { before, clock, completion, post } from "../../fakes.ts";

const CHAT = "http://gateway.test/v1/chat/completions";
const TOKEN = "token-of-the-gateway";
const messages = [{ role: "user", content: "Hi" }];
const PAIR = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

/** Amazon's own short-lived key, made now. */
const keyOf = (region: string, seconds = 3600) =>
  getToken({ credentials: PAIR, region, expiresInSeconds: seconds });

const base64url = (text: string) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const jwt = (claims: object) =>
  `${base64url('{"alg":"RS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}.c2ln`;

async function told(response: Response): Promise<[number, string]> {
  const body = await response.json();
  return [response.status, body.error?.message ?? ""];
}

Deno.test("readBedrockKey() reads region and end of the keys that Amazon's own generator makes", async () => {
  const before = Date.now();
  const { region, endsAt } = readBedrockKey(await keyOf("eu-west-1"))!;
  assertEquals(region, "eu-west-1");
  assert(endsAt! >= before - 1000 + 3_600_000 && endsAt! <= Date.now() + 3_600_000, `${endsAt}`);
});

Deno.test("readBedrockKey() knows no other key, and nothing that a key does not tell", () => {
  for (
    const key of ["ABSKQmVkcm9jaw==", "bedrock-api-key-", "bedrock-api-key-%%%", "bedrock-api-key-a", "x"]
  ) {
    assertEquals(readBedrockKey(key), undefined, key);
  }
  const made = (text: string) => readBedrockKey(`bedrock-api-key-${btoa(text)}`);
  assertEquals(made("no query"), { region: undefined, endsAt: undefined });
  assertEquals(made("h/?X-Amz-Date=20260101T000000Z"), { region: undefined, endsAt: undefined });
  assertEquals(made("h/?X-Amz-Date=20260101T000010Z&X-Amz-Expires=60"), {
    region: undefined,
    endsAt: Date.UTC(2026, 0, 1, 0, 1, 10),
  });
});

Deno.test("jwtEnd() reads the end of a token that is a JWT, and none of anything else", () => {
  assertEquals(jwtEnd(jwt({ exp: 1000 })), 1_000_000);
  const endless = `eyJhbGciOiJub25lIn0.${base64url('{"exp":1e999}')}.`;
  for (
    const text of [jwt({}), jwt({ exp: "1000" }), endless, "eyJhbGciOiJub25lIn0.!!.", "ya29.token", "eyJ", ""]
  ) {
    assertEquals(jwtEnd(text), undefined, text);
  }
});

Deno.test("a short-lived key of Bedrock tells the region of a model that names none, and the option wins", async () => {
  const key = await keyOf("ap-southeast-2");
  const { options: time } = clock(Date.now());
  const to = async (options: Options, model = "bedrock/m") => {
    const { fetch, sent } = before(() => completion(), { ...time, ...options });
    await (await fetch(post(CHAT, { model, messages }, { authorization: `Bearer ${key}` }))).text();
    return sent[0]?.url;
  };
  assertEquals(await to({}), "https://bedrock-runtime.ap-southeast-2.amazonaws.com/model/m/converse");
  const options = { providers: { "aws-bedrock": { region: "eu-west-1" } } };
  assertEquals(await to(options), undefined);
});

Deno.test("a key of another region is refused, with both regions and the cure, and nothing is sent", async () => {
  const key = await keyOf("us-east-1");
  const { options: time } = clock(Date.now());
  for (
    const [keys, authorization] of [[{ "aws-bedrock": key }, `Bearer ${TOKEN}`], [
      {},
      `Bearer ${key}`,
    ]] as const
  ) {
    const { fetch, sent } = before(() => completion(), {
      ...time,
      keys,
      tokens: [TOKEN],
      tokenRequired: false,
    });
    const [status, message] = await told(
      await fetch(post(CHAT, { model: "bedrock/eu-west-1/m", messages }, { authorization })),
    );
    assertEquals(status, 401);
    for (const words of ['"us-east-1"', "eu-west-1", "AWS_BEARER_TOKEN_BEDROCK"]) {
      assert(message.includes(words), message);
    }
    assert(!message.includes(key) && sent.length === 0);
  }
});

Deno.test("a credential that has ended is refused with its time and the variable, five minutes after its end", async () => {
  const end = Date.UTC(2026, 10, 24, 12);
  const old = await keyOf("us-east-1", 60);
  const ended = readBedrockKey(old)!.endsAt!;
  const cases: [name: string, model: string, key: string, endsAt: number, cure: string][] = [
    ["Bedrock", "bedrock/us-east-1/m", old, ended, "AWS_BEARER_TOKEN_BEDROCK"],
    ["Azure", "azure/res/dep", jwt({ exp: end / 1000 }), end, "AZURE_OPENAI_AD_TOKEN"],
    ["Vertex AI", "vertex/google/gemini-3.8-flash", jwt({ exp: end / 1000 }), end, "a service account"],
  ];
  for (const [name, model, key, endsAt, cure] of cases) {
    const options = { providers: { "google-vertex-ai": { project: "p" } } };
    const at = async (now: number) => {
      const { fetch, sent } = before(() => completion(), { ...options, ...clock(now).options });
      const response = await fetch(post(CHAT, { model, messages }, { authorization: `Bearer ${key}` }));
      return { told: await told(response), sent };
    };
    assertEquals((await at(endsAt + 299_000)).sent.length, 1, name);
    const { told: [status, message], sent } = await at(endsAt + 301_000);
    assertEquals([status, sent.length], [401, 0], name);
    assert(
      message.includes(`expired at ${new Date(endsAt).toISOString()}`) && message.includes(cure),
      message,
    );
    assert(!message.includes(key));
  }
});

Deno.test("a stored key that has ended rests, and another one serves the next attempt", async () => {
  const [old, fresh] = [await keyOf("us-east-1", 60), await keyOf("us-east-1", 40_000)];
  const { options: time } = clock(Date.now() + 3_600_000);
  const { fetch, sent } = before(() => completion(), {
    ...time,
    tokens: [TOKEN],
    keys: { "aws-bedrock": [old, fresh] },
  });
  const headers = { authorization: `Bearer ${TOKEN}`, "cf-aig-max-attempts": "2" };
  const body = { model: "bedrock/us-east-1/mantle/m", messages };
  for (let round = 0; round < 3; round++) {
    assertEquals((await told(await fetch(post(CHAT, body, headers))))[0], 200);
  }
  assertEquals(sent.map(({ headers }) => headers.get("authorization")), Array(3).fill(`Bearer ${fresh}`));
});
