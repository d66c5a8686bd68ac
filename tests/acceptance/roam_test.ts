/**
 * Any conversation that changes its client, its provider or its wire at any turn, and in mid-run its instructions and tools: no
 * strict provider refuses it. `wander_test.ts` follows the proofs of thoughts; this follows the refusals.
 */
import { assert, assertEquals } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import fc from "npm:fast-check@4.10.2";
import OpenAI from "npm:openai@7.57.0";
import { chance } from "../runs.ts";
import { type Asked, CLIENTS, type Json, type Lab, lab, type Play } from "./lab.ts";
import type { Piece } from "./responses_stream.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import type { Block } from "./strict_anthropic_rules.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictConverse } from "./strict_converse.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";

// deno-lint-ignore no-explicit-any -- Requests and answers with fields that the SDKs do not know.
type Any = any;

const MODELS = [
  "anthropic/claude-sonnet-4-5",
  "anthropic/claude-opus-5",
  "anthropic/claude-opus-5-5",
  "google/gemini-3-pro",
  "openai/gpt-5.6",
  "openai/gpt-4.1",
  "mistral/mistral-medium-latest",
  "nebius/Qwen/Qwen3-235B",
  "cohere/command-a-reasoning-08-2025",
] as const;
/** The same model at Amazon. A conversation has Claude at one of the two: neither fake knows what the other has signed. */
const atAmazon = (model: string) =>
  model.replace(/^anthropic\/(.+)$/, "aws-bedrock/us-east-1/converse/us.anthropic.$1-v1:0");

// ---------------------------------------------------------------- what happens

/** One request and its answer. */
const step = fc.record({
  model: fc.constantFrom<string>(...MODELS),
  /** Whether the client asks for thoughts. */
  thinks: fc.boolean(),
  /** What the model thinks before its answer, if anything. */
  thought: fc.constantFrom("none", "text", "text", "sealed"),
  /** Whether a server's tool is called first, if the request offers the server. */
  served: fc.boolean(),
  said: fc.boolean(),
  calls: fc.nat({ max: 2 }),
  /** Which instructions and tools the client sends. */
  setup: fc.nat({ max: 2 }),
  /** The client hands the conversation on to the next one. */
  moves: fc.constantFrom(false, false, false, true),
}, { noNullPrototype: true });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Each call is of a function of its own, because Google's fake knows its signatures by them. */
const NAMES = ["f", "g"].flatMap((name) => Array.from({ length: 9 }, (_, at) => `${name}${at}`));
const SCHEMA = { type: "object", properties: { a: { type: "string" } } };
const ARGUMENTS = '{"a":"1"}';
const SERVER = "docs", ADDRESS = "https://docs.example/mcp";
const BETA = "mcp-client-2025-11-20";
const systemOf = ({ setup }: Step) => `Be ${["brief", "brief", "long"][setup]}.`;
const namesOf = ({ setup }: Step) => setup === 1 ? [...NAMES, "more"] : NAMES;

// ---------------------------------------------------------------- the providers

/** All providers. Each answers as the step says. */
function world() {
  const faults: string[] = [];
  let now: Step, k = 0;
  const calls = (prefix: string) =>
    Array.from(
      { length: now.calls },
      (_, at) => ({ id: `${prefix}${k}${"ab"[at]}`, name: `${"fg"[at]}${k}` }),
    );
  const said = () => now.said || now.calls === 0 ? `Said ${k}` : "";
  const isServed = ({ body }: Asked) =>
    now.served && JSON.stringify(body.tools ?? []).includes(`"${SERVER}"`);

  const claude = strictAnthropic((asked): Block[] => {
    const { type } = (asked.body.thinking ?? {}) as Json;
    const thinks = (type === "enabled" || type === "adaptive") && now.thought !== "none";
    const use = { type: "mcp_tool_use", id: `mcptoolu_${k}`, name: "find", server_name: SERVER, input: {} };
    const result = { type: "mcp_tool_result", tool_use_id: use.id, is_error: false, content: [] };
    return [
      ...thinks
        ? [
          now.thought === "sealed"
            ? { type: "redacted_thinking", data: btoa(`sealed ${k}`) }
            : { type: "thinking", thinking: `Thought ${k}`, signature: btoa(`claude ${k}`) },
        ]
        : [],
      ...isServed(asked) ? [use, result] : [],
      ...said() ? [{ type: "text", text: said() }] : [],
      ...calls("toolu_").map((call) => ({ type: "tool_use", ...call, input: { a: "1" } })),
    ];
  });
  const gpt = strictResponses((asked): Piece[] => [
    ...now.thought === "none"
      ? []
      : [{ think: `${k}`, summary: now.thought === "text" ? [`Thought ${k}`] : [] }],
    ...isServed(asked) ? [{ served: "find", server: SERVER, args: "{}", output: `Found ${k}` }] : [],
    ...said() ? [{ text: [said()] }] : [],
    ...calls("call_").map(({ id, name }) => ({ call: name, id, args: [ARGUMENTS] })),
  ]);
  const gemini = strictGoogle(() => {
    const thoughtSignature = btoa(`gemini ${k} `);
    const parts: Json[] = now.thought === "text" ? [{ text: `Thought ${k}`, thought: true }] : [];
    if (said()) parts.push({ text: said(), ...(now.calls === 0 && { thoughtSignature }) });
    calls("").forEach(({ name }, at) =>
      parts.push({ functionCall: { name, args: { a: "1" } }, ...(at === 0 && { thoughtSignature }) })
    );
    return parts;
  });
  const likeOpenAI = (prefix: string, thinks: boolean) => (asked: Asked) => {
    const called = calls(prefix).map((call) => ({ ...call, args: { a: "1" } }));
    const think = thinks && now.thought === "text" ? { think: `Thought ${k}` } : {};
    return strictOpenAI([{ ...think, text: said(), ...(called.length > 0 && { calls: called }) }]).play(
      asked,
    );
  };
  const command = (asked: Asked) => {
    const called = calls("f_").map((call) => ({ ...call, args: { a: "1" } }));
    const thinking = now.thought === "text" ? { thinking: `Thought ${k}` } : {};
    // Cohere says nothing beside its calls.
    return strictCohere([called.length > 0 ? { ...thinking, calls: called } : { ...thinking, text: said() }])
      .play(
        asked,
      );
  };
  const amazon = strictConverse((asked): Json[] => {
    const { thinking } = (asked.body.additionalModelRequestFields ?? {}) as Json;
    const proof = btoa(`amazon ${k}`);
    const thought = now.thought === "sealed"
      ? { redactedContent: btoa(proof) }
      : { reasoningText: { text: `Thought ${k}`, signature: proof } };
    return [
      ...thinking && now.thought !== "none" ? [{ reasoningContent: thought }] : [],
      ...said() ? [{ text: said() }] : [],
      ...calls("tooluse_").map(({ id, name }) => ({ toolUse: { toolUseId: id, name, input: { a: "1" } } })),
    ];
  });
  const byHost: Record<string, Play> = {
    "api.anthropic.com": claude.play,
    "generativelanguage.googleapis.com": gemini.play,
    "api.openai.com": (asked) =>
      asked.url.pathname.endsWith("/responses") ? gpt.play(asked) : likeOpenAI("call_", false)(asked),
    "api.mistral.ai": likeOpenAI("callcal", false),
    "api.cohere.com": command,
    "bedrock-runtime.us-east-1.amazonaws.com": amazon.play,
  };
  const play: Play = async (asked) => {
    k++;
    const host = byHost[asked.url.host] ?? likeOpenAI("functions.f:", true);
    const response = await Promise.resolve(asked).then(host).catch((fault) => {
      faults.push(`${fault.stack}`);
      throw fault;
    });
    if (!response.ok) faults.push(await response.clone().text());
    return response;
  };
  return { play, faults, next: (step: Step) => void (now = step) };
}

// ---------------------------------------------------------------- the clients

/** What every client can keep of a conversation: texts, calls and results. */
type Plain = { user: string } | Said | { results: Named[] };
interface Said {
  text: string;
  calls: Named[];
}
interface Named {
  id: string;
  name: string;
}

/** A client keeps its conversation in its own form. */
interface Client {
  /** Takes a conversation over from another client. */
  take(history: Plain[]): void;
  user(text: string): void;
  results(calls: Named[]): void;
  ask(step: Step): Promise<Said>;
}

/** Hands a conversation on, entry by entry. */
function takes(client: Omit<Client, "take" | "ask">, answer: (text: string, calls: Named[]) => void) {
  return (history: Plain[]) => {
    for (const entry of history) {
      if ("user" in entry) client.user(entry.user);
      else if ("results" in entry) client.results(entry.results);
      else answer(entry.text, entry.calls);
    }
  };
}

const chat = (kind: string) => (room: Lab): Client => {
  const messages: Json[] = [];
  const common = {
    user: (content: string) => void messages.push({ role: "user", content }),
    results: (calls: Named[]) =>
      calls.forEach(({ id }) => messages.push({ role: "tool", tool_call_id: id, content: "1" })),
  };
  const call = ({ id, name }: Named) => ({ id, type: "function", function: { name, arguments: ARGUMENTS } });
  return {
    ...common,
    take: takes(common, (text, calls) =>
      void messages.push({
        role: "assistant",
        content: text || null,
        ...(calls.length > 0 && { tool_calls: calls.map(call) }),
      })),
    async ask(step) {
      const message = await CLIENTS[kind](room, {
        model: step.model,
        max_tokens: 9000,
        messages: [{ role: "system", content: systemOf(step) }, ...messages],
        tools: namesOf(step).map((name) => ({ type: "function", function: { name, parameters: SCHEMA } })),
        ...(step.thinks && { reasoning_effort: "high" }),
      });
      messages.push(message);
      const calls = ((message.tool_calls ?? []) as Any[]).map(({ id, function: { name } }) => ({ id, name }));
      return { text: (message.content ?? "") as string, calls };
    },
  };
};

/** Whoever makes Messages of another format writes ids that Anthropic takes. */
const idOf = (id: string) => id.replace(/[^\w-]/g, "_");

const messagesClient = (streams: boolean) => ({ gateway }: Lab): Client => {
  const messages: Json[] = [];
  const { beta } = new Anthropic({
    apiKey: "key",
    baseURL: "http://gateway.test",
    maxRetries: 0,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  });
  const common = {
    user: (content: string) => void messages.push({ role: "user", content }),
    results: (calls: Named[]) =>
      void messages.push({
        role: "user",
        content: calls.map(({ id }) => ({ type: "tool_result", tool_use_id: idOf(id), content: "1" })),
      }),
  };
  return {
    ...common,
    take: takes(common, (text, calls) =>
      void messages.push({
        role: "assistant",
        content: [
          ...text ? [{ type: "text", text }] : [],
          ...calls.map(({ id, name }) => ({ type: "tool_use", id: idOf(id), name, input: { a: "1" } })),
        ],
      })),
    async ask(given) {
      // It speaks with Claude itself, and keeps to what Claude's thoughts are bound to.
      const step = { ...given, setup: 0 };
      const thinking = step.model.includes("opus")
        ? { type: "adaptive" }
        : { type: "enabled", budget_tokens: 2000 };
      const body: Any = {
        model: step.model,
        max_tokens: 9000,
        system: systemOf(step),
        ...(step.thinks && { thinking }),
        mcp_servers: [{ type: "url", name: SERVER, url: ADDRESS }],
        tools: [
          ...namesOf(step).map((name) => ({ name, input_schema: SCHEMA })),
          { type: "mcp_toolset", mcp_server_name: SERVER },
        ],
        betas: [BETA],
        messages,
      };
      const { content }: Any = streams
        ? await beta.messages.stream(body).finalMessage()
        : await beta.messages.create(body);
      messages.push({ role: "assistant", content });
      const of = (type: string) => content.filter((block: Any) => block.type === type);
      return {
        text: of("text").map(({ text }: Any) => text).join(""),
        calls: of("tool_use").map(({ id, name }: Any) => ({ id, name })),
      };
    },
  };
};

const responses = (streams: boolean) => ({ gateway }: Lab): Client => {
  const input: Json[] = [];
  const openai = new OpenAI({
    apiKey: "key",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (given, init) => gateway.fetch(new Request(given as string, init as RequestInit)),
  });
  const common = {
    user: (content: string) => void input.push({ role: "user", content }),
    results: (calls: Named[]) =>
      calls.forEach(({ id }) => input.push({ type: "function_call_output", call_id: id, output: "1" })),
  };
  return {
    ...common,
    take: takes(common, (text, calls) => {
      if (text) input.push({ role: "assistant", content: text });
      for (const { id, name } of calls) {
        input.push({ type: "function_call", call_id: id, name, arguments: ARGUMENTS });
      }
    }),
    async ask(step) {
      const body: Any = {
        model: step.model,
        max_output_tokens: 9000,
        store: false,
        instructions: systemOf(step),
        ...(step.thinks && {
          include: step.model === "openai/gpt-4.1" ? [] : ["reasoning.encrypted_content"],
          ...(step.model !== "openai/gpt-4.1" && { reasoning: { effort: "high", summary: "auto" } }),
        }),
        tools: [
          ...namesOf(step).map((name) => ({ type: "function", name, parameters: SCHEMA, strict: false })),
          { type: "mcp", server_label: SERVER, server_url: ADDRESS, require_approval: "never" },
        ],
        input,
      };
      const { output }: Any = streams
        ? await openai.responses.stream(body).finalResponse()
        : await openai.responses.create(body);
      for (const { parsed_arguments: _, ...item } of output as Any[]) {
        for (const part of item.type === "message" ? item.content : []) delete part.parsed;
        input.push(item);
      }
      const of = (type: string) => output.filter((item: Any) => item.type === type);
      return {
        text: of("message").flatMap(({ content }: Any) => content.map(({ text }: Any) => text)).join(""),
        calls: of("function_call").map(({ call_id: id, name }: Any) => ({ id, name })),
      };
    },
  };
};

// ---------------------------------------------------------------- any conversation

const MAKERS: Record<string, (room: Lab) => Client> = {
  ...Object.fromEntries(Object.keys(CLIENTS).map((kind) => [`chat by ${kind}`, chat(kind)])),
  "Messages, whole": messagesClient(false),
  "Messages, streamed": messagesClient(true),
  "Responses, whole": responses(false),
  "Responses, streamed": responses(true),
};
const KINDS = Object.keys(MAKERS);

for (const name of KINDS) {
  Deno.test(`no provider refuses any turn of a conversation that begins with ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 8 }),
        fc.array(fc.nat({ max: KINDS.length - 1 }), { minLength: 8, maxLength: 8 }),
        fc.boolean(),
        async (given, movers, isAtAmazon) => {
          const steps = isAtAmazon ? given.map((step) => ({ ...step, model: atAmazon(step.model) })) : given;
          const { play, faults, next } = world();
          const room = lab(play);
          let client = MAKERS[name](room);
          const history: Plain[] = [];
          const path = [name];
          let open: Named[] = [];
          for (const [k, step] of steps.entries()) {
            if (k > 0 && step.moves) {
              client = MAKERS[KINDS[movers[k]]](room);
              client.take(history);
              path.push(KINDS[movers[k]]);
            }
            path.push(step.model);
            if (open.length > 0) client.results(open);
            else client.user(`Question ${k}`);
            history.push(open.length > 0 ? { results: open } : { user: `Question ${k}` });
            next(step);
            const { text, calls } = await client.ask(step).catch((error) => {
              throw new Error(`${path.join(", ")}: ${error.message} ${faults.join()}`);
            });
            assertEquals(calls.length, step.calls, path.join(", "));
            history.push({ text, calls });
            open = calls;
          }
          assertEquals(faults, [], path.join(", "));
          // No envelope goes to a provider. Ids of a chat client's entries say where a thought stood.
          for (const { text } of room.asked) assert(!/"slc1\.(?!after\.)/.test(text), text);
        },
      ),
      chance(60),
    );
  });
}
