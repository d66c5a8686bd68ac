/**
 * What signing costs a whole call: the CPU of the process for calls to Converse with a key of Bedrock and with a pair of Amazon's
 * keys, and to Vertex AI with an access token and with a service account. The calls take turns in rounds, so that what else the
 * machine does meets all of them; the CPU of the threads that hash and sign is counted too.
 *
 * Run it with `deno task bench:signed`.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { createGateway, type Options } from "../mod.ts";
import { account } from "../tests/acceptance/strict_vertex.ts";

const ROUNDS = 15, CALLS = 200;
const TOKEN = "token-of-the-gateway";
const CONVERSE = {
  output: { message: { role: "assistant", content: [{ text: "Hi" }] } },
  stopReason: "end_turn",
  usage: { inputTokens: 20, outputTokens: 5, totalTokens: 25 },
};
const GEMINI = {
  candidates: [{ content: { role: "model", parts: [{ text: "Hi" }] }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 5 },
};

/** How often each host was asked for a token. */
let minted = 0;

function gateway(keys: Options["keys"]) {
  return createGateway({
    tokens: [TOKEN],
    keys,
    providers: { "google-vertex-ai": { project: "my-project" } },
    fetch: (url) => {
      if (url.includes("oauth2")) minted++;
      return Promise.resolve(Response.json(
        url.includes("oauth2")
          ? { access_token: "ya29.x", expires_in: 3600 }
          : url.includes("amazonaws")
          ? CONVERSE
          : GEMINI,
      ));
    },
  });
}

const PAIR = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const { file } = await account("bench");
const NOVA = "aws-bedrock/us-east-1/amazon.nova-pro-v1:0", FLASH = "google-vertex-ai/gemini-3.8-flash";

const kinds = [
  { name: "Converse, a key", model: NOVA, gateway: gateway({ "aws-bedrock": "ABSKkey-of-bedrock" }) },
  { name: "Converse, a pair", model: NOVA, gateway: gateway({ "aws-bedrock": PAIR as never }) },
  { name: "Gemini, an access token", model: FLASH, gateway: gateway({ "google-vertex-ai": "ya29.token" }) },
  {
    name: "Gemini, a service account",
    model: FLASH,
    gateway: gateway({ "google-vertex-ai": file as never }),
  },
];

async function call({ model, gateway }: (typeof kinds)[number], size: number): Promise<void> {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "x".repeat(size) }] });
  const headers = { "content-type": "application/json", authorization: `Bearer ${TOKEN}` };
  const request = new Request("http://gateway.test/v1/chat/completions", { method: "POST", headers, body });
  const response = await gateway.fetch(request);
  if (!response.ok) throw new Error(await response.text());
  await response.text();
}

/** Microseconds of CPU for one call. */
async function measure(kind: (typeof kinds)[number], size: number): Promise<number> {
  const before = cpuUsage();
  for (let at = 0; at < CALLS; at++) await call(kind, size);
  const { user, system } = cpuUsage(before);
  return (user + system) / CALLS;
}

const middle = (list: number[], part = 0.5) => list.toSorted((a, b) => a - b)[Math.floor(list.length * part)];

for (const size of [200, 100_000]) {
  const took = kinds.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (const [at, kind] of kinds.entries()) {
      const us = await measure(kind, size);
      if (round >= 0) took[at].push(us);
    }
  }
  console.log(
    `\nA text of ${size} bytes, CPU of a call in µs: median, middle half; and over the call without signing`,
  );
  for (const [at, { name }] of kinds.entries()) {
    const more = at % 2 === 1 ? took[at].map((us, round) => us - took[at - 1][round]) : undefined;
    const half = `${middle(took[at], 0.25).toFixed(0)} to ${middle(took[at], 0.75).toFixed(0)}`;
    console.log(
      `${name}: ${middle(took[at]).toFixed(0)} (${half})${more ? `, +${middle(more).toFixed(0)}` : ""}`,
    );
  }
}
console.log(`\nTokens minted in ${2 * (ROUNDS + 2) * CALLS} calls: ${minted}`);
