/** A program that signs for the clouds, mints their tokens and reads Amazon's frames, on any runtime. */
import { createGateway } from "../../mod.ts";
import { awsEventStreamReader } from "../../wires/streams/aws_event_stream.ts";
import { strictEntra } from "../acceptance/strict_entra.ts";
import { account, googleCloud, tokenEndpoint } from "../acceptance/strict_vertex.ts";
import { signatureFault } from "../acceptance/strict_sigv4.ts";
import { before, completion, post } from "../fakes.ts";
import { SIGNATURES } from "../providers/sign/signatures.ts";
import { converse, TEXT } from "../wires/shared.ts";
import { encode, latin1, VECTORS } from "../wires/streams/aws_messages.ts";

const TOKEN = "token-of-the-gateway";
const NOW = Date.UTC(2026, 10, 24);

const chat = (model: string, more: object = {}) =>
  post("http://gateway.test/v1/chat/completions", {
    model,
    messages: [{ role: "user", content: "Grüße, 世界" }],
    ...more,
  }, { authorization: `Bearer ${TOKEN}` });

async function said(response: Response): Promise<string> {
  const { choices, error } = await response.json();
  return error ? `${response.status} ${error.message}` : choices[0].message.content;
}

/** The texts of a stream, and its error if there is one. */
async function streamed(response: Response): Promise<{ text: string; error?: string }> {
  const events = (await response.text()).split("\n\n").filter(Boolean).map((event) =>
    event.slice("data: ".length)
  );
  const chunks = events.filter((data) => data !== "[DONE]").map((data) => JSON.parse(data));
  return {
    text: chunks.map(({ choices }) => choices?.[0]?.delta.content ?? "").join(""),
    error: chunks.find(({ error }) => error)?.error.message,
  };
}

// ---------------------------------------------------------------- Amazon

const PAIR = { accessKeyId: "AKIAPROGRAM", secretAccessKey: "secret/of+the+program", sessionToken: "dG9r" };
const NOVA = "bedrock/eu-central-1/amazon.nova-pro-v1:0";

/** A Bedrock that checks the signature of what arrives. @param bytes Its stream. */
function amazon(bytes: Uint8Array<ArrayBuffer>) {
  return before(async ({ url, method, headers, body }) => {
    const scope = { service: "bedrock", region: "eu-central-1" };
    const message = await signatureFault({ method, url, headers, body }, [PAIR], scope, NOW);
    if (message) return Response.json({ message }, { status: 403 });
    if (!url.endsWith("-stream")) return Response.json(converse.whole(TEXT));
    const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
    });
    return new Response(stream, { headers: { "content-type": converse.framed!.type } });
  }, { now: () => NOW, tokens: [TOKEN], keys: { "aws-bedrock": PAIR as never } });
}

/** All frames of Amazon's vectors, in pieces of a size. */
function frames(size: number): unknown[] {
  const bytes = latin1(Object.values(VECTORS).map(([message]) => message).join(""));
  const seen: unknown[] = [];
  const reader = awsEventStreamReader(
    (data, event) => seen.push([event, data]),
    (error) => seen.push(["ERROR", error]),
  );
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  return seen;
}

async function observeAmazon() {
  const whole = converse.stream(TEXT);
  const good = converse.framed!.bytes(whole);
  const begun = converse.framed!.bytes(whole.slice(0, 3));
  const ask = async (bytes: Uint8Array<ArrayBuffer>) =>
    await streamed(await amazon(bytes).fetch(chat(NOVA, { stream: true })));
  const exception = encode({
    ":message-type": "exception",
    ":exception-type": "throttlingException",
  }, '{"message":"Too many tokens"}');
  const damaged = good.slice();
  damaged[damaged.length - 40] ^= 1;
  return {
    signatures: await Promise.all(SIGNATURES.map(({ sign }) => sign())),
    frames: [frames(1), frames(13), frames(1000)],
    whole: await said(await amazon(good).fetch(chat(NOVA))),
    streamed: await ask(good),
    exception: await ask(Uint8Array.of(...begun, ...exception)),
    damaged: (await ask(damaged)).error,
  };
}

// ---------------------------------------------------------------- Google and Microsoft

async function observeGoogle() {
  const one = await account("one");
  // As variables hold it.
  const file = { ...one.file, private_key: one.file.private_key.replaceAll("\n", "\\n") };
  let now = NOW;
  const endpoint = tokenEndpoint([one], () => now);
  const gateway = before(googleCloud(endpoint), {
    now: () => now,
    tokens: [TOKEN],
    keys: { "google-vertex-ai": file as never },
  });
  const ask = async () => await said(await gateway.fetch(chat("google-vertex-ai/google/gemini-3.5-flash")));
  const together = await Promise.all([ask(), ask(), ask()]);
  const first = endpoint.minted.length;
  now += 3_400_000;
  const later = await ask();
  return { together, first, later, minted: endpoint.minted.length };
}

async function observeEntra() {
  const app = { tenantId: "contoso.test", clientId: "app-1", clientSecret: "secret~of.the-app" };
  let now = NOW;
  const entra = strictEntra([app], () => now);
  const gateway = createGateway({
    now: () => now,
    tokens: [TOKEN],
    keys: { azure: app as never },
    async fetch(url, init) {
      const minted = await entra.play(url, init);
      if (minted) return minted;
      return entra.takes(new Headers(init.headers).get("authorization"))
        ? completion()
        : Response.json({ error: { message: "Access denied." } }, { status: 401 });
    },
  });
  const ask = async () => await said(await gateway.fetch(chat("azure/my-res/gpt-4o")));
  const together = await Promise.all([ask(), ask(), ask()]);
  const first = entra.mints.length;
  now += 3_400_000;
  const later = await ask();
  return { together, first, later, minted: entra.mints.length };
}

/** Answers with the observations. */
export default {
  async fetch(): Promise<Response> {
    return Response.json({
      amazon: await observeAmazon(),
      google: await observeGoogle(),
      entra: await observeEntra(),
    });
  },
};
