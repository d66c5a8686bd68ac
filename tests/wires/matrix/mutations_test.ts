/** Bodies of chance at each door, before each provider: an answer, or one clear error in the door's own shape. */
import { assert } from "@std/assert";
import { createGateway } from "../../../mod.ts";
import type { WireName } from "../../../wires/types.ts";
import type { Json } from "../../acceptance/lab.ts";
import { mutate, type Pick, random } from "../../mutate.ts";
import { runs } from "../../runs.ts";
import { streamed, TEXT } from "../shared.ts";
import { type Client, CLIENTS } from "./clients.ts";
import { FEATURES } from "./features.ts";
import { COLUMNS } from "./providers.ts";

// deno-lint-ignore no-explicit-any -- Errors in each door's shape.
type Any = any;

/** What more is served below a door's path. */
const BELOW: Partial<Record<WireName, string[]>> = {
  anthropic: ["/count_tokens"],
  responses: ["/input_tokens", "/compact"],
};

/** A gateway before providers that take anything. */
const gateway = createGateway({
  async fetch(input, init) {
    const url = new URL(input);
    const body = await new Response(init.body).json();
    const own = COLUMNS.find(({ model }) => HOSTS[model.split("/")[0]] === url.hostname)!;
    const [responses, claude] = ["OpenAI Responses", "Bedrock Claude"].map((name) =>
      COLUMNS.find((column) => column.name === name)!
    );
    const { fake } = url.pathname.endsWith("/responses")
      ? responses
      : url.pathname.includes("/invoke")
      ? claude
      : own;
    return body.stream === true || /(?:streamGenerateContent|-stream)$/.test(url.pathname)
      ? streamed(fake, fake.stream(TEXT))
      : Response.json(fake.whole(TEXT));
  },
});

const HOSTS: Record<string, string> = {
  openai: "api.openai.com",
  nebius: "api.tokenfactory.nebius.com",
  mistral: "api.mistral.ai",
  anthropic: "api.anthropic.com",
  "google-ai-studio": "generativelanguage.googleapis.com",
  cohere: "api.cohere.com",
  "perplexity-agent": "api.perplexity.ai",
  "aws-bedrock": "bedrock-runtime.us-east-1.amazonaws.com",
};

/** A request that says several things at once. */
function seed(client: Client, pick: Pick): Json {
  const said = FEATURES.flatMap(({ says }) => says[client.wire] ? [says[client.wire] as Json] : []);
  const body = client.body(COLUMNS[pick(COLUMNS.length)].model, { user: "Hi", system: "Be brief." }, []);
  for (let times = pick(6); times > 0; times--) {
    for (const [name, value] of Object.entries(said[pick(said.length)])) {
      const before = body[name];
      body[name] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
    }
  }
  return pick(2) === 0 ? { ...body, stream: true } : body;
}

/** A long wait is a hang: nothing here waits for anything. */
async function within<T>(ms: number, work: Promise<T>, what: () => string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer: ${what()}`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function checkError(client: Client, { type, error, ...rest }: Any): void {
  assert(typeof error?.message === "string" && error.message.length > 5);
  assert(typeof error.type === "string");
  if (client.wire === "anthropic") assert(type === "error" && typeof rest.request_id === "string");
  else assert(type === undefined && "param" in error && "code" in error);
}

for (const client of CLIENTS) {
  Deno.test(`bodies of chance at ${client.path} get an answer or one clear error`, async () => {
    const pick = random(20261128);
    for (let round = 0; round < runs(1000); round++) {
      let body = seed(client, pick);
      for (let times = pick(4); times > 0; times--) body = mutate(body, pick);
      const written = JSON.stringify(body);
      const text = pick(25) === 0 ? written.slice(0, pick(written.length)) : written;
      const below = pick(7) === 0 ? BELOW[client.wire] ?? [] : [];
      const path = client.path + (below[pick(below.length)] ?? "");
      const request = new Request(`http://gateway.test${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: text,
      });
      const asked = async () => {
        const response = await gateway.fetch(request);
        return { response, answer: await response.text() };
      };
      const { response, answer } = await within(20_000, asked(), () => `${path} ${text}`);
      try {
        assert(response.status < 500, `${response.status}`);
        if (response.status >= 400) checkError(client, JSON.parse(answer));
        else if (response.headers.get("content-type") === "text/event-stream") assert(answer !== "");
        else JSON.parse(answer);
      } catch (cause) {
        throw new Error(`round ${round}: ${path} ${text}\n${response.status} ${answer.slice(0, 2000)}`, {
          cause,
        });
      }
    }
  });
}
