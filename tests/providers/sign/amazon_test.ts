/** Signature Version 4: Amazon's vectors, Amazon's own signer, and a Bedrock that checks what has arrived. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Sha256 } from "npm:@aws-crypto/sha256-js@5.2.0";
import { SignatureV4 } from "npm:@smithy/signature-v4@5.7.5";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { readEnv } from "../../../gateway/setup/env.ts";
import { signature } from "../../../providers/sign/amazon.ts";
import { awsError } from "../../acceptance/strict_converse.ts";
import { type Pair, signatureFault } from "../../acceptance/strict_sigv4.ts";
import { random } from "../../mutate.ts";
import { SIGNATURES } from "./signatures.ts";
import { before, clock, nothing, post, ROOT, type Sent } from "../../fakes.ts";

Deno.test("signature() gives the signatures of Amazon's test suite", async () => {
  for (const { name, authorization, sign } of SIGNATURES) assertEquals(await sign(), authorization, name);
});

const REGIONS = ["us-east-1", "eu-central-1", "us-gov-west-1", "ap-southeast-2"];
const IDS = [
  "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/ab12",
  "a b+c%d!'()*~é世/../x",
];

Deno.test("signature() is that of Amazon's own signer for any id, body and time", async () => {
  const pick = random(20261129);
  const text = (most: number) =>
    Array.from({ length: pick(most) }, () => String.fromCodePoint(32 + pick(1 << pick(17)) % 0xd000)).join(
      "",
    );
  for (let round = 0; round < 60; round++) {
    const pair: Pair = {
      accessKeyId: `AKIA${pick(1e9)}`,
      secretAccessKey: `${pick(1e9)}/+${pick(1e9)}`,
      ...(pick(2) === 0 && { sessionToken: btoa(`token ${pick(1e9)}`) }),
    };
    const region = REGIONS[pick(REGIONS.length)];
    const id = pick(2) === 0 ? IDS[pick(IDS.length)] : text(40) || "x";
    const url = `https://bedrock-runtime.${region}.amazonaws.com/model/${encodeURIComponent(id)}/converse`;
    const body = JSON.stringify({ text: text(500) });
    const now = Date.UTC(2026, pick(12), 1 + pick(28), pick(24), pick(60), pick(60));
    const ours = await signature(
      { method: "POST", url, body },
      { ...pair },
      { service: "bedrock", region },
      now,
    );
    const { hostname, pathname } = new URL(url);
    const signer = new SignatureV4({
      service: "bedrock",
      region,
      credentials: pair,
      sha256: Sha256,
      applyChecksum: false,
    });
    const request = {
      method: "POST",
      protocol: "https:",
      hostname,
      path: pathname,
      query: {},
      headers: { host: hostname },
      body,
    };
    const { headers: theirs } = await signer.sign(request, { signingDate: new Date(now) });
    assertEquals(ours.get("authorization"), theirs.authorization, url);
    assertEquals(ours.get("x-amz-security-token") ?? undefined, theirs["x-amz-security-token"]);
    const arrived = { method: "POST", url, headers: ours, body };
    assertEquals(await signatureFault(arrived, [pair], { service: "bedrock", region }, now), undefined);
  }
});

// ---------------------------------------------------------------- through the gateway

const PAIR = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const TEMPORARY = {
  accessKeyId: "ASIA1234567890",
  secretAccessKey: "another/secret+of+forty",
  sessionToken: "FQoGZXIvYXdzEA==",
};
const TOKEN = "token-of-the-gateway";
const MODEL = "aws-bedrock/eu-west-1/arn:aws:bedrock:eu-west-1:000000000000:inference-profile/us.m";
const BODY = { model: MODEL, messages: [{ role: "user", content: "Grüße 世界" }] };
const CHAT = "http://gateway.test/v1/chat/completions";
const ANSWER = {
  output: { message: { role: "assistant", content: [{ text: "Hi" }] } },
  stopReason: "end_turn",
};

/** A gateway before a Bedrock that knows these pairs, and refuses what it has to. */
function bedrock(pairs: readonly Pair[], options: Options = {}, answer?: (at: number) => Response) {
  const { options: time } = clock();
  const check = async ({ method, url, headers, body }: Sent) =>
    await signatureFault(
      { method, url, headers, body },
      pairs,
      { service: "bedrock", region: "eu-west-1" },
      time.now(),
    );
  return before(async (sent, at) => {
    const fault = await check(sent);
    if (fault) return awsError(403, fault.split(":")[0], fault);
    return answer?.(at) ?? Response.json(ANSWER);
  }, { ...time, ...options });
}

const withToken = (more: Record<string, string> = {}) => ({ authorization: `Bearer ${TOKEN}`, ...more });
const stored = (keys: unknown): Options => ({ tokens: [TOKEN], keys: { "aws-bedrock": keys as never } });

async function told(response: Response): Promise<[number, string | undefined]> {
  const body = await response.json();
  return [response.status, body.error?.message];
}

Deno.test("a stored pair signs what is sent to Bedrock: the written body, host and x-amz-* headers alone", async () => {
  const noise = { "x-forwarded-for": "1.2.3.4", "user-agent": "x", "x-mine": "1", traceparent: "00-1-2-03" };
  for (const pair of [PAIR, TEMPORARY]) {
    for (
      const keys of [pair, JSON.stringify(pair), [JSON.stringify(pair)], { default: JSON.stringify(pair) }]
    ) {
      const { fetch, sent } = bedrock([pair], stored(keys));
      assertEquals(await told(await fetch(post(CHAT, BODY, withToken(noise)))), [200, undefined]);
      const [{ url, headers }] = sent;
      const id = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A000000000000%3Ainference-profile%2Fus.m";
      assertEquals(url, `https://bedrock-runtime.eu-west-1.amazonaws.com/model/${id}/converse`);
      assertEquals([headers.get("x-mine"), headers.get("x-forwarded-for")], ["1", null]);
    }
  }
});

Deno.test("each attempt is signed anew, with its own time and key", async () => {
  const time = clock();
  const keys = [JSON.stringify(PAIR), JSON.stringify(TEMPORARY)];
  const { fetch, sent } = bedrock([PAIR, TEMPORARY], { ...stored(keys), ...time.options }, (at) => {
    return at === 0 ? awsError(503, "ServiceUnavailableException", "Busy.") : Response.json(ANSWER);
  });
  const headers = withToken({ "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "2000" });
  assertEquals(await told(await fetch(post(CHAT, BODY, headers))), [200, undefined]);
  const [first, second] = sent.map(({ headers }) => headers);
  assert(first.get("x-amz-date") !== second.get("x-amz-date"));
  assert(first.get("authorization")!.includes(PAIR.accessKeyId));
  assert(second.get("authorization")!.includes(TEMPORARY.accessKeyId));
  assertEquals([first.get("x-amz-security-token"), second.get("x-amz-security-token")], [
    null,
    TEMPORARY.sessionToken,
  ]);
});

Deno.test("a stored pair never stands beside a client's session token or signature", async () => {
  const { fetch, sent } = bedrock([PAIR], stored(PAIR));
  const strange = {
    "x-amz-security-token": "of-the-client",
    "x-amz-date": "20200101T000000Z",
    "x-amz-content-sha256": "x",
  };
  const paths = [[CHAT, BODY], [
    `${ROOT}/aws-bedrock/bedrock-runtime/eu-west-1/model/m/converse`,
    {},
  ]] as const;
  for (const [url, body] of paths) {
    assertEquals(await told(await fetch(post(url, body, withToken(strange)))), [200, undefined]);
  }
  for (const { headers } of sent) {
    assertEquals([headers.get("x-amz-security-token"), headers.get("x-amz-content-sha256")], [null, null]);
  }
});

Deno.test("a client's own pair, bearer key or signature goes to Bedrock alone, and stored keys stay unused", async () => {
  const native = `${ROOT}/aws-bedrock/bedrock-runtime/eu-west-1/model/m/converse`;
  const own = { "cf-aig-authorization": `Bearer ${TOKEN}` };
  for (const [url, body] of [[CHAT, BODY], [native, {}]] as const) {
    const pair = bedrock([TEMPORARY], stored(PAIR));
    const headers = { ...own, authorization: `Bearer ${JSON.stringify(TEMPORARY)}` };
    assertEquals(await told(await pair.fetch(post(url, body, headers))), [200, undefined]);
    assert(!JSON.stringify([...pair.sent[0].headers]).includes(TEMPORARY.secretAccessKey));
    const bearer = before(() => Response.json(ANSWER), stored(PAIR));
    await (await bearer.fetch(post(url, body, { ...own, authorization: "Bearer ABSKkey" }))).text();
    assertEquals(bearer.sent[0].headers.get("authorization"), "Bearer ABSKkey");
    assertEquals(bearer.sent[0].headers.get("x-amz-date"), null);
  }
  const signed = before(() => Response.json(ANSWER), stored(PAIR));
  const authorization = "AWS4-HMAC-SHA256 Credential=AKIAOTHER/20261124/eu-west-1/bedrock/aws4_request, " +
    `SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;
  const headers = { ...own, authorization, "x-amz-date": "20261124T000000Z", "x-amz-security-token": "t" };
  await (await signed.fetch(post(native, {}, headers))).text();
  const [{ headers: passed }] = signed.sent;
  assertEquals(
    [passed.get("authorization"), passed.get("x-amz-date"), passed.get("x-amz-security-token")],
    [authorization, "20261124T000000Z", "t"],
  );
});

Deno.test("a long upload to a native path of Bedrock is read before it is signed", async () => {
  const { fetch } = bedrock([PAIR], stored(PAIR));
  const bytes = new TextEncoder().encode(JSON.stringify({ text: "x".repeat(400_000) }));
  const request = new Request(`${ROOT}/aws-bedrock/bedrock-runtime/eu-west-1/model/m/converse`, {
    method: "POST",
    headers: { "content-type": "application/json", ...withToken() },
    body: new Blob([bytes]).stream(),
  });
  assertEquals(await told(await fetch(request)), [200, undefined]);
});

Deno.test("nothing of a pair comes back in an error or an answer, nor in an explanation", async () => {
  const { accessKeyId, secretAccessKey, sessionToken } = TEMPORARY;
  const said = `The canonical string was ${accessKeyId} ${sessionToken}, with ${secretAccessKey} and ${
    btoa(secretAccessKey)
  }`;
  const answers = [
    () => awsError(403, "SignatureDoesNotMatch", said),
    () => Response.json({ ...ANSWER, output: { message: { content: [{ text: said }] } } }),
  ];
  for (const answer of answers) {
    for (
      const [url, body] of [[CHAT, BODY], [
        `${ROOT}/aws-bedrock/bedrock-runtime/eu-west-1/model/m/converse`,
        {},
      ]] as const
    ) {
      const { fetch } = bedrock([TEMPORARY], stored(TEMPORARY), answer);
      const text = await (await fetch(post(url, body, withToken()))).text();
      for (const secret of [accessKeyId, secretAccessKey, sessionToken, btoa(secretAccessKey)]) {
        assert(!text.includes(secret), text);
      }
      assert(text.includes("The canonical string"), text);
    }
  }
  const { fetch } = before(nothing.fetch as never, stored(TEMPORARY));
  const text = await (await fetch(post(CHAT, BODY, withToken({ "sluice-explain": "true" })))).text();
  const [{ requests: [{ hiddenHeaders }] }] = JSON.parse(text).targets;
  assertEquals(hiddenHeaders, ["authorization", "x-amz-date", "x-amz-security-token"]);
  for (const secret of Object.values(TEMPORARY)) assert(!text.includes(secret), text);
});

Deno.test("behind a base URL of the operator's the signature has the region of the model, else of the option", async () => {
  const local = (region?: string): Options => ({
    ...stored(PAIR),
    providers: { bedrock: { baseUrl: "http://127.0.0.1:4566", region } },
  });
  assertEquals(await told(await bedrock([PAIR], local()).fetch(post(CHAT, BODY, withToken()))), [
    200,
    undefined,
  ]);
  const bare = { ...BODY, model: "bedrock/m" };
  assertEquals(await told(await bedrock([PAIR], local("eu-west-1")).fetch(post(CHAT, bare, withToken()))), [
    200,
    undefined,
  ]);
  const [status, message] = await told(await bedrock([PAIR], local()).fetch(post(CHAT, bare, withToken())));
  assert(
    status === 400 && message!.includes("it needs a region") && message!.includes("AWS_REGION"),
    message,
  );
});

// ---------------------------------------------------------------- where pairs come from

const read = (variables: Record<string, string>) =>
  readEnv((name) => variables[name]).options.keys?.["aws-bedrock"];
const IN_ENV = { AWS_ACCESS_KEY_ID: PAIR.accessKeyId, AWS_SECRET_ACCESS_KEY: PAIR.secretAccessKey };

Deno.test("readEnv() takes Amazon's variables as a whole set, and a bearer key before them", () => {
  assertEquals(JSON.parse(read(IN_ENV) as string), PAIR);
  assertEquals(JSON.parse(read({ ...IN_ENV, AWS_SESSION_TOKEN: "t" }) as string), {
    ...PAIR,
    sessionToken: "t",
  });
  assertEquals(read({ ...IN_ENV, AWS_BEARER_TOKEN_BEDROCK: "ABSKkey" }), ["ABSKkey"]);
  assertEquals(read({ AWS_SESSION_TOKEN: "t" }), undefined);
  // A set of the options is never completed by the environment's session token.
  const config = JSON.stringify({ keys: { "aws-bedrock": PAIR } });
  assertEquals(read({ SLUICE_CONFIG: config, AWS_SESSION_TOKEN: "t" }), PAIR as never);
});

Deno.test("half a pair of Amazon's keys ends the start, and the missing half is named", () => {
  const faults: [Record<string, string>, string][] = [
    [{ AWS_ACCESS_KEY_ID: "AKIASECRET" }, "Cannot use AWS_ACCESS_KEY_ID: AWS_SECRET_ACCESS_KEY is not set"],
    [
      { AWS_SECRET_ACCESS_KEY: "AKIASECRET" },
      "Cannot use AWS_SECRET_ACCESS_KEY: AWS_ACCESS_KEY_ID is not set",
    ],
  ];
  for (const [variables, message] of faults) {
    const error = assertThrows(() => read(variables), TypeError, message);
    assert(!error.message.includes("AKIASECRET"));
  }
  const sets: [unknown, string][] = [
    [{ accessKeyId: "AKIASECRET" }, "it has no secretAccessKey"],
    ['{"accessKeyId":"AKIASECRET","secretAccessKey":""}', "it has no secretAccessKey"],
    [{ ...PAIR, profile: "x" }, "a set has no member profile"],
    ["{AKIASECRET", "it must be one key, or JSON of texts"],
    [[`{"accessKeyId":1}`], "it must be one key, or JSON of texts"],
  ];
  for (const [keys, why] of sets) {
    const error = assertThrows(
      () => createGateway(stored(keys)),
      TypeError,
      "Cannot use option keys.aws-bedrock: ",
    );
    assert(error.message.includes(why) && !error.message.includes("AKIASECRET"), error.message);
  }
});
