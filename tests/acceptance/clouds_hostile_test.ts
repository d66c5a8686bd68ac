/** Odd ids, places and frames at the clouds' providers: nothing leads to another host, and each stream ends with one error. */
import { assert, assertEquals } from "@std/assert";
import { before, post } from "../fakes.ts";
import { lab, readEvents } from "./lab.ts";
import { awsError, EVENT_STREAM, frame } from "./strict_converse.ts";

const CHAT = "http://gateway.test/v1/chat/completions";
const messages = [{ role: "user", content: "Hi" }];

/** Where a model leads, or why it leads nowhere. */
async function led(model: string, options: object = {}, key = "key"): Promise<string> {
  const { fetch, sent } = before(() => awsError(400, "ValidationException", "No."), options);
  const response = await fetch(post(CHAT, { model, messages }, { authorization: `Bearer ${key}` }));
  const text = await response.text();
  return sent[0]?.url ?? `${response.status} ${JSON.parse(text).error.message}`;
}

Deno.test("ARNs of every partition and kind lead to the hosts of their partitions, as one segment", async () => {
  const cases: [arn: string, host: string, way: string][] = [
    [
      "arn:aws:bedrock:us-east-1:000000000000:provisioned-model/abc123",
      "bedrock-runtime.us-east-1.amazonaws.com",
      "converse",
    ],
    [
      "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      "bedrock-runtime.us-east-1.amazonaws.com",
      "invoke",
    ],
    [
      "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
      "bedrock-runtime.us-gov-west-1.amazonaws.com",
      "invoke",
    ],
    [
      "arn:aws-cn:bedrock:cn-north-1::foundation-model/amazon.nova-pro-v1:0",
      "bedrock-runtime.cn-north-1.amazonaws.com.cn",
      "converse",
    ],
    [
      "arn:aws:bedrock:eu-west-1:000000000000:imported-model/x1y2",
      "bedrock-runtime.eu-west-1.amazonaws.com",
      "converse",
    ],
    [
      "arn:aws:bedrock:eu-west-1:000000000000:prompt-router/a:1/b",
      "bedrock-runtime.eu-west-1.amazonaws.com",
      "converse",
    ],
  ];
  for (const [arn, host, way] of cases) {
    assertEquals(await led(`bedrock/${arn}`), `https://${host}/model/${encodeURIComponent(arn)}/${way}`);
  }
});

Deno.test("ids of models stay one segment of the path, whatever they hold", async () => {
  for (
    const id of ["../../admin", "a/../../b", "m%2F..%2Fx", "m?x=1", "m#f", "m\\..\\x", "é 世", ".", ".."]
  ) {
    const url = new URL(await led(`bedrock/us-east-1/${id}`));
    assertEquals(url.host, "bedrock-runtime.us-east-1.amazonaws.com", id);
    assertEquals(url.pathname.split("/").length <= 4 && url.search === "" && url.hash === "", true, url.href);
  }
});

Deno.test("no place of a model, an option or a credential leads to another host", async () => {
  const odd = [
    "evil.test",
    "us-east-1.evil.test",
    "us-east-1@evil.test",
    "us-east-1/x",
    "us-east-1#",
    "US-EAST-1",
    "",
  ];
  for (const place of odd) {
    const models = [
      `bedrock/arn:aws:bedrock:${place}:1:inference-profile/x`,
      `azure/${place || "a.b"}/deployment`,
      `azure-ai/${place || "a.b"}/deployment`,
    ];
    for (const model of models) {
      const url = await led(model);
      if (url.startsWith("https:")) {
        assert(/\.(?:amazonaws\.com|azure\.com)$/.test(new URL(url).hostname), url);
      } else assert(/^400 /.test(url), url);
    }
    const set = JSON.stringify({ accessKeyId: "AKIAX", secretAccessKey: "secret/key", region: place || "." });
    assert((await led("bedrock/m", {}, set)).startsWith("400 "), place);
    const account = JSON.stringify({
      client_email: "a@b",
      private_key: "x",
      project_id: place === "US-EAST-1" ? "p" : place.replace("us-east-1", "p/..") || "../x",
      region: place || ".",
    });
    const url = await led("vertex/gemini-3.8-flash", {}, account);
    if (url.startsWith("https:")) assertEquals(new URL(url).hostname, "oauth2.googleapis.com");
    else assert(/^(?:400|401) /.test(url), url);
  }
});

// ---------------------------------------------------------------- frames

const TEXT = frame(["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hi" } }]);
const START = frame(["messageStart", { role: "assistant" }]);

/** A stream's chunks as a client of chat gets them, from these bytes of Amazon's, cut into pieces. */
async function streamed(pieces: readonly Uint8Array[], model: string, size?: number) {
  const all = new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= all.length) return controller.close();
      controller.enqueue(all.slice(at, at += size ?? all.length));
    },
  });
  const { post } = lab(() => new Response(body, { headers: { "content-type": EVENT_STREAM } }));
  const response = await post({ model: `bedrock/us-east-1/${model}`, messages, stream: true });
  // deno-lint-ignore no-explicit-any -- An error of either form.
  const chunks: any[] = response.ok
    ? (await readEvents(response)).chunks
    : [{ error: (await response.json()).error }];
  return { errors: chunks.filter(({ error }) => error).map(({ error }) => error.message as string), chunks };
}

/** A frame's lengths in place of its own, with a right checksum of them or not. */
function withLengths(total: number, headers: number): Uint8Array {
  const bytes = TEXT.slice();
  new DataView(bytes.buffer).setUint32(0, total);
  new DataView(bytes.buffer).setUint32(4, headers);
  return bytes;
}

Deno.test("a frame with wrong lengths, a wrong checksum or no end is one error, wherever the bytes are cut", async () => {
  const flipped = TEXT.slice();
  flipped[flipped.length - 6] ^= 1;
  const broken = [
    withLengths(0, 0),
    withLengths(15, 0),
    withLengths(0xffffffff, 0),
    withLengths(64, 0xffffffff),
    flipped,
    TEXT.slice(0, -1),
    TEXT.slice(0, 5),
    new Uint8Array(100),
    new TextEncoder().encode('{"message": "not a frame at all"}'),
  ];
  for (const model of ["amazon.nova-pro-v1:0", "anthropic.claude-sonnet-4-5"]) {
    for (const [at, bytes] of broken.entries()) {
      for (const size of [undefined, 1, 7]) {
        const { errors } = await streamed([START, bytes], model, size);
        assertEquals(errors.length, 1, `${model} ${at} in pieces of ${size}: ${errors}`);
      }
    }
  }
});

Deno.test("a thousand exceptions, or one of a megabyte, are one error", async () => {
  const said = ["throttlingException", { message: "Too many tokens" }] as const;
  const many = await streamed([START, TEXT, ...Array(1000).fill(frame(said))], "amazon.nova-pro-v1:0", 1000);
  assertEquals([many.errors.length, many.errors[0].includes("Too many tokens")], [1, true]);
  const long = frame(["validationException", { message: "x".repeat(1_000_000) }]);
  for (const model of ["amazon.nova-pro-v1:0", "anthropic.claude-sonnet-4-5"]) {
    assertEquals((await streamed([START, TEXT, long, TEXT], model, 64_000)).errors.length, 1);
  }
});

Deno.test("an event of Invoke that holds no base64, or no event, is an error and not a crash", async () => {
  for (const payload of [{ bytes: "%%%" }, { bytes: btoa("not JSON") }, { bytes: btoa("\xff\xfe") }]) {
    const { errors } = await streamed([frame(["chunk", payload])], "anthropic.claude-sonnet-4-5");
    assertEquals(errors.length, 1, JSON.stringify(payload));
  }
  // Frames of kinds that nobody knows, and without bytes, are passed over.
  const { errors } = await streamed(
    [frame(["other", { x: 1 }]), frame(["chunk", { bytes: 5 }]), frame(["chunk", { p: "pad" }])],
    "anthropic.claude-sonnet-4-5",
  );
  assertEquals(errors.length, 1, "ends without a message");
});
