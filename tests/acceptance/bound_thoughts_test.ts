/**
 * Clients that change their instructions or tools between two turns, on a Claude whose thoughts are bound to both. The strict
 * provider refuses a thought behind other ones: "The block is bound to a different conversation."
 */
import { assertEquals } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { type Asked, CLIENTS, type Json, lab } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictConverse } from "./strict_converse.ts";
import type { Block } from "./strict_anthropic_rules.ts";

// deno-lint-ignore no-explicit-any -- Requests and answers with fields that the SDK does not know.
type Any = any;

const MODEL = "anthropic/claude-opus-5-5";
const AMAZONS = "aws-bedrock/us-east-1/converse/us.anthropic.claude-opus-5-5-v1:0";

/** What a turn is asked with. */
interface Setup {
  system: string;
  tools: Json[];
}

const tool = (name: string, description = "Tells.") => ({
  name,
  description,
  parameters: { type: "object", properties: {} },
});
const SETUP: Setup = { system: "Be brief.", tools: [tool("weather"), tool("clock")] };

/** The answer to request `k`: a thought, sealed or with its text, and a call or (odd) a text. */
const turn = (k: number): Block[] => [
  ...k === 2
    ? [{ type: "redacted_thinking", data: btoa(`sealed ${k}`) }]
    : [{ type: "thinking", thinking: `Thought ${k}`, signature: btoa(`claude ${k}`) }],
  k % 2
    ? { type: "text", text: `Said ${k}` }
    : { type: "tool_use", id: `toolu_${k}`, name: "weather", input: {} },
];

/** A block in the form of Amazon's Converse. */
function asConverse({ type, text, thinking, signature, data, id, name, input }: Block): Json {
  switch (type) {
    case "text":
      return { text };
    case "thinking":
      return { reasoningContent: { reasoningText: { text: thinking, signature } } };
    case "redacted_thinking":
      return { reasoningContent: { redactedContent: btoa(data as string) } };
    default:
      return { toolUse: { toolUseId: id, name, input } };
  }
}

/** A client that keeps its conversation. Returns what it was told is dropped. */
type Talk = (setup: Setup, model?: string) => Promise<string | null>;

function world() {
  let asked = 0;
  const fake = strictAnthropic(() => turn(asked++));
  const amazon = strictConverse(() => turn(asked++).map(asConverse));
  const told: (string | null)[] = [];
  const room = lab((one) => (one.url.host.endsWith("amazonaws.com") ? amazon : fake).play(one));
  const { gateway } = room;
  /** Hears what is dropped, whichever SDK asks. */
  const fetch = async (input: unknown, init?: RequestInit) => {
    const response = await gateway.fetch(new Request(input as string, init));
    told.push(response.headers.get("sluice-dropped"));
    return response;
  };
  const openai = new OpenAI({
    apiKey: "key",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: fetch as typeof globalThis.fetch,
  });
  return { room: { ...room, openai }, told };
}

const chat = (name: string, model = MODEL) => (): { talk: Talk; asked: Asked[] } => {
  const { room, told } = world();
  const history: Json[] = [];
  return {
    asked: room.asked,
    async talk({ system, tools }) {
      const last = (history.at(-1)?.tool_calls as Json[] | undefined)?.[0];
      history.push(
        last
          ? { role: "tool", tool_call_id: last.id, content: "1" }
          : { role: "user", content: `Question ${told.length}` },
      );
      const body = {
        model,
        messages: [{ role: "system", content: system }, ...history],
        reasoning_effort: "high",
        tools: tools.map((one) => ({ type: "function", function: one })),
      };
      history.push(await CLIENTS[name](room, body));
      return told.at(-1)!;
    },
  };
};

const responses = (streams: boolean, usual = MODEL) => (): { talk: Talk; asked: Asked[] } => {
  const { room: { asked, openai }, told } = world();
  const history: Any[] = [];
  return {
    asked,
    async talk({ system, tools }, model = usual) {
      const last = history.at(-1);
      history.push(
        last?.type === "function_call"
          ? { type: "function_call_output", call_id: last.call_id, output: "1" }
          : { role: "user", content: `Question ${told.length}` },
      );
      const body: Any = {
        model,
        store: false,
        instructions: system,
        include: ["reasoning.encrypted_content"],
        reasoning: { effort: "high" },
        tools: tools.map((one) => ({ type: "function", ...one, strict: false })),
        input: history,
      };
      const { output } = streams
        ? await openai.responses.stream(body).finalResponse()
        : await openai.responses.create(body) as Any;
      for (const { parsed_arguments: _, ...item } of output) history.push(item);
      return told.at(-1)!;
    },
  };
};

const TALKS: Record<string, () => { talk: Talk; asked: Asked[] }> = {
  ...Object.fromEntries(
    Object.keys(CLIENTS).filter((name) => !name.includes("drops")).map((name) => [name, chat(name)]),
  ),
  "a client of Responses, whole": responses(false),
  "a client of Responses, streamed": responses(true),
  "a client of chat, on Amazon Bedrock": chat("the official SDK, whole", AMAZONS),
  "a client of Responses, on Amazon Bedrock": responses(true, AMAZONS),
};

/** The proofs of thoughts in the last request, by the number of their answer. */
const sentOf = (asked: Asked[]) =>
  asked.flatMap((_, k) => {
    const [{ signature, data }] = turn(k);
    const { text } = asked.at(-1)!;
    const proof = (signature ?? data) as string;
    return text.includes(proof) || text.includes(btoa(proof)) ? [k] : [];
  });

const CHANGES: Record<string, (setup: Setup) => Setup> = {
  "other instructions": (setup) => ({ ...setup, system: "Be long." }),
  "another tool": ({ tools, ...setup }) => ({ ...setup, tools: [...tools, tool("map")] }),
  "one tool less": ({ tools, ...setup }) => ({ ...setup, tools: tools.slice(0, 1) }),
  "a tool with other words": ({ tools, ...setup }) => ({
    ...setup,
    tools: [tool("weather", "Tells more."), tools[1]],
  }),
  "tools in another order": ({ tools, ...setup }) => ({ ...setup, tools: tools.toReversed() }),
  "no tools": (setup) => ({ ...setup, tools: [] }),
};

for (const [name, make] of Object.entries(TALKS)) {
  Deno.test(`${name} may change instructions and tools in mid-run: thoughts of before are left out and named`, async () => {
    for (const [change, apply] of Object.entries(CHANGES)) {
      const { talk, asked } = make();
      const other = apply(SETUP);
      const sent: number[][] = [];
      const named: boolean[] = [];
      for (const setup of [SETUP, SETUP, SETUP, other, other, SETUP, other, other]) {
        named.push((await talk(setup)) !== null);
        sent.push(sentOf(asked));
      }
      // Each goes back to where it was thought, and only there.
      assertEquals(sent, [[], [0], [0, 1], [], [3], [0, 1, 2], [3, 4], [3, 4, 6]], `${name}, ${change}`);
      assertEquals(named, [false, false, false, true, true, true, true, true], `${name}, ${change}`);
    }
  });
}

Deno.test("a thought of an older Claude goes to a newer one only behind all that came before it", async () => {
  const { talk, asked } = TALKS["a client of Responses, whole"]();
  const OLDER = "anthropic/claude-opus-5", other = { ...SETUP, system: "Be long." };
  const sent: number[][] = [];
  for (
    const [setup, model] of [
      [SETUP, OLDER],
      [other, OLDER],
      // The second thought was thought behind the first one, which does not belong here.
      [other, MODEL],
      [other, MODEL],
      [SETUP, MODEL],
      [SETUP, OLDER],
    ] as const
  ) {
    await talk(setup, model);
    sent.push(sentOf(asked));
  }
  assertEquals(sent, [[], [0], [], [2], [0], [0, 1, 2, 3, 4]]);
});

Deno.test("marks for caches change nothing that a thought is bound to", async () => {
  let k = 0;
  const { post, asked } = lab(strictAnthropic(() => turn(k++)).play);
  const cache_control = { type: "ephemeral" };
  const ask = async (marks: boolean, messages: Json[]) => {
    const mark = marks ? { cache_control } : {};
    const response = await post({
      model: MODEL,
      messages: [{ role: "system", content: [{ type: "text", text: "Be brief.", ...mark }] }, ...messages],
      tools: SETUP.tools.map((one) => ({ type: "function", function: one, ...mark })),
      reasoning_effort: "high",
    });
    assertEquals(response.status, 200);
    return (await response.json()).choices[0].message;
  };
  const first = await ask(true, [{ role: "user", content: "Hi" }]);
  await ask(false, [
    { role: "user", content: "Hi" },
    first,
    { role: "tool", tool_call_id: first.tool_calls[0].id, content: "1" },
  ]);
  assertEquals(sentOf(asked), [0]);
});
