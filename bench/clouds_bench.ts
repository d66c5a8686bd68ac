/**
 * Times what the clouds' providers cost besides their wires: Amazon's event stream beside the reader of Amazon's own SDK, a
 * signature, and a service account's token, whose minting is kept off the calls.
 */
import { assert, assertEquals } from "@std/assert";
import { Sha256 } from "npm:@aws-crypto/sha256-js@5.2.0";
import { EventStreamCodec } from "npm:@smithy/core@3.41.1/event-streams";
import { SignatureV4 } from "npm:@smithy/signature-v4@5.7.5";
import { signature } from "../providers/sign/amazon.ts";
import { signGoogle } from "../providers/sign/google.ts";
import { findProvider } from "../providers/table.ts";
import { awsEventStreamReader } from "../wires/streams/aws_event_stream.ts";
import { account } from "../tests/acceptance/strict_vertex.ts";
import { frame } from "../tests/acceptance/strict_converse.ts";
import { word } from "./shapes.ts";

// ---------------------------------------------------------------- frames

/** The messages of Converse's text deltas, with its padding. */
const messages = Array.from({ length: 200 }, (_, at) =>
  frame([
    "contentBlockDelta",
    { contentBlockIndex: 0, delta: { text: word(at) }, p: "abcdefghijklmnopqrstuvwx" },
  ]));
const long = [frame(["chunk", { bytes: "x".repeat(256 * 1024) }])];

const text = new TextDecoder(), encoder = new TextEncoder();
const codec = new EventStreamCodec(
  (bytes) => text.decode(bytes as Uint8Array),
  (said) => encoder.encode(said),
);

/** Amazon's own reader needs each message whole; joining chunks is not counted. */
function theirs(chunks: readonly Uint8Array[]): number {
  let sum = 0;
  for (const chunk of chunks) {
    const { headers, body } = codec.decode(chunk);
    sum += text.decode(body).length + String(headers[":event-type"].value).length;
  }
  return sum;
}

function ours(chunks: readonly Uint8Array[]): number {
  let sum = 0;
  const reader = awsEventStreamReader((data, event) => sum += data.length + event.length, () => {});
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return sum;
}

for (
  const [load, chunks] of [["200 text events, one per chunk", messages], [
    "one event of 256 KiB",
    long,
  ]] as const
) {
  const group = `AWS event stream, ${load}`;
  assertEquals(ours(chunks), theirs(chunks), group);
  Deno.bench("@smithy/core", { group, baseline: true }, () => assert(theirs(chunks) > 0));
  Deno.bench("awsEventStreamReader", { group }, () => assert(ours(chunks) > 0));
}
const all = new Uint8Array(await new Blob(messages as Uint8Array<ArrayBuffer>[]).arrayBuffer());
const cut = (size: number) =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.subarray(at * size, (at + 1) * size));
for (const size of [1, 1000]) {
  const chunks = cut(size);
  assertEquals(ours(chunks), ours(messages));
  Deno.bench(
    `awsEventStreamReader, ${size}-byte chunks`,
    { group: "AWS event stream, 200 text events, cut" },
    () => assert(ours(chunks) > 0),
  );
}

// ---------------------------------------------------------------- signatures

const PAIR = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const NOW = Date.UTC(2026, 10, 29);
const HOST = "bedrock-runtime.us-east-1.amazonaws.com";
const PATH = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke";

for (const size of [1000, 100_000]) {
  const body = JSON.stringify({ text: "x".repeat(size) });
  const group = `Signature Version 4, a body of ${size / 1000} kB`;
  const request = { method: "POST", url: `https://${HOST}${PATH}`, body };
  const scope = { service: "bedrock", region: "us-east-1" };
  const signer = new SignatureV4({
    ...scope,
    credentials: PAIR,
    // Its usual hash in programs without Node.
    sha256: Sha256,
    applyChecksum: false,
  });
  const plain = {
    method: "POST",
    protocol: "https:",
    hostname: HOST,
    path: PATH,
    query: {},
    headers: { host: HOST },
    body,
  };
  const theirs = async () => {
    const { headers } = await signer.sign(plain, { signingDate: new Date(NOW) });
    return headers.authorization;
  };
  const ours = async () => (await signature(request, PAIR, scope, NOW)).get("authorization")!;
  assertEquals(await ours(), await theirs());
  Deno.bench(
    "@smithy/signature-v4",
    { group, baseline: true },
    async () => assert((await theirs()) !== undefined),
  );
  Deno.bench("signature (aws4fetch)", { group }, async () => assert((await ours()).length > 0));
}

// ---------------------------------------------------------------- tokens

const VERTEX = findProvider("google-vertex-ai")!;
const key = JSON.stringify((await account("bench")).file);
let minted = 0;
const answer = () => {
  minted++;
  return Promise.resolve(Response.json({ access_token: `ya29.${minted}`, expires_in: 3600 }));
};
const sign = (fetch: typeof answer, now: number) => {
  const headers = new Headers();
  return signGoogle({ method: "POST", url: "https://x", headers, body: null, fetch, now }, VERTEX, key);
};
await sign(answer, NOW);
const group = "a service account's token";
Deno.bench("kept", { group, baseline: true }, () => void sign(answer, NOW));
Deno.bench("minted, without the network", { group }, async () => await sign(() => answer(), NOW));
